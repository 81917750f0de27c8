//! What goes wrong in a world, as rules: where, what, when, and how fast it grows.

use std::time::Duration;

use mpac_deploy_core::metric::{Metric, Side};
use mpac_deploy_core::time::{Period, Timestamp};

use super::timeline::{Moment, Window};

/// Something that is wrong in the world for a while.
///
/// It begins on the first whole minute at or after its moment, so that a fault of four minutes fills exactly four
/// metric periods.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The side that it strikes; both if `None`.
    pub side: Option<Side>,
    /// What is wrong.
    pub symptom: Symptom,
    /// When.
    pub window: Window,
    /// How long it takes to grow to its full size; at once if zero.
    pub growth: Duration,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum Symptom {
    /// A share of the requests fails, none of them with a status of 5xx.
    Errors(f64),
    /// Exactly this share of the requests fails, rounded to whole requests; none with a status of 5xx.
    ExactErrors(f64),
    /// A share of the requests fails with a status of 5xx.
    ServerErrors(f64),
    /// So many requests a minute fail with a status of 5xx, whatever the traffic.
    ServerErrorsPerMinute(f64),
    /// Every latency is multiplied by this.
    Latency(f64),
    /// The share of memory in use is higher by this.
    Memory(f64),
    /// So many failed database connections a minute.
    DbConnectionErrors(f64),
    /// A share of the transactions fails.
    TransactionFailures(f64),
    /// The transactions are multiplied by this.
    Transactions(f64),
    /// So many log anomalies a minute.
    LogAnomalies(f64),
    /// The requests are multiplied by this.
    Requests(f64),
    /// The metric has exactly this value.
    Pin(Metric, f64),
    /// A critical service is down: probes and its metric say so, and requests suffer. It strikes both sides.
    ServiceDown(Metric),
    /// The metrics are published so much later.
    MetricsLate(Duration),
    /// The metrics are never published.
    MetricsLost,
    /// This metric is never published.
    MetricLost(Metric),
    /// So many tasks are not healthy.
    TasksDown(u32),
    /// No task is healthy; the target group fails open and sends them requests all the same.
    FailOpen,
    /// Each task in turn is unhealthy for this long, so that there is always one.
    Flapping(Duration),
    /// New tasks never become healthy.
    NeverHealthy,
    /// New tasks exit: their image cannot be pulled or does not run.
    BadImage,
    /// A pre-production check fails.
    CheckFails(&'static str),
}

impl Fault {
    /// A fault of green, in full at once.
    #[must_use]
    pub const fn green(symptom: Symptom, window: Window) -> Self {
        Self { side: Some(Side::Green), symptom, window, growth: Duration::ZERO }
    }

    /// A fault of blue, in full at once.
    #[must_use]
    pub const fn blue(symptom: Symptom, window: Window) -> Self {
        Self { side: Some(Side::Blue), symptom, window, growth: Duration::ZERO }
    }

    /// A fault of both sides, in full at once.
    #[must_use]
    pub const fn both(symptom: Symptom, window: Window) -> Self {
        Self { side: None, symptom, window, growth: Duration::ZERO }
    }

    /// The same fault, growing evenly for some minutes.
    #[must_use]
    pub fn growing_for(self, minutes: u64) -> Self {
        Self { growth: Duration::from_secs(minutes * 60), ..self }
    }

    /// Whether it strikes this side.
    #[must_use]
    pub fn strikes(&self, side: Side) -> bool {
        self.side.is_none_or(|struck| struck == side)
    }

    /// How much of it there is at a time, from 0 to 1, when its first moment came as given.
    pub(crate) fn intensity(&self, began: Option<Timestamp>, time: Timestamp) -> f64 {
        let Some(began) = began else { return 0.0 };
        let from = Period::from_or_after(began).start();
        if !self.window.covers(from, time) {
            0.0
        } else if self.growth.is_zero() {
            1.0
        } else {
            (time.since(from).as_secs_f64() / self.growth.as_secs_f64()).min(1.0)
        }
    }

    /// The moment from which it counts.
    pub(crate) const fn from(&self) -> Moment {
        self.window.from
    }
}
