//! Route 53, the journal, the notifier and the clock fail, while green is sound or not.

use std::time::Duration;

use super::{Expected, Scenario};
use crate::fault::{Call, Rule, Strike};
use crate::world::{Fault, Jump, Moment, Symptom, Window};

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new(
            "throttled-route53",
            "Half of all calls to Route 53 are throttled: the rollout goes through, or is taken back when three attempts in a \
             row fail.",
            Expected::OneOf(vec![
                Expected::Completed,
                Expected::RolledBackByEffect,
                Expected::Abandoned,
            ]),
        )
        .with_rule(Rule::new(&Call::TRAFFIC, Strike::unavailable("Throttling: Rate exceeded")).with_chance(0.5)),
        Scenario::new(
            "answer-lost",
            "Each change of the weights is made, but the answer to the first call is lost; the second changes nothing.",
            Expected::Completed,
        )
        .with_rule(Rule::new(&[Call::TrafficSet], Strike::AnswerLost).at_most(1))
        .with_rule(
            Rule::new(&[Call::TrafficSet], Strike::AnswerLost)
                .at_most(1)
                .within(Window::since(Moment::stage(0, 5))),
        ),
        Scenario::new(
            "rollback-throttled",
            "At half green fails, and for ten minutes Route 53 refuses the rollback: it is tried until it is done.",
            Expected::RolledBackBy(&["http-5xx"]),
        )
        .with_fault(Fault::green(Symptom::ServerErrors(0.1), Window::since(Moment::stage(1, 12))))
        .with_rule(
            Rule::new(&[Call::TrafficSet], Strike::unavailable("Throttling: Rate exceeded"))
                .within(Window::minutes(Moment::stage(1, 10), 12)),
        ),
        Scenario::new(
            "store-down",
            "At half the journal is unavailable for eight minutes, and green fails meanwhile: it is rolled back all the same.",
            Expected::RolledBackBy(&["http-5xx"]),
        )
        .with_fault(Fault::green(Symptom::ServerErrors(0.1), Window::since(Moment::stage(1, 12))))
        .with_rule(
            Rule::new(&Call::JOURNAL, Strike::unavailable("the table is not reachable"))
                .within(Window::minutes(Moment::stage(1, 10), 8)),
        ),
        Scenario::new(
            "store-slow",
            "Every third write to the journal takes a second and a half.",
            Expected::Completed,
        )
        .with_rule(
            Rule::new(&[Call::JournalAppend], Strike::Delay(Duration::from_millis(1500))).with_chance(0.33),
        ),
        Scenario::new("notifier-hangs", "The notifier never answers, which holds nothing up.", Expected::Completed)
            .with_rule(Rule::new(&[Call::NotifyNotify], Strike::Hang)),
        Scenario::new(
            "clock-jumps-back",
            "An hour after the start the wall clock jumps back by forty seconds: no minute is judged twice, and none before it \
             has settled by that clock.",
            Expected::Completed,
        )
        .with_jump(Jump { at: Duration::from_secs(3600), by_millis: -40_000 }),
        Scenario::new(
            "clock-jumps-back-far",
            "An hour after the start the wall clock jumps back by ten minutes: until it is trusted again no minute has settled, \
             and without evidence the rollout goes back.",
            Expected::RolledBackBy(&["blind"]),
        )
        .with_jump(Jump { at: Duration::from_secs(3600), by_millis: -600_000 }),
        Scenario::new(
            "clock-jumps-ahead",
            "Half an hour after the start the wall clock jumps ahead by two hours: that is no evidence, and without any the \
             rollout goes back.",
            Expected::RolledBackBy(&["blind", "half.evidence"]),
        )
        .with_jump(Jump { at: Duration::from_secs(1800), by_millis: 7_200_000 }),
    ]
}
