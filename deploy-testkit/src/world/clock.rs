//! Virtual time: the port's clock on tokio's.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mpac_deploy_core::port::Clock;
use mpac_deploy_core::time::Timestamp;
use tokio::time::Instant;

/// A clock that starts at a fixed time and runs on tokio's clock: virtual where that one is paused, and faster than real
/// time by a factor where it is not.
///
/// Two clocks of one world may differ: a wall clock jumps, the world's own does not.
#[derive(Clone, Debug)]
pub struct SimClock {
    epoch: Timestamp,
    start: Instant,
    speed: u32,
    jumps: Arc<[Jump]>,
}

/// A jump of a wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jump {
    /// When it happens, from the clock's start.
    pub at: Duration,
    /// How far it goes, in milliseconds; backwards if negative.
    pub by_millis: i64,
}

impl SimClock {
    /// A clock that shows `epoch` now and runs `speed` times as fast as tokio's (at least once).
    #[must_use]
    pub fn new(epoch: Timestamp, speed: u32) -> Self {
        Self { epoch, start: Instant::now(), speed: speed.max(1), jumps: Arc::from([]) }
    }

    /// The same clock, but one that jumps.
    #[must_use]
    pub fn with_jumps(&self, jumps: &[Jump]) -> Self {
        Self { jumps: Arc::from(jumps), ..self.clone() }
    }

    /// The time that has passed since the start; it never jumps.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed().saturating_mul(self.speed)
    }

    /// Waits a while by this clock's pace.
    pub async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration / self.speed).await;
    }
}

#[async_trait]
impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        let elapsed = self.elapsed();
        let jumped: i64 =
            self.jumps.iter().filter(|jump| jump.at <= elapsed).map(|jump| jump.by_millis).sum();
        let steady = self.epoch.after(elapsed).as_millis();
        Timestamp::from_millis(steady.saturating_add(jumped))
    }

    async fn sleep_until(&self, time: Timestamp) {
        let left = time.since(self.now());
        if !left.is_zero() {
            // As coarse as a timer, so that a rounding of the pace does not wake early.
            self.sleep(left.max(Duration::from_millis(u64::from(self.speed)))).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPOCH: i64 = 1_769_590_800;

    #[tokio::test(start_paused = true)]
    async fn it_wakes_at_the_time_and_not_before() {
        let clock = SimClock::new(Timestamp::from_secs(EPOCH), 1);
        let until = Timestamp::from_secs(EPOCH + 90);
        clock.sleep_until(until).await;
        assert_eq!(clock.now(), until);
    }

    #[tokio::test(start_paused = true)]
    async fn a_faster_clock_waits_less() {
        let clock = SimClock::new(Timestamp::from_secs(EPOCH), 60);
        let before = Instant::now();
        clock.sleep_until(Timestamp::from_secs(EPOCH + 60)).await;
        assert_eq!(before.elapsed(), Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_jump_changes_what_it_shows_and_not_how_long_a_sleep_is() {
        let steady = SimClock::new(Timestamp::from_secs(EPOCH), 1);
        let wall = steady.with_jumps(&[Jump { at: Duration::from_secs(10), by_millis: -30_000 }]);
        wall.sleep_until(Timestamp::from_secs(EPOCH + 20)).await;
        assert_eq!(steady.elapsed(), Duration::from_secs(20));
        assert_eq!(wall.now(), Timestamp::from_secs(EPOCH - 10));
    }
}
