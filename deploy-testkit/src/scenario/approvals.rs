//! Steps that wait for a person: who approves, too early, in time or never, and what happens meanwhile.

use mpac_deploy_core::machine::{ApprovalGate, CommandKind};
use mpac_deploy_core::policy::{Approval, Span};

use super::people::command;
use super::{Action, Expected, Scenario};
use crate::world::{Fault, Moment, Symptom, Window};

const CANARY: ApprovalGate = ApprovalGate::Stage(0);
const HALF: ApprovalGate = ApprovalGate::Stage(1);
const FULL: ApprovalGate = ApprovalGate::Stage(2);

fn approve(gate: ApprovalGate) -> Action {
    command(CommandKind::Approve { gate, force: false }, "the figures look right")
}

pub(super) fn scenarios() -> Vec<Scenario> {
    let every_step = [CANARY, HALF, FULL, ApprovalGate::Decommission];
    let waiting = |name, description, expected| {
        every_step.into_iter().fold(Scenario::new(name, description, expected), |s, gate| {
            s.with_approval(gate, Approval::Required)
        })
    };
    vec![
        waiting(
            "approved-step-by-step",
            "Every stage, and retiring blue, waits for a person, who approves of each after a while; a first approval comes too early and changes nothing.",
            Expected::Completed,
        )
        .with_action(Moment::start(1), approve(HALF))
        .with_action(Moment::start(25), approve(CANARY))
        .with_action(Moment::stage(0, 40), approve(HALF))
        .with_action(Moment::stage(1, 60), approve(FULL))
        .with_action(Moment::stage(2, 100), approve(ApprovalGate::Decommission)),
        Scenario::new(
            "nobody-approves",
            "Half waits for a person for an hour; nobody comes, and traffic goes back.",
            Expected::RolledBackBy(&["half.approval"]),
        )
        .with_approval(HALF, Approval::Within(Span::minutes(60))),
        Scenario::new(
            "nobody-retires-blue",
            "Green serves everything, and nobody approves that blue is retired: it is kept.",
            Expected::Held,
        )
        .with_approval(ApprovalGate::Decommission, Approval::Required),
        Scenario::new(
            "errors-while-waiting-for-approval",
            "While half waits for a person, green begins to answer with 5xx: traffic goes back without waiting, and the approval comes too late.",
            Expected::RolledBackBy(&["http-5xx", "error-rate"]),
        )
        .with_approval(HALF, Approval::Required)
        .with_fault(Fault::green(Symptom::ServerErrors(0.2), Window::since(Moment::stage(0, 60))))
        .with_action(Moment::stage(0, 80), approve(HALF)),
    ]
}
