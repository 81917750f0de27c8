//! What can be wrong with a rule, by its meaning.

use std::time::Duration;

use mpac_deploy_core::effect::ObservedWeights;
use mpac_deploy_core::ids::{EffectId, FencingToken, RecordName};
use mpac_deploy_core::port::PortError;

use crate::CallError;
use crate::memory::Overtaken;

/// An error of the adapter for listener rules. As a [`PortError`] it keeps its meaning and its text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AlbError {
    /// The rule is not such that its weights could be moved.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// A call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The adapter is for another record.
    #[error("this adapter moves the weights of {ours}, not of {asked}")]
    OtherRecord {
        /// The record of the adapter.
        ours: RecordName,
        /// The one that was asked for.
        asked: RecordName,
    },
    /// A later holder of the lease has acted already.
    #[error("the fencing token {fence} is older than {seen}: somebody else acts on the rule now")]
    Fenced {
        /// The token of this call.
        fence: FencingToken,
        /// The latest one.
        seen: FencingToken,
    },
    /// No such change was made.
    #[error("no change was made by effect {0}")]
    UnknownChange(EffectId),
}

/// How the rule differs from one with blue and green.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// There is no such rule.
    #[error("there is no rule {rule}: create it, or name the right one")]
    Missing {
        /// The rule.
        rule: String,
    },
    /// It is the last resort of its listener.
    #[error(
        "{rule} is the default rule of its listener, whose action belongs to the listener itself: put a rule for the path `/*` before it and name that one"
    )]
    Default {
        /// The rule.
        rule: String,
    },
    /// It does not forward.
    #[error("{rule} does not forward to target groups (it has: {actions}): there is no weight to move")]
    NoForward {
        /// The rule.
        rule: String,
        /// What it does instead.
        actions: String,
    },
    /// The configuration names one group twice.
    #[error("blue and green are the same target group, {group}: give each its own")]
    OneGroup {
        /// The group.
        group: String,
    },
    /// One of the two is not there.
    #[error("{rule} does not forward to the target group {group} (it forwards to: {found})")]
    MissingGroup {
        /// The rule.
        rule: String,
        /// The group.
        group: String,
        /// What there is in its place.
        found: String,
    },
    /// Another group answers a share of the requests past the two weights.
    #[error(
        "{rule} forwards to a group besides blue and green, {third}: it answers a share of the requests, whatever the weights are"
    )]
    Third {
        /// The rule.
        rule: String,
        /// The third group.
        third: String,
    },
    /// A group without a weight.
    #[error("{rule} gives the target group {group} no weight")]
    NoWeight {
        /// The rule.
        rule: String,
        /// The group.
        group: String,
    },
    /// A weight that a rollout does not have.
    #[error(
        "{rule} gives the target group {group} the weight {weight}: a rollout has weights from 0 to 255, the same numbers here as in Route 53; begin with blue at 100 and green at 0"
    )]
    Weight {
        /// The rule.
        rule: String,
        /// The group.
        group: String,
        /// The weight.
        weight: i32,
    },
    /// Clients stay where they are, whatever the weights become.
    #[error(
        "{rule} keeps each client at the target group that it came to first, for {} s: a change of the weights moves new clients only, and a rollback leaves the others with green for as long; switch the group stickiness of the rule off, or make it no longer than {} s",
        .sticky.as_secs(), .limit.as_secs()
    )]
    Sticky {
        /// The rule.
        rule: String,
        /// For how long.
        sticky: Duration,
        /// For how long it may.
        limit: Duration,
    },
    /// The outcome of an attempt was unknown, and by now somebody else has set other weights.
    #[error(
        "somebody else has set the weights of {rule} to {found}: they were {before}, and were to become {wanted}"
    )]
    SomebodyElse {
        /// The rule.
        rule: String,
        /// The weights before the first attempt.
        before: ObservedWeights,
        /// The weights that were asked for.
        wanted: ObservedWeights,
        /// The weights now.
        found: ObservedWeights,
    },
}

impl AlbError {
    /// Whether nothing can have been done.
    #[must_use]
    pub const fn did_nothing(&self) -> bool {
        match self {
            Self::Call(error) => error.did_nothing(),
            Self::Rule(_) | Self::OtherRecord { .. } | Self::Fenced { .. } | Self::UnknownChange(_) => true,
        }
    }
}

impl From<Overtaken> for AlbError {
    fn from(Overtaken { fence, seen }: Overtaken) -> Self {
        Self::Fenced { fence, seen }
    }
}

impl From<AlbError> for PortError {
    fn from(error: AlbError) -> Self {
        let text = error.to_string();
        match error {
            AlbError::Call(error) => error.into(),
            AlbError::Rule(RuleError::Missing { .. } | RuleError::MissingGroup { .. })
            | AlbError::OtherRecord { .. }
            | AlbError::UnknownChange(_) => Self::NotFound(text),
            AlbError::Rule(
                RuleError::Default { .. }
                | RuleError::NoForward { .. }
                | RuleError::OneGroup { .. }
                | RuleError::Third { .. }
                | RuleError::NoWeight { .. }
                | RuleError::Weight { .. }
                | RuleError::Sticky { .. }
                | RuleError::SomebodyElse { .. },
            )
            | AlbError::Fenced { .. } => Self::Refused(text),
        }
    }
}
