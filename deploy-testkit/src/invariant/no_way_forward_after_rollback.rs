//! Once a rollback has begun, nothing is done towards green any more (semantics 5.3).

use mpac_deploy_core::decision::DecisionKind;

use super::Invariant;
use crate::trace::Trace;

pub(super) const INVARIANT: Invariant =
    Invariant { name: "nothing towards green after a rollback began", cites: "semantics 5.3", check };

fn check(trace: &Trace) -> Result<(), String> {
    let mut began = None;
    for (at, step) in trace.steps.iter().enumerate() {
        if step.effects.decisions.iter().any(|decision| decision.kind == DecisionKind::Rollback) {
            began.get_or_insert(at);
        }
        let Some(began) = began else { continue };
        let issued = step.effects.run.iter().chain(step.after.outstanding());
        if let Some(forward) = issued.into_iter().find(|effect| effect.kind.moves_towards_green()) {
            return Err(format!("rolling back since step {began}, step {at} wants to {}", forward.kind));
        }
    }
    Ok(())
}
