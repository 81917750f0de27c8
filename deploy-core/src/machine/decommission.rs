//! Phase 3 of the strategy: blue is kept for a while after the cutover, looked at a last time, then retired.

use alloc::format;

use super::event::ApprovalGate;
use super::state::Decommissioning;
use super::{Phase, Rollout};
use crate::decision::DecisionKind;
use crate::effect::{EffectKind, Effects, ObservedWeights};
use crate::metric::Side;
use crate::time::Timestamp;

impl Rollout {
    pub(super) fn begin_decommission(&mut self, out: &mut Effects) {
        let cutover = self.cutover.unwrap_or(self.now);
        let until = cutover.after(self.plan.policy().decommission.wait.duration()).max(self.now);
        self.phase = Phase::Decommissioning(Decommissioning::Waiting { until });
        self.verify_when_due(out);
    }

    pub(super) fn tick_decommissioning(&mut self, decommissioning: &Decommissioning, out: &mut Effects) {
        match decommissioning {
            Decommissioning::Waiting { .. } => self.verify_when_due(out),
            Decommissioning::AwaitingApproval
            | Decommissioning::VerifyingWeights
            | Decommissioning::VerifyingGreen
            | Decommissioning::Retiring => {}
        }
    }

    pub(super) const fn decommissioning_deadline(
        &self,
        decommissioning: &Decommissioning,
    ) -> Option<Timestamp> {
        match decommissioning {
            Decommissioning::Waiting { until } => Some(*until),
            Decommissioning::AwaitingApproval
            | Decommissioning::VerifyingWeights
            | Decommissioning::VerifyingGreen
            | Decommissioning::Retiring => None,
        }
    }

    /// Whether nothing speaks against going on without blue, as far as is known: no pause, no blind trigger, no period that
    /// is visible and not judged yet.
    fn may_retire(&self) -> bool {
        !self.is_paused() && !self.judge.is_holding() && self.is_caught_up()
    }

    /// Once its time has come, the world is looked at anew: what was known before may be hours old after a restart.
    fn verify_when_due(&mut self, out: &mut Effects) {
        let Phase::Decommissioning(Decommissioning::Waiting { until }) = self.phase else { return };
        if until > self.now {
            return;
        }
        if !self.may_retire() {
            self.wait_longer();
        } else if self.needs_approval(ApprovalGate::Decommission) {
            self.await_approval_of_decommission(out);
        } else {
            self.forget_looks(out);
            self.phase = Phase::Decommissioning(Decommissioning::VerifyingWeights);
            self.issue(EffectKind::ReadWeights, out);
        }
    }

    /// A person has approved that blue is retired.
    pub(super) fn go_on_to_retire(&mut self, out: &mut Effects) {
        self.phase = Phase::Decommissioning(Decommissioning::Waiting { until: self.now });
        self.verify_when_due(out);
    }

    fn wait_longer(&mut self) {
        let until = self.now.after(self.plan.policy().effects.poll.duration());
        self.phase = Phase::Decommissioning(Decommissioning::Waiting { until });
    }

    pub(super) fn decommission_weights_read(
        &mut self,
        step: &Decommissioning,
        weights: ObservedWeights,
        out: &mut Effects,
    ) {
        let as_meant = self.compare_weights(weights, out);
        match step {
            Decommissioning::VerifyingWeights if as_meant => {
                self.phase = Phase::Decommissioning(Decommissioning::VerifyingGreen);
                self.look_at(Side::Green, out);
            }
            Decommissioning::VerifyingWeights => self.wait_longer(),
            Decommissioning::Waiting { .. }
            | Decommissioning::AwaitingApproval
            | Decommissioning::VerifyingGreen
            | Decommissioning::Retiring => {}
        }
    }

    /// The weights could not be read: blue is not retired on what is not known.
    pub(super) fn decommission_weights_unread(&mut self) {
        if matches!(self.phase, Phase::Decommissioning(Decommissioning::VerifyingWeights)) {
            self.wait_longer();
        }
    }

    pub(super) fn decommission_health(&mut self, step: &Decommissioning, out: &mut Effects) {
        if *step != Decommissioning::VerifyingGreen {
            return;
        }
        if !(self.health.green.is_healthy() && self.may_retire()) {
            return self.wait_longer();
        }
        let reason = format!(
            "{} after the cutover no rollback is needed, the record shows {} and green is healthy: blue is retired, its task \
             definition kept",
            self.plan.policy().decommission.wait,
            self.expected
        );
        self.decide(DecisionKind::Decommission, reason, out);
        self.phase = Phase::Decommissioning(Decommissioning::Retiring);
        self.issue(EffectKind::RetireBlue, out);
    }

    pub(super) fn retired(&mut self, out: &mut Effects) {
        self.drop_outstanding(out);
        self.stop_monitor();
        self.decide(DecisionKind::Retired, "blue is stopped; green serves everything", out);
        self.begin_contracting(out);
    }
}
