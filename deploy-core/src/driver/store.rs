//! The driver's side of the journal, the lease and the notices.

use alloc::string::ToString;
use alloc::sync::Arc;
use core::sync::atomic::Ordering;
use core::time::Duration;

use futures::FutureExt;

use super::outbox::say_dropped;
use super::{Driver, DriverError, gauge};
use crate::decision::Decision;
use crate::journal::Snapshot;
use crate::port::JournalError;
use crate::time::Timestamp;

/// The time that the store has to take a record before effects that need not wait for it go ahead. The strategy promises a rollback within
/// 30 to 60 seconds, most of which is the record's TTL.
const STORE_PATIENCE: Duration = Duration::from_secs(2);

/// The pause between two attempts to store a backlog.
const STORE_PAUSE: Duration = Duration::from_secs(5);

/// Records from one snapshot to the next. Reading and replaying so many takes well under a millisecond, about as long as restoring a
/// snapshot; a healthy rollout keeps eight.
const SNAPSHOT_EVERY: u64 = 256;

/// The time that a notice has; a hanging notifier holds nothing up and is let go after this.
const NOTICE_PATIENCE: Duration = Duration::from_secs(10);

/// Notices under way at once; beyond that they are dropped, and the journal still holds the decision.
const NOTICES_AT_ONCE: usize = 256;

impl Driver {
    /// Stores the backlog. An unreachable store is no error: it is tried again later, and what must wait for it waits.
    pub(super) async fn store(&mut self) -> Result<(), DriverError> {
        if self.backlog.is_empty() {
            return Ok(());
        }
        let append = self.ports.journal.append(&self.lease, self.rollout.id(), self.stored, &self.backlog);
        let began = self.clock.now();
        let until = began.after(STORE_PATIENCE);
        let patience = self.clock.sleep_until(until);
        let result = tokio::select! {
            biased;
            result = append => result,
            () = patience => Err(JournalError::Unavailable("no answer in time".into())),
        };
        gauge::call("append-records", result.is_ok(), self.clock.now().since(began));
        gauge::backlog(&self.rollout, if result.is_ok() { 0 } else { self.backlog.len() });
        match result {
            Ok(()) => {
                self.stored += self.backlog.len() as u64;
                self.backlog.clear();
                self.is_stored.store(true, Ordering::SeqCst);
                self.keep_snapshot();
                for effect in core::mem::take(&mut self.waiting) {
                    self.grant_time(effect.id.clone());
                    self.spawn(effect);
                }
                Ok(())
            }
            Err(JournalError::Unavailable(why)) => {
                tracing::warn!(rollout = %self.rollout.id(), backlog = self.backlog.len(), why, "journal unavailable");
                self.store_again_at = self.clock.now().after(STORE_PAUSE);
                Ok(())
            }
            Err(error) => Err(self.give_up(error)),
        }
    }

    /// Keeps a snapshot beside the journal now and then, and one of the end. Nothing waits for it, and the next one does as well.
    fn keep_snapshot(&mut self) {
        let is_due = self.stored >= self.snapshot + SNAPSHOT_EVERY || self.rollout.outcome().is_some();
        let Some(snapshot) = is_due.then(|| Snapshot::take(&self.rollout, self.stored)).flatten() else {
            return;
        };
        self.snapshot = self.stored;
        let (journal, lease) = (Arc::clone(&self.ports.journal), self.lease.clone());
        let (rollout, until) = (self.rollout.id().clone(), self.clock.now().after(STORE_PATIENCE));
        let patience = self.clock.sleep_until(until);
        let keep = async move {
            tokio::select! {
                biased;
                kept = journal.keep(&lease, &rollout, &snapshot) => if let Err(error) = kept {
                    tracing::warn!(%rollout, %error, "snapshot not kept");
                },
                () = patience => tracing::warn!(%rollout, error = "no answer in time", "snapshot not kept"),
            }
        };
        self.notices.push(keep.boxed());
    }

    pub(super) async fn renew_lease(&mut self, now: Timestamp) -> Result<(), DriverError> {
        self.renew_at = now.after(self.options.lease_ttl / 3);
        let renew = self.ports.journal.renew(&self.lease, self.options.lease_ttl);
        let patience = self.clock.sleep_until(now.after(STORE_PATIENCE));
        let result = tokio::select! {
            biased;
            result = renew => result,
            () = patience => Err(JournalError::Unavailable("no answer in time".into())),
        };
        gauge::call("renew-lease", result.is_ok(), self.clock.now().since(now));
        match result {
            Ok(()) => Ok(()),
            Err(JournalError::Unavailable(why)) => {
                tracing::warn!(rollout = %self.rollout.id(), why, "lease not renewed");
                Ok(())
            }
            Err(error) => Err(self.give_up(error)),
        }
    }

    /// Without the lease nothing has an effect any more: whatever runs is cancelled.
    fn give_up(&mut self, error: JournalError) -> DriverError {
        tracing::error!(rollout = %self.rollout.id(), %error, "stopped");
        self.aborts.values().for_each(futures::future::AbortHandle::abort);
        self.running.clear();
        error.into()
    }

    pub(super) fn tell(&mut self, decision: Decision) {
        tracing::info!(
            rollout = %self.rollout.id(),
            kind = decision.kind.as_str(),
            stage = decision.stage.as_deref().unwrap_or_default(),
            rule = decision.rule.as_deref().unwrap_or_default(),
            reason = decision.reason,
            "decision"
        );
        if self.notices.len() >= NOTICES_AT_ONCE {
            return say_dropped(self.rollout.id(), &decision, "too many notices under way");
        }
        let (notify, rollout) = (Arc::clone(&self.ports.notify), self.rollout.id().clone());
        let until = self.clock.now().after(NOTICE_PATIENCE);
        let patience = self.clock.sleep_until(until);
        let notice = async move {
            tokio::select! {
                biased;
                told = notify.notify(&rollout, &decision) => if let Err(error) = told {
                    say_dropped(&rollout, &decision, &error.to_string());
                },
                () = patience => say_dropped(&rollout, &decision, "it took too long and was let go"),
            }
        };
        self.notices.push(notice.boxed());
    }
}
