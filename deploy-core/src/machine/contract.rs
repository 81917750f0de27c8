//! Phase 2 of the migrations: 24 hours after the cutover, with blue retired, the schema is contracted. From the first step on there is
//! no way back to blue.

use alloc::format;
use alloc::string::String;

use super::state::Contracting;
use super::{Outcome, Phase, Rollout};
use crate::decision::{Decision, DecisionKind};
use crate::effect::{EffectKind, Effects, ObservedWeights};
use crate::ids::SchemaVersion;
use crate::migration::{self, CONTRACT_WAIT, SchemaFit};
use crate::time::Timestamp;

/// The rule that a hold names when a migration waits for a person.
pub(super) const MIGRATION: &str = "migration";

impl Rollout {
    /// Blue is retired: the rollout is done, or waits to contract the schema.
    pub(super) fn begin_contracting(&mut self, out: &mut Effects) {
        if self.plan.release().migrations.contract.is_empty() {
            self.phase = Phase::Finished(Outcome::Completed);
            return;
        }
        let until = self.cutover.unwrap_or(self.now).after(CONTRACT_WAIT).max(self.now);
        let reason = format!(
            "the schema is contracted at {until}, {} h after the cutover; until then blue can be started again",
            CONTRACT_WAIT.as_secs() / 3600
        );
        self.decide(DecisionKind::Wait, reason, out);
        self.phase = Phase::Contracting(Contracting::Waiting { until });
        self.contract_when_due(out);
    }

    pub(super) fn tick_contracting(&mut self, contracting: &Contracting, out: &mut Effects) {
        match contracting {
            Contracting::Waiting { .. } => self.contract_when_due(out),
            Contracting::VerifyingWeights
            | Contracting::Applying { .. }
            | Contracting::Verifying { .. }
            | Contracting::Held { .. } => {}
        }
    }

    pub(super) fn contracting_deadline(&self, contracting: &Contracting) -> Option<Timestamp> {
        match contracting {
            // A pause ends with a command, which looks again.
            Contracting::Waiting { until } => (!self.is_paused()).then_some(*until),
            Contracting::VerifyingWeights
            | Contracting::Applying { .. }
            | Contracting::Verifying { .. }
            | Contracting::Held { .. } => None,
        }
    }

    pub(super) fn contract_when_due(&mut self, out: &mut Effects) {
        let Phase::Contracting(Contracting::Waiting { until }) = self.phase else { return };
        if until <= self.now && !self.is_paused() {
            self.phase = Phase::Contracting(Contracting::VerifyingWeights);
            self.issue(EffectKind::ReadWeights, out);
        }
    }

    pub(super) fn contracting_weights_read(
        &mut self,
        contracting: &Contracting,
        weights: ObservedWeights,
        out: &mut Effects,
    ) {
        if *contracting != Contracting::VerifyingWeights {
            return;
        }
        if self.compare_weights(weights, out) && !self.is_paused() {
            self.contract_from(0, out);
        } else {
            self.contract_later();
        }
    }

    pub(super) fn contracting_weights_unread(&mut self) {
        if matches!(self.phase, Phase::Contracting(Contracting::VerifyingWeights)) {
            self.contract_later();
        }
    }

    fn contract_later(&mut self) {
        let until = self.now.after(self.plan.policy().effects.poll.duration());
        self.phase = Phase::Contracting(Contracting::Waiting { until });
    }

    /// Applies the contract steps from this one on, then the rollout is done.
    pub(super) fn contract_from(&mut self, step: usize, out: &mut Effects) {
        let Some(next) = self.step(migration::Phase::Contract, step).cloned() else {
            self.phase = Phase::Finished(Outcome::Completed);
            return;
        };
        if self.is_paused() {
            let why = String::from("the rollout was paused");
            self.phase = Phase::Contracting(Contracting::Held { step, why });
            return;
        }
        if matches!(self.schema, SchemaFit::FitsBlue { .. }) {
            self.schema = SchemaFit::GreenOnly { since: next };
        }
        self.phase = Phase::Contracting(Contracting::Applying { step });
        self.issue(EffectKind::Migrate { phase: migration::Phase::Contract, step }, out);
    }

    pub(super) fn contracted(&mut self, step: usize, out: &mut Effects) {
        self.phase = Phase::Contracting(Contracting::Verifying { step });
        self.issue(EffectKind::ReadSchema { phase: migration::Phase::Contract, step }, out);
    }

    pub(super) fn contraction_read(&mut self, step: usize, found: &SchemaVersion, out: &mut Effects) {
        let Some(meant) = self.step(migration::Phase::Contract, step) else { return };
        if *found != meant.to {
            let what =
                format!("the schema of {} is at {found} after the migration to {}", meant.service, meant.to);
            return self.contraction_failed(step, what, out);
        }
        let reason = format!("{meant}: the database is at {found}; blue's code does not fit it any more");
        self.decide(DecisionKind::Migrated, reason, out);
        self.contract_from(step + 1, out);
    }

    /// Green serves all the same: nothing is hurried.
    pub(super) fn contraction_failed(&mut self, step: usize, why: String, out: &mut Effects) {
        let reason = format!(
            "{why}; green serves all the same, and blue cannot come back: `resume` tries the step again, `promote --force` ends the \
             rollout without it"
        );
        self.hold_for_migration(reason, out);
        self.phase = Phase::Contracting(Contracting::Held { step, why });
    }

    pub(super) fn hold_for_migration(&self, reason: String, out: &mut Effects) {
        let hold = Decision::plain(DecisionKind::Hold, self.stage_name(), self.now, reason);
        out.decisions.push(Decision { rule: Some(MIGRATION.into()), ..hold });
    }
}
