//! Stages, bake, deadline (semantics 4).

use super::super::{End, Stage};
use super::*;

#[test]
fn a_healthy_rollout_takes_an_hour_and_three_quarters() {
    let expected = ["promote canary 15", "promote half 45", "complete full 105"];
    assert_eq!(decisions(Draft::healthy(105)), expected);
    let outcome = replay(Draft::healthy(105));
    assert_eq!((outcome.outcome, outcome.stage), (End::Completed, Stage::Full));
}

#[test]
fn nothing_after_the_decision_complete_is_read() {
    let draft = Draft::healthy(200).green(105..200, Metric::Http5xx, 100.0);
    assert_eq!(decisions(draft), decisions(Draft::healthy(105)));
}

#[test]
fn a_recording_that_ends_early_is_in_progress() {
    for (minutes, stage) in [(14, Stage::Canary), (15, Stage::Half), (44, Stage::Half), (104, Stage::Full)] {
        let outcome = replay(Draft::healthy(minutes));
        assert_eq!((outcome.outcome, outcome.stage), (End::InProgress, stage), "{minutes} minutes");
    }
}

#[test]
fn a_rollback_is_the_last_decision_and_names_its_stage() {
    let outcome = replay(Draft::healthy(105).green(50..51, Metric::RedisUp, 0.0));
    assert_eq!((outcome.outcome, outcome.stage), (End::RolledBack, Stage::Full));
    assert_eq!(
        last(Draft::healthy(105).green(50..51, Metric::RedisUp, 0.0)),
        "rollback full critical-service 51"
    );
}

#[test]
fn the_replay_starts_at_the_first_requests_of_green() {
    let draft =
        Draft::healthy(30).set(-20..0, Blue, Metric::Requests, 1.0).green(-5..0, Metric::RedisUp, 0.0);
    assert_eq!(decisions(draft), ["promote canary 15"]);
}

#[test]
fn the_replay_ends_at_the_last_row_of_green_whatever_its_metric() {
    let blind = Draft::healthy(2).green(20..21, Metric::LatencyP99, 1.0);
    assert_eq!(last(blind), "rollback canary blind 12");
    let blue_goes_on = Draft::healthy(30).silence(2..30, Green);
    assert_eq!(last(blue_goes_on), "nothing");
}

#[test]
fn a_minute_without_evidence_makes_the_bake_longer_by_a_minute() {
    assert_eq!(verdicts(Draft::healthy(16).absent(3..4, Metric::LatencyP95)), ["promote canary 16"]);
    assert_eq!(verdicts(Draft::healthy(17).silence(3..5, Green)), ["promote canary 17"]);
}

#[test]
fn a_minute_without_requests_does_not_count_though_every_value_is_there() {
    let draft = Draft::healthy(16).green(3..4, Metric::Requests, 0.0).green(0..16, Metric::Errors, 0.0);
    assert_eq!(verdicts(draft.green(0..16, Metric::Http5xx, 0.0)), ["promote canary 16"]);
}

#[test]
fn a_metric_that_no_gate_of_the_stage_needs_may_be_absent() {
    for metric in [Metric::LatencyP99, Metric::MemoryUtilization, Metric::Transactions, Metric::RedisUp] {
        assert_eq!(verdicts(Draft::healthy(16).absent(3..5, metric)), ["promote canary 15"]);
    }
}

#[test]
fn each_stage_needs_the_metrics_of_its_own_gates() {
    for metric in [Metric::MemoryUtilization, Metric::Transactions, Metric::TransactionFailures] {
        assert_eq!(verdicts(Draft::healthy(46).absent(20..21, metric))[1], "promote half 46");
    }
    for metric in [Metric::LatencyP50, Metric::LatencyP99, Metric::LogAnomalies, Metric::Transactions] {
        assert_eq!(verdicts(Draft::healthy(106).absent(50..51, metric))[2], "complete full 106");
    }
    let draft = Draft::healthy(105)
        .absent(50..51, Metric::MemoryUtilization)
        .absent(50..51, Metric::TransactionFailures);
    assert_eq!(last(draft), "complete full 105");
}

#[test]
fn half_needs_blue_and_full_does_not() {
    for metric in [Metric::Requests, Metric::LatencyP95] {
        let draft = Draft::healthy(105).remove(20..21, Blue, &metric).silence(50..105, Blue);
        let expected = ["promote canary 15", "promote half 46"];
        assert_eq!(verdicts(draft), expected);
    }
}

#[test]
fn a_promotion_waits_for_the_gates() {
    // The 5xx leaves the window of 15 after minute 3 + 15.
    assert_eq!(verdicts(Draft::healthy(30).green(3..4, Metric::Http5xx, 1.0)), ["promote canary 19"]);
}

#[test]
fn a_stage_may_pass_in_its_last_period() {
    assert_eq!(verdicts(Draft::healthy(30).green(14..15, Metric::Http5xx, 1.0)), ["promote canary 30"]);
}

#[test]
fn a_stage_that_has_not_passed_after_twice_its_bake_rolls_back() {
    let canary = Draft::healthy(31).green(14..16, Metric::Http5xx, 1.0);
    assert_eq!(verdicts(canary), ["rollback canary canary.http-5xx 30"]);
    let half = Draft::healthy(105).set(15..105, Blue, Metric::LatencyP95, 40.0);
    assert_eq!(last(half), "rollback half half.comparison 75");
    let full = Draft::healthy(200).green(104..106, Metric::LogAnomalies, 1.0);
    assert_eq!(last(full), "rollback full full.log-anomalies 165");
}

#[test]
fn the_first_gate_that_does_not_hold_in_the_last_period_is_named() {
    let draft = Draft::healthy(30).green(10..30, Metric::Http5xx, 1.0);
    assert_eq!(last(draft.clone()), "rollback canary canary.http-5xx 30");
    let draft = draft.green(15..30, Metric::LatencyP95, 500.0);
    assert_eq!(last(draft.clone()), "rollback canary canary.latency-p95 30");
    assert_eq!(last(draft.green(15..30, Metric::Errors, 1.0)), "rollback canary canary.error-rate 30");
}

#[test]
fn a_gate_that_failed_only_earlier_is_not_named() {
    let draft =
        Draft::healthy(30).green(14..15, Metric::LatencyP95, 500.0).green(16..17, Metric::Http5xx, 1.0);
    assert_eq!(last(draft), "rollback canary canary.http-5xx 30");
}

#[test]
fn the_rule_is_evidence_if_the_gates_were_not_looked_at_in_the_last_period() {
    let failing = Draft::healthy(30).green(10..30, Metric::Http5xx, 1.0);
    assert_eq!(last(failing.absent(29..30, Metric::LatencyP95)), "rollback canary canary.evidence 30");
    let every_other = (0..30)
        .step_by(2)
        .fold(Draft::healthy(30), |draft, minute| draft.absent(minute..minute + 1, Metric::LatencyP95));
    assert_eq!(last(every_other.clone()), "promote canary 30");
    assert_eq!(last(every_other.absent(1..2, Metric::LatencyP95)), "rollback canary canary.evidence 30");
}

#[test]
fn the_rule_is_evidence_if_promotion_was_held_in_the_last_period() {
    let draft = Draft::healthy(30).green(14..30, Metric::Http5xx, 1.0).absent(27..30, Metric::PostgresUp);
    assert_eq!(last(draft), "rollback canary canary.evidence 30");
}

#[test]
fn the_deadline_counts_minutes_without_evidence_too() {
    let gaps = [15..26, 27..40, 41..48];
    let draft =
        gaps.into_iter().fold(Draft::healthy(105), |draft, gap| draft.absent(gap, Metric::Transactions));
    assert_eq!(last(draft), "rollback half half.evidence 75");
}

#[test]
fn the_next_stage_counts_from_its_own_start() {
    // What memory was in canary's last minute is outside of half's window.
    let draft = Draft::healthy(45).green(14..15, Metric::MemoryUtilization, 0.99).green(
        16..17,
        Metric::LatencyP95,
        600.0,
    );
    assert_eq!(verdicts(draft), ["promote canary 15", "promote half 45"]);
}
