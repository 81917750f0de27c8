//! What a person writes: stages, gates, triggers and alerts. [`Policy::compile`] turns it into a [`Plan`](crate::plan::Plan).

mod approval;
mod builder;
mod matrix;
mod preset;
mod quantity;
mod rule;
#[cfg(feature = "text")]
mod text;

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

pub use approval::Approval;
pub use builder::{
    PolicyBuilder, StageBuilder, baseline, comparison, consecutive, critical, m_of_n, no_trend, period,
    periods, rate, ratio, stage, sum,
};
pub use matrix::{IssueKind, ManualReason, Risk, RollbackMethod, WayBack};
pub use preset::mpac;
pub(crate) use quantity::percent;
pub use quantity::{Comparison, Condition, InvalidQuantity, Quantity, Span};
pub use rule::{
    Alert, BaselineRule, ComparisonRule, ConsecutiveRule, CriticalRule, Gate, GateRule, MOfNRule,
    PeriodsRule, RatioRule, TrendRule, Trigger, WatchRule, WindowedComparisonRule, WindowedTrendRule,
    WithoutValue,
};
#[cfg(feature = "text")]
pub use text::PolicyTextError;

use crate::metric::Metric;
use crate::units::Weights;

/// How a release is rolled out and when it is taken back. Everything in it is data; the preset is [`mpac`].
///
/// ```
/// use mpac_deploy_core::policy::{mpac, Policy};
///
/// let policy: Policy = mpac();
/// assert_eq!(policy.stages.len(), 3);
/// assert_eq!(policy.stages[0].weights.green(), 5);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// A name for reports.
    pub name: String,
    /// The traffic stages, with a rising share for green; the last one gives green everything.
    pub stages: Vec<Stage>,
    /// What rolls back at once, in the order in which they are named when several fire.
    #[serde(default)]
    pub triggers: Vec<Trigger>,
    /// What only notifies.
    #[serde(default)]
    pub alerts: Vec<Alert>,
    /// Where evidence comes from, and when it is complete.
    #[serde(default)]
    pub evidence: EvidencePolicy,
    /// What happens when evidence stays away.
    #[serde(default)]
    pub blindness: BlindnessPolicy,
    /// What happens when green's traffic vanishes.
    #[serde(default)]
    pub traffic_loss: TrafficLossPolicy,
    /// How critical services are probed.
    #[serde(default)]
    pub probes: ProbePolicy,
    /// When blue is retired.
    #[serde(default)]
    pub decommission: DecommissionPolicy,
    /// How long each effect may take, and how often it is tried.
    #[serde(default)]
    pub effects: EffectPolicy,
}

/// One step of the traffic shift (strategy, phase 2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// A name for decisions: `canary`, `half`, `full`.
    pub name: String,
    /// The weights of this stage.
    pub weights: Weights,
    /// How many minutes of evidence the gates rest on, in whole minutes.
    pub bake: Span,
    /// Whether a person must approve before its weights are put into effect.
    #[serde(default, skip_serializing_if = "Approval::is_not_required")]
    pub approval: Approval,
    /// After how many bakes without a pass the stage is rolled back.
    #[serde(default = "preset::deadline_in_bakes")]
    pub deadline_in_bakes: u32,
    /// What must hold for a promotion.
    #[serde(default)]
    pub gates: Vec<Gate>,
}

/// Where evidence comes from, and when it is complete (semantics 1.2 and 2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct EvidencePolicy {
    /// How long after its end a period is evaluated; 60 s for CloudWatch, 0 in a recorded replay.
    pub settle: Span,
    /// The counts that are published only when they are not zero.
    pub sparse: Vec<Metric>,
}

impl Default for EvidencePolicy {
    fn default() -> Self {
        Self { settle: preset::SETTLE, sparse: vec![Metric::Errors, Metric::Http5xx] }
    }
}

/// Rule `blind` (semantics 3.7), in periods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct BlindnessPolicy {
    /// Promotion is held while this many latest periods are all blind.
    pub hold_after: u32,
    /// So many blind periods of the latest [`rollback_of`](Self::rollback_of) roll back.
    pub rollback_after: u32,
    /// The periods among which blind ones are counted, at most 64.
    pub rollback_of: u32,
}

impl Default for BlindnessPolicy {
    fn default() -> Self {
        preset::BLINDNESS
    }
}

/// Rule `no-traffic` (semantics 3.8), in periods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct TrafficLossPolicy {
    /// So many periods without a request in a row alert.
    pub alert_after: u32,
    /// So many periods without a request in a row roll back.
    pub rollback_after: u32,
}

impl Default for TrafficLossPolicy {
    fn default() -> Self {
        preset::TRAFFIC_LOSS
    }
}

/// How critical services are probed (semantics 3.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ProbePolicy {
    /// So many failures in a row fire the trigger.
    pub failures: u32,
    /// The time from one probe to the next.
    pub interval: Span,
}

impl Default for ProbePolicy {
    fn default() -> Self {
        preset::PROBES
    }
}

/// When blue is retired (strategy, phase 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct DecommissionPolicy {
    /// The least time from the cutover to 100 % until blue is retired.
    pub wait: Span,
    /// Whether a person must approve before it is retired. There is no limit in time: green serves everything by then, and the
    /// rollout waits.
    #[serde(skip_serializing_if = "Approval::is_not_required")]
    pub approval: Approval,
}

impl Default for DecommissionPolicy {
    fn default() -> Self {
        preset::DECOMMISSION
    }
}

/// How long each effect may take, and how often it is tried before the rollout gives up and rolls back. A rollback itself
/// has no limit (semantics 5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct EffectPolicy {
    /// The time-out of one attempt at anything but provisioning and checks; a probe has until the next one at most.
    pub timeout: Span,
    /// The time-out of one attempt at a pre-production check.
    pub check_timeout: Span,
    /// Attempts before an effect counts as failed.
    pub attempts: u32,
    /// The pause before the second attempt; it doubles with each further one.
    pub backoff: Span,
    /// The longest pause between two attempts.
    pub backoff_limit: Span,
    /// The time from one look at an environment's health or at a pending change to the next.
    pub poll: Span,
    /// The time that green may take from its start until all of it is healthy.
    pub provision_deadline: Span,
    /// The time after a confirmed change until resolvers have let go of the old answer: the record's TTL.
    pub ttl: Span,
}

impl Default for EffectPolicy {
    fn default() -> Self {
        preset::EFFECTS
    }
}

/// A policy that cannot be safe, or a release that it cannot be applied to: what is wrong, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct PolicyError {
    /// The place, such as `stages[1].gates[0].rule`.
    pub path: String,
    /// What is wrong there and what to write instead.
    pub problem: String,
}
