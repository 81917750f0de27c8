//! PetShop: a web shop of microservices on AWS into which faults were injected, in periods of 300 seconds.
//!
//! What is read is the front service that `target.json` names (`PetSite` in every case): what a user of the shop notices, and
//! what a rollout of it would be judged by. Per minute of a period:
//!
//! * `requests`: a fifth of the period's;
//! * `errors`: `requests` times 1 - availability, made from a share, never counted by anyone;
//! * `latency_p50_ms`, `latency_p95_ms`, `latency_p99_ms`: the period's, in milliseconds instead of seconds;
//! * nothing else: there are no rows of 5xx (so 0), database errors, memory, transactions, logs or critical services.
//!
//! A recording of an issue has five periods: a whole one before the fault, the one in which the fault began, and three after.

use std::io::Read;

use mpac_deploy_core::metric::{Metric, Side};
use mpac_deploy_core::time::{Period, Timestamp};

use super::{MapError, Stretch, minutes_after, number};
use crate::recording::{Recording, RecordingError};

const PERIOD_MINUTES: u32 = 5;
/// Three header rows and one that names the index.
const HEADER_ROWS: usize = 4;
/// The service that users see.
pub const FRONT: &str = "PetSite";

/// What one period of 300 seconds says of a service.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ServicePeriod {
    /// Its start.
    pub start: Period,
    /// Requests in the whole period.
    pub requests: f64,
    /// The share of requests that were served, 0 to 1.
    pub availability: f64,
    /// Milliseconds.
    pub latency_p50: f64,
    /// Milliseconds.
    pub latency_p95: f64,
    /// Milliseconds.
    pub latency_p99: f64,
}

impl ServicePeriod {
    fn values(&self) -> Vec<(Metric, f64)> {
        let requests = self.requests / f64::from(PERIOD_MINUTES);
        vec![
            (Metric::Requests, requests),
            (Metric::Errors, requests * (1.0 - self.availability)),
            (Metric::LatencyP50, self.latency_p50),
            (Metric::LatencyP95, self.latency_p95),
            (Metric::LatencyP99, self.latency_p99),
        ]
    }

    /// This period's values at another time.
    fn at(&self, start: Period) -> Stretch {
        Stretch { start, minutes: PERIOD_MINUTES, values: self.values() }
    }
}

/// Reads every period of a service from a `metrics.csv`.
///
/// # Errors
/// [`MapError`] when a column of the service is missing or a field is no number.
pub fn read_service(source: impl Read, service: &str) -> Result<Vec<ServicePeriod>, MapError> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(source);
    let records = reader.records().collect::<Result<Vec<_>, _>>()?;
    let header =
        |row: usize, place: usize| records.get(row).and_then(|row| row.get(place)).unwrap_or_default();
    let width = records.first().map_or(0, csv::StringRecord::len);
    let column = |metric: &str, statistic: &str| {
        (0..width)
            .find(|&place| {
                [header(0, place), header(1, place), header(2, place)] == [service, metric, statistic]
            })
            .ok_or_else(|| MapError::Missing(format!("column {service}, {metric}, {statistic}")))
    };
    let columns = [
        column("requests", "Sum")?,
        column("availability", "Average")?,
        column("latency", "p50")?,
        column("latency", "p95")?,
        column("latency", "p99")?,
    ];
    let mut periods = Vec::new();
    for (index, record) in records.iter().enumerate().skip(HEADER_ROWS) {
        let field = |place: usize| number(record.get(place).unwrap_or_default(), index + 1);
        let [requests, availability, p50, p95, p99] = columns.map(field);
        periods.push(ServicePeriod {
            start: Period::containing(timestamp(field(0)?)),
            requests: requests?,
            availability: availability? / 100.0,
            latency_p50: p50? * 1000.0,
            latency_p95: p95? * 1000.0,
            latency_p99: p99? * 1000.0,
        });
    }
    Ok(periods)
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "seconds since 1970, written with a decimal point; a cast saturates"
)]
fn timestamp(seconds: f64) -> Timestamp {
    Timestamp::from_secs(seconds as i64)
}

/// What was injected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The service that shows it.
    pub service: String,
    /// `latency` or `availability`.
    pub metric: String,
    /// When it began.
    pub onset: Timestamp,
    /// The component in which it was injected.
    pub root_cause: String,
}

impl Target {
    /// Reads a `target.json`.
    ///
    /// # Errors
    /// [`MapError`] when a field is missing.
    pub fn read(source: impl Read) -> Result<Self, MapError> {
        let json: serde_json::Value = serde_json::from_reader(source)?;
        let text = |pointer: &str| {
            let text = json.pointer(pointer).and_then(serde_json::Value::as_str);
            text.map(str::to_owned).ok_or_else(|| MapError::Missing(pointer.to_owned()))
        };
        let onset = json.pointer("/target/timestamp").and_then(serde_json::Value::as_i64);
        Ok(Self {
            service: text("/target/node")?,
            metric: text("/target/metric")?,
            onset: Timestamp::from_secs(onset.ok_or_else(|| MapError::Missing("/target/timestamp".into()))?),
            root_cause: text("/root_cause/node")?,
        })
    }
}

/// One injected fault as the front service saw it.
#[derive(Clone, Debug)]
pub struct Issue {
    /// What was injected.
    pub target: Target,
    periods: Vec<ServicePeriod>,
    before: ServicePeriod,
    during: [ServicePeriod; 2],
}

impl Issue {
    /// Reads a `target.json` and the `metrics.csv` beside it.
    ///
    /// # Errors
    /// [`MapError`] as from [`Target::read`] and [`read_service`], and when there is no whole period before the fault or there
    /// are not two whole ones after its onset.
    pub fn read(metrics: impl Read, target: impl Read) -> Result<Self, MapError> {
        let target = Target::read(target)?;
        let periods = read_service(metrics, &target.service)?;
        let is_before =
            |period: &&ServicePeriod| minutes_after(period.start, PERIOD_MINUTES).start() <= target.onset;
        let before = periods.iter().rfind(is_before).copied();
        let mut after = periods.iter().filter(|period| period.start.start() >= target.onset);
        let during = [after.next().copied(), after.next().copied()];
        match (before, during) {
            (Some(before), [Some(first), Some(second)]) => {
                Ok(Self { target, periods, before, during: [first, second] })
            }
            _ => Err(MapError::Missing(
                "whole period before the fault, or there are not two after its onset".into(),
            )),
        }
    }

    /// The last whole period before the fault.
    #[must_use]
    pub const fn before(&self) -> &ServicePeriod {
        &self.before
    }

    /// The first two whole periods after the fault began. Many of the faults are gone after them.
    #[must_use]
    pub const fn during(&self) -> &[ServicePeriod; 2] {
        &self.during
    }

    /// Every period after the one [`before`](Self::before) the fault.
    pub fn from_onset(&self) -> impl Iterator<Item = &ServicePeriod> {
        self.periods.iter().filter(|period| period.start > self.before.start)
    }

    /// The recording as it is: green is all of it, the fault beginning in its second period; blue is the period before the
    /// fault, repeated.
    ///
    /// # Errors
    /// [`RecordingError`] when a count is negative.
    pub fn as_recorded(&self) -> Result<Recording, RecordingError> {
        let green = self.periods.iter().map(|period| period.at(period.start)).collect::<Vec<_>>();
        self.with_blue(&green)
    }

    /// A release that brings the fault with it, and keeps it: green is the two periods [`during`](Self::during) the fault by
    /// turns, blue the period before it, repeated, both for at least so many minutes.
    ///
    /// # Errors
    /// [`RecordingError`] when a count is negative.
    pub fn had_it_lasted(&self, minutes: u32) -> Result<Recording, RecordingError> {
        let [first, second] = self.during;
        let turns = [first, second].into_iter().cycle();
        let starts = (0..minutes.div_ceil(PERIOD_MINUTES))
            .map(|turn| minutes_after(first.start, turn * PERIOD_MINUTES));
        let green: Vec<Stretch> = starts.zip(turns).map(|(start, period)| period.at(start)).collect();
        self.with_blue(&green)
    }

    fn with_blue(&self, green: &[Stretch]) -> Result<Recording, RecordingError> {
        let blue = green.iter().map(|stretch| self.before.at(stretch.start)).collect::<Vec<_>>();
        sides(&blue, green)
    }
}

/// A rollout of a service in which nothing was changed: green is so many minutes from one of its periods on, blue the same
/// number of minutes before that, laid beside them.
///
/// # Errors
/// [`RecordingError`] when a count is negative, or there is no period in these minutes.
pub fn unchanged(periods: &[ServicePeriod], from: Period, minutes: u32) -> Result<Recording, RecordingError> {
    let end = minutes_after(from, minutes);
    let mut green = Vec::new();
    let mut blue = Vec::new();
    for period in periods {
        let later = minutes_after(period.start, minutes);
        if (from..end).contains(&period.start) {
            green.push(period.at(period.start));
        } else if (from..end).contains(&later) {
            blue.push(period.at(later));
        }
    }
    sides(&blue, &green)
}

fn sides(blue: &[Stretch], green: &[Stretch]) -> Result<Recording, RecordingError> {
    let rows = |side, stretches: &[Stretch]| {
        stretches.iter().flat_map(|stretch| stretch.rows(side).collect::<Vec<_>>()).collect::<Vec<_>>()
    };
    let blue = rows(Side::Blue, blue);
    Recording::from_rows(blue.into_iter().chain(rows(Side::Green, green)))
}
