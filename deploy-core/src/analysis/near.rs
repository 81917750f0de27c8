//! How near a rule's numbers are to its limit, for people who look.

use super::judge::Judge;
use super::verdict::{Measure, RuleRef, Verdict};
use crate::metric::Unit;
use crate::plan::{GateKind, Plan};
use crate::policy::{Comparison, Condition};

impl Verdict {
    /// The part of its limit that a rule's numbers have used up: 0 is as good as it can be, and from 1 on a trigger or an alert breaches, or a
    /// gate lets nothing pass. `None` where a rule has no one limit, or nothing was measured. Nothing is decided by it.
    #[must_use]
    pub fn used(&self, plan: &Plan, judge: &Judge) -> Option<f64> {
        let used = match self.measure {
            Measure::Value(value)
            | Measure::Run { latest: value, .. }
            | Measure::Rate { rate: value, .. }
            | Measure::Sum(value) => self.used_by(self.condition(plan)?, value)?,
            Measure::Periods { with, needed, .. } => match self.rule {
                RuleRef::Gate { stage, .. } => {
                    // So many periods of a bake may fail; with the next one the gate cannot hold any more.
                    let bake = plan.stage_bake(stage);
                    let failed = judge.counted().min(bake).saturating_sub(with);
                    f64::from(failed) / f64::from(bake.saturating_sub(needed).saturating_add(1))
                }
                RuleRef::Trigger(_)
                | RuleRef::Alert(_)
                | RuleRef::Blind
                | RuleRef::NoTraffic
                | RuleRef::StageEvidence(_) => f64::from(with) / f64::from(needed.max(1)),
            },
            Measure::Line(line) => match self.gate_kind(plan)? {
                GateKind::NoTrend { rise, .. } => line.rise / rise,
                GateKind::Rate(_)
                | GateKind::Sum(_)
                | GateKind::Periods { .. }
                | GateKind::Comparison(_)
                | GateKind::Baseline(_) => return None,
            },
            Measure::Service(_) => 1.0,
            Measure::Comparison { .. }
            | Measure::Baseline { .. }
            | Measure::Blind { .. }
            | Measure::Unlooked { .. }
            | Measure::Silence(_)
            | Measure::Nothing => return None,
        };
        used.is_finite().then_some(used.max(0.0))
    }

    fn used_by(&self, condition: &Condition, value: f64) -> Option<f64> {
        let limit = condition.limit.value();
        let is_gate = matches!(self.rule, RuleRef::Gate { .. });
        let grows_worse = match condition.comparison {
            // A watch breaches where its condition holds, a gate where it does not.
            Comparison::Above => !is_gate,
            Comparison::Below => is_gate,
            Comparison::Equal => {
                return Some(if condition.comparison.holds(value, limit) == is_gate { 0.0 } else { 1.0 });
            }
        };
        if grows_worse {
            return (limit > 0.0).then(|| value / limit);
        }
        // Of a share the distance from the whole counts: 99.95 % of 99.9 % is half of what may fail.
        if condition.signal.unit() == Unit::Ratio && limit < 1.0 {
            return Some((1.0 - value) / (1.0 - limit));
        }
        (value > 0.0).then(|| limit / value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Period;

    fn used(rule: RuleRef, condition: &str, value: f64) -> Option<f64> {
        let period = Period::default();
        let verdict = Verdict { rule, holds: true, measure: Measure::Value(value), from: period, to: period };
        verdict.used_by(&condition.parse().unwrap(), value)
    }

    #[test]
    fn one_is_the_limit_whichever_way_a_rule_is_written() {
        let (trigger, gate) = (RuleRef::Trigger(0), RuleRef::Gate { stage: 0, gate: 0 });
        let near = |used: Option<f64>, to: f64| (used.unwrap() - to).abs() < 1e-9;
        assert!(near(used(trigger, "errors / requests > 1 %", 0.005), 0.5));
        assert!(near(used(trigger, "latency_p95_ms > 2 s", 2000.0), 1.0));
        assert!(near(used(trigger, "1 - errors / requests < 99.5 %", 0.9975), 0.5));
        assert!(near(used(trigger, "requests < 100", 400.0), 0.25));
        assert!(near(used(gate, "errors / requests < 0.1 %", 0.002), 2.0));
        assert!(near(used(gate, "1 - errors / requests > 99.9 %", 0.9995), 0.5));
        assert!(near(used(gate, "http_5xx = 0", 0.0), 0.0));
        assert!(near(used(gate, "http_5xx = 0", 1.0), 1.0));
        assert!(near(used(trigger, "postgres_up = 0", 1.0), 0.0));
        assert_eq!(used(trigger, "http_5xx > 0", 1.0), None);
    }
}
