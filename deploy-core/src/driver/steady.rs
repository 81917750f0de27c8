//! A clock that never goes back (semantics 1.4).
//!
//! The machine clamps a time that goes backwards to the latest one seen. A driver that then waited for the wall clock to
//! catch up would watch nothing for as long as the jump was wide. So it goes on from the latest time at the pace of the
//! clock: a jump back costs at most the wait during which it came.

use alloc::sync::Arc;
use core::time::Duration;

use crate::port::Clock;
use crate::time::Timestamp;

pub(super) struct SteadyClock {
    clock: Arc<dyn Clock>,
    latest: Timestamp,
    /// How far the clock has jumped back in all.
    behind: Duration,
}

impl SteadyClock {
    pub(super) fn new(clock: Arc<dyn Clock>, not_before: Timestamp) -> Self {
        let mut steady = Self { clock, latest: not_before, behind: Duration::ZERO };
        steady.now();
        steady
    }

    pub(super) fn now(&mut self) -> Timestamp {
        let time = self.clock.now().after(self.behind);
        if time < self.latest {
            self.behind += self.latest.since(time);
        } else {
            self.latest = time;
        }
        self.latest
    }

    /// Waits until about a time; an early return is harmless, since the driver looks at the time again.
    pub(super) fn sleep_until(&self, time: Timestamp) -> impl Future<Output = ()> + use<> {
        let clock = Arc::clone(&self.clock);
        let behind = i64::try_from(self.behind.as_millis()).unwrap_or(i64::MAX);
        let time = Timestamp::from_millis(time.as_millis().saturating_sub(behind));
        async move { clock.sleep_until(time).await }
    }
}

#[cfg(test)]
mod tests {
    use core::sync::atomic::{AtomicI64, Ordering};

    use alloc::boxed::Box;

    use super::*;

    /// Shows what it is set to.
    #[derive(Default)]
    struct SetClock(AtomicI64);

    #[async_trait::async_trait]
    impl Clock for SetClock {
        fn now(&self) -> Timestamp {
            Timestamp::from_secs(self.0.load(Ordering::SeqCst))
        }

        async fn sleep_until(&self, _: Timestamp) {}
    }

    #[test]
    fn a_jump_back_is_gone_on_from_at_the_pace_of_the_clock() {
        let set = Arc::new(SetClock::default());
        let mut steady = SteadyClock::new(set.clone(), Timestamp::MIN);
        for (shows, is) in [(1000, 1000), (400, 1000), (460, 1060), (450, 1060), (500, 1110), (9000, 9610)] {
            set.0.store(shows, Ordering::SeqCst);
            assert_eq!(steady.now(), Timestamp::from_secs(is), "where the clock shows {shows}");
        }
    }
}
