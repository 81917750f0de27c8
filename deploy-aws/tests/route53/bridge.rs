//! Rollouts whose records are in a simulated zone.

use std::sync::Arc;
use std::time::Duration;

use mpac_deploy_aws::{Quota, Route53Config, Route53Traffic};
use mpac_deploy_core::port::Traffic;
use mpac_deploy_testkit::aws_sim::{AcceptedChange, AwsSim, Settings};
use mpac_deploy_testkit::scenario::Scenario;
use tokio::runtime::{Builder, Runtime};

use crate::common::bridge;
pub(crate) use crate::common::bridge::Setting;
use crate::rig::{BLUE, GREEN, NAME, ZONE, sdk, zone};

/// What a rollout needs around it, and where it leads to.
pub(crate) struct Bridge {
    pub(crate) aws: AwsSim,
    /// One adapter for each process.
    adapters: Vec<Arc<dyn Traffic>>,
    real: Runtime,
}

impl Bridge {
    pub(crate) fn new(config: &Route53Config, processes: usize) -> Self {
        let real = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (aws, adapters) = real.block_on(async {
            let aws = zone(Settings::default().with_pending(Duration::from_millis(20))).await;
            let sdk = sdk(&aws).await;
            let quota = Quota::new(10_000, 10_000);
            let adapter = || Arc::new(Route53Traffic::new(&sdk, &quota, config.clone())) as _;
            let adapters = (0..processes).map(|_| adapter()).collect();
            (aws, adapters)
        });
        Self { aws, adapters, real }
    }

    /// Runs a rollout in virtual time.
    pub(crate) fn run<T, Made: Future<Output = T>>(
        &self,
        scenario: &Scenario,
        seed: u64,
        rollout: impl FnOnce(Setting) -> Made,
    ) -> T {
        bridge::run(self.real.handle(), &self.adapters, NAME, scenario, seed, rollout)
    }

    /// The weights as the zone has them.
    pub(crate) fn weights(&self) -> (Option<i64>, Option<i64>) {
        (self.aws.weight(ZONE, NAME, BLUE), self.aws.weight(ZONE, NAME, GREEN))
    }

    /// The weights of each change that Route 53 has taken; a repeat of the one before is left out.
    pub(crate) fn steps(&self) -> Vec<(i64, i64)> {
        let changes = self.aws.changes();
        let mut steps: Vec<_> =
            changes.iter().map(|change| (written(change, BLUE), written(change, GREEN))).collect();
        steps.dedup();
        steps
    }
}

fn written(change: &AcceptedChange, set: &str) -> i64 {
    let found = change.changes.iter().find(|(_, record)| record.set_identifier.as_deref() == Some(set));
    found.and_then(|(_, record)| record.weight).unwrap()
}
