//! A record with two weights.

use async_trait::async_trait;
use mpac_deploy_core::effect::{Direction, ObservedWeights};
use mpac_deploy_core::ids::{EffectId, FencingToken, RecordName};
use mpac_deploy_core::port::{PortError, Traffic};
use mpac_deploy_core::units::Weights;

use super::failures::Failures;
use super::lock::Lock;

/// A record with two weights, in memory. A change is in sync at once unless the test says otherwise.
#[derive(Debug)]
pub struct FakeTraffic {
    state: Lock<State>,
}

#[derive(Debug)]
struct State {
    weights: ObservedWeights,
    changes: Vec<FakeChange>,
    fence: Option<FencingToken>,
    in_sync: bool,
    failures: Failures,
}

/// A change that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FakeChange {
    /// The effect that asked for it.
    pub effect: EffectId,
    /// The weights.
    pub weights: Weights,
    /// Which way it goes.
    pub direction: Direction,
    /// Whether every name server has it.
    pub in_sync: bool,
}

impl Default for FakeTraffic {
    /// All traffic is on blue.
    fn default() -> Self {
        Self::new(ObservedWeights { blue: 100, green: 0 })
    }
}

impl FakeTraffic {
    /// A record with these weights.
    #[must_use]
    pub fn new(weights: ObservedWeights) -> Self {
        let failures = Failures::default();
        Self {
            state: Lock::new(State { weights, changes: Vec::new(), fence: None, in_sync: true, failures }),
        }
    }

    /// The weights.
    #[must_use]
    pub fn weights(&self) -> ObservedWeights {
        self.state.get().weights
    }

    /// The changes that were made, in order.
    #[must_use]
    pub fn changes(&self) -> Vec<FakeChange> {
        self.state.get().changes.clone()
    }

    /// Somebody else sets the weights.
    pub fn set_by_hand(&self, weights: ObservedWeights) {
        self.state.get().weights = weights;
    }

    /// Whether the changes from here on are in sync at once; `true` brings all earlier ones in sync, too.
    pub fn set_in_sync(&self, in_sync: bool) {
        let mut state = self.state.get();
        state.in_sync = in_sync;
        if in_sync {
            state.changes.iter_mut().for_each(|change| change.in_sync = true);
        }
    }

    /// Makes the next call fail; several errors wait in line.
    pub fn fail_next(&self, error: PortError) {
        self.state.get().failures.add(error);
    }
}

#[async_trait]
impl Traffic for FakeTraffic {
    async fn read(&self, _record: &RecordName) -> Result<ObservedWeights, PortError> {
        let mut state = self.state.get();
        state.failures.next()?;
        Ok(state.weights)
    }

    async fn set(
        &self,
        id: &EffectId,
        fence: FencingToken,
        _record: &RecordName,
        weights: Weights,
        direction: Direction,
    ) -> Result<(), PortError> {
        let mut state = self.state.get();
        state.failures.next()?;
        if let Some(seen) = state.fence.filter(|seen| fence < *seen) {
            return Err(PortError::Refused(format!("the fencing token {fence} is older than {seen}")));
        }
        state.fence = Some(fence);
        if !state.changes.iter().any(|change| change.effect == *id) {
            let in_sync = state.in_sync;
            state.changes.push(FakeChange { effect: id.clone(), weights, direction, in_sync });
            state.weights = weights.into();
        }
        Ok(())
    }

    async fn confirm(&self, change: &EffectId) -> Result<bool, PortError> {
        let mut state = self.state.get();
        state.failures.next()?;
        let made = state.changes.iter().find(|made| made.effect == *change);
        made.map(|made| made.in_sync)
            .ok_or_else(|| PortError::NotFound(format!("no change was made by effect {change}")))
    }
}
