//! Random event sequences: a world that answers, fails, forgets and lies, and a person who interferes.

use mpac_deploy_core::effect::{Health, ObservedWeights, Retry};
use mpac_deploy_core::machine::{ApprovalGate, CommandKind};
use mpac_deploy_core::metric::Side;
use mpac_deploy_core::policy::IssueKind;
use proptest::prelude::*;

use crate::script::{Act, Script, Weather};

/// Scripts that reach every phase: long stretches in which the world answers well, with accidents in between.
pub fn scripts() -> impl Strategy<Value = Script> {
    (prop::collection::vec(scenes(), 0..30), any::<bool>(), any::<bool>())
        .prop_map(|(scenes, probed, migrates)| Script { acts: scenes.concat(), probed, migrates })
}

/// An act by itself, or a few that must meet at one moment.
fn scenes() -> impl Strategy<Value = Vec<Act>> {
    let abort = || Act::Command(CommandKind::Abort { issue: IssueKind::HighErrorRate, force: false });
    prop_oneof![
        20 => acts().prop_map(|act| vec![act]),
        2 => acts().prop_map(|act| vec![Act::AnswerUntilForward, act]),
        1 => Just(vec![Act::AnswerUntilForward, abort()]),
        1 => (1..6_u16, observed()).prop_map(move |(steps, weights)| {
            vec![abort(), Act::Answer(steps), Act::SetWeights(weights)]
        }),
        1 => (1..200_u16).prop_map(|steps| vec![Act::Weather(Weather::ServicesDark), Act::Answer(steps)]),
    ]
}

fn observed() -> impl Strategy<Value = ObservedWeights> {
    (0..=255_u8, 0..=255_u8).prop_map(|(blue, green)| ObservedWeights { blue, green })
}

/// What happens next in a script.
pub fn acts() -> impl Strategy<Value = Act> {
    prop_oneof![
        8 => (1..60_u16).prop_map(Act::Answer),
        2 => (60..400_u16).prop_map(Act::Answer),
        2 => prop_oneof![Just(Retry::Worthwhile), Just(Retry::Useless)].prop_map(Act::Fail),
        2 => Just(Act::LoseAnswer),
        1 => Just(Act::Repeat),
        2 => (0..4_000_u32).prop_map(Act::Wait),
        1 => (0..10_000_u32).prop_map(Act::JumpBack),
        1 => observed().prop_map(Act::SetWeights),
        2 => (prop_oneof![Just(Side::Blue), Just(Side::Green)], healths()).prop_map(|(s, h)| Act::Health(s, h)),
        3 => weathers().prop_map(Act::Weather),
        1 => Just(Act::FailChecks),
        1 => Just(Act::WriteData),
        3 => commands().prop_map(Act::Command),
        1 => any::<bool>().prop_map(|force| Act::Approve { force }),
    ]
}

fn healths() -> impl Strategy<Value = Health> {
    prop_oneof![
        3 => Just(Health::Healthy),
        1 => Just(Health::Starting { detail: "1 of 3".into() }),
        1 => Just(Health::Unhealthy { detail: "0 of 3".into() }),
        1 => Just(Health::Failed { detail: "CannotPullContainerError".into() }),
    ]
}

/// What green's metrics look like, around the lines of the preset.
pub fn weathers() -> impl Strategy<Value = Weather> {
    prop_oneof![
        5 => Just(Weather::Healthy),
        1 => (0..30_u16).prop_map(Weather::Errors),
        1 => (0..14_u16).prop_map(Weather::Http5xx),
        1 => prop_oneof![Just(499), Just(500), Just(1_500), Just(2_000), Just(2_001)].prop_map(Weather::Latency),
        1 => Just(Weather::Dark),
        1 => Just(Weather::Broken),
        1 => Just(Weather::Silent),
        1 => Just(Weather::DatabaseDown),
        1 => Just(Weather::ServicesDark),
    ]
}

fn commands() -> impl Strategy<Value = CommandKind> {
    prop_oneof![
        2 => Just(CommandKind::Pause),
        3 => Just(CommandKind::Resume),
        2 => any::<bool>().prop_map(|force| CommandKind::Promote { force }),
        1 => (gates(), any::<bool>()).prop_map(|(gate, force)| CommandKind::Approve { gate, force }),
        1 => (issues(), any::<bool>()).prop_map(|(issue, force)| CommandKind::Abort { issue, force }),
    ]
}

/// Also gates that the policy does not have, and those that are not the next.
fn gates() -> impl Strategy<Value = ApprovalGate> {
    prop_oneof![(0..5_usize).prop_map(ApprovalGate::Stage), Just(ApprovalGate::Decommission)]
}

fn issues() -> impl Strategy<Value = IssueKind> {
    prop::sample::select(IssueKind::ALL.to_vec())
}
