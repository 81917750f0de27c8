use alloc::boxed::Box;

use async_trait::async_trait;

use super::PortError;
use crate::decision::Decision;
use crate::ids::RolloutId;

/// Tells people, as urgently as [`Decision::severity`] says. The driver neither waits for it nor repeats it, so it can never slow or stop a rollback;
/// [`Outbox`](crate::driver::Outbox) before an adapter does repeat it, in order. An adapter tries once, and must not block its thread.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Notify: Send + Sync {
    /// Tells of a decision.
    ///
    /// # Errors
    /// [`PortError`] when nobody was told; the driver logs it.
    async fn notify(&self, rollout: &RolloutId, decision: &Decision) -> Result<(), PortError>;
}
