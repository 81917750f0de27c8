//! What a look at a metric in a period ends in (semantics 2).

use mpac_deploy_core::metric::{Metric, Side};
use mpac_deploy_core::time::Period;

use crate::recording::Recording;

/// The kinds of evidence that a replay can meet: with a settle time of 0 nothing is "not yet published", and no rule of
/// the preset asks for a number of samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Evidence {
    Value(f64),
    NoTraffic,
    Missing,
    SourceError,
}

impl Evidence {
    pub(super) fn value(self) -> Option<f64> {
        match self {
            Self::Value(value) => Some(value),
            Self::NoTraffic | Self::Missing | Self::SourceError => None,
        }
    }

    /// Whether the period is blind for what ended so (semantics 3.7).
    pub(super) fn is_blind(self) -> bool {
        match self {
            Self::Missing | Self::SourceError => true,
            Self::Value(_) | Self::NoTraffic => false,
        }
    }
}

/// Counts that are published only when they are not zero: these two, and no others.
pub(super) fn is_sparse(metric: &Metric) -> bool {
    *metric == Metric::Errors || *metric == Metric::Http5xx
}

/// The evidence of a metric in a period.
pub(super) fn of(recording: &Recording, side: Side, metric: &Metric, period: Period) -> Evidence {
    if let Some(number) = recording.value(period, side, metric) {
        return if number.is_finite() { Evidence::Value(number) } else { Evidence::SourceError };
    }
    let requests = recording.value(period, side, &Metric::Requests).filter(|requests| requests.is_finite());
    let says_nothing_about_traffic =
        matches!(metric, Metric::PostgresUp | Metric::RedisUp | Metric::MemoryUtilization);
    match requests {
        Some(requests) if is_sparse(metric) && requests > 0.0 => Evidence::Value(0.0),
        Some(requests) if !says_nothing_about_traffic && requests == 0.0 => Evidence::NoTraffic,
        _ => Evidence::Missing,
    }
}

/// What a trigger or an alert looks at, always on green.
#[derive(Clone, Debug)]
pub(super) enum Subject {
    Metric(Metric),
    /// `errors / requests`.
    ErrorRate,
    /// `(requests - errors) / requests`.
    SuccessRate,
}

impl Subject {
    pub(super) fn evidence(&self, recording: &Recording, period: Period) -> Evidence {
        match self {
            Self::Metric(metric) => of(recording, Side::Green, metric, period),
            Self::ErrorRate => rate(recording, period, |errors, requests| errors / requests),
            Self::SuccessRate => rate(recording, period, |errors, requests| (requests - errors) / requests),
        }
    }

    /// Whether green has no row at all of it. Both counts of a rate would have to be there, but `errors` is sparse, and without a row 0.
    pub(super) fn is_skipped(&self, recording: &Recording) -> bool {
        match self {
            Self::Metric(metric) => !is_sparse(metric) && !recording.has_row(Side::Green, metric),
            Self::ErrorRate | Self::SuccessRate => !recording.has_row(Side::Green, &Metric::Requests),
        }
    }
}

/// "If the denominator is a `Value` of 0, the rate is `NoTraffic`; if either count is no `Value`, the rate is what the
/// denominator is, or else what the numerator is."
fn rate(recording: &Recording, period: Period, made_from: fn(f64, f64) -> f64) -> Evidence {
    let requests = of(recording, Side::Green, &Metric::Requests, period);
    let errors = of(recording, Side::Green, &Metric::Errors, period);
    match (requests, errors) {
        (Evidence::Value(0.0), _) => Evidence::NoTraffic,
        (Evidence::Value(requests), Evidence::Value(errors)) => Evidence::Value(made_from(errors, requests)),
        (Evidence::Value(_), errors) => errors,
        (requests, _) => requests,
    }
}
