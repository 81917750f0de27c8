//! The same inputs give the same decisions, byte for byte (architecture: the core is pure).

use mpac_deploy_core::decision::Decision;

use super::Invariant;
use crate::trace::Trace;

pub(super) const INVARIANT: Invariant = Invariant {
    name: "the same inputs give the same decisions",
    cites: "architecture, semantics 1.1",
    check,
};

fn check(trace: &Trace) -> Result<(), String> {
    let bytes = |decisions: &[Decision]| serde_json::to_vec(decisions).map_err(|error| error.to_string());
    for (at, step) in trace.steps.iter().enumerate() {
        if bytes(&step.effects.decisions)? != bytes(&step.recorded)? {
            return Err(format!(
                "step {at} decides {:?}, and decided {:?} before",
                step.effects.decisions, step.recorded
            ));
        }
    }
    Ok(())
}
