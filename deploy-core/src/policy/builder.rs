//! A policy written in Rust: short words for rules, and a builder that puts them together.

use alloc::string::String;
use alloc::vec::Vec;

use super::quantity::{Comparison, Condition, Quantity, Span};
use super::rule::{
    Alert, BaselineRule, ComparisonRule, ConsecutiveRule, CriticalRule, Gate, GateRule, MOfNRule,
    PeriodsRule, RatioRule, TrendRule, Trigger, WatchRule, WithoutValue,
};
use super::{
    Approval, BlindnessPolicy, DecommissionPolicy, EffectPolicy, EvidencePolicy, Policy, ProbePolicy, Stage,
    TrafficLossPolicy, preset,
};
use crate::metric::{Metric, Signal};
use crate::units::Weights;

impl Signal {
    /// Holds above the limit, not at it.
    #[must_use]
    pub const fn above(self, limit: Quantity) -> Condition {
        Condition { signal: self, comparison: Comparison::Above, limit }
    }

    /// Holds below the limit, not at it.
    #[must_use]
    pub const fn below(self, limit: Quantity) -> Condition {
        Condition { signal: self, comparison: Comparison::Below, limit }
    }

    /// Holds at exactly this value.
    #[must_use]
    pub const fn equal(self, limit: Quantity) -> Condition {
        Condition { signal: self, comparison: Comparison::Equal, limit }
    }
}

/// Builds a [`Policy`]. Whether it is safe is checked when it is compiled.
///
/// ```
/// use mpac_deploy_core::metric::{Metric, Signal};
/// use mpac_deploy_core::policy::{PolicyBuilder, Quantity, Span, WatchRule, period, rate, stage};
///
/// let errors = || Signal::Rate { part: Metric::Errors, whole: Metric::Requests };
/// let policy = PolicyBuilder::new("two steps")
///     .trigger("error-rate", period(errors().above(Quantity::Share(0.05))))
///     .stage(stage("canary", 90, 10, Span::minutes(10)).gate("error-rate", rate(errors().below(Quantity::Share(0.01)))))
///     .stage(stage("full", 0, 100, Span::minutes(30)).gate("error-rate", rate(errors().below(Quantity::Share(0.01)))))
///     .build();
/// assert_eq!(policy.stages.len(), 2);
/// ```
#[derive(Clone, Debug)]
pub struct PolicyBuilder {
    policy: Policy,
}

impl PolicyBuilder {
    /// An empty policy with our defaults for everything but stages, triggers and alerts.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            policy: Policy {
                name: name.into(),
                stages: Vec::new(),
                triggers: Vec::new(),
                alerts: Vec::new(),
                evidence: EvidencePolicy::default(),
                blindness: BlindnessPolicy::default(),
                traffic_loss: TrafficLossPolicy::default(),
                probes: ProbePolicy::default(),
                decommission: DecommissionPolicy::default(),
                effects: EffectPolicy::default(),
            },
        }
    }

    /// Adds a stage after those that are there.
    #[must_use]
    pub fn stage(mut self, stage: impl Into<Stage>) -> Self {
        self.policy.stages.push(stage.into());
        self
    }

    /// Adds a trigger after those that are there.
    #[must_use]
    pub fn trigger(mut self, id: impl Into<String>, rule: WatchRule) -> Self {
        self.policy.triggers.push(Trigger { id: id.into(), rule });
        self
    }

    /// Adds an alert after those that are there.
    #[must_use]
    pub fn alert(mut self, id: impl Into<String>, rule: WatchRule) -> Self {
        self.policy.alerts.push(Alert { id: id.into(), rule });
        self
    }

    /// Where evidence comes from, and when it is complete.
    #[must_use]
    pub fn evidence(mut self, evidence: EvidencePolicy) -> Self {
        self.policy.evidence = evidence;
        self
    }

    /// When blue is retired.
    #[must_use]
    pub fn decommission(mut self, decommission: DecommissionPolicy) -> Self {
        self.policy.decommission = decommission;
        self
    }

    /// How long each effect may take.
    #[must_use]
    pub fn effects(mut self, effects: EffectPolicy) -> Self {
        self.policy.effects = effects;
        self
    }

    /// The policy.
    #[must_use]
    pub fn build(self) -> Policy {
        self.policy
    }
}

/// A stage of a policy in the making.
#[derive(Clone, Debug)]
pub struct StageBuilder {
    stage: Stage,
}

/// A stage with blue's and green's weights, 0 to 255 each. Two zeros are read as "everything to blue", which no policy accepts
/// as a stage.
#[must_use]
pub fn stage(name: impl Into<String>, blue: u8, green: u8, bake: Span) -> StageBuilder {
    let weights = Weights::new(blue, green).unwrap_or(Weights::ALL_BLUE);
    let deadline_in_bakes = preset::deadline_in_bakes();
    let (name, approval) = (name.into(), Approval::NotRequired);
    StageBuilder { stage: Stage { name, weights, bake, approval, deadline_in_bakes, gates: Vec::new() } }
}

impl StageBuilder {
    /// Adds a gate after those that are there.
    #[must_use]
    pub fn gate(mut self, id: impl Into<String>, rule: GateRule) -> Self {
        self.stage.gates.push(Gate { id: id.into(), rule });
        self
    }

    /// Whether a person must approve before its weights are put into effect.
    #[must_use]
    pub const fn approval(mut self, approval: Approval) -> Self {
        self.stage.approval = approval;
        self
    }

    /// After how many bakes without a pass the stage is rolled back.
    #[must_use]
    pub fn deadline_in_bakes(mut self, bakes: u32) -> Self {
        self.stage.deadline_in_bakes = bakes;
        self
    }
}

impl From<StageBuilder> for Stage {
    fn from(builder: StageBuilder) -> Self {
        builder.stage
    }
}

/// Fires when the `periods` latest values all breach.
#[must_use]
pub const fn consecutive(when: Condition, periods: u32) -> WatchRule {
    WatchRule::Consecutive(ConsecutiveRule { when, periods, without_value: WithoutValue::Skip })
}

/// Fires when one period's value breaches.
#[must_use]
pub const fn period(when: Condition) -> WatchRule {
    WatchRule::Period(when)
}

/// Fires when `m` of the `n` latest periods breach.
#[must_use]
pub const fn m_of_n(when: Condition, m: u32, n: u32) -> WatchRule {
    WatchRule::MOfN(MOfNRule { when, m, n })
}

/// Fires when a rate over the `window` latest periods breaches.
#[must_use]
pub const fn ratio(when: Condition, window: u32) -> WatchRule {
    WatchRule::Ratio(RatioRule { when, window })
}

/// Fires when one of the services does not answer.
#[must_use]
pub fn critical(services: impl IntoIterator<Item = Metric>) -> WatchRule {
    WatchRule::Critical(CriticalRule { services: services.into_iter().collect() })
}

/// Holds when the rate over the window does.
#[must_use]
pub const fn rate(condition: Condition) -> GateRule {
    GateRule::Rate(condition)
}

/// Holds when the sum over the window does.
#[must_use]
pub const fn sum(condition: Condition) -> GateRule {
    GateRule::Sum(condition)
}

/// Holds when a share of the window's periods does.
#[must_use]
pub const fn periods(hold: Condition, share: Quantity) -> GateRule {
    GateRule::Periods(PeriodsRule { hold, share })
}

/// Holds when green is not worse than blue.
#[must_use]
pub const fn comparison(rule: ComparisonRule) -> GateRule {
    GateRule::Comparison(rule)
}

/// Holds when there is no steady rise.
#[must_use]
pub const fn no_trend(rule: TrendRule) -> GateRule {
    GateRule::NoTrend(rule)
}

/// Holds when the ratio stays near blue's.
#[must_use]
pub const fn baseline(signal: Signal, at_least: Quantity) -> GateRule {
    GateRule::Baseline(BaselineRule { signal, at_least })
}
