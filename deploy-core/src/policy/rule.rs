//! The rules of a policy: triggers and alerts watch period by period, gates look at the window of a stage (semantics 3).

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::quantity::{Condition, Quantity};
use crate::metric::{Metric, Signal};

/// Rolls back at once when it fires, whatever the stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// The id that decisions name; unique among the triggers.
    pub id: String,
    /// When it fires.
    pub rule: WatchRule,
}

/// Notifies once when it starts to hold and once when it clears; changes nothing else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Alert {
    /// The id that decisions name; unique among the alerts.
    pub id: String,
    /// When it holds.
    pub rule: WatchRule,
}

/// Must hold for its stage to be promoted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// The id without the stage, unique in its stage; decisions name it as `canary.error-rate`.
    pub id: String,
    /// What must hold.
    pub rule: GateRule,
}

/// A rule that is evaluated at every period, on green.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum WatchRule {
    /// The n latest values all breach (semantics 3.3).
    Consecutive(ConsecutiveRule),
    /// One period's value breaches (semantics 3.4).
    Period(Condition),
    /// m of the n latest periods breach.
    MOfN(MOfNRule),
    /// A rate over a sliding window of periods breaches.
    Ratio(RatioRule),
    /// The value rises steadily over a sliding window of periods.
    Trend(WindowedTrendRule),
    /// Green is worse than blue over a sliding window of periods.
    Comparison(WindowedComparisonRule),
    /// A critical service does not answer (semantics 3.6).
    Critical(CriticalRule),
}

/// The n latest values all breach.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ConsecutiveRule {
    /// The breach.
    pub when: Condition,
    /// How many values in a row, at least 1.
    pub periods: u32,
    /// What a period without a value means for the run.
    #[serde(default)]
    pub without_value: WithoutValue,
}

/// What a period without a value means for a run of breaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum WithoutValue {
    /// It neither extends nor resets the run; as many of them in a row as the run needs end it.
    #[default]
    Skip,
    /// It ends the run.
    Reset,
    /// It counts as a breach.
    Breach,
}

/// m of the n latest periods breach; a period without a value is no breach.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MOfNRule {
    /// The breach.
    pub when: Condition,
    /// How many breaching periods fire, at least 1.
    pub m: u32,
    /// Among how many periods, at most 64.
    pub n: u32,
}

/// A rate over a sliding window breaches, once the window is full.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RatioRule {
    /// The breach; the signal must be a rate.
    pub when: Condition,
    /// The window in periods.
    pub window: u32,
}

/// A steady rise: the least-squares line through the values rises by more than `rise` over the window and explains at
/// least `fit` of their variance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TrendRule {
    /// The metric that must not rise.
    pub signal: Signal,
    /// The rise over the window, in the signal's unit.
    pub rise: Quantity,
    /// The share of the variance that the line must explain (r squared).
    pub fit: Quantity,
}

/// [`TrendRule`] over a sliding window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct WindowedTrendRule {
    /// What counts as a rise.
    pub of: TrendRule,
    /// The window in periods.
    pub window: u32,
}

/// Green against blue: errors by the exact conditional test of two rates, the 95th percentile minute by minute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ComparisonRule {
    /// Green is worse when its surplus of errors would come by luck with a chance below this.
    pub significance: Quantity,
    /// Green is slower when its latency is above this many times blue's, as a percentage (130 %) …
    pub latency_ratio: Quantity,
    /// … and above blue's by more than this.
    pub latency_surplus: Quantity,
}

/// [`ComparisonRule`] over a sliding window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct WindowedComparisonRule {
    /// What counts as worse.
    pub of: ComparisonRule,
    /// The window in periods.
    pub window: u32,
}

/// Services without which green cannot serve. As a metric one period with the value 0 fires; as a probe a number of
/// failures in a row ([`ProbePolicy`](super::ProbePolicy)).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CriticalRule {
    /// The names of the services' metrics or probes, each ending in `_up`.
    pub services: Vec<Metric>,
}

/// A rule over the window of a stage: its latest `bake` counted periods (semantics 4).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum GateRule {
    /// A rate over the window, from the sums of its two counts.
    Rate(Condition),
    /// A sum over the window.
    Sum(Condition),
    /// Each period by itself, with a share of them that must hold.
    Periods(PeriodsRule),
    /// Green not worse than blue.
    Comparison(ComparisonRule),
    /// No steady rise.
    NoTrend(TrendRule),
    /// A ratio that stays near blue's before the stage.
    Baseline(BaselineRule),
}

/// A share of the window's periods must hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PeriodsRule {
    /// What must hold in a period.
    pub hold: Condition,
    /// In which share of the periods, rounded up.
    pub share: Quantity,
}

/// Green's ratio over the window against blue's over all periods before the stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BaselineRule {
    /// The ratio, such as `transactions / requests`.
    pub signal: Signal,
    /// The least share of blue's ratio.
    pub at_least: Quantity,
}
