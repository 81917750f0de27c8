//! Green does not start, does not stay healthy, or does not pass its checks.

use std::time::Duration;

use super::{Expected, Scenario};
use crate::fault::{Call, Rule, Strike};
use crate::world::{Fault, Moment, Symptom, Window};

pub(super) fn scenarios() -> Vec<Scenario> {
    let flapping = Symptom::Flapping(Duration::from_secs(45));
    vec![
        Scenario::new(
            "tasks-flapping",
            "From canary on one of green's tasks is always unhealthy, each in its turn: green gets no more weight.",
            Expected::RolledBackByEffect,
        )
        .with_fault(Fault::green(flapping, Window::since(Moment::stage(0, 1)))),
        Scenario::new(
            "fail-open",
            "At half no task of green is healthy; its target group fails open and sends them requests all the same.",
            Expected::RolledBackBy(&["http-5xx"]),
        )
        .with_fault(Fault::green(Symptom::FailOpen, Window::since(Moment::stage(1, 9)))),
        Scenario::new(
            "task-lost-and-replaced",
            "At half one of green's tasks fails and is replaced within four minutes.",
            Expected::Completed,
        )
        .with_fault(Fault::green(Symptom::TasksDown(1), Window::minutes(Moment::stage(1, 9), 4))),
        Scenario::new("checks-failing", "Green is healthy, but its authentication flows fail.", Expected::Abandoned)
            .with_fault(Fault::green(Symptom::CheckFails("auth"), Window::ALWAYS)),
        Scenario::new("checks-hanging", "Green's integration tests never end.", Expected::Abandoned)
            .with_rule(Rule::new(&[Call::ChecksRun], Strike::Hang)),
        Scenario::new("provisioning-stuck", "Green's tasks start and never become healthy.", Expected::Abandoned)
            .with_fault(Fault::green(Symptom::NeverHealthy, Window::ALWAYS)),
        Scenario::new("bad-image", "Green's image cannot be pulled.", Expected::Abandoned)
            .with_fault(Fault::green(Symptom::BadImage, Window::ALWAYS)),
    ]
}
