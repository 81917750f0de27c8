//! A rollout is rolled back only when the record was read last with everything on blue (semantics 5.2 and 5.3): whatever overtook the
//! rollback's change is seen.

use mpac_deploy_core::decision::DecisionKind;
use mpac_deploy_core::effect::Answer;
use mpac_deploy_core::machine::Event;
use mpac_deploy_core::units::Weights;

use super::Invariant;
use crate::trace::{Step, Trace};

pub(super) const INVARIANT: Invariant =
    Invariant { name: "rolled back means read back", cites: "semantics 5.2 and 5.3", check };

fn check(trace: &Trace) -> Result<(), String> {
    for (at, step) in trace.steps.iter().enumerate() {
        let ended = step.effects.decisions.iter().any(|decision| decision.kind == DecisionKind::RolledBack);
        if ended && !read_all_blue(step) {
            return Err(format!("step {at} ends the rollback upon {:?}", step.event));
        }
    }
    Ok(())
}

fn read_all_blue(step: &Step) -> bool {
    matches!(&step.event, Some(Event::Outcome { result: Ok(Answer::Weights(read)), .. }) if read.is(Weights::ALL_BLUE))
}
