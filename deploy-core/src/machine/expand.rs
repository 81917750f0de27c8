//! Phase 1 of the migrations: the schema is expanded before green starts, one step after the other, each read back from the database.

use alloc::format;
use alloc::string::{String, ToString};

use super::state::Preparing;
use super::{Cause, Phase, Rollout};
use crate::decision::DecisionKind;
use crate::effect::{EffectKind, Effects};
use crate::ids::SchemaVersion;
use crate::migration::{self, SchemaFit, Step};

impl Rollout {
    pub(super) fn step(&self, phase: migration::Phase, step: usize) -> Option<&Step> {
        self.plan.release().migrations.steps(phase).get(step)
    }

    /// Applies the expand steps from this one on, then starts green.
    pub(super) fn expand_from(&mut self, step: usize, out: &mut Effects) {
        if self.step(migration::Phase::Expand, step).is_none() {
            return self.provision(out);
        }
        self.phase = Phase::Preparing(Preparing::Migrating { step, is_applied: false });
        self.schema = SchemaFit::FitsBlue { expanded: step + 1 };
        self.issue(EffectKind::Migrate { phase: migration::Phase::Expand, step }, out);
    }

    pub(super) fn expanded(&mut self, step: usize, out: &mut Effects) {
        self.phase = Phase::Preparing(Preparing::Migrating { step, is_applied: true });
        self.issue(EffectKind::ReadSchema { phase: migration::Phase::Expand, step }, out);
    }

    pub(super) fn expansion_read(&mut self, step: usize, found: &SchemaVersion, out: &mut Effects) {
        let Some(meant) = self.step(migration::Phase::Expand, step) else { return };
        if *found != meant.to {
            let what =
                format!("the schema of {} is at {found} after the migration to {}", meant.service, meant.to);
            return self.expansion_failed(step, what, out);
        }
        let reason = format!("{meant}: the database is at {found}; blue's code works with it too");
        self.decide(DecisionKind::Migrated, reason, out);
        self.expand_from(step + 1, out);
    }

    /// Green has not started, so nothing was written to what the steps have added: undoing them is safe.
    pub(super) fn expansion_failed(&mut self, step: usize, what: String, out: &mut Effects) {
        self.drop_outstanding(out);
        self.phase = Phase::Preparing(Preparing::Unmigrating { step, why: what });
        self.issue(EffectKind::UndoMigration { step }, out);
    }

    pub(super) fn unexpanded(&mut self, step: usize, out: &mut Effects) {
        if let Some(undone) = self.step(migration::Phase::Expand, step) {
            self.decide(
                DecisionKind::MigrationUndone,
                format!("{} is back at {}", undone.service, undone.from),
                out,
            );
        }
        // A later step that was left as it is still counts.
        if self.schema == (SchemaFit::FitsBlue { expanded: step + 1 }) {
            self.schema = SchemaFit::FitsBlue { expanded: step };
        }
        self.unexpand_next(step, None, out);
    }

    /// What cannot be undone is left and said: the schema fits blue all the same.
    pub(super) fn unexpansion_failed(&mut self, step: usize, what: &str, out: &mut Effects) {
        self.unexpand_next(step, Some(what), out);
    }

    fn unexpand_next(&mut self, step: usize, left: Option<&str>, out: &mut Effects) {
        let Phase::Preparing(Preparing::Unmigrating { why, .. }) = &self.phase else { return };
        let why = match left {
            Some(left) => format!("{why}; left as it is: {left}"),
            None => why.clone(),
        };
        match step.checked_sub(1) {
            Some(step) => {
                self.phase = Phase::Preparing(Preparing::Unmigrating { step, why });
                self.issue(EffectKind::UndoMigration { step }, out);
            }
            None => self.abandon(Cause::Effect(why.clone()), &why, out),
        }
    }

    /// What an abandoned rollout leaves in the databases.
    pub(super) fn expanded_words(&self) -> String {
        match &self.schema {
            SchemaFit::FitsBlue { expanded: 0 } | SchemaFit::GreenOnly { .. } => String::new(),
            SchemaFit::FitsBlue { .. } => {
                "; the schema stays expanded where it is, which blue's code works with".to_string()
            }
        }
    }
}
