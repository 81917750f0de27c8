//! Checks and critical services.

use std::collections::BTreeMap;

use async_trait::async_trait;
use mpac_deploy_core::effect::CheckResult;
use mpac_deploy_core::ids::{CheckName, EffectId};
use mpac_deploy_core::metric::Metric;
use mpac_deploy_core::plan::Release;
use mpac_deploy_core::port::{Checks, PortError, Probes};

use super::failures::Failures;
use super::lock::Lock;

/// Checks that end as a test says; a check that it has not named does not exist.
#[derive(Debug, Default)]
pub struct FakeChecks {
    state: Lock<CheckState>,
}

#[derive(Debug, Default)]
struct CheckState {
    results: BTreeMap<CheckName, CheckResult>,
    ran: Vec<CheckName>,
    failures: Failures,
}

impl FakeChecks {
    /// Checks that pass.
    #[must_use]
    pub fn passing(checks: &[CheckName]) -> Self {
        let results = checks.iter().map(|check| (check.clone(), CheckResult::Passed)).collect();
        Self { state: Lock::new(CheckState { results, ..CheckState::default() }) }
    }

    /// Sets how a check ends.
    pub fn set(&self, check: CheckName, result: CheckResult) {
        self.state.get().results.insert(check, result);
    }

    /// Makes the next call fail; several errors wait in line.
    pub fn fail_next(&self, error: PortError) {
        self.state.get().failures.add(error);
    }

    /// The checks that were run, in order.
    #[must_use]
    pub fn ran(&self) -> Vec<CheckName> {
        self.state.get().ran.clone()
    }
}

#[async_trait]
impl Checks for FakeChecks {
    async fn run(&self, _: &EffectId, _: &Release, check: &CheckName) -> Result<CheckResult, PortError> {
        let mut state = self.state.get();
        state.failures.next()?;
        let result = state.results.get(check).cloned();
        let result = result.ok_or_else(|| PortError::NotFound(format!("there is no check `{check}`")))?;
        state.ran.push(check.clone());
        Ok(result)
    }
}

/// Critical services that are up or down as a test says; one that it has not named does not answer.
#[derive(Debug, Default)]
pub struct FakeProbes {
    up: Lock<BTreeMap<Metric, bool>>,
}

impl FakeProbes {
    /// Services that are up.
    #[must_use]
    pub fn up(services: &[Metric]) -> Self {
        Self { up: Lock::new(services.iter().map(|service| (service.clone(), true)).collect()) }
    }

    /// Sets whether a service is up.
    pub fn set(&self, service: Metric, is_up: bool) {
        self.up.get().insert(service, is_up);
    }
}

#[async_trait]
impl Probes for FakeProbes {
    async fn probe(&self, services: &[Metric]) -> Vec<bool> {
        let up = self.up.get();
        services.iter().map(|service| up.get(service).copied().unwrap_or(false)).collect()
    }
}
