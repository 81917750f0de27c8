//! The Numenta Anomaly Benchmark: series with the header `timestamp,value`.
//!
//! A series is one number of one machine, without a word about requests or errors. It is read as green's; there is no blue, so
//! what compares the two is skipped. Where the series is no count of requests itself, [`ASSUMED_REQUESTS`] a minute are put
//! beside it, because a rollout without traffic has no evidence. Errors and 5xx have no row and so count as 0: the rules on
//! them look at nothing that was measured, and only the rules on the mapped metric say something about the series.

use std::collections::BTreeMap;
use std::io::Read;

use chrono::NaiveDateTime;
use mpac_deploy_core::metric::{Metric, Side};
use mpac_deploy_core::time::{Period, Timestamp};

use super::{MapError, Stretch, minutes_after, number};
use crate::recording::{Recording, RecordingError};

/// Requests a minute that are assumed where a series counts none. The number decides nothing: without errors every rate is 0.
pub const ASSUMED_REQUESTS: f64 = 1000.0;

/// Times have no offset; they are read as UTC.
const TIME: &str = "%Y-%m-%d %H:%M:%S";

/// What a series stands for in a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StandsFor {
    /// A CPU utilization in percent, read as `memory_utilization`: the only utilization that the preset watches.
    Utilization,
    /// A latency, read as `latency_p95_ms`, though the file names neither the statistic nor the unit.
    Latency,
    /// A count of what was asked for in the period, read as `requests`, spread evenly over its minutes.
    Load,
    /// Anything else: a custom metric, which no rule of the preset looks at.
    Unwatched,
}

impl StandsFor {
    /// The name of the metric in the recording.
    #[must_use]
    pub const fn metric(self) -> &'static str {
        match self {
            Self::Utilization => "memory_utilization",
            Self::Latency => "latency_p95_ms",
            Self::Load => "requests",
            Self::Unwatched => "a custom metric",
        }
    }
}

/// The real series of the benchmark that come from clouds or have a known cause, below `nab/data`.
pub const SERIES: [(&str, StandsFor); 24] = [
    ("realAWSCloudwatch/ec2_cpu_utilization_24ae8d.csv", StandsFor::Utilization),
    ("realAWSCloudwatch/ec2_cpu_utilization_53ea38.csv", StandsFor::Utilization),
    ("realAWSCloudwatch/ec2_cpu_utilization_5f5533.csv", StandsFor::Utilization),
    ("realAWSCloudwatch/ec2_cpu_utilization_77c1ca.csv", StandsFor::Utilization),
    ("realAWSCloudwatch/ec2_cpu_utilization_825cc2.csv", StandsFor::Utilization),
    ("realAWSCloudwatch/ec2_cpu_utilization_ac20cd.csv", StandsFor::Utilization),
    ("realAWSCloudwatch/ec2_cpu_utilization_c6585a.csv", StandsFor::Utilization),
    ("realAWSCloudwatch/ec2_cpu_utilization_fe7f93.csv", StandsFor::Utilization),
    ("realAWSCloudwatch/ec2_disk_write_bytes_1ef3de.csv", StandsFor::Unwatched),
    ("realAWSCloudwatch/ec2_disk_write_bytes_c0d644.csv", StandsFor::Unwatched),
    ("realAWSCloudwatch/ec2_network_in_257a54.csv", StandsFor::Unwatched),
    ("realAWSCloudwatch/ec2_network_in_5abac7.csv", StandsFor::Unwatched),
    ("realAWSCloudwatch/elb_request_count_8c0756.csv", StandsFor::Load),
    ("realAWSCloudwatch/grok_asg_anomaly.csv", StandsFor::Unwatched),
    ("realAWSCloudwatch/iio_us-east-1_i-a2eb1cd9_NetworkIn.csv", StandsFor::Unwatched),
    ("realAWSCloudwatch/rds_cpu_utilization_cc0c53.csv", StandsFor::Utilization),
    ("realAWSCloudwatch/rds_cpu_utilization_e47b3b.csv", StandsFor::Utilization),
    ("realKnownCause/ambient_temperature_system_failure.csv", StandsFor::Unwatched),
    ("realKnownCause/cpu_utilization_asg_misconfiguration.csv", StandsFor::Utilization),
    ("realKnownCause/ec2_request_latency_system_failure.csv", StandsFor::Latency),
    ("realKnownCause/machine_temperature_system_failure.csv", StandsFor::Unwatched),
    ("realKnownCause/nyc_taxi.csv", StandsFor::Load),
    ("realKnownCause/rogue_agent_key_hold.csv", StandsFor::Unwatched),
    ("realKnownCause/rogue_agent_key_updown.csv", StandsFor::Unwatched),
];

/// One series.
#[derive(Clone, Debug)]
pub struct Series {
    points: BTreeMap<Period, f64>,
    step: u32,
}

impl Series {
    /// Reads `timestamp,value`.
    ///
    /// Where clocks were set forward or back, some files have two rows for one time; the first of them is taken.
    ///
    /// # Errors
    /// [`MapError`] for a row that is no time and number, and for a file with fewer than two rows.
    pub fn read(source: impl Read) -> Result<Self, MapError> {
        let mut points = BTreeMap::new();
        for (index, record) in csv::Reader::from_reader(source).records().enumerate() {
            let (record, line) = (record?, index + 2);
            let field = |place| record.get(place).unwrap_or_default();
            let period = Period::containing(time(field(0), line)?);
            points.entry(period).or_insert(number(field(1), line)?);
        }
        let step = most_frequent_step(&points).ok_or_else(|| MapError::Missing("second row".into()))?;
        Ok(Self { points, step })
    }

    /// The minutes between two values, as they are in most of the series.
    #[must_use]
    pub const fn step(&self) -> u32 {
        self.step
    }

    /// The first and the last period that a value stands for.
    #[must_use]
    pub fn extent(&self) -> (Period, Period) {
        let first = self.points.keys().next().copied().unwrap_or_default();
        let last = self.points.keys().next_back().copied().unwrap_or_default();
        (first, minutes_after(last, self.step.saturating_sub(1)))
    }

    /// The minutes of the series from one period on, as a recording of green. A value stands for the minutes up to the next
    /// value, at most for [`step`](Self::step) minutes; minutes beyond that have no row.
    ///
    /// # Errors
    /// [`RecordingError`] when there is no value in these minutes, or a count is negative.
    pub fn recording(
        &self,
        stands_for: StandsFor,
        from: Period,
        minutes: u32,
    ) -> Result<Recording, RecordingError> {
        let end = minutes_after(from, minutes);
        // The value before `from` may still stand for its first minutes.
        let first = self.points.range(..=from).next_back().map_or(from, |(start, _)| *start);
        let rows = self.points.range(first..end).flat_map(|(start, value)| {
            let next =
                self.points.range(start.next()..).next().map_or(u32::MAX, |(next, _)| next.since(*start));
            let values = self.values(stands_for, *value);
            let stretch = Stretch { start: *start, minutes: self.step.min(next), values };
            stretch.rows(Side::Green).collect::<Vec<_>>()
        });
        Recording::from_rows(rows.filter(|(period, ..)| (from..end).contains(period)))
    }

    fn values(&self, stands_for: StandsFor, value: f64) -> Vec<(Metric, f64)> {
        let assumed = (Metric::Requests, ASSUMED_REQUESTS);
        match stands_for {
            StandsFor::Utilization => vec![assumed, (Metric::MemoryUtilization, value / 100.0)],
            StandsFor::Latency => vec![assumed, (Metric::LatencyP95, value)],
            StandsFor::Load => vec![(Metric::Requests, value / f64::from(self.step))],
            StandsFor::Unwatched => vec![assumed, (Metric::from("nab_value"), value)],
        }
    }
}

fn time(text: &str, line: usize) -> Result<Timestamp, MapError> {
    NaiveDateTime::parse_from_str(text.trim(), TIME)
        .map(|time| Timestamp::from_secs(time.and_utc().timestamp()))
        .map_err(|_| MapError::Time { line, text: text.to_owned() })
}

fn most_frequent_step(points: &BTreeMap<Period, f64>) -> Option<u32> {
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    for (one, next) in points.keys().zip(points.keys().skip(1)) {
        *counts.entry(next.since(*one)).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(step, _)| step)
}

/// The labelled moments of each series, from `labels/combined_labels.json`.
///
/// # Errors
/// [`MapError`] when the file is no object of lists of times.
pub fn read_labels(source: impl Read) -> Result<BTreeMap<String, Vec<Period>>, MapError> {
    let labels: BTreeMap<String, Vec<String>> = serde_json::from_reader(source)?;
    let periods = |times: Vec<String>| {
        times.iter().map(|text| time(text, 1).map(Period::containing)).collect::<Result<Vec<_>, _>>()
    };
    labels.into_iter().map(|(file, times)| Ok((file, periods(times)?))).collect()
}
