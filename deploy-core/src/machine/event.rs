//! What can happen to a rollout.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::effect::{Answer, Failure};
use crate::ids::{CommandId, EffectId};
use crate::policy::IssueKind;

/// Something that happened. Events are what the journal stores; the state is their fold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// The time of [`Rollout::deadline`](super::Rollout::deadline) has come.
    Tick,
    /// A controller goes on with the rollout after nobody did: what was under way is begun anew, and its time with it.
    Resumed,
    /// An effect could not be started yet, since the decision for it is not on stable storage: its time begins anew.
    NotStarted {
        /// Which effect.
        effect: EffectId,
    },
    /// An effect came to something.
    Outcome {
        /// Which effect.
        effect: EffectId,
        /// What it came to.
        result: Result<Answer, Failure>,
    },
    /// A person wants something.
    Command(Command),
    /// A person wants something, said from another process: it may arrive more than once, and is obeyed once.
    Posted {
        /// Which command it is.
        id: CommandId,
        /// What is wanted.
        command: Command,
    },
}

/// What a person wants, who it is, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// What is wanted.
    pub kind: CommandKind,
    /// Who wants it.
    pub by: String,
    /// Why. Only an approval that is not forced needs none.
    pub why: String,
}

/// What a person can want.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CommandKind {
    /// Nothing new moves towards green until it is resumed: a change that was issued is finished, and triggers go on.
    Pause,
    /// Undoes a pause.
    Resume,
    /// Skips the rest of the running bake.
    Promote {
        /// Also while an alert holds or a trigger cannot see.
        force: bool,
    },
    /// Lets a step that waits for a person be made.
    Approve {
        /// Which step: an approval of one is never taken for one of another.
        gate: ApprovalGate,
        /// Also while an alert holds or a trigger cannot see.
        force: bool,
    },
    /// Takes the rollout back.
    Abort {
        /// What went wrong, for the decision matrix.
        issue: IssueKind,
        /// Also onto a blue that is known to be unhealthy.
        force: bool,
    },
}

/// A step that may wait for a person's approval, if the policy says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ApprovalGate {
    /// The weights of a stage, counted from 0.
    Stage(usize),
    /// The retirement of blue.
    Decommission,
}

/// An event that changes nothing: the state is as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejected {
    /// The outcome of an effect that nobody waits for: it was late or came twice.
    #[error("nobody waits for the outcome of effect {0}: it came late or twice")]
    UnknownEffect(EffectId),
    /// The outcome does not fit the effect.
    #[error("effect {0} cannot come to such an answer")]
    UnfitAnswer(EffectId),
    /// A posted command that was obeyed before.
    #[error("the command {0} was obeyed before")]
    AlreadyObeyed(CommandId),
    /// A command without a name, or without a reason where one is needed.
    #[error("say who you are and why: both are recorded")]
    Anonymous,
    /// The rollout is over.
    #[error("too late: the rollout is over ({0})")]
    Finished(String),
    /// A rollback has begun.
    #[error("too late: the rollout is being rolled back")]
    RollingBack,
    /// Blue's code does not fit the schema any more.
    #[error("no way back to blue: {0}")]
    NoWayBack(String),
    /// There is nothing to resume.
    #[error("the rollout is not paused")]
    NotPaused,
    /// It is paused already.
    #[error("the rollout is paused already, by {0}")]
    AlreadyPaused(String),
    /// No stage is baking.
    #[error("there is no bake to skip: {0}")]
    NotBaking(String),
    /// No approval is waited for, or that of another step.
    #[error("there is nothing to approve: {0}")]
    NotAwaited(String),
    /// The step was approved before.
    #[error("{what} was approved already, by {by}")]
    AlreadyApproved {
        /// Of what.
        what: String,
        /// By whom.
        by: String,
    },
    /// Promoting or approving now is risky.
    #[error("{0}: force it if that is what you want")]
    NeedsForce(String),
}
