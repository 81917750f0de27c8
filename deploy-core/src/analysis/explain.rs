//! Verdicts in words: which rule, which numbers, which window, and what would have changed it.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};

use super::judge::Judge;
use super::verdict::{Measure, RuleRef, Verdict};
use crate::metric::{Metric, Unit};
use crate::plan::{GateKind, GatePlan, Plan, SeriesId, Test, Watch, WatchKind};
use crate::policy::{Condition, percent};

impl Verdict {
    /// The id of the rule: `http-5xx`, `canary.error-rate`, `half.evidence`, `blind`, `no-traffic`.
    #[must_use]
    pub fn rule_id(&self, plan: &Plan) -> String {
        match self.rule {
            RuleRef::Trigger(index) => {
                plan.triggers().get(index).map_or_else(String::new, |watch| watch.id.clone())
            }
            RuleRef::Alert(index) => {
                plan.alerts().get(index).map_or_else(String::new, |watch| watch.id.clone())
            }
            RuleRef::Blind => "blind".to_owned(),
            RuleRef::NoTraffic => "no-traffic".to_owned(),
            RuleRef::Gate { stage, gate } => {
                gate_of(plan, stage, gate).map_or_else(String::new, |gate| gate.id.clone())
            }
            RuleRef::StageEvidence(stage) => format!("{}.evidence", plan.stage_name(stage)),
        }
    }

    /// What was measured, against what, and when, in one sentence.
    #[must_use]
    pub fn reason(&self, plan: &Plan, judge: &Judge) -> String {
        let (what, unit) = match self.rule {
            RuleRef::Trigger(index) => describe_watch(plan.triggers().get(index)),
            RuleRef::Alert(index) => describe_watch(plan.alerts().get(index)),
            RuleRef::Blind => ("every trigger can see".to_owned(), Unit::Plain),
            RuleRef::NoTraffic => ("green has requests".to_owned(), Unit::Plain),
            RuleRef::Gate { stage, gate } => describe_gate(gate_of(plan, stage, gate)),
            RuleRef::StageEvidence(_) => {
                ("the gates are looked at in the stage's last period".to_owned(), Unit::Plain)
            }
        };
        let numbers = self.numbers(plan, judge, unit);
        format!("`{what}` {}: {numbers} ({} to {})", self.word(), self.from, self.to.end())
    }

    /// What would have changed the verdict.
    #[must_use]
    pub fn counterfactual(&self, plan: &Plan) -> String {
        match self.measure {
            Measure::Run { length, .. } => {
                format!("one of the {length} values within the limit would have ended the run")
            }
            Measure::Service(_) => "an answer of the service would have".to_owned(),
            Measure::Blind { .. } => "values from the metric source in these periods would have".to_owned(),
            Measure::Silence(_) => "a single request in these periods would have".to_owned(),
            Measure::Periods { with, needed, .. } if with < needed => {
                format!("{} more such periods would have", needed - with)
            }
            Measure::Periods { with, needed, .. } => {
                format!("{} fewer such periods would have", with + 1 - needed)
            }
            Measure::Rate { whole, .. } => match self.rate_limit(plan) {
                Some(limit) => format!("the limit is {} of {}", trim(limit * whole), trim(whole)),
                None => String::new(),
            },
            Measure::Value(_) | Measure::Sum(_) => match self.condition(plan) {
                Some(condition) => format!("the limit is {}", condition.limit),
                None => String::new(),
            },
            Measure::Comparison { .. } | Measure::Line(_) | Measure::Baseline { .. } => {
                "numbers on the other side of the limit would have".to_owned()
            }
            Measure::Unlooked { held: true, .. } => {
                "values for every trigger in the latest periods would have".to_owned()
            }
            Measure::Unlooked { .. } => "more periods with a value for every gate would have".to_owned(),
            Measure::Nothing => String::new(),
        }
    }

    /// How the rule's words and its numbers belong together.
    const fn word(&self) -> &'static str {
        match (self.rule, self.holds) {
            (RuleRef::Trigger(_) | RuleRef::Alert(_) | RuleRef::Gate { .. }, true) => "holds",
            (
                RuleRef::Trigger(_) | RuleRef::Alert(_) | RuleRef::Gate { .. } | RuleRef::StageEvidence(_),
                false,
            ) => "does not hold",
            // These name what should be so, and their verdict holds when it is not.
            (RuleRef::Blind | RuleRef::NoTraffic | RuleRef::StageEvidence(_), true) => "does not hold",
            (RuleRef::Blind | RuleRef::NoTraffic, false) => "holds again",
        }
    }

    fn numbers(&self, plan: &Plan, judge: &Judge, unit: Unit) -> String {
        match self.measure {
            Measure::Value(value) => amount(unit, value),
            Measure::Run { latest, length } if latest.is_nan() => format!("{length} consecutive periods"),
            Measure::Run { latest, length } => {
                format!("{length} consecutive values, the latest {}", amount(unit, latest))
            }
            Measure::Periods { with, of, needed } => format!("{with} of {of} periods, {needed} needed"),
            Measure::Rate { rate, part, whole } => {
                format!("{} ({} of {})", amount(unit, rate), trim(part), trim(whole))
            }
            Measure::Sum(sum) => format!("the sum is {}", trim(sum)),
            Measure::Comparison { luck: None, .. } => "a side had no requests to compare".to_owned(),
            Measure::Comparison { rates, luck: Some(luck), slower, of } => format!(
                "green {} errors in {} requests, blue {} in {} (chance of luck {}), green slower in {slower} of {of} periods with both latencies",
                trim(rates.green_errors),
                trim(rates.green_requests),
                trim(rates.blue_errors),
                trim(rates.blue_requests),
                trim(luck)
            ),
            Measure::Line(line) => format!(
                "a rise of {} that explains {} % of the variance of {} points",
                trim(line.rise),
                trim(line.fit * 100.0),
                line.points
            ),
            Measure::Baseline { green, blue } => format!("{} beside {}", trim(green), trim(blue)),
            Measure::Service(service) => format!("{} does not answer", self.service_name(plan, service)),
            Measure::Blind { .. } if !self.holds => "evidence is there".to_owned(),
            Measure::Blind { source, periods } => {
                format!(
                    "`{}` had neither a value nor a reason to have none in {periods} periods",
                    blind_name(plan, judge, source)
                )
            }
            Measure::Unlooked { counted, needed, held, lacking } => {
                let counted = format!("{counted} periods counted, {needed} needed");
                let why =
                    match (held, lacking.and_then(|(place, times)| Some((plan.series().get(place)?, times))))
                    {
                        (true, _) => ", and promotion was held by `blind`".to_owned(),
                        (false, Some((series, times))) => {
                            format!(
                                ", and most often {}'s `{}` was missing ({times} periods)",
                                series.side, series.metric
                            )
                        }
                        (false, None) => String::new(),
                    };
                format!("{counted}{why}")
            }
            Measure::Silence(0) => "the streak is over".to_owned(),
            Measure::Silence(streak) => {
                format!("none in {streak} periods in a row, though it had traffic before")
            }
            Measure::Nothing => "no sign of it".to_owned(),
        }
    }

    pub(super) fn condition<'a>(&self, plan: &'a Plan) -> Option<&'a Condition> {
        let test = match self.rule {
            RuleRef::Trigger(index) => watch_test(plan.triggers().get(index)?),
            RuleRef::Alert(index) => watch_test(plan.alerts().get(index)?),
            RuleRef::Gate { .. } => match self.gate_kind(plan)? {
                GateKind::Rate(test) | GateKind::Sum(test) | GateKind::Periods { test, .. } => Some(test),
                GateKind::Comparison(_) | GateKind::NoTrend { .. } | GateKind::Baseline(_) => None,
            },
            RuleRef::Blind | RuleRef::NoTraffic | RuleRef::StageEvidence(_) => None,
        };
        test.map(|test| &test.condition)
    }

    pub(super) fn gate_kind<'a>(&self, plan: &'a Plan) -> Option<&'a GateKind> {
        match self.rule {
            RuleRef::Gate { stage, gate } => gate_of(plan, stage, gate).map(|gate| &gate.kind),
            RuleRef::Trigger(_)
            | RuleRef::Alert(_)
            | RuleRef::Blind
            | RuleRef::NoTraffic
            | RuleRef::StageEvidence(_) => None,
        }
    }

    fn rate_limit(&self, plan: &Plan) -> Option<f64> {
        match self.gate_kind(plan)? {
            GateKind::Rate(test) => Some(test.limit()),
            GateKind::Sum(_)
            | GateKind::Periods { .. }
            | GateKind::Comparison(_)
            | GateKind::NoTrend { .. }
            | GateKind::Baseline(_) => None,
        }
    }

    fn service_name(&self, plan: &Plan, service: usize) -> String {
        let watch = match self.rule {
            RuleRef::Trigger(index) => plan.triggers().get(index),
            RuleRef::Alert(index) => plan.alerts().get(index),
            RuleRef::Blind | RuleRef::NoTraffic | RuleRef::Gate { .. } | RuleRef::StageEvidence(_) => None,
        };
        let Some(WatchKind::Critical { metrics, probes }) = watch.map(|watch| &watch.kind) else {
            return String::new();
        };
        let measured = metrics.get(service).and_then(|id| metric_of(plan, *id));
        let probed = || probes.get(service.checked_sub(metrics.len())?);
        measured.or_else(probed).map_or_else(String::new, ToString::to_string)
    }
}

const fn watch_test(watch: &Watch) -> Option<&Test> {
    match &watch.kind {
        WatchKind::Consecutive { test, .. }
        | WatchKind::Period(test)
        | WatchKind::MOfN { test, .. }
        | WatchKind::Ratio { test, .. } => Some(test),
        WatchKind::Trend { .. } | WatchKind::Comparison { .. } | WatchKind::Critical { .. } => None,
    }
}

fn gate_of(plan: &Plan, stage: usize, gate: usize) -> Option<&GatePlan> {
    plan.stages().get(stage)?.gates.get(gate)
}

fn metric_of(plan: &Plan, id: SeriesId) -> Option<&Metric> {
    plan.series().get(id.index()).map(|series| &series.metric)
}

/// What cannot see: a trigger, or by itself a critical service.
fn blind_name(plan: &Plan, judge: &Judge, source: usize) -> String {
    let Some((trigger, service)) = judge.blind_source(source) else { return String::new() };
    let Some(watch) = plan.triggers().get(trigger) else { return String::new() };
    match (&watch.kind, service) {
        (WatchKind::Critical { metrics, .. }, Some(service)) => metrics
            .get(service)
            .and_then(|id| metric_of(plan, *id))
            .map_or_else(String::new, ToString::to_string),
        (_, _) => watch.id.clone(),
    }
}

fn condition(condition: &Condition) -> (String, Unit) {
    (condition.to_string(), condition.signal.unit())
}

fn describe_watch(watch: Option<&Watch>) -> (String, Unit) {
    match watch.map(|watch| &watch.kind) {
        Some(
            WatchKind::Consecutive { test, .. }
            | WatchKind::Period(test)
            | WatchKind::MOfN { test, .. }
            | WatchKind::Ratio { test, .. },
        ) => condition(&test.condition),
        Some(WatchKind::Trend { .. }) => ("a steady rise".to_owned(), Unit::Plain),
        Some(WatchKind::Comparison { .. }) => ("green worse than blue".to_owned(), Unit::Plain),
        Some(WatchKind::Critical { .. }) => ("a critical service is unavailable".to_owned(), Unit::Flag),
        None => (String::new(), Unit::Plain),
    }
}

fn describe_gate(gate: Option<&GatePlan>) -> (String, Unit) {
    match gate.map(|gate| &gate.kind) {
        Some(GateKind::Rate(test) | GateKind::Sum(test)) => condition(&test.condition),
        Some(GateKind::Periods { test, at_least }) => {
            let (text, unit) = condition(&test.condition);
            (format!("{text} in at least {at_least} periods"), unit)
        }
        Some(GateKind::Comparison(_)) => ("green not worse than blue".to_owned(), Unit::Plain),
        Some(GateKind::NoTrend { .. }) => ("no steady rise".to_owned(), Unit::Plain),
        Some(GateKind::Baseline(pair)) => {
            (format!("green's ratio at least {} % of blue's before", percent(pair.at_least)), Unit::Plain)
        }
        None => (String::new(), Unit::Plain),
    }
}

/// A value in its unit.
fn amount(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Ratio if value.is_nan() => "no rate".to_owned(),
        Unit::Ratio => format!("{} %", trim(value * 100.0)),
        Unit::Millis => format!("{} ms", trim(value)),
        Unit::Count | Unit::Flag | Unit::Plain => trim(value),
    }
}

/// Four decimals, without the zeros that say nothing; whole numbers whole.
fn trim(value: f64) -> String {
    if !value.is_finite() {
        return format!("{value}");
    }
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
