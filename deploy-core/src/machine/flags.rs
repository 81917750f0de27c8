//! The way back for a feature's bug: its flags are switched off, and traffic stays where it is (strategy, "Feature Flag Rollback").

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::state::SwitchingOff;
use super::{Cause, Control, Rollout};
use crate::decision::DecisionKind;
use crate::effect::{EffectKind, Effects};
use crate::ids::FlagName;
use crate::policy::{IssueKind, RollbackMethod};

/// Who has paused the rollout while its flags are off.
pub(super) const FLAG_OFF: &str = "feature flag off";

impl Rollout {
    /// Whether the way back for this issue is to switch flags off, and the release has some. Before traffic has moved, and when
    /// switching off was not enough, the release itself is taken back.
    pub(super) fn switches_off(&self, issue: IssueKind) -> bool {
        let is_off = matches!(&self.control, Control::Paused { by, .. } if by == FLAG_OFF);
        issue.way_back().method == RollbackMethod::FeatureFlag
            && !self.plan.release().flags.is_empty()
            && !self.is_untouched()
            && !is_off
    }

    /// The release stays, without its feature; it goes on only when a person says so.
    pub(super) fn switch_off(&mut self, by: String, why: String, out: &mut Effects) {
        let left: Vec<FlagName> = self.plan.release().flags.clone();
        let flags: Vec<&str> = left.iter().map(FlagName::as_str).collect();
        self.decide(DecisionKind::FlagOff, format!("{by}: {why}; switching off {}", flags.join(", ")), out);
        let paused = format!("{by}: {why}: resume or abort once it is known whether that was enough");
        self.control = Control::Paused { by: FLAG_OFF.into(), why: paused };
        for flag in &left {
            self.issue(EffectKind::SwitchOff { flag: flag.clone() }, out);
        }
        self.switching_off = Some(SwitchingOff { left, still_on: 0, by, why });
    }

    pub(super) fn switched_off(&mut self, flag: FlagName, out: &mut Effects) {
        if self.switching_off.is_some() {
            self.issue(EffectKind::ReadFlag { flag }, out);
        }
    }

    pub(super) fn flag_read(&mut self, flag: FlagName, is_on: bool, out: &mut Effects) {
        let limits = self.plan.policy().effects;
        let Some(switching) = &mut self.switching_off else { return };
        if is_on {
            switching.still_on += 1;
            if switching.still_on >= limits.attempts {
                let what = format!("the flag `{flag}` is still on after it was switched off");
                return self.switching_off_failed(&what, out);
            }
            // At the pace of the looks: a service that forgets must not be called without end.
            return self.issue_at(self.now.after(limits.poll.duration()), EffectKind::SwitchOff { flag });
        }
        switching.left.retain(|left| *left != flag);
        if switching.left.is_empty() {
            self.switching_off = None;
            let reason =
                "every flag of the release is off, as the flag service says; traffic stays where it is";
            self.decide(DecisionKind::FlagOff, reason, out);
        }
    }

    /// A feature that cannot be switched off is taken back with its release, unless blue's code does not fit the schema any more.
    pub(super) fn switching_off_failed(&mut self, what: &str, out: &mut Effects) {
        let Some(SwitchingOff { by, why, .. }) = self.switching_off.take() else { return };
        self.outstanding.retain(|outstanding| !outstanding.effect.kind.is_of_a_flag());
        out.run.retain(|effect| !effect.kind.is_of_a_flag());
        if let Some(no_way_back) = self.schema.forbids_blue() {
            let reason = format!("{by}: {why}; {what}, and there is no way back to blue: {no_way_back}");
            return self.decide(DecisionKind::FlagOff, reason, out);
        }
        let reason = format!("{by}: {why}; {what}: traffic is shifted back in place of it");
        self.decide(DecisionKind::Rollback, reason.clone(), out);
        self.take_back(Cause::Person { by, issue: IssueKind::FeatureBug }, &reason, out);
    }
}
