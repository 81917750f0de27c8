//! The machine, one fact a test: which effects and decisions follow from which events.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, outside a test function")]

mod rig;

use core::time::Duration;
use std::collections::BTreeMap;

use mpac_deploy_core::analysis::RuleRef;
use mpac_deploy_core::decision::{DecisionKind, Severity};
use mpac_deploy_core::effect::{
    Answer, CheckResult, Direction, EffectKind, Failure, Health, ObservedWeights, Retry,
};
use mpac_deploy_core::machine::{Cause, Command, CommandKind, Control, Event, Outcome, Phase, Rejected};
use mpac_deploy_core::metric::{Metric, Side};
use mpac_deploy_core::policy::IssueKind;
use mpac_deploy_core::units::Weights;
use rig::{Rig, unavailable};

const ABORT: CommandKind = CommandKind::Abort { issue: IssueKind::HighErrorRate, force: false };

#[test]
fn a_healthy_release_goes_through_every_stage_and_blue_is_retired() {
    let mut rig = Rig::new();
    rig.run_to_end();
    assert_eq!(rig.rollout.outcome(), Some(&Outcome::Completed));
    assert_eq!(
        rig.kinds(),
        [
            DecisionKind::Start,
            DecisionKind::Prepared,
            DecisionKind::Shift,
            DecisionKind::InSync,
            DecisionKind::ReadBack,
            DecisionKind::Bake,
            DecisionKind::Share,
            DecisionKind::Promote,
            DecisionKind::Shift,
            DecisionKind::InSync,
            DecisionKind::ReadBack,
            DecisionKind::Bake,
            DecisionKind::Share,
            DecisionKind::Promote,
            DecisionKind::Shift,
            DecisionKind::InSync,
            DecisionKind::ReadBack,
            DecisionKind::Bake,
            DecisionKind::Share,
            DecisionKind::Complete,
            DecisionKind::Decommission,
            DecisionKind::Retired,
        ]
    );
    assert_eq!(rig.weights_set, [(95, 5), (50, 50), (0, 100)]);
}

#[test]
fn four_facts_about_the_weights_are_in_the_log_in_their_order() {
    let mut rig = Rig::new();
    rig.step_until_decision(DecisionKind::Share);
    let facts: Vec<_> = rig.decisions.iter().skip_while(|told| told.kind != DecisionKind::InSync).collect();
    let told: Vec<_> = facts.iter().map(|told| (told.kind, told.stage.as_deref())).collect();
    let canary = Some("canary");
    assert_eq!(
        told,
        [
            (DecisionKind::InSync, canary),
            (DecisionKind::ReadBack, canary),
            (DecisionKind::Bake, canary),
            (DecisionKind::Share, canary)
        ]
    );
    assert!(facts[1].reason.contains("blue 95 / green 5"), "{}", facts[1].reason);
    assert_eq!(facts[2].at.since(facts[1].at).as_secs(), 60, "the TTL");
    assert!(facts[3].reason.contains("5.0 % of the requests (1000 of 20000)"), "{}", facts[3].reason);
    assert!(facts[3].evidence_end > Some(facts[2].at));
}

#[test]
fn a_share_far_from_the_weights_is_an_alert_that_moves_nothing_and_clears() {
    let mut rig = Rig::new();
    rig.green_share = Some(0.2);
    let told = rig.step_until_decision(DecisionKind::Alert).decisions;
    let alert = told.iter().find(|told| told.kind == DecisionKind::Alert).unwrap();
    assert_eq!(alert.rule.as_deref(), Some("traffic-share"));
    assert!(alert.reason.contains("20.0 % of the requests"), "{}", alert.reason);
    rig.green_share = None;
    rig.step_until_decision(DecisionKind::AlertCleared);
    rig.run_to_end();
    assert_eq!(rig.rollout.outcome(), Some(&Outcome::Completed));
    let alerts = rig.kinds().iter().filter(|kind| **kind == DecisionKind::Alert).count();
    assert_eq!(alerts, 1);
}

#[test]
fn a_share_far_from_the_weights_is_told_once_and_its_state_outlives_the_stage() {
    let mut rig = Rig::new();
    rig.green_share = Some(0.2);
    rig.run_to_end();
    assert_eq!(rig.rollout.outcome(), Some(&Outcome::Completed));
    let kinds = rig.kinds();
    let count = |wanted| kinds.iter().filter(|kind| **kind == wanted).count();
    assert_eq!((count(DecisionKind::Alert), count(DecisionKind::AlertCleared)), (1, 0));
    assert_eq!(count(DecisionKind::Share), 3);
}

#[test]
fn nothing_is_set_before_green_is_healthy_and_checked() {
    let mut rig = Rig::new();
    rig.run_until(|rig| !rig.weights_set.is_empty());
    let done = rig.done.iter().map(EffectKind::name).collect::<Vec<_>>();
    assert_eq!(
        done,
        [
            "read-weights",
            "provision",
            "check-health",
            "check-health",
            "run-check",
            "run-check",
            "read-weights",
            "check-health",
            "set-weights"
        ]
    );
}

#[test]
fn a_record_that_already_sends_traffic_to_green_is_left_alone() {
    let mut rig = Rig::new();
    rig.observed = ObservedWeights { blue: 50, green: 50 };
    rig.run_to_end();
    assert!(matches!(rig.rollout.outcome(), Some(Outcome::Abandoned { .. })));
    assert!(rig.weights_set.is_empty() && !rig.did("provision"));
}

#[test]
fn two_zero_weights_are_no_blue_environment() {
    let mut rig = Rig::new();
    rig.observed = ObservedWeights { blue: 0, green: 0 };
    rig.run_to_end();
    assert!(matches!(rig.rollout.outcome(), Some(Outcome::Abandoned { .. })));
}

#[test]
fn a_bad_image_ends_the_rollout_before_its_deadline_and_without_traffic() {
    let mut rig = Rig::new();
    rig.green = Health::Failed { detail: "CannotPullContainerError".into() };
    rig.run_to_end();
    assert!(rig.last_reason().contains("CannotPullContainerError"), "{}", rig.last_reason());
    assert!(rig.weights_set.is_empty());
    assert!(rig.minutes() < 15);
}

#[test]
fn provisioning_that_takes_too_long_says_what_was_missing() {
    let mut rig = Rig::new();
    rig.green = Health::Starting { detail: "1 of 3 targets healthy".into() };
    rig.run_to_end();
    assert!(rig.last_reason().contains("15 min: 1 of 3 targets healthy"), "{}", rig.last_reason());
    assert!(rig.weights_set.is_empty());
}

#[test]
fn a_failed_check_keeps_all_traffic_on_blue() {
    let mut rig = Rig::new();
    rig.check = CheckResult::Failed { detail: "login answered 500".into() };
    rig.run_to_end();
    assert!(rig.last_reason().contains("`smoke` failed: login answered 500"), "{}", rig.last_reason());
    assert!(rig.weights_set.is_empty());
}

#[test]
fn a_trigger_rolls_back_in_the_same_step_as_its_evidence() {
    let mut rig = Rig::baking(0);
    rig.metric(Metric::Http5xx, 11.0);
    let effects = rig.step_until_decision(DecisionKind::Rollback);
    let set = EffectKind::SetWeights { weights: Weights::ALL_BLUE, direction: Direction::Back };
    assert_eq!(effects.run.iter().map(|effect| &effect.kind).collect::<Vec<_>>(), [&set]);
    rig.run_to_end();
    assert!(matches!(rig.rollout.outcome(), Some(Outcome::RolledBack { .. })));
    assert_eq!(rig.observed, ObservedWeights { blue: 100, green: 0 });
}

#[test]
fn a_trigger_at_full_traffic_rolls_back_while_blue_waits_for_its_end() {
    let mut rig = Rig::baking(2);
    rig.metric(Metric::Http5xx, 11.0);
    rig.run_to_end();
    assert!(matches!(rig.rollout.outcome(), Some(Outcome::RolledBack { .. })));
    assert!(!rig.did("retire-blue"));
}

#[test]
fn whoever_looks_sees_the_evidence_of_every_rule_beside_its_limit() {
    let mut rig = Rig::baking(0);
    rig.metric(Metric::LatencyP95, 2100.0);
    rig.run_until(|rig| rig.rollout.judge().counted() == 3);
    let judge = rig.rollout.judge();
    let plan = rig.rollout.plan();
    let before = judge.clone();
    let standing = judge.standing(plan);
    assert_eq!(judge, &before, "a look decides nothing");
    let said: BTreeMap<String, (bool, String)> = standing
        .iter()
        .filter(|verdict| !matches!(verdict.rule, RuleRef::Alert(_)))
        .map(|verdict| (verdict.rule_id(plan), (verdict.holds, verdict.reason(plan, judge))))
        .collect();
    let (fires, why) = &said["latency-p95"];
    assert!(!fires && why.contains("4 consecutive values, the latest 2100 ms"), "{why}");
    assert!(!said["http-5xx"].0);
    let gates = said.keys().filter(|id| id.starts_with("canary.")).count();
    assert_eq!(gates, plan.policy().stages[0].gates.len(), "{said:?}");
}

/// A look at any time says of triggers what the judge found: no trigger fires for the one and not for the other.
#[test]
fn a_look_finds_the_triggers_firing_that_the_judge_found_firing() {
    let mut rig = Rig::baking(0);
    rig.metric(Metric::Http5xx, 11.0);
    rig.metric(Metric::LatencyP95, 2100.0);
    rig.run_until(|rig| !rig.rollout.judge().latest().firing.is_empty());
    let judge = rig.rollout.judge();
    let found = judge.latest().firing.iter();
    let looked = judge.standing(rig.rollout.plan());
    let firing = looked.iter().filter(|verdict| verdict.holds && matches!(verdict.rule, RuleRef::Trigger(_)));
    assert!(found.clone().count() > 0 && found.eq(firing));
}

#[test]
fn an_outcome_that_comes_twice_is_rejected_and_changes_nothing() {
    let mut rig = Rig::baking(0);
    let effect = rig.pending().expect("a look is under way");
    let event = Event::Outcome { effect: effect.id.clone(), result: Ok(rig.answer(&effect.kind)) };
    rig.handle(event.clone()).unwrap();
    let before = rig.rollout.clone();
    assert_eq!(rig.handle(event), Err(Rejected::UnknownEffect(effect.id)));
    assert_eq!(rig.rollout, before);
}

#[test]
fn an_answer_that_does_not_fit_its_effect_is_rejected() {
    let mut rig = Rig::new();
    let effect = rig.pending().unwrap();
    let event = Event::Outcome { effect: effect.id.clone(), result: Ok(Answer::Done) };
    assert_eq!(rig.handle(event), Err(Rejected::UnfitAnswer(effect.id)));
}

#[test]
fn the_outcome_of_a_forward_change_is_not_wanted_once_a_rollback_began() {
    let mut rig = Rig::new();
    rig.run_until(|rig| {
        matches!(rig.pending().map(|effect| effect.kind), Some(EffectKind::SetWeights { .. }))
    });
    let forward = rig.pending().unwrap();
    rig.command(ABORT).unwrap();
    let wanted: Vec<_> = rig.rollout.outstanding().map(|effect| effect.id.clone()).collect();
    assert!(!wanted.contains(&forward.id));
    let late = Event::Outcome { effect: forward.id.clone(), result: Ok(Answer::Done) };
    assert_eq!(rig.handle(late), Err(Rejected::UnknownEffect(forward.id)));
}

#[test]
fn a_forward_change_that_lands_after_the_rollback_is_undone() {
    let mut rig = Rig::baking(0);
    rig.command(ABORT).unwrap();
    rig.run_until(|rig| rig.observed.is(Weights::ALL_BLUE));
    rig.observed = ObservedWeights { blue: 50, green: 50 };
    rig.run_to_end();
    assert_eq!(rig.observed, ObservedWeights { blue: 100, green: 0 });
    assert!(rig.kinds().contains(&DecisionKind::Retry));
}

#[test]
fn an_effect_without_an_outcome_is_issued_again_under_its_id() {
    let mut rig = Rig::new();
    rig.run_until(|rig| {
        matches!(rig.pending().map(|effect| effect.kind), Some(EffectKind::SetWeights { .. }))
    });
    let lost = rig.pending().unwrap();
    rig.lose(&lost.id);
    rig.run_until(|rig| !rig.weights_set.is_empty());
    let again = rig.done_effects.last().unwrap();
    assert_eq!((again.id.clone(), again.attempt), (lost.id, 2));
}

#[test]
fn a_change_that_cannot_be_made_is_taken_back_after_its_attempts() {
    let mut rig = Rig::new();
    rig.fail_forward = Some(unavailable("Throttling"));
    rig.run_to_end();
    assert!(matches!(rig.rollout.outcome(), Some(Outcome::RolledBack { .. })));
    assert_eq!(rig.forward_attempts, 3);
    assert_eq!(rig.observed, ObservedWeights { blue: 100, green: 0 });
}

#[test]
fn a_refused_change_is_not_tried_again() {
    let mut rig = Rig::new();
    rig.fail_forward = Some(Failure { message: "AccessDenied".into(), retry: Retry::Useless });
    rig.run_to_end();
    assert_eq!(rig.forward_attempts, 1);
}

#[test]
fn a_rollback_has_no_attempt_limit() {
    let mut rig = Rig::baking(0);
    rig.fail_back = 40;
    rig.command(ABORT).unwrap();
    rig.run_to_end();
    assert!(matches!(rig.rollout.outcome(), Some(Outcome::RolledBack { .. })));
    assert_eq!(rig.observed, ObservedWeights { blue: 100, green: 0 });
}

#[test]
fn a_rollback_onto_a_broken_blue_is_held_and_goes_on_when_blue_is_healthy() {
    let mut rig = Rig::baking(1);
    rig.blue = Health::Unhealthy { detail: "0 of 3 targets healthy".into() };
    rig.run_minutes(2);
    rig.metric(Metric::Http5xx, 11.0);
    rig.run_minutes(10);
    let hold = rig.decisions.iter().find(|decision| decision.kind == DecisionKind::Hold).unwrap();
    assert_eq!((hold.severity(), hold.rule.as_deref()), (Severity::Critical, Some("blue-unhealthy")));
    assert!(rig.decisions.iter().all(|other| other == hold || other.severity() < Severity::Critical));
    assert_eq!(rig.observed, ObservedWeights { blue: 50, green: 50 });
    rig.blue = Health::Healthy;
    rig.run_to_end();
    assert!(matches!(rig.rollout.outcome(), Some(Outcome::RolledBack { .. })));
}

#[test]
fn a_person_can_force_a_rollback_onto_a_broken_blue() {
    let mut rig = Rig::baking(1);
    rig.blue = Health::Unhealthy { detail: "disk full".into() };
    rig.run_minutes(2);
    rig.command(ABORT).unwrap();
    rig.run_minutes(5);
    assert_eq!(rig.observed, ObservedWeights { blue: 50, green: 50 });
    rig.command(CommandKind::Abort { issue: IssueKind::SecurityVulnerability, force: true }).unwrap();
    rig.run_to_end();
    assert_eq!(rig.observed, ObservedWeights { blue: 100, green: 0 });
}

#[test]
fn a_blue_of_unknown_health_takes_the_traffic_back() {
    let mut rig = Rig::baking(1);
    rig.health_fails = true;
    rig.run_minutes(3);
    rig.metric(Metric::Http5xx, 11.0);
    rig.run_to_end();
    assert_eq!(rig.observed, ObservedWeights { blue: 100, green: 0 });
}

#[test]
fn weights_that_somebody_else_changed_pause_the_rollout_and_are_not_overwritten() {
    let mut rig = Rig::baking(0);
    rig.observed = ObservedWeights { blue: 70, green: 30 };
    rig.run_minutes(60);
    assert!(matches!(rig.rollout.control(), Control::Paused { .. }));
    assert_eq!(rig.observed, ObservedWeights { blue: 70, green: 30 });
    assert_eq!(rig.kinds().iter().filter(|kind| **kind == DecisionKind::Pause).count(), 1);
}

#[test]
fn a_drifted_rollout_goes_on_when_the_weights_are_back_and_it_is_resumed() {
    let mut rig = Rig::baking(0);
    rig.observed = ObservedWeights { blue: 70, green: 30 };
    rig.run_minutes(5);
    rig.observed = ObservedWeights { blue: 95, green: 5 };
    rig.command(CommandKind::Resume).unwrap();
    rig.run_to_end();
    assert_eq!(rig.rollout.outcome(), Some(&Outcome::Completed));
}

#[test]
fn a_drifted_rollout_is_still_rolled_back_by_a_trigger() {
    let mut rig = Rig::baking(0);
    rig.observed = ObservedWeights { blue: 70, green: 30 };
    rig.run_minutes(5);
    rig.metric(Metric::Http5xx, 11.0);
    rig.run_to_end();
    assert_eq!(rig.observed, ObservedWeights { blue: 100, green: 0 });
}

#[test]
fn a_pause_stops_promotions_and_the_deadline_but_no_trigger() {
    let mut rig = Rig::baking(0);
    rig.command(CommandKind::Pause).unwrap();
    rig.run_minutes(300);
    assert!(matches!(rig.rollout.phase(), Phase::Baking(baking) if baking.stage == 0));
    rig.metric(Metric::Http5xx, 11.0);
    rig.run_to_end();
    assert!(matches!(rig.rollout.outcome(), Some(Outcome::RolledBack { .. })));
}

#[test]
fn a_resumed_rollout_goes_on() {
    let mut rig = Rig::baking(0);
    rig.command(CommandKind::Pause).unwrap();
    rig.run_minutes(60);
    rig.command(CommandKind::Resume).unwrap();
    rig.run_to_end();
    assert_eq!(rig.rollout.outcome(), Some(&Outcome::Completed));
}

#[test]
fn a_pause_during_the_preparation_stops_the_first_shift() {
    let mut rig = Rig::new();
    rig.command(CommandKind::Pause).unwrap();
    rig.run_minutes(120);
    assert!(rig.weights_set.is_empty());
    rig.command(CommandKind::Resume).unwrap();
    rig.run_to_end();
    assert_eq!(rig.rollout.outcome(), Some(&Outcome::Completed));
}

#[test]
fn promote_now_skips_the_rest_of_a_bake() {
    let mut rig = Rig::baking(0);
    rig.run_minutes(4);
    rig.command(CommandKind::Promote { force: false }).unwrap();
    rig.run_until(|rig| rig.weights_set.len() == 2);
    assert!(rig.minutes() < 15, "{}", rig.minutes());
}

#[test]
fn promote_now_is_refused_while_an_alert_holds_unless_forced() {
    let mut rig = Rig::baking(0);
    rig.metric(Metric::MemoryUtilization, 0.9);
    rig.run_minutes(4);
    let refused = rig.command(CommandKind::Promote { force: false });
    assert!(matches!(refused, Err(Rejected::NeedsForce(_))), "{refused:?}");
    rig.command(CommandKind::Promote { force: true }).unwrap();
}

#[test]
fn a_command_needs_a_name_and_a_reason() {
    let mut rig = Rig::baking(0);
    let before = rig.rollout.clone();
    assert_eq!(rig.command_by("", CommandKind::Pause), Err(Rejected::Anonymous));
    let without_reason = Command { kind: CommandKind::Pause, by: "ada".into(), why: " ".into() };
    assert_eq!(rig.handle(Event::Command(without_reason)), Err(Rejected::Anonymous));
    assert_eq!(rig.rollout, before);
}

#[test]
fn a_command_that_is_posted_twice_is_obeyed_once() {
    let mut rig = Rig::baking(0);
    rig.run_minutes(4);
    let command = Command { kind: CommandKind::Promote { force: true }, by: "ada".into(), why: "now".into() };
    let posted = Event::Posted { id: "c1".into(), command };
    rig.handle(posted.clone()).unwrap();
    assert_eq!(rig.rollout.stage(), Some(1));
    let before = rig.rollout.clone();
    assert_eq!(rig.handle(posted), Err(Rejected::AlreadyObeyed("c1".into())));
    assert_eq!(rig.rollout, before);
}

#[test]
fn a_command_that_comes_too_late_says_so() {
    let mut rig = Rig::baking(0);
    assert_eq!(rig.command(CommandKind::Resume), Err(Rejected::NotPaused));
    rig.command(ABORT).unwrap();
    assert_eq!(rig.command(ABORT), Err(Rejected::RollingBack));
    rig.run_to_end();
    assert!(matches!(rig.command(CommandKind::Pause), Err(Rejected::Finished(_))));
}

#[test]
fn a_completed_rollout_starts_blue_again_before_traffic_goes_back() {
    let mut rig = Rig::new();
    rig.run_to_end();
    rig.done.clear();
    rig.blue = Health::Starting { detail: "0 of 3".into() };
    rig.command(ABORT).unwrap();
    rig.run_minutes(5);
    assert_eq!(rig.observed, ObservedWeights { blue: 0, green: 100 });
    rig.blue = Health::Healthy;
    rig.run_to_end();
    assert_eq!(rig.observed, ObservedWeights { blue: 100, green: 0 });
    assert_eq!(rig.done.first(), Some(&EffectKind::ReviveBlue));
}

#[test]
fn blue_is_kept_for_an_hour_after_the_cutover() {
    let mut rig = Rig::baking(2);
    let cutover = rig.rollout.now();
    // A person ends the bake at once; the wait is not theirs to skip.
    rig.command(CommandKind::Promote { force: true }).unwrap();
    rig.run_to_end();
    assert_eq!(rig.rollout.outcome(), Some(&Outcome::Completed));
    assert!(rig.retired_at.unwrap().since(cutover).as_secs() >= 3600);
}

#[test]
fn a_probe_fires_at_the_third_failure_in_a_row() {
    let mut rig = Rig::with_probes();
    rig.run_until(|rig| matches!(rig.rollout.phase(), Phase::Baking(_)));
    rig.probe_answers = vec![false, false, true, false, false, false];
    rig.run_to_end();
    assert!(matches!(rig.rollout.outcome(), Some(Outcome::RolledBack { .. })));
    assert_eq!(rig.probe_answers, Vec::<bool>::new());
    assert!(rig.reason_of(DecisionKind::Rollback).contains("postgres_up"));
}

#[test]
fn a_source_that_does_not_answer_is_evidence_of_a_source_error() {
    let mut rig = Rig::baking(0);
    rig.metrics_fail = true;
    rig.run_to_end();
    assert!(matches!(rig.rollout.outcome(), Some(Outcome::RolledBack { .. })));
    assert!(rig.decisions.iter().any(|decision| decision.rule.as_deref() == Some("blind")));
}

#[test]
fn time_that_goes_backwards_is_clamped() {
    let mut rig = Rig::baking(0);
    let now = rig.rollout.now();
    rig.set_clock_back(3600);
    rig.command(CommandKind::Pause).unwrap();
    assert_eq!(rig.rollout.now(), now);
}

#[test]
fn both_sides_health_is_looked_at_while_a_stage_bakes() {
    let mut rig = Rig::baking(0);
    rig.done.clear();
    rig.run_minutes(3);
    for side in [Side::Blue, Side::Green] {
        assert!(rig.done.contains(&EffectKind::CheckHealth { side }));
    }
}

#[test]
fn green_is_watched_while_the_answer_to_its_first_change_is_out() {
    let mut rig = Rig::new();
    rig.run_until(|rig| rig.pending().is_some_and(|effect| effect.kind.name() == "set-weights"));
    let id = rig.pending().unwrap().id;
    rig.metric(Metric::Http5xx, 11.0);
    // The change is made, and no attempt at it is ever answered.
    while rig.rollout.outcome().is_none() {
        rig.lose(&id);
        rig.step().unwrap();
    }
    let outcome = rig.rollout.outcome().unwrap();
    assert_eq!(*outcome, Outcome::RolledBack { cause: Cause::Rule("http-5xx".into()) });
}

#[test]
fn a_source_that_hangs_does_not_make_the_watch_fall_behind() {
    let mut rig = Rig::baking(1);
    let before = rig.minutes();
    while rig.rollout.outcome().is_none() {
        if let Some(effect) = rig.pending().filter(|effect| effect.kind.name() == "observe") {
            rig.lose(&effect.id);
        } else {
            rig.step().unwrap();
        }
    }
    assert_eq!(rig.rollout.outcome(), Some(&Outcome::RolledBack { cause: Cause::Rule("blind".into()) }));
    let took = rig.minutes() - before;
    assert!(took <= 15, "ten blind minutes took {took} min");
}

#[test]
fn a_service_that_never_answers_its_probes_fires_within_a_minute() {
    let mut rig = Rig::with_probes();
    rig.run_until(|rig| matches!(rig.rollout.phase(), Phase::Baking(_)));
    let before = rig.rollout.now();
    let fired = loop {
        match rig.pending().filter(|effect| effect.kind.name() == "probe") {
            Some(probe) => rig.lose(&probe.id),
            None => drop(rig.step().unwrap()),
        }
        if matches!(rig.rollout.phase(), Phase::RollingBack(_)) {
            break rig.rollout.now();
        }
    };
    assert!(rig.reason_of(DecisionKind::Rollback).contains("postgres_up"));
    assert!(fired.since(before).as_secs() <= 60, "{before} to {fired}");
}

#[test]
fn a_rollout_whose_first_change_was_overtaken_is_rolled_back_and_not_abandoned() {
    let mut rig = Rig::new();
    rig.run_until(|rig| !rig.weights_set.is_empty());
    rig.observed = ObservedWeights { blue: 50, green: 50 };
    rig.run_until(|rig| matches!(rig.rollout.control(), Control::Paused { .. }));
    rig.command(ABORT).unwrap();
    rig.run_to_end();
    assert!(matches!(rig.rollout.outcome(), Some(Outcome::RolledBack { .. })));
    assert_eq!(rig.observed, ObservedWeights { blue: 100, green: 0 });
}

#[test]
fn an_abort_before_any_change_abandons_and_tells_of_no_rollback() {
    let mut rig = Rig::new();
    rig.run_until(|rig| rig.did("provision"));
    rig.command(ABORT).unwrap();
    assert!(matches!(rig.rollout.outcome(), Some(Outcome::Abandoned { .. })));
    assert!(!rig.kinds().contains(&DecisionKind::Rollback));
}

#[test]
fn after_an_absence_nothing_is_promoted_on_the_older_part_of_the_evidence() {
    let mut rig = Rig::baking(0);
    rig.bad_from = Some(rig.clock.after(Duration::from_secs(20 * 60)));
    rig.clock = rig.clock.after(Duration::from_secs(90 * 60));
    rig.handle(Event::Resumed).unwrap();
    rig.run_to_end();
    assert!(matches!(rig.rollout.outcome(), Some(Outcome::RolledBack { .. })));
    assert!(!rig.weights_set.contains(&(50, 50)), "{:?}", rig.weights_set);
}

#[test]
fn after_an_absence_blue_is_not_retired_before_all_evidence_is_read() {
    let mut rig = Rig::baking(2);
    rig.bad_from = Some(rig.clock.after(Duration::from_secs(80 * 60)));
    rig.clock = rig.clock.after(Duration::from_secs(120 * 60));
    rig.handle(Event::Resumed).unwrap();
    rig.run_to_end();
    assert!(matches!(rig.rollout.outcome(), Some(Outcome::RolledBack { .. })));
    assert!(!rig.did("retire-blue"));
}

#[test]
fn blue_is_not_retired_while_somebody_sends_traffic_to_it() {
    let mut rig = Rig::baking(2);
    rig.step_until_decision(DecisionKind::Complete);
    rig.observed = ObservedWeights { blue: 50, green: 50 };
    rig.run_minutes(120);
    assert!(!rig.did("retire-blue"));
    assert!(matches!(rig.rollout.control(), Control::Paused { .. }));
}

#[test]
fn an_absence_spends_neither_attempts_nor_deadlines() {
    let mut rig = Rig::new();
    rig.green = Health::Starting { detail: "1 of 3".into() };
    rig.run_minutes(5);
    rig.clock = rig.clock.after(Duration::from_secs(3600));
    rig.handle(Event::Resumed).unwrap();
    rig.run_minutes(5);
    rig.green = Health::Healthy;
    rig.run_to_end();
    assert_eq!(rig.rollout.outcome(), Some(&Outcome::Completed));
}

#[test]
fn a_revived_blue_that_stays_broken_is_told_once_and_can_be_forced() {
    let mut rig = Rig::new();
    rig.run_to_end();
    rig.blue = Health::Failed { detail: "CannotPullContainerError".into() };
    rig.command(ABORT).unwrap();
    rig.run_minutes(10);
    assert_eq!(rig.kinds().iter().filter(|kind| **kind == DecisionKind::Hold).count(), 1);
    assert_eq!(rig.observed, ObservedWeights { blue: 0, green: 100 });
    rig.command(CommandKind::Abort { issue: IssueKind::SecurityVulnerability, force: true }).unwrap();
    rig.run_to_end();
    assert_eq!(rig.observed, ObservedWeights { blue: 100, green: 0 });
}

#[test]
fn a_rollback_whose_change_the_adapter_forgot_is_made_anew() {
    let mut rig = Rig::baking(0);
    rig.forgets_change = 2;
    rig.command(ABORT).unwrap();
    let decided = rig.rollout.now();
    rig.run_to_end();
    let paced = Duration::from_secs(2 * 10 + 60);
    assert!(rig.rollout.now().since(decided) >= paced, "two pauses of 10 s and the TTL");
    assert!(matches!(rig.rollout.outcome(), Some(Outcome::RolledBack { .. })));
    assert_eq!(rig.weights_set.iter().filter(|weights| **weights == (100, 0)).count(), 3);
}

#[test]
fn promote_now_needs_force_before_any_minute_has_counted() {
    let mut rig = Rig::baking(0);
    let refused = rig.command(CommandKind::Promote { force: false });
    assert!(matches!(refused, Err(Rejected::NeedsForce(_))), "{refused:?}");
}

#[test]
fn minutes_under_somebody_elses_weights_are_no_evidence_for_the_stage() {
    let mut rig = Rig::baking(0);
    rig.run_minutes(10);
    rig.observed = ObservedWeights { blue: 20, green: 80 };
    rig.run_minutes(10);
    rig.observed = ObservedWeights { blue: 95, green: 5 };
    rig.command(CommandKind::Resume).unwrap();
    let resumed = rig.rollout.now();
    rig.step_until_decision(DecisionKind::Promote);
    assert!(rig.rollout.now().since(resumed).as_secs() >= 15 * 60);
}

/// Though the wait after the cutover is over.
#[test]
fn a_pause_keeps_blue_and_so_does_a_trigger_that_cannot_see() {
    let mut rig = Rig::baking(2);
    rig.step_until_decision(DecisionKind::Complete);
    rig.command(CommandKind::Pause).unwrap();
    rig.run_minutes(600);
    assert!(!rig.did("retire-blue"));
    rig.metrics_fail = true;
    rig.step_until_decision(DecisionKind::Hold);
    rig.command(CommandKind::Resume).unwrap();
    rig.run_minutes(3);
    assert!(!rig.did("retire-blue"));
    rig.metrics_fail = false;
    rig.run_to_end();
    assert!(rig.did("retire-blue"));
}
