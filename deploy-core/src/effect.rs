//! What the machine wants done, as plain data.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::analysis::Reading;
use crate::decision::Decision;
use crate::ids::{CheckName, EffectId, FlagName, SchemaVersion};
use crate::metric::{Metric, Side};
use crate::migration::Phase;
use crate::time::Period;
use crate::units::Weights;

/// Something to be done in the world. Issued again under the same id after a failure, a time-out or a crash;
/// adapters change the world once per id (semantics 5.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// The id, the same for every attempt.
    pub id: EffectId,
    /// Counts the attempts from 1.
    pub attempt: u32,
    /// What is to be done.
    pub kind: EffectKind,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EffectKind {
    /// Read both weights as the world has them.
    ReadWeights,
    /// Set both weights in one atomic change.
    SetWeights {
        /// The weights to set.
        weights: Weights,
        /// Whether the change moves traffic towards green or back to blue.
        direction: Direction,
    },
    /// Ask whether a change has reached every name server.
    ConfirmWeights {
        /// The effect that made the change.
        change: EffectId,
    },
    /// Start green with its revision.
    Provision,
    /// Look at a side's health.
    CheckHealth {
        /// Which side.
        side: Side,
    },
    /// Run a pre-production check against green.
    RunCheck {
        /// Which check.
        check: CheckName,
    },
    /// Fetch the plan's series for a settled period.
    Observe {
        /// The period.
        period: Period,
    },
    /// Probe critical services.
    Probe {
        /// The services, by the name of their `*_up` metric.
        services: Vec<Metric>,
    },
    /// Stop blue; its task definition and an archive of its configuration are kept.
    RetireBlue,
    /// Start blue again from what was kept.
    ReviveBlue,
    /// Stop green, before a migration is undone.
    StopGreen,
    /// Bring a service's schema from the step's first version to its last.
    Migrate {
        /// In which phase.
        phase: Phase,
        /// The place of the step in it.
        step: usize,
    },
    /// Read the version of a step's schema from the database itself.
    ReadSchema {
        /// In which phase.
        phase: Phase,
        /// The place of the step in it.
        step: usize,
    },
    /// Ask the database for the columns of an expand step that data was written to.
    FindWritten {
        /// The place of the step.
        step: usize,
    },
    /// Bring a service's schema from an expand step's last version back to its first.
    UndoMigration {
        /// The place of the step.
        step: usize,
    },
    /// Switch a feature flag off, for everybody.
    SwitchOff {
        /// Which one.
        flag: FlagName,
    },
    /// Read back whether a feature flag is on for anybody.
    ReadFlag {
        /// Which one.
        flag: FlagName,
    },
}

/// Which way a change moves traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Towards green.
    Forward,
    /// Back to blue.
    Back,
}

impl EffectKind {
    /// Whether the effect waits until the decision for it is on stable storage (semantics 5.5): whatever moves the rollout towards
    /// green, and whatever cannot simply be done again the other way round.
    #[must_use]
    pub const fn waits_for_store(&self) -> bool {
        self.moves_towards_green() || matches!(self, Self::UndoMigration { .. })
    }

    /// Whether the effect changes a schema: cut off in the middle, a tool may leave it in neither version.
    #[must_use]
    pub const fn changes_schema(&self) -> bool {
        matches!(self, Self::Migrate { .. } | Self::UndoMigration { .. })
    }

    /// Whether the effect is about a feature flag.
    pub(crate) const fn is_of_a_flag(&self) -> bool {
        matches!(self, Self::SwitchOff { .. } | Self::ReadFlag { .. })
    }

    /// Whether the effect moves the rollout towards green.
    #[must_use]
    pub const fn moves_towards_green(&self) -> bool {
        match self {
            Self::SetWeights { direction: Direction::Forward, .. } | Self::Provision | Self::RetireBlue => {
                true
            }
            // A check runs against green before it has traffic and may write test data.
            Self::RunCheck { .. } => true,
            Self::Migrate { .. } => true,
            Self::SetWeights { direction: Direction::Back, .. }
            | Self::ReadWeights
            | Self::ConfirmWeights { .. }
            | Self::CheckHealth { .. }
            | Self::Observe { .. }
            | Self::Probe { .. }
            | Self::ReviveBlue
            | Self::StopGreen
            | Self::ReadSchema { .. }
            | Self::FindWritten { .. }
            | Self::UndoMigration { .. }
            | Self::SwitchOff { .. }
            | Self::ReadFlag { .. } => false,
        }
    }

    /// A word for logs and spans.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ReadWeights => "read-weights",
            Self::SetWeights { .. } => "set-weights",
            Self::ConfirmWeights { .. } => "confirm-weights",
            Self::Provision => "provision",
            Self::CheckHealth { .. } => "check-health",
            Self::RunCheck { .. } => "run-check",
            Self::Observe { .. } => "observe",
            Self::Probe { .. } => "probe",
            Self::RetireBlue => "retire-blue",
            Self::ReviveBlue => "revive-blue",
            Self::StopGreen => "stop-green",
            Self::Migrate { .. } => "migrate",
            Self::ReadSchema { .. } => "read-schema",
            Self::FindWritten { .. } => "find-written",
            Self::UndoMigration { .. } => "undo-migration",
            Self::SwitchOff { .. } => "switch-off",
            Self::ReadFlag { .. } => "read-flag",
        }
    }
}

impl fmt::Display for EffectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SetWeights { weights, .. } => write!(f, "set the weights to {weights}"),
            Self::ReadWeights => f.write_str("read the weights"),
            Self::ConfirmWeights { .. } => f.write_str("confirm the change of the weights"),
            Self::Provision => f.write_str("provision green"),
            Self::CheckHealth { side } => write!(f, "look at the health of {side}"),
            Self::RunCheck { check } => write!(f, "run the check `{check}`"),
            Self::Observe { period } => write!(f, "fetch the metrics of {period}"),
            Self::Probe { .. } => f.write_str("probe the critical services"),
            Self::RetireBlue => f.write_str("retire blue"),
            Self::ReviveBlue => f.write_str("start blue again"),
            Self::StopGreen => f.write_str("stop green"),
            Self::Migrate { phase, step } => write!(f, "apply step {} of the {phase} phase", step + 1),
            Self::ReadSchema { phase, step } => {
                write!(f, "read the schema's version for step {} of the {phase} phase", step + 1)
            }
            Self::FindWritten { step } => write!(f, "look for data in the new columns of step {}", step + 1),
            Self::UndoMigration { step } => write!(f, "undo step {} of the expand phase", step + 1),
            Self::SwitchOff { flag } => write!(f, "switch the flag `{flag}` off"),
            Self::ReadFlag { flag } => write!(f, "read the flag `{flag}` back"),
        }
    }
}

/// The weights as the world has them; unlike [`Weights`] they can be anything, both 0 included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedWeights {
    /// Blue's weight.
    pub blue: u8,
    /// Green's weight.
    pub green: u8,
}

impl ObservedWeights {
    /// Whether the world has what was meant.
    #[must_use]
    pub const fn is(self, weights: Weights) -> bool {
        self.blue == weights.blue() && self.green == weights.green()
    }
}

impl From<Weights> for ObservedWeights {
    fn from(weights: Weights) -> Self {
        Self { blue: weights.blue(), green: weights.green() }
    }
}

impl fmt::Display for ObservedWeights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "blue {} / green {}", self.blue, self.green)
    }
}

/// The health of an environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    /// Everything that should run runs, and every target is healthy.
    Healthy,
    /// Not yet; waiting may help.
    Starting {
        /// What is still missing.
        detail: String,
    },
    /// It serves badly or not at all; it may recover.
    Unhealthy {
        /// What is wrong.
        detail: String,
    },
    /// It cannot become healthy by waiting: the image cannot be pulled, the tasks exit.
    Failed {
        /// The reason as the platform gives it.
        detail: String,
    },
}

/// What a retired environment was, as text: what the platform needs to make it anew, and what a person wants to see of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Archive(String);

impl Archive {
    /// Wraps the text as it is.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What an effect came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// The effect was done.
    Done,
    /// Both weights as they are.
    Weights(ObservedWeights),
    /// Whether the change has reached every name server.
    InSync(bool),
    /// The side's health.
    Health(Health),
    /// The check passed, or what it found.
    Check(CheckResult),
    /// The readings of the plan's series, in their order.
    Readings(Vec<Reading>),
    /// For each probed service whether it answered, in the order of the effect.
    Probes(Vec<bool>),
    /// Blue is retired, and this is what it was. A platform that has nothing to archive answers `Done`.
    Retired(Archive),
    /// The version of the schema, as the database has it.
    Schema(SchemaVersion),
    /// A schema was changed, or was so already; this is what the migration tool printed, line by line. `Done` says the same without.
    Migrated(Vec<String>),
    /// The new columns that data was written to, as `table.column`.
    Written(Vec<String>),
    /// Whether the flag is on for anybody.
    Flag(bool),
}

/// What a pre-production check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckResult {
    /// All is well.
    Passed,
    /// Green must not get traffic.
    Failed {
        /// What was found.
        detail: String,
    },
}

/// An effect that was not done, or of which it is unknown whether it was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What went wrong, and where.
    pub message: String,
    /// Whether trying again can help.
    pub retry: Retry,
}

/// Whether trying again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Retry {
    /// Throttled, timed out, briefly unreachable, or the outcome is unknown.
    Worthwhile,
    /// Refused for good: no permission, no such record.
    Useless,
}

/// What follows from an event: effects to run, decisions to tell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effects {
    /// In the order in which they were decided.
    pub run: Vec<Effect>,
    /// In the order in which they were taken.
    pub decisions: Vec<Decision>,
}
