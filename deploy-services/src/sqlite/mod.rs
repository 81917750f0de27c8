//! The journal in one SQLite file: for controllers of one machine, and the default of an embedder without a database.
//!
//! A commit is on the disk when `append` returns (write-ahead log, `synchronous=FULL`). Several processes may open the file at once;
//! who acts on a record name is decided by the lease, and checked by its fencing token inside the transaction of every append.
//! All processes must run under one kernel: SQLite's write-ahead log does not work over a network.
//!
//! ```
//! use mpac_deploy_core::port::{History, Journal};
//! use mpac_deploy_services::sqlite::SqliteJournal;
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("journal.db");
//! let journal = SqliteJournal::open(path).await?;
//! for rollout in journal.rollouts().await? {
//!     println!("{}: {} records since {}", rollout.id, rollout.records, rollout.begun);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod inbox;
mod lease;
mod moment;
mod open;
mod records;
mod schema;
#[cfg(test)]
mod tests;
mod worker;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mpac_deploy_core::ids::{CommandId, RecordName, RolloutId};
use mpac_deploy_core::journal::{Record, Snapshot};
use mpac_deploy_core::machine::Command;
use mpac_deploy_core::port::{
    History, Inbox, Journal, JournalError, Lease, PortError, Reply, RolloutSummary,
};
use serde::Serialize;

pub use error::SqliteError;
use records::Written;
use worker::Worker;

/// A journal in a SQLite file. Its one connection lives on a thread of its own, and ends when this is dropped.
#[derive(Debug)]
pub struct SqliteJournal {
    path: Arc<Path>,
    worker: Worker,
}

impl SqliteJournal {
    /// Opens the journal at a path, and makes it if there is none. A file of an earlier version is brought up to date.
    ///
    /// # Errors
    /// [`SqliteError`], each kind of which says what is wrong with the file and what to do; a file that is no journal is left as it is.
    pub async fn open(path: impl Into<PathBuf>) -> Result<Self, SqliteError> {
        let path = path.into();
        Ok(Self { worker: Worker::start(path.clone()).await?, path: path.into() })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[async_trait]
impl Journal for SqliteJournal {
    async fn acquire(&self, record: &RecordName, holder: &str, ttl: Duration) -> Result<Lease, JournalError> {
        let (record, holder) = (record.clone(), holder.to_owned());
        self.worker.write(move |connection| lease::acquire(connection, &record, &holder, ttl)).await
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<(), JournalError> {
        let lease = lease.clone();
        self.worker.write(move |connection| lease::renew(connection, &lease, ttl)).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), JournalError> {
        let lease = lease.clone();
        self.worker.write(move |connection| lease::release(connection, &lease)).await
    }

    async fn append(
        &self,
        lease: &Lease,
        rollout: &RolloutId,
        expected: u64,
        records: &[Record],
    ) -> Result<(), JournalError> {
        let (lease, rollout, records) = (lease.clone(), rollout.clone(), Written::all(records)?);
        let append = move |connection: &rusqlite::Connection| {
            lease::check(connection, &lease)?;
            records::append(connection, &rollout, expected, &records)
        };
        self.worker.write(append).await
    }

    async fn load(&self, rollout: &RolloutId, after: u64) -> Result<Vec<Record>, JournalError> {
        let (path, rollout) = (Arc::clone(&self.path), rollout.clone());
        self.worker.read(move |connection| records::load(connection, &path, &rollout, after)).await
    }

    async fn keep(
        &self,
        lease: &Lease,
        rollout: &RolloutId,
        snapshot: &Snapshot,
    ) -> Result<(), JournalError> {
        let (lease, rollout, snapshot) = (lease.clone(), rollout.clone(), snapshot.clone());
        let keep = move |connection: &rusqlite::Connection| {
            lease::check(connection, &lease)?;
            Ok(records::keep(connection, &rollout, &snapshot)?)
        };
        self.worker.write(keep).await
    }

    async fn snapshot(&self, rollout: &RolloutId) -> Result<Option<Snapshot>, JournalError> {
        let (path, rollout) = (Arc::clone(&self.path), rollout.clone());
        self.worker.read(move |connection| records::snapshot(connection, &path, &rollout)).await
    }

    async fn list(&self) -> Result<Vec<RolloutId>, JournalError> {
        let path = Arc::clone(&self.path);
        self.worker.read(move |connection| records::list(connection, &path)).await
    }
}

#[async_trait]
impl History for SqliteJournal {
    async fn rollouts(&self) -> Result<Vec<RolloutSummary>, JournalError> {
        let path = Arc::clone(&self.path);
        self.worker.read(move |connection| records::summaries(connection, &path)).await
    }
}

/// The commands stand in the same file, so that whoever can read a rollout can command it.
#[async_trait]
impl Inbox for SqliteJournal {
    async fn post(&self, rollout: &RolloutId, id: &CommandId, command: &Command) -> Result<(), PortError> {
        let (rollout, id, body) = (rollout.clone(), id.clone(), to_json(command)?);
        let post =
            move |connection: &rusqlite::Connection| Ok(inbox::post(connection, &rollout, &id, &body)?);
        self.worker.write(post).await.map_err(of_inbox)
    }

    async fn waiting(&self, rollout: &RolloutId) -> Result<Vec<(CommandId, Command)>, PortError> {
        let (path, rollout) = (Arc::clone(&self.path), rollout.clone());
        let waiting = move |connection: &rusqlite::Connection| {
            inbox::waiting(connection, &rollout).map_err(|error| SqliteError::of(&path, &error))
        };
        self.worker.read(waiting).await.map_err(of_inbox)
    }

    async fn reply(&self, rollout: &RolloutId, id: &CommandId, reply: &Reply) -> Result<(), PortError> {
        let (rollout, id, body) = (rollout.clone(), id.clone(), to_json(reply)?);
        let reply =
            move |connection: &rusqlite::Connection| Ok(inbox::reply(connection, &rollout, &id, &body)?);
        self.worker.write(reply).await.map_err(of_inbox)?
    }

    async fn reply_to(&self, rollout: &RolloutId, id: &CommandId) -> Result<Option<Reply>, PortError> {
        let (path, rollout, id) = (Arc::clone(&self.path), rollout.clone(), id.clone());
        let reply_to = move |connection: &rusqlite::Connection| {
            inbox::reply_to(connection, &rollout, &id).map_err(|error| SqliteError::of(&path, &error))
        };
        self.worker.read(reply_to).await.map_err(of_inbox)?
    }
}

fn to_json(value: &impl Serialize) -> Result<String, PortError> {
    serde_json::to_string(value).map_err(|error| PortError::Refused(error.to_string()))
}

/// An error of the file, as the inbox says it.
fn of_inbox(error: JournalError) -> PortError {
    if let JournalError::Unavailable(why) = error {
        PortError::Unavailable(why)
    } else {
        PortError::Refused(error.to_string())
    }
}
