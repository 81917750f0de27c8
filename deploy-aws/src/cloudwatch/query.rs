//! A metric of CloudWatch and the statistic that is asked of it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// A statistic of CloudWatch, by its name there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Statistic(Cow<'static, str>);

/// Text that is no statistic of CloudWatch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no statistic of CloudWatch: write Sum, Average, Minimum, Maximum, SampleCount, a percentile such as p95, or a range \
     such as PR(0.5:)"
)]
pub struct InvalidStatistic(String);

impl Statistic {
    /// The sum of the values.
    pub const SUM: Self = Self(Cow::Borrowed("Sum"));
    /// The mean of the values.
    pub const AVERAGE: Self = Self(Cow::Borrowed("Average"));
    /// The least value.
    pub const MINIMUM: Self = Self(Cow::Borrowed("Minimum"));
    /// The greatest value.
    pub const MAXIMUM: Self = Self(Cow::Borrowed("Maximum"));
    /// How many values there are.
    pub const SAMPLE_COUNT: Self = Self(Cow::Borrowed("SampleCount"));
    pub(super) const P50: Self = Self(Cow::Borrowed("p50"));
    pub(super) const P95: Self = Self(Cow::Borrowed("p95"));
    pub(super) const P99: Self = Self(Cow::Borrowed("p99"));

    /// How many percent of the values are above a limit (`PR(limit:)`).
    #[must_use]
    pub fn percent_above(limit: f64) -> Self {
        Self(Cow::Owned(format!("PR({limit}:)")))
    }

    /// How many values are above a limit (`TC(limit:)`): a count, which can be added up and tested.
    #[must_use]
    pub fn count_above(limit: f64) -> Self {
        Self(Cow::Owned(format!("TC({limit}:)")))
    }

    /// Its name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the statistics of two sets of values add up to the statistic of both.
    pub(super) fn adds_up(&self) -> bool {
        matches!(self.as_str(), "Sum" | "SampleCount") || self.0.starts_with("TC") || self.0.starts_with("TS")
    }

    /// How many values a percentile needs to mean something, by CloudWatch's own rule; `None` if it is none.
    pub(super) fn samples_needed(&self) -> Option<f64> {
        let percent: f64 = self.0.strip_prefix('p')?.parse().ok()?;
        let tail = (percent / 100.0).min(1.0 - percent / 100.0);
        // 10 / (1 - p) above the median, 10 / p below it.
        Some(10.0 / tail)
    }
}

impl FromStr for Statistic {
    type Err = InvalidStatistic;

    fn from_str(text: &str) -> Result<Self, InvalidStatistic> {
        let known = ["Sum", "Average", "Minimum", "Maximum", "SampleCount", "IQM"].contains(&text);
        if known || is_percent(text) || is_range(text) {
            return Ok(Self(Cow::Owned(text.to_owned())));
        }
        Err(InvalidStatistic(text.to_owned()))
    }
}

/// `p95`, `tm99`.
fn is_percent(text: &str) -> bool {
    let digits = ["p", "tm", "wm", "tc", "ts"].iter().find_map(|prefix| text.strip_prefix(prefix));
    let is_number = |digits: &str| digits.starts_with(|first: char| first.is_ascii_digit());
    let percent = digits.filter(|digits| is_number(digits)).and_then(|digits| digits.parse::<f64>().ok());
    percent.is_some_and(|percent| (0.0..=100.0).contains(&percent))
}

/// `PR(0.5:)`, `TM(10%:90%)`.
fn is_range(text: &str) -> bool {
    let bounds = ["PR", "TM", "WM", "TC", "TS"].iter().find_map(|prefix| text.strip_prefix(prefix));
    let bounds = bounds.and_then(|bounds| bounds.strip_prefix('(')?.strip_suffix(')')?.split_once(':'));
    let is_bound = |bound: &str| {
        bound.is_empty() || bound.strip_suffix('%').unwrap_or(bound).parse::<f64>().is_ok_and(f64::is_finite)
    };
    bounds.is_some_and(|(from, to)| !(from.is_empty() && to.is_empty()) && is_bound(from) && is_bound(to))
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What CloudWatch is asked for: the same query of two rollouts is one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Query {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) dimensions: BTreeMap<String, String>,
    pub(super) statistic: Statistic,
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} {}", self.statistic, self.namespace, self.name)?;
        self.dimensions.iter().try_for_each(|(name, value)| write!(f, " {name}={value}"))
    }
}

/// What a query came to in a minute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Outcome {
    /// It has this value.
    Value(f64),
    /// CloudWatch has answered, and there is none.
    Absent,
    /// CloudWatch could not say.
    Failed,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_those_that_cloudwatch_has() {
        for text in
            ["Sum", "p95", "p99.9", "p0", "tm99", "IQM", "PR(0.5:)", "PR(:300)", "TM(10%:90%)", "TC(0.5:2)"]
        {
            assert_eq!(text.parse::<Statistic>().unwrap().as_str(), text);
        }
        for text in
            ["", "sum", "p", "p101", "p-5", "pinf", "PR", "PR()", "PR(:)", "PR(a:)", "PR(1:2", "XX(1:2)"]
        {
            assert!(text.parse::<Statistic>().is_err(), "{text}");
        }
        assert_eq!(Statistic::percent_above(0.5).as_str(), "PR(0.5:)");
        assert!(Statistic::count_above(0.5).adds_up() && !Statistic::percent_above(0.5).adds_up());
    }

    #[test]
    fn a_percentile_needs_ten_values_beyond_it() {
        let needed = |text: &str| text.parse::<Statistic>().unwrap().samples_needed().map(f64::round);
        assert_eq!(["p50", "p95", "p99", "p5"].map(needed), [20.0, 200.0, 1000.0, 200.0].map(Some));
        assert_eq!(needed("Sum"), None);
    }
}
