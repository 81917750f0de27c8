//! Critical services and pre-production checks: the probes and checks ports of the world.

use async_trait::async_trait;
use mpac_deploy_core::effect::CheckResult;
use mpac_deploy_core::ids::{CheckName, EffectId};
use mpac_deploy_core::metric::{Metric, Side};
use mpac_deploy_core::plan::Release;
use mpac_deploy_core::port::{Checks, Clock, PortError, Probes};
use mpac_deploy_core::time::Timestamp;

use super::World;
use super::dice::Purpose;
use super::history::History;
use super::symptom::Symptom;

/// The services that every world has.
const SERVICES: [Metric; 2] = [Metric::PostgresUp, Metric::RedisUp];
/// The checks that every world has.
const CHECKS: [&str; 4] = ["smoke", "integration", "database", "auth"];
/// How long a check takes, in milliseconds.
const CHECK_MILLIS: [u64; 2] = [3_000, 40_000];

impl World {
    /// Whether a critical service answers. Both sides share them.
    pub(super) fn is_up(&self, history: &History, service: &Metric, time: Timestamp) -> bool {
        let down = |side| {
            self.symptoms(history, side, time)
                .any(|(symptom, _)| matches!(symptom, Symptom::ServiceDown(down) if down == service))
        };
        SERVICES.contains(service) && !down(Side::Green) && !down(Side::Blue)
    }

    /// Whether a critical service answers now.
    #[must_use]
    pub fn answers(&self, service: &Metric) -> bool {
        self.is_up(&self.history(), service, self.clock.now())
    }

    /// What a check of green finds now; `None` where there is no such check.
    #[must_use]
    pub fn finds(&self, check: &str) -> Option<CheckResult> {
        if !CHECKS.contains(&check) {
            return None;
        }
        let (history, now) = (self.history(), self.clock.now());
        let fails = self
            .symptoms(&history, Side::Green, now)
            .any(|(symptom, _)| matches!(symptom, Symptom::CheckFails(name) if *name == check));
        Some(if fails {
            CheckResult::Failed { detail: format!("`{check}` answered 401 where 200 was expected") }
        } else {
            CheckResult::Passed
        })
    }
}

#[async_trait]
impl Probes for World {
    async fn probe(&self, services: &[Metric]) -> Vec<bool> {
        self.call().await;
        let (history, now) = (self.history(), self.clock.now());
        services.iter().map(|service| self.is_up(&history, service, now)).collect()
    }
}

#[async_trait]
impl Checks for World {
    async fn run(
        &self,
        id: &EffectId,
        _release: &Release,
        check: &CheckName,
    ) -> Result<CheckResult, PortError> {
        let not_found = || PortError::NotFound(format!("there is no check `{check}`"));
        self.finds(check.as_str()).ok_or_else(not_found)?;
        self.clock.sleep(self.dice.between(Purpose::Latency, id.number, 1, CHECK_MILLIS)).await;
        self.finds(check.as_str()).ok_or_else(not_found)
    }
}
