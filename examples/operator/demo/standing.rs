//! Where a rollout stands, in words.

use mpac_deploy_core::machine::{
    ApprovalGate, Baking, Contracting, Decommissioning, Outcome, Phase, Preparing, RollbackStep, Rollout,
    ShiftStep,
};
use mpac_deploy_core::plan::Plan;

use crate::words;

/// What is going on.
pub(crate) fn doing(rollout: &Rollout) -> String {
    let plan = rollout.plan();
    match rollout.phase() {
        Phase::Preparing(preparing) => preparing_words(plan, preparing),
        Phase::Shifting(shifting) => match &shifting.step {
            ShiftStep::Waiting => "paused before the change".into(),
            ShiftStep::AwaitingApproval { deadline } => {
                let gate = plan.gate_words(ApprovalGate::Stage(shifting.stage));
                let until = deadline.map(|at| format!(" until {}", words::clock(at))).unwrap_or_default();
                format!("waits for approval of {gate}{until}")
            }
            ShiftStep::ReadingBefore => "reading the weights".into(),
            ShiftStep::CheckingGreen { .. } => "looking at green's health".into(),
            ShiftStep::Setting => "setting the weights".into(),
            ShiftStep::Confirming { .. } => "waiting for every name server".into(),
            ShiftStep::ReadingBack => "reading the weights back".into(),
            ShiftStep::Settling { .. } => "waiting for the record's TTL".into(),
        },
        Phase::Baking(Baking { stage, .. }) => {
            format!("{} of {} min of evidence", rollout.judge().counted(), plan.stage_bake(*stage))
        }
        Phase::Decommissioning(Decommissioning::Waiting { until }) => {
            format!("blue is kept until {}", words::clock(*until))
        }
        Phase::Decommissioning(Decommissioning::AwaitingApproval) => {
            format!("waits for approval of {}", plan.gate_words(ApprovalGate::Decommission))
        }
        Phase::Decommissioning(Decommissioning::VerifyingWeights | Decommissioning::VerifyingGreen) => {
            "making sure that green serves".into()
        }
        Phase::Decommissioning(Decommissioning::Retiring) => "retiring blue".into(),
        Phase::Contracting(contracting) => match contracting {
            Contracting::Waiting { until } => format!("the schema is contracted at {}", words::clock(*until)),
            Contracting::VerifyingWeights => "making sure that green serves".into(),
            Contracting::Applying { step } => format!("contracting the schema: step {}", step + 1),
            Contracting::Verifying { step } => format!("reading the schema's version: step {}", step + 1),
            Contracting::Held { why, .. } => format!("held: {why}"),
        },
        Phase::RollingBack(rolling_back) => match &rolling_back.step {
            RollbackStep::HeldByBlue { .. } => "held: blue is unhealthy".into(),
            RollbackStep::Reviving | RollbackStep::AwaitingBlue { .. } => "starting blue again".into(),
            RollbackStep::Setting => "taking traffic back".into(),
            RollbackStep::Confirming { .. } => "taking traffic back: waiting for every name server".into(),
            RollbackStep::ReadingBack => "taking traffic back: reading the weights".into(),
            RollbackStep::Settling { .. } => "taking traffic back: waiting for the record's TTL".into(),
            RollbackStep::Verifying | RollbackStep::VerifyingAgain => {
                "taking traffic back: reading the weights a last time".into()
            }
            RollbackStep::StoppingGreen => "blue serves: stopping green".into(),
            RollbackStep::FindingWritten { .. } => "blue serves: looking for data in the new columns".into(),
            RollbackStep::HeldBySchema { why, .. } => format!("blue serves; held: {why}"),
            RollbackStep::Undoing { step } => format!("blue serves: undoing migration {}", step + 1),
            RollbackStep::VerifyingSchema { .. } => "blue serves: reading the schema's version".into(),
        },
        Phase::Finished(_) => "done".into(),
    }
}

fn preparing_words(plan: &Plan, preparing: &Preparing) -> String {
    match preparing {
        Preparing::Reading => "reading the weights".into(),
        Preparing::Migrating { step, .. } => format!("expanding the schema: step {}", step + 1),
        Preparing::Unmigrating { step, .. } => format!("undoing migration {}", step + 1),
        Preparing::Provisioning { .. } => "starting green".into(),
        Preparing::AwaitingHealth { detail, .. } if detail.is_empty() => "waiting for green".into(),
        Preparing::AwaitingHealth { detail, .. } => format!("waiting for green: {detail}"),
        Preparing::Checking { check } => {
            let checks = &plan.release().checks;
            let name = checks.get(*check).map_or_else(String::new, ToString::to_string);
            format!("check {} of {}: {name}", check + 1, checks.len())
        }
    }
}

/// How far the phase is, in percent, where that can be said.
pub(crate) fn progress(rollout: &Rollout) -> u64 {
    match rollout.phase() {
        Phase::Baking(Baking { stage, .. }) => {
            let bake = u64::from(rollout.plan().stage_bake(*stage).max(1));
            (u64::from(rollout.judge().counted()) * 100 / bake).min(100)
        }
        Phase::Decommissioning(_) | Phase::Contracting(_) | Phase::Finished(_) => 100,
        Phase::Preparing(_) | Phase::Shifting(_) | Phase::RollingBack(_) => 0,
    }
}

/// A step of the whole way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Done,
    Running,
    Ahead,
    TakenBack,
}

/// The steps of the whole way: preparation, each stage, the retirement of blue.
pub(crate) fn steps(rollout: &Rollout) -> Vec<(String, Step)> {
    let stages = rollout.plan().stage_count();
    let names = std::iter::once("prepare".to_owned())
        .chain((0..stages).map(|stage| rollout.plan().stage_name(stage).to_owned()))
        .chain(std::iter::once("retire blue".to_owned()));
    let (at, here) = match rollout.phase() {
        Phase::Preparing(_) => (0, Step::Running),
        Phase::Shifting(shifting) => (shifting.stage + 1, Step::Running),
        Phase::Baking(baking) => (baking.stage + 1, Step::Running),
        Phase::Decommissioning(_) | Phase::Contracting(_) => (stages + 1, Step::Running),
        Phase::RollingBack(rolling_back) => (rolling_back.stage + 1, Step::TakenBack),
        Phase::Finished(Outcome::Completed) => (stages + 1, Step::Done),
        Phase::Finished(Outcome::RolledBack { .. } | Outcome::Abandoned { .. }) => (0, Step::TakenBack),
    };
    let state = |index: usize| match index.cmp(&at) {
        std::cmp::Ordering::Less => Step::Done,
        std::cmp::Ordering::Equal => here,
        std::cmp::Ordering::Greater => Step::Ahead,
    };
    names.enumerate().map(|(index, name)| (name, state(index))).collect()
}
