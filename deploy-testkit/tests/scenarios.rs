//! Every scenario ends as it should, the same seed gives the same run, and the scenarios mean what they say.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

use std::time::Duration;

use mpac_deploy_core::decision::DecisionKind;
use mpac_deploy_core::effect::{Direction, ObservedWeights};
use mpac_deploy_core::policy::mpac;
use mpac_deploy_testkit::fault::Call;
use mpac_deploy_testkit::invariant::check_all;
use mpac_deploy_testkit::sim::{SimOutcome, SimReport};
use mpac_deploy_testkit::trace::Trace;
use mpac_deploy_testkit::{scenario, sim};

fn run(name: &str, seed: u64) -> SimReport {
    sim::run(&scenario::by_name(name).unwrap(), &mpac(), seed).unwrap()
}

fn decided(report: &SimReport, kind: DecisionKind) -> usize {
    report.decisions.iter().filter(|decision| decision.kind == kind).count()
}

/// A table: one line for each scenario that does not end as it should or breaks an invariant.
fn check_every_scenario(seed: u64) {
    let mut wrong = Vec::new();
    for scenario in scenario::all() {
        let report = sim::run(&scenario, &mpac(), seed).unwrap();
        let found = format!("{}: {:?}", scenario.name, report.outcome);
        if !report.as_expected {
            wrong.push(format!("{found} instead of {}", scenario.expected));
        }
        if let Err(what) = report.history.check() {
            wrong.push(format!("{found}: {what}"));
        }
        let trace = Trace::from_journal(report.journal).unwrap();
        if let Err(violation) = check_all(&trace) {
            wrong.push(format!("{found}: {violation}"));
        }
    }
    assert!(wrong.is_empty(), "with seed {seed}:\n{}", wrong.join("\n"));
}

#[test]
fn every_scenario_ends_as_it_expects_and_keeps_every_invariant() {
    check_every_scenario(1);
}

#[test]
fn every_scenario_ends_as_it_expects_and_keeps_every_invariant_with_another_seed() {
    check_every_scenario(7);
}

#[test]
fn every_scenario_ends_as_it_expects_and_keeps_every_invariant_with_a_third_seed() {
    check_every_scenario(2026);
}

#[test]
fn there_are_at_least_two_dozen_scenarios_and_no_two_of_one_name() {
    let mut names: Vec<&str> = scenario::all().iter().map(|scenario| scenario.name).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
    assert!(all >= 24, "{all}");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let text = |name, seed| serde_json::to_string(&run(name, seed)).unwrap();
    for name in ["healthy", "throttled-route53", "store-slow", "weights-changed-by-hand"] {
        assert!(text(name, 3) == text(name, 3), "two runs of `{name}` with one seed differ");
        assert!(text(name, 3) != text(name, 4), "the seed changes nothing in `{name}`");
    }
}

#[test]
fn an_unknown_name_is_answered_with_the_known_ones() {
    let error = scenario::by_name("heathly").unwrap_err().to_string();
    assert!(error.contains("`heathly`") && error.contains("healthy, error-spike-under"), "{error}");
}

#[test]
fn a_healthy_rollout_takes_at_least_an_hour_and_three_quarters() {
    let report = run("healthy", 1);
    let shifts: Vec<_> = report.history.weights.iter().map(|change| change.weights).collect();
    let expected = [(95, 5), (50, 50), (0, 100)].map(|(blue, green)| ObservedWeights { blue, green });
    assert_eq!(shifts, expected);
    let (first, retired) = (report.history.weights[0].at, report.history.fleet.last().unwrap().at);
    assert!(retired.since(first) >= Duration::from_secs(105 * 60), "{first} to {retired}");
}

#[test]
fn a_rollback_onto_a_sick_blue_is_held_and_goes_on_once_it_has_recovered() {
    let report = run("blue-sick-too", 1);
    let hold = report.decisions.iter().find(|decision| decision.kind == DecisionKind::Hold).unwrap();
    let released = report.decisions.iter().find(|d| d.kind == DecisionKind::HoldReleased).unwrap();
    assert!(hold.reason.contains("2 of 4 targets are healthy"), "{}", hold.reason);
    let back = report.history.weights.iter().find(|w| w.direction == Some(Direction::Back)).unwrap();
    assert!(hold.at < released.at && released.at <= back.at);
    assert!(matches!(run("blue-sick-for-good", 1).outcome, SimOutcome::Held { why } if why == hold.reason));
}

#[test]
fn a_rollback_goes_ahead_while_the_store_is_down_and_is_recorded_later() {
    let report = run("store-down", 1);
    let began = report.history.weights[1].at.after(Duration::from_secs(10 * 60));
    let outage = began..began.after(Duration::from_secs(8 * 60));
    let back = report.history.weights.iter().find(|w| w.direction == Some(Direction::Back)).unwrap();
    assert!(outage.contains(&back.at), "{} is not within {outage:?}", back.at);
    assert_eq!(decided(&report, DecisionKind::RolledBack), 1);
}

#[test]
fn an_answer_that_was_lost_changes_the_world_once() {
    let report = run("answer-lost", 1);
    assert_eq!(report.history.weights.len(), 3);
    assert_eq!(report.calls[&Call::TrafficSet], 5);
}

#[test]
fn weights_that_somebody_else_has_set_are_never_overwritten() {
    let report = run("weights-left-changed", 1);
    let last = report.history.weights.last().unwrap();
    assert_eq!((last.effect.as_ref(), last.weights), (None, ObservedWeights { blue: 80, green: 20 }));
    assert!(matches!(report.outcome, SimOutcome::Held { why } if why.contains("blue 80 / green 20")));
}

#[test]
fn late_metrics_hold_the_promotion_and_make_the_bake_longer() {
    let (late, healthy) = (run("metrics-late", 1), run("healthy", 1));
    assert_eq!(decided(&late, DecisionKind::Hold), 1);
    assert!(late.ended > healthy.ended);
}

#[test]
fn a_notifier_that_hangs_slows_nothing() {
    let (hanging, healthy) = (run("notifier-hangs", 1), run("healthy", 1));
    assert_eq!(hanging.history, healthy.history);
}

#[test]
fn traffic_follows_the_record_back_to_blue() {
    let report = run("incident-5-minutes", 1);
    let last = report.minutes.last().unwrap();
    let requests = |side: &mpac_deploy_testkit::world::SideMetrics| side[&"requests".into()];
    assert!(requests(&last.green) < 0.02 * requests(&last.blue), "{last:?}");
}

#[test]
fn a_port_that_hangs_is_found_out_as_fast_as_one_that_fails() {
    let took = |name, after: u64| {
        let report = run(name, 1);
        let began = report.history.weights[1].at.after(Duration::from_secs(after * 60));
        let back = report.history.weights.iter().find(|w| w.direction == Some(Direction::Back)).unwrap();
        back.at.since(began).as_secs()
    };
    assert!(took("metrics-hanging", 8) <= 14 * 60);
    assert!(took("probes-hanging", 5) <= 60);
}
