//! A world without a fault and without a delay: every effect is done at once.

use mpac_deploy_core::analysis::Reading;
use mpac_deploy_core::effect::{Answer, CheckResult, Effect, EffectKind, Health, ObservedWeights};
use mpac_deploy_core::ids::{CheckName, RecordName, Revision, SchemaVersion};
use mpac_deploy_core::journal::{Record, rollout_id};
use mpac_deploy_core::machine::{Event, Rejected, Rollout};
use mpac_deploy_core::metric::Metric;
use mpac_deploy_core::migration::Migrations;
use mpac_deploy_core::plan::{Plan, Release};
use mpac_deploy_core::units::Weights;
use mpac_deploy_testkit::recording::Draft;

/// A release for which every metric of the preset is to be had.
#[must_use]
pub fn release() -> Release {
    Release {
        service: "checkout".into(),
        record: RecordName::from("api.example.com"),
        blue: Revision::from("v2.0.0"),
        green: Revision::from("v2.1.0"),
        checks: ["smoke", "integration", "database", "auth"].map(CheckName::from).to_vec(),
        metrics: Metric::KNOWN.to_vec(),
        probes: Vec::new(),
        environments: None,
        flags: Vec::new(),
        migrations: Migrations::default(),
    }
}

/// A rollout from its beginning until blue is retired, and its journal.
///
/// # Errors
/// [`Rejected`] when the machine rejects an answer to its own effect, which is a bug of the machine.
pub fn perfect_rollout(plan: Plan) -> Result<(Rollout, Vec<Record>), Rejected> {
    perfect_rollout_with(plan, |_, _| None)
}

/// The same, but before each step something else may happen first; it ends early once the journal holds a million records.
///
/// # Errors
/// [`Rejected`] when the machine rejects what happens.
pub fn perfect_rollout_with(
    plan: Plan,
    happens: impl Fn(usize, &Rollout) -> Option<Event>,
) -> Result<(Rollout, Vec<Record>), Rejected> {
    let now = Draft::period(0).start();
    let readings: Vec<Reading> = plan
        .series()
        .iter()
        .map(|series| {
            let known = Draft::HEALTHY.iter().find(|(metric, _)| *metric == series.metric);
            known.map_or(Reading::ABSENT, |(_, value)| Reading::from_number(*value))
        })
        .collect();
    let id = rollout_id(plan.release(), now);
    let (mut rollout, begun) = Rollout::begin(id, plan, now);
    let mut records = vec![Record::begun(&rollout, begun.decisions)];
    let mut weights = ObservedWeights::from(Weights::ALL_BLUE);
    while rollout.outcome().is_none() && records.len() < 1_000_000 {
        let effect = rollout.outstanding().next().cloned();
        let (at, event) = match (happens(records.len(), &rollout), effect) {
            (Some(event), _) => (rollout.now(), event),
            (None, Some(effect)) => (rollout.now(), answer(&effect, &mut weights, &readings)),
            (None, None) => match rollout.deadline() {
                Some(at) => (at, Event::Tick),
                None => break,
            },
        };
        let follows = rollout.handle(at, event.clone())?;
        let number = records.len() as u64 + 1;
        records.push(Record::happened(number, at, event, follows.decisions));
    }
    Ok((rollout, records))
}

fn answer(effect: &Effect, weights: &mut ObservedWeights, readings: &[Reading]) -> Event {
    let answer = match &effect.kind {
        EffectKind::ReadWeights => Answer::Weights(*weights),
        EffectKind::SetWeights { weights: wanted, .. } => {
            *weights = ObservedWeights::from(*wanted);
            Answer::Done
        }
        EffectKind::ConfirmWeights { .. } => Answer::InSync(true),
        EffectKind::Provision
        | EffectKind::RetireBlue
        | EffectKind::ReviveBlue
        | EffectKind::StopGreen
        | EffectKind::Migrate { .. }
        | EffectKind::UndoMigration { .. }
        | EffectKind::SwitchOff { .. } => Answer::Done,
        EffectKind::ReadSchema { .. } => Answer::Schema(SchemaVersion::from("1")),
        EffectKind::FindWritten { .. } => Answer::Written(Vec::new()),
        EffectKind::ReadFlag { .. } => Answer::Flag(false),
        EffectKind::CheckHealth { .. } => Answer::Health(Health::Healthy),
        EffectKind::RunCheck { .. } => Answer::Check(CheckResult::Passed),
        EffectKind::Observe { .. } => Answer::Readings(readings.to_vec()),
        EffectKind::Probe { services } => Answer::Probes(vec![true; services.len()]),
    };
    Event::Outcome { effect: effect.id.clone(), result: Ok(answer) }
}
