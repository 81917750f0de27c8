//! A decision to roll back always ends with blue at 100 %, or in a held rollout that says why (semantics 3.1, 5.1 and 5.3).

use mpac_deploy_core::analysis::Ruling;
use mpac_deploy_core::decision::DecisionKind;
use mpac_deploy_core::effect::Answer;
use mpac_deploy_core::machine::{Event, Outcome, Phase, RollbackStep, RollingBack};

use super::Invariant;
use crate::trace::Trace;

pub(super) const INVARIANT: Invariant = Invariant {
    name: "a fired trigger ends with blue at 100 %, or held with a reason",
    cites: "semantics 3.1, 5.1 and 5.3",
    check,
};

fn check(trace: &Trace) -> Result<(), String> {
    every_ruling_is_followed(trace)?;
    let Some((at, decision)) =
        trace.decisions().find(|(_, decision)| decision.kind == DecisionKind::Rollback)
    else {
        return Ok(());
    };
    let Some(last) = trace.last() else { return Ok(()) };
    match last.phase() {
        Phase::Finished(Outcome::RolledBack { .. }) if last.expected_weights().green() != 0 => {
            Err(format!("rolled back since step {at}, and the record shows {}", last.expected_weights()))
        }
        Phase::Finished(Outcome::RolledBack { .. }) => Ok(()),
        Phase::RollingBack(RollingBack { step: RollbackStep::HeldByBlue { .. }, .. }) => {
            let says_why = trace
                .decisions()
                .any(|(held, d)| held >= at && d.kind == DecisionKind::Hold && !d.reason.is_empty());
            if says_why { Ok(()) } else { Err(format!("held since step {at} without a reason")) }
        }
        // Blue serves everything, and a person decides about the schema.
        Phase::RollingBack(RollingBack { step: RollbackStep::HeldBySchema { .. }, .. })
            if last.expected_weights().green() == 0 =>
        {
            Ok(())
        }
        // Cut off on its way back, which goes on by itself.
        Phase::RollingBack(_) if last.outstanding().next().is_some() || last.deadline().is_some() => Ok(()),
        Phase::RollingBack(_) => {
            Err(format!("rolling back since step {at}, and nothing is on its way any more"))
        }
        Phase::Preparing(_)
        | Phase::Shifting(_)
        | Phase::Baking(_)
        | Phase::Decommissioning(_)
        | Phase::Contracting(_)
        | Phase::Finished(Outcome::Completed | Outcome::Abandoned { .. }) => Err(format!(
            "step {at} decided to roll back ({}), and the rollout is {:?}",
            decision.reason,
            last.phase()
        )),
    }
}

/// Where an observation rules a rollback, one is decided there, or had been before.
fn every_ruling_is_followed(trace: &Trace) -> Result<(), String> {
    let mut decided = false;
    for (at, step) in trace.steps.iter().enumerate() {
        decided |= step.effects.decisions.iter().any(|decision| decision.kind == DecisionKind::Rollback);
        let observed = matches!(&step.event, Some(Event::Outcome { result: Ok(Answer::Readings(_)), .. }));
        let latest = step.after.judge().latest();
        let fires = matches!(latest.ruling, Ruling::RollBack(_)) || !latest.firing.is_empty();
        if observed && fires && !decided {
            return Err(format!("step {at} finds {:?}, and nothing is rolled back", latest.firing));
        }
    }
    Ok(())
}
