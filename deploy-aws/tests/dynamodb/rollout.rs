//! Whole rollouts by the driver in the simulated world, with their journal in DynamoDB.
//!
//! The world's time is virtual, and stands still while a call to the table is under way: tokio does not move a paused clock on while a
//! blocking task runs.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mpac_deploy_aws::DynamoJournal;
use mpac_deploy_core::driver::{Driver, DriverError, Options, Ports};
use mpac_deploy_core::ids::{RecordName, RolloutId};
use mpac_deploy_core::journal::{Record, Snapshot, replay, rollout_id};
use mpac_deploy_core::machine::Outcome;
use mpac_deploy_core::plan::Plan;
use mpac_deploy_core::policy::mpac;
use mpac_deploy_core::port::{Journal, JournalError, Lease, NoFlags, NoSchema};
use mpac_deploy_testkit::aws_sim::{AwsSim, CallFault, Capacity, Operation, Settings};
use mpac_deploy_testkit::fakes::FakeNotify;
use mpac_deploy_testkit::scenario::by_name;
use mpac_deploy_testkit::world::{SimClock, World, epoch};
use tokio::runtime::{Builder, Handle, Runtime};

use crate::rig::{TABLE, config, sdk_at};

/// A journal whose calls are made in real time.
struct InRealTime {
    journal: Arc<DynamoJournal>,
    real: Handle,
}

impl InRealTime {
    async fn call<T: Send + 'static>(
        &self,
        call: impl Future<Output = Result<T, JournalError>> + Send + 'static,
    ) -> Result<T, JournalError> {
        let real = self.real.clone();
        let done = tokio::task::spawn_blocking(move || real.block_on(call)).await;
        done.unwrap_or_else(|error| Err(JournalError::Unavailable(error.to_string())))
    }
}

#[async_trait]
impl Journal for InRealTime {
    async fn acquire(&self, record: &RecordName, holder: &str, ttl: Duration) -> Result<Lease, JournalError> {
        let (journal, record, holder) = (Arc::clone(&self.journal), record.clone(), holder.to_owned());
        self.call(async move { journal.acquire(&record, &holder, ttl).await }).await
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<(), JournalError> {
        let (journal, lease) = (Arc::clone(&self.journal), lease.clone());
        self.call(async move { journal.renew(&lease, ttl).await }).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), JournalError> {
        let (journal, lease) = (Arc::clone(&self.journal), lease.clone());
        self.call(async move { journal.release(&lease).await }).await
    }

    async fn append(
        &self,
        lease: &Lease,
        rollout: &RolloutId,
        expected: u64,
        records: &[Record],
    ) -> Result<(), JournalError> {
        let (journal, lease, rollout) = (Arc::clone(&self.journal), lease.clone(), rollout.clone());
        let records = records.to_vec();
        self.call(async move { journal.append(&lease, &rollout, expected, &records).await }).await
    }

    async fn load(&self, rollout: &RolloutId, after: u64) -> Result<Vec<Record>, JournalError> {
        let (journal, rollout) = (Arc::clone(&self.journal), rollout.clone());
        self.call(async move { journal.load(&rollout, after).await }).await
    }

    async fn keep(
        &self,
        lease: &Lease,
        rollout: &RolloutId,
        snapshot: &Snapshot,
    ) -> Result<(), JournalError> {
        let (journal, lease, rollout) = (Arc::clone(&self.journal), lease.clone(), rollout.clone());
        let snapshot = snapshot.clone();
        self.call(async move { journal.keep(&lease, &rollout, &snapshot).await }).await
    }

    async fn snapshot(&self, rollout: &RolloutId) -> Result<Option<Snapshot>, JournalError> {
        let (journal, rollout) = (Arc::clone(&self.journal), rollout.clone());
        self.call(async move { journal.snapshot(&rollout).await }).await
    }

    async fn list(&self) -> Result<Vec<RolloutId>, JournalError> {
        let journal = Arc::clone(&self.journal);
        self.call(async move { journal.list().await }).await
    }
}

/// A table, in real time.
struct Bridge {
    aws: AwsSim,
    real: Runtime,
}

/// A rollout's world, in virtual time.
struct Setting {
    id: RolloutId,
    plan: Plan,
    world: Arc<World>,
    clock: SimClock,
    journals: Vec<Arc<InRealTime>>,
}

impl Bridge {
    fn new() -> Self {
        let real = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let aws = real.block_on(AwsSim::start(Settings::default())).unwrap();
        aws.add_table(TABLE);
        Self { aws, real }
    }

    /// The journal of one more process.
    fn journal(&self) -> Arc<InRealTime> {
        let sdk = self.real.block_on(sdk_at(&self.aws.endpoint_url()));
        let journal = Arc::new(DynamoJournal::new(&sdk, config()));
        Arc::new(InRealTime { journal, real: self.real.handle().clone() })
    }

    fn run<T, Made: Future<Output = T>>(
        &self,
        scenario: &str,
        seed: u64,
        processes: usize,
        rollout: impl FnOnce(Setting) -> Made,
    ) -> T {
        let scenario = by_name(scenario).unwrap();
        let journals = (0..processes).map(|_| self.journal()).collect();
        let virtually = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        virtually.block_on(async {
            let clock = SimClock::new(epoch(), 1);
            rollout(Setting {
                id: rollout_id(&scenario.release, epoch()),
                plan: mpac().compile(scenario.release.clone()).unwrap(),
                world: Arc::new(World::new(scenario.setup.clone(), seed, clock.clone())),
                clock,
                journals,
            })
            .await
        })
    }

    fn load(&self, rollout: &RolloutId) -> Vec<Record> {
        let journal = self.journal();
        self.real.block_on(journal.journal.load(rollout, 0)).unwrap()
    }
}

impl Setting {
    fn ports(&self, process: usize) -> Ports {
        Ports {
            traffic: Arc::clone(&self.world) as _,
            fleet: Arc::clone(&self.world) as _,
            metrics: Arc::clone(&self.world) as _,
            checks: Arc::clone(&self.world) as _,
            probes: Arc::clone(&self.world) as _,
            schema: Arc::new(NoSchema),
            flags: Arc::new(NoFlags),
            journal: Arc::clone(&self.journals[process]) as _,
            notify: Arc::new(FakeNotify::default()),
            clock: Arc::new(self.clock.clone()),
        }
    }
}

#[test]
fn a_whole_rollout_is_in_the_table_and_costs_about_one_call_a_record() {
    let bridge = Bridge::new();
    let (id, outcome) = bridge.run("healthy", 1, 1, |setting| async move {
        let start =
            Driver::start(setting.ports(0), setting.id.clone(), setting.plan.clone(), Options::new("first"));
        let (driver, _handle) = start.await.unwrap();
        (setting.id.clone(), driver.run().await.unwrap().outcome().unwrap().clone())
    });
    assert!(matches!(outcome, Outcome::Completed), "{outcome:?}");
    let calls = bridge.aws.calls();
    let count = |operation| calls.iter().filter(|call| call.operation == Some(operation)).count();
    let Capacity { read, write, .. } = bridge.aws.used_capacity(TABLE);
    let records = bridge.load(&id);
    assert_eq!(replay(&records).unwrap().outcome(), Some(&outcome));
    let bytes: usize = records.iter().map(|record| serde_json::to_string(record).unwrap().len()).sum();
    let loading = bridge.aws.used_capacity(TABLE).read - read;
    // These are the figures of the book's chapter.
    eprintln!(
        "{} records of {bytes} bytes; {} writes of {write} units, {} reads of {read} units; loading reads {loading} units",
        records.len(),
        count(Operation::UpdateItem),
        count(Operation::GetItem) + count(Operation::Query),
    );
    let appends = records.len();
    let renewals = 2 * 60 * 60 / 10;
    assert!(count(Operation::UpdateItem) < appends * 6 / 5 + renewals, "{}", count(Operation::UpdateItem));
    assert!(write < 2.5 * (appends + renewals) as f64, "{write}");
    // One for each snapshot, and a few at the beginning.
    assert!(count(Operation::GetItem) + count(Operation::Query) < 20);
}

/// What becomes of the first driver.
#[derive(Clone, Copy, Debug)]
enum First {
    Killed,
    /// It stands still for three minutes, and goes on.
    Stopped,
}

fn interrupted(seed: u64, first: First) {
    let bridge = Bridge::new();
    let cut = [CallFault::Throttle, CallFault::ServerError, CallFault::CutBefore, CallFault::CutAfter];
    bridge.aws.strike(0.02, &cut, seed);
    let minutes = 3 + seed * 17 % 90;
    let (id, outcome) = bridge.run("healthy", seed, 2, |setting| async move {
        // A process that comes back under its own name need not wait for its former lease.
        let options = Options::new("controller");
        let start =
            Driver::start(setting.ports(0), setting.id.clone(), setting.plan.clone(), options.clone());
        let (driver, _handle) = start.await.unwrap();
        let mut running = Box::pin(driver.run());
        tokio::select! {
            ended = &mut running => panic!("it ended before it was interrupted: {ended:?}"),
            () = setting.clock.sleep(Duration::from_secs(60 * minutes)) => {}
        }
        let stopped = match first {
            First::Killed => {
                drop(running);
                None
            }
            First::Stopped => Some(running),
        };
        let (driver, _handle) = Driver::resume(setting.ports(1), setting.id.clone(), options).await.unwrap();
        let mut second = pin!(driver.run());
        tokio::select! {
            ended = &mut second => panic!("it ended too early: {ended:?}"),
            () = setting.clock.sleep(Duration::from_secs(180)) => {}
        }
        let woken = async {
            if let Some(running) = stopped {
                let ended = running.await;
                assert!(matches!(ended, Err(DriverError::Journal(JournalError::LeaseLost))), "{ended:?}");
            }
        };
        let ((), ended) = tokio::join!(woken, second);
        (setting.id.clone(), ended.unwrap().outcome().unwrap().clone())
    });
    bridge.aws.clear_faults();
    let records = bridge.load(&id);
    assert_eq!(replay(&records).unwrap().outcome(), Some(&outcome), "seed {seed}, {first:?}");
    assert!(
        records.iter().zip(1..).all(|(record, number)| record.number == number),
        "seed {seed}, {first:?}"
    );
}

#[test]
fn a_rollout_goes_on_where_its_process_was_killed_and_one_that_wakes_up_has_no_effect() {
    interrupted(1, First::Killed);
    interrupted(2, First::Stopped);
}

#[test]
#[ignore = "20 rollouts take some minutes: run `cargo xtask test`"]
fn twenty_rollouts_go_on_wherever_their_process_was_killed_or_stopped() {
    for seed in 100..110 {
        interrupted(seed, First::Killed);
        interrupted(seed, First::Stopped);
    }
}
