//! The limits that a policy sets on a signal.

use mpac_deploy_core::metric::{Signal, Unit};
use mpac_deploy_core::policy::{Condition, GateRule, Policy, Stage, WatchRule};

/// What happens on the wrong side of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LimitKind {
    /// No promotion.
    Gate,
    /// A notice.
    Alert,
    /// A rollback.
    Trigger,
}

/// A limit on a signal.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Limit {
    pub(crate) kind: LimitKind,
    /// `trigger above 1 %`.
    pub(crate) text: String,
    /// A share in percent.
    pub(crate) value: f64,
}

/// Every limit on a signal once, gates first.
pub(crate) fn on(policy: &Policy, signal: &Signal) -> Vec<Limit> {
    let gates =
        policy.stages.iter().flat_map(|stage| &stage.gates).filter_map(|gate| gate_condition(&gate.rule));
    let alerts = policy.alerts.iter().filter_map(|alert| watch_condition(&alert.rule));
    let triggers = policy.triggers.iter().filter_map(|trigger| watch_condition(&trigger.rule));
    let mut limits: Vec<Limit> = Vec::new();
    let all = (gates.map(|condition| (LimitKind::Gate, "gate", condition)))
        .chain(alerts.map(|condition| (LimitKind::Alert, "alert", condition)))
        .chain(triggers.map(|condition| (LimitKind::Trigger, "trigger", condition)));
    for (kind, word, condition) in all.filter(|(_, _, condition)| condition.signal == *signal) {
        let limit =
            Limit { kind, text: format!("{word} {}", comparison(condition)), value: scaled(condition) };
        if !limits.contains(&limit) {
            limits.push(limit);
        }
    }
    limits
}

/// `> 1 %`: a condition without its signal.
fn comparison(condition: &Condition) -> String {
    let text = condition.to_string();
    text.strip_prefix(&condition.signal.to_string()).unwrap_or(&text).trim().to_owned()
}

fn scaled(condition: &Condition) -> f64 {
    let value = condition.limit.value();
    if condition.signal.unit() == Unit::Ratio { value * 100.0 } else { value }
}

fn gate_condition(rule: &GateRule) -> Option<&Condition> {
    match rule {
        GateRule::Rate(condition) => Some(condition),
        GateRule::Periods(rule) => Some(&rule.hold),
        // A limit on a sum over the window is no limit on a minute.
        GateRule::Sum(_) | GateRule::Comparison(_) | GateRule::NoTrend(_) | GateRule::Baseline(_) | _ => None,
    }
}

fn watch_condition(rule: &WatchRule) -> Option<&Condition> {
    match rule {
        WatchRule::Consecutive(rule) => Some(&rule.when),
        WatchRule::Period(when) => Some(when),
        WatchRule::MOfN(rule) => Some(&rule.when),
        WatchRule::Ratio(rule) => Some(&rule.when),
        WatchRule::Trend(_) | WatchRule::Comparison(_) | WatchRule::Critical(_) | _ => None,
    }
}

/// The lowest limit of a gate of a stage on a signal or, where it has none, of anything else in the policy.
pub(crate) fn nearest(policy: &Policy, stage: Option<&Stage>, signal: &Signal) -> Option<f64> {
    let gates =
        stage.into_iter().flat_map(|stage| &stage.gates).filter_map(|gate| gate_condition(&gate.rule));
    let of_stage = gates.filter(|condition| condition.signal == *signal).map(scaled).reduce(f64::min);
    of_stage.or_else(|| on(policy, signal).iter().map(|limit| limit.value).reduce(f64::min))
}
