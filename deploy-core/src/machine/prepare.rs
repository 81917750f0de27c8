//! Phase 1 of the strategy: green is started, becomes healthy, and passes its pre-production checks.

use alloc::format;
use alloc::string::{String, ToString};

use super::state::{KnownHealth, Preparing};
use super::{Cause, Outcome, Phase, Rollout};
use crate::decision::DecisionKind;
use crate::effect::{CheckResult, EffectKind, Effects, Health, ObservedWeights};
use crate::ids::CheckName;
use crate::metric::Side;
use crate::time::Timestamp;
use crate::units::Weights;

impl Rollout {
    /// All traffic must be on blue before anything is done.
    pub(super) fn first_weights_read(&mut self, weights: ObservedWeights, out: &mut Effects) {
        match Weights::new(weights.blue, weights.green) {
            Ok(observed) if observed.is_all(Side::Blue) => {
                self.expected = observed;
                self.expand_from(0, out);
            }
            Ok(_) | Err(_) => {
                let what = format!(
                    "the record shows {weights} before the rollout began: give everything to blue first, or finish the rollout that \
                     moved it"
                );
                self.abandon(Cause::Effect(what.clone()), &what, out);
            }
        }
    }

    /// The schema fits both versions: green can start.
    pub(super) fn provision(&mut self, out: &mut Effects) {
        let deadline = self.now.after(self.plan.policy().effects.provision_deadline.duration());
        self.phase = Phase::Preparing(Preparing::Provisioning { deadline });
        self.issue(EffectKind::Provision, out);
        self.issue(EffectKind::CheckHealth { side: Side::Blue }, out);
    }

    pub(super) fn provisioned(&mut self) {
        if let Phase::Preparing(Preparing::Provisioning { deadline }) = self.phase {
            let detail = String::from("nobody has looked yet");
            self.phase =
                Phase::Preparing(Preparing::AwaitingHealth { deadline, next_look: self.now, detail });
        }
    }

    pub(super) fn tick_preparing(&mut self, preparing: Preparing, out: &mut Effects) {
        match preparing {
            Preparing::Provisioning { deadline } if deadline <= self.now => {
                self.provisioning_took_too_long("the platform has not confirmed that it starts green", out);
            }
            Preparing::AwaitingHealth { deadline, detail, .. } if deadline <= self.now => {
                self.provisioning_took_too_long(&detail, out);
            }
            Preparing::AwaitingHealth { next_look, .. } if next_look <= self.now => {
                self.look_at(Side::Green, out)
            }
            Preparing::Reading
            | Preparing::Migrating { .. }
            | Preparing::Unmigrating { .. }
            | Preparing::Provisioning { .. }
            | Preparing::AwaitingHealth { .. }
            | Preparing::Checking { .. } => {}
        }
    }

    pub(super) fn preparing_deadline(&self, preparing: &Preparing) -> Option<Timestamp> {
        match preparing {
            Preparing::Provisioning { deadline } => Some(*deadline),
            Preparing::AwaitingHealth { deadline, next_look, .. } => {
                Some(if self.is_looking_at(Side::Green) { *deadline } else { (*deadline).min(*next_look) })
            }
            Preparing::Reading
            | Preparing::Migrating { .. }
            | Preparing::Unmigrating { .. }
            | Preparing::Checking { .. } => None,
        }
    }

    fn provisioning_took_too_long(&mut self, detail: &str, out: &mut Effects) {
        let limit = self.plan.policy().effects.provision_deadline;
        self.take_back_after_failure(format!("green was not healthy within {limit}: {detail}"), out);
    }

    /// Issues a look at a side's health, unless one is under way.
    pub(super) fn look_at(&mut self, side: Side, out: &mut Effects) {
        if !self.is_looking_at(side) {
            self.issue(EffectKind::CheckHealth { side }, out);
        }
    }

    pub(super) fn is_looking_at(&self, wanted: Side) -> bool {
        self.is_outstanding(|kind| matches!(kind, EffectKind::CheckHealth { side } if *side == wanted))
    }

    pub(super) fn preparing_health(&mut self, preparing: Preparing, out: &mut Effects) {
        let Preparing::AwaitingHealth { deadline, .. } = preparing else { return };
        let detail = match &self.health.green {
            KnownHealth::Known(Health::Healthy) => return self.run_check(0, out),
            KnownHealth::Known(Health::Failed { detail }) => {
                let what = format!("green cannot become healthy: {detail}");
                return self.take_back_after_failure(what, out);
            }
            KnownHealth::Known(Health::Starting { detail } | Health::Unhealthy { detail }) => detail.clone(),
            KnownHealth::Unknown => String::from("its health could not be read"),
        };
        let next_look = self.now.after(self.plan.policy().effects.poll.duration());
        self.phase = Phase::Preparing(Preparing::AwaitingHealth { deadline, next_look, detail });
    }

    fn run_check(&mut self, index: usize, out: &mut Effects) {
        match self.plan.release().checks.get(index).cloned() {
            Some(check) => {
                self.phase = Phase::Preparing(Preparing::Checking { check: index });
                self.issue(EffectKind::RunCheck { check }, out);
            }
            None => {
                let passed = self.plan.release().checks.len();
                self.decide(
                    DecisionKind::Prepared,
                    format!("green is healthy and passed its {passed} checks"),
                    out,
                );
                self.begin_shift(0, out);
            }
        }
    }

    pub(super) fn checked(&mut self, check: &CheckName, result: CheckResult, out: &mut Effects) {
        let Phase::Preparing(Preparing::Checking { check: index }) = self.phase else { return };
        match result {
            CheckResult::Passed => self.run_check(index + 1, out),
            CheckResult::Failed { detail } => {
                self.take_back_after_failure(format!("the check `{check}` failed: {detail}"), out);
            }
        }
    }

    /// Before traffic has moved there is nothing to take back; green is left as it is, for the investigation.
    pub(super) fn abandon(&mut self, cause: Cause, why: &str, out: &mut Effects) {
        self.drop_everything(out);
        self.stop_monitor();
        self.judge.leave();
        let schema = self.expanded_words();
        self.decide(DecisionKind::Abandoned, format!("{why}; no traffic was moved{schema}"), out);
        self.phase = Phase::Finished(Outcome::Abandoned { cause });
    }

    /// Whether no change towards green has ever been issued: the monitor goes on with the first one.
    pub(super) const fn is_untouched(&self) -> bool {
        matches!(self.phase, Phase::Preparing(_) | Phase::Shifting(_)) && !self.monitor.is_on()
    }

    /// An effect could not be done: the rollout does not go on.
    pub(super) fn take_back_after_failure(&mut self, what: String, out: &mut Effects) {
        if !self.is_untouched() {
            self.decide(DecisionKind::Rollback, what.clone(), out);
        }
        self.take_back(Cause::Effect(what.clone()), &what.to_string(), out);
    }
}
