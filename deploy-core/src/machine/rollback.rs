//! The way back: from every phase, without an attempt limit, and onto a blue that is not known to be broken.

use alloc::format;
use alloc::string::{String, ToString};

use super::state::{KnownHealth, RollbackStep, RollingBack};
use super::{Cause, Control, Decommissioning, Outcome, Phase, Rollout};
use crate::decision::{BLUE_UNHEALTHY, Decision, DecisionKind};
use crate::effect::{Direction, EffectKind, Effects, ObservedWeights};
use crate::ids::EffectId;
use crate::metric::Side;
use crate::time::Timestamp;
use crate::units::Weights;

impl Rollout {
    /// Takes the rollout back from wherever it stands. The decision has been told by the caller; what was wanted before is not
    /// wanted any more.
    pub(super) fn take_back(&mut self, cause: Cause, why: &str, out: &mut Effects) {
        if self.is_untouched() {
            return self.abandon(cause, why, out);
        }
        let blue_may_be_gone = matches!(
            self.phase,
            Phase::Decommissioning(Decommissioning::Retiring)
                | Phase::Contracting(_)
                | Phase::Finished(Outcome::Completed)
        );
        let stage = self.stage().unwrap_or_default();
        self.drop_everything(out);
        self.stop_monitor();
        self.judge.leave();
        self.control = Control::Running;
        self.phase = Phase::RollingBack(RollingBack { cause, stage, step: RollbackStep::Setting });
        if blue_may_be_gone {
            self.health.blue = KnownHealth::Unknown;
            self.back_at(RollbackStep::Reviving);
            self.issue(EffectKind::ReviveBlue, out);
        } else if let Some(wrong) = self.health.blue.what_is_wrong() {
            let reason = format!(
                "blue is known to be unhealthy ({wrong}), so traffic is not moved onto it: a person must decide between \
                 repairing blue and `abort --force`; the rollback goes on by itself once blue is healthy"
            );
            self.hold_for_blue(reason, out);
            self.back_at(RollbackStep::HeldByBlue { next_look: self.now });
        } else {
            self.set_back(out);
        }
    }

    /// The highest alert: traffic stays on a green that should not have it (semantics 5.1).
    fn hold_for_blue(&self, reason: String, out: &mut Effects) {
        let hold = Decision::plain(DecisionKind::Hold, self.stage_name(), self.now, reason);
        out.decisions.push(Decision { rule: Some(BLUE_UNHEALTHY.to_string()), ..hold });
    }

    pub(super) fn back_at(&mut self, step: RollbackStep) {
        if let Phase::RollingBack(rolling_back) = &mut self.phase {
            rolling_back.step = step;
        }
    }

    /// One call and no wait between the decision and this effect.
    pub(super) fn set_back(&mut self, out: &mut Effects) {
        self.back_at(RollbackStep::Setting);
        self.issue(EffectKind::SetWeights { weights: Weights::ALL_BLUE, direction: Direction::Back }, out);
    }

    /// The same change anew, at the pace of the looks: an adapter that forgets every change must not be called without end.
    pub(super) fn set_back_after_a_pause(&mut self) {
        self.back_at(RollbackStep::Setting);
        let at = self.now.after(self.plan.policy().effects.poll.duration());
        self.issue_at(at, EffectKind::SetWeights { weights: Weights::ALL_BLUE, direction: Direction::Back });
    }

    pub(super) fn rollback_set(&mut self, rolling_back: &RollingBack, change: EffectId) {
        if rolling_back.step == RollbackStep::Setting {
            self.back_at(RollbackStep::Confirming { change, next_look: self.now });
        }
    }

    pub(super) fn rollback_confirmed(&mut self, rolling_back: RollingBack, in_sync: bool, out: &mut Effects) {
        let RollbackStep::Confirming { change, .. } = rolling_back.step else { return };
        if in_sync {
            self.tell_in_sync(out);
            self.back_at(RollbackStep::ReadingBack);
            self.issue(EffectKind::ReadWeights, out);
        } else {
            let next_look = self.now.after(self.plan.policy().effects.poll.duration());
            self.back_at(RollbackStep::Confirming { change, next_look });
        }
    }

    pub(super) fn rollback_weights_read(
        &mut self,
        rolling_back: RollingBack,
        observed: ObservedWeights,
        out: &mut Effects,
    ) {
        let (is_verified, undoes) = match rolling_back.step {
            RollbackStep::ReadingBack => (false, false),
            RollbackStep::Verifying => (true, self.undoes_migrations(&rolling_back.cause)),
            RollbackStep::VerifyingAgain => (true, false),
            RollbackStep::HeldByBlue { .. }
            | RollbackStep::Reviving
            | RollbackStep::AwaitingBlue { .. }
            | RollbackStep::Setting
            | RollbackStep::Confirming { .. }
            | RollbackStep::Settling { .. }
            | RollbackStep::StoppingGreen
            | RollbackStep::FindingWritten { .. }
            | RollbackStep::HeldBySchema { .. }
            | RollbackStep::Undoing { .. }
            | RollbackStep::VerifyingSchema { .. } => return,
        };
        if !observed.is(Weights::ALL_BLUE) {
            self.decide(
                DecisionKind::Retry,
                format!("the record shows {observed} after the rollback's change: something overtook it; it is made again"),
                out,
            );
            self.set_back(out);
        } else if undoes {
            self.stop_green(out);
        } else if is_verified {
            self.rolled_back(rolling_back.cause, out);
        } else {
            let until = self.tell_read_back(observed, out);
            self.back_at(RollbackStep::Settling { until });
        }
    }

    fn rolled_back(&mut self, cause: Cause, out: &mut Effects) {
        let reason = format!(
            "{}: in sync, read back, and read again after the TTL of {}",
            Weights::ALL_BLUE,
            self.plan.policy().effects.ttl
        );
        self.decide(DecisionKind::RolledBack, reason, out);
        self.phase = Phase::Finished(Outcome::RolledBack { cause });
    }

    pub(super) fn revived(&mut self) {
        self.back_at(RollbackStep::AwaitingBlue { next_look: self.now, is_told: false });
    }

    pub(super) fn rollback_health(&mut self, rolling_back: RollingBack, out: &mut Effects) {
        let next_look = self.now.after(self.plan.policy().effects.poll.duration());
        match rolling_back.step {
            RollbackStep::HeldByBlue { .. } if self.health.blue.is_healthy() => {
                self.decide(DecisionKind::HoldReleased, "blue is healthy again".to_string(), out);
                self.set_back(out);
            }
            RollbackStep::AwaitingBlue { .. } if self.health.blue.is_healthy() => self.set_back(out),
            RollbackStep::HeldByBlue { .. } => self.back_at(RollbackStep::HeldByBlue { next_look }),
            RollbackStep::AwaitingBlue { is_told, .. } => {
                let wrong = self.health.blue.what_is_wrong().filter(|_| !is_told);
                if let Some(wrong) = wrong {
                    let reason = format!(
                        "blue was started again and is unhealthy ({wrong}): the rollback goes on by itself once it is healthy, or a \
                         person forces it with `abort --force`"
                    );
                    self.hold_for_blue(reason, out);
                }
                let is_told = is_told || self.health.blue.what_is_wrong().is_some();
                self.back_at(RollbackStep::AwaitingBlue { next_look, is_told });
            }
            RollbackStep::Reviving
            | RollbackStep::Setting
            | RollbackStep::Confirming { .. }
            | RollbackStep::ReadingBack
            | RollbackStep::Settling { .. }
            | RollbackStep::Verifying
            | RollbackStep::VerifyingAgain
            | RollbackStep::StoppingGreen
            | RollbackStep::FindingWritten { .. }
            | RollbackStep::HeldBySchema { .. }
            | RollbackStep::Undoing { .. }
            | RollbackStep::VerifyingSchema { .. } => {}
        }
    }

    pub(super) fn tick_rolling_back(&mut self, rolling_back: RollingBack, out: &mut Effects) {
        match rolling_back.step {
            RollbackStep::HeldByBlue { next_look } | RollbackStep::AwaitingBlue { next_look, .. }
                if next_look <= self.now =>
            {
                self.look_at(Side::Blue, out);
            }
            RollbackStep::Confirming { change, next_look } if next_look <= self.now => {
                self.confirm(change, out)
            }
            RollbackStep::Settling { until } if until <= self.now => {
                self.back_at(RollbackStep::Verifying);
                self.issue(EffectKind::ReadWeights, out);
            }
            RollbackStep::HeldByBlue { .. }
            | RollbackStep::Reviving
            | RollbackStep::AwaitingBlue { .. }
            | RollbackStep::Setting
            | RollbackStep::Confirming { .. }
            | RollbackStep::ReadingBack
            | RollbackStep::Settling { .. }
            | RollbackStep::Verifying
            | RollbackStep::VerifyingAgain
            | RollbackStep::StoppingGreen
            | RollbackStep::FindingWritten { .. }
            | RollbackStep::HeldBySchema { .. }
            | RollbackStep::Undoing { .. }
            | RollbackStep::VerifyingSchema { .. } => {}
        }
    }

    pub(super) fn rollback_deadline(&self, step: &RollbackStep) -> Option<Timestamp> {
        match step {
            RollbackStep::HeldByBlue { next_look } | RollbackStep::AwaitingBlue { next_look, .. } => {
                (!self.is_looking_at(Side::Blue)).then_some(*next_look)
            }
            RollbackStep::Confirming { next_look, .. } => (!self.is_confirming()).then_some(*next_look),
            RollbackStep::Settling { until } => Some(*until),
            RollbackStep::Reviving
            | RollbackStep::Setting
            | RollbackStep::ReadingBack
            | RollbackStep::Verifying
            | RollbackStep::VerifyingAgain
            | RollbackStep::StoppingGreen
            | RollbackStep::FindingWritten { .. }
            | RollbackStep::HeldBySchema { .. }
            | RollbackStep::Undoing { .. }
            | RollbackStep::VerifyingSchema { .. } => None,
        }
    }
}
