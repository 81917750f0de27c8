//! Phase 3 of the strategy: blue is kept for a while after the cutover, then retired.

use alloc::format;

use super::state::Decommissioning;
use super::{Outcome, Phase, Rollout};
use crate::decision::DecisionKind;
use crate::effect::{EffectKind, Effects};
use crate::time::Timestamp;

impl Rollout {
    pub(super) fn begin_decommission(&mut self, out: &mut Effects) {
        let cutover = self.cutover.unwrap_or(self.now);
        let until = cutover.after(self.plan.policy().decommission.wait.duration()).max(self.now);
        self.phase = Phase::Decommissioning(Decommissioning::Waiting { until });
        self.try_to_retire(out);
    }

    pub(super) fn tick_decommissioning(&mut self, decommissioning: &Decommissioning, out: &mut Effects) {
        match decommissioning {
            Decommissioning::Waiting { .. } => self.try_to_retire(out),
            Decommissioning::Retiring => {}
        }
    }

    /// Retires blue once its time has come, no rollback is needed, and green is known to be able to do without it.
    pub(super) fn try_to_retire(&mut self, out: &mut Effects) {
        let Phase::Decommissioning(Decommissioning::Waiting { until }) = self.phase else { return };
        let may_go = !self.is_paused() && !self.judge.is_holding() && self.health.green.is_healthy();
        if until > self.now {
            return;
        }
        if may_go {
            let reason = format!(
                "{} after the cutover no rollback is needed and green is healthy: blue is retired, its task definition kept",
                self.plan.policy().decommission.wait
            );
            self.decide(DecisionKind::Decommission, reason, out);
            self.phase = Phase::Decommissioning(Decommissioning::Retiring);
            self.forget_looks(out);
            self.issue(EffectKind::RetireBlue, out);
        } else {
            let until = self.now.after(self.plan.policy().effects.poll.duration());
            self.phase = Phase::Decommissioning(Decommissioning::Waiting { until });
        }
    }

    pub(super) fn decommissioning_deadline(&self, decommissioning: &Decommissioning) -> Option<Timestamp> {
        match decommissioning {
            Decommissioning::Waiting { until } => Some(*until),
            Decommissioning::Retiring => None,
        }
    }

    pub(super) fn retired(&mut self, out: &mut Effects) {
        self.drop_outstanding(out);
        self.stop_monitor();
        self.decide(DecisionKind::Retired, "blue is stopped; green serves everything", out);
        self.phase = Phase::Finished(Outcome::Completed);
    }
}
