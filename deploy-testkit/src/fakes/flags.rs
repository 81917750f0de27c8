//! Feature flags.

use std::collections::BTreeMap;

use async_trait::async_trait;
use mpac_deploy_core::ids::{EffectId, FencingToken, FlagName};
use mpac_deploy_core::port::{Flags, PortError};

use super::failures::Failures;
use super::lock::Lock;

/// Feature flags in memory.
#[derive(Debug, Default)]
pub struct FakeFlags {
    state: Lock<State>,
}

#[derive(Debug, Default)]
struct State {
    flags: BTreeMap<FlagName, bool>,
    failures: Failures,
}

impl FakeFlags {
    /// Flags that are all on.
    #[must_use]
    pub fn on(flags: &[FlagName]) -> Self {
        let flags = flags.iter().map(|flag| (flag.clone(), true)).collect();
        Self { state: Lock::new(State { flags, failures: Failures::default() }) }
    }

    /// Makes the next call fail; several errors wait in line.
    pub fn fail_next(&self, error: PortError) {
        self.state.get().failures.add(error);
    }
}

fn none<T>(flag: &FlagName) -> Result<T, PortError> {
    Err(PortError::NotFound(format!("there is no flag `{flag}`")))
}

#[async_trait]
impl Flags for FakeFlags {
    async fn switch_off(&self, _: &EffectId, _: FencingToken, flag: &FlagName) -> Result<(), PortError> {
        let mut state = self.state.get();
        state.failures.next()?;
        match state.flags.get_mut(flag) {
            Some(is_on) => {
                *is_on = false;
                Ok(())
            }
            None => none(flag),
        }
    }

    async fn is_on(&self, flag: &FlagName) -> Result<bool, PortError> {
        let mut state = self.state.get();
        state.failures.next()?;
        state.flags.get(flag).copied().map_or_else(|| none(flag), Ok)
    }
}
