//! Verdicts in words: which rule, which window, which numbers, and what would have changed it.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};

use super::judge::Judge;
use super::verdict::{Measure, RuleRef, Verdict};
use crate::metric::{Metric, Unit};
use crate::plan::{GateKind, GatePlan, Plan, Test, Watch, WatchKind};
use crate::policy::percent;

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

    /// What was measured and against what, in one sentence.
    #[must_use]
    pub fn reason(&self, plan: &Plan, judge: &Judge) -> String {
        let window = format!("{} to {}", self.from, self.to.end());
        match self.rule {
            RuleRef::Trigger(index) => watch_reason(plan, plan.triggers().get(index), self, &window),
            RuleRef::Alert(index) => watch_reason(plan, plan.alerts().get(index), self, &window),
            RuleRef::Blind => self.blind_reason(plan, judge),
            RuleRef::NoTraffic => match self.measure {
                Measure::Silence(streak) if self.holds => {
                    format!(
                        "green had no request in {streak} periods in a row ({window}), though it had traffic before"
                    )
                }
                _ => format!("green has requests again ({})", self.to),
            },
            RuleRef::Gate { stage, gate } => match gate_of(plan, stage, gate) {
                Some(gate) => gate_reason(gate, self, &window),
                None => String::new(),
            },
            RuleRef::StageEvidence(stage) => {
                let (bake, counted) = (plan.stage_bake(stage), self.counted());
                format!(
                    "the stage's time was up ({window}) and its gates could not be looked at in its last period: {counted} periods \
                     counted, {bake} are needed"
                )
            }
        }
    }

    /// What would have changed the verdict.
    #[must_use]
    pub fn counterfactual(&self, plan: &Plan) -> String {
        match (self.rule, self.measure) {
            (_, Measure::Run { length, .. }) => {
                format!("one of the {length} values within the limit would have ended the run")
            }
            (RuleRef::Trigger(_) | RuleRef::Alert(_), Measure::Service(_)) => {
                "an answer of the service in this period would have".to_owned()
            }
            (RuleRef::Blind, _) => "values from the metric source in these periods would have".to_owned(),
            (RuleRef::NoTraffic, _) => "a single request in these periods would have".to_owned(),
            (RuleRef::StageEvidence(_), _) => {
                "more periods with a value for every gate would have".to_owned()
            }
            (RuleRef::Gate { stage, gate }, Measure::Rate { whole, .. }) => {
                match gate_of(plan, stage, gate).map(|gate| &gate.kind) {
                    Some(GateKind::Rate(test)) => format!(
                        "{} of {} over the window is the limit",
                        trim(test.limit() * whole),
                        trim(whole)
                    ),
                    Some(_) | None => String::new(),
                }
            }
            (_, Measure::Periods { with, needed, .. }) if with < needed => {
                format!("{} more periods within the limit would have", needed - with)
            }
            (_, Measure::Periods { with, needed, .. }) => {
                format!("{} fewer breaching periods would have", with + 1 - needed)
            }
            (_, Measure::Sum(sum)) => format!("{} fewer would have", trim(sum)),
            (_, _) => "a value on the other side of the limit would have".to_owned(),
        }
    }

    fn counted(&self) -> u32 {
        match self.measure {
            Measure::Periods { with, .. } => with,
            _ => 0,
        }
    }

    fn blind_reason(&self, plan: &Plan, judge: &Judge) -> String {
        let Measure::Blind { source, periods } = self.measure else { return String::new() };
        if !self.holds {
            return "every trigger can see again".to_owned();
        }
        let what = judge.blind_source(source).and_then(|(trigger, service)| {
            let watch = plan.triggers().get(trigger)?;
            let WatchKind::Critical { metrics, .. } = &watch.kind else { return Some(watch.id.clone()) };
            let id = metrics.get(service?)?;
            plan.series().get(id.index()).map(|series| series.metric.to_string())
        });
        format!(
            "`{}` had neither a value nor a reason to have none in {periods} of the periods {} to {}",
            what.unwrap_or_default(),
            self.from,
            self.to.end()
        )
    }
}

fn gate_of(plan: &Plan, stage: usize, gate: usize) -> Option<&GatePlan> {
    plan.stages().get(stage)?.gates.get(gate)
}

fn watch_reason(plan: &Plan, watch: Option<&Watch>, verdict: &Verdict, window: &str) -> String {
    let Some(watch) = watch else { return String::new() };
    match &watch.kind {
        WatchKind::Consecutive { test, .. } => match verdict.measure {
            Measure::Run { latest, length } => {
                format!(
                    "`{}` in {length} consecutive values up to {}: the latest is {}",
                    test.condition,
                    verdict.to.end(),
                    amount(test, latest)
                )
            }
            _ => String::new(),
        },
        WatchKind::Period(test) => match verdict.measure {
            Measure::Value(value) => {
                let word = if verdict.holds { "holds" } else { "no longer holds" };
                format!("`{}` {word}: {} in {window}", test.condition, amount(test, value))
            }
            _ => String::new(),
        },
        WatchKind::MOfN { test, .. } => format!("`{}` in {} ({window})", test.condition, share_of(verdict)),
        WatchKind::Ratio { test, .. } => {
            format!("`{}`: {} over {window}", test.condition, rate_text(test, verdict))
        }
        WatchKind::Trend { .. } => format!("{} over {window}", line_text(verdict)),
        WatchKind::Comparison { .. } => format!("{} over {window}", comparison_text(verdict)),
        WatchKind::Critical { metrics, probes } => match verdict.measure {
            Measure::Service(service) => {
                let measured = metrics
                    .get(service)
                    .and_then(|id| plan.series().get(id.index()))
                    .map(|series| &series.metric);
                let name = measured.or_else(|| probes.get(service.checked_sub(metrics.len())?));
                format!("a critical service does not answer: {} ({window})", name.map_or("", Metric::name))
            }
            _ => format!("every critical service answers ({window})"),
        },
    }
}

fn gate_reason(gate: &GatePlan, verdict: &Verdict, window: &str) -> String {
    let word = if verdict.holds { "holds" } else { "does not hold" };
    match &gate.kind {
        GateKind::Rate(test) => {
            format!("`{}` {word}: {} over {window}", test.condition, rate_text(test, verdict))
        }
        GateKind::Sum(test) => match verdict.measure {
            Measure::Sum(sum) => {
                format!("`{}` {word}: the sum over {window} is {}", test.condition, trim(sum))
            }
            _ => String::new(),
        },
        GateKind::Periods { test, at_least } => {
            format!(
                "`{}` {word} in at least {at_least} periods: {} ({window})",
                test.condition,
                share_of(verdict)
            )
        }
        GateKind::Comparison(_) => {
            format!("green not worse than blue {word}: {} over {window}", comparison_text(verdict))
        }
        GateKind::NoTrend { .. } => format!("no steady rise {word}: {} over {window}", line_text(verdict)),
        GateKind::Baseline(pair) => match verdict.measure {
            Measure::Baseline { green, blue } => format!(
                "green's ratio {word} at {} % of blue's before: {} beside {} over {window}",
                percent(pair.at_least),
                trim(green),
                trim(blue)
            ),
            _ => String::new(),
        },
    }
}

fn share_of(verdict: &Verdict) -> String {
    match verdict.measure {
        Measure::Periods { with, of, .. } => format!("{with} of {of} periods"),
        _ => String::new(),
    }
}

fn rate_text(test: &Test, verdict: &Verdict) -> String {
    match verdict.measure {
        Measure::Rate { rate, part, whole } => {
            format!("{} ({} of {})", amount(test, rate), trim(part), trim(whole))
        }
        _ => String::new(),
    }
}

fn line_text(verdict: &Verdict) -> String {
    match verdict.measure {
        Measure::Line(line) => {
            format!(
                "a rise of {} that explains {} % of the variance of {} points",
                trim(line.rise),
                trim(line.fit * 100.0),
                line.points
            )
        }
        _ => String::new(),
    }
}

fn comparison_text(verdict: &Verdict) -> String {
    match verdict.measure {
        Measure::Comparison { rates, luck: Some(luck), slower, of } => format!(
            "green {} errors in {} requests, blue {} in {} (chance of luck {}), green slower in {slower} of {of} periods",
            trim(rates.green_errors),
            trim(rates.green_requests),
            trim(rates.blue_errors),
            trim(rates.blue_requests),
            trim(luck)
        ),
        Measure::Comparison { luck: None, .. } => "a side had no requests to compare".to_owned(),
        _ => String::new(),
    }
}

/// A value in the unit of its condition.
fn amount(test: &Test, value: f64) -> String {
    match test.condition.signal.unit() {
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
