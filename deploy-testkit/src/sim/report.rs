//! What a simulated rollout came to.

use std::collections::BTreeMap;

use mpac_deploy_core::decision::{Decision, DecisionKind};
use mpac_deploy_core::driver::DriverError;
use mpac_deploy_core::journal::{Record, ReplayError};
use mpac_deploy_core::machine::{
    Cause, Contracting, Control, Outcome, Phase, RollbackStep, RollingBack, Rollout,
};
use mpac_deploy_core::time::Timestamp;
use serde::Serialize;

use crate::fakes::SchemaChange;
use crate::fault::Call;
use crate::world::{History, MinuteRow};

/// How a simulated rollout ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum SimOutcome {
    /// Green serves everything and blue is retired.
    Completed,
    /// Blue serves everything again.
    RolledBack {
        /// Why.
        cause: Cause,
    },
    /// It ended before any traffic moved.
    Abandoned {
        /// Why.
        cause: Cause,
    },
    /// A person must decide; nobody did within the time of the simulation.
    Held {
        /// What it said.
        why: String,
    },
    /// It did not end within the time of the simulation.
    Unfinished {
        /// Where it stood.
        why: String,
    },
    /// The driver stopped before the end.
    Stopped {
        /// Why.
        why: String,
    },
}

impl SimOutcome {
    pub(super) fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Completed => Self::Completed,
            Outcome::RolledBack { cause } => Self::RolledBack { cause: cause.clone() },
            Outcome::Abandoned { cause } => Self::Abandoned { cause: cause.clone() },
        }
    }

    pub(super) fn stopped(error: &DriverError) -> Self {
        Self::Stopped { why: error.to_string() }
    }

    /// A rollout that was cut off: held, if a person must decide.
    pub(super) fn cut_off(decisions: &[Decision], rollout: &Result<Rollout, ReplayError>) -> Self {
        let rollout = match rollout {
            Ok(rollout) => rollout,
            Err(error) => return Self::Unfinished { why: error.to_string() },
        };
        if let Control::Paused { why, .. } = rollout.control() {
            return Self::Held { why: why.clone() };
        }
        if let Some(gate) = rollout.awaited_approval() {
            return Self::Held { why: format!("waits for approval of {}", rollout.plan().gate_words(gate)) };
        }
        let waits_for_a_person = matches!(
            rollout.phase(),
            Phase::RollingBack(RollingBack {
                step: RollbackStep::HeldByBlue { .. } | RollbackStep::HeldBySchema { .. },
                ..
            }) | Phase::Contracting(Contracting::Held { .. })
        );
        let hold = decisions.iter().rev().find(|decision| decision.kind == DecisionKind::Hold);
        match hold {
            Some(hold) if waits_for_a_person || rollout.judge().is_holding() => {
                Self::Held { why: hold.reason.clone() }
            }
            Some(_) | None => Self::Unfinished { why: where_it_stands(rollout) },
        }
    }

    /// A word for it: `completed`, `rolled-back`, `abandoned`, `held`, `unfinished`, `stopped`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::RolledBack { .. } => "rolled-back",
            Self::Abandoned { .. } => "abandoned",
            Self::Held { .. } => "held",
            Self::Unfinished { .. } => "unfinished",
            Self::Stopped { .. } => "stopped",
        }
    }
}

/// Everything that happened in a simulated rollout.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SimReport {
    /// The scenario.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// How it ended.
    pub outcome: SimOutcome,
    /// Whether that is how the scenario should end under the preset `mpac`.
    pub as_expected: bool,
    /// When the rollout began.
    pub began: Timestamp,
    /// When it ended, or was cut off.
    pub ended: Timestamp,
    /// Every decision, in order.
    pub decisions: Vec<Decision>,
    /// What was done to the world: weights and environments.
    pub history: History,
    /// What was done to the schemas.
    pub schema: Vec<SchemaChange>,
    /// The numbers of both sides, minute by minute, to a little beyond the end.
    pub minutes: Vec<MinuteRow>,
    /// The journal.
    pub journal: Vec<Record>,
    /// How often each call to a port was made.
    pub calls: BTreeMap<Call, u64>,
    /// How often the driver was killed and another one went on.
    pub crashes: u32,
}

fn where_it_stands(rollout: &Rollout) -> String {
    let doing = match rollout.phase() {
        Phase::Preparing(_) => "green is being prepared",
        Phase::Shifting(_) => "the weights are on their way",
        Phase::Baking(_) => "the stage bakes",
        Phase::Decommissioning(_) => "blue is being retired",
        Phase::Contracting(_) => "the schema is being contracted",
        Phase::RollingBack(_) => "traffic is being taken back",
        Phase::Finished(_) => "it has ended, and its last records are not stored",
    };
    let stage = rollout.stage().map_or("before the first stage", |stage| rollout.plan().stage_name(stage));
    format!("at {}, {stage}: {doing}", rollout.now())
}
