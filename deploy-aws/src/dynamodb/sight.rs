//! What this process has seen of the leases of others, by its own monotonic clock.
//!
//! No clock of another machine is trusted, and no time is compared with one from elsewhere: a lease is over when its holder has given
//! no sign of life for as long as it said it would, counted here from the moment at which its latest sign was read.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mpac_deploy_core::ids::RecordName;
use tokio::time::Instant;

use super::item::Head;

/// The latest sign of life of each lease.
#[derive(Debug, Default)]
pub(super) struct Sights(Mutex<HashMap<RecordName, Sight>>);

#[derive(Clone, Copy, Debug)]
struct Sight {
    fence: u64,
    beat: u64,
    /// When this sign of life was first seen; not before it was given.
    since: Instant,
    /// Whether the holder was seen to give one, and not only to have given one at some time.
    alive: bool,
}

/// How a lease of somebody else stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Its time is over.
    Over,
    /// Its holder lives, or did a moment ago.
    Alive,
    /// Nobody here has seen it before: its holder may be gone for days. It is over after this time without a sign of life.
    Unknown(Duration),
}

impl Sights {
    /// Somebody else's lease was read.
    pub(super) fn look(&self, record: &RecordName, head: &Head) -> Standing {
        let now = Instant::now();
        let mut sights = self.sights();
        let new = Sight { fence: head.fence, beat: head.beat, since: now, alive: false };
        let sight = sights.entry(record.clone()).or_insert(new);
        if sight.fence != head.fence {
            *sight = new;
        } else if sight.beat != head.beat {
            *sight = Sight { alive: true, ..new };
        }
        let left = head.ttl.saturating_sub(now.duration_since(sight.since));
        if left.is_zero() {
            Standing::Over
        } else if sight.alive {
            Standing::Alive
        } else {
            Standing::Unknown(left)
        }
    }

    /// This process has given a sign of life for a lease of its own.
    pub(super) fn gave(&self, record: &RecordName, head: &Head) {
        let sight = Sight { fence: head.fence, beat: head.beat, since: Instant::now(), alive: true };
        self.sights().insert(record.clone(), sight);
    }

    fn sights(&self) -> MutexGuard<'_, HashMap<RecordName, Sight>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Duration = Duration::from_secs(30);

    fn head(fence: u64, beat: u64) -> Head {
        Head {
            holder: Some("other".into()),
            fence,
            beat,
            ttl: TTL,
            rollout: None,
            version: 0,
            first: 1,
            tail: Vec::new(),
            parts: None,
        }
    }

    async fn pass(seconds: u64) {
        tokio::time::advance(Duration::from_secs(seconds)).await;
    }

    fn record() -> RecordName {
        RecordName::from("api.example.com")
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_without_a_sign_of_life_is_over_after_its_time() {
        let sights = Sights::default();
        assert_eq!(sights.look(&record(), &head(1, 1)), Standing::Unknown(TTL));
        pass(29).await;
        assert_eq!(sights.look(&record(), &head(1, 1)), Standing::Unknown(Duration::from_secs(1)));
        pass(1).await;
        assert_eq!(sights.look(&record(), &head(1, 1)), Standing::Over);
    }

    #[tokio::test(start_paused = true)]
    async fn a_sign_of_life_begins_the_time_anew() {
        let sights = Sights::default();
        sights.look(&record(), &head(1, 1));
        pass(29).await;
        assert_eq!(sights.look(&record(), &head(1, 2)), Standing::Alive);
        pass(29).await;
        assert_eq!(sights.look(&record(), &head(1, 2)), Standing::Alive);
        pass(1).await;
        assert_eq!(sights.look(&record(), &head(1, 2)), Standing::Over);
    }

    #[tokio::test(start_paused = true)]
    async fn another_holder_is_another_lease() {
        let sights = Sights::default();
        sights.look(&record(), &head(1, 1));
        pass(40).await;
        assert_eq!(sights.look(&record(), &head(2, 1)), Standing::Unknown(TTL));
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_of_this_process_is_known() {
        let sights = Sights::default();
        sights.gave(&record(), &head(1, 1));
        assert_eq!(sights.look(&record(), &head(1, 1)), Standing::Alive);
        pass(30).await;
        assert_eq!(sights.look(&record(), &head(1, 1)), Standing::Over);
    }
}
