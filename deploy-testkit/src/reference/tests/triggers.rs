//! Triggers (semantics 3.1 to 3.6).

use super::*;

/// Error rates in these minutes, in per mille.
fn error_rate(minutes: Range<i64>, per_mille: f64) -> Draft {
    Draft::healthy(30).green(minutes, Metric::Errors, per_mille)
}

#[test]
fn an_error_rate_above_one_percent_fires_at_the_fifth_minute() {
    assert_eq!(last(error_rate(2..7, 11.0)), "rollback canary error-rate 7");
    assert_eq!(last(error_rate(2..6, 11.0)), "promote canary 20");
}

#[test]
fn an_error_rate_of_exactly_one_percent_does_not_fire() {
    assert_eq!(last(error_rate(2..20, 10.0)), "rollback canary canary.error-rate 30");
    let odd_counts =
        Draft::healthy(30).green(2..20, Metric::Requests, 700.0).green(2..20, Metric::Errors, 7.0);
    assert_eq!(last(odd_counts), "rollback canary canary.error-rate 30");
}

#[test]
fn a_latency_above_two_seconds_fires_at_the_fifth_minute() {
    let latency = |minutes, millis| last(Draft::healthy(30).green(minutes, Metric::LatencyP95, millis));
    assert_eq!(latency(2..7, 2000.5), "rollback canary latency-p95 7");
    assert_eq!(latency(2..6, 2000.5), "promote canary 21");
    assert_eq!(latency(10..30, 2000.0), "rollback canary canary.latency-p95 30");
}

#[test]
fn a_value_within_the_limit_ends_the_run() {
    let broken = |minutes| last(error_rate(minutes, 11.0).green(6..7, Metric::Errors, 10.0));
    assert_eq!(broken(2..11), "promote canary 25");
    assert_eq!(broken(2..12), "rollback canary error-rate 12");
}

#[test]
fn a_gap_of_four_minutes_neither_extends_nor_ends_the_run() {
    assert_eq!(last(error_rate(0..20, 11.0).absent(4..8, Metric::Requests)), "rollback canary error-rate 9");
}

#[test]
fn a_gap_of_five_minutes_ends_the_run() {
    let latency = |gap: Range<i64>| {
        last(Draft::healthy(15).green(0..15, Metric::LatencyP95, 2001.0).absent(gap, Metric::LatencyP95))
    };
    assert_eq!(latency(4..8), "rollback canary latency-p95 9");
    assert_eq!(latency(4..9), "rollback canary latency-p95 14");
    assert_eq!(latency(1..5), "rollback canary latency-p95 9");
}

#[test]
fn several_short_gaps_do_not_end_the_run() {
    let draft = Draft::healthy(15).green(0..15, Metric::LatencyP95, 2001.0);
    let draft = draft
        .absent(1..3, Metric::LatencyP95)
        .absent(4..6, Metric::LatencyP95)
        .absent(7..9, Metric::LatencyP95);
    assert_eq!(last(draft), "rollback canary latency-p95 11");
}

#[test]
fn minutes_without_traffic_and_broken_sources_are_gaps_too() {
    let breaching = || Draft::healthy(20).green(0..20, Metric::Errors, 11.0);
    let no_traffic = breaching().green(3..6, Metric::Requests, 0.0);
    assert_eq!(last(no_traffic), "rollback canary error-rate 8");
    let not_a_number = breaching().green(3..6, Metric::Errors, f64::NAN);
    assert_eq!(last(not_a_number), "rollback canary error-rate 8");
    let no_traffic = breaching().green(3..8, Metric::Requests, 0.0);
    assert_eq!(last(no_traffic), "rollback canary error-rate 13");
}

#[test]
fn a_run_goes_on_across_a_promotion() {
    // Ten requests a minute with an error each, after a million without any.
    let draft = Draft::healthy(60)
        .green(0..14, Metric::Requests, 1_000_000.0)
        .green(14..20, Metric::Requests, 10.0)
        .green(14..20, Metric::Errors, 1.0);
    assert_eq!(verdicts(draft), ["promote canary 15", "rollback half error-rate 19"]);
}

#[test]
fn one_minute_of_a_service_that_is_down_fires() {
    for metric in [Metric::PostgresUp, Metric::RedisUp] {
        assert_eq!(last(Draft::healthy(30).green(2..3, metric, 0.0)), "rollback canary critical-service 3");
    }
}

#[test]
fn a_service_that_is_not_zero_is_up() {
    assert_eq!(last(Draft::healthy(15).green(2..3, Metric::RedisUp, 0.5)), "promote canary 15");
}

#[test]
fn a_service_of_blue_fires_nothing() {
    assert_eq!(last(Draft::healthy(15).set(2..3, Blue, Metric::RedisUp, 0.0)), "promote canary 15");
}

#[test]
fn the_eleventh_5xx_in_a_minute_fires() {
    assert_eq!(last(Draft::healthy(30).green(20..21, Metric::Http5xx, 11.0)), "rollback half http-5xx 21");
    assert_eq!(last(Draft::healthy(30).green(20..22, Metric::Http5xx, 10.0)), "promote canary 15");
}

#[test]
fn a_count_that_is_there_is_a_value_even_without_requests() {
    let draft = Draft::healthy(30).green(2..3, Metric::Requests, 0.0).green(2..3, Metric::Http5xx, 11.0);
    assert_eq!(last(draft), "rollback canary http-5xx 3");
    let draft = Draft::healthy(30).absent(2..3, Metric::Requests).green(2..3, Metric::Http5xx, 11.0);
    assert_eq!(last(draft), "rollback canary http-5xx 3");
}

#[test]
fn of_several_triggers_the_first_listed_is_named() {
    let draft = Draft::healthy(30).green(6..7, Metric::Http5xx, 11.0);
    assert_eq!(last(draft.clone()), "rollback canary http-5xx 7");
    let draft = draft.green(6..7, Metric::PostgresUp, 0.0);
    assert_eq!(last(draft.clone()), "rollback canary critical-service 7");
    let draft = draft.green(2..7, Metric::LatencyP95, 2001.0);
    assert_eq!(last(draft.clone()), "rollback canary latency-p95 7");
    assert_eq!(last(draft.green(2..7, Metric::Errors, 11.0)), "rollback canary error-rate 7");
}

#[test]
fn a_period_in_which_a_trigger_fires_never_promotes() {
    assert_eq!(
        last(Draft::healthy(15).green(14..15, Metric::RedisUp, 0.0)),
        "rollback canary critical-service 15"
    );
    let complete = Draft::healthy(105).green(104..105, Metric::RedisUp, 0.0);
    assert_eq!(last(complete), "rollback full critical-service 105");
}

#[test]
fn a_trigger_comes_before_blindness_and_the_deadline() {
    let blind = Draft::healthy(30).absent(0..10, Metric::PostgresUp).green(9..10, Metric::RedisUp, 0.0);
    assert_eq!(last(blind), "rollback canary critical-service 10");
    let deadline =
        Draft::healthy(30).green(14..30, Metric::Http5xx, 1.0).green(29..30, Metric::Http5xx, 11.0);
    assert_eq!(last(deadline), "rollback canary http-5xx 30");
}

#[test]
fn a_trigger_without_any_row_is_skipped() {
    let draft = Draft::healthy(105).without(Green, &Metric::LatencyP95).without(Green, &Metric::PostgresUp);
    assert_eq!(last(draft.clone()), "complete full 105");
    assert_eq!(last(draft.green(20..21, Metric::RedisUp, 0.0)), "rollback half critical-service 21");
}
