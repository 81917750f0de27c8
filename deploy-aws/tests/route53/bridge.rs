//! Route 53 over the socket in real time, everything else in the simulated world.
//!
//! The world's time is virtual, and stands still while a call to Route 53 is under way: tokio does not move a paused clock on
//! while a blocking task runs.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mpac_deploy_aws::{Quota, Route53Config, Route53Traffic};
use mpac_deploy_core::driver::{Driver, Options, Ports};
use mpac_deploy_core::effect::{Direction, ObservedWeights};
use mpac_deploy_core::ids::{EffectId, FencingToken, RecordName, RolloutId};
use mpac_deploy_core::journal::rollout_id;
use mpac_deploy_core::machine::Outcome;
use mpac_deploy_core::plan::{Plan, Release};
use mpac_deploy_core::policy::mpac;
use mpac_deploy_core::port::{PortError, Traffic};
use mpac_deploy_core::units::Weights;
use mpac_deploy_testkit::aws_sim::{AcceptedChange, AwsSim, Settings};
use mpac_deploy_testkit::fakes::{FakeNotify, MemoryJournal};
use mpac_deploy_testkit::scenario::Scenario;
use mpac_deploy_testkit::world::{SimClock, World, epoch};
use tokio::runtime::{Builder, Handle, Runtime};

use crate::rig::{BLUE, GREEN, NAME, ZONE, sdk, zone};

/// The record is at Route 53; the simulated world follows it, so that its metrics do.
pub(crate) struct Followed {
    route53: Arc<Route53Traffic>,
    real: Handle,
    world: Arc<World>,
}

impl Followed {
    async fn in_real_time<T: Send + 'static>(&self, call: impl AsyncFnOnceSend<T>) -> Result<T, PortError> {
        let (route53, real) = (Arc::clone(&self.route53), self.real.clone());
        let done = tokio::task::spawn_blocking(move || real.block_on(call.call(route53))).await;
        done.unwrap_or_else(|error| Err(PortError::Unavailable(error.to_string())))
    }
}

/// A call on the adapter, as a value.
trait AsyncFnOnceSend<T>: Send + 'static {
    fn call(self, route53: Arc<Route53Traffic>) -> impl Future<Output = Result<T, PortError>> + Send;
}

impl<T, F, Made> AsyncFnOnceSend<T> for F
where
    F: FnOnce(Arc<Route53Traffic>) -> Made + Send + 'static,
    Made: Future<Output = Result<T, PortError>> + Send,
{
    fn call(self, route53: Arc<Route53Traffic>) -> impl Future<Output = Result<T, PortError>> + Send {
        self(route53)
    }
}

#[async_trait]
impl Traffic for Followed {
    async fn read(&self, record: &RecordName) -> Result<ObservedWeights, PortError> {
        let record = record.clone();
        self.in_real_time(|route53: Arc<Route53Traffic>| async move { route53.read(&record).await }).await
    }

    async fn set(
        &self,
        id: &EffectId,
        fence: FencingToken,
        record: &RecordName,
        weights: Weights,
        direction: Direction,
    ) -> Result<(), PortError> {
        let (its, name) = (id.clone(), record.clone());
        self.in_real_time(move |route53: Arc<Route53Traffic>| async move {
            route53.set(&its, fence, &name, weights, direction).await
        })
        .await?;
        self.world.set(id, fence, record, weights, direction).await
    }

    async fn confirm(&self, change: &EffectId) -> Result<bool, PortError> {
        let its = change.clone();
        let at_route53 = self
            .in_real_time(|route53: Arc<Route53Traffic>| async move { route53.confirm(&its).await })
            .await?;
        Ok(at_route53 && self.world.confirm(change).await?)
    }
}

/// What a rollout needs around it, and where it leads to.
pub(crate) struct Bridge {
    pub(crate) aws: AwsSim,
    /// One adapter for each process.
    adapters: Vec<Arc<Route53Traffic>>,
    real: Runtime,
}

/// The world of a rollout; only inside the virtual runtime.
pub(crate) struct Setting {
    pub(crate) clock: SimClock,
    pub(crate) id: RolloutId,
    pub(crate) plan: Plan,
    world: Arc<World>,
    journal: Arc<MemoryJournal>,
    adapters: Vec<Arc<Route53Traffic>>,
    real: Handle,
}

impl Bridge {
    pub(crate) fn new(config: &Route53Config, processes: usize) -> Self {
        let real = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (aws, adapters) = real.block_on(async {
            let aws = zone(Settings::default().with_pending(Duration::from_millis(20))).await;
            let sdk = sdk(&aws).await;
            let quota = Quota::new(10_000, 10_000);
            let adapter = || Arc::new(Route53Traffic::new(&sdk, &quota, config.clone()));
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
        let virtually = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        virtually.block_on(async {
            let clock = SimClock::new(epoch(), 1);
            let release = Release { record: RecordName::from(NAME), ..scenario.release.clone() };
            rollout(Setting {
                id: rollout_id(&release, epoch()),
                plan: mpac().compile(release).unwrap(),
                world: Arc::new(World::new(scenario.setup.clone(), seed, clock.clone())),
                journal: Arc::new(MemoryJournal::new(Arc::new(clock.clone()))),
                adapters: self.adapters.clone(),
                real: self.real.handle().clone(),
                clock,
            })
            .await
        })
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

impl Setting {
    /// The ports as a process sees them.
    pub(crate) fn ports(&self, process: usize) -> Ports {
        let (route53, real) = (Arc::clone(&self.adapters[process]), self.real.clone());
        Ports {
            traffic: Arc::new(Followed { route53, real, world: Arc::clone(&self.world) }),
            fleet: Arc::clone(&self.world) as _,
            metrics: Arc::clone(&self.world) as _,
            checks: Arc::clone(&self.world) as _,
            probes: Arc::clone(&self.world) as _,
            journal: Arc::clone(&self.journal) as _,
            notify: Arc::new(FakeNotify::default()),
            clock: Arc::new(self.clock.clone()),
        }
    }

    /// One driver, from the start to the end.
    pub(crate) async fn until_the_end(self) -> Outcome {
        let options = Options::new("test");
        let (driver, _handle) =
            Driver::start(self.ports(0), self.id.clone(), self.plan.clone(), options).await.unwrap();
        driver.run().await.unwrap().outcome().unwrap().clone()
    }
}
