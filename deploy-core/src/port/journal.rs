use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use async_trait::async_trait;

use crate::ids::{FencingToken, RecordName, RolloutId};
use crate::journal::{Record, Snapshot};

/// The right to act on a record name, for a limited time (semantics 5.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// What it is for.
    pub record: RecordName,
    /// Who holds it.
    pub holder: String,
    /// Larger than that of every earlier holder.
    pub fence: FencingToken,
}

/// An error of a journal by its meaning.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// Somebody else holds the lease.
    #[error("{record} is held by {by}: one rollout per record name at a time")]
    Held {
        /// The record.
        record: RecordName,
        /// The holder.
        by: String,
    },
    /// The lease is not ours any more.
    #[error("the lease is lost: somebody else acts on the record now")]
    LeaseLost,
    /// Somebody else has appended.
    #[error("the journal is at version {found}, not {expected}: somebody else has written to it")]
    Conflict {
        /// The version that was expected.
        expected: u64,
        /// The version that was found.
        found: u64,
    },
    /// Not reached; the outcome may be unknown, and the same call may be made again.
    #[error("the journal cannot be reached: {0}")]
    Unavailable(String),
    /// What is stored cannot be read.
    #[error("the journal is damaged: {0}")]
    Damaged(String),
    /// What is stored was written by a later version of this library, which is not guessed at.
    #[error("the journal was written by a later version: {0}")]
    Newer(String),
}

/// Stable storage for rollouts, and the lease.
///
/// Contract:
/// 1. `append` stores all of the records or none, if the journal holds exactly `expected` records of the rollout and the lease is
///    still ours; only then does it succeed. What it stored survives a crash.
/// 2. `append` of records of which the first ones are stored already, identical and after `expected`, stores the rest: so it can be
///    made again after an answer was lost, also with more records.
/// 3. `load` gives the records after the first `after`, in their order, as they were appended; none for an unknown rollout.
/// 4. `acquire` gives the lease if nobody holds it or the holder's time is over, with a larger fencing token each time, also
///    to a holder that comes back.
/// 5. `renew` prolongs a lease that is still ours; `release` gives it up; both succeed only for the latest holder.
/// 6. `keep` keeps a snapshot if the lease is still ours, in place of one of no more records and never of one of more; `snapshot`
///    gives it as it was kept. It is a cache: no record goes, and a store may lose it.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Journal: Send + Sync {
    /// Takes the lease on a record name.
    ///
    /// # Errors
    /// [`JournalError::Held`] while somebody else holds it.
    async fn acquire(&self, record: &RecordName, holder: &str, ttl: Duration) -> Result<Lease, JournalError>;

    /// Prolongs a lease.
    ///
    /// # Errors
    /// [`JournalError::LeaseLost`] when it is not ours any more.
    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<(), JournalError>;

    /// Gives a lease up.
    ///
    /// # Errors
    /// [`JournalError::LeaseLost`] when it is not ours any more.
    async fn release(&self, lease: &Lease) -> Result<(), JournalError>;

    /// Appends records.
    ///
    /// # Errors
    /// [`JournalError::LeaseLost`], [`JournalError::Conflict`], or [`JournalError::Unavailable`].
    async fn append(
        &self,
        lease: &Lease,
        rollout: &RolloutId,
        expected: u64,
        records: &[Record],
    ) -> Result<(), JournalError>;

    /// The records of a rollout after the first `after`; all of them with 0.
    ///
    /// # Errors
    /// [`JournalError::Damaged`] or [`JournalError::Newer`] when they cannot be read.
    async fn load(&self, rollout: &RolloutId, after: u64) -> Result<Vec<Record>, JournalError>;

    /// Keeps a snapshot of a rollout.
    ///
    /// # Errors
    /// [`JournalError::LeaseLost`], or [`JournalError::Unavailable`].
    async fn keep(&self, lease: &Lease, rollout: &RolloutId, snapshot: &Snapshot)
    -> Result<(), JournalError>;

    /// The snapshot of a rollout, if one is kept.
    ///
    /// # Errors
    /// [`JournalError::Unavailable`].
    async fn snapshot(&self, rollout: &RolloutId) -> Result<Option<Snapshot>, JournalError>;

    /// Every rollout that has a record.
    ///
    /// # Errors
    /// [`JournalError::Unavailable`].
    async fn list(&self) -> Result<Vec<RolloutId>, JournalError>;
}
