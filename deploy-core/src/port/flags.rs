use alloc::boxed::Box;

use async_trait::async_trait;

use super::PortError;
use crate::ids::{EffectId, FencingToken, FlagName};

/// Feature flags.
///
/// Contract:
/// 1. `switch_off` switches a flag off for everybody, whatever rules it has; of one that is off it changes nothing and succeeds.
/// 2. `is_on` gives what the flag service has now, without a cache: `true` if the flag is on for anybody.
/// 3. No token is in an error.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Flags: Send + Sync {
    /// Switches a flag off.
    ///
    /// # Errors
    /// [`PortError::NotFound`] when there is no such flag.
    async fn switch_off(&self, id: &EffectId, fence: FencingToken, flag: &FlagName) -> Result<(), PortError>;

    /// Whether a flag is on for anybody.
    ///
    /// # Errors
    /// [`PortError::NotFound`] when there is no such flag.
    async fn is_on(&self, flag: &FlagName) -> Result<bool, PortError>;
}

/// For releases without flags: none is ever found.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFlags;

impl NoFlags {
    fn none<T>(flag: &FlagName) -> Result<T, PortError> {
        Err(PortError::NotFound(alloc::format!("no flag service is configured for the flag `{flag}`")))
    }
}

#[async_trait]
impl Flags for NoFlags {
    async fn switch_off(&self, _: &EffectId, _: FencingToken, flag: &FlagName) -> Result<(), PortError> {
        Self::none(flag)
    }

    async fn is_on(&self, flag: &FlagName) -> Result<bool, PortError> {
        Self::none(flag)
    }
}
