//! People in the middle: weights set by hand, a pause, an abort.

use mpac_deploy_core::effect::ObservedWeights;
use mpac_deploy_core::machine::{Command, CommandKind};
use mpac_deploy_core::policy::IssueKind;

use super::{Action, Expected, Scenario};
use crate::world::Moment;

pub(super) fn command(kind: CommandKind, why: &str) -> Action {
    Action::Command(Command { kind, by: "the operator".into(), why: why.into() })
}

fn by_hand(blue: u8, green: u8) -> Action {
    Action::SetWeights(ObservedWeights { blue, green })
}

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new(
            "weights-changed-by-hand",
            "At half somebody sets the weights by hand: the rollout pauses. They are set back, and the rollout is resumed.",
            Expected::Completed,
        )
        .with_action(Moment::stage(1, 10), by_hand(80, 20))
        .with_action(Moment::stage(1, 20), by_hand(50, 50))
        .with_action(Moment::stage(1, 22), command(CommandKind::Resume, "the weights are as they were")),
        Scenario::new(
            "weights-left-changed",
            "At half somebody sets the weights by hand and goes home: the rollout waits and overwrites nothing.",
            Expected::Held,
        )
        .with_action(Moment::stage(1, 10), by_hand(80, 20)),
        Scenario::new(
            "paused-and-resumed",
            "An operator pauses the rollout at canary for half an hour.",
            Expected::Completed,
        )
        .with_action(Moment::stage(0, 5), command(CommandKind::Pause, "lunch rush"))
        .with_action(Moment::stage(0, 35), command(CommandKind::Resume, "lunch is over")),
        Scenario::new(
            "aborted",
            "At full customers report wrong receipts; an operator takes the rollout back.",
            Expected::RolledBackByPerson,
        )
        .with_action(
            Moment::stage(2, 20),
            command(CommandKind::Abort { issue: IssueKind::FeatureBug, force: false }, "wrong receipts"),
        ),
    ]
}
