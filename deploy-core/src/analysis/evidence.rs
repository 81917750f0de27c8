//! What a look at a metric in a period ends in (semantics 2).

use serde::{Deserialize, Serialize};

/// What a source answered for one metric in one period. Numbers that are not finite are [`Gap::SourceError`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Reading {
    /// A finite number.
    Number(Finite),
    /// No number.
    Gap(Gap),
}

/// A finite number.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Finite(f64);

/// A number that is NaN or infinite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the number is not finite")]
pub struct NotFinite;

impl Finite {
    /// The number.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Finite {
    type Error = NotFinite;

    fn try_from(number: f64) -> Result<Self, NotFinite> {
        if number.is_finite() { Ok(Self(number)) } else { Err(NotFinite) }
    }
}

impl From<Finite> for f64 {
    fn from(number: Finite) -> Self {
        number.0
    }
}

/// Why a source gave no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gap {
    /// The source answered, and there is nothing for this period.
    Absent,
    /// The period has not settled yet.
    NotYetPublished,
    /// The source could not answer, or answered something that is no number.
    SourceError,
    /// There are too few samples for this statistic to mean anything.
    TooFewSamples,
}

impl Reading {
    /// Nothing was published for this period.
    pub const ABSENT: Self = Self::Gap(Gap::Absent);

    /// A number as it came from a source.
    #[must_use]
    pub fn from_number(number: f64) -> Self {
        Finite::try_from(number).map_or(Self::Gap(Gap::SourceError), Self::Number)
    }
}

/// What a look at a metric in a period ends in: exactly one of six.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Evidence {
    /// A finite number that is there.
    Value(f64),
    /// The request count is known to be zero, so there is nothing to measure.
    NoTraffic,
    /// Not settled yet; a judge never sees it, since only settled periods are evaluated.
    NotYetPublished,
    /// Past its settle time and still absent.
    Missing,
    /// The source failed.
    SourceError,
    /// Too few samples for the statistic.
    TooFewSamples,
}

impl Evidence {
    /// The number, if there is one.
    #[must_use]
    pub const fn value(self) -> Option<f64> {
        match self {
            Self::Value(value) => Some(value),
            Self::NoTraffic
            | Self::NotYetPublished
            | Self::Missing
            | Self::SourceError
            | Self::TooFewSamples => None,
        }
    }

    /// Whether the period counts as blind for a rule that needs this (semantics 3.7).
    #[must_use]
    pub const fn is_blind(self) -> bool {
        match self {
            Self::Missing | Self::SourceError => true,
            Self::Value(_) | Self::NoTraffic | Self::NotYetPublished | Self::TooFewSamples => false,
        }
    }

    /// The evidence in a reading of a settled period: what is not published by now is missing.
    ///
    /// `requests` is the reading of the same side's request count in the same period.
    #[must_use]
    pub fn of(reading: Reading, class: Class, requests: Reading) -> Self {
        let requests = match requests {
            Reading::Number(number) => Some(number.get()),
            Reading::Gap(_) => None,
        };
        match (reading, requests) {
            (Reading::Number(number), _) => Self::Value(number.get()),
            (Reading::Gap(Gap::NotYetPublished), _) => Self::Missing,
            (Reading::Gap(Gap::SourceError), _) => Self::SourceError,
            (Reading::Gap(Gap::TooFewSamples), _) => Self::TooFewSamples,
            (Reading::Gap(Gap::Absent), Some(requests)) if class == Class::Sparse && requests > 0.0 => {
                Self::Value(0.0)
            }
            (Reading::Gap(Gap::Absent), Some(0.0)) if class != Class::Independent => Self::NoTraffic,
            (Reading::Gap(Gap::Absent), _) => Self::Missing,
        }
    }

    /// The evidence for `part / whole` (semantics 2): `NoTraffic` over a whole of 0, else what the whole lacks, else what the
    /// part lacks.
    #[must_use]
    pub fn rate(part: Self, whole: Self, complement: bool) -> Self {
        match (part, whole) {
            (_, Self::Value(0.0)) => Self::NoTraffic,
            (Self::Value(part), Self::Value(whole)) => Self::Value(quotient(part, whole, complement)),
            (lacking, Self::Value(_)) => lacking,
            (_, lacking) => lacking,
        }
    }
}

/// `part / whole`, or `1 - part / whole` with a single rounding, so that a boundary such as 99.9 % is exact.
#[must_use]
pub(crate) fn quotient(part: f64, whole: f64, complement: bool) -> f64 {
    if complement { (whole - part) / whole } else { part / whole }
}

/// How a metric is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Whenever there is traffic.
    Plain,
    /// Only when it is not zero.
    Sparse,
    /// Whether there is traffic or not.
    Independent,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(number: f64) -> Reading {
        Reading::from_number(number)
    }

    #[test]
    fn a_sparse_count_is_zero_only_where_requests_were_seen() {
        let absent = |requests| Evidence::of(Reading::ABSENT, Class::Sparse, requests);
        assert_eq!(absent(number(1.0)), Evidence::Value(0.0));
        assert_eq!(absent(number(0.0)), Evidence::NoTraffic);
        assert_eq!(absent(Reading::ABSENT), Evidence::Missing);
        assert_eq!(absent(number(f64::NAN)), Evidence::Missing);
    }

    #[test]
    fn memory_does_not_depend_on_traffic() {
        let absent = |class| Evidence::of(Reading::ABSENT, class, number(0.0));
        assert_eq!(absent(Class::Plain), Evidence::NoTraffic);
        assert_eq!(absent(Class::Independent), Evidence::Missing);
    }

    #[test]
    fn a_number_is_a_value_whatever_the_requests_say() {
        assert_eq!(Evidence::of(number(3.0), Class::Sparse, number(0.0)), Evidence::Value(3.0));
        assert_eq!(Evidence::of(number(f64::INFINITY), Class::Plain, number(9.0)), Evidence::SourceError);
    }

    #[test]
    fn a_rate_is_what_its_whole_is_or_else_its_part() {
        use Evidence::{Missing, NoTraffic, SourceError, Value};
        assert_eq!(Evidence::rate(Missing, Value(0.0), false), NoTraffic);
        assert_eq!(Evidence::rate(SourceError, Missing, false), Missing);
        assert_eq!(Evidence::rate(SourceError, Value(1.0), false), SourceError);
        assert_eq!(Evidence::rate(Value(1.0), Value(1000.0), true), Value(0.999));
    }

    #[test]
    fn a_reading_is_written_as_a_number_or_a_word() {
        let text = serde_json::to_string(&[number(0.5), Reading::ABSENT, number(f64::NAN)]).unwrap();
        assert_eq!(text, r#"[0.5,"absent","source-error"]"#);
        let back: [Reading; 3] = serde_json::from_str(&text).unwrap();
        assert_eq!(back, [number(0.5), Reading::ABSENT, number(f64::NAN)]);
    }
}
