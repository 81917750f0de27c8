//! The schema fits whatever code runs: it is expanded before green starts, contracted 24 hours after the cutover with blue retired, and
//! from then on nothing goes back to blue. An expansion is undone only while no green runs.

use mpac_deploy_core::decision::DecisionKind;
use mpac_deploy_core::effect::{Direction, EffectKind};
use mpac_deploy_core::migration::{CONTRACT_WAIT, Phase};
use mpac_deploy_core::time::Timestamp;

use super::Invariant;
use crate::trace::{Step, Trace};

pub(super) const INVARIANT: Invariant = Invariant {
    name: "the schema fits the code that runs",
    cites: "strategy, two-phase deploy and database migration rollback",
    check,
};

/// What was done so far, as the effects say.
#[derive(Default)]
struct Done {
    is_provisioned: bool,
    cutover: Option<Timestamp>,
    is_retired: bool,
    is_contracted: bool,
    green_is_stopped: bool,
}

fn check(trace: &Trace) -> Result<(), String> {
    let mut done = Done::default();
    for (at, step) in trace.steps.iter().enumerate() {
        done.note_decisions(step);
        for effect in &step.effects.run {
            done.may(&effect.kind, step).map_err(|what| format!("step {at}: {what}"))?;
            done.note(&effect.kind);
        }
    }
    Ok(())
}

impl Done {
    fn note_decisions(&mut self, step: &Step) {
        let plan = step.after.plan();
        let last_stage = plan.stage_name(plan.stage_count().saturating_sub(1));
        for decision in &step.effects.decisions {
            if decision.kind == DecisionKind::Bake && decision.stage.as_deref() == Some(last_stage) {
                self.cutover = Some(decision.at);
            }
            self.is_retired |= decision.kind == DecisionKind::Retired;
        }
    }

    fn note(&mut self, kind: &EffectKind) {
        self.is_provisioned |= *kind == EffectKind::Provision;
        self.is_retired &= *kind != EffectKind::ReviveBlue;
        self.green_is_stopped |= *kind == EffectKind::StopGreen;
        self.is_contracted |= matches!(kind, EffectKind::Migrate { phase: Phase::Contract, .. });
    }

    fn may(&self, kind: &EffectKind, step: &Step) -> Result<(), String> {
        let back = matches!(kind, EffectKind::SetWeights { direction: Direction::Back, .. });
        if self.is_contracted && (back || *kind == EffectKind::ReviveBlue) {
            return Err(format!("{kind}, whose code does not fit the schema any more"));
        }
        if matches!(kind, EffectKind::Migrate { phase: Phase::Expand, .. }) && self.is_provisioned {
            return Err("the schema is expanded after green was started".into());
        }
        if matches!(kind, EffectKind::UndoMigration { .. }) && self.is_provisioned && !self.green_is_stopped {
            return Err("an expansion is undone under a green that may run".into());
        }
        let waited = self.cutover.is_some_and(|cutover| step.after.now().since(cutover) >= CONTRACT_WAIT);
        if matches!(kind, EffectKind::Migrate { phase: Phase::Contract, .. }) && !(self.is_retired && waited)
        {
            return Err(format!(
                "the schema is contracted; blue is retired: {}, waited: {waited}",
                self.is_retired
            ));
        }
        Ok(())
    }
}
