//! The driver against mocked ports, under tokio's paused clock: what it promises about the order of storing and acting.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, outside a test function")]
#![allow(clippy::disallowed_methods, reason = "tokio's paused clock is the world's clock here")]

mod rig;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use mpac_deploy_core::analysis::Reading;
use mpac_deploy_core::driver::{Driver, DriverError, DriverHandle, Options, Ports};
use mpac_deploy_core::effect::{CheckResult, Health, ObservedWeights};
use mpac_deploy_core::ids::{FencingToken, RolloutId};
use mpac_deploy_core::journal::Record;
use mpac_deploy_core::machine::{Command, CommandKind, Outcome, Phase};
use mpac_deploy_core::plan::Plan;
use mpac_deploy_core::policy::{IssueKind, mpac};
use mpac_deploy_core::port::{
    Clock, JournalError, Lease, MockChecks, MockFleet, MockJournal, MockMetrics, MockNotify, MockProbes,
    MockTraffic, NoFlags, NoSchema, PortError,
};
use mpac_deploy_core::time::Timestamp;
use mpac_deploy_core::units::Weights;
use tokio::time::Instant;

/// Follows tokio's clock from a fixed moment.
struct TestClock {
    start: Instant,
}

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(1_769_590_800).after(self.start.elapsed())
    }

    async fn sleep_until(&self, time: Timestamp) {
        tokio::time::sleep(time.since(self.now())).await;
    }
}

/// What the mocks share: a world that does as it is told, and a store that can be taken away.
#[derive(Default)]
struct World {
    weights: Mutex<Option<Weights>>,
    stored: AtomicU64,
    store_is_down: AtomicBool,
    lease_is_lost: AtomicBool,
    /// Changes of the weights that are refused as throttled before one is made.
    throttled: AtomicU64,
    releases: AtomicU64,
    /// Changes of the weights that were asked for, with the number of records stored by then.
    changes: Mutex<Vec<(Weights, u64)>>,
}

fn lease() -> Lease {
    Lease { record: rig::release().record, holder: "one".into(), fence: FencingToken(7) }
}

fn journal(world: &Arc<World>) -> MockJournal {
    let mut journal = MockJournal::new();
    journal.expect_acquire().returning(|_, _, _| Ok(lease()));
    journal.expect_load().returning(|_, _| Ok(Vec::new()));
    let shared = Arc::clone(world);
    journal.expect_release().returning(move |_| {
        shared.releases.fetch_add(1, Ordering::SeqCst);
        Ok(())
    });
    let shared = Arc::clone(world);
    let answer = move |shared: &World| {
        if shared.lease_is_lost.load(Ordering::SeqCst) {
            Err(JournalError::LeaseLost)
        } else if shared.store_is_down.load(Ordering::SeqCst) {
            Err(JournalError::Unavailable("disk full".into()))
        } else {
            Ok(())
        }
    };
    journal.expect_renew().returning(move |_, _| answer(&shared));
    journal.expect_keep().returning(|_, _, _| Ok(()));
    let shared = Arc::clone(world);
    journal.expect_append().returning(move |_, _, _, records: &[Record]| {
        answer(&shared)?;
        shared.stored.fetch_add(records.len() as u64, Ordering::SeqCst);
        Ok(())
    });
    journal
}

fn traffic(world: &Arc<World>) -> MockTraffic {
    let mut traffic = MockTraffic::new();
    let shared = Arc::clone(world);
    traffic.expect_read().returning(move |_| {
        let weights = shared.weights.lock().unwrap().unwrap_or(Weights::ALL_BLUE);
        Ok(ObservedWeights::from(weights))
    });
    let shared = Arc::clone(world);
    traffic.expect_set().returning(move |_, fence, _, weights, _| {
        assert_eq!(fence, FencingToken(7));
        let throttled =
            shared.throttled.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        if throttled.is_ok() {
            return Err(PortError::Unavailable("Throttling".into()));
        }
        *shared.weights.lock().unwrap() = Some(weights);
        shared.changes.lock().unwrap().push((weights, shared.stored.load(Ordering::SeqCst)));
        Ok(())
    });
    traffic.expect_confirm().returning(|_| Ok(true));
    traffic
}

fn ports(world: &Arc<World>) -> Ports {
    let mut fleet = MockFleet::new();
    fleet.expect_provision().times(..=1).returning(|_, _, _| Ok(()));
    fleet.expect_health().returning(|_, _| Ok(Health::Healthy));
    fleet.expect_retire().returning(|_, _, _| Ok(None));
    let mut metrics = MockMetrics::new();
    metrics.expect_fetch().returning(|series, _| {
        let value = |metric: &str| match metric {
            "requests" => 10_000.0,
            "transactions" => 500.0,
            "memory_utilization" => 0.5,
            "postgres_up" | "redis_up" => 1.0,
            "latency_p50_ms" | "latency_p95_ms" | "latency_p99_ms" => 50.0,
            _ => 0.0,
        };
        Ok(series.iter().map(|series| Reading::from_number(value(series.metric.name()))).collect())
    });
    let mut checks = MockChecks::new();
    checks.expect_run().returning(|_, _, _| Ok(CheckResult::Passed));
    let mut notify = MockNotify::new();
    notify.expect_notify().returning(|_, _| Ok(()));
    Ports {
        traffic: Arc::new(traffic(world)),
        fleet: Arc::new(fleet),
        metrics: Arc::new(metrics),
        checks: Arc::new(checks),
        probes: Arc::new(MockProbes::new()),
        schema: Arc::new(NoSchema),
        flags: Arc::new(NoFlags),
        journal: Arc::new(journal(world)),
        notify: Arc::new(notify),
        clock: Arc::new(TestClock { start: Instant::now() }),
    }
}

fn plan() -> Plan {
    mpac().compile(rig::release()).unwrap()
}

fn abort() -> Command {
    let kind = CommandKind::Abort { issue: IssueKind::HighErrorRate, force: false };
    Command { kind, by: "ada".into(), why: "customers report errors".into() }
}

async fn start(world: &Arc<World>) -> (Driver, DriverHandle) {
    Driver::start(ports(world), RolloutId::from("r1"), plan(), Options::new("one")).await.unwrap()
}

async fn until_baking(handle: &mut DriverHandle) {
    while !matches!(handle.status().phase(), Phase::Baking(_)) {
        assert!(handle.changed().await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_healthy_rollout_completes_in_virtual_time() {
    let world = Arc::new(World::default());
    let (driver, _handle) = start(&world).await;
    let began = Instant::now();
    let rollout = driver.run().await.unwrap();
    assert_eq!(rollout.outcome(), Some(&Outcome::Completed));
    assert!(began.elapsed() > Duration::from_secs(105 * 60), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn every_change_is_stored_before_it_is_made() {
    let world = Arc::new(World::default());
    let (driver, _handle) = start(&world).await;
    driver.run().await.unwrap();
    let changes = world.changes.lock().unwrap();
    // Begun, the first weights, provisioned, two looks at health (one of them a tick), two checks, two looks before the shift.
    assert!(changes.iter().all(|(_, stored)| *stored >= 8), "{changes:?}");
    assert!(changes.windows(2).all(|pair| pair[0].1 < pair[1].1), "{changes:?}");
}

#[tokio::test(start_paused = true)]
async fn without_a_store_nothing_moves_towards_green() {
    let world = Arc::new(World::default());
    let (driver, handle) = start(&world).await;
    world.store_is_down.store(true, Ordering::SeqCst);
    let running = tokio::spawn(driver.run());
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert!(world.changes.lock().unwrap().is_empty());
    world.store_is_down.store(false, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(handle.status().now() > Timestamp::from_secs(1_769_590_800));
    // What was never tried has spent neither attempts nor deadlines.
    assert_eq!(running.await.unwrap().unwrap().outcome(), Some(&Outcome::Completed));
}

#[tokio::test(start_paused = true)]
async fn a_rollback_is_done_without_a_store_and_recorded_when_it_is_back() {
    let world = Arc::new(World::default());
    let (driver, mut handle) = start(&world).await;
    let running = tokio::spawn(driver.run());
    until_baking(&mut handle).await;
    world.store_is_down.store(true, Ordering::SeqCst);
    let stored = world.stored.load(Ordering::SeqCst);
    let began = Instant::now();
    handle.command(abort()).await.unwrap();
    while *world.weights.lock().unwrap() != Some(Weights::ALL_BLUE) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(world.stored.load(Ordering::SeqCst), stored);
    world.store_is_down.store(false, Ordering::SeqCst);
    let rollout = running.await.unwrap().unwrap();
    assert!(matches!(rollout.outcome(), Some(Outcome::RolledBack { .. })));
    assert!(world.stored.load(Ordering::SeqCst) > stored);
}

#[tokio::test(start_paused = true)]
async fn a_controller_that_lost_its_lease_has_no_effect_any_more() {
    let world = Arc::new(World::default());
    let (driver, mut handle) = start(&world).await;
    let running = tokio::spawn(driver.run());
    until_baking(&mut handle).await;
    let changes = world.changes.lock().unwrap().len();
    world.lease_is_lost.store(true, Ordering::SeqCst);
    let stopped = running.await.unwrap();
    assert!(matches!(stopped, Err(DriverError::Journal(JournalError::LeaseLost))), "{:?}", stopped.err());
    assert_eq!(world.changes.lock().unwrap().len(), changes);
}

#[tokio::test(start_paused = true)]
async fn a_driver_that_is_stopped_gives_the_lease_up_and_changes_nothing_more() {
    let world = Arc::new(World::default());
    let (driver, mut handle) = start(&world).await;
    let running = tokio::spawn(driver.run());
    until_baking(&mut handle).await;
    let changes = world.changes.lock().unwrap().len();
    handle.stop();
    let rollout = running.await.unwrap().unwrap();
    assert_eq!(rollout.outcome(), None);
    assert_eq!(world.releases.load(Ordering::SeqCst), 1);
    assert_eq!(world.changes.lock().unwrap().len(), changes);
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_a_rollback_that_is_tried_again_and_again() {
    let world = Arc::new(World::default());
    let (driver, mut handle) = start(&world).await;
    let running = tokio::spawn(driver.run());
    until_baking(&mut handle).await;
    world.throttled.store(5, Ordering::SeqCst);
    handle.command(abort()).await.unwrap();
    handle.stop();
    let rollout = running.await.unwrap().unwrap();
    assert_eq!(rollout.outcome(), None, "the name servers do not know yet");
    assert_eq!(*world.weights.lock().unwrap(), Some(Weights::ALL_BLUE));
}

#[tokio::test(start_paused = true)]
async fn a_record_that_somebody_else_rolls_out_is_left_alone() {
    let world = Arc::new(World::default());
    let mut journal = MockJournal::new();
    journal.expect_load().returning(|_, _| Ok(Vec::new()));
    journal
        .expect_acquire()
        .returning(|record, _, _| Err(JournalError::Held { record: record.clone(), by: "two".into() }));
    let ports = Ports { journal: Arc::new(journal), ..ports(&world) };
    let refused = Driver::start(ports, RolloutId::from("r1"), plan(), Options::new("one")).await;
    assert!(matches!(refused.err(), Some(DriverError::Journal(JournalError::Held { .. }))));
}

#[tokio::test(start_paused = true)]
async fn a_notifier_that_hangs_holds_nothing_up() {
    let world = Arc::new(World::default());
    let mut hanging = ports(&world);
    hanging.notify = Arc::new(Hanging);
    let (driver, handle) =
        Driver::start(hanging, RolloutId::from("r1"), plan(), Options::new("one")).await.unwrap();
    let running = tokio::spawn(driver.run());
    tokio::time::sleep(Duration::from_secs(1200)).await;
    let began = Instant::now();
    handle.command(abort()).await.unwrap();
    while *world.weights.lock().unwrap() != Some(Weights::ALL_BLUE) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    running.await.unwrap().unwrap();
}

/// A notifier whose calls never return.
struct Hanging;

#[async_trait]
impl mpac_deploy_core::port::Notify for Hanging {
    async fn notify(&self, _: &RolloutId, _: &mpac_deploy_core::decision::Decision) -> Result<(), PortError> {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_completed_rollout_can_be_resumed_and_taken_back() {
    let world = Arc::new(World::default());
    let records = Arc::new(Mutex::new(Vec::<Record>::new()));
    let keeping = |world: &Arc<World>| {
        let mut ports = ports(world);
        let mut journal = MockJournal::new();
        journal.expect_acquire().returning(|_, _, _| Ok(lease()));
        journal.expect_renew().returning(|_, _| Ok(()));
        journal.expect_keep().returning(|_, _, _| Ok(()));
        journal.expect_release().returning(|_| Ok(()));
        let kept = Arc::clone(&records);
        journal.expect_snapshot().returning(|_| Ok(None));
        journal.expect_load().returning(move |_, after| {
            let kept = kept.lock().unwrap();
            Ok(kept.iter().filter(|record| record.number > after).cloned().collect())
        });
        let kept = Arc::clone(&records);
        journal.expect_append().returning(move |_, _, _, new: &[Record]| {
            kept.lock().unwrap().extend(new.iter().cloned());
            Ok(())
        });
        ports.journal = Arc::new(journal);
        let mut fleet = MockFleet::new();
        fleet.expect_provision().returning(|_, _, _| Ok(()));
        fleet.expect_health().returning(|_, _| Ok(Health::Healthy));
        fleet.expect_retire().returning(|_, _, _| Ok(None));
        fleet.expect_revive().returning(|_, _, _| Ok(()));
        ports.fleet = Arc::new(fleet);
        ports
    };
    let (driver, _handle) =
        Driver::start(keeping(&world), RolloutId::from("r1"), plan(), Options::new("one")).await.unwrap();
    assert_eq!(driver.run().await.unwrap().outcome(), Some(&Outcome::Completed));
    let (mut driver, _handle) =
        Driver::resume(keeping(&world), RolloutId::from("r1"), Options::new("two")).await.unwrap();
    driver.command(abort()).await.unwrap().unwrap();
    let rollout = driver.run().await.unwrap();
    assert!(matches!(rollout.outcome(), Some(Outcome::RolledBack { .. })));
    assert_eq!(*world.weights.lock().unwrap(), Some(Weights::ALL_BLUE));
}
