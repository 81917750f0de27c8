//! Journal and lease in one DynamoDB table, for any number of controllers on any number of machines.
//!
//! How the table is laid out, what is guaranteed and what it costs is in the book's chapter "The journal in DynamoDB".

mod append;
mod calls;
mod change;
mod history;
mod inbox;
mod item;
mod keys;
mod lease;
mod patience;
mod records;
mod sight;
mod snapshot;
pub mod table;

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use mpac_deploy_core::ids::{RecordName, RolloutId};
use mpac_deploy_core::journal::{Record, Snapshot};
use mpac_deploy_core::port::{Journal, JournalError, Lease};

pub use history::{HistoryQuery, RolloutEntry};

use crate::CallError;
use append::Append;
use calls::Calls;
use item::Head;
use sight::Sights;

/// Which table, and how leases are taken from those who are gone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DynamoConfig {
    /// The table's name.
    pub table: String,
    /// For how long [`Journal::acquire`] watches a lease that this process has never seen before, and whose holder may be gone: it is
    /// answered with `Held` at the first sign of life, or after this time.
    pub watch: Duration,
    /// The limit for one attempt at a call.
    pub attempt_timeout: Duration,
}

impl Default for DynamoConfig {
    /// The table `mpac-deploy`.
    fn default() -> Self {
        Self::new(table::DEFAULT_TABLE)
    }
}

impl DynamoConfig {
    /// This table; a watch of up to 60 s, twice the driver's lease, so that one call is enough to go on where another process died; and 1 s
    /// for an attempt, so that there is time for a second one within the two that the driver gives the journal.
    #[must_use]
    pub fn new(table: impl Into<String>) -> Self {
        Self { table: table.into(), watch: Duration::from_secs(60), attempt_timeout: Duration::from_secs(1) }
    }

    /// The same table with another watch; with [`Duration::ZERO`], `acquire` never waits, and has to be called again.
    #[must_use]
    pub const fn with_watch(mut self, watch: Duration) -> Self {
        self.watch = watch;
        self
    }

    /// The same table with another limit for one attempt at a call.
    #[must_use]
    pub const fn with_attempt_timeout(mut self, limit: Duration) -> Self {
        self.attempt_timeout = limit;
        self
    }
}

/// A journal in a DynamoDB table.
///
/// Besides the contract of [`Journal`]:
/// - Every write of a holder rests on the condition that the lease is still its own, in the one item that holds both the lease and the
///   latest records: whoever was overtaken stores nothing more, however late it wakes up.
/// - No clock of another machine is trusted. A lease is over once its holder has given no sign of life for its whole time by the
///   monotonic clock of the process that waits for it. Appending is a sign of life, too.
/// - A success is reported only while the lease has not run out by this process's own monotonic clock, counted from before the call.
/// - `acquire` watches a lease that this process sees for the first time ([`DynamoConfig::watch`]); it remembers what it has seen.
/// - A rollout belongs to the record name under which it was begun.
///
/// It is the [`Inbox`](mpac_deploy_core::port::Inbox) of its rollouts, too: commands that are posted on one machine reach the driver on another.
#[derive(Debug)]
pub struct DynamoJournal {
    calls: Calls,
    config: DynamoConfig,
    sights: Sights,
    /// The heads of the leases of this process, as its own latest writes left them.
    heads: Mutex<HashMap<RecordName, Head>>,
    /// Counts the appends of this process that are larger than an item.
    appends: AtomicU64,
}

impl DynamoJournal {
    /// A journal in this table. Retries of the SDK are switched off, whatever `sdk` says; its limit for a connection counts.
    #[must_use]
    pub fn new(sdk: &SdkConfig, config: DynamoConfig) -> Self {
        let calls = Calls::new(sdk, &config);
        Self { calls, config, sights: Sights::default(), heads: Mutex::default(), appends: AtomicU64::new(0) }
    }

    /// Makes the table unless there is one, paid for by request and with backups of every moment of the last 35 days, and waits until it can
    /// be used.
    ///
    /// # Errors
    /// [`CallError`]; also when there is a table of this name that is no journal.
    pub async fn create_table(&self) -> Result<(), CallError> {
        self.calls.create_table().await
    }

    /// Takes the head of a lease out of this process's memory.
    fn forget_head(&self, lease: &Lease) -> Option<Head> {
        self.heads().remove(&lease.record).filter(|head| head.token() == lease.fence)
    }

    fn keep_head(&self, record: &RecordName, head: Head) {
        self.heads().insert(record.clone(), head);
    }

    fn heads(&self) -> MutexGuard<'_, HashMap<RecordName, Head>> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Journal for DynamoJournal {
    async fn acquire(&self, record: &RecordName, holder: &str, ttl: Duration) -> Result<Lease, JournalError> {
        self.take_lease(record, holder, ttl).await
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<(), JournalError> {
        self.prolong(lease, ttl).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), JournalError> {
        self.give_up(lease).await
    }

    async fn append(
        &self,
        lease: &Lease,
        rollout: &RolloutId,
        expected: u64,
        records: &[Record],
    ) -> Result<(), JournalError> {
        let texts = records::encode(records)?;
        self.append_all(&Append { lease, rollout, expected, records, texts }).await
    }

    async fn load(&self, rollout: &RolloutId, after: u64) -> Result<Vec<Record>, JournalError> {
        self.load_after(rollout, after).await
    }

    async fn keep(
        &self,
        lease: &Lease,
        rollout: &RolloutId,
        snapshot: &Snapshot,
    ) -> Result<(), JournalError> {
        self.keep_snapshot(lease, rollout, snapshot).await
    }

    async fn snapshot(&self, rollout: &RolloutId) -> Result<Option<Snapshot>, JournalError> {
        self.latest_snapshot(rollout).await
    }

    async fn list(&self) -> Result<Vec<RolloutId>, JournalError> {
        self.list_all().await
    }
}
