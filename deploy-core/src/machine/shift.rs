//! Phase 2 of the strategy: a stage's weights are put into effect.
//!
//! Before a change green is known healthy and nobody else has changed the weights. Three facts come before a bake, each visible in
//! the log: the change is in sync, a read-back shows it, the TTL has passed (semantics 5.2). The fourth, the share of the requests
//! that green really gets, can only be measured once they come: see `share`.

use alloc::format;
use alloc::string::String;

use super::event::ApprovalGate;
use super::state::{ShiftStep, Shifting};
use super::{Baking, Control, Phase, Rollout};
use crate::decision::DecisionKind;
use crate::effect::{Direction, EffectKind, Effects, ObservedWeights};
use crate::ids::EffectId;
use crate::metric::Side;
use crate::time::Timestamp;

impl Rollout {
    pub(super) fn begin_shift(&mut self, stage: usize, out: &mut Effects) {
        // An answer to a look from before must not be taken for one of the looks that follow.
        self.forget_looks(out);
        if self.is_paused() {
            self.phase = Phase::Shifting(Shifting { stage, step: ShiftStep::Waiting });
        } else if self.needs_approval(ApprovalGate::Stage(stage)) {
            self.await_approval_of_shift(stage, out);
        } else {
            self.phase = Phase::Shifting(Shifting { stage, step: ShiftStep::ReadingBefore });
            self.issue(EffectKind::ReadWeights, out);
        }
    }

    fn at_step(&mut self, stage: usize, step: ShiftStep) {
        self.phase = Phase::Shifting(Shifting { stage, step });
    }

    pub(super) fn shift_weights_read(
        &mut self,
        shifting: &Shifting,
        weights: ObservedWeights,
        out: &mut Effects,
    ) {
        let stage = shifting.stage;
        match shifting.step {
            ShiftStep::ReadingBefore => {
                if self.compare_weights(weights, out) {
                    self.at_step(stage, ShiftStep::CheckingGreen { next_look: self.now, looks: 0 });
                    self.look_at(Side::Green, out);
                } else {
                    self.at_step(stage, ShiftStep::Waiting);
                }
            }
            ShiftStep::ReadingBack => {
                if self.compare_weights(weights, out) {
                    let until = self.tell_read_back(weights, out);
                    self.at_step(stage, ShiftStep::Settling { until });
                } else {
                    // Paused: when it is resumed, the change is made anew.
                    self.at_step(stage, ShiftStep::Waiting);
                }
            }
            ShiftStep::Waiting | ShiftStep::AwaitingApproval { .. } => {
                self.compare_weights(weights, out);
            }
            ShiftStep::CheckingGreen { .. }
            | ShiftStep::Setting
            | ShiftStep::Confirming { .. }
            | ShiftStep::Settling { .. } => {}
        }
    }

    pub(super) fn shift_health(&mut self, shifting: Shifting, out: &mut Effects) {
        let ShiftStep::CheckingGreen { looks, .. } = shifting.step else { return };
        let stage = shifting.stage;
        if !self.health.green.is_healthy() {
            let looks = looks + 1;
            if looks >= self.plan.policy().effects.attempts {
                let what = self.health.green.what_is_wrong().unwrap_or("its health is unknown");
                let what = format!("green must be healthy before it gets more weight: {what}");
                return self.take_back_after_failure(what, out);
            }
            let next_look = self.now.after(self.plan.policy().effects.poll.duration());
            return self.at_step(stage, ShiftStep::CheckingGreen { next_look, looks });
        }
        if self.is_paused() {
            return self.at_step(stage, ShiftStep::Waiting);
        }
        if !self.is_caught_up() {
            let next_look = self.now.after(self.plan.policy().effects.poll.duration());
            return self.at_step(stage, ShiftStep::CheckingGreen { next_look, looks });
        }
        let weights = self.plan.stage_weights(stage);
        self.at_step(stage, ShiftStep::Setting);
        self.decide(
            DecisionKind::Shift,
            format!("green is healthy and the record shows {}: now {weights}", self.expected),
            out,
        );
        // From here on green may have traffic, also while the answer to the change is out.
        self.start_monitor();
        self.issue(EffectKind::SetWeights { weights, direction: Direction::Forward }, out);
    }

    pub(super) fn shift_set(&mut self, shifting: &Shifting, change: EffectId) {
        let deadline = self.now.after(self.plan.policy().effects.provision_deadline.duration());
        self.at_step(shifting.stage, ShiftStep::Confirming { change, next_look: self.now, deadline });
    }

    pub(super) fn shift_confirmed(&mut self, shifting: Shifting, in_sync: bool, out: &mut Effects) {
        let ShiftStep::Confirming { change, deadline, .. } = shifting.step else { return };
        if in_sync {
            self.tell_in_sync(out);
            self.at_step(shifting.stage, ShiftStep::ReadingBack);
            self.issue(EffectKind::ReadWeights, out);
        } else {
            let next_look = self.now.after(self.plan.policy().effects.poll.duration());
            self.at_step(shifting.stage, ShiftStep::Confirming { change, next_look, deadline });
        }
    }

    pub(super) fn tick_shifting(&mut self, shifting: Shifting, out: &mut Effects) {
        match shifting.step {
            ShiftStep::CheckingGreen { next_look, .. } if next_look <= self.now => {
                self.look_at(Side::Green, out)
            }
            ShiftStep::Confirming { deadline, .. } if deadline <= self.now => {
                let limit = self.plan.policy().effects.provision_deadline;
                let what = format!("the change of the weights was not in sync within {limit}");
                self.take_back_after_failure(what, out);
            }
            ShiftStep::Confirming { change, next_look, .. } if next_look <= self.now => {
                self.confirm(change, out)
            }
            ShiftStep::Settling { until } if until <= self.now => self.begin_bake(shifting.stage, out),
            ShiftStep::AwaitingApproval { deadline }
                if self.approval_deadline(deadline).is_some_and(|deadline| deadline <= self.now) =>
            {
                self.approval_is_late(shifting.stage, out);
            }
            ShiftStep::Waiting
            | ShiftStep::AwaitingApproval { .. }
            | ShiftStep::ReadingBefore
            | ShiftStep::CheckingGreen { .. }
            | ShiftStep::Setting
            | ShiftStep::Confirming { .. }
            | ShiftStep::ReadingBack
            | ShiftStep::Settling { .. } => {}
        }
    }

    pub(super) fn shifting_deadline(&self, step: &ShiftStep) -> Option<Timestamp> {
        match step {
            ShiftStep::CheckingGreen { next_look, .. } => {
                (!self.is_looking_at(Side::Green)).then_some(*next_look)
            }
            ShiftStep::Confirming { next_look, deadline, .. } => {
                Some(if self.is_confirming() { *deadline } else { (*deadline).min(*next_look) })
            }
            ShiftStep::Settling { until } => Some(*until),
            ShiftStep::AwaitingApproval { deadline } => self.approval_deadline(*deadline),
            ShiftStep::Waiting | ShiftStep::ReadingBefore | ShiftStep::Setting | ShiftStep::ReadingBack => {
                None
            }
        }
    }

    pub(super) fn tell_in_sync(&self, out: &mut Effects) {
        self.decide(
            DecisionKind::InSync,
            format!("{}: the change is in effect everywhere", self.expected),
            out,
        );
    }

    /// Tells what a read-back shows; the time until which the old answer may still be in use follows.
    pub(super) fn tell_read_back(&self, observed: ObservedWeights, out: &mut Effects) -> Timestamp {
        let ttl = self.plan.policy().effects.ttl;
        let until = self.now.after(ttl.duration());
        self.decide(
            DecisionKind::ReadBack,
            format!("the record shows {observed}; the TTL of {ttl} passes at {until}"),
            out,
        );
        until
    }

    /// Asks whether a change is in sync, unless the question is under way.
    pub(super) fn confirm(&mut self, change: EffectId, out: &mut Effects) {
        if !self.is_confirming() {
            self.issue(EffectKind::ConfirmWeights { change }, out);
        }
    }

    pub(super) fn is_confirming(&self) -> bool {
        self.is_outstanding(|kind| matches!(kind, EffectKind::ConfirmWeights { .. }))
    }

    fn begin_bake(&mut self, stage: usize, out: &mut Effects) {
        let effective = self.now;
        if self.plan.is_last(stage) {
            self.cutover = Some(effective);
        }
        self.judge.enter(&self.plan, stage, effective);
        self.phase = Phase::Baking(Baking { stage, effective });
        self.share.begin_stage();
        let ttl = self.plan.policy().effects.ttl;
        let share = if self.measures_share() {
            "the share of the requests is measured from now on"
        } else {
            "the share of the requests is not measured, since no rule looks at the `requests` of blue"
        };
        let reason = format!(
            "{}: in sync, read back, and the TTL of {ttl} has passed; {} min of evidence are needed; {share}",
            self.expected,
            self.plan.stage_bake(stage)
        );
        self.decide(DecisionKind::Bake, reason, out);
    }

    /// Compares the weights with what they should be; a difference pauses the rollout and says so, once (semantics 5.7).
    pub(super) fn compare_weights(&mut self, observed: ObservedWeights, out: &mut Effects) -> bool {
        if observed.is(self.expected) {
            return true;
        }
        if !self.is_paused() {
            let why =
                format!("somebody else has changed the weights: {observed} instead of {}", self.expected);
            self.decide(
                DecisionKind::Pause,
                format!("{why}; set them back and resume, or abort: they are not overwritten towards green"),
                out,
            );
            self.control = Control::Paused { by: String::from(DRIFT), why };
        }
        false
    }
}

/// Who pauses a rollout whose weights were changed by somebody else.
pub(super) const DRIFT: &str = "mpac-deploy";
