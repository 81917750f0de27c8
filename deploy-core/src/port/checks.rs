use alloc::boxed::Box;

use async_trait::async_trait;

use super::PortError;
use crate::effect::CheckResult;
use crate::ids::{CheckName, EffectId};
use crate::plan::Release;

/// The pre-production checks against green: smoke and integration tests, connectivity, authentication flows.
///
/// Contract:
/// 1. A check that ran and found something is `Failed` with what it found; an error is for one that could not be run.
/// 2. A check may run twice under one id, after a crash; it must not matter.
/// 3. When the call is dropped, what it started is stopped.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Checks: Send + Sync {
    /// Runs a check.
    ///
    /// # Errors
    /// [`PortError::NotFound`] when there is no such check.
    async fn run(
        &self,
        id: &EffectId,
        release: &Release,
        check: &CheckName,
    ) -> Result<CheckResult, PortError>;
}
