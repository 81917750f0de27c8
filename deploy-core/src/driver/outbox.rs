//! A bounded queue before a notifier, so that nothing waits for whoever is told.
//!
//! ```rust
//! use std::sync::Arc;
//!
//! use mpac_deploy_core::driver::{Outbox, OutboxLimits};
//! use mpac_deploy_core::port::{Clock, Notify};
//!
//! /// A notifier for [`Ports`](mpac_deploy_core::driver::Ports) that takes every notice at once, whatever becomes of `slow`.
//! fn queued(slow: Arc<dyn Notify>, clock: Arc<dyn Clock>) -> Arc<Outbox> {
//!     let outbox = Arc::new(Outbox::new(slow, clock, OutboxLimits::default()));
//!     let postman = Arc::clone(&outbox);
//!     tokio::spawn(async move { postman.deliver().await });
//!     outbox // `outbox.finish(..)` before the program ends
//! }
//! ```

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::ToString;
use alloc::sync::Arc;
use core::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

use super::gauge;
use crate::decision::Decision;
use crate::ids::RolloutId;
use crate::port::{Clock, Notify, PortError};

/// How much an [`Outbox`] holds, and how hard it tries.
#[derive(Clone, Copy, Debug)]
pub struct OutboxLimits {
    /// Notices that wait at most. A rollout has some twenty; what is beyond this belongs to an outage of hours.
    pub waiting: usize,
    /// How long one attempt may take.
    pub patience: Duration,
    /// How often one notice is tried.
    pub attempts: u32,
    /// The wait before the second attempt; it doubles from one attempt to the next.
    pub backoff: Duration,
    /// The longest wait between two attempts.
    pub backoff_limit: Duration,
}

impl Default for OutboxLimits {
    /// 256 notices of a few hundred bytes; ten seconds, in which any service answers that works; eight attempts over some four minutes,
    /// longer than a restart of the receiver takes.
    fn default() -> Self {
        Self {
            waiting: 256,
            patience: Duration::from_secs(10),
            attempts: 8,
            backoff: Duration::from_secs(1),
            backoff_limit: Duration::from_secs(60),
        }
    }
}

/// The queue. It takes each notice at once, and [`deliver`](Self::deliver) tells them one after the other, in their order.
///
/// Where it is full the oldest of the least urgent notices is dropped, the new one included: a rollback's is not lost to a hundred retries'.
/// Each notice that nobody is told of is said in a `notice dropped` event and counted by [`dropped`](Self::dropped); the journal has its decision.
pub struct Outbox {
    to: Arc<dyn Notify>,
    clock: Arc<dyn Clock>,
    limits: OutboxLimits,
    queue: watch::Sender<Queue>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Notice>,
    /// Whether one more is being told.
    is_telling: bool,
    dropped: u64,
}

#[derive(Clone)]
struct Notice {
    rollout: RolloutId,
    decision: Decision,
}

impl Outbox {
    /// A queue before a notifier, empty.
    #[must_use]
    pub fn new(to: Arc<dyn Notify>, clock: Arc<dyn Clock>, limits: OutboxLimits) -> Self {
        Self { to, clock, limits, queue: watch::Sender::new(Queue::default()) }
    }

    /// Tells what waits, and what comes, for as long as it is polled. Run it once, beside the drivers and not in them.
    pub async fn deliver(&self) {
        let mut changes = self.queue.subscribe();
        loop {
            let notice = self.next();
            let Some(notice) = notice else {
                // We hold a sender ourselves, so that this wakes.
                if changes.changed().await.is_err() {
                    return;
                }
                continue;
            };
            let told = self.tell(&notice).await;
            if let Err(error) = &told {
                say_dropped(&notice.rollout, &notice.decision, &error.to_string());
            }
            self.queue.send_modify(|queue| {
                queue.dropped += u64::from(told.is_err());
                queue.is_telling = false;
            });
        }
    }

    /// Waits until everything was told or dropped, at most so long, and says how many notices are left untold.
    pub async fn finish(&self, within: Duration) -> usize {
        let mut changes = self.queue.subscribe();
        let until = self.clock.now().after(within);
        let all_told = async { drop(changes.wait_for(|queue| queue.untold() == 0).await) };
        tokio::select! {
            biased;
            () = all_told => {}
            () = self.clock.sleep_until(until) => {}
        }
        self.queue.borrow().untold()
    }

    /// How many notices nobody was told of, since it was made.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.queue.borrow().dropped
    }

    fn next(&self) -> Option<Notice> {
        let mut next = None;
        self.queue.send_if_modified(|queue| {
            next = queue.waiting.pop_front();
            queue.is_telling = next.is_some();
            false
        });
        next
    }

    /// Attempts until one succeeds, or none can.
    async fn tell(&self, notice: &Notice) -> Result<(), PortError> {
        let mut attempt = 1;
        loop {
            let until = self.clock.now().after(self.limits.patience);
            let told = tokio::select! {
                biased;
                told = self.to.notify(&notice.rollout, &notice.decision) => told,
                () = self.clock.sleep_until(until) => Err(PortError::Unavailable("no answer in time".into())),
            };
            match told {
                Err(PortError::Unavailable(why)) if attempt < self.limits.attempts => {
                    tracing::debug!(rollout = %notice.rollout, attempt, why, "notice not told");
                }
                told => return told,
            }
            self.clock.sleep_until(self.clock.now().after(self.wait_after(attempt, notice))).await;
            attempt += 1;
        }
    }

    /// Between half and the whole of a wait that doubles. Which part is drawn from the notice: the senders of many rollouts spread out, and
    /// a simulation can be repeated.
    fn wait_after(&self, attempt: u32, notice: &Notice) -> Duration {
        let doubled = self.limits.backoff.saturating_mul(1 << (attempt - 1).min(16));
        let whole = doubled.min(self.limits.backoff_limit);
        let text = notice.rollout.as_str().bytes().chain(notice.decision.at.as_millis().to_le_bytes());
        whole / 2 + whole / 2 * (hash(text.chain(attempt.to_le_bytes())) % 1024) / 1024
    }
}

#[async_trait]
impl Notify for Outbox {
    /// Takes the notice at once; [`PortError::Unavailable`] when there is no room for it.
    async fn notify(&self, rollout: &RolloutId, decision: &Decision) -> Result<(), PortError> {
        let notice = Notice { rollout: rollout.clone(), decision: decision.clone() };
        let mut dropped = None;
        self.queue.send_modify(|queue| dropped = queue.put(notice, self.limits.waiting));
        let Some((lost, is_new)) = dropped else { return Ok(()) };
        let why = "too many notices wait already";
        say_dropped(&lost.rollout, &lost.decision, why);
        if is_new { Err(PortError::Unavailable(why.into())) } else { Ok(()) }
    }
}

impl Queue {
    fn untold(&self) -> usize {
        self.waiting.len() + usize::from(self.is_telling)
    }

    /// Takes a notice in; what had to go for it, and whether that is the new one itself.
    fn put(&mut self, notice: Notice, limit: usize) -> Option<(Notice, bool)> {
        self.waiting.push_back(notice);
        if self.waiting.len() <= limit {
            return None;
        }
        let urgency = |(_, notice): &(usize, &Notice)| notice.decision.severity();
        let index = self.waiting.iter().enumerate().min_by_key(urgency).map(|(index, _)| index)?;
        self.dropped += 1;
        self.waiting.remove(index).map(|lost| (lost, index == self.waiting.len()))
    }
}

/// Nobody is told of a decision: the log says of which one.
pub(super) fn say_dropped(rollout: &RolloutId, decision: &Decision, why: &str) {
    gauge::notice_dropped(decision);
    tracing::warn!(%rollout, kind = decision.kind.as_str(), reason = decision.reason, why, "notice dropped");
}

/// FNV-1a: short, and the same everywhere. Nothing here needs to be unguessable.
fn hash(bytes: impl Iterator<Item = u8>) -> u32 {
    bytes.fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
