//! How the answers of several queries make one reading.

use mpac_deploy_core::analysis::{Gap, Reading};

use super::query::{Outcome, Query};

/// What a metric is made of.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Formula {
    pub(super) combine: Combine,
    pub(super) parts: Vec<Part>,
}

/// One query of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part {
    pub(super) query: Query,
    pub(super) scale: f64,
    /// How many values it must rest on, and the query that tells how many they are.
    pub(super) samples: Option<(Query, f64)>,
}

/// What several values make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Combine {
    /// The sum of those that are there: a count that is not published is none.
    Sum,
    /// The highest of those that are there: who has no traffic has no latency.
    Highest,
    /// The highest; none if one is not there.
    HighestOfAll,
    /// The lowest; none if one is not there.
    LowestOfAll,
}

impl Formula {
    pub(super) fn queries(&self) -> impl Iterator<Item = &Query> {
        self.parts.iter().flat_map(|part| {
            std::iter::once(&part.query).chain(part.samples.as_ref().map(|(query, _)| query))
        })
    }

    /// The reading, by what each query came to.
    pub(super) fn reading(&self, outcome: impl Fn(&Query) -> Outcome) -> Reading {
        let (mut values, mut absent, mut too_few) = (Vec::new(), false, false);
        for part in &self.parts {
            match outcome(&part.query) {
                // A sum without a part, or a maximum, would be a number that nobody has measured.
                Outcome::Failed => return Reading::Gap(Gap::SourceError),
                Outcome::Absent => absent = true,
                Outcome::Value(value) => match part.has_samples(&outcome) {
                    None => return Reading::Gap(Gap::SourceError),
                    Some(false) => too_few = true,
                    Some(true) => values.push(scaled(value, part.scale)),
                },
            }
        }
        let combined = match self.combine {
            Combine::Sum => values.into_iter().reduce(|one, other| one + other),
            Combine::Highest => values.into_iter().reduce(f64::max),
            Combine::HighestOfAll => values.into_iter().reduce(f64::max).filter(|_| !absent),
            Combine::LowestOfAll => values.into_iter().reduce(f64::min).filter(|_| !absent),
        };
        match combined {
            Some(number) => Reading::from_number(number),
            None if too_few => Reading::Gap(Gap::TooFewSamples),
            None => Reading::ABSENT,
        }
    }
}

impl Part {
    /// Whether it rests on enough values; `None` if CloudWatch could not say.
    fn has_samples(&self, outcome: &impl Fn(&Query) -> Outcome) -> Option<bool> {
        let Some((query, needed)) = &self.samples else { return Some(true) };
        match outcome(query) {
            Outcome::Value(count) => Some(count >= *needed),
            Outcome::Absent => Some(false),
            Outcome::Failed => None,
        }
    }
}

/// The value times the scale. A scale that is one part of a whole number, such as 0.01, divides by it: 70 % are 0.7 and not
/// 0.7000000000000001, which a limit at 0.7 would tell apart.
fn scaled(value: f64, scale: f64) -> f64 {
    let parts = scale.recip().round();
    if parts.recip() == scale { value / parts } else { value * scale }
}

#[cfg(test)]
mod tests {
    use super::super::query::Statistic;
    use super::*;

    fn formula(combine: Combine, samples: bool) -> Formula {
        let query = |name: &str, statistic| Query {
            namespace: "X".into(),
            name: name.into(),
            dimensions: Default::default(),
            statistic,
        };
        let part = |name: &str| Part {
            query: query(name, Statistic::P95),
            scale: 2.0,
            samples: samples.then(|| (query(name, Statistic::SAMPLE_COUNT), 200.0)),
        };
        Formula { combine, parts: vec![part("a"), part("b")] }
    }

    fn reading(combine: Combine, a: Outcome, b: Outcome) -> Reading {
        formula(combine, false).reading(|query| if query.name == "a" { a } else { b })
    }

    #[test]
    fn a_sum_is_of_those_that_are_there() {
        use Outcome::{Absent, Failed, Value};
        assert_eq!(reading(Combine::Sum, Value(1.0), Value(2.0)), Reading::from_number(6.0));
        assert_eq!(reading(Combine::Sum, Absent, Value(2.0)), Reading::from_number(4.0));
        assert_eq!(reading(Combine::Sum, Absent, Absent), Reading::ABSENT);
        assert_eq!(reading(Combine::Sum, Failed, Value(2.0)), Reading::Gap(Gap::SourceError));
    }

    #[test]
    fn the_worst_of_several_is_taken_and_some_need_all() {
        use Outcome::{Absent, Value};
        assert_eq!(reading(Combine::Highest, Value(1.0), Value(2.0)), Reading::from_number(4.0));
        assert_eq!(reading(Combine::Highest, Value(1.0), Absent), Reading::from_number(2.0));
        assert_eq!(reading(Combine::HighestOfAll, Value(1.0), Absent), Reading::ABSENT);
        assert_eq!(reading(Combine::LowestOfAll, Value(1.0), Value(0.0)), Reading::from_number(0.0));
        assert_eq!(reading(Combine::LowestOfAll, Value(1.0), Absent), Reading::ABSENT);
        assert_eq!(reading(Combine::Sum, Value(f64::NAN), Absent), Reading::Gap(Gap::SourceError));
    }

    #[test]
    fn a_percentile_of_few_values_is_too_few_samples_unless_another_part_has_enough() {
        let read = |a: f64, b: f64| {
            formula(Combine::Highest, true).reading(|query| {
                match (query.name.as_str(), query.statistic.as_str()) {
                    ("a", "SampleCount") => Outcome::Value(a),
                    (_, "SampleCount") => Outcome::Value(b),
                    ("a", _) => Outcome::Value(9.0),
                    _ => Outcome::Value(1.0),
                }
            })
        };
        assert_eq!(read(200.0, 200.0), Reading::from_number(18.0));
        assert_eq!(read(199.0, 200.0), Reading::from_number(2.0));
        assert_eq!(read(199.0, 0.0), Reading::Gap(Gap::TooFewSamples));
    }
}
