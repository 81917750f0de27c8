//! The window of a stage, and the look at its gates (semantics 4).

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::compare::line_through;
use super::evidence::Evidence;
use super::verdict::{Measure, RuleRef, Verdict};
use super::watch::compare;
use crate::plan::{CountPair, GateKind, Plan, SeriesId, StagePlan, Term, Test, at};
use crate::time::{Period, Timestamp};

/// Blue's part and whole before a stage, for a baseline gate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct BaselineSums {
    pub(super) part: f64,
    pub(super) whole: f64,
}

/// The periods of the running stage, at most as many as its deadline allows; the memory is that of the longest stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct StageWindow {
    width: usize,
    /// Shared by copies of the state: most of them differ in anything but this, and it is most of them.
    rows: Arc<Vec<Evidence>>,
    periods: Vec<Option<(Period, bool)>>,
    next: usize,
    capacity: usize,
    effective: Timestamp,
    elapsed: u32,
    counted: u32,
    /// For each series, how many periods of the stage it was the first to keep from counting.
    lacking: Vec<u32>,
}

impl StageWindow {
    pub(super) fn new(plan: &Plan) -> Self {
        let longest = plan.stages().iter().map(|stage| stage.deadline).max().unwrap_or(1) as usize;
        let width = plan.series().len();
        Self {
            width,
            rows: Arc::new(vec![Evidence::Missing; width * longest]),
            periods: vec![None; longest],
            next: 0,
            capacity: longest,
            effective: Timestamp::MIN,
            elapsed: 0,
            counted: 0,
            lacking: vec![0; width],
        }
    }

    /// A new stage begins; nothing of the one before is evidence for it.
    pub(super) fn restart(&mut self, stage: &StagePlan, effective: Timestamp) {
        self.periods.fill(None);
        self.next = 0;
        self.capacity = (stage.deadline as usize).clamp(1, self.periods.len());
        self.effective = effective;
        self.elapsed = 0;
        self.counted = 0;
        self.lacking.fill(0);
    }

    /// Takes a period; says whether it counts. Periods that began before the weights took effect are left out.
    pub(super) fn push(&mut self, stage: &StagePlan, period: Period, row: &[Evidence]) -> bool {
        if period.start() < self.effective {
            return false;
        }
        let counts = stage.needed.iter().all(|id| at(row, *id).value().is_some())
            && stage
                .needed
                .first()
                .is_some_and(|requests| at(row, *requests).value().is_some_and(|n| n > 0.0));
        let lacks = |id: &SeriesId| {
            at(row, *id).value().is_none_or(|value| Some(id) == stage.needed.first() && value <= 0.0)
        };
        if let Some(lacking) =
            stage.needed.iter().find(|id| lacks(id)).and_then(|id| self.lacking.get_mut(id.index()))
        {
            *lacking = lacking.saturating_add(1);
        }
        let start = self.next * self.width;
        if let Some(place) = Arc::make_mut(&mut self.rows).get_mut(start..start + self.width) {
            place.copy_from_slice(row);
        }
        if let Some(slot) = self.periods.get_mut(self.next) {
            if slot.is_some_and(|(_, counted)| counted) {
                self.counted = self.counted.saturating_sub(1);
            }
            *slot = Some((period, counts));
        }
        self.counted = self.counted.saturating_add(u32::from(counts));
        self.next = (self.next + 1) % self.capacity;
        counts
    }

    /// Lets a period of the stage's patience go by; says whether the deadline has come.
    pub(super) fn tick(&mut self, stage: &StagePlan, period: Period) -> bool {
        if period.start() < self.effective {
            return false;
        }
        self.elapsed = self.elapsed.saturating_add(1);
        self.elapsed >= stage.deadline
    }

    /// The series that most often kept a period from counting, by its place in the plan, and how often.
    pub(super) fn most_lacking(&self) -> Option<(usize, u32)> {
        let most = self
            .lacking
            .iter()
            .copied()
            .enumerate()
            .max_by_key(|(place, count)| (*count, core::cmp::Reverse(*place)))?;
        (most.1 > 0).then_some(most)
    }

    pub(super) const fn counted(&self) -> u32 {
        self.counted
    }

    pub(super) const fn elapsed(&self) -> u32 {
        self.elapsed
    }

    /// The rows from the first of the latest `bake` counted periods to the newest, in time order.
    fn window(&self, bake: u32) -> Window<'_> {
        let mut first = self.capacity;
        let mut counted = 0;
        for age in 0..self.capacity {
            match self.entry(age) {
                Some((_, counts, _)) => counted += u32::from(counts),
                None => break,
            }
            if counted == bake {
                first = age + 1;
                break;
            }
        }
        Window { stage: self, ages: first }
    }

    /// The period that is `age` periods old, 0 for the newest.
    fn entry(&self, age: usize) -> Option<(Period, bool, &[Evidence])> {
        let index = (self.next + 2 * self.capacity - 1 - age) % self.capacity;
        let (period, counts) = (*self.periods.get(index)?)?;
        let start = index * self.width;
        Some((period, counts, self.rows.get(start..start + self.width)?))
    }
}

/// A stage's window: every period from its first counted one to the newest.
#[derive(Clone, Copy)]
struct Window<'a> {
    stage: &'a StageWindow,
    ages: usize,
}

impl<'a> Window<'a> {
    fn all(self) -> impl Iterator<Item = (Period, bool, &'a [Evidence])> + Clone {
        let stage = self.stage;
        (0..self.ages).rev().filter_map(move |age| stage.entry(age))
    }

    fn counted(self) -> impl Iterator<Item = (Period, &'a [Evidence])> + Clone {
        self.all().filter(|(_, counts, _)| *counts).map(|(period, _, row)| (period, row))
    }

    fn counts(self, term: Term) -> [f64; 2] {
        self.all()
            .filter_map(|(_, _, row)| term.counts(row))
            .fold([0.0; 2], |[part, whole], [p, w]| [part + p, whole + w])
    }
}

/// Looks at all gates of a stage, in order, into `verdicts`.
pub(super) fn look(
    stage_index: usize,
    stage: &StagePlan,
    window: &StageWindow,
    baselines: &[BaselineSums],
    verdicts: &mut Vec<Verdict>,
) {
    let window = window.window(stage.bake);
    let from = window.all().next().map_or(Period::default(), |(period, _, _)| period);
    let to = window.all().last().map_or(from, |(period, _, _)| period);
    for (index, gate) in stage.gates.iter().enumerate() {
        let baseline = baselines.get(index).copied().unwrap_or_default();
        let (holds, measure) = judge_gate(&gate.kind, stage.bake, window, baseline);
        let rule = RuleRef::Gate { stage: stage_index, gate: index };
        verdicts.push(Verdict { rule, holds, measure, from, to });
    }
}

fn judge_gate(gate: &GateKind, bake: u32, window: Window<'_>, baseline: BaselineSums) -> (bool, Measure) {
    match gate {
        GateKind::Rate(test) => {
            let [part, whole] = window.counts(test.term);
            let rate = if whole > 0.0 { test.term.quotient([part, whole]) } else { f64::NAN };
            (test.holds(rate), Measure::Rate { rate, part, whole })
        }
        GateKind::Sum(test) => {
            let sum = window.all().filter_map(|(_, _, row)| test.term.evidence(row).value()).sum();
            (test.holds(sum), Measure::Sum(sum))
        }
        GateKind::Periods { test, at_least } => {
            let with = count(window.counted().filter(|(_, row)| is_within(test, row)));
            (with >= *at_least, Measure::Periods { with, of: bake, needed: *at_least })
        }
        GateKind::Comparison(pair) => judge_comparison(pair, window),
        GateKind::NoTrend { term, rise, fit } => {
            let first = window.counted().next().map_or(Period::default(), |(period, _)| period);
            let points = window.counted().filter_map(|(period, row)| {
                Some((f64::from(period.since(first)), term.evidence(row).value()?))
            });
            let line = line_through(points);
            (!(line.rise > *rise && line.fit >= *fit), Measure::Line(line))
        }
        GateKind::Baseline(pair) => {
            let [part, whole] = window.counts(pair.green);
            let ratio =
                |term: Term, counts: [f64; 2]| if counts[1] > 0.0 { term.quotient(counts) } else { f64::NAN };
            let green = ratio(pair.green, [part, whole]);
            let blue = ratio(pair.blue, [baseline.part, baseline.whole]);
            (green >= pair.at_least * blue, Measure::Baseline { green, blue })
        }
    }
}

fn judge_comparison(pair: &CountPair, window: Window<'_>) -> (bool, Measure) {
    let counts =
        window.all().filter_map(|(_, _, row)| pair.counts(row)).fold([0.0; 4], |mut sums, counts| {
            for (sum, count) in sums.iter_mut().zip(counts) {
                *sum += count;
            }
            sums
        });
    let slower = count(window.counted().filter(|(_, row)| pair.is_slower(row) == Some(true)));
    let compared = count(window.counted().filter(|(_, row)| pair.is_slower(row).is_some()));
    let (worse, measure) = compare(pair, counts, slower, compared);
    let comparable = matches!(measure, Measure::Comparison { luck: Some(_), .. });
    (comparable && !worse, measure)
}

fn is_within(test: &Test, row: &[Evidence]) -> bool {
    test.term.evidence(row).value().is_some_and(|value| test.holds(value))
}

fn count(items: impl Iterator) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}
