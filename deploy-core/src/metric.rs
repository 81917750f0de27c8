//! Metrics: which side, which name, which unit, and what a rule looks at.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Blue is what serves now, green is what shall serve next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The current production environment.
    Blue,
    /// The new version.
    Green,
}

impl Side {
    /// The other side.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Blue => Self::Green,
            Self::Green => Self::Blue,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Blue => "blue",
            Self::Green => "green",
        })
    }
}

/// The name of a metric of one side in one period (semantics 6).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Metric {
    /// `requests`: requests in the period, a count.
    Requests,
    /// `errors`: failed requests in the period, a count.
    Errors,
    /// `http_5xx`: responses with a status of 500 to 599 in the period, a count.
    Http5xx,
    /// `latency_p50_ms`: the median response time in milliseconds.
    LatencyP50,
    /// `latency_p95_ms`: the 95th percentile of the response time in milliseconds.
    LatencyP95,
    /// `latency_p99_ms`: the 99th percentile of the response time in milliseconds.
    LatencyP99,
    /// `db_connection_errors`: failed database connections in the period, a count.
    DbConnectionErrors,
    /// `memory_utilization`: used memory as a share from 0 to 1.
    MemoryUtilization,
    /// `transactions`: business transactions in the period, a count.
    Transactions,
    /// `transaction_failures`: failed business transactions in the period, a count.
    TransactionFailures,
    /// `log_anomalies`: anomalies found in the logs of the period, a count.
    LogAnomalies,
    /// `postgres_up`: 1 while PostgreSQL answers, 0 while it does not.
    PostgresUp,
    /// `redis_up`: 1 while Redis answers, 0 while it does not.
    RedisUp,
    /// Any other name.
    Custom(Arc<str>),
}

/// What the numbers of a metric mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A number of things in the period.
    Count,
    /// A share from 0 to 1, written as a percentage.
    Ratio,
    /// Milliseconds.
    Millis,
    /// 1 while a service answers, 0 while it does not.
    Flag,
    /// A custom metric: a plain number.
    Plain,
}

impl Metric {
    /// Every metric that has a meaning of its own.
    pub const KNOWN: [Self; 13] = [
        Self::Requests,
        Self::Errors,
        Self::Http5xx,
        Self::LatencyP50,
        Self::LatencyP95,
        Self::LatencyP99,
        Self::DbConnectionErrors,
        Self::MemoryUtilization,
        Self::Transactions,
        Self::TransactionFailures,
        Self::LogAnomalies,
        Self::PostgresUp,
        Self::RedisUp,
    ];

    /// The name as it stands in a recording and in a policy.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Requests => "requests",
            Self::Errors => "errors",
            Self::Http5xx => "http_5xx",
            Self::LatencyP50 => "latency_p50_ms",
            Self::LatencyP95 => "latency_p95_ms",
            Self::LatencyP99 => "latency_p99_ms",
            Self::DbConnectionErrors => "db_connection_errors",
            Self::MemoryUtilization => "memory_utilization",
            Self::Transactions => "transactions",
            Self::TransactionFailures => "transaction_failures",
            Self::LogAnomalies => "log_anomalies",
            Self::PostgresUp => "postgres_up",
            Self::RedisUp => "redis_up",
            Self::Custom(name) => name,
        }
    }

    /// What the numbers of this metric mean.
    #[must_use]
    pub fn unit(&self) -> Unit {
        match self {
            Self::Requests
            | Self::Errors
            | Self::Http5xx
            | Self::DbConnectionErrors
            | Self::Transactions
            | Self::TransactionFailures
            | Self::LogAnomalies => Unit::Count,
            Self::LatencyP50 | Self::LatencyP95 | Self::LatencyP99 => Unit::Millis,
            Self::MemoryUtilization => Unit::Ratio,
            Self::PostgresUp | Self::RedisUp => Unit::Flag,
            Self::Custom(name) if name.ends_with("_up") => Unit::Flag,
            Self::Custom(_) => Unit::Plain,
        }
    }

    /// Whether the metric speaks of a service's state rather than of requests, so that a period without
    /// traffic explains nothing when it is absent (`*_up` and `memory_utilization`, semantics 2).
    #[must_use]
    pub fn is_independent_of_traffic(&self) -> bool {
        self.unit() == Unit::Flag || *self == Self::MemoryUtilization
    }
}

impl From<&str> for Metric {
    fn from(name: &str) -> Self {
        let known = Self::KNOWN.iter().find(|metric| metric.name() == name);
        known.cloned().unwrap_or_else(|| Self::Custom(Arc::from(name)))
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Metric {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Metric {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = <alloc::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        check_name(&name).map_err(de::Error::custom)?;
        Ok(Self::from(&*name))
    }
}

/// What a rule looks at: a metric, or a rate that is made from two counts (never from a mean of rates, semantics 2).
///
/// The text form is `latency_p95_ms`, `errors / requests` or `1 - errors / requests`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    /// A metric as it is.
    Metric(Metric),
    /// `part / whole`.
    Rate {
        /// The numerator.
        part: Metric,
        /// The denominator.
        whole: Metric,
    },
    /// `1 - part / whole`.
    Complement {
        /// The numerator.
        part: Metric,
        /// The denominator.
        whole: Metric,
    },
}

impl Signal {
    /// The unit in which a limit on this signal is written.
    #[must_use]
    pub fn unit(&self) -> Unit {
        match self {
            Self::Metric(metric) => metric.unit(),
            Self::Rate { .. } | Self::Complement { .. } => Unit::Ratio,
        }
    }

    /// The metrics that the signal is made of: one, or the part and the whole.
    pub fn metrics(&self) -> impl Iterator<Item = &Metric> {
        let (first, second) = match self {
            Self::Metric(metric) => (metric, None),
            Self::Rate { part, whole } | Self::Complement { part, whole } => (part, Some(whole)),
        };
        core::iter::once(first).chain(second)
    }
}

/// Text that is no signal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no signal: write a metric such as `latency_p95_ms`, a rate such as `errors / requests`, \
     or its complement, `1 - errors / requests`"
)]
pub struct InvalidSignal(String);

pub(crate) fn check_name(name: &str) -> Result<(), InvalidSignal> {
    let fits = |c: char| !c.is_whitespace() && !c.is_control() && c != '/' && c != ',';
    if name.is_empty() || !name.chars().all(fits) { Err(InvalidSignal(name.to_string())) } else { Ok(()) }
}

impl FromStr for Signal {
    type Err = InvalidSignal;

    fn from_str(text: &str) -> Result<Self, InvalidSignal> {
        let invalid = || InvalidSignal(text.to_string());
        let metric = |name: &str| {
            let name = name.trim();
            check_name(name).map_err(|_| invalid())?;
            Ok(Metric::from(name))
        };
        let (complement, rate) = match text.trim().strip_prefix('1').map(str::trim_start) {
            Some(rest) if rest.starts_with('-') => (true, &rest[1..]),
            _ => (false, text),
        };
        match (rate.split_once('/'), complement) {
            (Some((part, whole)), false) => Ok(Self::Rate { part: metric(part)?, whole: metric(whole)? }),
            (Some((part, whole)), true) => {
                Ok(Self::Complement { part: metric(part)?, whole: metric(whole)? })
            }
            (None, false) => Ok(Self::Metric(metric(rate)?)),
            (None, true) => Err(invalid()),
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Metric(metric) => write!(f, "{metric}"),
            Self::Rate { part, whole } => write!(f, "{part} / {whole}"),
            Self::Complement { part, whole } => write!(f, "1 - {part} / {whole}"),
        }
    }
}

impl Serialize for Signal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Signal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <alloc::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_metric_is_found_by_its_name() {
        for metric in Metric::KNOWN {
            assert_eq!(Metric::from(metric.name()), metric);
        }
        assert_eq!(Metric::from("kafka_up").unit(), Unit::Flag);
    }

    #[test]
    fn a_signal_is_read_as_it_is_written() {
        for text in ["latency_p95_ms", "errors / requests", "1 - errors / requests", "carts / visits"] {
            assert_eq!(text.parse::<Signal>().unwrap().to_string(), text);
        }
        for text in ["", "a b", "errors /", "1 - errors", "a / b / c"] {
            assert!(text.parse::<Signal>().is_err(), "{text}");
        }
    }
}
