//! Recorded metrics (semantics 6): what a replay reads.
//!
//! A [`Recording`] holds the values of both sides, one per period, side and metric, exactly as they were written;
//! what an absent or infinite value means is for the reader of the recording to say (semantics 2).
//!
//! ```
//! use mpac_deploy_core::metric::{Metric, Side};
//! use mpac_deploy_testkit::recording::Recording;
//!
//! # fn main() -> Result<(), mpac_deploy_testkit::recording::RecordingError> {
//! let csv = "time,side,metric,value\n2026-01-28T09:00:00Z,green,requests,1200\n";
//! let recording = Recording::read(csv.as_bytes())?;
//! assert_eq!(recording.value(recording.start(), Side::Green, &Metric::Requests), Some(1200.0));
//! # Ok(())
//! # }
//! ```

mod collect;
mod draft;
mod error;
mod read;
#[cfg(test)]
mod tests;
mod write;

use std::fmt;
use std::io;

use mpac_deploy_core::metric::{Metric, Side};
use mpac_deploy_core::time::{PERIOD_MILLIS, Period, Timestamp};

pub use draft::Draft;
pub use error::RecordingError;

/// The most names of metrics in a recording: a number that fits two bytes keeps ten million rows small.
pub const MAX_METRICS: usize = 65_536;
/// The longest name of a metric, in bytes: as CloudWatch has it.
pub const MAX_METRIC_BYTES: usize = 255;
/// The longest span of a recording in calendar years (semantics 6).
pub const MAX_SPAN_YEARS: u32 = 10;
/// The longest line in bytes: far beyond any real row, so that a stray quotation mark cannot fill the memory.
pub const MAX_LINE_BYTES: usize = 1 << 20;

/// Up to how many rows `{:?}` writes the whole recording: a failing property test then prints what to replay.
const DEBUG_ROWS: usize = 20_000;

/// Recorded metrics of both sides; at least one row is green's `requests`.
#[derive(Clone)]
pub struct Recording {
    /// Minutes since the Unix epoch to which the minutes of the rows are relative.
    origin: i64,
    /// In the order of period, side, metric; no two of one key.
    rows: Vec<Row>,
    /// In the order of their names.
    series: Vec<Series>,
    start: i32,
    end: i32,
}

/// One value, in 16 bytes.
#[derive(Clone, Copy)]
struct Row {
    minute: i32,
    metric: u16,
    side: Side,
    value: f64,
}

impl Row {
    fn key(&self) -> i64 {
        key(self.minute, self.side, self.metric)
    }
}

/// Period, side and metric in one number, in the order of the rows.
fn key(minute: i32, side: Side, metric: u16) -> i64 {
    i64::from(minute) << 32 | i64::from(side == Side::Green) << 16 | i64::from(metric)
}

/// A metric, and the first and the last minute of each side's rows of it.
#[derive(Clone)]
struct Series {
    metric: Metric,
    blue: Option<(i32, i32)>,
    green: Option<(i32, i32)>,
}

impl Series {
    fn extent(&self, side: Side) -> Option<(i32, i32)> {
        match side {
            Side::Blue => self.blue,
            Side::Green => self.green,
        }
    }
}

impl Recording {
    /// Reads a recording from CSV with the header `time,side,metric,value` (semantics 6).
    ///
    /// Rows may come in any order. CRLF, a byte-order mark, UTC offsets, quoted fields, spaces around fields and blank
    /// lines are read; `NaN` and `inf` are numbers.
    ///
    /// # Errors
    /// [`RecordingError`] for the first line that is wrong; two rows for one value are found once all lines were read.
    pub fn read(source: impl io::Read) -> Result<Self, RecordingError> {
        read::read(source)
    }

    /// A recording from rows, checked like those of a file in which the first of them stands on line 2.
    ///
    /// # Errors
    /// [`RecordingError`] as from [`read`](Self::read).
    pub fn from_rows(
        rows: impl IntoIterator<Item = (Period, Side, Metric, f64)>,
    ) -> Result<Self, RecordingError> {
        let mut collector = collect::Collector::default();
        for (index, (period, side, metric, value)) in rows.into_iter().enumerate() {
            let line = u32::try_from(index.saturating_add(2))
                .map_err(|_| RecordingError::TooManyLines { line: u32::MAX })?;
            collector.push(line, minute_of(period), side, metric.name(), value)?;
        }
        collector.finish()
    }

    /// Writes the recording as CSV, in the order of period, side and metric.
    ///
    /// # Errors
    /// What the sink says.
    pub fn write_csv(&self, sink: impl io::Write) -> io::Result<()> {
        write::write(self, sink)
    }

    /// Where the replay starts: the period of green's first `requests` row.
    #[must_use]
    pub fn start(&self) -> Period {
        self.period(self.start)
    }

    /// Where the replay ends: the period of green's last row, of whatever metric.
    #[must_use]
    pub fn end(&self) -> Period {
        self.period(self.end)
    }

    /// The number of rows.
    #[must_use]
    pub fn row_count(&self) -> usize {
        self.rows.len()
    }

    /// Every metric that has a row, in the order of their names.
    pub fn metrics(&self) -> impl Iterator<Item = &Metric> {
        self.series.iter().map(|series| &series.metric)
    }

    /// What was recorded, as it was written: `NaN` and infinities too.
    #[must_use]
    pub fn value(&self, period: Period, side: Side, metric: &Metric) -> Option<f64> {
        let metric = u16::try_from(self.series_index(metric)?).ok()?;
        let minute = i32::try_from(minute_of(period).checked_sub(self.origin)?).ok()?;
        let found = self.rows.binary_search_by_key(&key(minute, side, metric), Row::key).ok()?;
        self.rows.get(found).map(|row| row.value)
    }

    /// Whether a side has any row of a metric, whatever its value and time.
    #[must_use]
    pub fn has_row(&self, side: Side, metric: &Metric) -> bool {
        self.extent(side, metric).is_some()
    }

    /// Whether a side has any row of a metric in `from` or a later period.
    #[must_use]
    pub fn has_row_from(&self, side: Side, metric: &Metric, from: Period) -> bool {
        self.extent(side, metric).is_some_and(|(_, last)| self.period(last) >= from)
    }

    /// Every period that has a row, in order: also the history before [`start`](Self::start) and what blue has after
    /// [`end`](Self::end).
    pub fn periods(&self) -> impl Iterator<Item = PeriodRows<'_>> {
        self.rows.chunk_by(|one, next| one.minute == next.minute).map(|rows| PeriodRows {
            period: rows.first().map_or_else(Period::default, |row| self.period(row.minute)),
            rows,
            series: &self.series,
        })
    }

    /// Every period from [`start`](Self::start) to [`end`](Self::end), in order: also those without a row.
    pub fn replay(&self) -> impl Iterator<Item = PeriodRows<'_>> {
        let first = self.rows.partition_point(|row| row.minute < self.start);
        let mut rest = self.rows.get(first..).unwrap_or_default();
        (self.start..=self.end).map(move |minute| {
            let count = rest.iter().take_while(|row| row.minute == minute).count();
            let (rows, later) = rest.split_at(count);
            rest = later;
            PeriodRows { period: self.period(minute), rows, series: &self.series }
        })
    }

    fn extent(&self, side: Side, metric: &Metric) -> Option<(i32, i32)> {
        self.series.get(self.series_index(metric)?)?.extent(side)
    }

    fn series_index(&self, metric: &Metric) -> Option<usize> {
        self.series.binary_search_by(|series| series.metric.name().cmp(metric.name())).ok()
    }

    fn period(&self, minute: i32) -> Period {
        period_of(self.origin.saturating_add(i64::from(minute)))
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recording of {} rows, replayed from {} to {}", self.rows.len(), self.start(), self.end())?;
        let mut csv = Vec::new();
        if self.rows.len() <= DEBUG_ROWS && self.write_csv(&mut csv).is_ok() {
            write!(f, ":\n{}", String::from_utf8_lossy(&csv))?;
        }
        Ok(())
    }
}

/// The values of one period.
#[derive(Clone, Copy)]
pub struct PeriodRows<'a> {
    period: Period,
    rows: &'a [Row],
    series: &'a [Series],
}

impl<'a> PeriodRows<'a> {
    /// The period.
    #[must_use]
    pub fn period(&self) -> Period {
        self.period
    }

    /// Every value of the period, in the order of side and name of the metric.
    pub fn values(&self) -> impl Iterator<Item = (Side, &'a Metric, f64)> + use<'a> {
        let series = self.series;
        self.rows.iter().filter_map(move |row| {
            series.get(usize::from(row.metric)).map(|series| (row.side, &series.metric, row.value))
        })
    }

    /// One value.
    #[must_use]
    pub fn value(&self, side: Side, metric: &Metric) -> Option<f64> {
        self.values()
            .find(|(its_side, its_metric, _)| *its_side == side && *its_metric == metric)
            .map(|found| found.2)
    }
}

impl fmt::Debug for PeriodRows<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.period)?;
        f.debug_list().entries(self.values()).finish()
    }
}

fn minute_of(period: Period) -> i64 {
    period.start().as_millis().div_euclid(PERIOD_MILLIS)
}

fn period_of(minute: i64) -> Period {
    Period::containing(Timestamp::from_millis(minute.saturating_mul(PERIOD_MILLIS)))
}
