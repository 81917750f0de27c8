//! Metrics that are late or lost, and traffic that is not there.

use std::time::Duration;

use super::{Expected, Scenario};
use crate::fault::{Call, Rule, Strike};
use crate::world::{Fault, Moment, Symptom, Window};

const BLIND: Expected = Expected::RolledBackBy(&["blind"]);

pub(super) fn scenarios() -> Vec<Scenario> {
    let two_minutes = Symptom::MetricsLate(Duration::from_secs(120));
    vec![
        Scenario::new(
            "metrics-blackout",
            "At half no metric is published any more: promotion is held, and then the rollout is rolled back.",
            BLIND,
        )
        .with_fault(Fault::both(Symptom::MetricsLost, Window::since(Moment::stage(1, 8)))),
        Scenario::new(
            "metrics-source-down",
            "At half the source of the metrics refuses every call.",
            BLIND,
        )
        .with_rule(
            Rule::new(&[Call::MetricsFetch], Strike::unavailable("the metrics API answers 503"))
                .within(Window::since(Moment::stage(1, 8))),
        ),
        Scenario::new(
            "metrics-hanging",
            "At half the source of the metrics takes every call and never answers: ten minutes of that are enough.",
            BLIND,
        )
        .with_rule(
            Rule::new(&[Call::MetricsFetch], Strike::Hang).within(Window::since(Moment::stage(1, 8))),
        ),
        Scenario::new(
            "metrics-late",
            "At half all metrics come two minutes late for five minutes: those minutes do not count, and the bake is longer.",
            Expected::Completed,
        )
        .with_fault(Fault::both(two_minutes, Window::minutes(Moment::stage(1, 8), 5))),
        night(),
        Scenario::new(
            "traffic-vanishes",
            "At half green's requests stop: nobody reaches it, and nothing fails.",
            Expected::RolledBackBy(&["no-traffic"]),
        )
        .with_fault(Fault::green(Symptom::Requests(0.0), Window::since(Moment::stage(1, 12)))),
    ]
}

fn night() -> Scenario {
    let mut scenario = Scenario::new(
        "no-traffic-at-night",
        "At night there are four requests a minute: canary's share of them is no evidence.",
        Expected::RolledBackBy(&["canary.evidence", "no-traffic"]),
    );
    scenario.setup.load.requests_per_minute = 4.0;
    scenario
}
