//! Releases that change schemas, and features behind a flag.

use mpac_deploy_core::machine::{Command, CommandKind};
use mpac_deploy_core::policy::IssueKind;
use mpac_deploy_core::port::PortError;

use super::{Action, Expected, Scenario};
use crate::fault::{Call, Rule, Strike};
use crate::world::{Fault, Moment, Symptom, Window};

fn abort(issue: IssueKind, why: &str) -> Action {
    let kind = CommandKind::Abort { issue, force: false };
    Action::Command(Command { kind, by: "the operator".into(), why: why.into() })
}

/// Half a day after full got its weights: blue is retired by then, and the schema not contracted yet.
const BEFORE_CONTRACTING: Moment = Moment::stage(2, 12 * 60);

pub(super) fn scenarios() -> Vec<Scenario> {
    let refused = || Strike::Fail(PortError::Refused("column \"amount\" is used by a view".into()));
    let corruption = || abort(IssueKind::DatabaseCorruption, "totals are wrong");
    vec![
        Scenario::new(
            "migrated-in-two-phases",
            "Two schemas are expanded before green starts, and contracted 24 h after the cutover.",
            Expected::Completed,
        )
        .migrating(),
        Scenario::new(
            "migration-fails",
            "A schema cannot be expanded: green is not started, and no traffic is moved.",
            Expected::Abandoned,
        )
        .migrating()
        .with_rule(Rule::new(&[Call::SchemaApply], refused())),
        Scenario::new(
            "migration-answer-lost",
            "The answer of every first migration is lost; the schema is read, and is where it was meant to be.",
            Expected::Completed,
        )
        .migrating()
        .with_rule(Rule::new(&[Call::SchemaApply], Strike::AnswerLost).at_most(1)),
        Scenario::new(
            "contracting-fails",
            "A day after the cutover the schema cannot be contracted: green serves, and a person must decide.",
            Expected::Held,
        )
        .migrating()
        .with_rule(
            Rule::new(&[Call::SchemaApply], refused()).within(Window::since(Moment::stage(2, 23 * 60))),
        ),
        Scenario::new(
            "rolled-back-expanded",
            "Green fails at canary: traffic goes back, and the schema stays expanded, which blue works with.",
            Expected::RolledBackBy(&["error-rate", "http-5xx"]),
        )
        .migrating()
        .with_fault(Fault::green(Symptom::ServerErrors(0.03), Window::since(Moment::stage(0, 4)))),
        Scenario::new(
            "database-corruption",
            "At half a person finds wrong data: traffic goes back, green is stopped, and the migrations are undone.",
            Expected::RolledBackByPerson,
        )
        .migrating()
        .with_action(Moment::stage(1, 10), corruption()),
        Scenario::new(
            "database-rollback-refused",
            "At half a person finds wrong data; a migration cannot be undone: blue serves, and a person must decide.",
            Expected::Held,
        )
        .migrating()
        .with_rule(Rule::new(&[Call::SchemaUndo], refused()))
        .with_action(Moment::stage(1, 10), corruption()),
        Scenario::new(
            "aborted-before-contracting",
            "Half a day after the cutover a person takes the release back: blue is started again.",
            Expected::RolledBackByPerson,
        )
        .migrating()
        .with_action(BEFORE_CONTRACTING, abort(IssueKind::HighErrorRate, "customers complain")),
        Scenario::new(
            "feature-flag-off",
            "At half a feature misbehaves: its flag is switched off, traffic stays, and the rollout waits for a person.",
            Expected::Held,
        )
        .with_flag("new-payment-flow")
        .with_action(Moment::stage(1, 10), abort(IssueKind::FeatureBug, "receipts are wrong")),
        Scenario::new(
            "feature-flag-stuck",
            "At half a feature misbehaves, and its flag cannot be switched off: traffic is taken back in place of it.",
            Expected::RolledBackByPerson,
        )
        .with_flag("new-payment-flow")
        .with_rule(Rule::new(&[Call::FlagsSwitchOff], Strike::unavailable("no answer")))
        .with_action(Moment::stage(1, 10), abort(IssueKind::FeatureBug, "receipts are wrong")),
    ]
}
