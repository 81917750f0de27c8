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

    pub(super) async fn load_after(
        &self,
        rollout: &RolloutId,
        after: u64,
    ) -> Result<Vec<Record>, JournalError> {
        let Some(record) = self.about(rollout).await? else { return Ok(Vec::new()) };
        // The head comes first: records leave it only once they stand in items of their own, which are read after it.
        let head = self.head(&record).await?.filter(|head| head.rollout.as_ref() == Some(rollout));
        let tail = head.as_ref().map(|head| (head.first, head.tail.as_slice()));
        let texts = self.texts(rollout, after, tail).await?;
        texts.iter().zip(after + 1..).map(|(text, number)| decode(rollout, number, text)).collect()
    }

    /// The records after the first `after`, from the items of their own and from the tail, which begins with the record of this number.
    pub(super) async fn texts(
        &self,
        rollout: &RolloutId,
        after: u64,
        tail: Option<(u64, &[String])>,
    ) -> Result<Vec<String>, JournalError> {
        let mut texts = Texts { rollout, after, texts: Vec::new() };
        if tail.is_none_or(|(first, _)| first > after + 1) {
            for batch in self.batches_after(rollout, after).await? {
                texts.add(batch.first, &batch.texts)?;
            }
        }
        if let Some((first, tail)) = tail {
            texts.add(first, tail)?;
        }
        Ok(texts.texts)
    }

    /// The batches that hold the records after the first `after`.
    async fn batches_after(&self, rollout: &RolloutId, after: u64) -> Result<Vec<Batch>, JournalError> {
        if after == 0 {
            return self.batches(rollout, RECORDS.into()).await;
        }
        let partition = partition_of(rollout);
        let sort_of = |first| Key::batch(rollout, first).sort;
        // The next record may stand in the midst of the batch that begins before it.
        let before = Sort::Between(sort_of(1), sort_of(after + 1));
        let before = patiently(|| self.calls.query(&partition, &before, Order::Descending, Some(1))).await?;
        let first = before.first().map(Batch::of).transpose()?.map_or(after + 1, |batch| batch.first);
        let from = Sort::Between(sort_of(first), sort_of(u64::MAX));
        let items = patiently(|| self.calls.query(&partition, &from, Order::Ascending, None)).await?;
        items.iter().map(Batch::of).collect()
    }
}

/// Records after the first `after` of a rollout, as they are put together.
struct Texts<'a> {
    rollout: &'a RolloutId,
    after: u64,
    texts: Vec<String>,
}

impl Texts<'_> {
    /// Adds what is not there yet; records may stand in two places, but none may be missing.
    fn add(&mut self, first: u64, more: &[String]) -> Result<(), JournalError> {
        let next = self.after + self.texts.len() as u64 + 1;
        if first > next || first == 0 {
            return Err(JournalError::Damaged(format!(
                "the rollout {} has no records from {next} to {}",
                self.rollout,
                first.saturating_sub(1)
            )));
        }
        let known = usize::try_from(next - first).unwrap_or(usize::MAX);
        self.texts.extend(more.get(known..).unwrap_or_default().iter().cloned());
        Ok(())
    }
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
