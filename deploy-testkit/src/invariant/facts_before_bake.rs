//! A stage bakes only once its change was in sync, its weights were read back and the TTL has passed since, in this order and after the
//! change itself (semantics 5.2). A rollback that ended has the same three facts behind it.

use mpac_deploy_core::decision::DecisionKind;
use mpac_deploy_core::effect::EffectKind;
use mpac_deploy_core::time::Timestamp;

use super::Invariant;
use crate::trace::Trace;

pub(super) const INVARIANT: Invariant =
    Invariant { name: "three facts come before a bake", cites: "semantics 5.2", check };

/// What is known of the latest change.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Known {
    Nothing,
    InSync,
    ReadBack { at: Timestamp },
}

fn check(trace: &Trace) -> Result<(), String> {
    let mut known = Known::Nothing;
    for (at, step) in trace.steps.iter().enumerate() {
        for decision in &step.effects.decisions {
            known = match (decision.kind, known) {
                (DecisionKind::InSync, Known::Nothing) => Known::InSync,
                (DecisionKind::ReadBack, Known::InSync) => Known::ReadBack { at: decision.at },
                (DecisionKind::Bake | DecisionKind::RolledBack, Known::ReadBack { at: since }) => {
                    let ttl = step.after.plan().policy().effects.ttl.duration();
                    if decision.at < since.after(ttl) {
                        return Err(format!(
                            "step {at} does not wait for the TTL: read back at {since}, {decision:?}"
                        ));
                    }
                    Known::Nothing
                }
                (
                    DecisionKind::InSync
                    | DecisionKind::ReadBack
                    | DecisionKind::Bake
                    | DecisionKind::RolledBack,
                    _,
                ) => {
                    return Err(format!("step {at} says {:?} where {known:?} was known", decision.kind));
                }
                (_, known) => known,
            };
        }
        // A new change, or the same one anew: what was known of the one before is of no use.
        if step.effects.run.iter().any(|effect| matches!(effect.kind, EffectKind::SetWeights { .. })) {
            known = Known::Nothing;
        }
    }
    Ok(())
}
