//! Alerts and the order of what is reported (semantics 3.1; decisions 1 to 5).

use super::*;

/// The notices when a metric of green has one value in minutes 2 to 4.
fn notices(metric: Metric, value: f64) -> Vec<String> {
    decisions(Draft::healthy(10).green(2..5, metric, value))
}

#[test]
fn an_alert_notifies_once_when_it_begins_and_once_when_it_clears() {
    let expected = ["alert canary memory 3", "alert_cleared canary memory 6"];
    assert_eq!(notices(Metric::MemoryUtilization, 0.851), expected);
}

#[test]
fn an_alert_does_not_hold_at_its_limit() {
    assert!(notices(Metric::MemoryUtilization, 0.85).is_empty());
    assert!(notices(Metric::LatencyP95, 1000.0).is_empty());
    assert!(notices(Metric::DbConnectionErrors, 10.0).is_empty());
    // 0.5 % of errors is 99.5 % of success.
    assert!(notices(Metric::Errors, 5.0).is_empty());
}

#[test]
fn each_alert_has_its_rule() {
    assert_eq!(notices(Metric::LatencyP95, 1000.5)[0], "alert canary latency-p95 3");
    assert_eq!(notices(Metric::DbConnectionErrors, 11.0)[0], "alert canary db-connection-errors 3");
    let expected = [
        "alert canary error-rate 3",
        "alert canary success-rate 3",
        "alert_cleared canary error-rate 6",
        "alert_cleared canary success-rate 6",
    ];
    assert_eq!(notices(Metric::Errors, 6.0), expected);
}

#[test]
fn a_gap_neither_raises_nor_clears_an_alert() {
    let draft = Draft::healthy(10).green(2..3, Metric::MemoryUtilization, 0.9);
    let expected = ["alert canary memory 3", "alert_cleared canary memory 7"];
    assert_eq!(decisions(draft.clone().absent(3..6, Metric::MemoryUtilization)), expected);
    assert_eq!(decisions(draft.green(3..6, Metric::MemoryUtilization, f64::NAN)), expected);
}

#[test]
fn an_alert_lives_on_across_a_promotion() {
    let draft = Draft::healthy(20).green(13..17, Metric::MemoryUtilization, 0.9);
    assert_eq!(
        decisions(draft),
        ["alert canary memory 14", "promote canary 15", "alert_cleared half memory 18"]
    );
}

#[test]
fn an_alert_of_blue_is_none() {
    assert!(decisions(Draft::healthy(10).set(2..5, Blue, Metric::MemoryUtilization, 0.9)).is_empty());
}

#[test]
fn notices_come_before_the_decision_of_the_same_period() {
    let draft = Draft::healthy(15).green(14..15, Metric::MemoryUtilization, 0.9);
    assert_eq!(decisions(draft.clone()), ["alert canary memory 15", "promote canary 15"]);
    let expected = ["alert canary memory 15", "rollback canary critical-service 15"];
    assert_eq!(decisions(draft.green(14..15, Metric::RedisUp, 0.0)), expected);
}

#[test]
fn notices_of_one_period_are_alerts_as_listed_then_blind_then_no_traffic() {
    let draft = Draft::healthy(10)
        .green(2..5, Metric::Requests, 0.0)
        .absent(2..5, Metric::RedisUp)
        .green(4..5, Metric::MemoryUtilization, 0.9)
        .green(4..5, Metric::DbConnectionErrors, 11.0)
        .green(4..5, Metric::LatencyP95, 1001.0);
    let expected = [
        "alert canary latency-p95 5",
        "alert canary db-connection-errors 5",
        "alert canary memory 5",
        "hold canary blind 5",
        "alert canary blind 5",
        "alert canary no-traffic 5",
        "alert_cleared canary latency-p95 6",
        "alert_cleared canary db-connection-errors 6",
        "alert_cleared canary memory 6",
        "alert_cleared canary blind 6",
        "alert_cleared canary no-traffic 6",
    ];
    assert_eq!(decisions(draft), expected);
}

#[test]
fn a_full_recording_skips_nothing_though_no_sparse_count_has_a_row() {
    assert!(replay(Draft::healthy(15)).skipped.is_empty());
}

#[test]
fn what_has_no_row_is_skipped_in_the_order_triggers_alerts_gates() {
    let only_requests = Draft::new().green(0..105, Metric::Requests, 1000.0);
    let expected = [
        "latency-p95",
        "postgres_up",
        "redis_up",
        "db-connection-errors",
        "memory",
        "canary.latency-p95",
        "half.latency-p95",
        "half.comparison",
        "half.memory-leak",
        "half.transaction-success",
        "full.latency-p50",
        "full.latency-p95",
        "full.latency-p99",
        "full.log-anomalies",
        "full.business-metrics",
    ];
    let outcome = replay(only_requests.clone());
    assert_eq!(outcome.skipped, expected);
    assert_eq!(last(only_requests), "complete full 105");
}

#[test]
fn a_metric_is_skipped_only_if_green_has_no_row_at_all() {
    let skipped = |draft: Draft| replay(draft).skipped;
    let without = Draft::healthy(5).without(Green, &Metric::MemoryUtilization);
    assert_eq!(skipped(without.clone()), ["memory", "half.memory-leak"]);
    assert!(skipped(without.clone().green(4..5, Metric::MemoryUtilization, f64::NAN)).is_empty());
    assert!(skipped(without.green(-9..-8, Metric::MemoryUtilization, 0.5)).is_empty());
}

#[test]
fn a_rate_is_skipped_if_either_count_has_no_row() {
    for metric in [Metric::Transactions, Metric::TransactionFailures] {
        let skipped = replay(Draft::healthy(5).without(Green, &metric)).skipped;
        assert!(skipped.contains(&"half.transaction-success".to_owned()), "{metric}: {skipped:?}");
    }
}

#[test]
fn the_comparison_is_skipped_if_blue_has_no_requests_from_the_start_on() {
    let skipped = |draft: Draft| replay(draft).skipped.contains(&"half.comparison".to_owned());
    let history = Draft::healthy(5).without(Blue, &Metric::Requests).set(-5..0, Blue, Metric::Requests, 1.0);
    assert!(skipped(history.clone()));
    assert!(!skipped(history.set(0..1, Blue, Metric::Requests, 1.0)));
}

#[test]
fn business_metrics_are_skipped_if_blue_has_no_row_of_either_count() {
    let skipped = |draft: Draft| replay(draft).skipped.contains(&"full.business-metrics".to_owned());
    assert!(skipped(Draft::healthy(5).without(Blue, &Metric::Transactions)));
    assert!(skipped(Draft::healthy(5).without(Blue, &Metric::Requests)));
    assert!(skipped(Draft::healthy(5).without(Green, &Metric::Transactions)));
    let history = Draft::healthy(5).without_side(Blue).set(-5..0, Blue, Metric::Requests, 1.0);
    assert!(!skipped(history.set(-5..0, Blue, Metric::Transactions, 1.0)));
}
