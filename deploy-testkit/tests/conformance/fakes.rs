use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mpac_deploy_core::decision::Decision;
use mpac_deploy_core::effect::{CheckResult, Health, ObservedWeights};
use mpac_deploy_core::ids::{CheckName, FlagName, RecordName, RolloutId, SchemaVersion};
use mpac_deploy_core::metric::{Metric, Side};
use mpac_deploy_core::migration::Step;
use mpac_deploy_core::plan::Release;
use mpac_deploy_core::port::{
    Checks, Clock, Flags, Fleet, Inbox, Journal, Metrics, Notify, PortError, Probes, Schema, SystemClock,
    Traffic,
};
use mpac_deploy_core::time::Period;
use mpac_deploy_testkit::conformance::{
    self, ChecksFixture, ClockFixture, Facts, FlagsFixture, FleetFixture, InboxFixture, JournalFixture,
    MetricsFixture, NotifyFixture, ProbesFixture, SchemaFixture, TrafficFixture,
};
use mpac_deploy_testkit::fakes::{
    FakeChecks, FakeClock, FakeFlags, FakeFleet, FakeMetrics, FakeNotify, FakeProbes, FakeSchema,
    FakeTraffic, MemoryInbox, MemoryJournal,
};
use mpac_deploy_testkit::scenario::{migrations, release};
use mpac_deploy_testkit::world::epoch;

use crate::keeps_contract;

struct OfTraffic(FakeTraffic);

#[async_trait]
impl TrafficFixture for OfTraffic {
    fn traffic(&self) -> &dyn Traffic {
        &self.0
    }

    fn record(&self) -> RecordName {
        release().record
    }

    async fn let_sync(&self) {
        self.0.set_in_sync(true);
    }

    async fn set_by_hand(&self, weights: ObservedWeights) {
        self.0.set_by_hand(weights);
    }
}

#[tokio::test]
async fn traffic() {
    keeps_contract!(conformance::traffic(|| async { OfTraffic(FakeTraffic::default()) }));
}

struct OfInbox(MemoryInbox);

impl InboxFixture for OfInbox {
    fn inbox(&self) -> &dyn Inbox {
        &self.0
    }
}

#[tokio::test]
async fn inbox() {
    keeps_contract!(conformance::inbox(|| async { OfInbox(MemoryInbox::default()) }));
}

struct OfFlags(FakeFlags);

impl FlagsFixture for OfFlags {
    fn flags(&self) -> &dyn Flags {
        &self.0
    }

    fn names(&self) -> [FlagName; 2] {
        ["new-payment-flow", "new-receipts"].map(FlagName::from)
    }
}

#[tokio::test]
async fn flags() {
    let on = || OfFlags(FakeFlags::on(&["new-payment-flow", "new-receipts"].map(FlagName::from)));
    keeps_contract!(conformance::flags(|| async { on() }));
}

struct OfSchema(FakeSchema);

#[async_trait]
impl SchemaFixture for OfSchema {
    fn schema(&self) -> &dyn Schema {
        &self.0
    }

    fn step(&self) -> Step {
        migrations().expand.remove(0)
    }

    async fn bring_elsewhere(&self) {
        self.0.set_version(&self.step().service, &SchemaVersion::from("somewhere"));
    }

    async fn write(&self) -> String {
        let column = self.step().adds.remove(0);
        self.0.write_to(&[&column]);
        column
    }
}

#[tokio::test]
async fn schema() {
    keeps_contract!(conformance::schema(|| async { OfSchema(FakeSchema::before(&migrations())) }));
}

struct OfFleet(FakeFleet);

#[async_trait]
impl FleetFixture for OfFleet {
    fn fleet(&self) -> &dyn Fleet {
        &self.0
    }

    fn release(&self) -> Release {
        release()
    }

    async fn let_settle(&self) {}

    async fn break_side(&self, side: Side) {
        self.0.set_health(side, Health::Unhealthy { detail: "1 of 4 targets is healthy".into() });
    }
}

#[tokio::test]
async fn fleet() {
    keeps_contract!(conformance::fleet(|| async { OfFleet(FakeFleet::default()) }));
}

struct OfMetrics(FakeMetrics);

fn period() -> Period {
    Period::from_or_after(epoch())
}

#[async_trait]
impl MetricsFixture for OfMetrics {
    fn metrics(&self) -> &dyn Metrics {
        &self.0
    }

    fn facts(&self) -> Facts {
        Facts {
            period: period(),
            published: vec![
                (Side::Green, Metric::Requests, 300.0),
                (Side::Blue, Metric::Requests, 5700.0),
                (Side::Green, Metric::LatencyP95, 212.5),
            ],
            absent: vec![(Side::Green, Metric::Errors), (Side::Green, Metric::Http5xx)],
            failing: vec![(Side::Blue, Metric::LatencyP95)],
            unpublished: period().next(),
        }
    }
}

#[tokio::test]
async fn metrics() {
    keeps_contract!(conformance::metrics(|| async {
        let fake = OfMetrics(FakeMetrics::default());
        for (side, metric, number) in fake.facts().published {
            fake.0.set(period(), side, metric, number);
        }
        for (side, metric) in fake.facts().failing {
            fake.0.fail(period(), side, metric);
        }
        fake
    }));
}

struct OfChecks(FakeChecks);

#[async_trait]
impl ChecksFixture for OfChecks {
    fn checks(&self) -> &dyn Checks {
        &self.0
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

#[tokio::test]
async fn checks() {
    keeps_contract!(conformance::checks(|| async {
        let fake = FakeChecks::passing(&release().checks);
        fake.set(CheckName::from("auth"), CheckResult::Failed { detail: "401".into() });
        OfChecks(fake)
    }));
}

struct OfProbes(FakeProbes);

#[async_trait]
impl ProbesFixture for OfProbes {
    fn probes(&self) -> &dyn Probes {
        &self.0
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

#[tokio::test]
async fn probes() {
    keeps_contract!(conformance::probes(|| async {
        let fake = FakeProbes::up(&release().probes);
        fake.set(Metric::RedisUp, false);
        OfProbes(fake)
    }));
}

struct OfJournal(Arc<FakeClock>, MemoryJournal);

#[async_trait]
impl JournalFixture for OfJournal {
    fn journal(&self) -> &dyn Journal {
        &self.1
    }

    async fn pass(&self, duration: Duration) {
        self.0.advance(duration);
    }
}

#[tokio::test]
async fn journal() {
    keeps_contract!(conformance::journal(|| async {
        let clock = Arc::new(FakeClock::new(epoch()));
        OfJournal(Arc::clone(&clock), MemoryJournal::new(clock))
    }));
}

struct OfNotify(FakeNotify);

#[async_trait]
impl NotifyFixture for OfNotify {
    fn notify(&self) -> &dyn Notify {
        &self.0
    }

    async fn told(&self) -> usize {
        self.0.told().len()
    }

    async fn break_it(&self) {
        self.0.fail(Some(PortError::Unavailable("the webhook answers 500".into())));
    }
}

#[tokio::test]
async fn notify() {
    keeps_contract!(conformance::notify(|| async { OfNotify(FakeNotify::default()) }));
}

struct OfClock(FakeClock);

#[async_trait]
impl ClockFixture for OfClock {
    fn clock(&self) -> &dyn Clock {
        &self.0
    }

    async fn pass(&self, duration: Duration) {
        self.0.advance(duration);
    }
}

#[tokio::test]
async fn clock() {
    keeps_contract!(conformance::clock(|| async { OfClock(FakeClock::new(epoch())) }));
}

struct OfSystem;

#[async_trait]
impl ClockFixture for OfSystem {
    fn clock(&self) -> &dyn Clock {
        &SystemClock
    }

    async fn pass(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

#[tokio::test]
async fn the_wall_clock_is_a_clock() {
    keeps_contract!(conformance::clock(|| async { OfSystem }));
}

/// A suite that finds nothing wrong with anything would prove nothing.
struct Forgetful(FakeTraffic);

#[async_trait]
impl TrafficFixture for Forgetful {
    fn traffic(&self) -> &dyn Traffic {
        self
    }

    fn record(&self) -> RecordName {
        release().record
    }

    async fn let_sync(&self) {}

    async fn set_by_hand(&self, _: ObservedWeights) {}
}

#[async_trait]
impl Traffic for Forgetful {
    async fn read(&self, record: &RecordName) -> Result<ObservedWeights, PortError> {
        self.0.read(record).await
    }

    async fn set(
        &self,
        _: &mpac_deploy_core::ids::EffectId,
        _: mpac_deploy_core::ids::FencingToken,
        _: &RecordName,
        weights: mpac_deploy_core::units::Weights,
        _: mpac_deploy_core::effect::Direction,
    ) -> Result<(), PortError> {
        self.0.set_by_hand(weights.into());
        Ok(())
    }

    async fn confirm(&self, _: &mpac_deploy_core::ids::EffectId) -> Result<bool, PortError> {
        Ok(true)
    }
}

#[tokio::test]
async fn an_adapter_that_ignores_ids_and_fences_is_found_out() {
    let report = conformance::traffic(|| async { Forgetful(FakeTraffic::default()) }).await;
    let failed: Vec<&str> =
        report.cases.iter().filter(|case| case.result.is_err()).map(|case| case.name).collect();
    assert_eq!(
        failed,
        [
            "an id that was set before changes nothing and succeeds",
            "a fencing token below one that was seen is refused",
            "read sees what somebody else has set",
            "confirm knows no change that was not made",
        ]
    );
}

/// The notices that the fake was told are what was told.
#[tokio::test]
async fn the_fake_notifier_remembers_the_decision() {
    let fake = FakeNotify::default();
    let decision =
        Decision::plain(mpac_deploy_core::decision::DecisionKind::Start, None, epoch(), "it begins");
    fake.notify(&RolloutId::from("r"), &decision).await.unwrap();
    assert_eq!(fake.told(), [(RolloutId::from("r"), decision)]);
}
