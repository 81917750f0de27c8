//! The history: which rollouts there are, by service and time.

use std::collections::BTreeSet;

use mpac_deploy_core::ids::{RecordName, RolloutId};
use mpac_deploy_core::journal::{Entry, Record};
use mpac_deploy_core::port::JournalError;
use mpac_deploy_core::time::Timestamp;

use super::DynamoJournal;
use super::append::Append;
use super::calls::{Order, Sort};
use super::change::Change;
use super::item::{Item, flag, name, s, text};
use super::keys::{HISTORY, Key, span};
use super::patience::patiently;
use super::table::SORT_KEY;

/// A rollout, as the history names it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RolloutEntry {
    /// Its id.
    pub rollout: RolloutId,
    /// The service that was rolled out.
    pub service: String,
    /// The record name whose weights it moved.
    pub record: RecordName,
    /// When it began.
    pub began: Timestamp,
}

/// Which rollouts are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HistoryQuery {
    /// The service.
    pub service: String,
    /// Those that began at this moment or later.
    pub from: Timestamp,
    /// Those that began at this moment or before.
    pub until: Timestamp,
    /// The latest so many.
    pub limit: usize,
}

impl HistoryQuery {
    /// Every rollout of a service.
    #[must_use]
    pub fn of(service: impl Into<String>) -> Self {
        Self { service: service.into(), from: Timestamp::MIN, until: Timestamp::MAX, limit: usize::MAX }
    }

    /// Only those that began between these moments, both included.
    #[must_use]
    pub const fn between(mut self, from: Timestamp, until: Timestamp) -> Self {
        self.from = from;
        self.until = until;
        self
    }

    /// Only the latest so many.
    #[must_use]
    pub const fn latest(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }
}

/// The line of the history for the rollout that is begun by these records.
pub(super) fn line(append: &Append<'_>) -> Option<(Key, Change)> {
    let first = append.records.first()?;
    let service = service_of(first);
    let change = Change::new()
        .set(name::ROLLOUT, s(append.rollout.as_str()))
        .set(name::RECORD, s(append.lease.record.as_str()))
        .set(name::SERVICE, s(service))
        .set(name::BEGAN, s(first.at.to_string()));
    Some((Key::history(service, first.at, append.rollout), change))
}

/// The service that a first record is of.
fn service_of(record: &Record) -> &str {
    match &record.entry {
        Entry::Begun { release, .. } => &release.service,
        Entry::Happened(_) => "",
    }
}

impl DynamoJournal {
    /// The rollouts of a service, the latest first.
    ///
    /// # Errors
    /// [`JournalError::Unavailable`] when the table cannot be read.
    pub async fn history(&self, query: &HistoryQuery) -> Result<Vec<RolloutEntry>, JournalError> {
        let (low, mut high) = span(&query.service, query.from, query.until);
        let mut entries = Vec::new();
        loop {
            let missing = query.limit.saturating_sub(entries.len());
            if missing == 0 {
                return Ok(entries);
            }
            let sort = Sort::Between(low.clone(), high.clone());
            let limit = (query.limit != usize::MAX).then_some(missing.saturating_add(1));
            let items = patiently(|| self.calls.query(HISTORY, &sort, Order::Descending, limit)).await?;
            for item in &items {
                // The last line of one page is the first of the next.
                if text(item, SORT_KEY)? != high
                    && entries.len() < query.limit
                    && self.is_stored(item).await?
                {
                    entries.push(entry(item)?);
                }
            }
            match items.last() {
                Some(last) if limit.is_some_and(|limit| items.len() >= limit) => high = text(last, SORT_KEY)?,
                Some(_) | None => return Ok(entries),
            }
        }
    }

    pub(super) async fn list_all(&self) -> Result<Vec<RolloutId>, JournalError> {
        let items = patiently(|| self.calls.query(HISTORY, &Sort::All, Order::Ascending, None)).await?;
        let mut rollouts = BTreeSet::new();
        for item in &items {
            if self.is_stored(item).await? {
                rollouts.insert(RolloutId::new(text(item, name::ROLLOUT)?));
            }
        }
        Ok(rollouts.into_iter().collect())
    }

    /// Whether the rollout of a line has its first record. The line is written before it, and the note that it is there after it; a
    /// process that died in between left a line that is looked into here.
    async fn is_stored(&self, item: &Item) -> Result<bool, JournalError> {
        if flag(item, name::STORED) {
            return Ok(true);
        }
        let line = entry(item)?;
        let records = self.load_all(&line.rollout).await?;
        Ok(records.first().is_some_and(|first| first.at == line.began && service_of(first) == line.service))
    }
}

fn entry(item: &Item) -> Result<RolloutEntry, JournalError> {
    let began = text(item, name::BEGAN)?;
    Ok(RolloutEntry {
        rollout: RolloutId::new(text(item, name::ROLLOUT)?),
        service: text(item, name::SERVICE)?,
        record: RecordName::new(text(item, name::RECORD)?),
        began: Timestamp::parse(&began).map_err(|error| JournalError::Damaged(error.to_string()))?,
    })
}
