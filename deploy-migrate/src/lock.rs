//! PostgreSQL's table locks.

use std::fmt;

use serde::Serialize;

/// A table-level lock, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LockMode {
    /// Of every query.
    AccessShare,
    /// `SELECT … FOR UPDATE`.
    RowShare,
    /// Of every insert, update and delete.
    RowExclusive,
    /// `VACUUM`, `CREATE INDEX CONCURRENTLY`, `VALIDATE CONSTRAINT`.
    ShareUpdateExclusive,
    /// `CREATE INDEX`: writes wait.
    Share,
    /// `CREATE TRIGGER`, `ADD FOREIGN KEY`: writes wait.
    ShareRowExclusive,
    /// `REFRESH MATERIALIZED VIEW CONCURRENTLY`: writes wait.
    Exclusive,
    /// Most forms of `ALTER TABLE`: reads and writes wait.
    AccessExclusive,
}

impl LockMode {
    /// As PostgreSQL writes it in `LOCK TABLE … IN … MODE`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessShare => "ACCESS SHARE",
            Self::RowShare => "ROW SHARE",
            Self::RowExclusive => "ROW EXCLUSIVE",
            Self::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            Self::Share => "SHARE",
            Self::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            Self::Exclusive => "EXCLUSIVE",
            Self::AccessExclusive => "ACCESS EXCLUSIVE",
        }
    }

    /// Whether inserts, updates and deletes wait while it is held.
    #[must_use]
    pub fn blocks_writes(self) -> bool {
        self >= Self::Share
    }

    /// Whether queries wait while it is held.
    #[must_use]
    pub fn blocks_reads(self) -> bool {
        self == Self::AccessExclusive
    }
}

impl fmt::Display for LockMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_wait_from_share_on_and_reads_only_for_the_strongest() {
        assert!(!LockMode::ShareUpdateExclusive.blocks_writes() && LockMode::Share.blocks_writes());
        assert!(!LockMode::Exclusive.blocks_reads() && LockMode::AccessExclusive.blocks_reads());
    }
}
