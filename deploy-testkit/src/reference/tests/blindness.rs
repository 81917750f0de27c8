//! Blindness and loss of traffic (semantics 3.7, 3.8; decisions 3).

use super::*;

#[test]
fn two_blind_minutes_hold_nothing() {
    assert_eq!(decisions(Draft::healthy(15).absent(13..15, Metric::PostgresUp)), ["promote canary 15"]);
}

#[test]
fn three_blind_minutes_hold_promotion_until_one_sees() {
    let expected = [
        "hold canary blind 15",
        "alert canary blind 15",
        "alert_cleared canary blind 17",
        "promote canary 17",
    ];
    assert_eq!(decisions(Draft::healthy(20).absent(12..16, Metric::PostgresUp)), expected);
}

#[test]
fn blind_minutes_of_different_metrics_do_not_add_up() {
    let draft = Draft::healthy(15).absent(12..14, Metric::PostgresUp).absent(14..15, Metric::RedisUp);
    assert_eq!(decisions(draft), ["promote canary 15"]);
}

#[test]
fn a_hold_that_passes_from_one_metric_to_another_is_reported_once() {
    let draft = Draft::healthy(10).absent(0..4, Metric::PostgresUp).absent(2..7, Metric::RedisUp);
    let expected = ["hold canary blind 3", "alert canary blind 3", "alert_cleared canary blind 8"];
    assert_eq!(decisions(draft), expected);
}

#[test]
fn a_hold_that_begins_again_is_reported_again() {
    let draft = Draft::healthy(10).absent(0..3, Metric::PostgresUp).absent(4..7, Metric::PostgresUp);
    let expected = [
        "hold canary blind 3",
        "alert canary blind 3",
        "alert_cleared canary blind 4",
        "hold canary blind 7",
        "alert canary blind 7",
        "alert_cleared canary blind 8",
    ];
    assert_eq!(decisions(draft), expected);
}

#[test]
fn a_minute_that_counts_while_promotion_is_held_is_in_the_window_later() {
    let draft = Draft::healthy(20).absent(2..12, Metric::RedisUp).green(6..7, Metric::RedisUp, 1.0);
    assert_eq!(verdicts(draft), ["promote canary 15"]);
}

#[test]
fn nine_blind_minutes_of_fifteen_go_on_and_ten_roll_back() {
    assert_eq!(last(Draft::healthy(30).absent(3..12, Metric::RedisUp)), "promote canary 15");
    assert_eq!(last(Draft::healthy(30).absent(3..13, Metric::RedisUp)), "rollback canary blind 13");
}

#[test]
fn ten_blind_minutes_need_not_be_in_a_row() {
    let every_third_sees = (0..5).fold(Draft::healthy(30).absent(0..15, Metric::RedisUp), |draft, third| {
        draft.green(third * 3..third * 3 + 1, Metric::RedisUp, 1.0)
    });
    assert_eq!(last(every_third_sees), "rollback canary blind 15");
}

#[test]
fn only_the_latest_fifteen_minutes_are_looked_at() {
    let draft = Draft::healthy(40).absent(3..8, Metric::RedisUp);
    assert_eq!(last(draft.clone().absent(13..18, Metric::RedisUp)), "rollback half blind 18");
    assert_eq!(last(draft.absent(14..19, Metric::RedisUp)), "promote canary 15");
}

#[test]
fn not_a_number_and_infinity_are_blind() {
    for value in [f64::NAN, f64::INFINITY] {
        assert_eq!(
            last(Draft::healthy(30).green(3..13, Metric::LatencyP95, value)),
            "rollback canary blind 13"
        );
    }
}

#[test]
fn minutes_without_any_row_are_blind() {
    assert_eq!(last(Draft::healthy(30).silence(3..13, Green)), "rollback canary blind 13");
}

#[test]
fn every_trigger_can_be_blind() {
    for metric in [Metric::Requests, Metric::LatencyP95, Metric::PostgresUp, Metric::RedisUp] {
        assert_eq!(last(Draft::healthy(30).absent(3..13, metric)), "rollback canary blind 13");
    }
    for metric in [Metric::Errors, Metric::Http5xx] {
        assert_eq!(last(Draft::healthy(30).green(3..13, metric, f64::NAN)), "rollback canary blind 13");
    }
}

#[test]
fn a_metric_of_an_alert_or_a_gate_only_is_not_watched_for_blindness() {
    for metric in [Metric::MemoryUtilization, Metric::DbConnectionErrors, Metric::LatencyP50] {
        assert_eq!(decisions(Draft::healthy(15).absent(0..14, metric)), ["promote canary 15"]);
    }
}

#[test]
fn without_traffic_latency_is_not_blind_but_a_service_is() {
    let quiet = Draft::healthy(30).green(3..9, Metric::Requests, 0.0).absent(3..9, Metric::LatencyP95);
    assert!(!decisions(quiet.clone()).iter().any(|decision| decision.contains("blind")));
    assert_eq!(decisions(quiet.absent(3..6, Metric::RedisUp))[0], "hold canary blind 6");
}

#[test]
fn what_is_skipped_is_not_blind() {
    assert_eq!(last(Draft::healthy(15).without(Green, &Metric::RedisUp)), "promote canary 15");
}

#[test]
fn blindness_lives_on_across_a_promotion() {
    let draft = Draft::healthy(60).absent(13..15, Metric::RedisUp).absent(16..24, Metric::RedisUp);
    assert_eq!(verdicts(draft), ["promote canary 15", "rollback half blind 24"]);
}

#[test]
fn the_third_minute_without_requests_alerts_and_the_tenth_rolls_back() {
    let quiet = |minutes| decisions(Draft::healthy(14).green(minutes, Metric::Requests, 0.0));
    assert!(quiet(3..5).is_empty());
    assert_eq!(quiet(3..6), ["alert canary no-traffic 6", "alert_cleared canary no-traffic 7"]);
    assert_eq!(quiet(3..12), ["alert canary no-traffic 6", "alert_cleared canary no-traffic 13"]);
    assert_eq!(quiet(3..13), ["alert canary no-traffic 6", "rollback canary no-traffic 13"]);
}

#[test]
fn silence_before_the_first_request_is_no_loss() {
    let draft = Draft::healthy(35).green(0..14, Metric::Requests, 0.0);
    assert_eq!(decisions(draft), ["promote canary 29"]);
}

#[test]
fn a_minute_with_requests_ends_the_streak() {
    let draft = Draft::healthy(20).green(3..15, Metric::Requests, 0.0).green(9..10, Metric::Requests, 1.0);
    assert_eq!(last(draft), "nothing");
}

#[test]
fn a_minute_without_a_value_of_requests_neither_extends_nor_ends_the_streak() {
    let quiet = Draft::healthy(20).green(3..20, Metric::Requests, 0.0);
    assert_eq!(last(quiet.clone().absent(7..9, Metric::Requests)), "rollback canary no-traffic 15");
    assert_eq!(last(quiet.green(7..8, Metric::Requests, f64::NAN)), "rollback canary no-traffic 14");
}

#[test]
fn blindness_comes_before_loss_of_traffic_and_after_the_triggers() {
    let draft = Draft::healthy(20).green(3..20, Metric::Requests, 0.0).absent(3..13, Metric::RedisUp);
    assert_eq!(last(draft.clone()), "rollback canary blind 13");
    assert_eq!(last(draft.green(12..13, Metric::PostgresUp, 0.0)), "rollback canary critical-service 13");
}

#[test]
fn loss_of_traffic_comes_before_the_deadline() {
    let draft = Draft::healthy(30).green(5..20, Metric::Http5xx, 1.0).green(20..30, Metric::Requests, 0.0);
    assert_eq!(last(draft), "rollback canary no-traffic 30");
}
