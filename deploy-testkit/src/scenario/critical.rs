//! Critical services go down, and blue is no safe way back.

use mpac_deploy_core::metric::Metric;

use super::{Expected, Scenario};
use crate::fault::{Call, Rule, Strike};
use crate::world::{Fault, Moment, Symptom, Window};

const CRITICAL: Expected = Expected::RolledBackBy(&["critical-service"]);

fn down(service: Metric, window: Window) -> Fault {
    Fault::both(Symptom::ServiceDown(service), window)
}

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new("db-down-at-canary", "PostgreSQL goes down at canary, seen by the probes.", CRITICAL)
            .with_fault(down(Metric::PostgresUp, Window::minutes(Moment::stage(0, 8), 10))),
        Scenario::new(
            "db-down-at-half",
            "PostgreSQL goes down at half; there are no probes, so its metric shows it.",
            CRITICAL,
        )
        .with_fault(down(Metric::PostgresUp, Window::minutes(Moment::stage(1, 12), 10)))
        .without_probes(),
        Scenario::new("db-down-at-full", "PostgreSQL goes down at full and stays down.", CRITICAL)
            .with_fault(down(Metric::PostgresUp, Window::since(Moment::stage(2, 30)))),
        Scenario::new("redis-down", "Redis goes down at half for a quarter of an hour.", CRITICAL)
            .with_fault(down(Metric::RedisUp, Window::minutes(Moment::stage(1, 5), 15))),
        Scenario::new(
            "probes-hanging",
            "At half PostgreSQL takes connections and never answers a probe.",
            CRITICAL,
        )
        .with_rule(Rule::new(&[Call::ProbesProbe], Strike::Hang).within(Window::since(Moment::stage(1, 5)))),
        blue_sick(
            "blue-sick-too",
            "At half green fails while blue is known to be unhealthy: the rollback is held, says why, and goes on once blue \
             has recovered.",
            Expected::RolledBackBy(&["http-5xx"]),
            Window::minutes(Moment::stage(1, 6), 30),
        ),
        blue_sick(
            "blue-sick-for-good",
            "At half green fails while blue is known to be unhealthy, and blue never recovers: a person must decide.",
            Expected::Held,
            Window::since(Moment::stage(1, 6)),
        ),
    ]
}

fn blue_sick(name: &'static str, description: &'static str, expected: Expected, window: Window) -> Scenario {
    Scenario::new(name, description, expected)
        .with_fault(Fault::blue(Symptom::TasksDown(2), window))
        .with_fault(Fault::green(Symptom::ServerErrors(0.05), Window::since(Moment::stage(1, 12))))
}
