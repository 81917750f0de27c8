use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mpac_deploy_core::driver::Ports;
use mpac_deploy_core::effect::ObservedWeights;
use mpac_deploy_core::ids::{CheckName, EffectId, FencingToken, RecordName, RolloutId};
use mpac_deploy_core::metric::{Metric, Side};
use mpac_deploy_core::plan::Release;
use mpac_deploy_core::port::{Checks, Clock, Fleet, Journal, Metrics, NoFlags, NoSchema, Probes, Traffic};
use mpac_deploy_core::time::{Period, Timestamp};
use mpac_deploy_testkit::conformance::{
    self, ChecksFixture, ClockFixture, Facts, FleetFixture, JournalFixture, MetricsFixture, ProbesFixture,
    TrafficFixture,
};
use mpac_deploy_testkit::fakes::{FakeNotify, MemoryJournal};
use mpac_deploy_testkit::fault::{Faults, wrap};
use mpac_deploy_testkit::scenario::release;
use mpac_deploy_testkit::world::{Fault, Moment, Setup, SimClock, Symptom, Window, World, epoch};

use crate::keeps_contract;

/// A world behind fault rules that strike nothing, so that the layer is held to the contracts, too.
struct OfWorld {
    world: Arc<World>,
    ports: Ports,
    facts: Facts,
}

impl OfWorld {
    fn new(setup: Setup) -> Self {
        let clock = SimClock::new(epoch(), 1);
        let world = Arc::new(World::new(setup, 7, clock.clone()));
        let faults = Arc::new(Faults::new(Vec::new(), 7, clock.clone(), Arc::clone(&world) as _));
        let ports = Ports {
            traffic: Arc::clone(&world) as _,
            fleet: Arc::clone(&world) as _,
            metrics: Arc::clone(&world) as _,
            checks: Arc::clone(&world) as _,
            probes: Arc::clone(&world) as _,
            schema: Arc::new(NoSchema),
            flags: Arc::new(NoFlags),
            journal: Arc::new(MemoryJournal::new(Arc::new(clock.clone()))),
            notify: Arc::new(FakeNotify::default()),
            clock: Arc::new(clock),
        };
        Self { world, ports: wrap(ports, &faults), facts: Facts::default() }
    }

    fn with_fault(fault: Fault) -> Self {
        Self::new(Setup { faults: vec![fault], ..Setup::default() })
    }

    async fn minutes(&self, minutes: u64) {
        self.world.clock().sleep(Duration::from_secs(60 * minutes)).await;
    }
}

#[async_trait]
impl TrafficFixture for OfWorld {
    fn traffic(&self) -> &dyn Traffic {
        &*self.ports.traffic
    }

    fn record(&self) -> RecordName {
        release().record
    }

    async fn let_sync(&self) {
        self.minutes(1).await;
    }

    async fn set_by_hand(&self, weights: ObservedWeights) {
        self.world.set_by_hand(weights);
    }
}

#[tokio::test(start_paused = true)]
async fn traffic() {
    keeps_contract!(conformance::traffic(|| async { OfWorld::new(Setup::default()) }));
}

const BREAKS_AT: u64 = 30;

#[async_trait]
impl FleetFixture for OfWorld {
    fn fleet(&self) -> &dyn Fleet {
        &*self.ports.fleet
    }

    fn release(&self) -> Release {
        release()
    }

    async fn let_settle(&self) {
        self.minutes(2).await;
    }

    async fn break_side(&self, _: Side) {
        let time = epoch().after(Duration::from_secs(60 * BREAKS_AT));
        self.world.clock().sleep_until(time).await;
    }
}

#[tokio::test(start_paused = true)]
async fn fleet() {
    let breaks = || Fault::both(Symptom::TasksDown(1), Window::since(Moment::start(BREAKS_AT)));
    keeps_contract!(conformance::fleet(|| async { OfWorld::with_fault(breaks()) }));
}

#[async_trait]
impl MetricsFixture for OfWorld {
    fn metrics(&self) -> &dyn Metrics {
        &*self.ports.metrics
    }

    fn facts(&self) -> Facts {
        self.facts.clone()
    }
}

/// A world in which green has a third of the traffic, after some minutes.
async fn with_facts() -> OfWorld {
    let weights = ObservedWeights { blue: 20, green: 10 };
    let mut fixture = OfWorld::new(Setup { weights, ..Setup::default() });
    let id = EffectId { rollout: RolloutId::from("conformance"), number: 1 };
    fixture.ports.fleet.provision(&id, FencingToken(1), &release()).await.unwrap();
    fixture.minutes(8).await;
    let minutes = fixture.world.minutes();
    let row = minutes.iter().skip(2).find(|row| !row.green.contains_key(&Metric::Errors)).unwrap();
    let numbers = row.green.iter().map(|(metric, number)| (Side::Green, metric.clone(), *number));
    fixture.facts = Facts {
        period: row.period,
        published: numbers.collect(),
        absent: vec![(Side::Green, Metric::Errors), (Side::Green, Metric::Http5xx)],
        failing: Vec::new(),
        unpublished: Period::containing(fixture.world.clock().now()),
    };
    fixture
}

#[tokio::test(start_paused = true)]
async fn metrics() {
    keeps_contract!(conformance::metrics(with_facts));
}

#[async_trait]
impl ChecksFixture for OfWorld {
    fn checks(&self) -> &dyn Checks {
        &*self.ports.checks
    }

    fn release(&self) -> Release {
        release()
    }

    fn passing(&self) -> CheckName {
        CheckName::from("smoke")
    }

    fn failing(&self) -> CheckName {
        CheckName::from("auth")
    }

    fn unknown(&self) -> CheckName {
        CheckName::from("astrology")
    }
}

#[tokio::test(start_paused = true)]
async fn checks() {
    let fails = || Fault::green(Symptom::CheckFails("auth"), Window::ALWAYS);
    keeps_contract!(conformance::checks(|| async { OfWorld::with_fault(fails()) }));
}

#[async_trait]
impl ProbesFixture for OfWorld {
    fn probes(&self) -> &dyn Probes {
        &*self.ports.probes
    }

    fn up(&self) -> Metric {
        Metric::PostgresUp
    }

    fn down(&self) -> Metric {
        Metric::RedisUp
    }

    fn unknown(&self) -> Metric {
        Metric::from("kafka_up")
    }
}

#[tokio::test(start_paused = true)]
async fn probes() {
    let down = || Fault::both(Symptom::ServiceDown(Metric::RedisUp), Window::ALWAYS);
    keeps_contract!(conformance::probes(|| async { OfWorld::with_fault(down()) }));
}

#[async_trait]
impl JournalFixture for OfWorld {
    fn journal(&self) -> &dyn Journal {
        &*self.ports.journal
    }

    async fn pass(&self, duration: Duration) {
        self.world.clock().sleep(duration).await;
    }
}

#[tokio::test(start_paused = true)]
async fn journal() {
    keeps_contract!(conformance::journal(|| async { OfWorld::new(Setup::default()) }));
}

struct Paced(SimClock);

#[async_trait]
impl ClockFixture for Paced {
    fn clock(&self) -> &dyn Clock {
        &self.0
    }

    async fn pass(&self, duration: Duration) {
        self.0.sleep(duration).await;
    }
}

#[tokio::test(start_paused = true)]
async fn virtual_time() {
    keeps_contract!(conformance::clock(|| async { Paced(SimClock::new(Timestamp::from_secs(0), 1)) }));
}

/// In real time, as the demo runs.
#[tokio::test]
async fn paced_time() {
    keeps_contract!(conformance::clock(|| async { Paced(SimClock::new(epoch(), 10)) }));
}
