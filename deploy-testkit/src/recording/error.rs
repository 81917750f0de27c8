//! What can be wrong with a recording. Every error says where, what stands there and what to do.

use mpac_deploy_core::metric::{Metric, Side};
use mpac_deploy_core::time::Period;

use super::{MAX_LINE_BYTES, MAX_METRIC_BYTES, MAX_METRICS, MAX_SPAN_YEARS};

/// How many characters of an offending text an error repeats.
const QUOTED_CHARS: usize = 60;

/// A recording that cannot be read. Lines count from 1, and the header is line 1.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordingError {
    /// The source failed.
    #[error("cannot read the recording{}: {source}", after(*line))]
    Io {
        /// The last line that was read.
        line: u32,
        /// What the source said.
        source: std::io::Error,
    },
    /// There is not even a header.
    #[error("the recording is empty: it must begin with the header `time,side,metric,value`")]
    Empty,
    /// The first line is another one than the header.
    #[error("line {line}: `{found}` is not the header: the first line must be `time,side,metric,value`")]
    Header {
        /// The line.
        line: u32,
        /// What stands there.
        found: String,
    },
    /// A line has more or fewer than four fields.
    #[error("line {line}: {found} fields instead of 4: write `time,side,metric,value`")]
    Fields {
        /// The line.
        line: u32,
        /// How many fields it has.
        found: usize,
    },
    /// The last line ends before its fourth field does.
    #[error(
        "line {line}: the file ends in the middle of this line, after {found} of 4 fields: \
         it was cut short; record it again or remove the line"
    )]
    Truncated {
        /// The line.
        line: u32,
        /// How many fields it has.
        found: usize,
    },
    /// A line that never ends, mostly a quotation mark without its partner.
    #[error(
        "line {line}: longer than {MAX_LINE_BYTES} bytes: close the quotation mark that was opened there, \
         or check that the file is text"
    )]
    LineTooLong {
        /// The line.
        line: u32,
    },
    /// More lines than can be numbered.
    #[error("line {line}: too many lines: split the recording")]
    TooManyLines {
        /// The line.
        line: u32,
    },
    /// Bytes that are no text.
    #[error("line {line}: `{text}` is not UTF-8: save the file as UTF-8")]
    NotUtf8 {
        /// The line.
        line: u32,
        /// The field, with `\u{fffd}` for what cannot be read.
        text: String,
    },
    /// Text that is no time.
    #[error("line {line}: `{text}` is no time: write RFC 3339 with an offset, such as 2026-01-28T09:00:00Z")]
    Time {
        /// The line.
        line: u32,
        /// What stands there.
        text: String,
    },
    /// A time within a minute.
    #[error(
        "line {line}: `{text}` is not on a whole minute: write the start of the 60-second period, \
         with 00 seconds"
    )]
    NotWholeMinute {
        /// The line.
        line: u32,
        /// What stands there.
        text: String,
    },
    /// A time that its UTC offset moves out of the years that can be written.
    #[error("line {line}: `{text}` is outside the years 0000 to 9999 in UTC: correct the time")]
    TimeOutOfRange {
        /// The line.
        line: u32,
        /// What stands there.
        text: String,
    },
    /// Another side than the two.
    #[error("line {line}: `{text}` is no side: write `blue` or `green`")]
    Side {
        /// The line.
        line: u32,
        /// What stands there.
        text: String,
    },
    /// A metric without a name, or with one that would not be read back.
    #[error("line {line}: `{text}` is no name of a metric: write one without spaces around it")]
    MetricName {
        /// The line.
        line: u32,
        /// What stands there.
        text: String,
    },
    /// A name that is too long.
    #[error(
        "line {line}: the name of the metric, `{text}`, has {bytes} bytes: use at most {MAX_METRIC_BYTES}"
    )]
    MetricNameTooLong {
        /// The line.
        line: u32,
        /// The beginning of the name.
        text: String,
        /// Its length.
        bytes: usize,
    },
    /// Too many names.
    #[error(
        "line {line}: `{text}` is one name of a metric too many: a recording holds at most {MAX_METRICS}; \
         leave out those that no rule uses"
    )]
    TooManyMetrics {
        /// The line.
        line: u32,
        /// The name.
        text: String,
    },
    /// Text that is no number.
    #[error("line {line}: `{text}` is no number: write one such as 12, 0.5 or NaN, without a unit")]
    Number {
        /// The line.
        line: u32,
        /// What stands there.
        text: String,
    },
    /// A count below zero.
    #[error("line {line}: {value} is negative, but `{metric}` is a count: write 0 or more")]
    NegativeCount {
        /// The line.
        line: u32,
        /// The metric.
        metric: Metric,
        /// The value.
        value: f64,
    },
    /// A time so far from another one that one of them must be wrong.
    #[error(
        "line {line}: the recording spans more than {MAX_SPAN_YEARS} years, from {first} to {last}: \
         correct the time or split the recording"
    )]
    Span {
        /// The line that made the span too long.
        line: u32,
        /// The first period up to that line.
        first: Period,
        /// The last period up to that line.
        last: Period,
    },
    /// Two rows for one value.
    #[error(
        "line {second}: {side} already has a value of `{metric}` at {period}, on line {first}: remove one of the two"
    )]
    Duplicate {
        /// The earlier line.
        first: u32,
        /// The later line.
        second: u32,
        /// The period that both speak of.
        period: Period,
        /// The side.
        side: Side,
        /// The metric.
        metric: Metric,
    },
    /// Without requests of green it is unknown where the replay starts.
    #[error(
        "the recording has no row of `requests` for green, so it cannot say when green first got traffic: \
         add the request counts"
    )]
    NoGreenRequests,
}

impl RecordingError {
    /// The line to look at: of a duplicate the later one, and none where the whole file is meant.
    #[must_use]
    pub const fn line(&self) -> Option<u32> {
        match self {
            Self::Empty | Self::NoGreenRequests => None,
            Self::Duplicate { second, .. } => Some(*second),
            Self::Io { line, .. }
            | Self::Header { line, .. }
            | Self::Fields { line, .. }
            | Self::Truncated { line, .. }
            | Self::LineTooLong { line }
            | Self::TooManyLines { line }
            | Self::NotUtf8 { line, .. }
            | Self::Time { line, .. }
            | Self::NotWholeMinute { line, .. }
            | Self::TimeOutOfRange { line, .. }
            | Self::Side { line, .. }
            | Self::MetricName { line, .. }
            | Self::MetricNameTooLong { line, .. }
            | Self::TooManyMetrics { line, .. }
            | Self::Number { line, .. }
            | Self::NegativeCount { line, .. }
            | Self::Span { line, .. } => Some(*line),
        }
    }
}

/// The beginning of `text`, on one line: an error must stay readable whatever the file holds.
pub(super) fn shortened(text: &str) -> String {
    let mut chars = text.chars();
    let mut short: String = chars.by_ref().take(QUOTED_CHARS).flat_map(char::escape_debug).collect();
    if chars.next().is_some() {
        short.push('…');
    }
    short
}

/// Where reading stopped; nothing of it when it stopped before the first line.
fn after(line: u32) -> String {
    if line == 0 { String::new() } else { format!(" after line {line}") }
}
