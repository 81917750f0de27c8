//! What an effect came to, handed to the phase that waits for it.

use alloc::string::String;

use super::outstanding::Answered;
use super::state::KnownHealth;
use super::{Phase, Rollout, ShiftStep, Shifting};
use crate::effect::{Answer, Effect, EffectKind, Effects, Failure, Health, ObservedWeights, Retry};
use crate::ids::SchemaVersion;
use crate::metric::Side;
use crate::migration;

impl Rollout {
    /// Acts on an outcome: an answer is handed on, a failure is tried again or given up.
    pub(super) fn settle_outcome(&mut self, answered: Answered, out: &mut Effects) {
        let Answered { effect, result } = answered;
        match result {
            Ok(answer) => self.answered(effect, answer, out),
            Err(failure) => self.failed(effect, failure, out),
        }
    }

    fn answered(&mut self, effect: Effect, answer: Answer, out: &mut Effects) {
        match (effect.kind, answer) {
            (EffectKind::Observe { period }, Answer::Readings(readings)) => {
                self.observed(period, &readings, out)
            }
            (EffectKind::Probe { services }, Answer::Probes(answers)) => {
                self.probed(&services, &answers, out)
            }
            (EffectKind::CheckHealth { side }, Answer::Health(health)) => {
                self.health_known(side, health, out)
            }
            (EffectKind::ReadWeights, Answer::Weights(weights)) => self.weights_read(weights, out),
            (EffectKind::SetWeights { weights, .. }, Answer::Done) => {
                self.expected = weights;
                match self.phase.clone() {
                    Phase::Shifting(shifting) => self.shift_set(&shifting, effect.id),
                    Phase::RollingBack(rolling_back) => self.rollback_set(&rolling_back, effect.id),
                    Phase::Preparing(_)
                    | Phase::Baking(_)
                    | Phase::Decommissioning(_)
                    | Phase::Contracting(_)
                    | Phase::Finished(_) => {}
                }
            }
            (EffectKind::ConfirmWeights { .. }, Answer::InSync(in_sync)) => match self.phase.clone() {
                Phase::Shifting(shifting) => self.shift_confirmed(shifting, in_sync, out),
                Phase::RollingBack(rolling_back) => self.rollback_confirmed(rolling_back, in_sync, out),
                Phase::Preparing(_)
                | Phase::Baking(_)
                | Phase::Decommissioning(_)
                | Phase::Contracting(_)
                | Phase::Finished(_) => {}
            },
            (EffectKind::Provision, Answer::Done) => self.provisioned(),
            (EffectKind::RunCheck { check }, Answer::Check(result)) => self.checked(&check, result, out),
            (EffectKind::RetireBlue, Answer::Done | Answer::Retired(_)) => self.retired(out),
            (EffectKind::ReviveBlue, Answer::Done) => self.revived(),
            (EffectKind::StopGreen, Answer::Done) => self.green_stopped(out),
            (
                EffectKind::Migrate { phase: migration::Phase::Expand, step },
                Answer::Done | Answer::Migrated(_),
            ) => self.expanded(step, out),
            (
                EffectKind::Migrate { phase: migration::Phase::Contract, step },
                Answer::Done | Answer::Migrated(_),
            ) => self.contracted(step, out),
            (EffectKind::ReadSchema { phase, step }, Answer::Schema(found)) => {
                self.schema_read(phase, step, &found, out)
            }
            (EffectKind::FindWritten { step }, Answer::Written(written)) => {
                self.written_found(step, &written, out)
            }
            (EffectKind::UndoMigration { step }, Answer::Done | Answer::Migrated(_)) => {
                self.migration_undone(step, out)
            }
            (EffectKind::SwitchOff { flag }, Answer::Done) => self.switched_off(flag, out),
            (EffectKind::ReadFlag { flag }, Answer::Flag(is_on)) => self.flag_read(flag, is_on, out),
            // `take_outcome` lets no answer pass that does not fit its effect.
            (_, _) => {}
        }
    }

    fn schema_read(
        &mut self,
        phase: migration::Phase,
        step: usize,
        found: &SchemaVersion,
        out: &mut Effects,
    ) {
        match (phase, &self.phase) {
            (migration::Phase::Contract, _) => self.contraction_read(step, found, out),
            (migration::Phase::Expand, Phase::RollingBack(_)) => self.undo_read(step, found, out),
            (
                migration::Phase::Expand,
                Phase::Preparing(_)
                | Phase::Shifting(_)
                | Phase::Baking(_)
                | Phase::Decommissioning(_)
                | Phase::Contracting(_)
                | Phase::Finished(_),
            ) => self.expansion_read(step, found, out),
        }
    }

    fn migration_undone(&mut self, step: usize, out: &mut Effects) {
        if matches!(self.phase, Phase::RollingBack(_)) {
            self.undone(step, out);
        } else {
            self.unexpanded(step, out);
        }
    }

    fn weights_read(&mut self, weights: ObservedWeights, out: &mut Effects) {
        match self.phase.clone() {
            Phase::Preparing(_) => self.first_weights_read(weights, out),
            Phase::Shifting(shifting) => self.shift_weights_read(&shifting, weights, out),
            Phase::Baking(_) => {
                self.compare_weights(weights, out);
            }
            Phase::Decommissioning(step) => self.decommission_weights_read(&step, weights, out),
            Phase::Contracting(contracting) => self.contracting_weights_read(&contracting, weights, out),
            Phase::RollingBack(rolling_back) => self.rollback_weights_read(rolling_back, weights, out),
            Phase::Finished(_) => {}
        }
    }

    fn health_known(&mut self, side: Side, health: Health, out: &mut Effects) {
        *self.health.of(side) = KnownHealth::Known(health);
        self.health_looked(side, out);
    }

    /// The phase that waits for a side's health goes on, now that there was a look.
    fn health_looked(&mut self, side: Side, out: &mut Effects) {
        match (self.phase.clone(), side) {
            (Phase::Preparing(preparing), Side::Green) => self.preparing_health(preparing, out),
            (Phase::Shifting(shifting), Side::Green) => self.shift_health(shifting, out),
            (Phase::RollingBack(rolling_back), Side::Blue) => self.rollback_health(rolling_back, out),
            (Phase::Decommissioning(step), Side::Green) => self.decommission_health(&step, out),
            (
                Phase::Preparing(_)
                | Phase::Shifting(_)
                | Phase::Baking(_)
                | Phase::Decommissioning(_)
                | Phase::Contracting(_)
                | Phase::RollingBack(_)
                | Phase::Finished(_),
                _,
            ) => {}
        }
    }

    fn failed(&mut self, effect: Effect, failure: Failure, out: &mut Effects) {
        let kind = effect.kind.clone();
        // An adapter that does not know the rollback's change any more is given it anew; asking again would never end.
        if matches!((&self.phase, &kind), (Phase::RollingBack(_), EffectKind::ConfirmWeights { .. }))
            && failure.retry == Retry::Useless
        {
            return self.set_back_after_a_pause();
        }
        let Some(what) = self.retry_or_give_up(effect, failure, out) else { return };
        match kind {
            EffectKind::Observe { period } => self.not_observed(period, out),
            EffectKind::Probe { services } => {
                let none = alloc::vec![false; services.len()];
                self.probed(&services, &none, out);
            }
            EffectKind::CheckHealth { side } => {
                *self.health.of(side) = KnownHealth::Unknown;
                self.health_looked(side, out);
            }
            EffectKind::ReadWeights => self.gave_up_reading(what, out),
            EffectKind::SetWeights { .. }
            | EffectKind::ConfirmWeights { .. }
            | EffectKind::Provision
            | EffectKind::RunCheck { .. } => self.take_back_after_failure(what, out),
            EffectKind::Migrate { phase, step } | EffectKind::ReadSchema { phase, step } => {
                self.migration_failed(phase, step, what, out)
            }
            EffectKind::FindWritten { step } | EffectKind::UndoMigration { step } => {
                self.undoing_failed(step, what, out)
            }
            EffectKind::SwitchOff { .. } | EffectKind::ReadFlag { .. } => {
                self.switching_off_failed(&what, out)
            }
            // These have no attempt limit where they are issued.
            EffectKind::RetireBlue | EffectKind::ReviveBlue | EffectKind::StopGreen => {}
        }
    }

    fn migration_failed(&mut self, phase: migration::Phase, step: usize, what: String, out: &mut Effects) {
        match (phase, &self.phase) {
            (migration::Phase::Contract, _) => self.contraction_failed(step, what, out),
            (migration::Phase::Expand, Phase::RollingBack(_)) => self.hold_by_schema(step, what, out),
            (
                migration::Phase::Expand,
                Phase::Preparing(_)
                | Phase::Shifting(_)
                | Phase::Baking(_)
                | Phase::Decommissioning(_)
                | Phase::Contracting(_)
                | Phase::Finished(_),
            ) => self.expansion_failed(step, what, out),
        }
    }

    fn undoing_failed(&mut self, step: usize, what: String, out: &mut Effects) {
        if matches!(self.phase, Phase::RollingBack(_)) {
            self.hold_by_schema(step, what, out);
        } else {
            self.unexpansion_failed(step, &what, out);
        }
    }

    /// While a stage bakes a failed look at the weights says nothing; before a change it stops the change.
    fn gave_up_reading(&mut self, what: String, out: &mut Effects) {
        match &self.phase {
            Phase::Baking(_) | Phase::RollingBack(_) | Phase::Finished(_) => {}
            Phase::Decommissioning(_) => self.decommission_weights_unread(),
            Phase::Contracting(_) => self.contracting_weights_unread(),
            Phase::Shifting(Shifting {
                step: ShiftStep::Waiting | ShiftStep::AwaitingApproval { .. },
                ..
            }) => {}
            Phase::Preparing(_) | Phase::Shifting(_) => self.take_back_after_failure(what, out),
        }
    }
}
