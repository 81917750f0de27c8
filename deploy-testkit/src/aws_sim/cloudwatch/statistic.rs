//! Statistics over the values of a period.

use std::str::FromStr;

/// A value and how often it came.
pub(super) type Weighted = (f64, f64);

/// How far a share may be off by rounding.
const ROUNDING: f64 = 1e-9;

/// What is made of the values of a period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Statistic {
    SampleCount,
    Sum,
    Average,
    Minimum,
    Maximum,
    /// `p95`: the least value that so many percent of all values do not exceed.
    Percentile(f64),
    /// `PR(a:b)`: how many percent of the values are above `a` and not above `b`.
    Rank(Bounds),
    /// `TC(a:b)`: how many values are above `a` and not above `b`.
    Count(Bounds),
}

/// From here (exclusive) to there (inclusive).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bounds {
    above: f64,
    up_to: f64,
}

impl Bounds {
    fn hold(self, value: f64) -> bool {
        self.above < value && value <= self.up_to
    }
}

impl FromStr for Statistic {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(match text {
            "SampleCount" => Self::SampleCount,
            "Sum" => Self::Sum,
            "Average" => Self::Average,
            "Minimum" => Self::Minimum,
            "Maximum" => Self::Maximum,
            _ => return ranged(text).or_else(|| percentile(text)).ok_or(()),
        })
    }
}

fn percentile(text: &str) -> Option<Statistic> {
    let percent: f64 = text.strip_prefix('p')?.parse().ok()?;
    (0.0..=100.0).contains(&percent).then_some(Statistic::Percentile(percent))
}

fn ranged(text: &str) -> Option<Statistic> {
    let (name, rest) = text.split_once('(')?;
    let (above, up_to) = rest.strip_suffix(')')?.split_once(':')?;
    let bound = |text: &str, open: f64| if text.is_empty() { Ok(open) } else { text.parse() };
    let bounds =
        Bounds { above: bound(above, f64::NEG_INFINITY).ok()?, up_to: bound(up_to, f64::INFINITY).ok()? };
    match name {
        "PR" => Some(Statistic::Rank(bounds)),
        "TC" => Some(Statistic::Count(bounds)),
        _ => None,
    }
}

impl Statistic {
    /// The statistic of these values; `None` if there are none.
    pub(super) fn of(self, mut values: Vec<Weighted>) -> Option<f64> {
        values.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        let (first, last) = (values.first()?.0, values.last()?.0);
        let count: f64 = values.iter().map(|(_, count)| count).sum();
        let sum: f64 = values.iter().map(|(value, count)| value * count).sum();
        let within = |bounds: Bounds| -> f64 {
            values.iter().filter(|(value, _)| bounds.hold(*value)).map(|(_, count)| count).sum()
        };
        Some(match self {
            Self::SampleCount => count,
            Self::Sum => sum,
            Self::Average => sum / count,
            Self::Minimum => first,
            Self::Maximum => last,
            Self::Percentile(percent) => ranked(&values, count * percent / 100.0).unwrap_or(last),
            Self::Rank(bounds) => 100.0 * within(bounds) / count,
            Self::Count(bounds) => within(bounds),
        })
    }
}

/// The first value up to which there are so many.
fn ranked(sorted: &[Weighted], rank: f64) -> Option<f64> {
    let mut seen = 0.0;
    let reached = sorted.iter().find(|(_, count)| {
        seen += count;
        seen * (1.0 + ROUNDING) >= rank
    });
    reached.map(|(value, _)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(statistic: &str) -> f64 {
        let values = (1..=100).map(|value| (f64::from(value), 1.0)).collect();
        statistic.parse::<Statistic>().unwrap().of(values).unwrap()
    }

    #[test]
    fn statistics_are_those_of_aws() {
        let found =
            ["SampleCount", "Sum", "Average", "Minimum", "Maximum", "p50", "p95", "p99.5", "p100"].map(of);
        assert_eq!(found, [100.0, 5050.0, 50.5, 1.0, 100.0, 50.0, 95.0, 100.0, 100.0]);
    }

    #[test]
    fn a_range_excludes_its_lower_bound_and_includes_its_upper_one() {
        assert_eq!(["PR(:90)", "PR(90:)", "PR(10:20)", "TC(10:20)"].map(of), [90.0, 10.0, 10.0, 10.0]);
    }

    #[test]
    fn what_is_no_statistic_is_refused() {
        for text in ["", "sum", "p", "p101", "p-1", "PR(1)", "PR(a:b)", "TM(1:2)"] {
            assert_eq!(text.parse::<Statistic>(), Err(()), "{text}");
        }
    }
}
