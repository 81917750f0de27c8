//! What was decided, for people and for the journal: rule, windows, samples, and what would have changed it.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::analysis::{Assessment, Judge, NoticeKind, Ruling, Verdict};
use crate::ids::RolloutId;
use crate::plan::Plan;
use crate::time::Timestamp;

/// A decision of the rollout, or something that it noticed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What was decided.
    pub kind: DecisionKind,
    /// The stage in which it was decided, if traffic had begun to move.
    pub stage: Option<String>,
    /// The rule that decided, if one did.
    pub rule: Option<String>,
    /// The end of the last period that it rests on, if it rests on any.
    pub evidence_end: Option<Timestamp>,
    /// When it was taken.
    pub at: Timestamp,
    /// Why, with the numbers.
    pub reason: String,
    /// What would have changed it, where that can be said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub counterfactual: String,
}

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DecisionKind {
    /// The rollout began.
    Start,
    /// Green runs and passed its checks.
    Prepared,
    /// Weights are being moved towards green.
    Shift,
    /// A change of the weights is in effect everywhere, as its authority says.
    InSync,
    /// The weights were read back, and are those of the change.
    ReadBack,
    /// A stage's weights took effect: its bake begins.
    Bake,
    /// The share of the requests that green really gets was measured.
    Share,
    /// A step waits until a person approves of it.
    AwaitApproval,
    /// A person approved of a step.
    Approve,
    /// A stage passed its gates.
    Promote,
    /// The last stage passed its gates.
    Complete,
    /// Blue is being retired.
    Decommission,
    /// Blue was retired: the rollout is done.
    Retired,
    /// The rollout is being taken back.
    Rollback,
    /// Blue serves everything again.
    RolledBack,
    /// The rollout ended before any traffic moved.
    Abandoned,
    /// An alert started to hold.
    Alert,
    /// An alert no longer holds.
    AlertCleared,
    /// Nothing moves on until something changes.
    Hold,
    /// What held the rollout is gone.
    HoldReleased,
    /// A person, or a drift of the weights, paused the rollout.
    Pause,
    /// A person resumed it.
    Resume,
    /// An effect failed and is tried again.
    Retry,
    /// A step of a schema was applied.
    Migrated,
    /// A step of a schema was undone.
    MigrationUndone,
    /// The schema waits for its second phase.
    Wait,
    /// Feature flags are switched off, in place of a rollback.
    FlagOff,
}

impl DecisionKind {
    /// The word that stands for it in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Prepared => "prepared",
            Self::Shift => "shift",
            Self::InSync => "in_sync",
            Self::ReadBack => "read_back",
            Self::Bake => "bake",
            Self::Share => "share",
            Self::AwaitApproval => "await_approval",
            Self::Approve => "approve",
            Self::Promote => "promote",
            Self::Complete => "complete",
            Self::Decommission => "decommission",
            Self::Retired => "retired",
            Self::Rollback => "rollback",
            Self::RolledBack => "rolled_back",
            Self::Abandoned => "abandoned",
            Self::Alert => "alert",
            Self::AlertCleared => "alert_cleared",
            Self::Hold => "hold",
            Self::HoldReleased => "hold_released",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Retry => "retry",
            Self::Migrated => "migrated",
            Self::MigrationUndone => "migration_undone",
            Self::Wait => "wait",
            Self::FlagOff => "flag_off",
        }
    }
}

/// How much a decision wants of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It goes as planned.
    Info,
    /// Worth a look, or a person's turn as the policy has planned it.
    Warning,
    /// The release was taken back, or the rollout waits for a person, unplanned.
    Error,
    /// Traffic stays where it should not until a person decides: the highest alert (semantics 5.1).
    Critical,
}

impl Severity {
    /// The word that stands for it in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

/// A decision as others are told of it, by whatever way:
/// `{"type": "rollout.KIND", "timestamp", "data": {"rollout", "severity", "kind", "stage", "rule", "evidence_end", "at", "reason"}}`.
#[derive(Clone, Debug, Serialize)]
pub struct Notice<'a> {
    #[serde(rename = "type")]
    kind: String,
    timestamp: Timestamp,
    data: Told<'a>,
}

#[derive(Clone, Debug, Serialize)]
struct Told<'a> {
    rollout: &'a RolloutId,
    severity: Severity,
    #[serde(flatten)]
    decision: &'a Decision,
}

impl<'a> Notice<'a> {
    /// The notice of a rollout's decision.
    #[must_use]
    pub fn new(rollout: &'a RolloutId, decision: &'a Decision) -> Self {
        Self {
            kind: alloc::format!("rollout.{}", decision.kind.as_str()),
            timestamp: decision.at,
            data: Told { rollout, severity: decision.severity(), decision },
        }
    }
}

/// The rule that a hold names when blue cannot take the traffic back.
pub(crate) const BLUE_UNHEALTHY: &str = "blue-unhealthy";

impl Decision {
    /// How much it wants of a person.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self.kind {
            DecisionKind::Hold if self.rule.as_deref() == Some(BLUE_UNHEALTHY) => Severity::Critical,
            DecisionKind::Rollback
            | DecisionKind::Abandoned
            | DecisionKind::Pause
            | DecisionKind::FlagOff => Severity::Error,
            DecisionKind::Alert | DecisionKind::Hold | DecisionKind::Retry | DecisionKind::AwaitApproval => {
                Severity::Warning
            }
            DecisionKind::Start
            | DecisionKind::Prepared
            | DecisionKind::Shift
            | DecisionKind::InSync
            | DecisionKind::ReadBack
            | DecisionKind::Bake
            | DecisionKind::Share
            | DecisionKind::Approve
            | DecisionKind::Promote
            | DecisionKind::Complete
            | DecisionKind::Decommission
            | DecisionKind::Retired
            | DecisionKind::RolledBack
            | DecisionKind::AlertCleared
            | DecisionKind::HoldReleased
            | DecisionKind::Resume
            | DecisionKind::Migrated
            | DecisionKind::MigrationUndone
            | DecisionKind::Wait => Severity::Info,
        }
    }

    /// A decision that rests on no rule.
    #[must_use]
    pub fn plain(kind: DecisionKind, stage: Option<&str>, at: Timestamp, reason: impl Into<String>) -> Self {
        Self {
            kind,
            stage: stage.map(ToString::to_string),
            rule: None,
            evidence_end: None,
            at,
            reason: reason.into(),
            counterfactual: String::new(),
        }
    }

    fn of_verdict(
        kind: DecisionKind,
        stage: &str,
        verdict: &Verdict,
        plan: &Plan,
        judge: &Judge,
        at: Timestamp,
    ) -> Self {
        Self {
            kind,
            stage: Some(stage.into()),
            rule: Some(verdict.rule_id(plan)),
            evidence_end: Some(verdict.to.end()),
            at,
            reason: verdict.reason(plan, judge),
            counterfactual: verdict.counterfactual(plan),
        }
    }
}

/// The decisions in the judge's latest assessment, notices first and the one that ends the stage last.
#[must_use]
pub fn decisions(plan: &Plan, judge: &Judge, stage: usize, at: Timestamp) -> Vec<Decision> {
    let assessment = judge.latest();
    let name = plan.stage_name(stage);
    let mut decisions: Vec<Decision> = assessment
        .notices
        .iter()
        .map(|notice| {
            let kind = match notice.kind {
                NoticeKind::AlertRaised => DecisionKind::Alert,
                NoticeKind::AlertCleared => DecisionKind::AlertCleared,
                NoticeKind::HoldBegan => DecisionKind::Hold,
            };
            Decision::of_verdict(kind, name, &notice.verdict, plan, judge, at)
        })
        .collect();
    match &assessment.ruling {
        Ruling::Continue => {}
        Ruling::Promote => decisions.push(passed(plan, judge, assessment, stage, at)),
        Ruling::RollBack(verdict) => {
            let mut decision = Decision::of_verdict(DecisionKind::Rollback, name, verdict, plan, judge, at);
            for other in assessment.firing.iter().filter(|other| other.rule != verdict.rule) {
                decision.reason.push_str("; also ");
                decision.reason.push_str(&other.rule_id(plan));
                decision.reason.push_str(": ");
                decision.reason.push_str(&other.reason(plan, judge));
            }
            decisions.push(decision);
        }
    }
    decisions
}

fn passed(plan: &Plan, judge: &Judge, assessment: &Assessment, stage: usize, at: Timestamp) -> Decision {
    let mut reason = match assessment.gates.len() {
        1 => String::from("its gate holds"),
        count => alloc::format!("all {count} gates hold"),
    };
    for verdict in &assessment.gates {
        reason.push_str("; ");
        reason.push_str(&verdict.rule_id(plan));
        reason.push_str(": ");
        reason.push_str(&verdict.reason(plan, judge));
    }
    let kind = if plan.is_last(stage) { DecisionKind::Complete } else { DecisionKind::Promote };
    Decision {
        evidence_end: Some(assessment.period.end()),
        ..Decision::plain(kind, Some(plan.stage_name(stage)), at, reason)
    }
}
