//! Shows virtual time at a pace for eyes.

use std::thread;
use std::time::{Duration, Instant};

use mpac_deploy_core::time::Timestamp;

/// Blocks, so that virtual time passes at most `speed` times as fast as real time.
#[derive(Debug)]
pub(super) struct Pace {
    speed: u32,
    began: Option<(Timestamp, Instant)>,
}

impl Pace {
    pub(super) const fn new(speed: u32) -> Self {
        Self { speed, began: None }
    }

    /// Waits until this moment is due. The first one is due at once.
    pub(super) fn wait_until(&mut self, now: Timestamp) {
        let (first, began) = *self.began.get_or_insert_with(|| (now, Instant::now()));
        let due = now.since(first) / self.speed;
        thread::sleep(due.saturating_sub(began.elapsed()).min(Duration::from_secs(60)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_at_speed_600_takes_a_tenth_of_a_second() {
        let mut pace = Pace::new(600);
        let began = Instant::now();
        pace.wait_until(Timestamp::from_secs(1000));
        pace.wait_until(Timestamp::from_secs(1060));
        assert!(began.elapsed() >= Duration::from_millis(100));
    }
}
