//! The words in which a statement is judged.

use std::fmt;

use serde::Serialize;

/// What a statement means for old and new code that run side by side. The order is from harmless to harmful.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Changes nothing that either version sees.
    #[default]
    Neutral,
    /// Adds: both versions work. Phase 1, before green starts.
    Expand,
    /// Removes or narrows: only after the cutover, when no old code runs any more. Phase 2.
    Contract,
    /// Never safe as written.
    Breaking,
}

impl Class {
    /// The word as it stands in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Neutral => "neutral",
            Self::Expand => "expand",
            Self::Contract => "contract",
            Self::Breaking => "breaking",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How much a finding weighs. The order is from light to heavy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Note,
    /// Safe in its phase, or safe but slow: a person should look.
    Warning,
    /// Wrong: it is to be written in another way.
    Error,
}

impl Severity {
    /// The word as it stands in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Something that stops working, or waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Break {
    /// Queries of the old code.
    OldReads,
    /// Inserts, updates and deletes of the old code.
    OldWrites,
    /// Queries of the new code.
    NewReads,
    /// Inserts, updates and deletes of the new code.
    NewWrites,
    /// Everybody who uses the table waits for a lock.
    Locks,
    /// The migration itself fails.
    Migration,
}

impl Break {
    /// The words as they stand in a sentence.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OldReads => "old reads",
            Self::OldWrites => "old writes",
            Self::NewReads => "new reads",
            Self::NewWrites => "new writes",
            Self::Locks => "locks",
            Self::Migration => "the migration itself",
        }
    }
}
