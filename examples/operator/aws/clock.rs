//! The clock of a simulated AWS, in another process than the simulation's.

use std::str::FromStr;

use mpac_deploy_core::port::{Clock as _, SystemClock};
use mpac_deploy_core::time::Timestamp;
use mpac_deploy_testkit::world::SimClock;

/// A time that runs faster than the machine's: what it showed at a moment, and how fast it goes. Written `TIME@SPEED/MILLISECONDS`, the
/// last being the moment since the Unix epoch, as `sim-aws` prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SimTime {
    pub(crate) epoch: Timestamp,
    pub(crate) speed: u32,
    pub(crate) since: Timestamp,
}

impl SimTime {
    /// This time as a clock.
    pub(crate) fn clock(self) -> SimClock {
        let elapsed = SystemClock.now().since(self.since);
        SimClock::new(self.epoch.after(elapsed.saturating_mul(self.speed)), self.speed)
    }
}

impl std::fmt::Display for SimTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}/{}", self.epoch, self.speed, self.since.as_millis())
    }
}

impl FromStr for SimTime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (epoch, rest) = text.split_once('@')?;
            let (speed, since) = rest.split_once('/')?;
            let epoch = Timestamp::parse(epoch).ok()?;
            let speed = speed.parse().ok().filter(|speed| *speed > 0)?;
            Some(Self { epoch, speed, since: Timestamp::from_millis(since.parse().ok()?) })
        };
        parse().ok_or_else(|| format!("`{text}` is no clock: take the one that `sim-aws` prints"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read_back_and_nothing_else() {
        let text = "2026-01-28T09:00:00Z@300/1769590800123";
        assert_eq!(text.parse::<SimTime>().unwrap().to_string(), text);
        for wrong in ["2026-01-28T09:00:00Z@0/1", "now@1/1", "2026-01-28T09:00:00Z@1"] {
            assert!(wrong.parse::<SimTime>().unwrap_err().contains("is no clock"));
        }
    }

    #[tokio::test]
    async fn two_processes_have_the_same_time() {
        let since = Timestamp::from_millis(SystemClock.now().as_millis() - 2_000);
        let time = SimTime { epoch: Timestamp::from_secs(1_769_590_800), speed: 300, since };
        let shown = time.clock().now().since(time.epoch).as_secs();
        assert!((600..660).contains(&shown), "{shown}");
    }
}
