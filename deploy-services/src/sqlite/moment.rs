//! When a lease is over, for processes of one machine.
//!
//! A wall clock is set by people, by NTP and by daylight saving; a lease that trusted it could be taken from a holder that is alive, or
//! be held for days by one that is not. All processes that can open one journal run under one kernel (the write-ahead log needs
//! shared memory), and a kernel has a clock that is never set: the time since it was started. So a lease is stored with that
//! time and with the id that the kernel drew when it was started:
//!
//! - the same id: the steady clocks are one, and say exactly when the lease is over; a machine that slept has slept for all,
//! - another id: the machine was started anew since, and no holder has survived that,
//! - no id to be had (not Linux): the wall clock decides, for want of anything better.
//!
//! None of it is what keeps a rollout safe: that is the fencing token, which every append checks. The clock only says when
//! somebody else may try.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Now, by every clock of the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    /// The id of this run of the kernel.
    pub(super) boot: Option<String>,
    /// Milliseconds on the kernel's steady clock.
    pub(super) steady: i64,
    /// Milliseconds since the Unix epoch on the wall clock.
    pub(super) wall: i64,
}

impl Moment {
    pub(super) fn now() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        match steady() {
            Some((boot, steady)) => Self { boot: Some(boot), steady, wall: millis(wall) },
            None => Self { boot: None, steady: 0, wall: millis(wall) },
        }
    }

    /// So much later, by every clock.
    pub(super) fn after(self, duration: Duration) -> Self {
        let by = millis(duration);
        Self { steady: self.steady.saturating_add(by), wall: self.wall.saturating_add(by), ..self }
    }

    /// Whether this moment has come.
    pub(super) fn has_come(&self, now: &Self) -> bool {
        match (&self.boot, &now.boot) {
            (Some(then), Some(boot)) if then == boot => self.steady <= now.steady,
            (Some(_), Some(_)) => true,
            (None, _) | (_, None) => self.wall <= now.wall,
        }
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(target_os = "linux")]
fn steady() -> Option<(String, i64)> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    Some((boot.trim().to_owned(), time.tv_sec.saturating_mul(1000).saturating_add(time.tv_nsec / 1_000_000)))
}

#[cfg(not(target_os = "linux"))]
const fn steady() -> Option<(String, i64)> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(boot: Option<&str>, steady: i64, wall: i64) -> Moment {
        Moment { boot: boot.map(Into::into), steady, wall }
    }

    #[test]
    fn a_wall_clock_that_jumps_neither_ends_a_lease_nor_prolongs_it() {
        let until = moment(Some("a"), 1000, 1000);
        assert!(!until.has_come(&moment(Some("a"), 999, 1_000_000)), "the wall clock jumped ahead");
        assert!(until.has_come(&moment(Some("a"), 1000, -1_000_000)), "the wall clock jumped back");
    }

    #[test]
    fn a_machine_that_was_started_anew_has_no_holder_left() {
        assert!(moment(Some("a"), 1000, 1000).has_come(&moment(Some("b"), 1, 1)));
    }

    #[test]
    fn without_a_steady_clock_the_wall_clock_decides() {
        let until = moment(None, 0, 1000);
        assert!(!until.has_come(&moment(Some("a"), 5000, 999)));
        assert!(until.has_come(&moment(None, 0, 1000)));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_kernel_has_an_id_and_a_steady_clock() {
        let (first, later) = (Moment::now(), Moment::now());
        assert!(first.boot.is_some() && first.boot == later.boot && first.steady <= later.steady);
        assert!(!first.clone().after(Duration::from_secs(1)).has_come(&first));
    }
}
