//! What no safe policy has: each refused with its place and what to write instead.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::metric::{Side, Signal, Unit};
use crate::policy::{
    Comparison, ComparisonRule, Condition, Gate, GateRule, Policy, PolicyError, Quantity, Stage, TrendRule,
    WatchRule,
};
use crate::units::Weights;

/// A stage window holds all periods up to its deadline; a week of them is far more than any bake and still small.
const LONGEST_STAGE: u32 = 7 * 24 * 60;

/// A line through fewer points says nothing.
const SHORTEST_TREND: u32 = 3;

/// A bit mask holds so many periods.
const LONGEST_MASK: u32 = 64;

type Checked = Result<(), PolicyError>;

fn refuse<T>(path: impl Into<String>, problem: impl Into<String>) -> Result<T, PolicyError> {
    Err(PolicyError { path: path.into(), problem: problem.into() })
}

fn ensure(holds: bool, path: &str, problem: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { refuse(path, problem()) }
}

/// Checks everything that does not depend on the release.
pub(super) fn check(policy: &Policy) -> Checked {
    ensure(!policy.name.trim().is_empty(), "name", || {
        "the policy has no name: give it one for the reports".into()
    })?;
    check_stages(policy)?;
    ensure(!policy.triggers.is_empty(), "triggers", || {
        "the policy has no trigger, so nothing would ever roll back at once: add at least one".into()
    })?;
    let watches = |kind, list: Vec<(&String, &WatchRule)>| {
        unique(kind, list.iter().map(|(id, _)| *id))?;
        for (index, (id, rule)) in list.iter().enumerate() {
            let path = format!("{kind}[{index}]");
            check_id(&format!("{path}.id"), id)?;
            check_watch(policy, &format!("{path}.rule"), rule)?;
        }
        Ok(())
    };
    watches("triggers", policy.triggers.iter().map(|trigger| (&trigger.id, &trigger.rule)).collect())?;
    watches("alerts", policy.alerts.iter().map(|alert| (&alert.id, &alert.rule)).collect())?;
    check_against_triggers(policy)?;
    check_numbers(policy)
}

fn check_stages(policy: &Policy) -> Checked {
    let Some(last) = policy.stages.last() else {
        return refuse("stages", "the policy has no stage: add one for each step of green's traffic");
    };
    unique("stages", policy.stages.iter().map(|stage| &stage.name))?;
    let mut before = Weights::ALL_BLUE;
    for (index, stage) in policy.stages.iter().enumerate() {
        let path = format!("stages[{index}]");
        check_stage(&path, stage)?;
        ensure(stage.weights.gives_green_more_than(before), &format!("{path}.weights"), || {
            format!(
                "green's share does not rise: {} after {before}; each stage must give green more than the one before",
                stage.weights
            )
        })?;
        before = stage.weights;
    }
    ensure(last.weights.is_all(Side::Green), &format!("stages[{}].weights", policy.stages.len() - 1), || {
        format!(
            "the last stage keeps traffic on blue ({}): end with blue 0, or blue can never be retired",
            last.weights
        )
    })
}

fn check_stage(path: &str, stage: &Stage) -> Checked {
    check_id(&format!("{path}.name"), &stage.name)?;
    let bake_path = format!("{path}.bake");
    let bake = stage.bake.periods();
    ensure(bake.is_some(), &bake_path, || {
        format!("{} is no whole number of minutes: evidence comes in 60-second periods", stage.bake)
    })?;
    let bake = bake.unwrap_or(0);
    ensure(bake > 0, &bake_path, || {
        "a stage without a bake promotes on nothing: give it at least 1 min".into()
    })?;
    ensure(stage.deadline_in_bakes >= 1, &format!("{path}.deadline_in_bakes"), || {
        "the deadline comes before the bake can end: write 1 or more, 2 leaves room for missing minutes"
            .into()
    })?;
    let deadline = u64::from(bake) * u64::from(stage.deadline_in_bakes);
    ensure(deadline <= u64::from(LONGEST_STAGE), &bake_path, || {
        format!("the stage may take {deadline} min, more than a week: shorten the bake or the deadline")
    })?;
    ensure(!stage.gates.is_empty(), &format!("{path}.gates"), || {
        "a stage without a gate promotes whatever its metrics say: add at least one".into()
    })?;
    unique(&format!("{path}.gates"), stage.gates.iter().map(|gate| &gate.id))?;
    for (index, gate) in stage.gates.iter().enumerate() {
        let path = format!("{path}.gates[{index}]");
        check_id(&format!("{path}.id"), &gate.id)?;
        check_gate(&format!("{path}.rule"), gate)?;
    }
    Ok(())
}

/// Ids that the library gives itself.
const RESERVED: [&str; 3] = ["blind", "no-traffic", "evidence"];

fn check_id(path: &str, id: &str) -> Checked {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    ensure(!id.is_empty() && id.chars().all(fits), path, || {
        format!("`{id}` is no id: use letters, digits, `-` and `_`")
    })?;
    ensure(!RESERVED.contains(&id), path, || format!("`{id}` is an id of the library's own: choose another"))
}

fn unique<'a>(path: &str, ids: impl Iterator<Item = &'a String>) -> Checked {
    let mut seen: Vec<&String> = Vec::new();
    for (index, id) in ids.enumerate() {
        ensure(!seen.contains(&id), &format!("{path}[{index}]"), || {
            format!("`{id}` stands twice: decisions name a rule by its id, so it must be unique")
        })?;
        seen.push(id);
    }
    Ok(())
}

fn check_watch(policy: &Policy, path: &str, rule: &WatchRule) -> Checked {
    match rule {
        WatchRule::Consecutive(rule) => {
            check_condition(path, &rule.when)?;
            check_window(policy, path, rule.periods, 1)
        }
        WatchRule::Period(when) => check_condition(path, when),
        WatchRule::MOfN(rule) => {
            check_condition(path, &rule.when)?;
            ensure(rule.m >= 1 && rule.m <= rule.n && rule.n <= LONGEST_MASK, path, || {
                format!("{} of {} is out of range: write 1 <= m <= n <= {LONGEST_MASK}", rule.m, rule.n)
            })?;
            check_window(policy, path, rule.n, 1)
        }
        WatchRule::Ratio(rule) => {
            check_condition(path, &rule.when)?;
            check_is_rate(path, &rule.when.signal)?;
            check_window(policy, path, rule.window, 1)
        }
        WatchRule::Trend(rule) => {
            check_trend(path, &rule.of)?;
            check_window(policy, path, rule.window, SHORTEST_TREND)
        }
        WatchRule::Comparison(rule) => {
            check_comparison(path, &rule.of)?;
            check_window(policy, path, rule.window, 1)
        }
        WatchRule::Critical(rule) => {
            ensure(!rule.services.is_empty(), path, || {
                "no service is named: list at least one `*_up`".into()
            })?;
            for service in &rule.services {
                ensure(service.unit() == Unit::Flag, path, || {
                    format!("`{service}` is no critical service: its name must end in `_up`")
                })?;
            }
            Ok(())
        }
    }
}

fn check_gate(path: &str, gate: &Gate) -> Checked {
    match &gate.rule {
        GateRule::Rate(condition) => {
            check_condition(path, condition)?;
            check_is_rate(path, &condition.signal)
        }
        GateRule::Sum(condition) => {
            check_condition(path, condition)?;
            let is_count = matches!(condition.signal.unit(), Unit::Count | Unit::Plain);
            ensure(is_count, path, || {
                format!("`{}` cannot be added up: a sum is for counts", condition.signal)
            })
        }
        GateRule::Periods(rule) => {
            check_condition(path, &rule.hold)?;
            check_share(path, rule.share, 1.0)
        }
        GateRule::Comparison(rule) => check_comparison(path, rule),
        GateRule::NoTrend(rule) => check_trend(path, rule),
        GateRule::Baseline(rule) => {
            check_is_rate(path, &rule.signal)?;
            check_share(path, rule.at_least, 1.0)
        }
    }
}

fn check_condition(path: &str, condition: &Condition) -> Checked {
    let unit = condition.signal.unit();
    ensure(condition.limit.fits(unit), path, || {
        format!("`{condition}`: the limit of `{}` is written {}", condition.signal, unit_words(unit))
    })
}

const fn unit_words(unit: Unit) -> &'static str {
    match unit {
        Unit::Count => "as a number of things, such as 10",
        Unit::Ratio => "in percent, such as 0.1 %",
        Unit::Millis => "as a time, such as 500 ms or 2 s",
        Unit::Flag => "as 0 or 1",
        Unit::Plain => "as a plain number, such as 10",
    }
}

fn check_is_rate(path: &str, signal: &Signal) -> Checked {
    let is_rate = matches!(signal, Signal::Rate { .. } | Signal::Complement { .. });
    ensure(is_rate, path, || {
        format!("`{signal}` is no rate: write `part / whole`, such as `errors / requests`")
    })
}

fn check_share(path: &str, share: Quantity, most: f64) -> Checked {
    let fits = matches!(share, Quantity::Share(share) if share > 0.0 && share <= most);
    ensure(fits, path, || {
        format!("`{share}` is out of range: write a percentage above 0 % and up to {} %", most * 100.0)
    })
}

fn check_trend(path: &str, rule: &TrendRule) -> Checked {
    let unit = rule.signal.unit();
    ensure(rule.rise.fits(unit) && rule.rise.value() > 0.0, path, || {
        format!(
            "the rise `{}` of `{}` is written {} and is above 0",
            rule.rise,
            rule.signal,
            unit_words(unit)
        )
    })?;
    check_share(path, rule.fit, 1.0)
}

fn check_comparison(path: &str, rule: &ComparisonRule) -> Checked {
    check_share(path, rule.significance, 0.5)?;
    ensure(matches!(rule.latency_ratio, Quantity::Share(ratio) if ratio >= 1.0), path, || {
        format!("the latency ratio `{}` is below blue's own: write 100 % or more", rule.latency_ratio)
    })?;
    ensure(matches!(rule.latency_surplus, Quantity::Millis(_)), path, || {
        format!("the latency surplus `{}` is no time: write it as 20 ms", rule.latency_surplus)
    })
}

/// A window longer than a bake would still hold nothing, or another stage's traffic, when the stage is promoted.
fn check_window(policy: &Policy, path: &str, window: u32, least: u32) -> Checked {
    ensure(window >= least, path, || {
        format!("a window of {window} periods is too short: write {least} or more")
    })?;
    let shortest = policy.stages.iter().filter_map(|stage| Some((stage.bake.periods()?, &stage.name))).min();
    match shortest {
        Some((bake, name)) if window > bake => refuse(
            path,
            format!(
                "a window of {window} min is longer than the bake of `{name}` ({bake} min): the stage would be promoted before the rule could speak"
            ),
        ),
        Some(_) | None => Ok(()),
    }
}

/// A gate that lets pass what a trigger takes back would promote into a rollback.
fn check_against_triggers(policy: &Policy) -> Checked {
    for (at_stage, stage) in policy.stages.iter().enumerate() {
        for (at_gate, gate) in stage.gates.iter().enumerate() {
            let Some(holds) = gate_condition(&gate.rule) else { continue };
            for trigger in &policy.triggers {
                let Some(fires) = watch_condition(&trigger.rule) else { continue };
                ensure(
                    holds.signal != fires.signal || !is_looser(holds, fires),
                    &format!("stages[{at_stage}].gates[{at_gate}].rule"),
                    || {
                        format!(
                            "the gate `{holds}` is looser than the trigger `{}` (`{fires}`): what it lets pass would be rolled back",
                            trigger.id
                        )
                    },
                )?;
            }
        }
    }
    Ok(())
}

fn is_looser(holds: &Condition, fires: &Condition) -> bool {
    let (gate, trigger) = (holds.limit.value(), fires.limit.value());
    match (holds.comparison, fires.comparison) {
        (Comparison::Below | Comparison::Equal, Comparison::Above) => gate > trigger,
        (Comparison::Above | Comparison::Equal, Comparison::Below) => gate < trigger,
        // The gate asks for what the trigger takes back.
        (Comparison::Above, Comparison::Above) | (Comparison::Below, Comparison::Below) => true,
        (_, Comparison::Equal) => false,
    }
}

fn gate_condition(rule: &GateRule) -> Option<&Condition> {
    match rule {
        GateRule::Rate(condition) | GateRule::Sum(condition) => Some(condition),
        GateRule::Periods(rule) => Some(&rule.hold),
        GateRule::Comparison(_) | GateRule::NoTrend(_) | GateRule::Baseline(_) => None,
    }
}

fn watch_condition(rule: &WatchRule) -> Option<&Condition> {
    match rule {
        WatchRule::Consecutive(rule) => Some(&rule.when),
        WatchRule::Period(when) => Some(when),
        WatchRule::MOfN(rule) => Some(&rule.when),
        WatchRule::Ratio(rule) => Some(&rule.when),
        WatchRule::Trend(_) | WatchRule::Comparison(_) | WatchRule::Critical(_) => None,
    }
}

/// Longer than this a metric source is not late but broken.
const LONGEST_SETTLE_SECONDS: u64 = 15 * 60;

fn check_numbers(policy: &Policy) -> Checked {
    let settle = policy.evidence.settle.duration().as_secs();
    ensure(settle <= LONGEST_SETTLE_SECONDS, "evidence.settle", || {
        format!("{} is longer than 15 min: a trigger would come too late", policy.evidence.settle)
    })?;
    for (index, metric) in policy.evidence.sparse.iter().enumerate() {
        ensure(
            matches!(metric.unit(), Unit::Count | Unit::Plain),
            &format!("evidence.sparse[{index}]"),
            || format!("`{metric}` is no count: only a count that is absent can mean 0"),
        )?;
    }
    let requests = &crate::metric::Metric::Requests;
    ensure(!policy.evidence.sparse.contains(requests), "evidence.sparse", || {
        "`requests` cannot be sparse: it is what tells no traffic from no data".into()
    })?;
    let blind = policy.blindness;
    let fits = |n: u32| n >= 1 && n <= blind.rollback_of;
    ensure(
        fits(blind.hold_after) && fits(blind.rollback_after) && blind.rollback_of <= LONGEST_MASK,
        "blindness",
        || format!("write 1 <= hold_after, rollback_after <= rollback_of <= {LONGEST_MASK}"),
    )?;
    let loss = policy.traffic_loss;
    ensure(loss.alert_after >= 1 && loss.alert_after <= loss.rollback_after, "traffic_loss", || {
        "write 1 <= alert_after <= rollback_after".into()
    })?;
    let at_least_a_second = |span: crate::policy::Span, path: &str| {
        ensure(span.duration().as_secs() >= 1, path, || "0 s is too short: write 1 s or more".into())
    };
    ensure(policy.probes.failures >= 1, "probes.failures", || "write 1 or more".into())?;
    at_least_a_second(policy.probes.interval, "probes.interval")?;
    let effects = policy.effects;
    ensure(effects.attempts >= 1, "effects.attempts", || "write 1 or more".into())?;
    at_least_a_second(effects.timeout, "effects.timeout")?;
    at_least_a_second(effects.check_timeout, "effects.check_timeout")?;
    at_least_a_second(effects.poll, "effects.poll")?;
    at_least_a_second(effects.backoff, "effects.backoff")?;
    at_least_a_second(effects.provision_deadline, "effects.provision_deadline")?;
    ensure(effects.backoff <= effects.backoff_limit, "effects.backoff_limit", || {
        format!("{} is shorter than the first pause of {}", effects.backoff_limit, effects.backoff)
    })
}
