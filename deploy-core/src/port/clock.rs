#![allow(clippy::disallowed_types, reason = "this is the one place that reads the wall clock")]

use alloc::boxed::Box;
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;

use crate::time::Timestamp;

/// The only way to know the time.
///
/// Contract: `sleep_until` returns at once if `now` is at or after the time given, and else after about the time that is left; `now`
/// may jump, and the driver copes with it.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Clock: Send + Sync {
    /// The time.
    fn now(&self) -> Timestamp;

    /// Waits.
    async fn sleep_until(&self, time: Timestamp);
}

/// The machine's wall clock. Its jumps are caught by the machine, which never lets time go backwards (semantics 1.4).
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the one place that reads the wall clock")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    #[allow(clippy::disallowed_methods, reason = "the driver's side of the ports is where waiting happens")]
    async fn sleep_until(&self, time: Timestamp) {
        tokio::time::sleep(time.since(self.now())).await;
    }
}
