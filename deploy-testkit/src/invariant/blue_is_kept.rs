//! Blue is never retired before its time: not before the last stage was passed, and not before the wait after the cutover is over
//! (strategy, phase 3; semantics 4).

use mpac_deploy_core::decision::DecisionKind;
use mpac_deploy_core::effect::EffectKind;

use super::Invariant;
use crate::trace::Trace;

pub(super) const INVARIANT: Invariant = Invariant {
    name: "blue is never retired before its time",
    cites: "strategy phase 3, semantics 4",
    check,
};

fn check(trace: &Trace) -> Result<(), String> {
    let (mut cutover, mut complete) = (None, false);
    for (at, step) in trace.steps.iter().enumerate() {
        let plan = step.after.plan();
        let last_stage = plan.stage_name(plan.stage_count().saturating_sub(1));
        for decision in &step.effects.decisions {
            if decision.kind == DecisionKind::Bake && decision.stage.as_deref() == Some(last_stage) {
                cutover = Some(decision.at);
            }
            complete |= decision.kind == DecisionKind::Complete;
        }
        if !step.effects.run.iter().any(|effect| effect.kind == EffectKind::RetireBlue) {
            continue;
        }
        let wait = plan.policy().decommission.wait.duration();
        let waited = cutover.is_some_and(|cutover| step.after.now().since(cutover) >= wait);
        if !complete || !waited {
            return Err(format!("step {at} retires blue; complete: {complete}, cutover: {cutover:?}"));
        }
    }
    Ok(())
}
