//! The rest of a database rollback: blue serves everything again; green is stopped, and the migrations are undone, the latest first.

use alloc::format;
use alloc::string::String;

use super::state::{RollbackStep, RollingBack};
use super::{Cause, Phase, Rollout};
use crate::decision::DecisionKind;
use crate::effect::{EffectKind, Effects};
use crate::ids::SchemaVersion;
use crate::migration::{self, SchemaFit};
use crate::policy::RollbackMethod;

impl Rollout {
    /// Whether the way back of this cause leads through the database, and there is something to undo.
    pub(super) fn undoes_migrations(&self, cause: &Cause) -> bool {
        let wanted = match cause {
            Cause::Person { issue, .. } => issue.way_back().method == RollbackMethod::DatabaseRollback,
            Cause::Rule(_) | Cause::Effect(_) => false,
        };
        wanted && matches!(self.schema, SchemaFit::FitsBlue { expanded: 1.. })
    }

    /// Nothing that writes to the new columns may run while they are looked at and dropped.
    pub(super) fn stop_green(&mut self, out: &mut Effects) {
        self.back_at(RollbackStep::StoppingGreen);
        self.issue(EffectKind::StopGreen, out);
    }

    pub(super) fn green_stopped(&mut self, out: &mut Effects) {
        if matches!(&self.phase, Phase::RollingBack(rolling) if rolling.step == RollbackStep::StoppingGreen) {
            self.undo_next(out);
        }
    }

    /// Goes on with the latest step that is still applied.
    fn undo_next(&mut self, out: &mut Effects) {
        match &self.schema {
            SchemaFit::FitsBlue { expanded: 0 } | SchemaFit::GreenOnly { .. } => self.end_rollback(out),
            SchemaFit::FitsBlue { expanded } => {
                let step = *expanded - 1;
                self.back_at(RollbackStep::FindingWritten { step });
                self.issue(EffectKind::FindWritten { step }, out);
            }
        }
    }

    pub(super) fn written_found(&mut self, step: usize, written: &[String], out: &mut Effects) {
        if written.is_empty() {
            return self.undo_step(step, out);
        }
        let columns = written.join(", ");
        let why = format!("data was written to {columns}, and undoing the migration would lose it");
        self.hold_by_schema(step, why, out);
    }

    fn undo_step(&mut self, step: usize, out: &mut Effects) {
        self.back_at(RollbackStep::Undoing { step });
        self.issue(EffectKind::UndoMigration { step }, out);
    }

    pub(super) fn undone(&mut self, step: usize, out: &mut Effects) {
        self.back_at(RollbackStep::VerifyingSchema { step });
        self.issue(EffectKind::ReadSchema { phase: migration::Phase::Expand, step }, out);
    }

    pub(super) fn undo_read(&mut self, step: usize, found: &SchemaVersion, out: &mut Effects) {
        let Some(meant) = self.step(migration::Phase::Expand, step) else { return };
        if *found != meant.from {
            let why = format!(
                "the schema of {} is at {found} after it was undone to {}",
                meant.service, meant.from
            );
            return self.hold_by_schema(step, why, out);
        }
        let reason = format!("{} is back at {found}, as the database says", meant.service);
        self.decide(DecisionKind::MigrationUndone, reason, out);
        self.schema = SchemaFit::FitsBlue { expanded: step };
        self.undo_next(out);
    }

    /// Blue serves everything by now: nothing is hurried.
    pub(super) fn hold_by_schema(&mut self, step: usize, why: String, out: &mut Effects) {
        let reason = format!(
            "{why}: `abort --force` undoes it all the same, `resume` ends the rollback and leaves the schema expanded, which blue's code \
             works with"
        );
        self.hold_for_migration(reason, out);
        self.back_at(RollbackStep::HeldBySchema { step, why });
    }

    /// A person wants the migration undone all the same.
    pub(super) fn undo_all_the_same(&mut self, out: &mut Effects) {
        if let Phase::RollingBack(RollingBack { step: RollbackStep::HeldBySchema { step, .. }, .. }) =
            self.phase
        {
            self.undo_step(step, out);
        }
    }

    /// It has taken minutes: is everything still on blue?
    pub(super) fn end_rollback(&mut self, out: &mut Effects) {
        self.back_at(RollbackStep::VerifyingAgain);
        self.issue(EffectKind::ReadWeights, out);
    }
}
