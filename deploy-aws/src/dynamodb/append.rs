//! Appending: one conditional write of the item that also holds the lease.
//!
//! The latest records stand in that item, so that "the lease is still ours", "the rollout has as many records as we think" and "these are
//! the next ones" are one atomic condition and one atomic effect. Before they are pushed out of it by later ones, they are copied to an item
//! of their own; a crash in between leaves them in both places, and never in none.

use std::sync::atomic::Ordering;

use aws_sdk_dynamodb::types::AttributeValue;
use mpac_deploy_core::ids::{FencingToken, RolloutId};
use mpac_deploy_core::journal::Record;
use mpac_deploy_core::port::{JournalError, Lease};
use tokio::time::Instant;

use super::DynamoJournal;
use super::calls::{Order, Sort, Written};
use super::change::Change;
use super::history;
use super::item::{Head, list, n, name, s, text};
use super::keys::{Key, partition_of, parts_prefix};
use super::lease::{sign_of_life, too_late};
use super::patience::{Patience, patiently};
use super::table::SORT_KEY;

/// How large the records in the head may become before they move to an item of their own, in bytes. Every append writes the head whole,
/// and a write is paid for by the kilobyte: at 2 KB, twelve of thirteen appends of a healthy rollout are a single call, of two units on average.
const TAIL: usize = 2 * 1024;

/// How large a batch may become, in bytes of text: well below the 400 KB of an item.
const BATCH: usize = 256 * 1024;

/// The end of a rollout's records.
struct End {
    version: u64,
    /// The number of the first record of `tail`.
    first: u64,
    tail: Vec<String>,
}

/// What is to be appended, and where.
pub(super) struct Append<'a> {
    pub(super) lease: &'a Lease,
    pub(super) rollout: &'a RolloutId,
    pub(super) expected: u64,
    pub(super) records: &'a [Record],
    pub(super) texts: Vec<String>,
}

impl DynamoJournal {
    pub(super) async fn append_all(&self, append: &Append<'_>) -> Result<(), JournalError> {
        let lease = append.lease;
        let mut patience = Patience::default();
        // Whoever drops this future leaves an outcome unknown: the head is kept again only when it is known.
        let mut known = self.forget_head(lease);
        loop {
            let began = Instant::now();
            let head = match known.take() {
                Some(head) => head,
                None => self.head(&lease.record).await?.ok_or(JournalError::LeaseLost)?,
            };
            head.check_held_by(lease)?;
            let change = self.prepare(append, &head).await?;
            match self.calls.update(&Key::head(&lease.record), change).await {
                Ok(Written::Done(item)) => {
                    let now = Head::of(&item)?;
                    let parts = now.parts.clone();
                    if self.gave_sign(lease, now, began) {
                        self.note_stored(append).await;
                        if parts != head.parts {
                            self.clear_parts(&head, lease, parts.as_deref()).await;
                        }
                        return Ok(());
                    }
                    known = self.forget_head(lease);
                    patience.spend(|| too_late(&lease.record)).await?;
                }
                Ok(Written::Refused(item)) => {
                    if let Some(item) = item {
                        known = Some(self.with_parts(Head::of(&item)?).await?);
                    }
                    patience.spend(|| format!("another append to {} was faster", append.rollout)).await?;
                }
                Err(error) => patience.after(error).await?,
            }
        }
    }

    /// The write that appends what is not stored yet; everything that has to stand before it is written here.
    async fn prepare(&self, append: &Append<'_>, head: &Head) -> Result<Change, JournalError> {
        let same = head.rollout.as_ref() == Some(append.rollout);
        let end = if same { End::of(head) } else { self.end_of_another(append).await? };
        let rest = self.rest(append, &end).await?;
        if rest.is_empty() {
            // Everything is stored; that the lease is still ours must be seen all the same.
            return Ok(sign_of_life(append.lease));
        }
        if end.version == 0 {
            self.announce(append).await?;
        }
        let version = end.version + rest.len() as u64;
        let appended = if same && size(&end.tail) + size(rest) <= TAIL {
            sign_of_life(append.lease)
                .set(name::FIRST, n(end.first))
                .set(name::RECORDS, list(&[&end.tail, rest].concat()))
                .remove(name::PARTS)
        } else {
            self.move_tail(head).await?;
            self.new_tail(append, end.version + 1, rest).await?
        };
        let change = appended
            .set(name::ROLLOUT, s(append.rollout.as_str()))
            .set(name::VERSION, n(version))
            .only_if(name::VERSION, n(head.version));
        Ok(match &head.rollout {
            Some(rollout) => change.only_if(name::ROLLOUT, s(rollout.as_str())),
            None => change.only_if_absent(name::ROLLOUT),
        })
    }

    /// A tail of these records alone. One that is too large for the head is written down in parts first, under a name that is used for
    /// no others; they count once the head refers to them, and then all of them do.
    async fn new_tail(
        &self,
        append: &Append<'_>,
        first: u64,
        rest: &[String],
    ) -> Result<Change, JournalError> {
        let change = sign_of_life(append.lease).set(name::FIRST, n(first));
        if size(rest) <= BATCH {
            return Ok(change.set(name::RECORDS, list(rest)).remove(name::PARTS));
        }
        let parts = parts_name(append.lease.fence, self.appends.fetch_add(1, Ordering::Relaxed));
        for (first, part) in batches(first, rest)? {
            let key = Key::part(append.rollout, &parts, first);
            patiently(|| self.calls.write(&key, batch(first, part))).await?;
        }
        Ok(change.set(name::RECORDS, list(&[])).set(name::PARTS, s(parts)))
    }

    /// The records that are not stored yet. What is stored beyond `expected` must be what was to be appended: then an answer was lost.
    async fn rest<'a>(&self, append: &'a Append<'_>, end: &End) -> Result<&'a [String], JournalError> {
        let conflict = || JournalError::Conflict { expected: append.expected, found: end.version };
        if append.expected > end.version {
            return Err(conflict());
        }
        let beyond = match (append.expected + 1).checked_sub(end.first) {
            Some(start) => {
                let start = usize::try_from(start).unwrap_or(usize::MAX);
                end.tail.get(start..).ok_or_else(conflict)?.to_vec()
            }
            None => self.texts(append.rollout, append.expected, Some((end.first, &end.tail))).await?,
        };
        append.texts.strip_prefix(beyond.as_slice()).ok_or_else(conflict)
    }

    /// The end of a rollout whose records have left the head, or that has none.
    async fn end_of_another(&self, append: &Append<'_>) -> Result<End, JournalError> {
        let about = self.about(append.rollout).await?;
        if about.is_some_and(|record| record != append.lease.record) {
            return Err(elsewhere(append));
        }
        let version = self.latest_batch(append.rollout).await?.map_or(0, |batch| batch.last());
        Ok(End { version, first: version + 1, tail: Vec::new() })
    }

    /// Copies the records of the head to items of their own. A copy that is there and as long is not overwritten: whoever comes late has an
    /// older, shorter one.
    async fn move_tail(&self, head: &Head) -> Result<(), JournalError> {
        let Some(rollout) = &head.rollout else { return Ok(()) };
        for (first, texts) in batches(head.first, &head.tail)? {
            let (key, count) = (Key::batch(rollout, first), n(texts.len() as u64));
            let change = || batch(first, texts).only_if_new_or_below(name::COUNT, count.clone());
            patiently(|| self.calls.write(&key, change())).await?;
        }
        Ok(())
    }

    /// Deletes the parts of a rollout that nothing refers to any more: those of this holder and of earlier ones. Later ones are not ours
    /// to judge. If that fails, they stay, and do no harm.
    async fn clear_parts(&self, head: &Head, lease: &Lease, kept: Option<&str>) {
        let Some(rollout) = &head.rollout else { return };
        let sort = Sort::Between(
            Key::part(rollout, "", 0).sort,
            Key::part(rollout, &parts_name(lease.fence, u64::MAX), 0).sort,
        );
        let found = self.calls.query(&partition_of(rollout), &sort, Order::Ascending, None).await;
        for item in found.unwrap_or_default() {
            let Ok(sort) = text(&item, SORT_KEY) else { continue };
            if kept.is_some_and(|kept| sort.starts_with(&parts_prefix(kept))) {
                continue;
            }
            let key = Key { partition: partition_of(rollout), sort };
            if let Err(error) = self.calls.delete(&key).await {
                tracing::debug!(%rollout, %error, "a part was not deleted");
            }
        }
    }

    /// Writes down which record name a rollout belongs to, and its line of the history, before its first record is stored.
    async fn announce(&self, append: &Append<'_>) -> Result<(), JournalError> {
        let (rollout, record) = (append.rollout, append.lease.record.as_str());
        let about = Change::new().set(name::RECORD, s(record)).only_if_new_or(name::RECORD, s(record));
        let key = Key::about(rollout);
        if !patiently(|| self.calls.write(&key, about.clone())).await? {
            return Err(elsewhere(append));
        }
        let Some((key, line)) = history::line(append) else { return Ok(()) };
        patiently(|| self.calls.write(&key, line.clone())).await.map(drop)
    }

    /// Notes in the history that a rollout has its first record. Without the note a reader of the history looks for itself.
    async fn note_stored(&self, append: &Append<'_>) {
        if append.expected > 0 {
            return;
        }
        let Some((key, line)) = history::line(append) else { return };
        let noted = line.set(name::STORED, AttributeValue::Bool(true));
        if let Err(error) = self.calls.write(&key, noted).await {
            tracing::debug!(rollout = %append.rollout, %error, "the history was not updated");
        }
    }
}

impl End {
    fn of(head: &Head) -> Self {
        Self { version: head.version, first: head.first, tail: head.tail.clone() }
    }
}

fn elsewhere(append: &Append<'_>) -> JournalError {
    let (rollout, record) = (append.rollout, &append.lease.record);
    JournalError::Damaged(format!("the rollout {rollout} was begun under another record name than {record}"))
}

/// What the parts of one attempt are called; in the order of the holders.
fn parts_name(fence: FencingToken, attempt: u64) -> String {
    format!("{:020}.{attempt:020}", fence.0)
}

fn batch(first: u64, texts: &[String]) -> Change {
    Change::new()
        .set(name::FIRST, n(first))
        .set(name::COUNT, n(texts.len() as u64))
        .set(name::RECORDS, list(texts))
}

fn size(texts: &[String]) -> usize {
    texts.iter().map(String::len).sum()
}

/// Records in batches that fit into items, each with the number of its first one. The batches of more records begin at the same numbers.
fn batches(first: u64, texts: &[String]) -> Result<Vec<(u64, &[String])>, JournalError> {
    let (mut batches, mut rest, mut number) = (Vec::new(), texts, first);
    while !rest.is_empty() {
        let mut bytes = 0;
        let fit = rest.iter().take_while(|text| {
            bytes += text.len();
            bytes <= BATCH
        });
        let (batch, after) = rest.split_at(fit.count());
        if batch.is_empty() {
            return Err(JournalError::Damaged(format!(
                "record {number} has more than {BATCH} bytes, and fits into no item"
            )));
        }
        batches.push((number, batch));
        number += batch.len() as u64;
        rest = after;
    }
    Ok(batches)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_fit_and_begin_at_the_same_numbers_whatever_follows() {
        let texts: Vec<String> = (0..200).map(|number| "x".repeat(1000 + number * 50)).collect();
        let all = batches(11, &texts).unwrap();
        assert!(all.len() > 3 && all.iter().all(|(_, batch)| size(batch) <= BATCH));
        assert_eq!(all.iter().map(|(_, batch)| batch.len()).sum::<usize>(), texts.len());
        let some = batches(11, &texts[..150]).unwrap();
        let starts =
            |batches: &[(u64, &[String])]| batches.iter().map(|(first, _)| *first).collect::<Vec<_>>();
        assert!(starts(&all).starts_with(&starts(&some)));
    }

    #[test]
    fn a_record_that_fits_into_no_item_is_named() {
        let texts = ["x".to_owned(), "x".repeat(BATCH + 1)];
        let error = batches(5, &texts).unwrap_err().to_string();
        assert!(error.contains("record 6 has more than"), "{error}");
    }
}
