//! The weights of blue and green are never both 0 (semantics 5.1: two zeros are an equal split, not off).

use mpac_deploy_core::effect::{EffectKind, ObservedWeights};

use super::Invariant;
use crate::trace::Trace;

pub(super) const INVARIANT: Invariant =
    Invariant { name: "weights are never both zero", cites: "semantics 5.1", check };

fn check(trace: &Trace) -> Result<(), String> {
    for (at, step) in trace.steps.iter().enumerate() {
        for effect in &step.effects.run {
            // As the wire has them: two plain numbers, which could be 0.
            if let EffectKind::SetWeights { weights, .. } = &effect.kind
                && ObservedWeights::from(*weights) == (ObservedWeights { blue: 0, green: 0 })
            {
                return Err(format!("step {at} sets {weights} by effect {}", effect.id));
            }
        }
    }
    Ok(())
}
