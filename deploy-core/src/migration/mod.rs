//! The gate between migration and rollout: what may run when, and what a rollback may still do afterwards.
//!
//! A release carries its migrations in two phases (strategy, "Two-Phase Deploy"): what expands the schema runs before green starts,
//! what contracts it not before 24 hours after the cutover, with blue retired. The statements' classes come from whoever can read
//! SQL; this module only holds them to their phase.

mod gate;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ids::{SchemaVersion, ServiceName};

/// From the cutover to 100 % until the schema may be contracted (strategy: "24 hours after 100% traffic on Green").
pub const CONTRACT_WAIT: Duration = Duration::from_secs(24 * 3600);

/// What a statement does to old and new code that run side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Neither version notices.
    Neutral,
    /// It adds: both versions work.
    Expand,
    /// It removes or narrows: old code breaks.
    Contract,
    /// Code that runs breaks, whichever it is.
    Breaking,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Neutral => "neutral",
            Self::Expand => "expand",
            Self::Contract => "contract",
            Self::Breaking => "breaking",
        })
    }
}

/// A statement of a migration, as far as the gate must know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// Where it stands, for people: `db/migrations/000003_drop_amount.up.sql:4`.
    pub place: String,
    /// Its text, or the beginning of it.
    pub text: String,
    /// What it does.
    pub class: Class,
}

/// The way of one service's schema from a version to the next that the release needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Whose schema.
    pub service: ServiceName,
    /// The version before; never "the one before this".
    pub from: SchemaVersion,
    /// The version after; never "the latest", since what contracts stands in the same chain.
    pub to: SchemaVersion,
    /// What runs in between.
    pub statements: Vec<Statement>,
    /// The columns that it adds, as `table.column`: data that was written to them is lost when the step is undone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adds: Vec<String>,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} from {} to {}", self.service, self.from, self.to)
    }
}

/// The migrations of a release, each phase in the order in which its steps run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Migrations {
    /// Before green starts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expand: Vec<Step>,
    /// Once nothing of blue runs any more, and [`CONTRACT_WAIT`] after the cutover.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contract: Vec<Step>,
}

impl Migrations {
    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.expand.is_empty() && self.contract.is_empty()
    }

    /// The steps of a phase.
    #[must_use]
    pub fn steps(&self, phase: Phase) -> &[Step] {
        match phase {
            Phase::Expand => &self.expand,
            Phase::Contract => &self.contract,
        }
    }
}

/// The two phases of the strategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Additive changes, while both versions run.
    Expand,
    /// Deprecation and cleanup, once only green runs.
    Contract,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expand => "expand",
            Self::Contract => "contract",
        })
    }
}

/// What the schema still lets a rollback do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SchemaFit {
    /// Blue's code fits the schema: traffic may go back to it.
    FitsBlue {
        /// The expand steps that were applied; they stay when only traffic goes back.
        expanded: usize,
    },
    /// Blue's code does not fit the schema any more.
    GreenOnly {
        /// The first contract step that was begun.
        since: Step,
    },
}

impl Default for SchemaFit {
    /// Nothing was changed.
    fn default() -> Self {
        Self::FitsBlue { expanded: 0 }
    }
}

impl SchemaFit {
    /// Why traffic must not go back to blue, and what can be done instead; `None` while it may.
    #[must_use]
    pub fn forbids_blue(&self) -> Option<String> {
        match self {
            Self::FitsBlue { .. } => None,
            Self::GreenOnly { since } => Some(alloc::format!(
                "the schema was contracted ({since}), and the code of blue does not fit it any more: repair forward with a new \
                 release, or switch the feature's flag off"
            )),
        }
    }
}
