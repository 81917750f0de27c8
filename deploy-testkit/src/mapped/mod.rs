//! Public data sets read as [`Recording`](crate::recording::Recording)s, and what a policy would have done on each.
//!
//! None of them was recorded for a rollout: they have other periods than a minute, one service instead of two sides, and seldom
//! a count of requests. So every number of such a recording is *mapped*, and what was assumed is said where it is done:
//!
//! * [`nab`]: the Numenta Anomaly Benchmark, one series a file, mostly a value every five minutes;
//! * [`petshop`]: a web shop on AWS with injected faults; latency, requests and availability every five minutes.
//!
//! A value that holds for a longer period is repeated in each of its minutes, and a count is spread over them evenly. So a
//! single bad period of five minutes looks like five bad minutes in a row, which is what a trigger with "5 consecutive" waits
//! for. An error count that is made from an availability is no measured error rate, and is never called one.
//!
//! [`survey()`] replays all of them; [`page`] writes the tables of the book's page "Recordings".

pub mod nab;
pub mod page;
pub mod petshop;
pub mod survey;
#[cfg(test)]
mod tests;

use std::time::Duration;

use mpac_deploy_core::metric::{Metric, Side};
use mpac_deploy_core::time::{Period, Timestamp};

pub use survey::{Ending, Survey, SurveyError, survey};

/// The longest that a rollout of the preset can take: 2 x (15 + 30 + 60) minutes (semantics 4).
pub const LONGEST_ROLLOUT: u32 = 210;

/// A file that is not what it should be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MapError {
    /// It is no CSV.
    #[error("this is no CSV: {0}")]
    Csv(#[from] csv::Error),
    /// It is no JSON.
    #[error("this is no JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// Something that must be there is not.
    #[error("there is no {0}")]
    Missing(String),
    /// Text that should be a number.
    #[error("line {line}: `{text}` is no finite number")]
    Number {
        /// The line, counted from 1.
        line: usize,
        /// The text.
        text: String,
    },
    /// Text that should be a time.
    #[error("line {line}: `{text}` is no time")]
    Time {
        /// The line, counted from 1.
        line: usize,
        /// The text.
        text: String,
    },
}

/// Values of one side that hold in each of some minutes in a row.
#[derive(Clone, Debug)]
struct Stretch {
    start: Period,
    minutes: u32,
    values: Vec<(Metric, f64)>,
}

impl Stretch {
    fn rows(&self, side: Side) -> impl Iterator<Item = (Period, Side, Metric, f64)> {
        (0..self.minutes).flat_map(move |minute| {
            let period = minutes_after(self.start, minute);
            self.values.iter().map(move |(metric, value)| (period, side, metric.clone(), *value))
        })
    }
}

fn minutes_after(period: Period, minutes: u32) -> Period {
    Period::containing(period.start().after(Duration::from_secs(60 * u64::from(minutes))))
}

fn minutes_before(period: Period, minutes: u32) -> Period {
    let back = i64::from(minutes) * 60_000;
    Period::containing(Timestamp::from_millis(period.start().as_millis().saturating_sub(back)))
}

fn number(text: &str, line: usize) -> Result<f64, MapError> {
    let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    number.ok_or_else(|| MapError::Number { line, text: text.to_owned() })
}
