//! The strategy as the built-in preset `mpac`; reads like section 4 of the semantics.
//!
//! Numbers of the strategy stand where they are used. Numbers that are ours are constants with a reason.

use super::builder::{
    PolicyBuilder, baseline, comparison, consecutive, critical, no_trend, period, periods, rate, stage, sum,
};
use super::{
    Approval, BlindnessPolicy, ComparisonRule, DecommissionPolicy, EffectPolicy, Policy, ProbePolicy,
    Quantity, Span, TrafficLossPolicy, TrendRule,
};
use crate::metric::{Metric, Signal};
use Quantity::{Millis, Number, Share};

/// CloudWatch publishes most one-minute metrics within a minute of the period's end (semantics 1.2).
pub(super) const SETTLE: Span = Span::seconds(60);

/// A stage may take twice its bake: half of its minutes may lack evidence before the rollout is given up (semantics 4).
pub(super) const fn deadline_in_bakes() -> u32 {
    2
}

/// A latency gate forgives one minute in twenty: a single slow minute of a night job is no regression (semantics 4).
const LATENCY_SHARE: Quantity = Share(0.95);

/// Three blind minutes are more than a late datapoint; ten of fifteen are a rollout that nobody watches (semantics 3.7).
pub(super) const BLINDNESS: BlindnessPolicy =
    BlindnessPolicy { hold_after: 3, rollback_after: 10, rollback_of: 15 };

/// As for blindness: three silent minutes are worth a look, ten are an outage (semantics 3.8).
pub(super) const TRAFFIC_LOSS: TrafficLossPolicy = TrafficLossPolicy { alert_after: 3, rollback_after: 10 };

/// Half a minute without a critical service is an outage; a single lost packet is none (semantics 3.6).
pub(super) const PROBES: ProbePolicy = ProbePolicy { failures: 3, interval: Span::seconds(10) };

/// The strategy keeps blue for one hour after the cutover to 100 %.
pub(super) const DECOMMISSION: DecommissionPolicy =
    DecommissionPolicy { wait: Span::minutes(60), approval: Approval::NotRequired };

/// One percent chance that a gate calls an equal green worse; it then looks again a minute later.
const SIGNIFICANCE: Quantity = Share(0.01);

/// On recorded faults of a real application 1.3 times the level before found 34 of 36 latency faults, where a fixed limit of
/// two seconds found 3.
const LATENCY_RATIO: Quantity = Share(1.3);

/// Below 20 ms a ratio of two latencies is mostly the clock.
const LATENCY_SURPLUS: Quantity = Millis(20.0);

/// Two points in half an hour fill 35 points of head room in under nine hours, well within a release's life.
const MEMORY_RISE: Quantity = Share(0.02);

/// At least half of the variance must be explained by time, so that level noise is no leak.
const MEMORY_FIT: Quantity = Share(0.5);

/// A fifth fewer transactions per request is far outside what chance does to an hour of them.
const BUSINESS_SHARE: Quantity = Share(0.8);

/// The limits of the effects.
///
/// One call to a control plane answers within seconds, so a minute without an answer is a lost one; three attempts outlast a
/// brief throttling. A rollback polls no slower than every ten seconds. The TTL of an alias record is 60 s and
/// cannot be changed. Fifteen minutes are several times what ECS needs to pull an image and pass its health checks.
pub(super) const EFFECTS: EffectPolicy = EffectPolicy {
    timeout: Span::seconds(60),
    check_timeout: Span::minutes(5),
    attempts: 3,
    backoff: Span::seconds(2),
    backoff_limit: Span::seconds(30),
    poll: Span::seconds(10),
    provision_deadline: Span::minutes(15),
    ttl: Span::seconds(60),
};

/// The comparison of green with blue with our numbers.
pub(super) const COMPARISON: ComparisonRule = ComparisonRule {
    significance: SIGNIFICANCE,
    latency_ratio: LATENCY_RATIO,
    latency_surplus: LATENCY_SURPLUS,
};

/// The deployment strategy of the MPAC SmartPOS Cloud Platform, version 2.0.
#[must_use]
pub fn mpac() -> Policy {
    let error_rate = || Signal::Rate { part: Metric::Errors, whole: Metric::Requests };
    let success_rate = || Signal::Complement { part: Metric::Errors, whole: Metric::Requests };
    let transaction_success =
        || Signal::Complement { part: Metric::TransactionFailures, whole: Metric::Transactions };
    let transactions_per_request = Signal::Rate { part: Metric::Transactions, whole: Metric::Requests };
    let p50 = || Signal::Metric(Metric::LatencyP50);
    let p95 = || Signal::Metric(Metric::LatencyP95);
    let p99 = || Signal::Metric(Metric::LatencyP99);
    let memory = || Signal::Metric(Metric::MemoryUtilization);
    let http_5xx = || Signal::Metric(Metric::Http5xx);
    let db_connection_errors = Signal::Metric(Metric::DbConnectionErrors);
    let log_anomalies = Signal::Metric(Metric::LogAnomalies);

    PolicyBuilder::new("mpac")
        .trigger("error-rate", consecutive(error_rate().above(Share(0.01)), 5))
        .trigger("latency-p95", consecutive(p95().above(Millis(2000.0)), 5))
        .trigger("critical-service", critical([Metric::PostgresUp, Metric::RedisUp]))
        .trigger("http-5xx", period(http_5xx().above(Number(10.0))))
        .alert("error-rate", period(error_rate().above(Share(0.005))))
        .alert("latency-p95", period(p95().above(Millis(1000.0))))
        .alert("success-rate", period(success_rate().below(Share(0.995))))
        .alert("db-connection-errors", period(db_connection_errors.above(Number(10.0))))
        .alert("memory", period(memory().above(Share(0.85))))
        .stage(
            stage("canary", 95, 5, Span::minutes(15))
                .gate("error-rate", rate(error_rate().below(Share(0.001))))
                .gate("latency-p95", periods(p95().below(Millis(500.0)), LATENCY_SHARE))
                .gate("http-5xx", sum(http_5xx().equal(Number(0.0)))),
        )
        .stage(
            stage("half", 50, 50, Span::minutes(30))
                .gate("error-rate", rate(error_rate().below(Share(0.001))))
                .gate("latency-p95", periods(p95().below(Millis(500.0)), LATENCY_SHARE))
                .gate("comparison", comparison(COMPARISON))
                .gate(
                    "memory-leak",
                    no_trend(TrendRule { signal: memory(), rise: MEMORY_RISE, fit: MEMORY_FIT }),
                )
                .gate("transaction-success", rate(transaction_success().above(Share(0.999)))),
        )
        .stage(
            stage("full", 0, 100, Span::minutes(60))
                .gate("error-rate", rate(error_rate().below(Share(0.001))))
                .gate("success-rate", rate(success_rate().above(Share(0.999))))
                .gate("latency-p50", periods(p50().below(Millis(100.0)), LATENCY_SHARE))
                .gate("latency-p95", periods(p95().below(Millis(500.0)), LATENCY_SHARE))
                .gate("latency-p99", periods(p99().below(Millis(1000.0)), LATENCY_SHARE))
                .gate("log-anomalies", sum(log_anomalies.equal(Number(0.0))))
                .gate("business-metrics", baseline(transactions_per_request, BUSINESS_SHARE)),
        )
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;
    use alloc::vec::Vec;

    #[test]
    fn each_stage_has_the_gates_of_the_semantics() {
        let gates = |stage: &crate::policy::Stage| {
            stage.gates.iter().map(|gate| gate.id.clone()).collect::<Vec<String>>()
        };
        let stages: Vec<_> = mpac().stages.iter().map(gates).collect();
        let canary = ["error-rate", "latency-p95", "http-5xx"];
        let half = ["error-rate", "latency-p95", "comparison", "memory-leak", "transaction-success"];
        let full = [
            "error-rate",
            "success-rate",
            "latency-p50",
            "latency-p95",
            "latency-p99",
            "log-anomalies",
            "business-metrics",
        ];
        assert_eq!(stages, [canary.as_slice(), half.as_slice(), full.as_slice()]);
    }
}
