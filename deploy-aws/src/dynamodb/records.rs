//! Reading what is stored.

use mpac_deploy_core::ids::{RecordName, RolloutId};
use mpac_deploy_core::journal::{Record, RecordError};
use mpac_deploy_core::port::JournalError;

use super::DynamoJournal;
use super::calls::{Order, Sort};
use super::item::{Batch, Head, name, text};
use super::keys::{Key, RECORDS, partition_of, parts_prefix};
use super::patience::patiently;

impl DynamoJournal {
    /// The lease on a record name and the end of its latest rollout.
    pub(super) async fn head(&self, record: &RecordName) -> Result<Option<Head>, JournalError> {
        let key = Key::head(record);
        match patiently(|| self.calls.get(&key)).await? {
            Some(item) => self.with_parts(Head::of(&item)?).await.map(Some),
            None => Ok(None),
        }
    }

    /// A head with its tail, wherever that stands.
    pub(super) async fn with_parts(&self, mut head: Head) -> Result<Head, JournalError> {
        if let (Some(parts), Some(rollout)) = (&head.parts, &head.rollout) {
            let parts = self.batches(rollout, parts_prefix(parts)).await?;
            head.tail = parts.into_iter().flat_map(|part| part.texts).collect();
        }
        head.whole()
    }

    /// The latest of the records that have left the head.
    pub(super) async fn latest_batch(&self, rollout: &RolloutId) -> Result<Option<Batch>, JournalError> {
        let (partition, sort) = (partition_of(rollout), Sort::Prefix(RECORDS.into()));
        let latest = patiently(|| self.calls.query(&partition, &sort, Order::Descending, Some(1))).await?;
        latest.first().map(Batch::of).transpose()
    }

    async fn batches(&self, rollout: &RolloutId, prefix: String) -> Result<Vec<Batch>, JournalError> {
        let (partition, sort) = (partition_of(rollout), Sort::Prefix(prefix));
        let items = patiently(|| self.calls.query(&partition, &sort, Order::Ascending, None)).await?;
        items.iter().map(Batch::of).collect()
    }

    /// The record name that a rollout belongs to.
    pub(super) async fn about(&self, rollout: &RolloutId) -> Result<Option<RecordName>, JournalError> {
        let key = Key::about(rollout);
        let item = patiently(|| self.calls.get(&key)).await?;
        item.map(|item| text(&item, name::RECORD).map(RecordName::new)).transpose()
    }

    pub(super) async fn load_all(&self, rollout: &RolloutId) -> Result<Vec<Record>, JournalError> {
        let Some(record) = self.about(rollout).await? else { return Ok(Vec::new()) };
        // The head comes first: records leave it only once they stand in items of their own, which are read after it.
        let head = self.head(&record).await?.filter(|head| head.rollout.as_ref() == Some(rollout));
        let tail = head.as_ref().map(|head| (head.first, head.tail.as_slice()));
        let texts = self.texts(rollout, tail).await?;
        texts.iter().zip(1_u64..).map(|(text, number)| decode(rollout, number, text)).collect()
    }

    /// Every record, from the items of their own and from the tail, which begins with the record of this number.
    pub(super) async fn texts(
        &self,
        rollout: &RolloutId,
        tail: Option<(u64, &[String])>,
    ) -> Result<Vec<String>, JournalError> {
        let mut texts = Vec::new();
        for batch in self.batches(rollout, RECORDS.into()).await? {
            add(&mut texts, rollout, batch.first, &batch.texts)?;
        }
        if let Some((first, tail)) = tail {
            add(&mut texts, rollout, first, tail)?;
        }
        Ok(texts)
    }
}

/// Adds what is not there yet; records may stand in two places, but none may be missing.
fn add(
    texts: &mut Vec<String>,
    rollout: &RolloutId,
    first: u64,
    more: &[String],
) -> Result<(), JournalError> {
    let there = texts.len() as u64;
    if first > there + 1 || first == 0 {
        return Err(JournalError::Damaged(format!(
            "the rollout {rollout} has no records from {} to {}",
            there + 1,
            first.saturating_sub(1)
        )));
    }
    let known = usize::try_from(there + 1 - first).unwrap_or(usize::MAX);
    texts.extend(more.get(known..).unwrap_or_default().iter().cloned());
    Ok(())
}

pub(super) fn decode(rollout: &RolloutId, number: u64, text: &str) -> Result<Record, JournalError> {
    Record::from_json(text).map_err(|error| {
        let why = format!("record {number} of the rollout {rollout}: {error}");
        match error {
            RecordError::Newer { .. } => JournalError::Newer(why),
            RecordError::Unreadable(_) | _ => JournalError::Damaged(why),
        }
    })
}

/// Records as they are stored.
pub(super) fn encode(records: &[Record]) -> Result<Vec<String>, JournalError> {
    let text = |record: &Record| record.to_json().map_err(|error| JournalError::Damaged(error.to_string()));
    records.iter().map(text).collect()
}
