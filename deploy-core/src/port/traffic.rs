use alloc::boxed::Box;

use async_trait::async_trait;

use super::PortError;
use crate::effect::{Direction, ObservedWeights};
use crate::ids::{EffectId, FencingToken, RecordName};
use crate::units::Weights;

/// The weights of a blue-green pair of records.
///
/// Contract:
/// 1. `set` changes both weights in one atomic change, or neither; at no time are both 0.
/// 2. `set` with an id and weights that were set before changes nothing and succeeds. (A controller that died before it could store what
///    it did leaves its latest ids to be used again for something else: the weights are part of what an adapter remembers.)
/// 3. `set` with a fencing token below one that was seen before is refused.
/// 4. After an error of `set` the weights are those from before or those that were asked for, and nothing else.
/// 5. `confirm` answers `true` only when every name server gives the answer of the change, and stays `true`.
/// 6. `confirm` works after a restart of the adapter, or answers [`PortError::NotFound`]: a rollback is then made anew.
/// 7. `read` gives what the authority has now, without a cache, whoever set it.
/// 8. A change with [`Direction::Back`] goes past whatever queue there is for forward changes.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Traffic: Send + Sync {
    /// Reads both weights.
    ///
    /// # Errors
    /// [`PortError::NotFound`] when a record is missing, [`PortError::Refused`] when it is not weighted.
    async fn read(&self, record: &RecordName) -> Result<ObservedWeights, PortError>;

    /// Sets both weights.
    ///
    /// # Errors
    /// [`PortError`]; of [`PortError::Unavailable`] the outcome may be unknown.
    async fn set(
        &self,
        id: &EffectId,
        fence: FencingToken,
        record: &RecordName,
        weights: Weights,
        direction: Direction,
    ) -> Result<(), PortError>;

    /// Whether a change has reached every name server.
    ///
    /// # Errors
    /// [`PortError::NotFound`] when no such change was made.
    async fn confirm(&self, change: &EffectId) -> Result<bool, PortError>;
}
