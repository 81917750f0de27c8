//! A person in the middle: pause, resume, promote now, approve, abort, each with who and why.

use alloc::format;
use alloc::string::ToString;

use super::event::{Command, CommandKind, Rejected};
use super::shift::DRIFT;
use super::state::{Baking, Contracting, RollbackStep, ShiftStep, Shifting};
use super::{Cause, Control, Outcome, Phase, RollingBack, Rollout};
use crate::decision::DecisionKind;
use crate::effect::Effects;

impl Rollout {
    /// Whether a command can be obeyed; nothing is changed.
    pub(super) fn check_command(&self, command: &Command) -> Result<(), Rejected> {
        let needs_reason = !matches!(command.kind, CommandKind::Approve { force: false, .. });
        if command.by.trim().is_empty() || (needs_reason && command.why.trim().is_empty()) {
            return Err(Rejected::Anonymous);
        }
        match (&self.phase, command.kind) {
            // After the end blue can still be started again (semantics 5.8), and a flag can always be switched off.
            (
                Phase::Finished(Outcome::Completed) | Phase::Contracting(_),
                CommandKind::Abort { issue, .. },
            ) => match self.schema.forbids_blue() {
                Some(why) if !self.switches_off(issue) => Err(Rejected::NoWayBack(why)),
                Some(_) | None => Ok(()),
            },
            (Phase::Finished(outcome), _) => Err(Rejected::Finished(outcome.to_string())),
            (
                Phase::RollingBack(RollingBack {
                    step:
                        RollbackStep::HeldByBlue { .. }
                        | RollbackStep::Reviving
                        | RollbackStep::AwaitingBlue { .. },
                    ..
                }),
                CommandKind::Abort { force: true, .. },
            ) => Ok(()),
            (
                Phase::RollingBack(RollingBack { step: RollbackStep::HeldBySchema { .. }, .. }),
                CommandKind::Abort { force: true, .. } | CommandKind::Resume,
            ) => Ok(()),
            (Phase::RollingBack(_), _) => Err(Rejected::RollingBack),
            (
                Phase::Contracting(Contracting::Held { .. }),
                CommandKind::Resume | CommandKind::Promote { force: true },
            ) => Ok(()),
            (_, CommandKind::Pause) => match &self.control {
                Control::Running => Ok(()),
                Control::Paused { by, .. } => Err(Rejected::AlreadyPaused(by.clone())),
            },
            (_, CommandKind::Resume) => {
                if self.is_paused() {
                    Ok(())
                } else {
                    Err(Rejected::NotPaused)
                }
            }
            (Phase::Baking(_), CommandKind::Promote { force }) => self.check_promotion(force),
            (_, CommandKind::Promote { .. }) => Err(Rejected::NotBaking(match self.awaited_approval() {
                Some(gate) => format!("{} waits for an approval", self.plan.gate_words(gate)),
                None => "no stage is baking now".to_string(),
            })),
            (_, CommandKind::Approve { gate, force }) => self.check_approval(gate, force),
            (_, CommandKind::Abort { .. }) => Ok(()),
        }
    }

    /// A trigger that fires has rolled back already, so what remains to be forced is what a person should know of.
    fn check_promotion(&self, force: bool) -> Result<(), Rejected> {
        if self.is_paused() {
            return Err(Rejected::NotBaking("the rollout is paused: resume it first".to_string()));
        }
        if force {
            return Ok(());
        }
        if self.judge.counted() == 0 {
            return Err(Rejected::NeedsForce("no minute of evidence has counted yet".to_string()));
        }
        if let Some(gate) = self.judge.latest().gates.iter().find(|gate| !gate.holds) {
            return Err(Rejected::NeedsForce(format!(
                "the gate `{}` does not hold",
                gate.rule_id(&self.plan)
            )));
        }
        self.check_for_warnings()
    }

    /// What a person should know of before green gets more.
    pub(super) fn check_for_warnings(&self) -> Result<(), Rejected> {
        if self.judge.is_holding() {
            return Err(Rejected::NeedsForce("a trigger cannot see: promotion is held".to_string()));
        }
        match self.judge.alerts_raised(&self.plan).next() {
            Some(alert) => Err(Rejected::NeedsForce(format!("the alert `{alert}` holds"))),
            None => Ok(()),
        }
    }

    /// While somebody else's weights were in effect, the stage's were not: its bake begins anew (semantics 4).
    fn forget_drifted_bake(&mut self) {
        let is_drift = matches!(&self.control, Control::Paused { by, .. } if by == DRIFT);
        if let Phase::Baking(Baking { stage, effective }) = &mut self.phase
            && is_drift
        {
            *effective = self.now;
            self.judge.enter(&self.plan, *stage, self.now);
        }
    }

    const fn is_rolling_back(&self) -> bool {
        matches!(self.phase, Phase::RollingBack(_))
    }

    /// What has waited for a person goes on.
    fn go_on(&mut self, out: &mut Effects) {
        match self.phase.clone() {
            Phase::Shifting(Shifting {
                stage,
                step: ShiftStep::Waiting | ShiftStep::AwaitingApproval { .. },
            }) => self.begin_shift(stage, out),
            Phase::Contracting(Contracting::Waiting { .. }) => self.contract_when_due(out),
            Phase::Contracting(Contracting::Held { step, .. }) => self.contract_from(step, out),
            Phase::RollingBack(RollingBack { step: RollbackStep::HeldBySchema { .. }, .. }) => {
                self.end_rollback(out)
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

    /// Obeys a command that was checked.
    pub(super) fn obey(&mut self, command: Command, out: &mut Effects) {
        let Command { kind, by, why } = command;
        match kind {
            CommandKind::Pause => {
                self.decide(DecisionKind::Pause, format!("{by}: {why}"), out);
                self.control = Control::Paused { by, why };
            }
            CommandKind::Resume => {
                self.decide(DecisionKind::Resume, format!("{by}: {why}"), out);
                self.forget_drifted_bake();
                self.control = Control::Running;
                self.go_on(out);
            }
            CommandKind::Promote { .. } => {
                if let Phase::Baking(Baking { stage, .. }) = self.phase {
                    let kind =
                        if self.plan.is_last(stage) { DecisionKind::Complete } else { DecisionKind::Promote };
                    let (counted, bake) = (self.judge.counted(), self.plan.stage_bake(stage));
                    self.decide(kind, format!("{by}, after {counted} of {bake} min of evidence: {why}"), out);
                    self.stage_passed(stage, out);
                } else if let Phase::Contracting(Contracting::Held { .. }) = self.phase {
                    let reason = format!("{by}, without the rest of the migrations: {why}");
                    self.decide(DecisionKind::HoldReleased, reason, out);
                    self.phase = Phase::Finished(Outcome::Completed);
                }
            }
            CommandKind::Approve { gate, .. } => self.approve(gate, by, &why, out),
            CommandKind::Abort { issue, .. } if self.switches_off(issue) && !self.is_rolling_back() => {
                self.switch_off(by, why, out);
            }
            CommandKind::Abort { issue, force } => {
                if !self.is_untouched() {
                    self.decide(DecisionKind::Rollback, format!("{by}: {why}"), out);
                }
                if let Phase::RollingBack(RollingBack { step: RollbackStep::HeldBySchema { .. }, .. }) =
                    self.phase
                {
                    return self.undo_all_the_same(out);
                }
                if self.is_rolling_back() {
                    self.drop_outstanding(out);
                    self.set_back(out);
                    return;
                }
                if force {
                    self.health.blue = super::KnownHealth::Unknown;
                }
                self.take_back(Cause::Person { by, issue }, &why, out);
            }
        }
    }
}
