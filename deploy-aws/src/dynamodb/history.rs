//! The history: which rollouts there are, by service and time.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use async_trait::async_trait;
use mpac_deploy_core::ids::{RecordName, RolloutId};
use mpac_deploy_core::journal::{Entry, Record};
use mpac_deploy_core::plan::Release;
use mpac_deploy_core::port::{History, JournalError, RolloutSummary};
use mpac_deploy_core::time::Timestamp;

use super::DynamoJournal;
use super::append::Append;
use super::calls::{Order, Sort};
use super::change::Change;
use super::item::{Batch, Head, Item, flag, name, s, text};
use super::keys::{HISTORY, Key, span};
use super::patience::patiently;
use super::records::decode;
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
    let release = release_of(first)?;
    let change = Change::new()
        .set(name::ROLLOUT, s(append.rollout.as_str()))
        .set(name::RECORD, s(append.lease.record.as_str()))
        .set(name::SERVICE, s(&release.service))
        .set(name::RELEASE, s(serde_json::to_string(release).ok()?))
        .set(name::BEGAN, s(first.at.to_string()));
    Some((Key::history(&release.service, first.at, append.rollout), change))
}

/// The release that a first record is of.
fn release_of(record: &Record) -> Option<&Release> {
    match &record.entry {
        Entry::Begun { release, .. } => Some(release),
        Entry::Happened(_) => None,
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
        let rollouts = self
            .lines()
            .await?
            .iter()
            .map(|item| text(item, name::ROLLOUT).map(RolloutId::new))
            .collect::<Result<BTreeSet<_>, _>>()?;
        Ok(rollouts.into_iter().collect())
    }

    /// The lines of all rollouts.
    async fn lines(&self) -> Result<Vec<Item>, JournalError> {
        let items = patiently(|| self.calls.query(HISTORY, &Sort::All, Order::Ascending, None)).await?;
        let mut lines = Vec::new();
        for item in items {
            if self.is_stored(&item).await? {
                lines.push(item);
            }
        }
        Ok(lines)
    }

    /// Whether the rollout of a line has its first record. The line is written before it, and the note that it is there after it; a
    /// process that died in between left a line that is looked into here.
    async fn is_stored(&self, item: &Item) -> Result<bool, JournalError> {
        if flag(item, name::STORED) {
            return Ok(true);
        }
        let line = entry(item)?;
        let records = self.load_after(&line.rollout, 0).await?;
        let is_of = |first: &Record| {
            first.at == line.began && release_of(first).is_some_and(|release| release.service == line.service)
        };
        Ok(records.first().is_some_and(is_of))
    }
}

#[async_trait]
impl History for DynamoJournal {
    async fn rollouts(&self) -> Result<Vec<RolloutSummary>, JournalError> {
        let mut heads: BTreeMap<RecordName, Option<Head>> = BTreeMap::new();
        let mut summaries = Vec::new();
        for item in self.lines().await? {
            let line = entry(&item)?;
            if !heads.contains_key(&line.record) {
                heads.insert(line.record.clone(), self.head(&line.record).await?);
            }
            let head = heads.get(&line.record).and_then(Option::as_ref);
            summaries.push(self.summary(line, &text(&item, name::RELEASE)?, head).await?);
        }
        summaries.sort_by(|one, other| (one.begun, &one.id).cmp(&(other.begun, &other.id)));
        Ok(summaries)
    }
}

impl DynamoJournal {
    /// A rollout in a few words, by its line and its latest record.
    async fn summary(
        &self,
        line: RolloutEntry,
        release: &str,
        head: Option<&Head>,
    ) -> Result<RolloutSummary, JournalError> {
        let damaged =
            |why: &dyn Display| JournalError::Damaged(format!("the rollout {}: {why}", line.rollout));
        let in_head = head.filter(|head| head.rollout.as_ref() == Some(&line.rollout));
        let latest = match in_head {
            Some(head) => Some(Batch { first: head.first, texts: head.tail.clone() }),
            None => self.latest_batch(&line.rollout).await?,
        };
        let (records, last) = latest
            .as_ref()
            .and_then(|batch| Some((batch.last(), batch.texts.last()?)))
            .ok_or_else(|| damaged(&"it has no records any more"))?;
        let latest = decode(&line.rollout, records, last)?.at;
        let release = serde_json::from_str(release).map_err(|error| damaged(&error))?;
        Ok(RolloutSummary { id: line.rollout, release, begun: line.began, latest, records })
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
