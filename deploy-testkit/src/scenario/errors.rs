//! Green fails requests: short and long, under and over the line.

use mpac_deploy_core::metric::Metric;

use super::{Expected, Scenario};
use crate::world::{Fault, Moment, Symptom, Window};

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new(
            "error-spike-under",
            "At half, 0.8 % of green's requests fail for three minutes: an alert, and no trigger.",
            Expected::Completed,
        )
        .with_fault(Fault::green(Symptom::Errors(0.008), Window::minutes(Moment::stage(1, 10), 3))),
        Scenario::new(
            "error-spike-over",
            "At half, 3 % of green's requests fail for eight minutes: the fifth of them rolls back.",
            Expected::RolledBackBy(&["error-rate"]),
        )
        .with_fault(Fault::green(Symptom::Errors(0.03), Window::minutes(Moment::stage(1, 10), 8))),
        Scenario::new(
            "errors-only-at-full",
            "Green is sound until it serves everybody; then 2 % of its requests fail.",
            Expected::RolledBackBy(&["error-rate"]),
        )
        .with_fault(Fault::green(Symptom::Errors(0.02), Window::since(Moment::stage(2, 6)))),
        Scenario::new(
            "incident-4-minutes",
            "At half, exactly 1.5 % of green's requests fail for four minutes: one too few to roll back.",
            Expected::Completed,
        )
        .with_fault(Fault::green(Symptom::ExactErrors(0.015), Window::minutes(Moment::stage(1, 10), 4)))
        .without_stragglers(),
        Scenario::new(
            "incident-5-minutes",
            "At half, exactly 1.5 % of green's requests fail for five minutes: the fifth rolls back.",
            Expected::RolledBackBy(&["error-rate"]),
        )
        .with_fault(Fault::green(Symptom::ExactErrors(0.015), Window::minutes(Moment::stage(1, 10), 5)))
        .without_stragglers(),
        exactly_at_threshold(),
        Scenario::new(
            "burst-of-5xx",
            "At canary, green answers about 40 requests of one minute with a status of 5xx.",
            Expected::RolledBackBy(&["http-5xx"]),
        )
        .with_fault(Fault::green(
            Symptom::ServerErrorsPerMinute(40.0),
            Window::minutes(Moment::stage(0, 8), 1),
        ))
        // One minute is all that shows it: published two minutes late, it would be judged as missing (semantics 1.2).
        .without_stragglers(),
        Scenario::new(
            "trickle-of-5xx",
            "At canary, green answers three requests a minute with a status of 5xx: no trigger, and no promotion either.",
            Expected::RolledBackBy(&["canary.error-rate", "canary.http-5xx"]),
        )
        .with_fault(Fault::green(
            Symptom::Pin(Metric::Http5xx, 3.0),
            Window::since(Moment::stage(0, 0)),
        )),
    ]
}

/// Strict comparisons: nothing holds at exactly its limit (semantics 3.2).
fn exactly_at_threshold() -> Scenario {
    let for_eight_minutes = Window::minutes(Moment::stage(1, 10), 8);
    let pin = |metric, value| Fault::green(Symptom::Pin(metric, value), for_eight_minutes);
    Scenario::new(
        "exactly-at-threshold",
        "At half, for eight minutes, green's error rate is exactly 1 %, its p95 exactly 2000 ms, and its 5xx exactly 10.",
        Expected::Completed,
    )
    .with_fault(pin(Metric::Requests, 3000.0))
    .with_fault(pin(Metric::Errors, 30.0))
    .with_fault(pin(Metric::Http5xx, 10.0))
    .with_fault(pin(Metric::LatencyP95, 2000.0))
    .with_fault(pin(Metric::LatencyP99, 3500.0))
}
