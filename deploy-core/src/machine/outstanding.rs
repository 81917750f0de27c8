//! Effects between their issue and their outcome: time-outs, attempts and back-off.

use alloc::format;
use alloc::string::String;
use core::time::Duration;

use super::state::{Outstanding, Wait};
use super::{Phase, Preparing, Rejected, Rollout, ShiftStep, Shifting};
use crate::decision::DecisionKind;
use crate::effect::{Answer, Effect, EffectKind, Effects, Failure, Retry};
use crate::ids::EffectId;
use crate::time::Timestamp;

/// A pause between attempts is stretched by up to a quarter, so that many rollouts that failed together do not come back
/// together.
const JITTER_PARTS: u64 = 4;

/// A migration of more than 5 min is refused before it runs (strategy, pre-deployment checklist); one that takes twice as long as that
/// hangs.
const MIGRATION_LIMIT: Duration = Duration::from_secs(600);

/// An effect with what it came to.
pub(super) struct Answered {
    pub(super) effect: Effect,
    pub(super) result: Result<Answer, Failure>,
}

impl Rollout {
    /// Issues a new effect and returns its id.
    pub(super) fn issue(&mut self, kind: EffectKind, out: &mut Effects) -> EffectId {
        self.effects_issued += 1;
        let id = EffectId { rollout: self.id.clone(), number: self.effects_issued };
        let effect = Effect { id: id.clone(), attempt: 1, kind };
        let wait = Wait::Outcome { until: self.now.after(self.timeout(&effect.kind)) };
        out.run.push(effect.clone());
        self.outstanding.push(Outstanding { effect, wait });
        id
    }

    /// Issues a new effect whose first attempt is made at a later time.
    pub(super) fn issue_at(&mut self, at: Timestamp, kind: EffectKind) {
        self.effects_issued += 1;
        let id = EffectId { rollout: self.id.clone(), number: self.effects_issued };
        self.outstanding
            .push(Outstanding { effect: Effect { id, attempt: 0, kind }, wait: Wait::Attempt { at } });
    }

    /// Whether an effect of this kind has no outcome yet.
    pub(super) fn is_outstanding(&self, wanted: impl Fn(&EffectKind) -> bool) -> bool {
        self.outstanding.iter().any(|outstanding| wanted(&outstanding.effect.kind))
    }

    /// Nothing that was wanted on the way to green is wanted any more. A feature's flags are still to be switched off.
    pub(super) fn drop_outstanding(&mut self, out: &mut Effects) {
        self.outstanding.retain(|outstanding| outstanding.effect.kind.is_of_a_flag());
        out.run.retain(|effect| effect.kind.is_of_a_flag());
    }

    /// Nothing at all is wanted any more: the release is taken back, and its features with it.
    pub(super) fn drop_everything(&mut self, out: &mut Effects) {
        self.outstanding.clear();
        out.run.clear();
        self.switching_off = None;
    }

    fn timeout(&self, kind: &EffectKind) -> Duration {
        let limits = self.plan.policy().effects;
        match kind {
            EffectKind::RunCheck { .. } => limits.check_timeout.duration(),
            // Draining targets and stopping tasks takes minutes, and the adapter may wait for it.
            EffectKind::Provision
            | EffectKind::RetireBlue
            | EffectKind::ReviveBlue
            | EffectKind::StopGreen => limits.provision_deadline.duration(),
            EffectKind::Migrate { .. } | EffectKind::UndoMigration { .. } => MIGRATION_LIMIT,
            // A probe without an answer by the time of the next one is a failed one.
            EffectKind::Probe { .. } => {
                limits.timeout.duration().min(self.plan.policy().probes.interval.duration())
            }
            EffectKind::ReadWeights
            | EffectKind::SetWeights { .. }
            | EffectKind::ConfirmWeights { .. }
            | EffectKind::CheckHealth { .. }
            | EffectKind::Observe { .. }
            | EffectKind::ReadSchema { .. }
            | EffectKind::FindWritten { .. }
            | EffectKind::SwitchOff { .. }
            | EffectKind::ReadFlag { .. } => limits.timeout.duration(),
        }
    }

    /// Takes the effect that an outcome belongs to; nothing is changed when there is none.
    pub(super) fn take_outcome(
        &mut self,
        now: Timestamp,
        id: EffectId,
        result: Result<Answer, Failure>,
    ) -> Result<Answered, Rejected> {
        let Some(place) = self.outstanding.iter().position(|outstanding| outstanding.effect.id == id) else {
            return Err(Rejected::UnknownEffect(id));
        };
        let kind = self.outstanding.get(place).map(|outstanding| &outstanding.effect.kind);
        if let (Some(kind), Ok(answer)) = (kind, &result)
            && !fits(kind, answer)
        {
            return Err(Rejected::UnfitAnswer(id));
        }
        self.now = now;
        let outstanding = self.outstanding.remove(place);
        Ok(Answered { effect: outstanding.effect, result })
    }

    /// Nobody drove the rollout for a while: neither attempts nor deadlines are spent by that. What a clock must have seen,
    /// such as a TTL or the wait before blue is retired, is not moved.
    pub(super) fn resume_after(&mut self, away: Duration) {
        let now = self.now;
        let waits: alloc::vec::Vec<Duration> =
            self.outstanding.iter().map(|outstanding| self.timeout(&outstanding.effect.kind)).collect();
        for (outstanding, timeout) in self.outstanding.iter_mut().zip(waits) {
            outstanding.wait = match outstanding.wait {
                Wait::Outcome { .. } => Wait::Outcome { until: now.after(timeout) },
                Wait::Attempt { .. } => Wait::Attempt { at: now },
            };
        }
        match &mut self.phase {
            Phase::Preparing(
                Preparing::Provisioning { deadline } | Preparing::AwaitingHealth { deadline, .. },
            )
            | Phase::Shifting(Shifting {
                step:
                    ShiftStep::Confirming { deadline, .. }
                    | ShiftStep::AwaitingApproval { deadline: Some(deadline) },
                ..
            }) => {
                *deadline = deadline.after(away);
            }
            Phase::Preparing(_)
            | Phase::Shifting(_)
            | Phase::Baking(_)
            | Phase::Decommissioning(_)
            | Phase::Contracting(_)
            | Phase::RollingBack(_)
            | Phase::Finished(_) => {}
        }
    }

    pub(super) fn not_started(&mut self, now: Timestamp, id: EffectId) -> Result<(), Rejected> {
        let place = self.outstanding.iter().position(|outstanding| outstanding.effect.id == id);
        let timeout =
            place.and_then(|place| self.outstanding.get(place)).map(|o| self.timeout(&o.effect.kind));
        match (place.and_then(|place| self.outstanding.get_mut(place)), timeout) {
            (Some(outstanding), Some(timeout)) => {
                outstanding.wait = Wait::Outcome { until: now.after(timeout) };
                if let Phase::Preparing(Preparing::Provisioning { deadline }) = &mut self.phase {
                    *deadline = now.after(timeout);
                }
                Ok(())
            }
            (_, _) => Err(Rejected::UnknownEffect(id)),
        }
    }

    /// Attempts that timed out have failed; pauses that are over end.
    pub(super) fn expire_outstanding(&mut self, out: &mut Effects) {
        let now = self.now;
        while let Some(place) = self.outstanding.iter().position(|outstanding| match outstanding.wait {
            Wait::Outcome { until } => until <= now,
            Wait::Attempt { at } => at <= now,
        }) {
            let outstanding = self.outstanding.remove(place);
            match outstanding.wait {
                Wait::Attempt { .. } => self.attempt_again(outstanding.effect, out),
                Wait::Outcome { .. } => {
                    let message =
                        format!("no outcome within {} s", self.timeout(&outstanding.effect.kind).as_secs());
                    let failure = Failure { message, retry: Retry::Worthwhile };
                    self.settle_outcome(Answered { effect: outstanding.effect, result: Err(failure) }, out);
                }
            }
        }
    }

    fn attempt_again(&mut self, mut effect: Effect, out: &mut Effects) {
        effect.attempt = effect.attempt.saturating_add(1);
        let wait = Wait::Outcome { until: self.now.after(self.timeout(&effect.kind)) };
        out.run.push(effect.clone());
        self.outstanding.push(Outstanding { effect, wait });
    }

    /// Waits for the next attempt, or gives the effect up: `Some` with what is to be said of it.
    pub(super) fn retry_or_give_up(
        &mut self,
        effect: Effect,
        failure: Failure,
        out: &mut Effects,
    ) -> Option<String> {
        let limits = self.plan.policy().effects;
        let what = format!("could not {} (attempt {}): {}", effect.kind, effect.attempt, failure.message);
        let is_spent = effect.attempt >= limits.attempts
            || failure.retry == Retry::Useless
            || self.is_overdue(&effect.kind);
        if is_spent && !self.has_no_attempt_limit(&effect.kind) {
            return Some(what);
        }
        let pause = self.pause_before_next(&effect);
        if !matches!(effect.kind, EffectKind::Observe { .. } | EffectKind::CheckHealth { .. }) {
            self.decide(DecisionKind::Retry, format!("{what}; again in {} s", pause.as_secs()), out);
        }
        self.outstanding.push(Outstanding { effect, wait: Wait::Attempt { at: self.now.after(pause) } });
        None
    }

    /// A look that the next one has overtaken is not taken again: a source that hangs must not make the watch fall further and
    /// further behind (semantics 3.6 and 3.7 count probes and periods, not attempts).
    fn is_overdue(&self, kind: &EffectKind) -> bool {
        match kind {
            EffectKind::Observe { period } => self.visible_at(period.next()) <= self.now,
            EffectKind::Probe { .. } => true,
            EffectKind::ReadWeights
            | EffectKind::SetWeights { .. }
            | EffectKind::ConfirmWeights { .. }
            | EffectKind::Provision
            | EffectKind::CheckHealth { .. }
            | EffectKind::RunCheck { .. }
            | EffectKind::RetireBlue
            | EffectKind::ReviveBlue
            | EffectKind::StopGreen
            | EffectKind::Migrate { .. }
            | EffectKind::ReadSchema { .. }
            | EffectKind::FindWritten { .. }
            | EffectKind::UndoMigration { .. }
            | EffectKind::SwitchOff { .. }
            | EffectKind::ReadFlag { .. } => false,
        }
    }

    /// A rollback is retried until it is confirmed (semantics 5.3), and blue is retired some time or other.
    fn has_no_attempt_limit(&self, kind: &EffectKind) -> bool {
        let of_schema = matches!(
            kind,
            EffectKind::ReadSchema { .. } | EffectKind::FindWritten { .. } | EffectKind::UndoMigration { .. }
        );
        // By the time a schema is touched blue serves everything: then a person is asked.
        (matches!(self.phase, Phase::RollingBack(_)) && !of_schema) || *kind == EffectKind::RetireBlue
    }

    fn pause_before_next(&self, effect: &Effect) -> Duration {
        let limits = self.plan.policy().effects;
        let doublings = effect.attempt.saturating_sub(1).min(16);
        let pause =
            limits.backoff.duration().saturating_mul(1 << doublings).min(limits.backoff_limit.duration());
        let millis = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        let spread =
            scramble(effect.id.number ^ (u64::from(effect.attempt) << 32)) % (millis / JITTER_PARTS).max(1);
        Duration::from_millis(millis.saturating_add(spread))
    }
}

/// SplitMix64: the same number for the same effect and attempt, so that a replay waits as long as the first run did.
const fn scramble(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

const fn fits(kind: &EffectKind, answer: &Answer) -> bool {
    match kind {
        EffectKind::ReadWeights => matches!(answer, Answer::Weights(_)),
        EffectKind::SetWeights { .. }
        | EffectKind::Provision
        | EffectKind::ReviveBlue
        | EffectKind::StopGreen
        | EffectKind::SwitchOff { .. } => {
            matches!(answer, Answer::Done)
        }
        EffectKind::Migrate { .. } | EffectKind::UndoMigration { .. } => {
            matches!(answer, Answer::Done | Answer::Migrated(_))
        }
        EffectKind::RetireBlue => matches!(answer, Answer::Done | Answer::Retired(_)),
        EffectKind::ConfirmWeights { .. } => matches!(answer, Answer::InSync(_)),
        EffectKind::CheckHealth { .. } => matches!(answer, Answer::Health(_)),
        EffectKind::RunCheck { .. } => matches!(answer, Answer::Check(_)),
        EffectKind::Observe { .. } => matches!(answer, Answer::Readings(_)),
        EffectKind::Probe { .. } => matches!(answer, Answer::Probes(_)),
        EffectKind::ReadSchema { .. } => matches!(answer, Answer::Schema(_)),
        EffectKind::FindWritten { .. } => matches!(answer, Answer::Written(_)),
        EffectKind::ReadFlag { .. } => matches!(answer, Answer::Flag(_)),
    }
}
