//! The traffic at AWS over the socket in real time, everything else in the simulated world.
//!
//! The world's time is virtual, and stands still while a call to AWS is under way: tokio does not move a paused clock on while a
//! blocking task runs.

use std::sync::Arc;

use async_trait::async_trait;
use mpac_deploy_core::driver::{Driver, Options, Ports};
use mpac_deploy_core::effect::{Direction, ObservedWeights};
use mpac_deploy_core::ids::{EffectId, FencingToken, RecordName, RolloutId};
use mpac_deploy_core::journal::rollout_id;
use mpac_deploy_core::machine::Outcome;
use mpac_deploy_core::plan::{Plan, Release};
use mpac_deploy_core::policy::mpac;
use mpac_deploy_core::port::{NoFlags, NoSchema, PortError, Traffic};
use mpac_deploy_core::units::Weights;
use mpac_deploy_testkit::fakes::{FakeNotify, MemoryJournal};
use mpac_deploy_testkit::scenario::Scenario;
use mpac_deploy_testkit::world::{SimClock, World, epoch};
use tokio::runtime::{Builder, Handle};

/// The weights are at AWS; the simulated world follows it, so that its metrics do.
pub(crate) struct Followed {
    aws: Arc<dyn Traffic>,
    real: Handle,
    world: Arc<World>,
}

impl Followed {
    async fn in_real_time<T: Send + 'static>(&self, call: impl AsyncFnOnceSend<T>) -> Result<T, PortError> {
        let (aws, real) = (Arc::clone(&self.aws), self.real.clone());
        let done = tokio::task::spawn_blocking(move || real.block_on(call.call(aws))).await;
        done.unwrap_or_else(|error| Err(PortError::Unavailable(error.to_string())))
    }
}

/// A call on the adapter, as a value.
trait AsyncFnOnceSend<T>: Send + 'static {
    fn call(self, aws: Arc<dyn Traffic>) -> impl Future<Output = Result<T, PortError>> + Send;
}

impl<T, F, Made> AsyncFnOnceSend<T> for F
where
    F: FnOnce(Arc<dyn Traffic>) -> Made + Send + 'static,
    Made: Future<Output = Result<T, PortError>> + Send,
{
    fn call(self, aws: Arc<dyn Traffic>) -> impl Future<Output = Result<T, PortError>> + Send {
        self(aws)
    }
}

#[async_trait]
impl Traffic for Followed {
    async fn read(&self, record: &RecordName) -> Result<ObservedWeights, PortError> {
        let record = record.clone();
        self.in_real_time(|aws: Arc<dyn Traffic>| async move { aws.read(&record).await }).await
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
        self.in_real_time(move |aws: Arc<dyn Traffic>| async move {
            aws.set(&its, fence, &name, weights, direction).await
        })
        .await?;
        self.world.set(id, fence, record, weights, direction).await
    }

    async fn confirm(&self, change: &EffectId) -> Result<bool, PortError> {
        let its = change.clone();
        let at_aws =
            self.in_real_time(|aws: Arc<dyn Traffic>| async move { aws.confirm(&its).await }).await?;
        Ok(at_aws && self.world.confirm(change).await?)
    }
}

/// The world of a rollout; only inside the virtual runtime.
pub(crate) struct Setting {
    pub(crate) clock: SimClock,
    pub(crate) id: RolloutId,
    pub(crate) plan: Plan,
    world: Arc<World>,
    journal: Arc<MemoryJournal>,
    adapters: Vec<Arc<dyn Traffic>>,
    real: Handle,
}

/// Runs a rollout of this record name in virtual time, with one adapter for each process.
pub(crate) fn run<T, Made: Future<Output = T>>(
    real: &Handle,
    adapters: &[Arc<dyn Traffic>],
    name: &str,
    scenario: &Scenario,
    seed: u64,
    rollout: impl FnOnce(Setting) -> Made,
) -> T {
    let virtually = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    virtually.block_on(async {
        let clock = SimClock::new(epoch(), 1);
        let release = Release { record: RecordName::from(name), ..scenario.release.clone() };
        rollout(Setting {
            id: rollout_id(&release, epoch()),
            plan: mpac().compile(release).unwrap(),
            world: Arc::new(World::new(scenario.setup.clone(), seed, clock.clone())),
            journal: Arc::new(MemoryJournal::new(Arc::new(clock.clone()))),
            adapters: adapters.to_vec(),
            real: real.clone(),
            clock,
        })
        .await
    })
}

impl Setting {
    /// The ports as a process sees them.
    pub(crate) fn ports(&self, process: usize) -> Ports {
        let (aws, real) = (Arc::clone(&self.adapters[process]), self.real.clone());
        Ports {
            traffic: Arc::new(Followed { aws, real, world: Arc::clone(&self.world) }),
            fleet: Arc::clone(&self.world) as _,
            metrics: Arc::clone(&self.world) as _,
            checks: Arc::clone(&self.world) as _,
            probes: Arc::clone(&self.world) as _,
            schema: Arc::new(NoSchema),
            flags: Arc::new(NoFlags),
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
