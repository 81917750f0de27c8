//! A gate that lets pass what a trigger takes back would promote into a rollback.

use alloc::format;

use super::check::{Checked, ensure};
use crate::metric::{Signal, Unit};
use crate::policy::{Comparison, Condition, GateRule, Policy, WatchRule};

/// Checks every gate against every trigger on the same signal.
pub(super) fn check_against_triggers(policy: &Policy) -> Checked {
    for (at_stage, stage) in policy.stages.iter().enumerate() {
        for (at_gate, gate) in stage.gates.iter().enumerate() {
            let Some(holds) = gate_condition(&gate.rule) else { continue };
            for trigger in &policy.triggers {
                let Some(fires) = watch_condition(&trigger.rule) else { continue };
                let path = format!("stages[{at_stage}].gates[{at_gate}].rule");
                ensure(!is_looser(holds, fires), &path, || {
                    format!(
                        "the gate `{holds}` is looser than the trigger `{}` (`{fires}`): what it lets pass would be rolled back",
                        trigger.id
                    )
                })?;
            }
        }
    }
    Ok(())
}

fn is_looser(holds: &Condition, fires: &Condition) -> bool {
    let (gate_signal, gate_comparison, gate) = as_rate(holds);
    let (trigger_signal, trigger_comparison, trigger) = as_rate(fires);
    gate_signal == trigger_signal
        && match (gate_comparison, trigger_comparison) {
            (Comparison::Below | Comparison::Equal, Comparison::Above) => gate > trigger,
            (Comparison::Above | Comparison::Equal, Comparison::Below) => gate < trigger,
            // Of a volume, a gate may ask for enough where a trigger refuses too much, unless no value is both. Of a share or a time, a gate that
            // asks for the trigger's side is written the wrong way round.
            (Comparison::Above, Comparison::Above) => !is_volume(&gate_signal) || gate >= trigger,
            (Comparison::Below, Comparison::Below) => !is_volume(&gate_signal) || gate <= trigger,
            (_, Comparison::Equal) => false,
        }
}

fn is_volume(signal: &Signal) -> bool {
    matches!(signal.unit(), Unit::Count | Unit::Plain)
}

/// A condition on `1 - part / whole` as the one that it is on `part / whole`.
fn as_rate(condition: &Condition) -> (Signal, Comparison, f64) {
    let limit = condition.limit.value();
    match &condition.signal {
        Signal::Complement { part, whole } => {
            let flipped = match condition.comparison {
                Comparison::Above => Comparison::Below,
                Comparison::Below => Comparison::Above,
                Comparison::Equal => Comparison::Equal,
            };
            // To a billionth, so that 1 - 0.99 is the same limit as 1 %.
            let limit = libm::round((1.0 - limit) * 1e9) / 1e9;
            (Signal::Rate { part: part.clone(), whole: whole.clone() }, flipped, limit)
        }
        signal @ (Signal::Metric(_) | Signal::Rate { .. }) => (signal.clone(), condition.comparison, limit),
    }
}

/// A sum over a window is no looser or tighter than one period's count: the two are left alone.
const fn gate_condition(rule: &GateRule) -> Option<&Condition> {
    match rule {
        GateRule::Rate(condition) => Some(condition),
        GateRule::Periods(rule) => Some(&rule.hold),
        GateRule::Sum(_) | GateRule::Comparison(_) | GateRule::NoTrend(_) | GateRule::Baseline(_) => None,
    }
}

const fn watch_condition(rule: &WatchRule) -> Option<&Condition> {
    match rule {
        WatchRule::Consecutive(rule) => Some(&rule.when),
        WatchRule::Period(when) => Some(when),
        WatchRule::MOfN(rule) => Some(&rule.when),
        WatchRule::Ratio(rule) => Some(&rule.when),
        WatchRule::Trend(_) | WatchRule::Comparison(_) | WatchRule::Critical(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looser(gate: &str, trigger: &str) -> bool {
        is_looser(&gate.parse().unwrap(), &trigger.parse().unwrap())
    }

    #[test]
    fn a_gate_must_not_let_pass_what_a_trigger_takes_back() {
        assert!(looser("errors / requests < 2 %", "errors / requests > 1 %"));
        assert!(!looser("errors / requests < 1 %", "errors / requests > 1 %"));
        assert!(looser("requests > 100", "requests < 200"));
        assert!(!looser("requests > 100", "requests > 10000"));
        assert!(looser("requests > 10000", "requests > 100"));
        assert!(looser("errors / requests > 0.1 %", "errors / requests > 1 %"));
        assert!(!looser("latency_p95_ms < 5 s", "latency_p99_ms > 1 s"));
    }

    #[test]
    fn a_success_rate_is_an_error_rate_turned_round() {
        assert!(looser("1 - errors / requests > 98 %", "errors / requests > 1 %"));
        assert!(!looser("1 - errors / requests > 99 %", "errors / requests > 1 %"));
        assert!(looser("errors / requests < 2 %", "1 - errors / requests < 99 %"));
    }
}
