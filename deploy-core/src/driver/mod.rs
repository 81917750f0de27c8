//! The async loop between machine and ports: persist, run effects, feed their outcomes back.
//!
//! Dropping the future of [`Driver::run`] cancels everything that it runs; the journal says what was under way, and
//! [`Driver::resume`] goes on from there.
//!
//! # Tracing
//!
//! | span or event | level | fields |
//! |---|---|---|
//! | span `effect` | info | `rollout`, `id`, `attempt`, `kind` |
//! | event `done` in it | debug | |
//! | event `failed` in it | warn | `error` |
//! | event `decision` | info | `rollout`, `kind`, `stage`, `rule`, `reason` |
//! | event `journal unavailable` | warn | `rollout`, `backlog`, `why` |
//! | event `lease not renewed` | warn | `rollout`, `why` |
//! | event `lease not released` | warn | `record`, `error` |
//! | event `snapshot not kept` | warn | `rollout`, `error` |
//! | event `snapshot not used` | warn | `rollout`, `records` |
//! | event `inbox not read` | warn | `rollout`, `error` |
//! | event `notice dropped` | warn | `rollout`, `kind`, `reason`, `why` |
//! | event `notice not told` | debug | `rollout`, `attempt`, `why` |
//! | event `stopped` | error | `rollout`, `error` |
//! | event `event rejected` | debug | `rollout`, `why` |
//!
//! These names are stable: a change of one is a breaking change. Spans are made and events written by the driver's task, so a subscriber that blocks
//! would hold it up; `tracing-appender` and the exporters of OpenTelemetry hand over to a thread or a queue.
//!
//! # Metrics
//!
//! With the feature `metrics` the driver counts and measures through the facade of that name:
//!
//! | metric | kind | labels | says |
//! |---|---|---|---|
//! | `mpac_deploy_phase` | gauge | `service`, `record`, `phase` | 1 for the phase in which the rollout is |
//! | `mpac_deploy_stage` | gauge | `service`, `record`, `stage` | 1 for the stage in which it is |
//! | `mpac_deploy_weight` | gauge | `service`, `record`, `side` | the weight that the record should show |
//! | `mpac_deploy_paused` | gauge | `service`, `record` | 1 while it is paused |
//! | `mpac_deploy_bake_minutes` | gauge | `service`, `record` | minutes of evidence that have counted for the running stage |
//! | `mpac_deploy_evidence` | gauge | `service`, `record`, `side`, `metric` | the latest reading |
//! | `mpac_deploy_evidence_gaps_total` | counter | `service`, `record`, `side`, `metric` | readings without a number |
//! | `mpac_deploy_decisions_total` | counter | `service`, `record`, `kind`, `severity` | decisions |
//! | `mpac_deploy_calls_total` | counter | `call`, `result` | attempts at effects, by their names, and `append-records` and `renew-lease` |
//! | `mpac_deploy_call_seconds` | histogram | `call` | how long they took, by the port's clock |
//! | `mpac_deploy_journal_backlog` | gauge | `service`, `record` | records that the journal does not hold yet |
//! | `mpac_deploy_notices_dropped_total` | counter | `severity` | decisions of which nobody was told |
//!
//! These names are stable as well.

mod act;
mod attend;
mod command;
mod gauge;
mod notifiers;
mod outbox;
mod recall;
mod steady;
mod store;

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;

use futures::future::{AbortHandle, Abortable, BoxFuture, FutureExt};
use futures::stream::{FuturesUnordered, StreamExt};
use tokio::sync::{mpsc, oneshot, watch};

pub use attend::attend;
pub use command::{CommandError, DriverHandle};
pub use notifiers::{AtLeast, Notifiers};
pub use outbox::{Outbox, OutboxLimits};
pub use recall::{Recalled, recall};

use crate::effect::{Answer, Effect, EffectKind, Effects, Failure};
use crate::ids::{EffectId, RecordName, RolloutId};
use crate::journal::{Record, ReplayError};
use crate::machine::{Command, Event, Phase, Rejected, RollbackStep, RollingBack, Rollout};
use crate::plan::Plan;
use crate::port::{
    Checks, Clock, Flags, Fleet, Journal, JournalError, Lease, Metrics, Notify, Probes, Schema, Traffic,
};
use crate::time::Timestamp;
use steady::SteadyClock;

/// The world, as the driver sees it.
#[derive(Clone)]
#[allow(missing_docs, reason = "each field is the port of its name")]
pub struct Ports {
    pub traffic: Arc<dyn Traffic>,
    pub fleet: Arc<dyn Fleet>,
    pub metrics: Arc<dyn Metrics>,
    pub checks: Arc<dyn Checks>,
    pub probes: Arc<dyn Probes>,
    pub schema: Arc<dyn Schema>,
    pub flags: Arc<dyn Flags>,
    pub journal: Arc<dyn Journal>,
    pub notify: Arc<dyn Notify>,
    pub clock: Arc<dyn Clock>,
}

/// Who drives, and for how long a lease holds without a sign of life.
#[derive(Clone, Debug)]
pub struct Options {
    /// A name that tells this process from every other.
    pub holder: String,
    /// The time limit of the lease; it is renewed three times as often.
    pub lease_ttl: Duration,
}

impl Options {
    /// Options with a lease of 30 s: long enough for a slow store, short enough for a quick takeover.
    #[must_use]
    pub fn new(holder: impl Into<String>) -> Self {
        Self { holder: holder.into(), lease_ttl: Duration::from_secs(30) }
    }
}

/// Why a driver stopped before the end of its rollout.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DriverError {
    /// The journal refused: the lease is held or lost, or somebody else has written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// What the journal holds cannot be replayed.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// The rollout exists already.
    #[error("the rollout {0} exists already: resume it")]
    Exists(RolloutId),
}

type Outcome = (EffectId, Result<Answer, Failure>);
type Running = FuturesUnordered<BoxFuture<'static, Option<Outcome>>>;

/// Drives one rollout.
pub struct Driver {
    ports: Ports,
    clock: SteadyClock,
    options: Options,
    rollout: Rollout,
    lease: Lease,
    renew_at: Timestamp,
    /// Records that the journal holds.
    stored: u64,
    /// Records that the latest snapshot stands for.
    snapshot: u64,
    /// Records that it does not hold yet, oldest first.
    backlog: Vec<Record>,
    store_again_at: Timestamp,
    /// Effects that wait for the backlog to be stored.
    waiting: Vec<Effect>,
    running: Running,
    aborts: BTreeMap<EffectId, AbortHandle>,
    notices: FuturesUnordered<BoxFuture<'static, ()>>,
    commands: mpsc::Receiver<command::Order>,
    status: watch::Sender<Arc<Rollout>>,
    stop: watch::Receiver<bool>,
    /// Whether the backlog is empty, for whoever holds a handle.
    is_stored: Arc<AtomicBool>,
}

enum Next {
    Outcome(Option<Outcome>),
    Command(Event, oneshot::Sender<Result<(), Rejected>>),
    Time,
}

impl Driver {
    /// Begins a rollout: takes the lease and stores the first record before anything is done.
    ///
    /// # Errors
    /// [`DriverError`] when the lease is held, the journal cannot be written, or the rollout exists already.
    pub async fn start(
        ports: Ports,
        id: RolloutId,
        plan: Plan,
        options: Options,
    ) -> Result<(Self, DriverHandle), DriverError> {
        if !ports.journal.load(&id, 0).await?.is_empty() {
            return Err(DriverError::Exists(id));
        }
        let lease = acquire(&ports, &options, &plan.release().record, &id).await?;
        let (rollout, effects) = Rollout::begin(id, plan, ports.clock.now());
        let first = Record::begun(&rollout, effects.decisions.clone());
        if let Err(error) = ports.journal.append(&lease, rollout.id(), 0, core::slice::from_ref(&first)).await
        {
            release(&ports, &lease).await;
            return Err(error.into());
        }
        let begun = Recalled { rollout, records: 1, snapshot: 0 };
        let (mut driver, handle) = Self::new(ports, begun, lease, options);
        driver.carry_out(effects);
        Ok((driver, handle))
    }

    /// Goes on with a rollout from its journal; effects without an outcome are run again under their ids.
    ///
    /// # Errors
    /// [`DriverError`] when the lease is held or the journal cannot be replayed.
    pub async fn resume(
        ports: Ports,
        id: RolloutId,
        options: Options,
    ) -> Result<(Self, DriverHandle), DriverError> {
        let recalled = recall(ports.journal.as_ref(), &id).await?;
        let lease = acquire(&ports, &options, &recalled.rollout.plan().release().record, &id).await?;
        // Whoever held the lease before may have appended until now.
        let recalled = recalled.catch_up(ports.journal.as_ref()).await?;
        let run: Vec<Effect> = recalled.rollout.outstanding().cloned().collect();
        let (mut driver, handle) = Self::new(ports, recalled, lease, options);
        drop(driver.handle(Event::Resumed).await?);
        driver.carry_out(Effects { run, decisions: Vec::new() });
        Ok((driver, handle))
    }

    /// Commands the rollout before it is driven: so a completed one can be resumed and aborted, which starts blue again
    /// (semantics 5.8).
    ///
    /// # Errors
    /// [`CommandError`] inside when the machine rejects it; [`DriverError`] when the journal refuses.
    pub async fn command(&mut self, command: Command) -> Result<Result<(), CommandError>, DriverError> {
        Ok(self.handle(Event::Command(command)).await?.map_err(CommandError::Rejected))
    }

    fn new(ports: Ports, recalled: Recalled, lease: Lease, options: Options) -> (Self, DriverHandle) {
        let Recalled { rollout, records: stored, snapshot } = recalled;
        let (sender, commands) = mpsc::channel(command::QUEUE);
        let (status, watcher) = watch::channel(Arc::new(rollout.clone()));
        let (stopper, stop) = watch::channel(false);
        let is_stored = Arc::new(AtomicBool::new(true));
        let mut clock = SteadyClock::new(Arc::clone(&ports.clock), rollout.now());
        let now = clock.now();
        let driver = Self {
            renew_at: now.after(options.lease_ttl / 3),
            store_again_at: now,
            ports,
            clock,
            options,
            rollout,
            lease,
            stored,
            snapshot,
            backlog: Vec::new(),
            waiting: Vec::new(),
            running: FuturesUnordered::new(),
            aborts: BTreeMap::new(),
            notices: FuturesUnordered::new(),
            commands,
            status,
            stop,
            is_stored: Arc::clone(&is_stored),
        };
        (driver, DriverHandle::new(sender, watcher, stopper, is_stored))
    }

    /// Drives the rollout to its end, or to a safe point after [`DriverHandle::stop`], then gives the lease up. Only a rollout that was
    /// stopped has no outcome.
    ///
    /// # Errors
    /// [`DriverError`] when the lease is lost or somebody else has written to the journal: then nothing more is done.
    pub async fn run(mut self) -> Result<Rollout, DriverError> {
        while !self.may_stop() && (self.rollout.outcome().is_none() || !self.backlog.is_empty()) {
            match self.next().await {
                Next::Outcome(Some((effect, result))) => {
                    self.aborts.remove(&effect);
                    drop(self.handle(Event::Outcome { effect, result }).await?);
                }
                // The effect was aborted: nobody waits for it.
                Next::Outcome(None) => {}
                Next::Command(command, answer) => {
                    let obeyed = self.handle(command).await?;
                    drop(answer.send(obeyed));
                }
                Next::Time => self.time_has_come().await?,
            }
        }
        // What a rollout that was stopped still wants is wanted by whoever resumes it.
        self.running.clear();
        self.store().await?;
        while self.notices.next().await.is_some() {}
        release(&self.ports, &self.lease).await;
        Ok(self.rollout)
    }

    /// Whether a stop was asked for and can be had: a change of the weights or of a schema that is under way is waited for, and so is one
    /// that takes the release back, however often it must be tried.
    fn may_stop(&self) -> bool {
        let is_taking_back = || {
            let phase = self.rollout.phase();
            matches!(phase, Phase::RollingBack(RollingBack { step: RollbackStep::Setting, .. }))
        };
        let is_changing = |effect: &Effect| {
            let of_weights = matches!(effect.kind, EffectKind::SetWeights { .. });
            (of_weights || effect.kind.changes_schema()) && self.aborts.contains_key(&effect.id)
        };
        *self.stop.borrow() && !is_taking_back() && !self.rollout.outstanding().any(is_changing)
    }

    async fn next(&mut self) -> Next {
        let backlog = (!self.backlog.is_empty()).then_some(self.store_again_at);
        let wake = self.rollout.deadline().into_iter().chain(backlog).fold(self.renew_at, Timestamp::min);
        let sleep = self.clock.sleep_until(wake);
        tokio::select! {
            biased;
            Some(outcome) = self.running.next() => Next::Outcome(outcome),
            Some((command, answer)) = self.commands.recv() => Next::Command(command, answer),
            Some(()) = self.notices.next() => Next::Outcome(None),
            Ok(()) = self.stop.changed() => Next::Outcome(None),
            () = sleep => Next::Time,
        }
    }

    async fn time_has_come(&mut self) -> Result<(), DriverError> {
        let now = self.clock.now();
        if self.renew_at <= now {
            self.renew_lease(now).await?;
        }
        if !self.backlog.is_empty() && self.store_again_at <= now {
            self.store().await?;
        }
        if self.rollout.deadline().is_some_and(|deadline| deadline <= now) {
            for effect in self.waiting.iter().map(|effect| effect.id.clone()).collect::<Vec<_>>() {
                self.grant_time(effect);
            }
            drop(self.handle(Event::Tick).await?);
        }
        Ok(())
    }

    /// One event: the machine decides, the journal stores, the effects run.
    async fn handle(&mut self, event: Event) -> Result<Result<(), Rejected>, DriverError> {
        let effects = match self.decide(event) {
            Ok(effects) => effects,
            Err(why) => return Ok(Err(why)),
        };
        self.abort_unwanted();
        // A store that has just failed is not waited for again by every event: a rollback must not queue behind it.
        if self.store_again_at <= self.clock.now() {
            self.store().await?;
        }
        self.carry_out(effects);
        Ok(Ok(()))
    }

    /// The machine decides, and the record of it waits to be stored.
    fn decide(&mut self, event: Event) -> Result<Effects, Rejected> {
        let now = self.clock.now();
        let effects = self.rollout.handle(now, event.clone()).inspect_err(|why| {
            tracing::debug!(rollout = %self.rollout.id(), %why, "event rejected");
        })?;
        gauge::observed(&self.rollout, &event);
        self.is_stored.store(false, Ordering::SeqCst);
        let number = self.stored + self.backlog.len() as u64 + 1;
        self.backlog.push(Record::happened(number, self.rollout.now(), event, effects.decisions.clone()));
        Ok(effects)
    }

    /// The time of an effect that waits for the store begins anew: it has not been tried, so neither its attempts nor the
    /// deadline of its phase are spent.
    fn grant_time(&mut self, effect: EffectId) {
        if let Ok(effects) = self.decide(Event::NotStarted { effect }) {
            self.carry_out(effects);
        }
    }

    /// Effects that the machine no longer waits for are cancelled before anything else is started: no effect overtakes a
    /// rollback (semantics 5.3).
    fn abort_unwanted(&mut self) {
        let wanted: Vec<&EffectId> = self.rollout.outstanding().map(|effect| &effect.id).collect();
        self.aborts.retain(|id, abort| {
            let keep = wanted.contains(&id);
            if !keep {
                abort.abort();
            }
            keep
        });
        self.waiting.retain(|effect| wanted.contains(&&effect.id));
    }

    fn carry_out(&mut self, effects: Effects) {
        gauge::happened(&self.rollout, &effects);
        for decision in effects.decisions {
            self.tell(decision);
        }
        for effect in effects.run {
            if effect.kind.waits_for_store() && !self.backlog.is_empty() {
                self.waiting.push(effect);
            } else {
                self.spawn(effect);
            }
        }
        if !self.status.is_closed() {
            self.status.send_replace(Arc::new(self.rollout.clone()));
        }
    }

    fn spawn(&mut self, effect: Effect) {
        let (abort, registration) = AbortHandle::new_pair();
        if let Some(earlier) = self.aborts.insert(effect.id.clone(), abort) {
            earlier.abort();
        }
        let (ports, plan, fence) = (self.ports.clone(), self.rollout.shared_plan(), self.lease.fence);
        let attempt = async move {
            let id = effect.id.clone();
            (id, act::act(&ports, &plan, fence, effect).await)
        };
        self.running.push(Abortable::new(attempt, registration).map(Result::ok).boxed());
    }
}

/// The lease belongs to one rollout in one process: the same process that starts a second rollout of a record is refused like
/// any other.
async fn acquire(
    ports: &Ports,
    options: &Options,
    record: &RecordName,
    id: &RolloutId,
) -> Result<Lease, JournalError> {
    let holder = alloc::format!("{}/{id}", options.holder);
    ports.journal.acquire(record, &holder, options.lease_ttl).await
}

async fn release(ports: &Ports, lease: &Lease) {
    if let Err(error) = ports.journal.release(lease).await {
        // It runs out by itself.
        tracing::warn!(record = %lease.record, %error, "lease not released");
    }
}
