//! A step that the policy lets wait for a person is made only after a person has approved of it, while it waited for that.

use mpac_deploy_core::effect::{Direction, EffectKind};
use mpac_deploy_core::machine::{ApprovalGate, CommandKind, Event};
use mpac_deploy_core::plan::Plan;

use super::Invariant;
use crate::trace::Trace;

pub(super) const INVARIANT: Invariant = Invariant {
    name: "no step past an approval gate without an approval recorded before",
    cites: "the book, Approvals",
    check,
};

fn check(trace: &Trace) -> Result<(), String> {
    let (mut approved, mut awaited) = (Vec::new(), None);
    for (at, step) in trace.steps.iter().enumerate() {
        if let Some(Event::Command(command) | Event::Posted { command, .. }) = &step.event
            && let CommandKind::Approve { gate, .. } = command.kind
        {
            if awaited != Some(gate) {
                return Err(format!("step {at} takes an approval of {gate:?} while {awaited:?} waits"));
            }
            if command.by.trim().is_empty() {
                return Err(format!("step {at} takes an approval of {gate:?} from nobody"));
            }
            approved.push(gate);
        }
        awaited = step.after.awaited_approval();
        let plan = step.after.plan();
        let gates = step.effects.run.iter().filter_map(|effect| gate_of(plan, &effect.kind));
        for gate in gates.filter(|gate| plan.approval(*gate).is_required()) {
            if !approved.contains(&gate) {
                return Err(format!(
                    "step {at} goes past {}, which nobody approved of",
                    plan.gate_words(gate)
                ));
            }
        }
    }
    Ok(())
}

fn gate_of(plan: &Plan, kind: &EffectKind) -> Option<ApprovalGate> {
    match kind {
        EffectKind::SetWeights { weights, direction: Direction::Forward } => {
            let stage = (0..plan.stage_count()).find(|stage| plan.stage_weights(*stage) == *weights);
            stage.map(ApprovalGate::Stage)
        }
        EffectKind::RetireBlue => Some(ApprovalGate::Decommission),
        EffectKind::SetWeights { direction: Direction::Back, .. }
        | EffectKind::ReadWeights
        | EffectKind::ConfirmWeights { .. }
        | EffectKind::Provision
        | EffectKind::CheckHealth { .. }
        | EffectKind::RunCheck { .. }
        | EffectKind::Observe { .. }
        | EffectKind::Probe { .. }
        | EffectKind::ReviveBlue
        | EffectKind::StopGreen
        | EffectKind::Migrate { .. }
        | EffectKind::ReadSchema { .. }
        | EffectKind::FindWritten { .. }
        | EffectKind::UndoMigration { .. }
        | EffectKind::SwitchOff { .. }
        | EffectKind::ReadFlag { .. } => None,
    }
}
