//! Who may write.

use std::time::Duration;

use mpac_deploy_core::ids::RecordName;
use mpac_deploy_core::port::{JournalError, Lease};
use tokio::time::Instant;

use super::DynamoJournal;
use super::calls::Written;
use super::change::Change;
use super::item::{Head, list, n, name, s};
use super::keys::Key;
use super::patience::Patience;
use super::sight::Standing;
use super::table::PARTITION_KEY;

/// How long a watched lease is left alone between two looks at it.
const LOOK: Duration = Duration::from_secs(2);

impl DynamoJournal {
    pub(super) async fn take_lease(
        &self,
        record: &RecordName,
        holder: &str,
        ttl: Duration,
    ) -> Result<Lease, JournalError> {
        let mut patience = Patience::default();
        let watch_until = Instant::now() + self.config.watch;
        loop {
            let began = Instant::now();
            let head = self.head(record).await?;
            if let Some(head) = &head {
                self.wait_for(record, holder, head, watch_until).await?;
            }
            match self.calls.update(&Key::head(record), taken(head.as_ref(), holder, ttl)).await {
                Ok(Written::Done(item)) => {
                    let head = Head::of(&item)?;
                    let lease = Lease { record: record.clone(), holder: holder.into(), fence: head.token() };
                    if self.gave_sign(&lease, head, began) {
                        return Ok(lease);
                    }
                    patience.spend(|| too_late(record)).await?;
                }
                // Somebody else was faster, or gave a sign of life at the last moment: that is seen by the next look.
                Ok(Written::Refused(_)) => patience.spend(|| contended(record)).await?,
                Err(error) => patience.after(error).await?,
            }
        }
    }

    /// Returns once a lease may be taken from its holder.
    async fn wait_for(
        &self,
        record: &RecordName,
        holder: &str,
        head: &Head,
        watch_until: Instant,
    ) -> Result<(), JournalError> {
        let Some(by) = head.holder.as_ref().filter(|by| *by != holder) else { return Ok(()) };
        let held = || JournalError::Held { record: record.clone(), by: by.clone() };
        let mut standing = self.sights.look(record, head);
        loop {
            let left = match standing {
                Standing::Over => return Ok(()),
                Standing::Alive => return Err(held()),
                Standing::Unknown(left) => left,
            };
            let pause = left.min(LOOK);
            if Instant::now() + pause > watch_until {
                return Err(held());
            }
            tokio::time::sleep(pause).await;
            let Some(now) = self.head(record).await? else { return Ok(()) };
            if now.holder.as_ref() != Some(by) {
                // It was given up, or it is another one's: the caller looks anew.
                return Ok(());
            }
            standing = self.sights.look(record, &now);
        }
    }

    pub(super) async fn prolong(&self, lease: &Lease, ttl: Duration) -> Result<(), JournalError> {
        let mut patience = Patience::default();
        loop {
            let began = Instant::now();
            let change = sign_of_life(lease).set(name::TTL, n(millis(ttl)));
            match self.calls.update(&Key::head(&lease.record), change).await {
                Ok(Written::Done(item)) => {
                    if self.gave_sign(lease, Head::of(&item)?, began) {
                        return Ok(());
                    }
                    patience.spend(|| too_late(&lease.record)).await?;
                }
                Ok(Written::Refused(_)) => return Err(JournalError::LeaseLost),
                Err(error) => patience.after(error).await?,
            }
        }
    }

    pub(super) async fn give_up(&self, lease: &Lease) -> Result<(), JournalError> {
        self.forget_head(lease);
        let mut patience = Patience::default();
        let mut unsure = false;
        loop {
            match self.calls.update(&Key::head(&lease.record), sign_of_life(lease).remove(name::HOLDER)).await
            {
                Ok(Written::Done(_)) => return Ok(()),
                Ok(Written::Refused(_)) if unsure => {
                    // An earlier attempt without an answer may have done it.
                    let head = self.head(&lease.record).await?;
                    let ours = head.is_some_and(|head| head.token() == lease.fence && head.holder.is_none());
                    return if ours { Ok(()) } else { Err(JournalError::LeaseLost) };
                }
                Ok(Written::Refused(_)) => return Err(JournalError::LeaseLost),
                Err(error) => {
                    unsure |= !error.did_nothing();
                    patience.after(error).await?;
                }
            }
        }
    }

    /// This process's own sign of life was taken. It counts only while the lease, by our own clock and from before the call on, has
    /// not run out: a process that was stopped while it waited for the answer may have been overtaken since.
    pub(super) fn gave_sign(&self, lease: &Lease, head: Head, began: Instant) -> bool {
        self.sights.gave(&lease.record, &head);
        let counts = began.elapsed() < head.ttl;
        // Of a tail in parts, an answer knows nothing.
        if head.parts.is_none() {
            self.keep_head(&lease.record, head);
        }
        counts
    }
}

/// What every write of a holder is: a sign of life, on the condition that the lease is still its own.
pub(super) fn sign_of_life(lease: &Lease) -> Change {
    Change::new()
        .count_up(name::BEAT)
        .only_if(name::FENCE, n(lease.fence.0))
        .only_if(name::HOLDER, s(&lease.holder))
}

/// The lease goes to a new holder, if it still is as it was seen.
fn taken(seen: Option<&Head>, holder: &str, ttl: Duration) -> Change {
    let change = Change::new().set(name::HOLDER, s(holder)).set(name::TTL, n(millis(ttl)));
    match seen {
        Some(head) => change
            .set(name::FENCE, n(head.fence + 1))
            .set(name::BEAT, n(head.beat + 1))
            .only_if(name::FENCE, n(head.fence))
            .only_if(name::BEAT, n(head.beat)),
        None => change
            .set(name::FENCE, n(1))
            .set(name::BEAT, n(1))
            .set(name::VERSION, n(0))
            .set(name::FIRST, n(1))
            .set(name::RECORDS, list(&[]))
            .only_if_absent(PARTITION_KEY),
    }
}

fn millis(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX)
}

pub(super) fn too_late(record: &RecordName) -> String {
    format!("the lease on {record} runs out before the table answers")
}

fn contended(record: &RecordName) -> String {
    format!("the lease on {record} changes hands faster than it can be taken")
}
