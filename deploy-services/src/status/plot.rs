//! The signals that the policy looks at, minute by minute, with their limits.

use mpac_deploy_core::analysis::{Gap, Reading};
use mpac_deploy_core::metric::{Metric, Side, Signal, Unit};
use mpac_deploy_core::plan::Plan;
use mpac_deploy_core::policy::{Condition, GateRule, WatchRule};
use serde::Serialize;

use super::film::{Film, Minute};

/// One plot: a number or nothing for each minute and side. Shares are in percent.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Plot {
    signal: String,
    unit: &'static str,
    limits: Vec<Limit>,
    blue: Vec<Option<f64>>,
    green: Vec<Option<f64>>,
}

#[derive(Debug, PartialEq, Serialize)]
struct Limit {
    kind: &'static str,
    text: String,
    value: f64,
}

/// A plot for the requests and for each signal that a rule limits, in the order of the policy.
pub(super) fn plots(film: &Film) -> Vec<Plot> {
    let plan = film.rollout.plan();
    let limited = conditions(plan);
    let requests = Signal::Metric(Metric::Requests);
    let mut signals: Vec<&Signal> = Vec::new();
    for (_, condition) in &limited {
        if !signals.contains(&&condition.signal) {
            signals.push(&condition.signal);
        }
    }
    if !signals.contains(&&requests) {
        signals.insert(0, &requests);
    }
    signals.into_iter().map(|signal| plot(film, signal, &limited)).collect()
}

fn plot(film: &Film, signal: &Signal, limited: &[(&'static str, &Condition)]) -> Plot {
    let mut limits: Vec<Limit> = Vec::new();
    for (kind, condition) in limited.iter().filter(|(_, condition)| condition.signal == *signal) {
        let whole = condition.to_string();
        let without_signal = whole.strip_prefix(&signal.to_string()).unwrap_or(&whole);
        let text = format!("{kind} {}", without_signal.trim());
        let limit = Limit { kind, text, value: scaled(signal, condition.limit.value()) };
        if !limits.contains(&limit) {
            limits.push(limit);
        }
    }
    let values = |side| {
        let value = |minute| value(film.rollout.plan(), minute, side, signal);
        film.minutes.kept.iter().map(|minute| value(minute).map(|value| scaled(signal, value))).collect()
    };
    let unit = match signal.unit() {
        Unit::Ratio => "%",
        Unit::Millis => "ms",
        Unit::Count | Unit::Plain | Unit::Flag => "",
    };
    Plot { signal: signal.to_string(), unit, limits, blue: values(Side::Blue), green: values(Side::Green) }
}

fn scaled(signal: &Signal, value: f64) -> f64 {
    if signal.unit() == Unit::Ratio { value * 100.0 } else { value }
}

/// Every limit on a minute's value; one on a sum over the window, or on blue, is none.
fn conditions(plan: &Plan) -> Vec<(&'static str, &Condition)> {
    let policy = plan.policy();
    let triggers = policy.triggers.iter().filter_map(|trigger| Some(("trigger", watched(&trigger.rule)?)));
    let alerts = policy.alerts.iter().filter_map(|alert| Some(("alert", watched(&alert.rule)?)));
    let gates = policy.stages.iter().flat_map(|stage| &stage.gates);
    let gates = gates.filter_map(|gate| Some(("gate", gated(&gate.rule)?)));
    triggers.chain(alerts).chain(gates).collect()
}

fn watched(rule: &WatchRule) -> Option<&Condition> {
    match rule {
        WatchRule::Consecutive(rule) => Some(&rule.when),
        WatchRule::Period(when) => Some(when),
        WatchRule::MOfN(rule) => Some(&rule.when),
        WatchRule::Ratio(rule) => Some(&rule.when),
        WatchRule::Trend(_) | WatchRule::Comparison(_) | WatchRule::Critical(_) | _ => None,
    }
}

fn gated(rule: &GateRule) -> Option<&Condition> {
    match rule {
        GateRule::Rate(condition) => Some(condition),
        GateRule::Periods(rule) => Some(&rule.hold),
        GateRule::Sum(_) | GateRule::Comparison(_) | GateRule::NoTrend(_) | GateRule::Baseline(_) | _ => None,
    }
}

fn value(plan: &Plan, minute: &Minute, side: Side, signal: &Signal) -> Option<f64> {
    let number = |metric: &Metric| -> Option<Reading> {
        let index =
            plan.series().iter().position(|series| series.side == side && series.metric == *metric)?;
        minute.readings.get(index).copied()
    };
    let requests = match number(&Metric::Requests) {
        Some(Reading::Number(requests)) => requests.get(),
        Some(Reading::Gap(_)) | None => 0.0,
    };
    let value = |metric: &Metric| match number(metric)? {
        Reading::Number(number) => Some(number.get()),
        // A count that is published only when there is something to count (semantics 2).
        Reading::Gap(Gap::Absent) if requests > 0.0 && plan.policy().evidence.sparse.contains(metric) => {
            Some(0.0)
        }
        Reading::Gap(_) => None,
    };
    match signal {
        Signal::Metric(metric) => value(metric),
        Signal::Rate { part, whole } => rate(value(part)?, value(whole)?),
        Signal::Complement { part, whole } => rate(value(whole)? - value(part)?, value(whole)?),
    }
}

fn rate(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}
