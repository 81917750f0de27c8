//! Two environments.

use async_trait::async_trait;
use mpac_deploy_core::effect::{Archive, Health};
use mpac_deploy_core::ids::{EffectId, FencingToken};
use mpac_deploy_core::metric::Side;
use mpac_deploy_core::plan::Release;
use mpac_deploy_core::port::{Fleet, PortError};

use super::failures::Failures;
use super::lock::Lock;
use crate::world::FleetActionKind;

/// Two environments in memory: blue runs, green does not yet. What was started is healthy at once unless the test says otherwise.
#[derive(Debug)]
pub struct FakeFleet {
    state: Lock<State>,
}

#[derive(Debug)]
struct State {
    blue: Health,
    green: Health,
    starts_as: Health,
    done: Vec<(EffectId, FleetActionKind)>,
    fence: Option<FencingToken>,
    failures: Failures,
}

impl Default for FakeFleet {
    fn default() -> Self {
        Self {
            state: Lock::new(State {
                blue: Health::Healthy,
                green: nothing_runs(),
                starts_as: Health::Healthy,
                done: Vec::new(),
                fence: None,
                failures: Failures::default(),
            }),
        }
    }
}

impl FakeFleet {
    /// What was done, in order, once per effect.
    #[must_use]
    pub fn done(&self) -> Vec<(EffectId, FleetActionKind)> {
        self.state.get().done.clone()
    }

    /// Sets the health of a side.
    pub fn set_health(&self, side: Side, health: Health) {
        let mut state = self.state.get();
        match side {
            Side::Blue => state.blue = health,
            Side::Green => state.green = health,
        }
    }

    /// Sets the health that a side has once it was started.
    pub fn set_starts_as(&self, health: Health) {
        self.state.get().starts_as = health;
    }

    /// Makes the next call fail; several errors wait in line.
    pub fn fail_next(&self, error: PortError) {
        self.state.get().failures.add(error);
    }

    fn act(&self, id: &EffectId, fence: FencingToken, kind: FleetActionKind) -> Result<(), PortError> {
        let mut state = self.state.get();
        state.failures.next()?;
        if let Some(seen) = state.fence.filter(|seen| fence < *seen) {
            return Err(PortError::Refused(format!("the fencing token {fence} is older than {seen}")));
        }
        state.fence = Some(fence);
        if state.done.iter().any(|(done, _)| done == id) {
            return Ok(());
        }
        let starts_as = state.starts_as.clone();
        match kind {
            FleetActionKind::Provision => state.green = starts_as,
            FleetActionKind::Retire => state.blue = nothing_runs(),
            FleetActionKind::StopGreen => state.green = nothing_runs(),
            FleetActionKind::Revive => {
                if !state.done.iter().any(|(_, done)| *done == FleetActionKind::Retire) {
                    return Ok(());
                }
                state.blue = starts_as;
            }
        }
        state.done.push((id.clone(), kind));
        Ok(())
    }
}

fn nothing_runs() -> Health {
    Health::Unhealthy { detail: "no task runs".into() }
}

#[async_trait]
impl Fleet for FakeFleet {
    async fn provision(&self, id: &EffectId, fence: FencingToken, _: &Release) -> Result<(), PortError> {
        self.act(id, fence, FleetActionKind::Provision)
    }

    async fn health(&self, _release: &Release, side: Side) -> Result<Health, PortError> {
        let mut state = self.state.get();
        state.failures.next()?;
        Ok(match side {
            Side::Blue => state.blue.clone(),
            Side::Green => state.green.clone(),
        })
    }

    async fn retire(
        &self,
        id: &EffectId,
        fence: FencingToken,
        _: &Release,
    ) -> Result<Option<Archive>, PortError> {
        self.act(id, fence, FleetActionKind::Retire)?;
        Ok(Some(Archive::new("{}")))
    }

    async fn revive(&self, id: &EffectId, fence: FencingToken, _: &Release) -> Result<(), PortError> {
        self.act(id, fence, FleetActionKind::Revive)
    }

    async fn stop_green(&self, id: &EffectId, fence: FencingToken, _: &Release) -> Result<(), PortError> {
        self.act(id, fence, FleetActionKind::StopGreen)
    }
}
