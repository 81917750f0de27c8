//! What comes out of a look, with the numbers that it rests on.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::compare::{Line, TwoRates};
use crate::time::Period;

/// Which rule of the plan speaks; indices are those of the policy's lists, less what a replay skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RuleRef {
    /// A trigger.
    Trigger(usize),
    /// An alert.
    Alert(usize),
    /// Rule `blind` (semantics 3.7).
    Blind,
    /// Rule `no-traffic` (semantics 3.8).
    NoTraffic,
    /// A gate of a stage.
    Gate {
        /// The stage.
        stage: usize,
        /// The gate in it.
        gate: usize,
    },
    /// `STAGE.evidence`: the stage's deadline came without a look at its gates.
    StageEvidence(usize),
}

/// The numbers that a verdict rests on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Measure {
    /// One period's value.
    Value(f64),
    /// The latest of a run of breaching values.
    Run {
        /// The latest value.
        latest: f64,
        /// The length of the run.
        length: u32,
    },
    /// Periods with something among the latest periods.
    Periods {
        /// How many had it.
        with: u32,
        /// Among how many.
        of: u32,
        /// How many decide.
        needed: u32,
    },
    /// A rate over a window.
    Rate {
        /// The rate; NaN over a whole of 0.
        rate: f64,
        /// The summed numerator.
        part: f64,
        /// The summed denominator.
        whole: f64,
    },
    /// A sum over a window.
    Sum(f64),
    /// Green beside blue.
    Comparison {
        /// The counts of both.
        rates: TwoRates,
        /// The chance that green's surplus is luck; `None` if a side had no requests.
        luck: Option<f64>,
        /// In how many periods green was slower.
        slower: u32,
        /// Among how many with both latencies.
        of: u32,
    },
    /// A line through a window.
    Line(Line),
    /// Green's ratio and blue's before.
    Baseline {
        /// Green's over the window.
        green: f64,
        /// Blue's before the stage.
        blue: f64,
    },
    /// A critical service by its place in the trigger's list.
    Service(usize),
    /// A trigger's place in the list of what can be blind.
    Blind {
        /// The place in the list of watched sources.
        source: usize,
        /// How many of the latest periods were blind for it.
        periods: u32,
    },
    /// The stage's time was up, and its gates were not looked at.
    Unlooked {
        /// How many periods counted.
        counted: u32,
        /// How many are needed.
        needed: u32,
        /// Whether promotion was held because a trigger could not see.
        held: bool,
        /// The series that most often kept a period from counting, by its place in the plan, and how often.
        lacking: Option<(usize, u32)>,
    },
    /// Periods without a request in a row.
    Silence(u32),
    /// There was nothing to measure.
    Nothing,
}

/// A rule's answer at a period.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The rule.
    pub rule: RuleRef,
    /// Whether it holds: for a trigger or alert, that it breaches; for a gate, that it lets pass.
    pub holds: bool,
    /// The numbers.
    pub measure: Measure,
    /// The first period that the numbers rest on.
    pub from: Period,
    /// The last one.
    pub to: Period,
}

/// Something that a person should know and that moves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// What happened.
    pub kind: NoticeKind,
    /// The rule and its numbers.
    pub verdict: Verdict,
}

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoticeKind {
    /// An alert started to hold.
    AlertRaised,
    /// An alert no longer holds.
    AlertCleared,
    /// Promotion is held from here on.
    HoldBegan,
}

/// What follows for the rollout.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Ruling {
    /// Nothing yet.
    Continue,
    /// All gates of the stage hold.
    Promote,
    /// The rollout must be taken back; the named rule is the first that decides (semantics 3.9).
    RollBack(Verdict),
}

/// Everything that one period said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    /// The period.
    pub period: Period,
    /// Whether it counted for the stage's bake.
    pub counted: bool,
    /// Alerts and holds that began or ended.
    pub notices: Vec<Notice>,
    /// Triggers, `blind` and `no-traffic` that fire, in the order of semantics 3.9.
    pub firing: Vec<Verdict>,
    /// The gates, if they were looked at.
    pub gates: Vec<Verdict>,
    /// What follows.
    pub ruling: Ruling,
}
