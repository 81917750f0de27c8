//! The environments: tasks that start, fail, flap and drain; the fleet port of the world.

use std::time::Duration;

use async_trait::async_trait;
use mpac_deploy_core::effect::{Archive, Health};
use mpac_deploy_core::ids::{EffectId, FencingToken};
use mpac_deploy_core::metric::Side;
use mpac_deploy_core::plan::Release;
use mpac_deploy_core::port::{Clock, Fleet, PortError};
use mpac_deploy_core::time::Timestamp;

use super::World;
use super::dice::Purpose;
use super::history::{FleetAction, FleetActionKind, History};
use super::symptom::Symptom;

/// How long a task takes from its start until it is healthy, in milliseconds.
const START_MILLIS: [u64; 2] = [30_000, 60_000];
/// How long targets take to drain, in milliseconds.
const DRAIN_MILLIS: [u64; 2] = [20_000, 40_000];
/// How long the platform tries a task that exits before it gives up.
const GIVES_UP_AFTER: Duration = Duration::from_secs(75);

/// What runs of a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Running {
    /// Nothing.
    Nothing,
    /// Tasks that were started a while ago, by the action of this number.
    Since { start: Timestamp, action: u64 },
    /// Tasks that have always run.
    Always,
}

impl World {
    pub(super) fn running(&self, history: &History, side: Side, time: Timestamp) -> Running {
        let before = match side {
            Side::Blue => Running::Always,
            Side::Green => Running::Nothing,
        };
        let numbered = history.fleet.iter().zip(0_u64..).filter(|(action, _)| action.at <= time);
        numbered.fold(before, |running, (action, number)| match (side, action.kind) {
            (Side::Green, FleetActionKind::Provision) | (Side::Blue, FleetActionKind::Revive) => {
                Running::Since { start: action.at, action: number }
            }
            (Side::Blue, FleetActionKind::Retire) if self.drained_at(action, number) <= time => {
                Running::Nothing
            }
            (Side::Green, FleetActionKind::StopGreen) if self.drained_at(action, number) <= time => {
                Running::Nothing
            }
            (
                Side::Blue,
                FleetActionKind::Provision | FleetActionKind::Retire | FleetActionKind::StopGreen,
            )
            | (
                Side::Green,
                FleetActionKind::Retire | FleetActionKind::Revive | FleetActionKind::StopGreen,
            ) => running,
        })
    }

    fn drained_at(&self, action: &FleetAction, number: u64) -> Timestamp {
        action.at.after(self.dice.between(Purpose::Drain, number, 0, DRAIN_MILLIS))
    }

    /// Tasks that have started and would be healthy if nothing were wrong.
    pub(super) fn started_tasks(&self, running: Running, time: Timestamp) -> u32 {
        match running {
            Running::Nothing => 0,
            Running::Always => self.setup.tasks,
            Running::Since { start, action } => {
                let ready = |task: &u32| {
                    let takes = self.dice.between(Purpose::Start, action, u64::from(*task), START_MILLIS);
                    start.after(takes) <= time
                };
                count((0..self.setup.tasks).filter(ready))
            }
        }
    }

    /// The healthy tasks of a side.
    pub(super) fn healthy_tasks(&self, history: &History, side: Side, time: Timestamp) -> u32 {
        let running = self.running(history, side, time);
        let down =
            self.symptoms(history, side, time).map(|(symptom, _)| self.tasks_down(symptom, running)).max();
        self.started_tasks(running, time).saturating_sub(down.unwrap_or(0))
    }

    /// How many tasks a symptom keeps from being healthy.
    fn tasks_down(&self, symptom: &Symptom, running: Running) -> u32 {
        let is_new = running != Running::Always;
        if let Symptom::TasksDown(tasks) = symptom {
            *tasks
        } else if matches!(symptom, Symptom::Flapping(_)) {
            1
        } else if matches!(symptom, Symptom::FailOpen)
            || (is_new && matches!(symptom, Symptom::NeverHealthy | Symptom::BadImage))
        {
            self.setup.tasks
        } else {
            0
        }
    }

    pub(super) fn health_of(&self, history: &History, side: Side, time: Timestamp) -> Health {
        let (running, all) = (self.running(history, side, time), self.setup.tasks);
        let healthy = self.healthy_tasks(history, side, time);
        let detail = format!("{healthy} of {all} targets are healthy");
        let exits = self.symptoms(history, side, time).any(|(symptom, _)| *symptom == Symptom::BadImage);
        match running {
            Running::Nothing => Health::Unhealthy { detail: "no task runs".into() },
            Running::Since { start, .. } if exits && start.after(GIVES_UP_AFTER) <= time => Health::Failed {
                detail: "CannotPullContainerError: the image's manifest was not found".into(),
            },
            Running::Since { .. } if self.is_starting(history, side, running, time) => {
                Health::Starting { detail }
            }
            Running::Since { .. } | Running::Always if healthy == all => Health::Healthy,
            Running::Since { .. } | Running::Always => {
                let detail = match self.flapping_task(history, side, time) {
                    Some(task) => format!("{detail}; task {task} failed its health check"),
                    None => detail,
                };
                Health::Unhealthy { detail }
            }
        }
    }

    fn is_starting(&self, history: &History, side: Side, running: Running, time: Timestamp) -> bool {
        let never =
            |(symptom, _): (&Symptom, f64)| matches!(symptom, Symptom::NeverHealthy | Symptom::BadImage);
        self.started_tasks(running, time) < self.setup.tasks || self.symptoms(history, side, time).any(never)
    }

    fn flapping_task(&self, history: &History, side: Side, time: Timestamp) -> Option<u64> {
        self.symptoms(history, side, time).find_map(|(symptom, _)| {
            let Symptom::Flapping(turn) = symptom else { return None };
            let turns = time.since(history.began).as_millis() / turn.as_millis().max(1);
            u64::try_from(turns).ok().map(|turns| turns % u64::from(self.setup.tasks.max(1)))
        })
    }

    /// Waits until the targets of an action have drained.
    async fn let_drain(&self, id: &EffectId) {
        let history = self.history();
        let mut numbered = history.fleet.iter().zip(0_u64..);
        if let Some((action, number)) = numbered.find(|(action, _)| action.effect == *id) {
            self.clock.sleep_until(self.drained_at(action, number)).await;
        }
    }

    /// Accepts an action, once per id.
    fn accept(&self, id: &EffectId, fence: FencingToken, kind: FleetActionKind) -> Result<(), PortError> {
        {
            let mut state = self.state();
            state.check_fence(fence)?;
            if state.history.fleet.iter().any(|action| action.effect == *id) {
                return Ok(());
            }
            let retired = state.history.fleet.iter().any(|action| action.kind == FleetActionKind::Retire);
            if kind == FleetActionKind::Revive && !retired {
                return Ok(());
            }
            let at = self.clock.now();
            state.history.fleet.push(FleetAction { at, effect: id.clone(), kind, fence });
        }
        self.has_changed();
        Ok(())
    }
}

#[async_trait]
impl Fleet for World {
    async fn provision(
        &self,
        id: &EffectId,
        fence: FencingToken,
        _release: &Release,
    ) -> Result<(), PortError> {
        self.call().await;
        self.accept(id, fence, FleetActionKind::Provision)
    }

    async fn health(&self, _release: &Release, side: Side) -> Result<Health, PortError> {
        self.call().await;
        Ok(self.health_of(&self.history(), side, self.clock.now()))
    }

    async fn retire(
        &self,
        id: &EffectId,
        fence: FencingToken,
        _release: &Release,
    ) -> Result<Option<Archive>, PortError> {
        self.call().await;
        self.accept(id, fence, FleetActionKind::Retire)?;
        self.let_drain(id).await;
        Ok(None)
    }

    async fn stop_green(
        &self,
        id: &EffectId,
        fence: FencingToken,
        _release: &Release,
    ) -> Result<(), PortError> {
        self.call().await;
        self.accept(id, fence, FleetActionKind::StopGreen)?;
        self.let_drain(id).await;
        Ok(())
    }

    async fn revive(&self, id: &EffectId, fence: FencingToken, _release: &Release) -> Result<(), PortError> {
        self.call().await;
        self.accept(id, fence, FleetActionKind::Revive)
    }
}

fn count(items: impl Iterator) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}
