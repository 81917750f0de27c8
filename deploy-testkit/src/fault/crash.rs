//! Points at which a controller is killed: just before or just after a call.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::Notify;

use super::Call;
use crate::fakes::lock::Lock;

/// Where and when a controller is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CrashPoint {
    /// Which calls are counted.
    pub place: Place,
    /// The number of the call, from 1, over all controllers of the simulation.
    pub number: u64,
    /// Whether the call is still made.
    pub moment: Moment,
}

/// Which calls are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// Appends to the journal.
    Append,
    /// Everything else that the store writes: the lease and snapshots.
    Store,
    /// Calls that run an effect.
    Effect,
}

impl Place {
    const fn of(call: Call) -> Option<Self> {
        match call {
            Call::JournalAppend => Some(Self::Append),
            Call::JournalAcquire | Call::JournalRenew | Call::JournalRelease | Call::JournalKeep => {
                Some(Self::Store)
            }
            Call::TrafficRead
            | Call::TrafficSet
            | Call::TrafficConfirm
            | Call::FleetProvision
            | Call::FleetHealth
            | Call::FleetRetire
            | Call::FleetRevive
            | Call::FleetStopGreen
            | Call::MetricsFetch
            | Call::ChecksRun
            | Call::ProbesProbe
            | Call::SchemaVersion
            | Call::SchemaApply
            | Call::SchemaUndo
            | Call::SchemaWritten
            | Call::FlagsSwitchOff
            | Call::FlagsIsOn => Some(Self::Effect),
            Call::NotifyNotify | Call::JournalLoad | Call::JournalList | Call::JournalSnapshot => None,
        }
    }
}

/// Whether the call at which a controller is killed is still made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Moment {
    /// Nothing was done.
    Before,
    /// It was done, and nobody heard the answer.
    After,
}

/// All that a simulation has been through at a point: two points of one run in the same situation leave the next controller the same
/// journal and the same world at the same time, so what comes after is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Situation {
    pub(crate) elapsed: Duration,
    /// Calls to any port that were begun.
    pub(crate) calls: u64,
    /// Changes of the world.
    pub(crate) changes: u64,
    /// Records that are stored.
    pub(crate) records: u64,
}

/// The points that are still to come.
#[derive(Debug, Default)]
pub struct Crashes {
    state: Lock<State>,
    death: Notify,
}

#[derive(Debug, Default)]
struct State {
    points: Vec<CrashPoint>,
    counts: BTreeMap<Place, u64>,
    passed: Vec<(Situation, CrashPoint)>,
    is_dead: bool,
}

impl Crashes {
    pub(super) fn new(points: &[CrashPoint]) -> Self {
        let state = State { points: points.to_vec(), ..State::default() };
        Self { state: Lock::new(state), death: Notify::new() }
    }

    /// Waits until the controller is to be killed. Whoever waits must then drop it.
    pub async fn reached_one(&self) {
        self.death.notified().await;
        self.state.get().is_dead = false;
    }

    /// Whether the controller is dead and only not dropped yet: then none of its calls is made any more.
    pub(super) fn is_dead(&self) -> bool {
        self.state.get().is_dead
    }

    /// Counts a call, if it is one at which a controller may be killed: the point before it.
    pub(super) fn count(&self, call: Call) -> Option<CrashPoint> {
        let place = Place::of(call)?;
        let mut state = self.state.get();
        let count = state.counts.entry(place).or_default();
        *count += 1;
        Some(CrashPoint { place, number: *count, moment: Moment::Before })
    }

    /// Takes the point at this call where the controller is to be killed, if there is one.
    pub(super) fn take(&self, at: CrashPoint) -> Option<Moment> {
        let mut state = self.state.get();
        let is_here = |point: &CrashPoint| point.place == at.place && point.number == at.number;
        let index = state.points.iter().position(is_here)?;
        Some(state.points.swap_remove(index).moment)
    }

    pub(super) fn pass(&self, situation: Situation, point: CrashPoint) {
        self.state.get().passed.push((situation, point));
    }

    /// Every point that was passed, with the situation there.
    pub(crate) fn passed(&self) -> Vec<(Situation, CrashPoint)> {
        self.state.get().passed.clone()
    }

    /// Says that the controller is to be killed, and never returns.
    pub(super) async fn die<T>(&self) -> T {
        self.state.get().is_dead = true;
        self.death.notify_one();
        std::future::pending().await
    }
}
