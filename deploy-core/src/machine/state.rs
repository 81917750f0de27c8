//! The state of a rollout: one struct per phase, times only where they mean something.

use alloc::string::String;
use core::fmt;

use serde::{Deserialize, Serialize};

use super::event::ApprovalGate;
use crate::effect::{Effect, Health};
use crate::ids::{EffectId, FlagName};
use crate::metric::Side;
use crate::policy::IssueKind;
use crate::time::Timestamp;

/// Where a rollout stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Phase {
    /// Green is started and checked; no traffic moves.
    Preparing(Preparing),
    /// The weights of a stage are being put into effect.
    Shifting(Shifting),
    /// A stage's weights are in effect, and evidence is gathered.
    Baking(Baking),
    /// The last stage has passed; blue still runs.
    Decommissioning(Decommissioning),
    /// Blue is retired; the schema is contracted.
    Contracting(Contracting),
    /// Traffic is being taken back to blue.
    RollingBack(RollingBack),
    /// Nothing more happens by itself.
    Finished(Outcome),
}

/// The steps of the preparation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Preparing {
    /// The weights before anything is done are read.
    Reading,
    /// The schema is being expanded.
    Migrating {
        /// The place of the step.
        step: usize,
        /// Whether the step was applied, and its version is read.
        is_applied: bool,
    },
    /// A step could not be applied: those before it are undone, the latest first.
    Unmigrating {
        /// The place of the step that is being undone.
        step: usize,
        /// What could not be done, and what was left.
        why: String,
    },
    /// Green is being started.
    Provisioning {
        /// Until when all of it must be healthy.
        deadline: Timestamp,
    },
    /// Green runs and becomes healthy.
    AwaitingHealth {
        /// Until when all of it must be healthy.
        deadline: Timestamp,
        /// When to look again, unless a look is under way.
        next_look: Timestamp,
        /// What was still missing at the latest look.
        detail: String,
    },
    /// The pre-production checks run, one after the other.
    Checking {
        /// The place of the running check in the release's list.
        check: usize,
    },
}

/// A stage's weights on their way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shifting {
    /// The stage whose weights are put into effect.
    pub stage: usize,
    /// How far it is.
    pub step: ShiftStep,
}

/// The steps of a shift.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ShiftStep {
    /// The rollout is paused before the change.
    Waiting,
    /// A person must approve of the change.
    AwaitingApproval {
        /// When it is too late, unless the rollout is paused.
        deadline: Option<Timestamp>,
    },
    /// The weights are read: has somebody else changed them?
    ReadingBefore,
    /// Green must be known healthy before it gets more weight.
    CheckingGreen {
        /// When to look again, unless a look is under way.
        next_look: Timestamp,
        /// Looks that did not find it healthy.
        looks: u32,
    },
    /// The change is made.
    Setting,
    /// The change spreads to every name server.
    Confirming {
        /// The effect that made the change.
        change: EffectId,
        /// When to ask again, unless a question is under way.
        next_look: Timestamp,
        /// Until when the change must be confirmed.
        deadline: Timestamp,
    },
    /// The weights are read back.
    ReadingBack,
    /// Resolvers let go of the old answer.
    Settling {
        /// When the record's TTL has passed.
        until: Timestamp,
    },
}

/// A stage that bakes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baking {
    /// The stage.
    pub stage: usize,
    /// When its weights took effect.
    pub effective: Timestamp,
}

/// The last stage has passed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Decommissioning {
    /// Blue still runs, in case it is needed.
    Waiting {
        /// The earliest time to retire it.
        until: Timestamp,
    },
    /// A person must approve that blue is retired.
    AwaitingApproval,
    /// The weights are read: does anything still go to blue?
    VerifyingWeights,
    /// Green is looked at: can it do without blue?
    VerifyingGreen,
    /// Blue is being retired.
    Retiring,
}

/// Blue is retired, and the schema waits for its second phase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Contracting {
    /// A rollback to blue is still possible.
    Waiting {
        /// The earliest time to contract.
        until: Timestamp,
    },
    /// The weights are read: does green still serve everything?
    VerifyingWeights,
    /// A step is being applied.
    Applying {
        /// The place of the step.
        step: usize,
    },
    /// Its version is read from the database.
    Verifying {
        /// The place of the step.
        step: usize,
    },
    /// A step could not be done: a person must decide.
    Held {
        /// The place of the step.
        step: usize,
        /// What could not be done.
        why: String,
    },
}

/// Traffic on its way back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RollingBack {
    /// Why.
    pub cause: Cause,
    /// The stage in which it began.
    pub stage: usize,
    /// How far it is.
    pub step: RollbackStep,
}

/// The steps of a rollback.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum RollbackStep {
    /// Blue is known to be unhealthy: a person must decide.
    HeldByBlue {
        /// When to look at blue again, unless a look is under way.
        next_look: Timestamp,
    },
    /// Blue, which was retired, is started again.
    Reviving,
    /// Blue becomes healthy.
    AwaitingBlue {
        /// When to look again, unless a look is under way.
        next_look: Timestamp,
        /// Whether people were told that it is unhealthy.
        is_told: bool,
    },
    /// The change is made.
    Setting,
    /// The change spreads to every name server.
    Confirming {
        /// The effect that made the change.
        change: EffectId,
        /// When to ask again, unless a question is under way.
        next_look: Timestamp,
    },
    /// The weights are read back.
    ReadingBack,
    /// Resolvers let go of the old answer.
    Settling {
        /// When the record's TTL has passed.
        until: Timestamp,
    },
    /// The weights are read a last time: nothing has overtaken the rollback.
    Verifying,
    /// Blue serves everything; green is being stopped, before the migrations are undone.
    StoppingGreen,
    /// The database is asked for data in the new columns of a step.
    FindingWritten {
        /// The place of the step.
        step: usize,
    },
    /// The schema is as it should be, and the weights are read once more.
    VerifyingAgain,
    /// A migration is not undone by itself: a person must decide.
    HeldBySchema {
        /// The place of the step.
        step: usize,
        /// What speaks against it.
        why: String,
    },
    /// A step is being undone.
    Undoing {
        /// The place of the step.
        step: usize,
    },
    /// Its version is read from the database.
    VerifyingSchema {
        /// The place of the step.
        step: usize,
    },
}

/// Why a rollout is taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// A rule, by its id.
    Rule(String),
    /// A person.
    Person {
        /// Who.
        by: String,
        /// What went wrong.
        issue: IssueKind,
    },
    /// An effect that could not be done.
    Effect(String),
}

/// How a rollout ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Green serves everything and blue is retired.
    Completed,
    /// Blue serves everything again.
    RolledBack {
        /// Why.
        cause: Cause,
    },
    /// It ended before any traffic moved.
    Abandoned {
        /// Why.
        cause: Cause,
    },
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Completed => "completed",
            Self::RolledBack { .. } => "rolled back",
            Self::Abandoned { .. } => "abandoned before any traffic moved",
        })
    }
}

/// Whether a person, or a drift of the weights, has stopped the way towards green.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Control {
    /// The rollout moves on by itself.
    Running,
    /// Nothing moves towards green.
    Paused {
        /// Who paused it.
        by: String,
        /// Why.
        why: String,
    },
}

/// An approval that a person gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approved {
    /// Of which step.
    pub gate: ApprovalGate,
    /// Who gave it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// A feature that is switched off in place of a rollback.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SwitchingOff {
    /// The flags that are not known to be off yet.
    pub(super) left: alloc::vec::Vec<FlagName>,
    /// Looks at which one of them was still on.
    pub(super) still_on: u32,
    /// Who wants it.
    pub(super) by: String,
    /// Why.
    pub(super) why: String,
}

/// What is known of a side's health.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KnownHealth {
    /// Nothing recent.
    Unknown,
    /// The latest look's answer.
    Known(Health),
}

impl KnownHealth {
    /// Known to be healthy.
    #[must_use]
    pub const fn is_healthy(&self) -> bool {
        matches!(self, Self::Known(Health::Healthy))
    }

    /// Known to be unhealthy: what is wrong. A side that is only starting is not.
    #[must_use]
    pub fn what_is_wrong(&self) -> Option<&str> {
        match self {
            Self::Known(Health::Unhealthy { detail } | Health::Failed { detail }) => Some(detail),
            Self::Known(Health::Healthy | Health::Starting { .. }) | Self::Unknown => None,
        }
    }
}

/// What is known of both sides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Sides {
    pub(super) blue: KnownHealth,
    pub(super) green: KnownHealth,
}

impl Sides {
    pub(super) const fn of(&mut self, side: Side) -> &mut KnownHealth {
        match side {
            Side::Blue => &mut self.blue,
            Side::Green => &mut self.green,
        }
    }
}

/// An effect without an outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Outstanding {
    pub(super) effect: Effect,
    pub(super) wait: Wait,
}

/// What an outstanding effect waits for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Wait {
    /// Its outcome, until the time-out.
    Outcome { until: Timestamp },
    /// Its next attempt.
    Attempt { at: Timestamp },
}
