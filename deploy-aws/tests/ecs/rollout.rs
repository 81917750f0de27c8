//! The whole strategy by the driver, with the environments on ECS: the simulated services show the tasks of a world, hours are seconds.

use std::sync::Arc;
use std::time::Duration;

use mpac_deploy_aws::EcsFleet;
use mpac_deploy_core::driver::{Driver, Options, Ports};
use mpac_deploy_core::journal::{archive, rollout_id};
use mpac_deploy_core::machine::Outcome;
use mpac_deploy_core::plan::Release;
use mpac_deploy_core::policy::{Span, mpac};
use mpac_deploy_core::port::{Clock, Journal, NoFlags, NoSchema};
use mpac_deploy_testkit::aws_sim::{AwsSim, Bound, Settings};
use mpac_deploy_testkit::fakes::{FakeNotify, MemoryJournal};
use mpac_deploy_testkit::scenario::by_name;
use mpac_deploy_testkit::world::{SimClock, World, epoch};

use crate::rig::{BLUE, CLUSTER, GREEN, NEW, OLD, OTHER_BLUE, OTHER_GREEN, OTHER_OLD, config, fleet};

/// So fast that the two and three quarter hours of a rollout are some seconds.
const SPEED: u32 = 1_000;

struct Rolled {
    aws: AwsSim,
    outcome: Outcome,
    journal: Arc<MemoryJournal>,
    id: mpac_deploy_core::ids::RolloutId,
}

async fn roll_out(scenario: &str) -> Rolled {
    let scenario = by_name(scenario).unwrap();
    let clock = SimClock::new(epoch(), SPEED);
    let world = Arc::new(World::new(scenario.setup, 3, clock.clone()));
    let bound = Bound::new(Arc::clone(&world), "Z1", "api.mpac-cloud.com");
    let aws = AwsSim::start_with(Settings::default(), 0, bound).await.unwrap();
    for (service, image, desired) in
        [(BLUE, OLD, 4), (GREEN, NEW, 0), (OTHER_BLUE, OTHER_OLD, 4), (OTHER_GREEN, "", 0)]
    {
        aws.put_environment(CLUSTER, service, image, desired).unwrap();
    }
    let fleet: Arc<EcsFleet> = Arc::new(fleet(&aws, config().with_poll(Duration::from_millis(20))).await);
    let journal = Arc::new(MemoryJournal::new(Arc::new(clock.clone())));
    let ports = Ports {
        traffic: Arc::clone(&world) as _,
        fleet,
        metrics: Arc::clone(&world) as _,
        checks: Arc::clone(&world) as _,
        probes: Arc::clone(&world) as _,
        schema: Arc::new(NoSchema),
        flags: Arc::new(NoFlags),
        journal: Arc::clone(&journal) as _,
        notify: Arc::new(FakeNotify::default()),
        clock: Arc::new(clock.clone()),
    };
    let release = Release { blue: "v2.0.0".into(), green: "v2.1.0".into(), ..scenario.release };
    let id = rollout_id(&release, clock.now());
    // A busy machine loses a second now and then, which are minutes here.
    let mut policy = mpac();
    policy.effects.timeout = Span::minutes(30);
    let options = Options { lease_ttl: Duration::from_secs(4 * 3600), ..Options::new("test") };
    let (driver, _handle) =
        Driver::start(ports, id.clone(), policy.compile(release).unwrap(), options).await.unwrap();
    let outcome = driver.run().await.unwrap().outcome().unwrap().clone();
    Rolled { aws, outcome, journal, id }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_good_release_ends_with_green_on_the_new_image_and_blue_archived_and_stopped() {
    let rolled = roll_out("healthy").await;
    assert_eq!(rolled.outcome, Outcome::Completed);
    let service = |name: &str| rolled.aws.service(CLUSTER, name).unwrap();
    for (blue, green, image) in [(BLUE, GREEN, NEW), (OTHER_BLUE, OTHER_GREEN, "v2.1.0")] {
        assert_eq!((service(blue).desired, service(blue).running), (0, 0));
        assert_eq!((service(green).desired, service(green).running), (4, 4));
        assert!(service(green).image.ends_with(image));
    }
    let records = rolled.journal.load(&rolled.id, 0).await.unwrap();
    let archive: serde_json::Value = serde_json::from_str(archive(&records).unwrap().as_str()).unwrap();
    assert_eq!(
        archive["services"][0]["taskDefinition"]["taskDefinition"]["containerDefinitions"][0]["image"],
        OLD
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_image_ends_the_rollout_without_traffic_and_with_the_reason() {
    let rolled = roll_out("bad-image").await;
    let Outcome::Abandoned { cause } = &rolled.outcome else { panic!("{:?}", rolled.outcome) };
    let cause = format!("{cause:?}");
    assert!(cause.contains("svc-portal-green") && cause.contains("CannotPullContainerError"), "{cause}");
    assert_eq!(rolled.aws.service(CLUSTER, BLUE).unwrap().running, 4);
}
