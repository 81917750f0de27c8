//! The state of one trigger or alert: takes a period's evidence, says whether it breaches.

use serde::{Deserialize, Serialize};

use super::compare::{TwoRates, line_through};
use super::evidence::Evidence;
use super::verdict::Measure;
use super::window::{BitWindow, RunLength, SumRing, ValueRing};
use crate::plan::{CountPair, Term, Test, Watch, WatchKind};

/// What a rule says of a period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Said {
    /// It breaches, on these numbers, over so many latest periods.
    Breach(Measure, u32),
    /// It does not breach, on these numbers.
    Fine(Measure, u32),
    /// The period has nothing for it.
    Silent,
}

impl Said {
    fn of(breach: bool, measure: Measure, periods: u32) -> Self {
        if breach { Self::Breach(measure, periods) } else { Self::Fine(measure, periods) }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum WatchState {
    Run(RunLength),
    Single,
    Bits { bits: BitWindow, seen: u32 },
    Ratio(SumRing<2>),
    Trend(ValueRing),
    Comparison { counts: SumRing<4>, slower: SumRing<2> },
}

impl WatchState {
    pub(super) fn new(watch: &Watch) -> Self {
        match &watch.kind {
            WatchKind::Consecutive { periods, without_value, .. } => {
                Self::Run(RunLength::new(*periods, *without_value))
            }
            WatchKind::Period(_) | WatchKind::Critical { .. } => Self::Single,
            WatchKind::MOfN { .. } => Self::Bits { bits: BitWindow::default(), seen: 0 },
            WatchKind::Ratio { window, .. } => Self::Ratio(SumRing::new(*window)),
            WatchKind::Trend { window, .. } => Self::Trend(ValueRing::new(*window)),
            WatchKind::Comparison { window, .. } => {
                Self::Comparison { counts: SumRing::new(*window), slower: SumRing::new(*window) }
            }
        }
    }

    /// Takes the next period.
    pub(super) fn push(&mut self, watch: &Watch, row: &[Evidence]) -> Said {
        match (&mut *self, &watch.kind) {
            (Self::Run(run), WatchKind::Consecutive { test, .. }) => {
                run.push(test.term.evidence(row).value().map(|value| test.holds(value)));
            }
            (Self::Bits { bits, seen }, WatchKind::MOfN { test, n, .. }) => {
                bits.push(test.term.evidence(row).value().is_some_and(|value| test.holds(value)));
                *seen = seen.saturating_add(1).min(*n);
            }
            (Self::Ratio(ring), WatchKind::Ratio { test, .. }) => ring.push(test.term.counts(row)),
            (Self::Trend(ring), WatchKind::Trend { term, .. }) => ring.push(term.evidence(row).value()),
            (Self::Comparison { counts, slower }, WatchKind::Comparison { pair, .. }) => {
                counts.push(pair.counts(row));
                slower.push(pair.is_slower(row).map(|slower| [f64::from(u8::from(slower)), 1.0]));
            }
            // What looks at one period alone keeps nothing; a state is made from its own rule and never handed to another.
            (
                Self::Run(_)
                | Self::Single
                | Self::Bits { .. }
                | Self::Ratio(_)
                | Self::Trend(_)
                | Self::Comparison { .. },
                _,
            ) => {}
        }
        self.says(watch, row)
    }

    /// What it says of the period that it took last, whose evidence this is.
    pub(super) fn says(&self, watch: &Watch, row: &[Evidence]) -> Said {
        match (self, &watch.kind) {
            (Self::Run(run), WatchKind::Consecutive { test, .. }) => run_says(run, test, row),
            (Self::Single, WatchKind::Period(test)) => match test.term.evidence(row).value() {
                Some(value) => Said::of(test.holds(value), Measure::Value(value), 1),
                None => Said::Silent,
            },
            (Self::Single, WatchKind::Critical { metrics, .. }) => {
                let down =
                    metrics.iter().position(|id| Term::Series(*id).evidence(row) == Evidence::Value(0.0));
                let known = metrics.iter().any(|id| Term::Series(*id).evidence(row).value().is_some());
                match down {
                    Some(service) => Said::Breach(Measure::Service(service), 1),
                    None if known => Said::Fine(Measure::Nothing, 1),
                    None => Said::Silent,
                }
            }
            (Self::Bits { bits, seen }, WatchKind::MOfN { m, n, .. }) => {
                let with = bits.count_of(*n);
                Said::of(with >= *m, Measure::Periods { with, of: *n, needed: *m }, *seen)
            }
            (Self::Ratio(ring), WatchKind::Ratio { test, window }) => ratio_says(ring, test, *window),
            (Self::Trend(ring), WatchKind::Trend { rise, fit, window, .. }) => {
                if !ring.is_full() {
                    return Said::Silent;
                }
                let line = line_through(ring.points());
                Said::of(line.rise > *rise && line.fit >= *fit, Measure::Line(line), *window)
            }
            (Self::Comparison { counts, slower }, WatchKind::Comparison { pair, window }) => {
                comparison_says(counts, slower, pair, *window)
            }
            // A state is made from its own rule and never handed to another.
            (
                Self::Run(_)
                | Self::Single
                | Self::Bits { .. }
                | Self::Ratio(_)
                | Self::Trend(_)
                | Self::Comparison { .. },
                _,
            ) => Said::Silent,
        }
    }
}

fn run_says(run: &RunLength, test: &Test, row: &[Evidence]) -> Said {
    let value = test.term.evidence(row).value();
    let fires = run.is_long_enough(value.map(|value| test.holds(value)));
    let measure = Measure::Run { latest: value.unwrap_or(f64::NAN), length: run.run() };
    match (fires, value) {
        (true, _) => Said::Breach(measure, run.run()),
        (false, Some(_)) => Said::Fine(measure, run.run().max(1)),
        (false, None) => Said::Silent,
    }
}

fn ratio_says(ring: &SumRing<2>, test: &Test, window: u32) -> Said {
    match ring.sums() {
        Some(counts) if counts[1] > 0.0 => {
            let rate = test.term.quotient(counts);
            Said::of(test.holds(rate), Measure::Rate { rate, part: counts[0], whole: counts[1] }, window)
        }
        Some(_) | None => Said::Silent,
    }
}

fn comparison_says(counts: &SumRing<4>, slower: &SumRing<2>, pair: &CountPair, window: u32) -> Said {
    let (Some(counts), Some(slower)) = (counts.sums(), slower.sums()) else { return Said::Silent };
    let (worse, measure) = compare(pair, counts, whole(slower[0]), whole(slower[1]));
    if matches!(measure, Measure::Comparison { luck: None, .. }) {
        Said::Silent
    } else {
        Said::of(worse, measure, window)
    }
}

/// A small count that was summed as a double.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count of periods in a window, 0 or more"
)]
fn whole(count: f64) -> u32 {
    libm::round(count) as u32
}

/// Whether green is worse than blue on these counts (book, "Where the semantics page is silent").
pub(super) fn compare(pair: &CountPair, counts: [f64; 4], slower: u32, of: u32) -> (bool, Measure) {
    let [green_errors, green_requests, blue_errors, blue_requests] = counts;
    let rates = TwoRates { green_errors, green_requests, blue_errors, blue_requests };
    let luck = rates.chance_of_luck();
    let errs_more = luck.is_some_and(|luck| luck < pair.significance);
    let is_slower = slower.saturating_mul(2) > of;
    (errs_more || is_slower, Measure::Comparison { rates, luck, slower, of })
}
