//! Random recordings: a healthy rollout in which a few things go wrong, mostly close to the limits of the preset `mpac`.

use std::ops::Range;

use mpac_deploy_core::metric::{Metric, Side};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::Union;

use crate::recording::{Draft, Recording};

/// The longest recording in minutes: every stage of the preset can use up its deadline, and a little is left.
const MAX_MINUTES: i64 = 260;
/// The minutes around which a stage begins, ends or reaches its deadline when nothing delays it.
const EDGES: [i64; 14] = [0, 12, 13, 14, 15, 16, 29, 43, 44, 45, 46, 74, 75, 104];

/// Recordings of 1 to 260 minutes for the preset `mpac`.
///
/// A good part completes, a good part is in progress at its end, and every rule of the preset rolls some back. They hold values exactly at
/// the limits, gaps, `NaN` and infinities, minutes without requests or without any row, metrics that a side lacks
/// altogether, services that are down, memory that grows, blue present and absent, its history, and what it has after green's
/// last row. They shrink towards a short, healthy, even recording with one fault.
pub fn recordings() -> impl Strategy<Value = Recording> {
    shapes().prop_filter_map("green needs a row of requests", |shape| shape.draw().build().ok())
}

/// What a recording is drawn from.
#[derive(Clone, Debug)]
struct Shape {
    minutes: i64,
    /// Requests per minute of green and of blue.
    requests: [f64; 2],
    /// Seed of the noise; 0 is none.
    noise: u64,
    /// How often a minute has one error.
    stray_errors: f64,
    /// Whether sparse counts are written when they are zero.
    writes_zeros: bool,
    has_blue: bool,
    /// Minutes that blue has before green's first and after its last.
    blue_beyond: [i64; 2],
    lacking: Vec<(Side, Metric)>,
    faults: Vec<Fault>,
}

/// Something that goes wrong on one side for a while.
#[derive(Clone, Debug)]
struct Fault {
    side: Side,
    from: i64,
    minutes: i64,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    /// The metric has this value.
    Level(Metric, f64),
    /// Of exactly 1000 requests so many fail.
    ErrorsOfThousand(f64),
    /// Memory grows by so much in each minute.
    MemoryRise(f64),
    /// Transactions are this share of what they were.
    Transactions(f64),
    /// The metric has no row.
    Absent(Metric),
    /// The metric has a row in two minutes of five: never blind three times in a row, nor ten times of fifteen.
    Flicker(Metric),
    /// There is no row at all.
    Silence,
    /// No requests, and nothing else but what does not depend on them.
    Quiet,
}

fn shapes() -> impl Strategy<Value = Shape> {
    let noise = prop_oneof![1 => Just(0), 2 => any::<u64>()];
    let beyond = || prop_oneof![3 => Just(0), 1 => 1..=40_i64];
    let lacking = vec((sides(), metrics()), 0..=2);
    let lacking = prop_oneof![2 => Just(Vec::new()), 1 => lacking];
    let strays = select(vec![0.0, 0.0, 0.03, 0.3]);
    (
        minutes(),
        (requests(), requests()),
        noise,
        strays,
        any::<bool>(),
        prop::bool::weighted(0.8),
        (beyond(), beyond()),
        lacking,
        faults(),
    )
        .prop_map(
            |(
                minutes,
                (green, blue),
                noise,
                stray_errors,
                writes_zeros,
                has_blue,
                (before, after),
                lacking,
                faults,
            )| Shape {
                minutes,
                requests: [green, blue],
                noise,
                stray_errors,
                writes_zeros,
                has_blue,
                blue_beyond: [before, after],
                lacking,
                faults,
            },
        )
}

fn minutes() -> impl Strategy<Value = i64> {
    prop_oneof![1 => 1..=30_i64, 2 => 16..=120_i64, 2 => 105..=180_i64, 5 => 166..=MAX_MINUTES]
}

fn requests() -> impl Strategy<Value = f64> {
    prop_oneof![8 => Just(1000.0), 1 => select(vec![1.0, 20.0, 700.0, 50_000.0])]
}

fn sides() -> impl Strategy<Value = Side> {
    prop_oneof![4 => Just(Side::Green), 1 => Just(Side::Blue)]
}

fn metrics() -> impl Strategy<Value = Metric> {
    select(Metric::KNOWN.to_vec())
}

fn faults() -> impl Strategy<Value = Vec<Fault>> {
    prop_oneof![1 => Just(Vec::new()), 4 => vec(fault(), 1..=2), 5 => vec(fault(), 3..=5)]
}

fn fault() -> impl Strategy<Value = Fault> {
    let from =
        prop_oneof![2 => 0..=20_i64, 3 => 0..=104_i64, 3 => select(EDGES.to_vec()), 1 => 0..MAX_MINUTES];
    (sides(), from, lengths(), what()).prop_map(|(side, from, minutes, what)| Fault {
        side,
        from,
        minutes,
        what,
    })
}

/// Around the run lengths of the preset, or until the end.
fn lengths() -> impl Strategy<Value = i64> {
    prop_oneof![
        4 => 1..=2_i64,
        5 => 3..=6_i64,
        3 => 7..=16_i64,
        1 => 17..=70_i64,
        7 => Just(MAX_MINUTES),
    ]
}

fn what() -> impl Strategy<Value = What> {
    prop_oneof![
        7 => level(),
        2 => select(vec![0.5, 0.999, 1.0, 2.0, 5.0, 5.5, 10.0, 10.5, 11.0, 50.0]).prop_map(What::ErrorsOfThousand),
        2 => select(vec![0.000_69, 0.000_7, 0.001, 0.004, -0.001]).prop_map(What::MemoryRise),
        1 => select(vec![0.0, 0.5, 0.79, 0.8, 0.81, 1.5]).prop_map(What::Transactions),
        3 => metrics().prop_map(What::Absent),
        2 => metrics().prop_map(What::Flicker),
        1 => (metrics(), select(vec![f64::NAN, f64::INFINITY])).prop_map(|(metric, value)| What::Level(metric, value)),
        1 => prop_oneof![Just(What::Silence), Just(What::Quiet), Just(What::Level(Metric::Requests, 0.0))],
    ]
}

/// A value at, just below, just above or far above a limit of the preset.
fn level() -> impl Strategy<Value = What> {
    let levels: [(u32, Metric, &[f64]); 15] = [
        (1, Metric::Errors, &[1.0, 8.0]),
        (2, Metric::Http5xx, &[1.0, 10.0, 11.0]),
        (3, Metric::LatencyP50, &[99.5, 100.0, 100.5]),
        (2, Metric::LatencyP95, &[150.0, 153.0, 154.0, 220.0, 261.0]),
        (3, Metric::LatencyP95, &[499.5, 500.0, 501.0]),
        (1, Metric::LatencyP95, &[1000.0, 1000.5]),
        (3, Metric::LatencyP95, &[2000.0, 2000.5]),
        (3, Metric::LatencyP99, &[999.5, 1000.0, 1000.5]),
        (1, Metric::DbConnectionErrors, &[10.0, 11.0]),
        (1, Metric::MemoryUtilization, &[0.5, 0.85, 0.8501, 0.99]),
        (1, Metric::Transactions, &[0.0, 1.0]),
        (1, Metric::TransactionFailures, &[1.0, 12.0, 400.0]),
        (2, Metric::LogAnomalies, &[1.0]),
        (1, Metric::PostgresUp, &[0.0, 0.5]),
        (1, Metric::RedisUp, &[0.0, 1.0]),
    ];
    let each = levels.map(|(weight, metric, values)| {
        let level = select(values.to_vec()).prop_map(move |value| What::Level(metric.clone(), value));
        (weight, level.boxed())
    });
    Union::new_weighted(each.to_vec())
}

impl Shape {
    fn draw(self) -> Draft {
        let mut draft = self.side(Draft::new(), Side::Green, 0..self.minutes);
        if self.has_blue {
            let [before, after] = self.blue_beyond;
            draft = self.side(draft, Side::Blue, -before..self.minutes.saturating_add(after));
        }
        for Fault { side, from, minutes, what } in self.faults {
            // A fault writes no row where its side has ended or was never there.
            if side == Side::Green || self.has_blue {
                draft = what.strike(draft, side, from..from.saturating_add(minutes).min(self.minutes));
            }
        }
        self.lacking.iter().fold(draft, |draft, (side, metric)| draft.without(*side, metric))
    }

    fn side(&self, mut draft: Draft, side: Side, minutes: Range<i64>) -> Draft {
        let [green, blue] = self.requests;
        let requests = if side == Side::Green { green } else { blue };
        for (metric, healthy) in Draft::HEALTHY {
            let factor = |minute, spread| 1.0 + spread * (2.0 * self.noise_at(minute, side, &metric) - 1.0);
            let value = |minute| match metric {
                Metric::Requests => (requests * factor(minute, 0.1)).round(),
                Metric::Transactions => (requests * 0.4 * factor(minute, 0.1)).round(),
                Metric::LatencyP50 | Metric::LatencyP95 | Metric::LatencyP99 => healthy * factor(minute, 0.2),
                Metric::MemoryUtilization => healthy * factor(minute, 0.01),
                Metric::Errors
                | Metric::Http5xx
                | Metric::DbConnectionErrors
                | Metric::TransactionFailures
                | Metric::LogAnomalies
                | Metric::PostgresUp
                | Metric::RedisUp
                | Metric::Custom(_) => healthy,
            };
            draft = draft.set_with(minutes.clone(), side, metric.clone(), value);
        }
        for minute in minutes {
            let errors =
                if self.noise_at(minute, side, &Metric::Errors) < self.stray_errors { 1.0 } else { 0.0 };
            if errors > 0.0 || self.writes_zeros {
                draft = draft.set(minute..minute.saturating_add(1), side, Metric::Errors, errors);
            }
            if self.writes_zeros {
                draft = draft.set(minute..minute.saturating_add(1), side, Metric::Http5xx, 0.0);
            }
        }
        draft
    }

    /// A number from 0 to 1 that depends on nothing but the seed and the place, so that a shrunk recording keeps what
    /// is left of it; 0.5 without noise.
    fn noise_at(&self, minute: i64, side: Side, metric: &Metric) -> f64 {
        if self.noise == 0 {
            return 0.5;
        }
        let blue = u8::from(side == Side::Blue);
        let place = metric.name().bytes().chain([blue]).map(u64::from);
        let mut state = place.fold(self.noise ^ minute.unsigned_abs(), |state, byte| {
            (state ^ byte).wrapping_mul(0x0000_0100_0000_01b3)
        });
        // The finalizer of SplitMix64.
        state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let upper = u32::try_from((state ^ (state >> 31)) >> 32).unwrap_or(u32::MAX);
        f64::from(upper) / f64::from(u32::MAX)
    }
}

impl What {
    fn strike(self, draft: Draft, side: Side, minutes: Range<i64>) -> Draft {
        match self {
            Self::Level(metric, value) => draft.set(minutes, side, metric, value),
            Self::ErrorsOfThousand(errors) => draft.set(minutes.clone(), side, Metric::Requests, 1000.0).set(
                minutes,
                side,
                Metric::Errors,
                errors,
            ),
            Self::MemoryRise(step) => {
                change(draft, side, &Metric::MemoryUtilization, minutes, |elapsed, share| {
                    share + step * elapsed
                })
            }
            Self::Transactions(share) => {
                change(draft, side, &Metric::Transactions, minutes, |_, count| (count * share).round())
            }
            Self::Absent(metric) => draft.remove(minutes, side, &metric),
            Self::Flicker(metric) => minutes
                .filter(|minute| !matches!(minute.rem_euclid(5), 0 | 2))
                .fold(draft, |draft, minute| draft.remove(minute..minute.saturating_add(1), side, &metric)),
            Self::Silence => draft.silence(minutes, side),
            Self::Quiet => {
                let draft = Metric::KNOWN
                    .iter()
                    .filter(|metric| !metric.is_independent_of_traffic())
                    .fold(draft, |draft, metric| draft.remove(minutes.clone(), side, metric));
                draft.set(minutes, side, Metric::Requests, 0.0)
            }
        }
    }
}

/// Changes what is there; the closure also gets the minutes since the first of `minutes`.
fn change(
    draft: Draft,
    side: Side,
    metric: &Metric,
    minutes: Range<i64>,
    new: impl Fn(f64, f64) -> f64,
) -> Draft {
    (0..).zip(minutes).fold(draft, |draft, (elapsed, minute)| match draft.value(minute, side, metric) {
        Some(old) => {
            draft.set(minute..minute.saturating_add(1), side, metric.clone(), new(f64::from(elapsed), old))
        }
        None => draft,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    use super::*;
    use crate::reference::{End, Kind, backtest};

    const SAMPLES: usize = 2500;

    #[test]
    fn every_way_to_end_every_rule_and_every_notice_occurs() {
        let mut runner = TestRunner::deterministic();
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for _ in 0..SAMPLES {
            let recording = recordings().new_tree(&mut runner).unwrap().current();
            let outcome = backtest(&recording);
            *seen.entry(outcome.outcome.to_string()).or_default() += 1;
            for decision in outcome.decisions {
                let rule = decision.rule.unwrap_or_default();
                *seen.entry(format!("{} {rule}", decision.kind)).or_default() += 1;
            }
        }
        println!("{seen:#?}");
        let share = |end: End| seen.get(end.name()).copied().unwrap_or(0) * 100 / SAMPLES;
        for end in [End::Completed, End::RolledBack, End::InProgress] {
            assert!(share(end) >= 15, "{end}: {} %", share(end));
        }
        let rules = [
            "error-rate latency-p95 critical-service http-5xx blind no-traffic canary.error-rate canary.latency-p95",
            "canary.http-5xx canary.evidence half.error-rate half.latency-p95 half.comparison half.memory-leak",
            "half.transaction-success half.evidence full.error-rate full.latency-p50 full.latency-p95",
            "full.latency-p99 full.log-anomalies full.business-metrics full.evidence",
        ];
        let mut missing: Vec<String> = rules
            .iter()
            .flat_map(|line| line.split(' '))
            .map(|rule| format!("{} {rule}", Kind::Rollback))
            .collect();
        for id in [
            "error-rate",
            "latency-p95",
            "success-rate",
            "db-connection-errors",
            "memory",
            "blind",
            "no-traffic",
        ] {
            missing.extend([Kind::Alert, Kind::AlertCleared].map(|kind| format!("{kind} {id}")));
        }
        missing.retain(|wanted| !seen.contains_key(wanted));
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn a_recording_shrinks_to_a_short_one() {
        let mut runner = TestRunner::deterministic();
        let mut tree = recordings().new_tree(&mut runner).unwrap();
        while tree.simplify() {}
        assert!(tree.current().replay().count() <= 30, "{:?}", tree.current());
    }
}
