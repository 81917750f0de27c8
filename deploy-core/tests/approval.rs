//! Steps that wait for a person: who may approve, when, and what happens meanwhile.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

mod rig;

use mpac_deploy_core::decision::{Decision, DecisionKind, Severity};
use mpac_deploy_core::effect::{EffectKind, ObservedWeights};
use mpac_deploy_core::journal::{Snapshot, replay, replay_from};
use mpac_deploy_core::machine::{
    ApprovalGate, Cause, Command, CommandKind, Event, Outcome, Phase, Rejected, ShiftStep, Shifting,
};
use mpac_deploy_core::metric::Metric;
use mpac_deploy_core::policy::{Approval, Policy, Span, mpac};
use rig::{Rig, release};

const HALF: ApprovalGate = ApprovalGate::Stage(1);
const FULL: ApprovalGate = ApprovalGate::Stage(2);

fn approve(gate: ApprovalGate) -> CommandKind {
    CommandKind::Approve { gate, force: false }
}

fn with_approval(gates: &[(ApprovalGate, Approval)]) -> Policy {
    let mut policy = mpac();
    for (gate, approval) in gates {
        match gate {
            ApprovalGate::Stage(stage) => policy.stages[*stage].approval = *approval,
            ApprovalGate::Decommission => policy.decommission.approval = *approval,
        }
    }
    policy
}

/// A rollout that waits for the approval of this gate, the only one that needs it.
fn awaiting(gate: ApprovalGate, approval: Approval) -> Rig {
    let mut rig = Rig::by(&with_approval(&[(gate, approval)]), release());
    rig.run_until(|rig| rig.rollout.awaited_approval() == Some(gate));
    rig
}

fn told(rig: &Rig, kind: DecisionKind) -> Vec<&Decision> {
    rig.decisions.iter().filter(|decision| decision.kind == kind).collect()
}

#[test]
fn a_stage_waits_until_it_is_approved_of_and_then_goes_on_to_the_end() {
    let mut rig = awaiting(HALF, Approval::Required);
    let asked = told(&rig, DecisionKind::AwaitApproval)[0].clone();
    assert_eq!((asked.rule.as_deref(), asked.stage.as_deref()), (Some("half.approval"), Some("half")));
    assert_eq!(asked.severity(), Severity::Warning);
    assert_eq!(asked.reason, "waits for approval of half (green 50 %)");
    rig.run_minutes(24 * 60);
    assert_eq!((rig.rollout.awaited_approval(), rig.weights_set.as_slice()), (Some(HALF), &[(95, 5)][..]));
    rig.command(approve(HALF)).unwrap();
    let approved = &rig.rollout.approvals()[0];
    assert_eq!((approved.gate, approved.by.as_str()), (HALF, "ada"));
    assert_eq!(rig.reason_of(DecisionKind::Approve), "ada approves of half (green 50 %): because");
    rig.run_to_end();
    assert_eq!(rig.rollout.outcome(), Some(&Outcome::Completed));
    assert_eq!(rig.weights_set, [(95, 5), (50, 50), (0, 100)]);
}

#[test]
fn the_first_stage_can_wait_before_any_traffic_moves() {
    let mut rig = awaiting(ApprovalGate::Stage(0), Approval::Required);
    rig.run_minutes(600);
    assert!(rig.weights_set.is_empty());
    rig.command(approve(ApprovalGate::Stage(0))).unwrap();
    rig.run_to_end();
    assert_eq!(rig.rollout.outcome(), Some(&Outcome::Completed));
}

#[test]
fn blue_is_kept_until_its_retirement_is_approved_of() {
    let mut rig = awaiting(ApprovalGate::Decommission, Approval::Required);
    rig.run_minutes(600);
    assert!(!rig.did("retire-blue"));
    rig.command(approve(ApprovalGate::Decommission)).unwrap();
    rig.run_to_end();
    assert_eq!((rig.rollout.outcome(), rig.did("retire-blue")), (Some(&Outcome::Completed), true));
}

#[test]
fn a_trigger_that_fires_while_it_waits_rolls_back_at_once() {
    for gate in [HALF, FULL, ApprovalGate::Decommission] {
        let mut rig = awaiting(gate, Approval::Required);
        rig.bad_from = Some(rig.rollout.now());
        rig.step_until_decision(DecisionKind::Rollback);
        assert_eq!(rig.command(approve(gate)), Err(Rejected::RollingBack));
        rig.run_to_end();
        let rule = Cause::Rule("http-5xx".into());
        assert_eq!(rig.rollout.outcome(), Some(&Outcome::RolledBack { cause: rule }));
    }
}

#[test]
fn an_approval_is_refused_while_an_alert_holds_unless_forced() {
    let mut rig = awaiting(HALF, Approval::Required);
    rig.metric(Metric::LatencyP95, 1500.0);
    rig.step_until_decision(DecisionKind::Alert);
    let refused = rig.command(approve(HALF));
    assert!(matches!(&refused, Err(Rejected::NeedsForce(why)) if why.contains("latency-p95")), "{refused:?}");
    rig.command(CommandKind::Approve { gate: HALF, force: true }).unwrap();
    assert_eq!(rig.rollout.awaited_approval(), None);
}

#[test]
fn an_approval_is_refused_while_a_trigger_cannot_see() {
    let mut rig = awaiting(HALF, Approval::Required);
    rig.metrics_fail = true;
    rig.step_until_decision(DecisionKind::Hold);
    assert!(matches!(rig.command(approve(HALF)), Err(Rejected::NeedsForce(_))));
}

#[test]
fn an_approval_is_for_the_step_that_waits_and_for_no_other() {
    let both = with_approval(&[(HALF, Approval::Required), (FULL, Approval::Required)]);
    let mut rig = Rig::by(&both, release());
    assert_eq!(
        rig.command(approve(HALF)).unwrap_err().to_string(),
        "there is nothing to approve: no step waits for an approval now"
    );
    rig.run_until(|rig| rig.rollout.awaited_approval() == Some(HALF));
    assert_eq!(
        rig.command(approve(FULL)).unwrap_err().to_string(),
        "there is nothing to approve: it is half (green 50 %) that waits for an approval"
    );
    rig.command(approve(HALF)).unwrap();
    rig.run_until(|rig| rig.rollout.awaited_approval() == Some(FULL));
    // Said a second time, by whoever saw it late: it does not let the next step pass.
    assert_eq!(
        rig.command_by("jo", approve(HALF)).unwrap_err().to_string(),
        "half (green 50 %) was approved already, by ada"
    );
    assert_eq!(rig.rollout.awaited_approval(), Some(FULL));
}

#[test]
fn an_approval_posted_twice_is_obeyed_once_and_needs_no_reason_unless_forced() {
    let mut rig = awaiting(HALF, Approval::Required);
    let posted = |force| Event::Posted {
        id: "c1".into(),
        command: Command {
            kind: CommandKind::Approve { gate: HALF, force },
            by: "ada".into(),
            why: String::new(),
        },
    };
    assert_eq!(rig.handle(posted(true)), Err(Rejected::Anonymous));
    rig.handle(posted(false)).unwrap();
    assert_eq!(rig.handle(posted(false)), Err(Rejected::AlreadyObeyed("c1".into())));
    assert_eq!(rig.reason_of(DecisionKind::Approve), "ada approves of half (green 50 %)");
}

#[test]
fn promote_skips_a_bake_and_not_an_approval() {
    let mut rig = Rig::by(&with_approval(&[(HALF, Approval::Required)]), release());
    rig.run_until(|rig| rig.rollout.judge().counted() == 2);
    rig.command(CommandKind::Promote { force: false }).unwrap();
    assert_eq!(rig.rollout.awaited_approval(), Some(HALF));
    assert_eq!(
        rig.command(CommandKind::Promote { force: true }).unwrap_err().to_string(),
        "there is no bake to skip: half (green 50 %) waits for an approval"
    );
}

#[test]
fn without_an_approval_in_time_traffic_goes_back() {
    let mut rig = awaiting(HALF, Approval::Within(Span::minutes(90)));
    let from = rig.rollout.now();
    rig.step_until_decision(DecisionKind::Rollback);
    assert_eq!(rig.rollout.now().since(from).as_secs(), 90 * 60);
    assert_eq!(
        rig.reason_of(DecisionKind::Rollback),
        "nobody has approved of half (green 50 %) within 90 min"
    );
    rig.run_to_end();
    let cause = Cause::Rule("half.approval".into());
    assert_eq!(rig.rollout.outcome(), Some(&Outcome::RolledBack { cause }));
}

#[test]
fn without_an_approval_in_time_a_rollout_that_has_moved_nothing_is_abandoned() {
    let mut rig = awaiting(ApprovalGate::Stage(0), Approval::Within(Span::minutes(90)));
    rig.run_to_end();
    assert!(matches!(rig.rollout.outcome(), Some(Outcome::Abandoned { .. })));
    assert!(rig.weights_set.is_empty());
}

#[test]
fn a_pause_stops_the_time_to_approve_and_resuming_begins_it_anew() {
    let mut rig = awaiting(HALF, Approval::Within(Span::minutes(60)));
    rig.run_minutes(50);
    rig.command(CommandKind::Pause).unwrap();
    assert!(matches!(rig.command(approve(HALF)), Err(Rejected::NotAwaited(why)) if why.contains("paused")));
    rig.run_minutes(600);
    rig.command(CommandKind::Resume).unwrap();
    assert_eq!(told(&rig, DecisionKind::AwaitApproval).len(), 2);
    rig.run_minutes(50);
    rig.command(approve(HALF)).unwrap();
    rig.run_to_end();
    assert_eq!(rig.rollout.outcome(), Some(&Outcome::Completed));
}

#[test]
fn an_absence_spends_no_time_to_approve() {
    let mut rig = awaiting(HALF, Approval::Within(Span::minutes(60)));
    let deadline = |rig: &Rig| {
        let Phase::Shifting(Shifting { step, .. }) = rig.rollout.phase() else { return None };
        let ShiftStep::AwaitingApproval { deadline } = step else { return None };
        *deadline
    };
    let before = deadline(&rig).unwrap();
    let away = std::time::Duration::from_secs(5 * 3600);
    rig.clock = rig.rollout.now().after(away);
    rig.handle(Event::Resumed).unwrap();
    assert_eq!(deadline(&rig), Some(before.after(away)));
}

#[test]
fn weights_that_somebody_else_changes_meanwhile_pause_it() {
    let mut rig = awaiting(HALF, Approval::Required);
    rig.observed = ObservedWeights { blue: 80, green: 20 };
    rig.step_until_decision(DecisionKind::Pause);
    assert!(matches!(rig.command(approve(HALF)), Err(Rejected::NotAwaited(_))));
    rig.observed = ObservedWeights { blue: 95, green: 5 };
    rig.command(CommandKind::Resume).unwrap();
    rig.command(approve(HALF)).unwrap();
    rig.run_until(|rig| rig.weights_set.last() == Some(&(50, 50)));
}

#[test]
fn an_approval_holds_for_its_step_also_when_a_pause_comes_between() {
    let mut rig = awaiting(HALF, Approval::Required);
    rig.command(approve(HALF)).unwrap();
    rig.command(CommandKind::Pause).unwrap();
    rig.run_minutes(10);
    rig.command(CommandKind::Resume).unwrap();
    rig.run_until(|rig| rig.weights_set.last() == Some(&(50, 50)));
    assert_eq!(told(&rig, DecisionKind::AwaitApproval).len(), 1);
}

#[test]
fn green_is_looked_at_anew_after_an_approval() {
    let mut rig = awaiting(HALF, Approval::Required);
    let done = rig.done.len();
    rig.command(approve(HALF)).unwrap();
    rig.run_until(|rig| rig.weights_set.last() == Some(&(50, 50)));
    let names: Vec<&str> = rig.done[done..].iter().map(EffectKind::name).collect();
    assert_eq!(names, ["read-weights", "check-health", "set-weights"]);
}

#[test]
fn waiting_and_approvals_survive_a_restart() {
    let mut rig = awaiting(HALF, Approval::Within(Span::minutes(60)));
    assert_eq!(replay(&rig.records).unwrap(), rig.rollout);
    rig.command(approve(HALF)).unwrap();
    let count = rig.records.len();
    let snapshot = Snapshot::take(&replay(&rig.records).unwrap(), count as u64).unwrap();
    rig.run_to_end();
    let restored = snapshot.restore().unwrap();
    assert_eq!(restored.approvals(), rig.rollout.approvals());
    assert_eq!(replay_from(restored, count as u64, &rig.records[count..]).unwrap(), rig.rollout);
}
