//! Green's weight rises only to a stage of the policy, in order, each after the one before was promoted by its gates or by a
//! person (strategy, phase 2; semantics 4).

use mpac_deploy_core::decision::DecisionKind;
use mpac_deploy_core::effect::{Direction, EffectKind};

use super::Invariant;
use crate::trace::Trace;

pub(super) const INVARIANT: Invariant = Invariant {
    name: "green's weight rises only after a passed gate",
    cites: "strategy phase 2, semantics 4",
    check,
};

fn check(trace: &Trace) -> Result<(), String> {
    let mut passed = None;
    for (at, step) in trace.steps.iter().enumerate() {
        for decision in &step.effects.decisions {
            if decision.kind == DecisionKind::Prepared {
                passed = Some(0);
            } else if decision.kind == DecisionKind::Promote {
                passed = passed.map(|stage| stage + 1);
            }
        }
        for effect in &step.effects.run {
            let EffectKind::SetWeights { weights, direction: Direction::Forward } = &effect.kind else {
                continue;
            };
            let allowed = passed.map(|stage| step.after.plan().stage_weights(stage));
            if allowed != Some(*weights) {
                return Err(format!("step {at} sets {weights}, where {allowed:?} was next"));
            }
        }
    }
    Ok(())
}
