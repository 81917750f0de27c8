//! What a rollout came to: from its journal, so that it holds what earlier processes did, too.

use std::fmt::Write as _;

use mpac_deploy_core::decision::{Decision, DecisionKind};
use mpac_deploy_core::effect::ObservedWeights;
use mpac_deploy_core::journal::{Record, ReplayError};
use mpac_deploy_core::machine::{Outcome, Rollout};
use mpac_deploy_core::plan::Environments;
use mpac_deploy_core::time::Timestamp;
use mpac_deploy_testkit::trace::Trace;
use serde::Serialize;

use crate::demo::standing;
use crate::reply::{Failure, Reply, Status};
use crate::words;

/// The document of `run --json`.
#[derive(Debug, Serialize)]
pub(super) struct Ended {
    rollout: String,
    service: String,
    record: String,
    /// From what, to what.
    from: String,
    revision: String,
    environments: Option<Environments>,
    outcome: &'static str,
    stage: Option<String>,
    rule: Option<String>,
    why: String,
    began: Timestamp,
    ended: Timestamp,
    weights: Vec<Change>,
    decisions: Vec<Decision>,
}

#[derive(Debug, PartialEq, Serialize)]
struct Change {
    at: Timestamp,
    #[serde(flatten)]
    weights: ObservedWeights,
}

impl Ended {
    /// What these records say.
    pub(super) fn of(records: Vec<Record>) -> Result<Self, ReplayError> {
        let trace = Trace::from_journal(records)?;
        let rollout = trace.last().ok_or(ReplayError::Empty)?;
        let decisions: Vec<Decision> = trace.steps.iter().flat_map(|step| step.recorded.clone()).collect();
        let rollback = decisions
            .iter()
            .rev()
            .find(|decision| matches!(decision.kind, DecisionKind::Rollback | DecisionKind::Abandoned));
        let release = rollout.plan().release();
        Ok(Self {
            rollout: rollout.id().to_string(),
            service: release.service.clone(),
            record: release.record.to_string(),
            from: release.blue.to_string(),
            revision: release.green.to_string(),
            environments: release.environments.clone(),
            outcome: outcome(rollout),
            stage: decisions.iter().rev().find_map(|decision| decision.stage.clone()),
            rule: rollback.and_then(|decision| decision.rule.clone()),
            why: why(rollout, rollback),
            began: trace.steps.first().map_or(rollout.now(), |step| step.at),
            ended: rollout.now(),
            weights: changes(&trace),
            decisions,
        })
    }

    fn status(&self) -> Status {
        if self.outcome == "completed" { Status::Done } else { Status::Found }
    }

    pub(super) fn reply(&self, json: bool) -> Result<Reply, Failure> {
        if json {
            return Reply::json(self.status(), self);
        }
        let mut text = format!("{}\n", self.why);
        if self.outcome == "stopped" {
            // Writing to a `String` cannot fail.
            let _ = writeln!(text, "`run --resume {}` goes on with it.", self.rollout);
        }
        Ok(Reply { status: self.status(), text })
    }
}

fn outcome(rollout: &Rollout) -> &'static str {
    match rollout.outcome() {
        Some(Outcome::Completed) => "completed",
        Some(Outcome::RolledBack { .. }) => "rolled_back",
        Some(Outcome::Abandoned { .. }) => "abandoned",
        None => "stopped",
    }
}

fn why(rollout: &Rollout, rollback: Option<&Decision>) -> String {
    let at = words::moment(rollout.now());
    let because = rollback.map(|decision| decision.reason.as_str()).unwrap_or_default();
    match rollout.outcome() {
        Some(Outcome::Completed) => {
            format!("Completed at {at}: {} serves everybody.", rollout.plan().release().green)
        }
        Some(Outcome::RolledBack { .. }) => {
            format!(
                "Rolled back at {at}: {} serves everybody. Why: {because}.",
                rollout.plan().release().blue
            )
        }
        Some(Outcome::Abandoned { .. }) => {
            format!("Abandoned at {at}, before any traffic moved. Why: {because}.")
        }
        None => {
            let stage =
                rollout.stage().map_or("before the first stage", |stage| rollout.plan().stage_name(stage));
            let (weights, doing) = (rollout.expected_weights(), standing::doing(rollout));
            format!("Stopped at {at}, {stage}, weights {weights}: {doing}.")
        }
    }
}

/// The weights at the start, and every change.
fn changes(trace: &Trace) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    for step in &trace.steps {
        let weights = ObservedWeights::from(step.after.expected_weights());
        if changes.last().is_none_or(|latest| latest.weights != weights) {
            changes.push(Change { at: step.at, weights });
        }
    }
    changes
}
