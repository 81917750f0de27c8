//! Nothing is ever promoted on missing evidence (semantics 3.7 and 4): a promotion that no person made rests on a whole
//! bake of counted periods and on gates that all hold.

use mpac_deploy_core::decision::{Decision, DecisionKind};
use mpac_deploy_core::machine::Event;

use super::Invariant;
use crate::trace::{Step, Trace};

pub(super) const INVARIANT: Invariant =
    Invariant { name: "a promotion rests on evidence", cites: "semantics 3.7 and 4", check };

fn check(trace: &Trace) -> Result<(), String> {
    for (at, step) in trace.steps.iter().enumerate() {
        if matches!(step.event, Some(Event::Command(_) | Event::Posted { .. })) {
            continue;
        }
        for decision in step.effects.decisions.iter().filter(|decision| is_promotion(decision.kind)) {
            rests_on_evidence(step, decision).map_err(|what| format!("step {at}: {what}"))?;
        }
    }
    Ok(())
}

const fn is_promotion(kind: DecisionKind) -> bool {
    matches!(kind, DecisionKind::Promote | DecisionKind::Complete)
}

fn rests_on_evidence(step: &Step, decision: &Decision) -> Result<(), String> {
    let (judge, plan) = (step.after.judge(), step.after.plan());
    let stage = decision.stage.as_deref().unwrap_or_default();
    let index = (0..plan.stage_count()).find(|index| plan.stage_name(*index) == stage);
    let bake = index.map_or(u32::MAX, |index| plan.stage_bake(index));
    let assessment = judge.latest();
    if judge.counted() < bake {
        return Err(format!("{stage} passed with {} of {bake} periods", judge.counted()));
    }
    if !assessment.counted || assessment.gates.is_empty() || assessment.gates.iter().any(|gate| !gate.holds) {
        return Err(format!("{stage} passed on {:?}", assessment.gates));
    }
    if judge.is_holding() || !assessment.firing.is_empty() {
        return Err(format!("{stage} passed while promotion was held or {:?} fired", assessment.firing));
    }
    Ok(())
}
