//! Where rollouts are written down, and which of them is not over.

use std::sync::Arc;

use mpac_deploy_aws::dynamodb::{DynamoConfig, DynamoJournal};
use mpac_deploy_core::ids::{RecordName, RolloutId};
use mpac_deploy_core::journal::replay;
use mpac_deploy_core::machine::Rollout;
use mpac_deploy_core::port::{History, Inbox, JournalError};
use mpac_deploy_services::sqlite::SqliteJournal;

use super::{Account, Unread};
use crate::config::{Journal, Roles};
use crate::reply::Failure;

/// The journal that a configuration names.
pub(crate) struct Kept {
    pub(crate) journal: Arc<dyn History>,
    /// Where other processes post commands to a rollout: in the same store.
    pub(crate) inbox: Arc<dyn Inbox>,
}

/// A rollout that is not over.
pub(crate) struct Unfinished {
    pub(crate) rollout: Rollout,
    pub(crate) roles: Roles,
}

impl Account {
    /// Opens the journal; a SQLite file that is not there yet is made.
    pub(crate) async fn open_journal(&self) -> Result<Kept, Failure> {
        match &self.config.journal {
            Journal::Dynamodb(table) => {
                let journal = Arc::new(DynamoJournal::new(&self.sdk, DynamoConfig::new(&table.table)));
                Ok(Kept { inbox: Arc::clone(&journal) as _, journal })
            }
            Journal::Sqlite(file) => {
                let journal = SqliteJournal::open(self.config.beside(&file.file)).await;
                let journal = Arc::new(journal.map_err(|error| Failure::World(error.to_string()))?);
                Ok(Kept { inbox: Arc::clone(&journal) as _, journal })
            }
            Journal::Memory => Err(Failure::Input("a journal in memory keeps nothing".into())),
        }
    }

    /// The journal, unless there is none yet and opening it would make one.
    pub(crate) async fn existing_journal(&self) -> Result<Option<Kept>, Failure> {
        if let Journal::Sqlite(file) = &self.config.journal
            && !self.config.beside(&file.file).exists()
        {
            return Ok(None);
        }
        self.open_journal().await.map(Some)
    }
}

impl Kept {
    /// The latest rollout on the record, if it is not over.
    pub(crate) async fn unfinished(&self, record: &RecordName) -> Result<Option<Unfinished>, Unread> {
        let Some(id) = self.latest(record).await? else { return Ok(None) };
        let rollout = self.rollout(&id).await?;
        if rollout.outcome().is_some() { Ok(None) } else { unfinished(rollout).map(Some) }
    }

    /// The rollout of this name, to go on with it.
    pub(crate) async fn resumable(&self, id: &RolloutId) -> Result<Unfinished, Failure> {
        if self.journal.load(id, 0).await.map_err(Unread::from)?.is_empty() {
            return Err(Failure::Input(format!("the journal holds no rollout {id}")));
        }
        let rollout = self.rollout(id).await?;
        match rollout.outcome() {
            Some(outcome) => Err(Failure::Input(format!("{id} is over: it is {outcome}"))),
            None => Ok(unfinished(rollout)?),
        }
    }

    /// The latest rollout on the record, over or not.
    pub(crate) async fn latest(&self, record: &RecordName) -> Result<Option<RolloutId>, Unread> {
        let all = self.journal.rollouts().await?;
        let ours = all.into_iter().filter(|summary| summary.release.record == *record);
        Ok(ours.max_by_key(|summary| summary.begun).map(|summary| summary.id))
    }

    /// A rollout as its records leave it.
    pub(crate) async fn rollout(&self, id: &RolloutId) -> Result<Rollout, Unread> {
        let records = self.journal.load(id, 0).await?;
        replay(&records).map_err(|error| Unread::Unfit(format!("{id}: {error}")))
    }
}

fn unfinished(rollout: Rollout) -> Result<Unfinished, Unread> {
    let environments = rollout.plan().release().environments.as_ref();
    let roles = Roles::remembered(environments).ok_or_else(|| {
        let id = rollout.id();
        Unread::Unfit(format!("{id} is about other environments than blue and green: {environments:?}"))
    })?;
    Ok(Unfinished { rollout, roles })
}

impl From<JournalError> for Unread {
    fn from(error: JournalError) -> Self {
        let text = error.to_string();
        match error {
            JournalError::Unavailable(why) if Self::is_denial(&why) => Self::Denied(text),
            JournalError::Unavailable(_) => Self::Unreached(text),
            JournalError::Held { .. }
            | JournalError::LeaseLost
            | JournalError::Conflict { .. }
            | JournalError::Damaged(_)
            | JournalError::Newer(_)
            | _ => Self::Unfit(text),
        }
    }
}
