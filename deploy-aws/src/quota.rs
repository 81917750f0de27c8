//! The account's limit of calls.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[cfg(any(feature = "alb", feature = "route53"))]
use mpac_deploy_core::effect::Direction;
use tokio::time::Instant;

/// A token bucket for the calls to one service of one account. A clone is the same bucket: hand one to every adapter of the account.
///
/// Calls forward wait for a token, in the order in which they came. A rollback does not wait: it goes past the queue and runs into debt,
/// which the calls after it wait for.
#[derive(Clone, Debug)]
pub struct Quota(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    per_second: f64,
    burst: f64,
    bucket: Mutex<Bucket>,
    /// Held while waiting, so that whoever came first is first; tokio's lock is fair.
    queue: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Bucket {
    /// Below 0 is a debt of calls that did not wait.
    tokens: f64,
    filled: Instant,
}

/// How a call stands to the account's limit.
#[cfg(any(feature = "alb", feature = "route53"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// It waits.
    Queue,
    /// It does not.
    GoPast,
}

#[cfg(any(feature = "alb", feature = "route53"))]
impl Pace {
    pub(crate) const fn of(direction: Direction) -> Self {
        match direction {
            Direction::Forward => Self::Queue,
            Direction::Back => Self::GoPast,
        }
    }
}

impl Quota {
    /// A full bucket of `burst` calls that `per_second` calls flow into. Both are at least 1.
    #[must_use]
    pub fn new(per_second: u32, burst: u32) -> Self {
        let (per_second, burst) = (f64::from(per_second.max(1)), f64::from(burst.max(1)));
        Self(Arc::new(Shared {
            per_second,
            burst,
            bucket: Mutex::new(Bucket { tokens: burst, filled: Instant::now() }),
            queue: tokio::sync::Mutex::default(),
        }))
    }

    /// The limit of Route 53's API for an account: 10 calls a second, 50 at once.
    #[must_use]
    pub fn route53() -> Self {
        Self::new(10, 50)
    }

    /// The limit of the load balancers' API for an account and region: 10 calls a second, 40 at once.
    #[must_use]
    pub fn load_balancing() -> Self {
        Self::new(10, 40)
    }

    /// The limit of `GetMetricData` for an account and region: 50 calls a second.
    #[must_use]
    pub fn cloudwatch() -> Self {
        Self::new(50, 50)
    }

    /// The limit of ECS's API for an account and region: 20 readings a second, 50 at once, of the resources that are read most. Changes have
    /// less, but a rollout makes a handful.
    #[must_use]
    pub fn ecs() -> Self {
        Self::new(20, 50)
    }

    /// Takes a call's place in the limit.
    #[cfg(any(feature = "alb", feature = "route53"))]
    pub(crate) async fn turn(&self, pace: Pace) {
        match pace {
            Pace::Queue => self.wait().await,
            Pace::GoPast => self.go_past(),
        }
    }

    /// Waits for a token and takes it.
    pub async fn wait(&self) {
        let _turn = self.0.queue.lock().await;
        while let Err(missing) = self.try_take() {
            tokio::time::sleep(missing).await;
        }
    }

    /// Takes a token at once, whether there is one or not.
    pub fn go_past(&self) {
        let mut bucket = self.filled();
        // A debt has a limit, too: what AWS has refused was no use of the limit.
        bucket.tokens = (bucket.tokens - 1.0).max(-self.0.burst);
    }

    /// Takes a token, or says how long it takes until there is one.
    fn try_take(&self) -> Result<(), Duration> {
        let mut bucket = self.filled();
        if bucket.tokens >= 1.0 {
            bucket.tokens -= 1.0;
            return Ok(());
        }
        let missing = (1.0 - bucket.tokens) / self.0.per_second;
        // A timer is no finer than a millisecond, and must not wake early.
        Err(Duration::from_secs_f64(missing) + Duration::from_millis(1))
    }

    fn filled(&self) -> MutexGuard<'_, Bucket> {
        let mut bucket = self.0.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let flowed = now.duration_since(bucket.filled).as_secs_f64() * self.0.per_second;
        bucket.tokens = (bucket.tokens + flowed).min(self.0.burst);
        bucket.filled = now;
        bucket
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn seconds_for(quota: &Quota, calls: u32) -> f64 {
        let start = Instant::now();
        for _ in 0..calls {
            quota.wait().await;
        }
        start.elapsed().as_secs_f64()
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_free_and_then_the_refill_sets_the_pace() {
        let quota = Quota::route53();
        assert!(seconds_for(&quota, 50).await < 0.001);
        let next = seconds_for(&quota, 100).await;
        assert!((9.9..10.3).contains(&next), "{next}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_clone_is_the_same_bucket() {
        let quota = Quota::new(1, 2);
        quota.clone().wait().await;
        quota.wait().await;
        assert!(seconds_for(&quota.clone(), 1).await >= 1.0);
    }

    #[tokio::test(start_paused = true)]
    async fn going_past_does_not_wait_and_is_paid_back_by_those_after_it() {
        let quota = Quota::new(1, 1);
        quota.wait().await;
        quota.go_past();
        quota.go_past();
        let later = seconds_for(&quota, 1).await;
        assert!(later < 2.1, "the debt is limited to a burst: {later}");
        assert!(later >= 2.0, "{later}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_waiting_call_that_is_dropped_takes_nothing() {
        let quota = Quota::new(1, 1);
        quota.wait().await;
        assert!(tokio::time::timeout(Duration::from_millis(500), quota.wait()).await.is_err());
        assert!(seconds_for(&quota, 1).await < 0.6);
    }
}
