//! A notifier that remembers.

use async_trait::async_trait;
use mpac_deploy_core::decision::Decision;
use mpac_deploy_core::ids::RolloutId;
use mpac_deploy_core::port::{Notify, PortError};

use super::lock::Lock;

/// A notifier that remembers what it was told.
#[derive(Debug, Default)]
pub struct FakeNotify {
    told: Lock<Vec<(RolloutId, Decision)>>,
    fails: Lock<Option<PortError>>,
}

impl FakeNotify {
    /// Everything it was told, in order.
    #[must_use]
    pub fn told(&self) -> Vec<(RolloutId, Decision)> {
        self.told.get().clone()
    }

    /// Makes every notice fail; `None` ends that.
    pub fn fail(&self, error: Option<PortError>) {
        *self.fails.get() = error;
    }
}

#[async_trait]
impl Notify for FakeNotify {
    async fn notify(&self, rollout: &RolloutId, decision: &Decision) -> Result<(), PortError> {
        if let Some(error) = self.fails.get().clone() {
            return Err(error);
        }
        let told = (rollout.clone(), decision.clone());
        self.told.get().push(told);
        Ok(())
    }
}
