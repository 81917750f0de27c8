//! What is done to a world through an API that knows nothing of rollouts: no effect, no fencing token.

use mpac_deploy_core::effect::{Direction, Health, ObservedWeights};
use mpac_deploy_core::ids::{EffectId, FencingToken, RolloutId};
use mpac_deploy_core::metric::{Metric, Side};
use mpac_deploy_core::port::Clock;
use mpac_deploy_core::time::Period;

use super::World;
use super::fleet::Running;
use super::history::{FleetAction, FleetActionKind, WeightChange};

impl World {
    /// The authority has taken these weights. A change towards more green goes forward, one towards less goes back; the same weights
    /// once more are no change.
    pub fn take_weights(&self, weights: ObservedWeights) {
        let in_sync_at = self.pending_until();
        {
            let mut state = self.state();
            let before = state.history.weights.last().map_or(state.history.initial, |change| change.weights);
            if weights == before {
                return;
            }
            let forward = share(weights) > share(before);
            state.history.weights.push(WeightChange {
                at: self.clock.now(),
                in_sync_at,
                weights,
                effect: None,
                direction: Some(if forward { Direction::Forward } else { Direction::Back }),
                fence: None,
            });
        }
        self.has_changed();
    }

    /// The tasks of a side are wanted from now on, or not any more; what is so already is no change.
    pub fn want_tasks(&self, side: Side, wanted: bool) {
        {
            let mut state = self.state();
            let now = self.clock.now();
            let kind = match (side, wanted) {
                (Side::Green, true) => FleetActionKind::Provision,
                (Side::Blue, true) => FleetActionKind::Revive,
                (Side::Blue, false) => FleetActionKind::Retire,
                (Side::Green, false) => FleetActionKind::StopGreen,
            };
            let last = state.history.fleet.iter().rev().find(|action| match side {
                Side::Green => matches!(action.kind, FleetActionKind::Provision | FleetActionKind::StopGreen),
                Side::Blue => matches!(action.kind, FleetActionKind::Retire | FleetActionKind::Revive),
            });
            let runs = match (side, last) {
                (Side::Blue, None) => true,
                (Side::Green, None) => false,
                (_, Some(action)) => {
                    matches!(action.kind, FleetActionKind::Provision | FleetActionKind::Revive)
                }
            };
            if runs == wanted {
                return;
            }
            let number = state.history.fleet.len() as u64 + 1;
            let effect = EffectId { rollout: RolloutId::from("api"), number };
            state.history.fleet.push(FleetAction { at: now, effect, kind, fence: FencingToken(0) });
        }
        self.has_changed();
    }

    /// The tasks that every service of this world has.
    #[must_use]
    pub const fn tasks(&self) -> u32 {
        self.setup.tasks
    }

    /// The health of a side now, and how many of its tasks have started and how many of them are healthy.
    #[must_use]
    pub fn state_of(&self, side: Side) -> SideState {
        let (history, now) = (self.history(), self.clock.now());
        let running = self.running(&history, side, now);
        SideState {
            health: self.health_of(&history, side, now),
            runs: running != Running::Nothing,
            started: self.started_tasks(running, now),
            healthy: self.healthy_tasks(&history, side, now),
        }
    }

    /// What is published of a metric of a side for a period, by now.
    #[must_use]
    pub fn published(&self, side: Side, metric: &Metric, period: Period) -> Option<f64> {
        let (numbers, at) = self.numbers(&self.history(), side, period);
        numbers.get(metric).copied().filter(|_| at <= self.clock.now())
    }
}

/// The tasks of a side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SideState {
    /// Its health.
    pub health: Health,
    /// Whether tasks are wanted.
    pub runs: bool,
    /// Tasks that have started.
    pub started: u32,
    /// Tasks that are healthy.
    pub healthy: u32,
}

/// Green's share of the answers; all 0 is an equal split.
fn share(weights: ObservedWeights) -> f64 {
    match (f64::from(weights.blue), f64::from(weights.green)) {
        (0.0, 0.0) => 0.5,
        (blue, green) => green / (blue + green),
    }
}
