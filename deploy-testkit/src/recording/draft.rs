//! Recordings made by hand, for tests.

use std::collections::BTreeMap;
use std::ops::Range;

use mpac_deploy_core::metric::{Metric, Side};
use mpac_deploy_core::time::{Period, Timestamp};

use super::{Recording, RecordingError, minute_of, period_of};

/// 2026-01-28T09:00:00Z in seconds since the Unix epoch: minute 0 of every draft.
const MINUTE_ZERO_SECS: i64 = 1_769_590_800;

/// A recording under construction, in which minutes count from 0; negative ones are history.
///
/// ```
/// use mpac_deploy_core::metric::{Metric, Side};
/// use mpac_deploy_testkit::recording::Draft;
///
/// let draft = Draft::healthy(105).set(20..25, Side::Green, Metric::Errors, 11.0);
/// assert_eq!(draft.build().unwrap().end(), Draft::period(104));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Draft {
    values: BTreeMap<(i64, Side, Metric), f64>,
}

impl Draft {
    /// What [`healthy`](Self::healthy) writes: every metric of the preset `mpac` that is not sparse.
    pub const HEALTHY: [(Metric, f64); 11] = [
        (Metric::Requests, 1000.0),
        (Metric::LatencyP50, 40.0),
        (Metric::LatencyP95, 200.0),
        (Metric::LatencyP99, 400.0),
        (Metric::DbConnectionErrors, 0.0),
        (Metric::MemoryUtilization, 0.5),
        (Metric::Transactions, 400.0),
        (Metric::TransactionFailures, 0.0),
        (Metric::LogAnomalies, 0.0),
        (Metric::PostgresUp, 1.0),
        (Metric::RedisUp, 1.0),
    ];

    /// A draft without a row.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Both sides without a fault for so many minutes.
    #[must_use]
    pub fn healthy(minutes: i64) -> Self {
        let mut draft = Self::new();
        for side in [Side::Blue, Side::Green] {
            for (metric, value) in Self::HEALTHY {
                draft = draft.set(0..minutes, side, metric, value);
            }
        }
        draft
    }

    /// Writes one value in all of the minutes.
    #[must_use]
    pub fn set(self, minutes: Range<i64>, side: Side, metric: Metric, value: f64) -> Self {
        self.set_with(minutes, side, metric, |_| value)
    }

    /// Writes a value for each of the minutes.
    #[must_use]
    pub fn set_with(
        mut self,
        minutes: Range<i64>,
        side: Side,
        metric: Metric,
        value: impl Fn(i64) -> f64,
    ) -> Self {
        for minute in minutes {
            self.values.insert((minute, side, metric.clone()), value(minute));
        }
        self
    }

    /// What stands there.
    #[must_use]
    pub fn value(&self, minute: i64, side: Side, metric: &Metric) -> Option<f64> {
        self.values.get(&(minute, side, metric.clone())).copied()
    }

    /// Removes a metric of one side in the minutes.
    #[must_use]
    pub fn remove(mut self, minutes: Range<i64>, side: Side, metric: &Metric) -> Self {
        for minute in minutes {
            self.values.remove(&(minute, side, metric.clone()));
        }
        self
    }

    /// Removes a metric of one side in all minutes.
    #[must_use]
    pub fn without(self, side: Side, metric: &Metric) -> Self {
        self.retain(|_, its_side, its_metric| its_side != side || its_metric != metric)
    }

    /// Removes one side.
    #[must_use]
    pub fn without_side(self, side: Side) -> Self {
        self.retain(|_, its_side, _| its_side != side)
    }

    /// Removes every row of one side in the minutes.
    #[must_use]
    pub fn silence(self, minutes: Range<i64>, side: Side) -> Self {
        self.retain(|minute, its_side, _| !minutes.contains(&minute) || its_side != side)
    }

    fn retain(mut self, keep: impl Fn(i64, Side, &Metric) -> bool) -> Self {
        self.values.retain(|(minute, side, metric), _| keep(*minute, *side, metric));
        self
    }

    /// The recording.
    ///
    /// # Errors
    /// [`RecordingError`] as from [`Recording::from_rows`], with rows in the order of period, side and metric.
    pub fn build(self) -> Result<Recording, RecordingError> {
        let rows = self.values.into_iter();
        Recording::from_rows(
            rows.map(|((minute, side, metric), value)| (Self::period(minute), side, metric, value)),
        )
    }

    /// The period that is called `minute` here.
    #[must_use]
    pub fn period(minute: i64) -> Period {
        let zero = minute_of(Period::containing(Timestamp::from_secs(MINUTE_ZERO_SECS)));
        period_of(zero.saturating_add(minute))
    }
}
