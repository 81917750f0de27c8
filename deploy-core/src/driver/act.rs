//! One effect against the ports.

use tracing::Instrument;

use super::{Ports, gauge};
use crate::effect::{Answer, Effect, EffectKind, Failure};
use crate::ids::FencingToken;
use crate::migration::{Phase, Step};
use crate::plan::{Plan, Release};
use crate::port::PortError;

/// Runs one attempt at an effect, inside a span `effect` with the fields `rollout`, `id`, `attempt` and `kind`.
pub(super) async fn act(
    ports: &Ports,
    plan: &Plan,
    fence: FencingToken,
    effect: Effect,
) -> Result<Answer, Failure> {
    let span = tracing::info_span!(
        "effect",
        rollout = %effect.id.rollout,
        id = effect.id.number,
        attempt = effect.attempt,
        kind = effect.kind.name()
    );
    async {
        let began = ports.clock.now();
        let result = call(ports, plan, fence, &effect).await;
        gauge::call(effect.kind.name(), result.is_ok(), ports.clock.now().since(began));
        match &result {
            Ok(_) => tracing::debug!("done"),
            Err(failure) => tracing::warn!(error = %failure.message, "failed"),
        }
        result
    }
    .instrument(span)
    .await
}

async fn call(ports: &Ports, plan: &Plan, fence: FencingToken, effect: &Effect) -> Result<Answer, Failure> {
    let (id, release) = (&effect.id, plan.release());
    Ok(match &effect.kind {
        EffectKind::ReadWeights => Answer::Weights(ports.traffic.read(&release.record).await?),
        EffectKind::SetWeights { weights, direction } => {
            ports.traffic.set(id, fence, &release.record, *weights, *direction).await?;
            Answer::Done
        }
        EffectKind::ConfirmWeights { change } => Answer::InSync(ports.traffic.confirm(change).await?),
        EffectKind::Provision => {
            ports.fleet.provision(id, fence, release).await?;
            Answer::Done
        }
        EffectKind::CheckHealth { side } => Answer::Health(ports.fleet.health(release, *side).await?),
        EffectKind::RunCheck { check } => Answer::Check(ports.checks.run(id, release, check).await?),
        EffectKind::Observe { period } => {
            // The machine's time never goes back and may run ahead of a clock that did: the source is asked by the world's
            // time, or it would be asked for a period that has not ended.
            let settled = period.end().after(plan.policy().evidence.settle.duration());
            ports.clock.sleep_until(settled).await;
            Answer::Readings(ports.metrics.fetch(plan.series(), *period).await?)
        }
        EffectKind::Probe { services } => {
            let mut answers = ports.probes.probe(services).await;
            answers.resize(services.len(), false);
            Answer::Probes(answers)
        }
        EffectKind::RetireBlue => {
            ports.fleet.retire(id, fence, release).await?.map_or(Answer::Done, Answer::Retired)
        }
        EffectKind::ReviveBlue => {
            ports.fleet.revive(id, fence, release).await?;
            Answer::Done
        }
        EffectKind::StopGreen => {
            ports.fleet.stop_green(id, fence, release).await?;
            Answer::Done
        }
        EffectKind::Migrate { phase, step } => {
            Answer::Migrated(ports.schema.apply(id, fence, the_step(release, *phase, *step)?).await?)
        }
        EffectKind::ReadSchema { phase, step } => {
            Answer::Schema(ports.schema.version(&the_step(release, *phase, *step)?.service).await?)
        }
        EffectKind::FindWritten { step } => {
            Answer::Written(ports.schema.written(the_step(release, Phase::Expand, *step)?).await?)
        }
        EffectKind::UndoMigration { step } => {
            Answer::Migrated(ports.schema.undo(id, fence, the_step(release, Phase::Expand, *step)?).await?)
        }
        EffectKind::SwitchOff { flag } => {
            ports.flags.switch_off(id, fence, flag).await?;
            Answer::Done
        }
        EffectKind::ReadFlag { flag } => Answer::Flag(ports.flags.is_on(flag).await?),
    })
}

/// The machine issues no effect for a step that the release does not have.
fn the_step(release: &Release, phase: Phase, step: usize) -> Result<&Step, PortError> {
    let found = release.migrations.steps(phase).get(step);
    found.ok_or_else(|| {
        PortError::NotFound(alloc::format!("the release has no step {step} in its {phase} phase"))
    })
}
