//! Steps that wait for a person. Meanwhile everything is looked at as while a stage bakes: a trigger takes the release back at once.

use alloc::format;
use alloc::string::{String, ToString};

use super::event::{ApprovalGate, Rejected};
use super::state::{Approved, Decommissioning, ShiftStep, Shifting};
use super::{Cause, Control, Phase, Rollout};
use crate::decision::{Decision, DecisionKind};
use crate::effect::Effects;
use crate::time::Timestamp;

/// The rule of a missing approval, after the name of its step: `half.approval`.
pub(crate) const APPROVAL_RULE: &str = "approval";

impl Rollout {
    /// The step whose approval is waited for.
    #[must_use]
    pub const fn awaited_approval(&self) -> Option<ApprovalGate> {
        match &self.phase {
            Phase::Shifting(Shifting { stage, step: ShiftStep::AwaitingApproval { .. } }) => {
                Some(ApprovalGate::Stage(*stage))
            }
            Phase::Decommissioning(Decommissioning::AwaitingApproval) => Some(ApprovalGate::Decommission),
            Phase::Preparing(_)
            | Phase::Shifting(_)
            | Phase::Baking(_)
            | Phase::Decommissioning(_)
            | Phase::Contracting(_)
            | Phase::RollingBack(_)
            | Phase::Finished(_) => None,
        }
    }

    /// The approvals that were given.
    #[must_use]
    pub fn approvals(&self) -> &[Approved] {
        &self.approvals
    }

    fn approved(&self, gate: ApprovalGate) -> Option<&Approved> {
        self.approvals.iter().find(|approved| approved.gate == gate)
    }

    /// Whether a step waits for a person who has not approved of it yet.
    pub(super) fn needs_approval(&self, gate: ApprovalGate) -> bool {
        self.plan.approval(gate).is_required() && self.approved(gate).is_none()
    }

    /// The stage is on its way once a person has approved of it.
    pub(super) fn await_approval_of_shift(&mut self, stage: usize, out: &mut Effects) {
        let gate = ApprovalGate::Stage(stage);
        let limit = self.plan.approval(gate).limit();
        let deadline = limit.map(|limit| self.now.after(limit.duration()));
        self.phase = Phase::Shifting(Shifting { stage, step: ShiftStep::AwaitingApproval { deadline } });
        let until = deadline.map_or_else(String::new, |deadline| {
            format!("; without an approval by {deadline} the rollout is taken back")
        });
        self.tell_of_gate(
            DecisionKind::AwaitApproval,
            gate,
            format!("waits for approval of {}{until}", self.plan.gate_words(gate)),
            out,
        );
    }

    /// Blue is retired once a person has approved of that.
    pub(super) fn await_approval_of_decommission(&mut self, out: &mut Effects) {
        let gate = ApprovalGate::Decommission;
        self.phase = Phase::Decommissioning(Decommissioning::AwaitingApproval);
        let reason = format!("waits for approval of {}; green serves everything", self.plan.gate_words(gate));
        self.tell_of_gate(DecisionKind::AwaitApproval, gate, reason, out);
    }

    fn tell_of_gate(&self, kind: DecisionKind, gate: ApprovalGate, reason: String, out: &mut Effects) {
        let rule = format!("{}.{APPROVAL_RULE}", self.plan.gate_name(gate));
        let decision = Decision::plain(kind, self.stage_name(), self.now, reason);
        out.decisions.push(Decision { rule: Some(rule), ..decision });
    }

    /// A pause stops the time that there is to approve: nobody can while it lasts.
    pub(super) fn approval_deadline(&self, deadline: Option<Timestamp>) -> Option<Timestamp> {
        deadline.filter(|_| !self.is_paused())
    }

    pub(super) fn approval_is_late(&mut self, stage: usize, out: &mut Effects) {
        let gate = ApprovalGate::Stage(stage);
        let limit =
            self.plan.approval(gate).limit().map_or_else(String::new, |limit| format!(" within {limit}"));
        let why = format!("nobody has approved of {}{limit}", self.plan.gate_words(gate));
        if !self.is_untouched() {
            self.tell_of_gate(DecisionKind::Rollback, gate, why.clone(), out);
        }
        let rule = format!("{}.{APPROVAL_RULE}", self.plan.gate_name(gate));
        self.take_back(Cause::Rule(rule), &why, out);
    }

    /// As a promotion: a trigger that fires has rolled back already, and what else a person should know of is to be forced.
    pub(super) fn check_approval(&self, gate: ApprovalGate, force: bool) -> Result<(), Rejected> {
        if let Some(approved) = self.approved(gate) {
            let what = self.plan.gate_words(gate);
            return Err(Rejected::AlreadyApproved { what, by: approved.by.clone() });
        }
        match self.awaited_approval() {
            Some(awaited) if awaited == gate => {}
            Some(awaited) => {
                let awaited = self.plan.gate_words(awaited);
                return Err(Rejected::NotAwaited(format!("it is {awaited} that waits for an approval")));
            }
            None => return Err(Rejected::NotAwaited("no step waits for an approval now".to_string())),
        }
        if let Control::Paused { by, .. } = &self.control {
            return Err(Rejected::NotAwaited(format!("the rollout is paused, by {by}: resume it first")));
        }
        if force { Ok(()) } else { self.check_for_warnings() }
    }

    /// Obeys an approval that was checked.
    pub(super) fn approve(&mut self, gate: ApprovalGate, by: String, why: &str, out: &mut Effects) {
        let why = if why.trim().is_empty() { String::new() } else { format!(": {why}") };
        let reason = format!("{by} approves of {}{why}", self.plan.gate_words(gate));
        self.tell_of_gate(DecisionKind::Approve, gate, reason, out);
        self.approvals.push(Approved { gate, by, at: self.now });
        match gate {
            ApprovalGate::Stage(stage) => self.begin_shift(stage, out),
            ApprovalGate::Decommission => self.go_on_to_retire(out),
        }
    }
}
