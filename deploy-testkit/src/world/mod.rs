//! A simulated world in virtual time: traffic, tasks, metrics and services, seeded.
//!
//! Everything is a function of the seed, the time and what was done to the world before: the same seed and the same calls
//! at the same times give the same answers, byte for byte. The world keeps a [`History`] of what was done to it, so that
//! invariants can be checked from outside.

mod api;
mod clock;
mod condition;
pub(crate) mod dice;
mod fleet;
mod history;
mod load;
mod metrics;
mod services;
mod share;
mod symptom;
mod timeline;
mod traffic;

use std::sync::MutexGuard;
use std::time::Duration;

use mpac_deploy_core::effect::{Direction, ObservedWeights};
use mpac_deploy_core::metric::Side;
use mpac_deploy_core::port::Clock;
use mpac_deploy_core::time::{Period, Timestamp};
use serde::Serialize;
use tokio::sync::watch;

pub use api::SideState;
pub use clock::{Jump, SimClock};
pub use history::{FleetAction, FleetActionKind, History, WeightChange, Wrong};
pub use load::Load;
pub use metrics::{MinuteRow, SideMetrics};
pub use symptom::{Fault, Symptom};
pub use timeline::{Anchor, Moment, Timeline, Window};

use crate::fakes::lock::Lock;
use dice::{Dice, Purpose};

/// When every world begins: 2026-01-28T09:00:00Z.
#[must_use]
pub fn epoch() -> Timestamp {
    Timestamp::from_secs(1_769_590_800)
}

/// The time-to-live of the record's answer.
pub const TTL: Duration = Duration::from_secs(60);

/// How long a call to a port of the world takes, in milliseconds.
const CALL_MILLIS: [u64; 2] = [20, 400];

/// In a rollout of two hours one such minute may come.
const STRAGGLERS: f64 = 0.003;

/// What a world is like before anything goes wrong in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Setup {
    /// Its traffic.
    pub load: Load,
    /// The tasks of each side.
    pub tasks: u32,
    /// The weights before the rollout.
    pub weights: ObservedWeights,
    /// The share of periods whose metrics come later than anybody waits for them.
    pub stragglers: f64,
    /// What goes wrong.
    pub faults: Vec<Fault>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            load: Load::default(),
            tasks: 4,
            weights: ObservedWeights { blue: 100, green: 0 },
            stragglers: STRAGGLERS,
            faults: Vec::new(),
        }
    }
}

/// The simulated world. It is every port but the journal, the notifier and the clock.
#[derive(Debug)]
pub struct World {
    clock: SimClock,
    setup: Setup,
    dice: Dice,
    state: Lock<State>,
    changed: watch::Sender<u64>,
}

#[derive(Debug)]
struct State {
    history: History,
    calls: u64,
}

/// What can be seen of a world at a moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WorldView {
    /// The moment.
    pub now: Timestamp,
    /// The weights that the authority has.
    pub weights: ObservedWeights,
    /// Whether every name server gives the answer of the latest change.
    pub in_sync: bool,
    /// Green's real share of the requests, 0 to 1.
    pub green_share: f64,
    /// The tasks of blue that are healthy.
    pub blue_tasks: u32,
    /// The tasks of green that are healthy.
    pub green_tasks: u32,
    /// The latest period that is over, if one is.
    pub latest: Option<MinuteRow>,
}

impl World {
    /// A world that begins now, by its clock.
    #[must_use]
    pub fn new(setup: Setup, seed: u64, clock: SimClock) -> Self {
        let history = History::new(clock.now(), setup.weights);
        let state = Lock::new(State { history, calls: 0 });
        Self { clock, setup, dice: Dice::new(seed), state, changed: watch::Sender::new(0) }
    }

    /// The world's own clock, which never jumps.
    #[must_use]
    pub const fn clock(&self) -> &SimClock {
        &self.clock
    }

    /// What was done to the world so far.
    #[must_use]
    pub fn history(&self) -> History {
        self.state().history.clone()
    }

    /// Wakes whenever something was done to the world.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Somebody else sets the weights by hand.
    pub fn set_by_hand(&self, weights: ObservedWeights) {
        let change = WeightChange {
            at: self.clock.now(),
            in_sync_at: self.pending_until(),
            weights,
            effect: None,
            direction: None,
            fence: None,
        };
        self.state().history.weights.push(change);
        self.has_changed();
    }

    /// What can be seen now.
    #[must_use]
    pub fn view(&self) -> WorldView {
        let now = self.clock.now();
        let history = self.history();
        let latest = history.weights.last();
        let begun = Period::containing(now);
        let over = Timestamp::from_millis(begun.start().as_millis() - 1);
        WorldView {
            now,
            weights: latest.map_or(history.initial, |change| change.weights),
            in_sync: latest.is_none_or(|change| change.in_sync_at <= now),
            green_share: share::green(&history, now),
            blue_tasks: self.healthy_tasks(&history, Side::Blue, now),
            green_tasks: self.healthy_tasks(&history, Side::Green, now),
            latest: (begun.start() > history.began).then(|| self.minute(&history, Period::containing(over))),
        }
    }

    /// The numbers of both sides in every period that is over, from the start of the world on.
    #[must_use]
    pub fn minutes(&self) -> Vec<MinuteRow> {
        let (history, now) = (self.history(), self.clock.now());
        let first = Period::from_or_after(history.began);
        std::iter::successors(Some(first), |period| Some(period.next()))
            .take_while(|period| period.end() <= now)
            .map(|period| self.minute(&history, period))
            .collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.get()
    }

    fn has_changed(&self) {
        self.changed.send_modify(|version| *version += 1);
    }

    /// A call to the world takes a moment.
    async fn call(&self) {
        let number = {
            let mut state = self.state();
            state.calls += 1;
            state.calls
        };
        self.clock.sleep(self.dice.between(Purpose::Latency, number, 0, CALL_MILLIS)).await;
    }

    /// How much of each fault of a side there is at a time.
    fn symptoms<'a>(
        &'a self,
        history: &'a History,
        side: Side,
        time: Timestamp,
    ) -> impl Iterator<Item = (&'a Symptom, f64)> {
        let of_side = self.setup.faults.iter().filter(move |fault| fault.strikes(side));
        of_side.filter_map(move |fault| {
            let began = history.anchored(fault.from().anchor).map(|anchor| anchor.after(fault.from().after));
            let intensity = fault.intensity(began, time);
            (intensity > 0.0).then_some((&fault.symptom, intensity))
        })
    }
}

impl Timeline for World {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn anchored(&self, anchor: Anchor) -> Option<Timestamp> {
        self.state().history.anchored(anchor)
    }
}

/// Whether a change is one towards green.
const fn is_forward(change: &WeightChange) -> bool {
    matches!(change.direction, Some(Direction::Forward))
}
