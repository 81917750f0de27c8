//! The gates of the preset (semantics 4 and the sections of `decisions.md` on four of them).

use mpac_deploy_core::metric::{Metric, Side};

use super::Stage;
use super::compare::{errors_worse, has_leak, latency_worse};
use super::evidence::is_sparse;
use super::window::{Window, sums};
use crate::recording::Recording;

const ERROR_RATE_LIMIT: f64 = 0.001;
const SUCCESS_RATE_LIMIT: f64 = 0.999;
const TRANSACTION_SUCCESS_LIMIT: f64 = 0.999;
/// A latency gate holds if this share of the window, rounded up, is below the limit.
const LATENCY_PERCENT: usize = 95;
/// Green's transactions per request must reach this share of blue's.
const BUSINESS_SHARE: f64 = 0.8;

/// A gate; what it looks at is green's, except for the two that look at blue too.
#[derive(Clone, Debug)]
pub(super) enum Gate {
    ErrorRate,
    SuccessRate,
    /// Below so many milliseconds.
    Latency {
        id: &'static str,
        metric: Metric,
        limit: f64,
    },
    /// The sum over the window is 0.
    None {
        id: &'static str,
        metric: Metric,
    },
    Comparison,
    MemoryLeak,
    TransactionSuccess,
    BusinessMetrics,
}

/// The gates of a stage, in their order.
fn listed(stage: Stage) -> Vec<Gate> {
    let p95 = Gate::Latency { id: "latency-p95", metric: Metric::LatencyP95, limit: 500.0 };
    match stage {
        Stage::Canary => vec![Gate::ErrorRate, p95, Gate::None { id: "http-5xx", metric: Metric::Http5xx }],
        Stage::Half => {
            vec![Gate::ErrorRate, p95, Gate::Comparison, Gate::MemoryLeak, Gate::TransactionSuccess]
        }
        Stage::Full => vec![
            Gate::ErrorRate,
            Gate::SuccessRate,
            Gate::Latency { id: "latency-p50", metric: Metric::LatencyP50, limit: 100.0 },
            p95,
            Gate::Latency { id: "latency-p99", metric: Metric::LatencyP99, limit: 1000.0 },
            Gate::None { id: "log-anomalies", metric: Metric::LogAnomalies },
            Gate::BusinessMetrics,
        ],
    }
}

/// The gates of a stage that the recording has the metrics for.
pub(super) fn gates(recording: &Recording, stage: Stage) -> Vec<Gate> {
    listed(stage).into_iter().filter(|gate| !gate.is_skipped(recording)).collect()
}

/// The ids of the others.
pub(super) fn skipped(recording: &Recording, stage: Stage) -> Vec<String> {
    listed(stage).into_iter().filter(|gate| gate.is_skipped(recording)).map(|gate| gate.id(stage)).collect()
}

impl Gate {
    /// Stage, dot, metric.
    pub(super) fn id(&self, stage: Stage) -> String {
        let metric = match self {
            Self::ErrorRate => "error-rate",
            Self::SuccessRate => "success-rate",
            Self::Latency { id, .. } | Self::None { id, .. } => id,
            Self::Comparison => "comparison",
            Self::MemoryLeak => "memory-leak",
            Self::TransactionSuccess => "transaction-success",
            Self::BusinessMetrics => "business-metrics",
        };
        format!("{stage}.{metric}")
    }

    fn is_skipped(&self, recording: &Recording) -> bool {
        let start = recording.start();
        match self {
            Self::Comparison => !recording.has_row_from(Side::Blue, &Metric::Requests, start),
            Self::BusinessMetrics => {
                !recording.has_row(Side::Green, &Metric::Transactions)
                    || !recording.has_row(Side::Blue, &Metric::Transactions)
                    || !recording.has_row(Side::Blue, &Metric::Requests)
            }
            Self::ErrorRate
            | Self::SuccessRate
            | Self::Latency { .. }
            | Self::None { .. }
            | Self::MemoryLeak
            | Self::TransactionSuccess => self
                .needs(recording)
                .iter()
                .any(|(side, metric)| !is_sparse(metric) && !recording.has_row(*side, metric)),
        }
    }

    /// What must have a `Value` in a period for the period to count.
    pub(super) fn needs(&self, recording: &Recording) -> Vec<(Side, Metric)> {
        let green = |metrics: &[Metric]| metrics.iter().map(|metric| (Side::Green, metric.clone())).collect();
        match self {
            Self::ErrorRate | Self::SuccessRate => green(&[Metric::Errors, Metric::Requests]),
            Self::Latency { metric, .. } | Self::None { metric, .. } => green(std::slice::from_ref(metric)),
            Self::MemoryLeak => green(&[Metric::MemoryUtilization]),
            Self::TransactionSuccess => green(&[Metric::TransactionFailures, Metric::Transactions]),
            Self::BusinessMetrics => green(&[Metric::Transactions, Metric::Requests]),
            Self::Comparison => {
                let mut metrics = vec![Metric::Requests, Metric::Errors];
                if compares_latency(recording) {
                    metrics.push(Metric::LatencyP95);
                }
                let both = |metric: Metric| [(Side::Green, metric.clone()), (Side::Blue, metric)];
                metrics.into_iter().flat_map(both).collect()
            }
        }
    }

    /// Whether the gate holds over the window.
    pub(super) fn holds(&self, recording: &Recording, window: &Window) -> bool {
        let green_sums = |part: Metric, whole: Metric| {
            sums(recording, window.span.iter().copied(), [(Side::Green, part), (Side::Green, whole)])
        };
        match self {
            Self::ErrorRate => {
                let [errors, requests] = green_sums(Metric::Errors, Metric::Requests);
                requests != 0.0 && errors / requests < ERROR_RATE_LIMIT
            }
            Self::SuccessRate => {
                let [errors, requests] = green_sums(Metric::Errors, Metric::Requests);
                requests != 0.0 && (requests - errors) / requests > SUCCESS_RATE_LIMIT
            }
            Self::TransactionSuccess => {
                let [failures, all] = green_sums(Metric::TransactionFailures, Metric::Transactions);
                all != 0.0 && (all - failures) / all > TRANSACTION_SUCCESS_LIMIT
            }
            Self::None { metric, .. } => {
                sums(recording, window.span.iter().copied(), [(Side::Green, metric.clone())]) == [0.0]
            }
            Self::Latency { metric, limit, .. } => {
                let value = |period| recording.value(period, Side::Green, metric);
                let below =
                    window.counted.iter().filter(|period| value(**period).is_some_and(|ms| ms < *limit));
                below.count() >= (window.counted.len() * LATENCY_PERCENT).div_ceil(100)
            }
            Self::Comparison => {
                let slower = compares_latency(recording) && latency_worse(recording, window);
                !errors_worse(recording, window) && !slower
            }
            Self::MemoryLeak => !has_leak(recording, window),
            Self::BusinessMetrics => business_is_stable(recording, window),
        }
    }
}

/// Where both sides have a row of it at or after the start.
fn compares_latency(recording: &Recording) -> bool {
    let has = |side| recording.has_row_from(side, &Metric::LatencyP95, recording.start());
    has(Side::Green) && has(Side::Blue)
}

/// Green's transactions per request over the window, beside blue's before `full` took effect, history included.
fn business_is_stable(recording: &Recording, window: &Window) -> bool {
    let counts = |side| [(side, Metric::Transactions), (side, Metric::Requests)];
    let before = recording.periods().map(|rows| rows.period()).filter(|period| *period < window.stage_began);
    let [blue_transactions, blue_requests] = sums(recording, before, counts(Side::Blue));
    let [transactions, requests] = sums(recording, window.span.iter().copied(), counts(Side::Green));
    blue_requests > 0.0
        && requests > 0.0
        && transactions / requests >= BUSINESS_SHARE * (blue_transactions / blue_requests)
}
