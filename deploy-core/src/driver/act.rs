//! One effect against the ports.

use tracing::Instrument;

use super::Ports;
use crate::effect::{Answer, Effect, EffectKind, Failure};
use crate::ids::FencingToken;
use crate::plan::Plan;

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
        let result = call(ports, plan, fence, &effect).await;
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
    })
}
