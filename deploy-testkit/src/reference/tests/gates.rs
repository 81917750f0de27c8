//! Gates (semantics 4 and the sections of `decisions.md` on four of them).

use super::super::compare::chance_of_at_least;
use super::*;

/// The last verdict of two hours and three quarters that are healthy but for one metric of green.
fn with(minutes: Range<i64>, metric: Metric, value: f64) -> String {
    last(Draft::healthy(165).green(minutes, metric, value))
}

const COMPLETE: &str = "complete full 105";

#[test]
fn the_error_rate_over_the_window_must_be_below_a_tenth_of_a_percent() {
    // 15 errors of 15,000 requests are exactly 0.1 %, and 14 are less.
    let errors = |count| {
        verdicts(Draft::healthy(30).green(7..8, Metric::Requests, 1000.0).green(7..8, Metric::Errors, count))
    };
    assert_eq!(errors(14.0), ["promote canary 15"]);
    assert_eq!(errors(15.0), ["promote canary 23"]);
}

#[test]
fn a_window_is_no_mean_of_rates() {
    // One error of 10 requests in one minute is 10 %, but little beside 14,010 requests.
    let draft = Draft::healthy(30).green(7..8, Metric::Requests, 10.0).green(7..8, Metric::Errors, 1.0);
    assert_eq!(verdicts(draft), ["promote canary 15"]);
}

#[test]
fn a_sum_over_the_window_takes_in_the_minutes_between_that_did_not_count() {
    let between = Draft::healthy(40).absent(7..8, Metric::LatencyP95).green(7..8, Metric::Http5xx, 1.0);
    assert_eq!(verdicts(between), ["promote canary 23"]);
    let before = Draft::healthy(40).absent(0..1, Metric::LatencyP95).green(0..1, Metric::Http5xx, 1.0);
    assert_eq!(verdicts(before), ["promote canary 16"]);
}

#[test]
fn a_rate_adds_up_the_minutes_in_which_both_counts_have_a_value() {
    // Requests of a minute whose errors are unknown would hide the errors of the others.
    let draft = Draft::healthy(30)
        .green(7..8, Metric::Requests, 1e9)
        .green(7..8, Metric::Errors, f64::NAN)
        .green(8..9, Metric::Errors, 15.0);
    assert_eq!(verdicts(draft), ["promote canary 24"]);
}

#[test]
fn canary_forgives_no_slow_minute_and_half_one_and_full_three() {
    assert_eq!(verdicts(Draft::healthy(30).green(3..4, Metric::LatencyP95, 500.0)), ["promote canary 19"]);
    assert_eq!(verdicts(Draft::healthy(30).green(3..4, Metric::LatencyP95, 499.9)), ["promote canary 15"]);
    let half = |minutes| verdicts(Draft::healthy(105).green(minutes, Metric::LatencyP95, 500.0)).remove(1);
    assert_eq!(half(16..17), "promote half 45");
    assert_eq!(half(16..18), "promote half 47");
    for (metric, limit) in
        [(Metric::LatencyP50, 100.0), (Metric::LatencyP95, 500.0), (Metric::LatencyP99, 1000.0)]
    {
        assert_eq!(with(50..53, metric.clone(), limit), COMPLETE);
        assert_eq!(with(50..54, metric.clone(), limit), "complete full 111");
        assert_eq!(with(45..165, metric, limit - 0.1), COMPLETE);
    }
}

#[test]
fn full_names_the_latency_that_is_too_slow() {
    assert_eq!(with(45..165, Metric::LatencyP50, 100.0), "rollback full full.latency-p50 165");
    assert_eq!(with(45..165, Metric::LatencyP95, 500.0), "rollback full full.latency-p95 165");
    assert_eq!(with(45..165, Metric::LatencyP99, 1000.0), "rollback full full.latency-p99 165");
}

#[test]
fn full_has_gates_on_error_rate_and_success_rate() {
    assert_eq!(with(45..165, Metric::Errors, 1.0), "rollback full full.error-rate 165");
    assert_eq!(with(45..165, Metric::Errors, 0.999), COMPLETE);
}

#[test]
fn one_log_anomaly_in_the_window_fails_its_gate() {
    assert_eq!(with(50..51, Metric::LogAnomalies, 1.0), "complete full 111");
    assert_eq!(with(110..111, Metric::LogAnomalies, 1.0), COMPLETE);
}

#[test]
fn transactions_must_succeed_above_999_per_mille() {
    // 12,000 transactions in 30 minutes: 12 failures are exactly 0.1 %.
    assert_eq!(
        verdicts(Draft::healthy(45).green(20..21, Metric::TransactionFailures, 11.0))[1..],
        ["promote half 45"]
    );
    assert_eq!(
        verdicts(Draft::healthy(60).green(20..21, Metric::TransactionFailures, 12.0))[1..],
        ["promote half 51"]
    );
    assert_eq!(with(15..165, Metric::TransactionFailures, 1.0), "rollback half half.transaction-success 75");
}

#[test]
fn a_rate_over_no_transactions_does_not_hold_its_gate() {
    assert_eq!(with(15..165, Metric::Transactions, 0.0), "rollback half half.transaction-success 75");
}

/// Half's verdict when both sides have these errors in minute 20, of the 30,000 requests that each has in 30 minutes.
fn compared(green: f64, blue: f64) -> String {
    let draft =
        Draft::healthy(46).green(20..21, Metric::Errors, green).set(20..21, Blue, Metric::Errors, blue);
    verdicts(draft).get(1).cloned().unwrap_or_else(|| "held back".to_owned())
}

#[test]
fn green_may_err_more_than_blue_by_luck() {
    // The chance of all of 6 errors on one of two equal sides is 1/64, that of 7 is 1/128.
    assert_eq!(compared(1.0, 0.0), "promote half 45");
    assert_eq!(compared(6.0, 0.0), "promote half 45");
    assert_eq!(compared(7.0, 0.0), "held back");
    assert_eq!(compared(20.0, 20.0), "promote half 45");
    assert_eq!(compared(0.0, 29.0), "promote half 45");
    assert_eq!(compared(29.0, 29.0), "promote half 45");
}

#[test]
fn the_chance_is_that_of_the_binomial_distribution() {
    let close =
        |chance: f64, expected: f64| assert!((chance - expected).abs() < 1e-12, "{chance} is not {expected}");
    close(chance_of_at_least(6.0, 6.0, 1.0, 1.0), 1.0 / 64.0);
    close(chance_of_at_least(5.0, 6.0, 1.0, 1.0), 7.0 / 64.0);
    close(chance_of_at_least(0.0, 6.0, 1.0, 3.0), 1.0);
    close(chance_of_at_least(2.0, 3.0, 1.0, 3.0), 10.0 / 64.0);
}

#[test]
fn the_comparison_weighs_the_requests_of_each_side() {
    // 8 errors on green and none on blue mean nothing if green has nine of ten requests: the chance is 0.9^8.
    let draft = Draft::healthy(46).green(15..46, Metric::Requests, 9000.0).green(20..21, Metric::Errors, 8.0);
    assert_eq!(verdicts(draft)[1], "promote half 45");
}

#[test]
fn a_side_without_requests_in_the_window_does_not_compare() {
    let draft =
        Draft::healthy(80).set(15..80, Blue, Metric::Requests, 0.0).set(15..80, Blue, Metric::Errors, 0.0);
    assert_eq!(last(draft), "rollback half half.comparison 75");
}

#[test]
fn blue_without_traffic_has_no_errors_to_compare_so_the_minute_does_not_count() {
    let draft = Draft::healthy(80).set(15..80, Blue, Metric::Requests, 0.0);
    assert_eq!(last(draft), "rollback half half.evidence 75");
}

/// Half's verdict when green has a p95 in so many of its minutes, and blue another one in all.
fn latencies(minutes: i64, green: f64, blue: f64) -> String {
    let draft = Draft::healthy(45).green(15..15 + minutes, Metric::LatencyP95, green);
    let draft = draft.set(15..45, Blue, Metric::LatencyP95, blue);
    verdicts(draft).get(1).cloned().unwrap_or_else(|| "held back".to_owned())
}

#[test]
fn green_is_slower_if_it_is_in_more_than_half_of_the_window() {
    assert_eq!(latencies(15, 300.0, 200.0), "promote half 45");
    assert_eq!(latencies(16, 300.0, 200.0), "held back");
}

#[test]
fn green_is_slower_only_beyond_both_margins() {
    assert_eq!(latencies(30, 260.0, 200.0), "promote half 45");
    assert_eq!(latencies(30, 261.0, 200.0), "held back");
    assert_eq!(latencies(30, 60.0, 40.0), "promote half 45");
    assert_eq!(latencies(30, 61.0, 40.0), "held back");
}

#[test]
fn latency_is_compared_only_if_both_sides_have_it_from_the_start_on() {
    let history_only =
        Draft::healthy(45).without(Blue, &Metric::LatencyP95).set(-9..0, Blue, Metric::LatencyP95, 1.0);
    assert_eq!(verdicts(history_only)[1], "promote half 45");
}

/// Half's verdict when green's memory is this in every minute.
fn memory(share: impl Fn(f64) -> f64) -> String {
    let value = |minute: i64| share(f64::from(i32::try_from(minute).unwrap()));
    let draft = Draft::healthy(45).set_with(0..45, Green, Metric::MemoryUtilization, value);
    verdicts(draft).get(1).cloned().unwrap_or_else(|| "held back".to_owned())
}

#[test]
fn a_rise_of_more_than_two_points_is_a_leak() {
    // 29 minutes lie between the first and the last of 30.
    assert_eq!(memory(|minute| 0.5 + 0.0201 / 29.0 * minute), "held back");
    assert_eq!(memory(|minute| 0.5 + 0.0199 / 29.0 * minute), "promote half 45");
    assert_eq!(memory(|minute| 0.9 - 0.01 * minute), "promote half 45");
}

#[test]
fn level_memory_is_no_leak() {
    assert_eq!(memory(|_| 0.84), "promote half 45");
}

#[test]
fn a_rise_that_noise_hides_is_no_leak() {
    let noise = |minute: f64| if minute % 2.0 == 0.0 { 0.1 } else { -0.1 };
    assert_eq!(memory(|minute| 0.5 + 0.03 / 29.0 * minute + noise(minute)), "promote half 45");
    assert_eq!(memory(|minute| 0.5 + 0.03 / 29.0 * minute + 0.01 * noise(minute)), "held back");
}

#[test]
fn green_must_do_four_fifths_of_blues_business() {
    let business = |transactions| {
        let draft = Draft::healthy(165).set(0..45, Blue, Metric::Transactions, 500.0);
        last(draft.green(45..165, Metric::Transactions, transactions))
    };
    assert_eq!(business(400.0), COMPLETE);
    assert_eq!(business(399.0), "rollback full full.business-metrics 165");
}

#[test]
fn business_is_counted_per_request() {
    let draft = Draft::healthy(105).green(45..105, Metric::Transactions, 200.0);
    assert_eq!(last(draft.green(45..105, Metric::Requests, 500.0)), COMPLETE);
}

#[test]
fn the_baseline_takes_in_history_and_leaves_out_what_began_with_full() {
    let draft = Draft::healthy(165).set(45..165, Blue, Metric::Transactions, 9999.0);
    assert_eq!(last(draft.clone()), COMPLETE);
    let history =
        draft.set(-45..0, Blue, Metric::Requests, 1000.0).set(-45..0, Blue, Metric::Transactions, 800.0);
    assert_eq!(last(history), "rollback full full.business-metrics 165");
}

#[test]
fn the_baseline_leaves_out_minutes_in_which_either_count_has_no_value() {
    let draft = Draft::healthy(105).set(-45..0, Blue, Metric::Transactions, 8000.0);
    assert_eq!(last(draft.clone()), COMPLETE);
    assert_eq!(last(draft.set(-45..0, Blue, Metric::Requests, f64::NAN)), COMPLETE);
}

#[test]
fn without_any_baseline_business_is_not_stable() {
    let draft =
        Draft::healthy(165).without(Blue, &Metric::Transactions).set(60..61, Blue, Metric::Transactions, 1.0);
    assert_eq!(last(draft), "rollback full full.business-metrics 165");
}

#[test]
fn a_recording_of_green_alone_completes() {
    assert_eq!(last(Draft::healthy(105).without_side(Blue)), COMPLETE);
}
