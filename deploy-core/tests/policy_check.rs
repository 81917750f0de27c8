//! What no safe policy has is refused, with its place: one row a reason.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

use mpac_deploy_core::metric::{Metric, Signal};
use mpac_deploy_core::policy::{
    Policy, Quantity, Span, consecutive, critical, m_of_n, mpac, period, rate, sum,
};
use mpac_deploy_core::units::Weights;

type Spoil = fn(&mut Policy);

fn error_rate() -> Signal {
    Signal::Rate { part: Metric::Errors, whole: Metric::Requests }
}

fn weights(blue: u8, green: u8) -> Weights {
    Weights::new(blue, green).unwrap()
}

/// What is done to the preset, where it is refused, and a word of the reason.
const REFUSED: &[(Spoil, &str, &str)] = &[
    (|p| p.name = " ".into(), "name", "no name"),
    (|p| p.stages.clear(), "stages", "no stage"),
    (|p| p.triggers.clear(), "triggers", "no trigger"),
    (|p| p.stages[1].weights = weights(96, 4), "stages[1].weights", "does not rise"),
    (|p| p.stages[1].weights = weights(190, 10), "stages[1].weights", "does not rise"),
    (|p| p.stages[2].weights = weights(1, 100), "stages[2].weights", "keeps traffic on blue"),
    (|p| p.stages[0].bake = Span::seconds(0), "stages[0].bake", "promotes on nothing"),
    (|p| p.stages[0].bake = Span::seconds(90), "stages[0].bake", "no whole number of minutes"),
    (|p| p.stages[0].bake = Span::seconds(u64::MAX / 60 * 60), "stages[0].bake", "no whole number"),
    (|p| p.stages[0].deadline_in_bakes = 0, "stages[0].deadline_in_bakes", "before the bake can end"),
    (|p| p.stages[0].deadline_in_bakes = u32::MAX, "stages[0].bake", "more than a week"),
    (|p| p.stages[0].gates.clear(), "stages[0].gates", "without a gate"),
    (|p| p.stages[0].gates[1].id = "error-rate".into(), "stages[0].gates[1]", "stands twice"),
    (|p| p.stages[1].name = "canary".into(), "stages[1]", "stands twice"),
    (|p| p.triggers[1].id = "error-rate".into(), "triggers[1]", "stands twice"),
    (|p| p.alerts[1].id = "error-rate".into(), "alerts[1]", "stands twice"),
    (|p| p.triggers[0].id = "no-traffic".into(), "triggers[0].id", "library's own"),
    (|p| p.triggers[0].id = "a.b".into(), "triggers[0].id", "no id"),
    (
        |p| p.triggers[0].rule = consecutive(error_rate().above(Quantity::Share(0.01)), 16),
        "triggers[0].rule",
        "longer than the bake of `canary`",
    ),
    (
        |p| p.triggers[0].rule = consecutive(error_rate().above(Quantity::Share(0.01)), 0),
        "triggers[0].rule",
        "too short",
    ),
    (
        |p| p.triggers[0].rule = m_of_n(error_rate().above(Quantity::Share(0.01)), 6, 5),
        "triggers[0].rule",
        "out of range",
    ),
    (
        |p| p.triggers[0].rule = period(error_rate().above(Quantity::Number(0.01))),
        "triggers[0].rule",
        "in percent",
    ),
    (
        |p| p.triggers[0].rule = period(Signal::Metric(Metric::LatencyP95).above(Quantity::Number(2.0))),
        "triggers[0].rule",
        "as a time",
    ),
    (
        |p| p.triggers[0].rule = period(error_rate().above(Quantity::Share(1.0))),
        "triggers[0].rule",
        "can never be",
    ),
    (
        |p| p.triggers[3].rule = period(Signal::Metric(Metric::Http5xx).below(Quantity::Number(0.0))),
        "triggers[3].rule",
        "can never be",
    ),
    (|p| p.triggers[2].rule = critical([]), "triggers[2].rule", "no service is named"),
    (|p| p.triggers[2].rule = critical([Metric::Requests]), "triggers[2].rule", "no critical service"),
    (
        |p| p.stages[0].gates[0].rule = rate(error_rate().below(Quantity::Share(0.02))),
        "stages[0].gates[0].rule",
        "looser than the trigger `error-rate`",
    ),
    (
        |p| p.stages[0].gates[0].rule = rate(error_rate().above(Quantity::Share(0.001))),
        "stages[0].gates[0].rule",
        "looser than the trigger",
    ),
    (
        |p| p.stages[0].gates[2].rule = sum(Signal::Metric(Metric::LatencyP95).below(Quantity::Millis(9.0))),
        "stages[0].gates[2].rule",
        "cannot be added up",
    ),
    (
        |p| p.stages[0].gates[0].rule = rate(Signal::Metric(Metric::Http5xx).below(Quantity::Number(1.0))),
        "stages[0].gates[0].rule",
        "is no rate",
    ),
    (|p| p.evidence.settle = Span::minutes(16), "evidence.settle", "too late"),
    (|p| p.evidence.sparse.push(Metric::Requests), "evidence.sparse", "cannot be sparse"),
    (|p| p.evidence.sparse.push(Metric::PostgresUp), "evidence.sparse[2]", "is no count"),
    (|p| p.blindness.rollback_after = 16, "blindness", "rollback_after <= rollback_of"),
    (|p| p.blindness.rollback_of = 65, "blindness", "rollback_of <= 64"),
    (|p| p.traffic_loss.alert_after = 0, "traffic_loss", "alert_after"),
    (|p| p.probes.failures = 0, "probes.failures", "1 or more"),
    (|p| p.probes.interval = Span::seconds(0), "probes.interval", "too short"),
    (|p| p.probes.failures = u32::MAX, "probes", "while a service is down"),
    (|p| p.effects.attempts = 0, "effects.attempts", "1 or more"),
    (|p| p.effects.poll = Span::seconds(0), "effects.poll", "too short"),
    (|p| p.effects.backoff_limit = Span::seconds(1), "effects.backoff_limit", "shorter than the first"),
];

#[test]
fn the_preset_is_safe() {
    assert_eq!(mpac().check(), Ok(()));
}

#[test]
fn each_unsafe_policy_is_refused_at_its_place() {
    for (spoil, path, word) in REFUSED {
        let mut policy = mpac();
        spoil(&mut policy);
        let error = policy.check().expect_err(word);
        assert_eq!(error.path, *path, "{error}");
        assert!(error.problem.contains(word), "`{word}` is not in: {error}");
    }
}

#[test]
fn a_rate_of_ones_own_may_be_above_one() {
    let mut policy = mpac();
    let carts = Signal::Rate { part: Metric::from("carts"), whole: Metric::from("visits") };
    policy.triggers[0].rule = period(carts.above(Quantity::Share(1.5)));
    assert_eq!(policy.check(), Ok(()));
}
