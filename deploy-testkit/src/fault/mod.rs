//! Faults of the ports as rules: which calls are struck, when, how often, and how.
//!
//! [`wrap`] puts a layer around all ports that counts every call and strikes those that a rule names. It works on
//! the fakes, on the simulated world, and on real adapters alike.
//!
//! ```
//! use std::time::Duration;
//! use mpac_deploy_testkit::fault::{Call, Rule, Strike};
//!
//! // Route 53 throttles half of all calls.
//! let throttled = Rule::new(&[Call::TrafficRead, Call::TrafficSet, Call::TrafficConfirm], Strike::unavailable("Throttling"))
//!     .with_chance(0.5);
//! // The first change is made, but its answer is lost.
//! let lost = Rule::new(&[Call::TrafficSet], Strike::AnswerLost).at_most(1);
//! ```

mod crash;
mod journal;
mod ports;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use mpac_deploy_core::driver::Ports;
use mpac_deploy_core::port::{JournalError, PortError};
use serde::Serialize;

pub(crate) use crash::Situation;
pub use crash::{CrashPoint, Crashes, Moment as CrashMoment, Place as CrashPlace};

use crate::fakes::lock::Lock;
use crate::world::dice::{Dice, Purpose};
use crate::world::{SimClock, Timeline, Window};

/// A call to a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "each is the port and the method of its name")]
pub enum Call {
    TrafficRead,
    TrafficSet,
    TrafficConfirm,
    FleetProvision,
    FleetHealth,
    FleetRetire,
    FleetRevive,
    FleetStopGreen,
    MetricsFetch,
    ChecksRun,
    ProbesProbe,
    SchemaVersion,
    SchemaApply,
    SchemaUndo,
    SchemaWritten,
    FlagsSwitchOff,
    FlagsIsOn,
    NotifyNotify,
    JournalAcquire,
    JournalRenew,
    JournalRelease,
    JournalAppend,
    JournalLoad,
    JournalList,
    JournalKeep,
    JournalSnapshot,
}

impl Call {
    /// Every call to the journal.
    pub const JOURNAL: [Self; 8] = [
        Self::JournalAcquire,
        Self::JournalRenew,
        Self::JournalRelease,
        Self::JournalAppend,
        Self::JournalLoad,
        Self::JournalList,
        Self::JournalKeep,
        Self::JournalSnapshot,
    ];

    /// Every call to the record's authority.
    pub const TRAFFIC: [Self; 3] = [Self::TrafficRead, Self::TrafficSet, Self::TrafficConfirm];

    /// Whether it runs an effect, rather than store it or tell of it.
    #[must_use]
    pub fn is_effect(self) -> bool {
        !Self::JOURNAL.contains(&self) && self != Self::NotifyNotify
    }
}

/// How a call is struck.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Strike {
    /// It takes so much longer.
    Delay(Duration),
    /// It fails, and nothing was done. A port without errors answers what stands for failure there.
    Fail(PortError),
    /// It never answers, and nothing was done.
    Hang,
    /// It is done, but its answer never comes.
    AnswerLost,
}

impl Strike {
    /// A failure that a later attempt may not meet.
    #[must_use]
    pub fn unavailable(why: &str) -> Self {
        Self::Fail(PortError::Unavailable(why.into()))
    }
}

/// Which calls are struck, when, how often, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The calls.
    pub calls: Vec<Call>,
    /// When.
    pub window: Window,
    /// The share of the calls, 0 to 1.
    pub chance: f64,
    /// At most so many.
    pub at_most: u64,
    /// How.
    pub strike: Strike,
}

impl Rule {
    /// Strikes every one of these calls, always.
    #[must_use]
    pub fn new(calls: &[Call], strike: Strike) -> Self {
        Self { calls: calls.to_vec(), window: Window::ALWAYS, chance: 1.0, at_most: u64::MAX, strike }
    }

    /// Only within a window.
    #[must_use]
    pub fn within(self, window: Window) -> Self {
        Self { window, ..self }
    }

    /// Only a share of the calls, drawn by the seed.
    #[must_use]
    pub fn with_chance(self, chance: f64) -> Self {
        Self { chance, ..self }
    }

    /// Only the first so many of them.
    #[must_use]
    pub fn at_most(self, at_most: u64) -> Self {
        Self { at_most, ..self }
    }
}

/// The rules in force, and the count of all calls.
pub struct Faults {
    rules: Vec<Rule>,
    dice: Dice,
    clock: SimClock,
    timeline: Arc<dyn Timeline>,
    crashes: Crashes,
    /// Changes of the world and records stored, where the points that are passed are kept.
    progress: Option<Progress>,
    counts: Lock<Counts>,
}

type Progress = Box<dyn Fn() -> (u64, u64) + Send + Sync>;

#[derive(Default)]
struct Counts {
    calls: BTreeMap<Call, u64>,
    struck: Vec<u64>,
}

impl Faults {
    /// Rules by a seed and a timeline; delays are waited for on the clock.
    #[must_use]
    pub fn new(rules: Vec<Rule>, seed: u64, clock: SimClock, timeline: Arc<dyn Timeline>) -> Self {
        let counts = Lock::new(Counts { calls: BTreeMap::new(), struck: vec![0; rules.len()] });
        Self {
            rules,
            dice: Dice::new(seed),
            clock,
            timeline,
            crashes: Crashes::default(),
            progress: None,
            counts,
        }
    }

    /// The same rules, with points at which whoever makes the call is to be killed.
    #[must_use]
    pub fn with_crashes(self, points: &[CrashPoint]) -> Self {
        Self { crashes: Crashes::new(points), ..self }
    }

    /// The same rules, and every point at which a controller could be killed is kept, with all that had happened until then: the changes
    /// of the world and the records stored are asked for.
    pub(crate) fn with_passed(self, progress: impl Fn() -> (u64, u64) + Send + Sync + 'static) -> Self {
        Self { progress: Some(Box::new(progress)), ..self }
    }

    fn pass(&self, point: CrashPoint) {
        let Some(progress) = &self.progress else { return };
        let (changes, records) = progress();
        let calls = self.counts.get().calls.values().sum();
        let situation = Situation { elapsed: self.clock.elapsed(), calls, changes, records };
        self.crashes.pass(situation, point);
    }

    /// The points at which whoever makes the call is to be killed.
    #[must_use]
    pub const fn crashes(&self) -> &Crashes {
        &self.crashes
    }

    /// How often each call was made, struck or not.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<Call, u64> {
        self.counts.get().calls.clone()
    }

    /// Counts a call, and the first rule that strikes it.
    fn strike(&self, call: Call) -> Option<Strike> {
        let mut counts = self.counts.get();
        let made = counts.calls.entry(call).or_default();
        *made += 1;
        let made = *made;
        let strikes = |index: usize, rule: &Rule| {
            rule.calls.contains(&call)
                && self.timeline.is_within(&rule.window)
                && self.dice.share(Purpose::Strike, (index as u64) << 8 | call as u64, made) < rule.chance
        };
        for (index, rule) in self.rules.iter().enumerate() {
            let struck = counts.struck.get(index).copied().unwrap_or(u64::MAX);
            if struck < rule.at_most && strikes(index, rule) {
                if let Some(struck) = counts.struck.get_mut(index) {
                    *struck += 1;
                }
                return Some(rule.strike.clone());
            }
        }
        None
    }

    /// Makes a call, unless its caller dies before, or it is struck.
    async fn make<T>(
        &self,
        call: Call,
        made: impl Future<Output = T>,
        failed: impl FnOnce(PortError) -> T,
    ) -> T {
        if self.crashes.is_dead() {
            return std::future::pending().await;
        }
        let Some(point) = self.crashes.count(call) else {
            return self.make_or_strike(call, made, failed).await;
        };
        self.pass(point);
        match self.crashes.take(point) {
            None => {
                let answer = self.make_or_strike(call, made, failed).await;
                self.pass(CrashPoint { moment: CrashMoment::After, ..point });
                answer
            }
            Some(CrashMoment::Before) => self.crashes.die().await,
            Some(CrashMoment::After) => {
                drop(self.make_or_strike(call, made, failed).await);
                self.crashes.die().await
            }
        }
    }

    async fn make_or_strike<T>(
        &self,
        call: Call,
        made: impl Future<Output = T>,
        failed: impl FnOnce(PortError) -> T,
    ) -> T {
        match self.strike(call) {
            None => made.await,
            Some(Strike::Delay(delay)) => {
                self.clock.sleep(delay).await;
                made.await
            }
            Some(Strike::Fail(error)) => failed(error),
            Some(Strike::Hang) => std::future::pending().await,
            Some(Strike::AnswerLost) => {
                drop(made.await);
                std::future::pending().await
            }
        }
    }
}

/// A port behind the rules.
pub struct Faulty<P: ?Sized> {
    port: Arc<P>,
    faults: Arc<Faults>,
}

impl<P: ?Sized> Faulty<P> {
    /// Puts a port behind the rules.
    #[must_use]
    pub const fn new(port: Arc<P>, faults: Arc<Faults>) -> Self {
        Self { port, faults }
    }
}

/// Puts every port but the clock behind the rules.
#[must_use]
pub fn wrap(ports: Ports, faults: &Arc<Faults>) -> Ports {
    let faults = || Arc::clone(faults);
    Ports {
        traffic: Arc::new(Faulty::new(ports.traffic, faults())),
        fleet: Arc::new(Faulty::new(ports.fleet, faults())),
        metrics: Arc::new(Faulty::new(ports.metrics, faults())),
        checks: Arc::new(Faulty::new(ports.checks, faults())),
        probes: Arc::new(Faulty::new(ports.probes, faults())),
        schema: Arc::new(Faulty::new(ports.schema, faults())),
        flags: Arc::new(Faulty::new(ports.flags, faults())),
        journal: Arc::new(Faulty::new(ports.journal, faults())),
        notify: Arc::new(Faulty::new(ports.notify, faults())),
        clock: ports.clock,
    }
}

/// What an error of a port is for a journal.
fn of_journal(error: PortError) -> JournalError {
    JournalError::Unavailable(error.to_string())
}
