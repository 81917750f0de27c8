//! Rules with every name resolved to the place of its reading.

use alloc::string::String;
use alloc::vec::Vec;

use super::SeriesId;
use crate::analysis::{Evidence, quotient};
use crate::metric::Metric;
use crate::policy::{Condition, WithoutValue};
use crate::units::Weights;

/// A signal with its series resolved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Term {
    Series(SeriesId),
    Rate { part: SeriesId, whole: SeriesId, complement: bool },
}

impl Term {
    /// The evidence for this term in one period.
    pub(crate) fn evidence(self, row: &[Evidence]) -> Evidence {
        match self {
            Self::Series(id) => at(row, id),
            Self::Rate { part, whole, complement } => {
                Evidence::rate(at(row, part), at(row, whole), complement)
            }
        }
    }

    /// The two counts of a rate, where both have a value; a plain series is its own part over 1.
    pub(crate) fn counts(self, row: &[Evidence]) -> Option<[f64; 2]> {
        match self {
            Self::Series(id) => Some([at(row, id).value()?, 1.0]),
            Self::Rate { part, whole, .. } => Some([at(row, part).value()?, at(row, whole).value()?]),
        }
    }

    /// The rate that two summed counts make.
    pub(crate) fn quotient(self, [part, whole]: [f64; 2]) -> f64 {
        match self {
            Self::Series(_) => part,
            Self::Rate { complement, .. } => quotient(part, whole, complement),
        }
    }

    pub(crate) fn series(self) -> impl Iterator<Item = SeriesId> {
        let (first, second) = match self {
            Self::Series(id) => (id, None),
            Self::Rate { part, whole, .. } => (part, Some(whole)),
        };
        core::iter::once(first).chain(second)
    }
}

/// The evidence of a series in a row.
pub(crate) fn at(row: &[Evidence], id: SeriesId) -> Evidence {
    row.get(id.index()).copied().unwrap_or(Evidence::Missing)
}

/// A condition with its series resolved.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Test {
    pub(crate) term: Term,
    pub(crate) condition: Condition,
}

impl Test {
    pub(crate) fn holds(&self, value: f64) -> bool {
        self.condition.comparison.holds(value, self.condition.limit.value())
    }

    pub(crate) const fn limit(&self) -> f64 {
        self.condition.limit.value()
    }
}

/// A trigger or an alert.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Watch {
    pub(crate) id: String,
    pub(crate) kind: WatchKind,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum WatchKind {
    Consecutive { test: Test, periods: u32, without_value: WithoutValue },
    Period(Test),
    MOfN { test: Test, m: u32, n: u32 },
    Ratio { test: Test, window: u32 },
    Trend { term: Term, rise: f64, fit: f64, window: u32 },
    Comparison { pair: CountPair, window: u32 },
    Critical { metrics: Vec<SeriesId>, probes: Vec<Metric> },
}

/// What a comparison of green with blue looks at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct CountPair {
    pub(crate) green_errors: SeriesId,
    pub(crate) green_requests: SeriesId,
    pub(crate) blue_errors: SeriesId,
    pub(crate) blue_requests: SeriesId,
    /// Green's and blue's latency, unless a recording has none.
    pub(crate) latency: Option<(SeriesId, SeriesId)>,
    pub(crate) significance: f64,
    pub(crate) latency_ratio: f64,
    pub(crate) latency_surplus: f64,
}

impl CountPair {
    pub(crate) fn series(&self) -> impl Iterator<Item = SeriesId> {
        let counts = [self.green_errors, self.green_requests, self.blue_errors, self.blue_requests];
        counts.into_iter().chain(self.latency.into_iter().flat_map(|(green, blue)| [green, blue]))
    }

    /// Green's errors and requests, then blue's, where all four have a value.
    pub(crate) fn counts(&self, row: &[Evidence]) -> Option<[f64; 4]> {
        let value = |id| at(row, id).value();
        Some([
            value(self.green_errors)?,
            value(self.green_requests)?,
            value(self.blue_errors)?,
            value(self.blue_requests)?,
        ])
    }

    /// Whether green is slower than blue in this period, where both have a latency.
    pub(crate) fn is_slower(&self, row: &[Evidence]) -> Option<bool> {
        let (green, blue) = self.latency?;
        let (green, blue) = (at(row, green).value()?, at(row, blue).value()?);
        Some(green > self.latency_ratio * blue && green - blue > self.latency_surplus)
    }
}

/// The ratio that must stay near blue's before the stage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct BaselinePair {
    pub(crate) green: Term,
    pub(crate) blue: Term,
    pub(crate) at_least: f64,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StagePlan {
    pub(crate) name: String,
    pub(crate) weights: Weights,
    /// In periods, at least 1.
    pub(crate) bake: u32,
    /// In periods, at least `bake`.
    pub(crate) deadline: u32,
    pub(crate) gates: Vec<GatePlan>,
    /// What must have a value for a period to count.
    pub(crate) needed: Vec<SeriesId>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct GatePlan {
    /// With the stage: `canary.error-rate`.
    pub(crate) id: String,
    pub(crate) kind: GateKind,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum GateKind {
    Rate(Test),
    Sum(Test),
    /// The number of periods that must hold.
    Periods {
        test: Test,
        at_least: u32,
    },
    Comparison(CountPair),
    NoTrend {
        term: Term,
        rise: f64,
        fit: f64,
    },
    Baseline(BaselinePair),
}

impl GateKind {
    /// What must have a value for a period to count.
    pub(crate) fn series(&self) -> Vec<SeriesId> {
        match self {
            Self::Rate(test) | Self::Sum(test) | Self::Periods { test, .. } => test.term.series().collect(),
            Self::Comparison(pair) => pair.series().collect(),
            Self::NoTrend { term, .. } => term.series().collect(),
            Self::Baseline(pair) => pair.green.series().collect(),
        }
    }
}
