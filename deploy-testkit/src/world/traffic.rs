//! The record at its authority: the traffic port of the world.

use async_trait::async_trait;
use mpac_deploy_core::effect::{Direction, ObservedWeights};
use mpac_deploy_core::ids::{EffectId, FencingToken, RecordName};
use mpac_deploy_core::port::{Clock, PortError, Traffic};
use mpac_deploy_core::time::Timestamp;
use mpac_deploy_core::units::Weights;

use super::dice::Purpose;
use super::history::WeightChange;
use super::{State, World};

/// How long a change stays pending, in milliseconds.
const PENDING_MILLIS: [u64; 2] = [5_000, 40_000];

impl World {
    /// When the change that is made now will be in sync.
    pub(super) fn pending_until(&self) -> Timestamp {
        let number = self.state().history.weights.len() as u64;
        let pending = self.dice.between(Purpose::Pending, number, 0, PENDING_MILLIS);
        self.clock.now().after(pending)
    }
}

impl State {
    /// Refuses whoever was overtaken by a later holder of the lease.
    pub(super) fn check_fence(&self, fence: FencingToken) -> Result<(), PortError> {
        match self.history.fence() {
            Some(seen) if fence < seen => {
                Err(PortError::Refused(format!("the fencing token {fence} is older than {seen}")))
            }
            Some(_) | None => Ok(()),
        }
    }
}

#[async_trait]
impl Traffic for World {
    async fn read(&self, _record: &RecordName) -> Result<ObservedWeights, PortError> {
        self.call().await;
        let state = self.state();
        Ok(state.history.weights.last().map_or(state.history.initial, |change| change.weights))
    }

    async fn set(
        &self,
        id: &EffectId,
        fence: FencingToken,
        _record: &RecordName,
        weights: Weights,
        direction: Direction,
    ) -> Result<(), PortError> {
        self.call().await;
        let in_sync_at = self.pending_until();
        {
            let mut state = self.state();
            state.check_fence(fence)?;
            if state.history.weights.iter().any(|change| change.effect.as_ref() == Some(id)) {
                return Ok(());
            }
            state.history.weights.push(WeightChange {
                at: self.clock.now(),
                in_sync_at,
                weights: weights.into(),
                effect: Some(id.clone()),
                direction: Some(direction),
                fence: Some(fence),
            });
        }
        self.has_changed();
        self.call().await;
        Ok(())
    }

    async fn confirm(&self, change: &EffectId) -> Result<bool, PortError> {
        self.call().await;
        let state = self.state();
        let made = state.history.weights.iter().find(|made| made.effect.as_ref() == Some(change));
        made.map(|made| made.in_sync_at <= self.clock.now())
            .ok_or_else(|| PortError::NotFound(format!("no change was made by effect {change}")))
    }
}
