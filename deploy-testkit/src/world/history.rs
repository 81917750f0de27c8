//! What was done to a world.

use mpac_deploy_core::effect::{Direction, ObservedWeights};
use mpac_deploy_core::ids::{EffectId, FencingToken};
use mpac_deploy_core::time::Timestamp;
use serde::Serialize;

use super::is_forward;
use super::timeline::Anchor;

/// What was done to a world, each in the order of time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct History {
    /// When the world began.
    pub began: Timestamp,
    /// The weights that it began with.
    pub initial: ObservedWeights,
    /// Every change of the weights that was accepted; a call that changed nothing is none.
    pub weights: Vec<WeightChange>,
    /// Every action on the environments that was accepted.
    pub fleet: Vec<FleetAction>,
}

/// A change of both weights that was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WeightChange {
    /// When the authority took it.
    pub at: Timestamp,
    /// When every name server has it.
    pub in_sync_at: Timestamp,
    /// The weights.
    pub weights: ObservedWeights,
    /// The effect that asked for it; `None` if somebody changed the weights by hand.
    pub effect: Option<EffectId>,
    /// Which way it goes; `None` if somebody changed the weights by hand.
    pub direction: Option<Direction>,
    /// The fencing token of whoever asked for it; `None` if somebody changed the weights by hand.
    pub fence: Option<FencingToken>,
}

/// An action on the environments that was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FleetAction {
    /// When it was accepted.
    pub at: Timestamp,
    /// The effect that asked for it.
    pub effect: EffectId,
    /// What it is.
    pub kind: FleetActionKind,
    /// The fencing token of whoever asked for it.
    pub fence: FencingToken,
}

/// What is done to the environments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FleetActionKind {
    /// Green is started.
    Provision,
    /// Blue is drained and stopped.
    Retire,
    /// Blue is started again.
    Revive,
    /// Green is stopped.
    StopGreen,
}

impl History {
    pub(super) const fn new(began: Timestamp, initial: ObservedWeights) -> Self {
        Self { began, initial, weights: Vec::new(), fleet: Vec::new() }
    }

    /// When an anchor came; `None` while it has not.
    #[must_use]
    pub fn anchored(&self, anchor: Anchor) -> Option<Timestamp> {
        match anchor {
            Anchor::Start => Some(self.began),
            Anchor::Stage(stage) => self.stage_began(stage),
            Anchor::Rollback => self
                .weights
                .iter()
                .find(|change| change.direction == Some(Direction::Back))
                .map(|change| change.at),
        }
    }

    /// A stage begins with the first change to its weights; after a pause the same change may be made again.
    fn stage_began(&self, stage: usize) -> Option<Timestamp> {
        let mut forward: Vec<&WeightChange> = Vec::new();
        for change in self.weights.iter().filter(|change| is_forward(change)) {
            if !forward.iter().any(|earlier| earlier.weights == change.weights) {
                forward.push(change);
            }
        }
        forward.get(stage).map(|change| change.at)
    }

    /// The largest fencing token that was seen.
    pub(super) fn fence(&self) -> Option<FencingToken> {
        let weights = self.weights.iter().filter_map(|change| change.fence);
        weights.chain(self.fleet.iter().map(|action| action.fence)).max()
    }
}

/// Something that happened in the world and must never happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Wrong {
    /// One effect changed the world twice (semantics 5.4).
    #[error("an effect changed the world twice")]
    DoneTwice,
    /// Both weights were 0 (semantics 5.1).
    #[error("both weights were 0")]
    BothZero,
    /// A change towards green came after the rollback's (semantics 5.3).
    #[error("a change towards green followed the rollback")]
    Overtaken,
    /// A controller without the lease changed the weights (semantics 5.6).
    #[error("a controller that was overtaken changed the weights")]
    Fenced,
}

impl History {
    /// What must hold in the world itself, whatever a journal says.
    ///
    /// # Errors
    /// [`Wrong`] for the first thing that does not.
    pub fn check(&self) -> Result<(), Wrong> {
        let of_weights = self.weights.iter().filter_map(|change| change.effect.as_ref());
        let mut effects: Vec<_> = of_weights.chain(self.fleet.iter().map(|action| &action.effect)).collect();
        effects.sort_unstable();
        if effects.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(Wrong::DoneTwice);
        }
        if self.weights.iter().any(|change| change.weights.blue == 0 && change.weights.green == 0) {
            return Err(Wrong::BothZero);
        }
        let back = self.weights.iter().position(|change| change.direction == Some(Direction::Back));
        let forward = self.weights.iter().rposition(|change| change.direction == Some(Direction::Forward));
        if let (Some(back), Some(forward)) = (back, forward)
            && forward > back
        {
            return Err(Wrong::Overtaken);
        }
        if self.weights.iter().filter_map(|change| change.fence).is_sorted() {
            Ok(())
        } else {
            Err(Wrong::Fenced)
        }
    }
}
