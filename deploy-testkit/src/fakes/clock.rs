//! A clock that a test moves.

use std::time::Duration;

use async_trait::async_trait;
use mpac_deploy_core::port::Clock;
use mpac_deploy_core::time::Timestamp;
use tokio::sync::watch;

/// A clock that stands still until a test moves it; whoever waits for a time wakes when it has come.
#[derive(Debug)]
pub struct FakeClock {
    now: watch::Sender<Timestamp>,
}

impl FakeClock {
    /// A clock that shows this time.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self { now: watch::Sender::new(now) }
    }

    /// Moves the clock on.
    pub fn advance(&self, by: Duration) {
        self.now.send_modify(|now| *now = now.after(by));
    }

    /// Sets the clock, back as well as ahead.
    pub fn set(&self, now: Timestamp) {
        self.now.send_replace(now);
    }
}

#[async_trait]
impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        *self.now.borrow()
    }

    async fn sleep_until(&self, time: Timestamp) {
        let mut now = self.now.subscribe();
        // The sender lives as long as we do.
        drop(now.wait_for(|now| *now >= time).await);
    }
}
