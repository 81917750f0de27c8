//! The rollout as a sans-IO machine: events in, effects out, time as an argument.
//!
//! ```text
//!   Preparing ──▶ Shifting ──▶ Baking ──▶ … ──▶ Decommissioning ──▶ Contracting ──▶ Finished(Completed)
//!       │            │           │                    │                 │
//!       │            └───────────┴──── RollingBack ◀──┴─────────────────┴── (also from Completed, by a person, until the
//!       │                                  │                                schema is contracted)
//!       ▼                                  │
//!   Finished(Abandoned)                    ▼
//!                                    Finished(RolledBack)
//! ```
//!
//! Every way out of a phase is a function in the file of that phase. A rollback drops every outstanding effect before
//! it issues its own, so nothing towards green is wanted once it has begun (semantics 5.3).

mod approval;
mod bake;
mod command;
mod contract;
mod decommission;
mod event;
mod expand;
mod flags;
#[cfg(feature = "json")]
mod frozen;
mod monitor;
mod outcome;
mod outstanding;
mod prepare;
mod rollback;
mod schema_rollback;
mod share;
mod shift;
mod state;

use alloc::sync::Arc;
use alloc::vec::Vec;

pub(crate) use approval::APPROVAL_RULE;
pub use event::{ApprovalGate, Command, CommandKind, Event, Rejected};
#[cfg(feature = "json")]
pub(crate) use frozen::Frozen;
pub use state::{
    Approved, Baking, Cause, Contracting, Control, Decommissioning, KnownHealth, Outcome, Phase, Preparing,
    RollbackStep, RollingBack, ShiftStep, Shifting,
};

use crate::analysis::Judge;
use crate::decision::{Decision, DecisionKind};
use crate::effect::{Effect, EffectKind, Effects};
use crate::ids::{CommandId, RolloutId};
use crate::metric::Side;
use crate::migration::SchemaFit;
use crate::plan::Plan;
use crate::time::Timestamp;
use crate::units::Weights;
use monitor::Monitor;
use share::Share;
pub(crate) use share::TRAFFIC_SHARE;
use state::{Outstanding, Sides, SwitchingOff, Wait};

/// One rollout of one release.
#[derive(Clone, Debug, PartialEq)]
pub struct Rollout {
    id: RolloutId,
    plan: Arc<Plan>,
    /// The latest time seen: time never goes backwards (semantics 1.4).
    now: Timestamp,
    phase: Phase,
    control: Control,
    /// The posted commands that were obeyed.
    obeyed: Vec<CommandId>,
    approvals: Vec<Approved>,
    judge: Judge,
    health: Sides,
    /// What the record shows unless somebody else has changed it.
    expected: Weights,
    /// When the last stage's weights took effect.
    cutover: Option<Timestamp>,
    /// What green really gets.
    share: Share,
    /// What the schema still lets a rollback do.
    schema: SchemaFit,
    /// Flags on their way off.
    switching_off: Option<SwitchingOff>,
    monitor: Monitor,
    outstanding: Vec<Outstanding>,
    effects_issued: u64,
}

impl Rollout {
    /// Begins a rollout. The effects that it starts with are [`outstanding`](Self::outstanding).
    #[must_use]
    pub fn begin(id: RolloutId, plan: Plan, now: Timestamp) -> (Self, Effects) {
        let judge = Judge::new(&plan);
        let monitor = Monitor::new(&plan);
        let mut rollout = Self {
            id,
            judge,
            monitor,
            plan: Arc::new(plan),
            now,
            phase: Phase::Preparing(Preparing::Reading),
            control: Control::Running,
            obeyed: Vec::new(),
            approvals: Vec::new(),
            health: Sides { blue: KnownHealth::Unknown, green: KnownHealth::Unknown },
            expected: Weights::ALL_BLUE,
            cutover: None,
            share: Share::default(),
            schema: SchemaFit::default(),
            switching_off: None,
            outstanding: Vec::new(),
            effects_issued: 0,
        };
        let mut out = Effects::default();
        let release = rollout.plan.release();
        let reason = alloc::format!(
            "{}: {} replaces {} on {}, by the policy `{}`",
            release.service,
            release.green,
            release.blue,
            release.record,
            rollout.plan.policy().name
        );
        out.decisions.push(Decision::plain(DecisionKind::Start, None, now, reason));
        rollout.issue(EffectKind::ReadWeights, &mut out);
        (rollout, out)
    }

    /// Takes an event at a time. A time before the latest one seen is taken as that one (semantics 1.4).
    ///
    /// # Errors
    /// [`Rejected`] when the event changes nothing: a late or repeated outcome, a command that comes too late or lacks a
    /// reason. The state is as it was.
    pub fn handle(&mut self, now: Timestamp, event: Event) -> Result<Effects, Rejected> {
        let now = now.max(self.now);
        let mut out = Effects::default();
        match event {
            Event::Tick => {
                self.now = now;
                self.tick(&mut out);
            }
            Event::Resumed => {
                let away = now.since(self.now);
                self.now = now;
                self.resume_after(away);
            }
            Event::NotStarted { effect } => {
                self.not_started(now, effect)?;
                self.now = now;
            }
            Event::Outcome { effect, result } => {
                let answered = self.take_outcome(now, effect, result)?;
                self.now = now;
                self.settle_outcome(answered, &mut out);
            }
            Event::Command(command) => {
                self.check_command(&command)?;
                self.now = now;
                self.obey(command, &mut out);
            }
            Event::Posted { id, command } => {
                if self.has_obeyed(&id) {
                    return Err(Rejected::AlreadyObeyed(id));
                }
                self.check_command(&command)?;
                self.now = now;
                self.obeyed.push(id);
                self.obey(command, &mut out);
            }
        }
        self.run_monitors(&mut out);
        Ok(out)
    }

    /// When to call [`handle`](Self::handle) with [`Event::Tick`] if nothing else happens before.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        let waits = self.outstanding.iter().map(|outstanding| match outstanding.wait {
            Wait::Outcome { until } => until,
            Wait::Attempt { at } => at,
        });
        waits.chain(self.phase_deadline()).chain(self.monitor_deadline()).min()
    }

    /// The effects that have been issued and have no outcome yet: what to run again after a restart. An effect that is
    /// not among them is no longer wanted, and its attempt can be cancelled.
    pub fn outstanding(&self) -> impl Iterator<Item = &Effect> {
        self.outstanding.iter().filter(|o| matches!(o.wait, Wait::Outcome { .. })).map(|o| &o.effect)
    }

    /// The id.
    #[must_use]
    pub const fn id(&self) -> &RolloutId {
        &self.id
    }

    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The plan, shared.
    #[must_use]
    pub fn shared_plan(&self) -> Arc<Plan> {
        Arc::clone(&self.plan)
    }

    /// Where it stands.
    #[must_use]
    pub const fn phase(&self) -> &Phase {
        &self.phase
    }

    /// Whether it is paused, by whom and why.
    #[must_use]
    pub const fn control(&self) -> &Control {
        &self.control
    }

    /// The judge, with the latest assessment.
    #[must_use]
    pub const fn judge(&self) -> &Judge {
        &self.judge
    }

    /// The latest time that it has seen.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// The weights that the record shows, unless a change is under way or somebody else has changed them.
    #[must_use]
    pub const fn expected_weights(&self) -> Weights {
        self.expected
    }

    /// Whether a posted command was obeyed.
    #[must_use]
    pub fn has_obeyed(&self, id: &CommandId) -> bool {
        self.obeyed.contains(id)
    }

    /// What the schema still lets a rollback do.
    #[must_use]
    pub const fn schema(&self) -> &SchemaFit {
        &self.schema
    }

    /// What is known of a side's health.
    #[must_use]
    pub const fn health(&self, side: Side) -> &KnownHealth {
        match side {
            Side::Blue => &self.health.blue,
            Side::Green => &self.health.green,
        }
    }

    /// The stage that runs or is on its way; the last one while blue is decommissioned.
    #[must_use]
    pub fn stage(&self) -> Option<usize> {
        match &self.phase {
            Phase::Preparing(_) => None,
            Phase::Shifting(shifting) => Some(shifting.stage),
            Phase::Baking(baking) => Some(baking.stage),
            Phase::Decommissioning(_) | Phase::Contracting(_) | Phase::Finished(Outcome::Completed) => {
                Some(self.plan.stage_count() - 1)
            }
            Phase::RollingBack(rolling_back) => Some(rolling_back.stage),
            Phase::Finished(Outcome::RolledBack { .. } | Outcome::Abandoned { .. }) => None,
        }
    }

    /// How it ended, if it has, and nothing is on its way any more.
    #[must_use]
    pub const fn outcome(&self) -> Option<&Outcome> {
        match &self.phase {
            // A feature is switched off after the end.
            Phase::Finished(_) if self.switching_off.is_some() => None,
            Phase::Finished(outcome) => Some(outcome),
            Phase::Preparing(_)
            | Phase::Shifting(_)
            | Phase::Baking(_)
            | Phase::Decommissioning(_)
            | Phase::Contracting(_)
            | Phase::RollingBack(_) => None,
        }
    }

    fn is_paused(&self) -> bool {
        matches!(self.control, Control::Paused { .. })
    }

    fn stage_name(&self) -> Option<&str> {
        self.stage().map(|stage| self.plan.stage_name(stage))
    }

    fn decide(&self, kind: DecisionKind, reason: impl Into<alloc::string::String>, out: &mut Effects) {
        out.decisions.push(Decision::plain(kind, self.stage_name(), self.now, reason));
    }

    fn tick(&mut self, out: &mut Effects) {
        self.expire_outstanding(out);
        match self.phase.clone() {
            Phase::Preparing(preparing) => self.tick_preparing(preparing, out),
            Phase::Shifting(shifting) => self.tick_shifting(shifting, out),
            Phase::Baking(_) | Phase::Finished(_) => {}
            Phase::Decommissioning(decommissioning) => self.tick_decommissioning(&decommissioning, out),
            Phase::Contracting(contracting) => self.tick_contracting(&contracting, out),
            Phase::RollingBack(rolling_back) => self.tick_rolling_back(rolling_back, out),
        }
    }

    fn phase_deadline(&self) -> Option<Timestamp> {
        match &self.phase {
            Phase::Preparing(preparing) => self.preparing_deadline(preparing),
            Phase::Shifting(shifting) => self.shifting_deadline(&shifting.step),
            Phase::Baking(_) | Phase::Finished(_) => None,
            Phase::Decommissioning(decommissioning) => self.decommissioning_deadline(decommissioning),
            Phase::Contracting(contracting) => self.contracting_deadline(contracting),
            Phase::RollingBack(rolling_back) => self.rollback_deadline(&rolling_back.step),
        }
    }
}
