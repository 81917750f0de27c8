//! From checked rows in any order to a [`Recording`].

use std::collections::HashMap;

use chrono::{DateTime, Months};
use mpac_deploy_core::metric::{Metric, Side, Unit};

use super::error::shortened;
use super::{
    MAX_METRIC_BYTES, MAX_METRICS, MAX_SPAN_YEARS, Recording, RecordingError, Row, Series, period_of,
};

const SECONDS_PER_MINUTE: i64 = 60;
const MONTHS_PER_YEAR: u32 = 12;

/// Takes rows in any order, checks each, and puts them in order at the end.
#[derive(Default)]
pub(super) struct Collector {
    ids: HashMap<String, u16>,
    metrics: Vec<Metric>,
    rows: Vec<NumberedRow>,
    span: Option<Span>,
}

/// A row that still knows its line.
#[derive(Clone, Copy)]
struct NumberedRow {
    minute: i32,
    line: u32,
    metric: u16,
    side: Side,
    value: f64,
}

/// The minutes since the Unix epoch that the rows lie between.
struct Span {
    /// The minute of the first row that came: the others are stored relative to it.
    origin: i64,
    first: i64,
    last: i64,
    /// The last minute that `first` allows.
    limit: i64,
}

impl Collector {
    /// Adds the row that stands on `line`; `minute` counts from the Unix epoch.
    ///
    /// # Errors
    /// A name or a value that cannot be, or a time too far from the others.
    pub(super) fn push(
        &mut self,
        line: u32,
        minute: i64,
        side: Side,
        name: &str,
        value: f64,
    ) -> Result<(), RecordingError> {
        let minute = self.place(line, minute)?;
        let metric = self.intern(line, name)?;
        if value < 0.0
            && let Some(metric) = self.metrics.get(usize::from(metric))
            && metric.unit() == Unit::Count
        {
            return Err(RecordingError::NegativeCount { line, metric: metric.clone(), value });
        }
        self.rows.push(NumberedRow { minute, line, metric, side, value });
        Ok(())
    }

    /// The minute relative to the first row's.
    fn place(&mut self, line: u32, minute: i64) -> Result<i32, RecordingError> {
        let span = self.span.get_or_insert_with(|| Span {
            origin: minute,
            first: minute,
            last: minute,
            limit: years_after(minute),
        });
        if minute < span.first {
            (span.first, span.limit) = (minute, years_after(minute));
        }
        span.last = span.last.max(minute);
        match i32::try_from(minute.saturating_sub(span.origin)) {
            Ok(relative) if span.last <= span.limit => Ok(relative),
            _ => Err(RecordingError::Span { line, first: period_of(span.first), last: period_of(span.last) }),
        }
    }

    fn intern(&mut self, line: u32, name: &str) -> Result<u16, RecordingError> {
        if let Some(id) = self.ids.get(name) {
            return Ok(*id);
        }
        if name.is_empty() || name.trim() != name {
            return Err(RecordingError::MetricName { line, text: shortened(name) });
        }
        if name.len() > MAX_METRIC_BYTES {
            return Err(RecordingError::MetricNameTooLong { line, text: shortened(name), bytes: name.len() });
        }
        let id = u16::try_from(self.metrics.len()).ok().filter(|_| self.metrics.len() < MAX_METRICS);
        let id = id.ok_or_else(|| RecordingError::TooManyMetrics { line, text: shortened(name) })?;
        self.ids.insert(name.to_owned(), id);
        self.metrics.push(Metric::from(name));
        Ok(id)
    }

    /// Puts the rows in order.
    ///
    /// # Errors
    /// Two rows for one value, or no row of green's `requests`.
    pub(super) fn finish(mut self) -> Result<Recording, RecordingError> {
        let origin = self.span.as_ref().ok_or(RecordingError::NoGreenRequests)?.origin;
        self.number_by_name();
        self.rows.sort_unstable_by_key(|row| (row.minute, row.side, row.metric, row.line));
        self.refuse_duplicates(origin)?;
        let rows: Vec<Row> = self
            .rows
            .into_iter()
            .map(|NumberedRow { minute, line: _, metric, side, value }| Row { minute, metric, side, value })
            .collect();
        let series = series(self.metrics, &rows);
        let requests = series.iter().find(|series| series.metric == Metric::Requests);
        let (start, _) = requests.and_then(|series| series.green).ok_or(RecordingError::NoGreenRequests)?;
        let end =
            series.iter().filter_map(|series| series.green).map(|(_, last)| last).max().unwrap_or(start);
        Ok(Recording { origin, rows, series, start, end })
    }

    /// Numbers the metrics in the order of their names, so that the order in which rows came leaves no trace.
    fn number_by_name(&mut self) {
        let mut by_name: Vec<(u16, Metric)> = (0..=u16::MAX).zip(self.metrics.drain(..)).collect();
        by_name.sort_unstable_by(|(_, one), (_, other)| one.name().cmp(other.name()));
        let mut renumbered = vec![0; by_name.len()];
        for (new, (old, metric)) in (0..=u16::MAX).zip(by_name) {
            if let Some(slot) = renumbered.get_mut(usize::from(old)) {
                *slot = new;
            }
            self.metrics.push(metric);
        }
        for row in &mut self.rows {
            row.metric = renumbered.get(usize::from(row.metric)).copied().unwrap_or(row.metric);
        }
    }

    /// Of several pairs the one whose later line comes first is named.
    fn refuse_duplicates(&self, origin: i64) -> Result<(), RecordingError> {
        let key = |row: &NumberedRow| (row.minute, row.side, row.metric);
        let pairs =
            self.rows.iter().zip(self.rows.iter().skip(1)).filter(|(one, next)| key(one) == key(next));
        let Some((first, second)) = pairs.min_by_key(|(_, second)| second.line) else { return Ok(()) };
        Err(RecordingError::Duplicate {
            first: first.line,
            second: second.line,
            period: period_of(origin.saturating_add(i64::from(second.minute))),
            side: second.side,
            metric: self.metrics.get(usize::from(second.metric)).cloned().unwrap_or(Metric::Requests),
        })
    }
}

/// The extents of every metric, from rows in order.
fn series(metrics: Vec<Metric>, rows: &[Row]) -> Vec<Series> {
    let mut series: Vec<Series> =
        metrics.into_iter().map(|metric| Series { metric, blue: None, green: None }).collect();
    for row in rows {
        if let Some(series) = series.get_mut(usize::from(row.metric)) {
            let extent = match row.side {
                Side::Blue => &mut series.blue,
                Side::Green => &mut series.green,
            };
            let (first, _) = extent.unwrap_or((row.minute, row.minute));
            *extent = Some((first, row.minute));
        }
    }
    series
}

/// The minute that is [`MAX_SPAN_YEARS`] calendar years after `minute`.
fn years_after(minute: i64) -> i64 {
    DateTime::from_timestamp(minute.saturating_mul(SECONDS_PER_MINUTE), 0)
        .and_then(|time| time.checked_add_months(Months::new(MAX_SPAN_YEARS * MONTHS_PER_YEAR)))
        .map_or(i64::MAX, |time| time.timestamp().div_euclid(SECONDS_PER_MINUTE))
}
