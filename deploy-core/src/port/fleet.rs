use alloc::boxed::Box;

use async_trait::async_trait;

use super::PortError;
use crate::effect::{Archive, Health};
use crate::ids::{EffectId, FencingToken};
use crate::metric::Side;
use crate::plan::Release;

/// The environments: each a set of services behind target groups.
///
/// Contract:
/// 1. `provision` starts green with the release's revision and returns once that is under way; health is asked for apart.
/// 2. `retire` drains blue, stops it, and keeps what is needed to start it again; `revive` starts blue from that. A blue that runs
///    is left as it is by `revive`: a `retire` may have been dropped before it did anything.
/// 3. `stop_green` stops green and returns once none of it runs; what is needed to start it again is kept.
/// 4. Each of them with an id that was used before changes nothing and succeeds.
/// 5. Each of them with a fencing token below one that was seen before is refused.
/// 6. A `retire` whose call was dropped does not go on after a later `revive`.
/// 7. `health` answers `Healthy` only when everything that should run runs and every target is known healthy: unused,
///    initial, draining and unavailable targets are not.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Fleet: Send + Sync {
    /// Starts green.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be started.
    async fn provision(&self, id: &EffectId, fence: FencingToken, release: &Release)
    -> Result<(), PortError>;

    /// The health of a side.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be read; that is not the same as unhealthy.
    async fn health(&self, release: &Release, side: Side) -> Result<Health, PortError>;

    /// Retires blue, and gives an archive of its configuration for the journal, if the platform has one to archive.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be retired.
    async fn retire(
        &self,
        id: &EffectId,
        fence: FencingToken,
        release: &Release,
    ) -> Result<Option<Archive>, PortError>;

    /// Stops green, so that nothing of it uses the schema any more.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be stopped.
    async fn stop_green(
        &self,
        id: &EffectId,
        fence: FencingToken,
        release: &Release,
    ) -> Result<(), PortError>;

    /// Starts blue again.
    ///
    /// # Errors
    /// [`PortError::NotFound`] when it does not run and nothing was kept to start it from.
    async fn revive(&self, id: &EffectId, fence: FencingToken, release: &Release) -> Result<(), PortError>;
}
