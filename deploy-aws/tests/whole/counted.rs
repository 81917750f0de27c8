//! How many calls rollouts cost, where one process drives them all.
//!
//! The tables of the book: `cargo test -p mpac-deploy-aws --test whole counted -- --ignored --nocapture --test-threads 1`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use mpac_deploy_aws::cloudwatch::SideSources;
use mpac_deploy_aws::dynamodb::{DynamoConfig, DynamoJournal};
use mpac_deploy_aws::ecs::{EcsConfig, EcsFleet, EcsService};
use mpac_deploy_aws::{
    CloudWatch, CloudWatchConfig, CloudWatchMetrics, Quota, Route53Config, Route53Traffic,
};
use mpac_deploy_core::driver::{Driver, DriverError, Options, Ports};
use mpac_deploy_core::ids::RecordName;
use mpac_deploy_core::journal::rollout_id;
use mpac_deploy_core::machine::{Outcome, Rollout};
use mpac_deploy_core::plan::Release;
use mpac_deploy_core::policy::{Policy, mpac};
use mpac_deploy_core::port::{Clock as _, NoFlags, NoSchema};
use mpac_deploy_core::time::Timestamp;
use mpac_deploy_testkit::aws_sim::elbv2::{load_balancer_arn, target_group_arn};
use mpac_deploy_testkit::aws_sim::platform::{CLUSTER, REGISTRY, SERVICES, TABLE, ZONE};
use mpac_deploy_testkit::aws_sim::{AwsSim, Bound, RecordSet, Service, Settings};
use mpac_deploy_testkit::fakes::FakeNotify;
use mpac_deploy_testkit::scenario::{Scenario, by_name};
use mpac_deploy_testkit::world::{SimClock, World, epoch};
use tokio::task::JoinSet;

use crate::rig::{self, PUBLISHED, sdk, short, virtually};

/// A variable with a number of rollouts that is counted besides: a thousand of them take minutes, and much longer without `--release`.
const MORE: &str = "MPAC_ROLLOUTS";

/// By then the first bake has begun, and all that comes before it is over.
const BAKES: Duration = Duration::from_secs(5 * 60);

const COLOURS: [&str; 2] = ["blue", "green"];

/// What rollouts came to.
struct Counted {
    rollouts: usize,
    minutes: f64,
    calls: BTreeMap<Service, usize>,
}

impl Counted {
    fn all(&self) -> usize {
        self.calls.values().sum()
    }

    fn of(&self, service: Service) -> usize {
        self.calls.get(&service).copied().unwrap_or_default()
    }

    fn a_rollout(&self) -> f64 {
        self.all() as f64 / self.rollouts as f64
    }

    fn a_minute(&self) -> f64 {
        self.a_rollout() / self.minutes
    }
}

/// The names of a rollout's own environments.
fn named(rollout: usize, service: &str, colour: &str) -> String {
    format!("r{rollout}-{service}-{colour}")
}

fn record(rollout: usize) -> String {
    format!("r{rollout}.mpac-cloud.com")
}

/// Both environments of a rollout, before it begins.
fn put(aws: &AwsSim, rollout: usize, scenario: &Scenario) {
    let (weights, revision) = (scenario.setup.weights, scenario.release.blue.as_str());
    for (colour, weight, tasks) in [("blue", weights.blue, scenario.setup.tasks), ("green", weights.green, 0)]
    {
        let set = format!("{colour}-environment");
        aws.put_record(ZONE, RecordSet::weighted_alias(&record(rollout), &set, i64::from(weight)));
        for service in SERVICES {
            let image = format!("{REGISTRY}/{service}:{revision}");
            aws.put_environment(CLUSTER, &named(rollout, service, colour), &image, tasks).unwrap();
        }
    }
}

/// What a process that drives many rollouts shares among them.
struct Process {
    sdk: SdkConfig,
    quota: Quota,
    cloudwatch: CloudWatch,
    journal: Arc<DynamoJournal>,
    world: Arc<World>,
    clock: SimClock,
}

impl Process {
    fn ports(&self, rollout: usize) -> Ports {
        let records = Route53Config::new(ZONE, RecordName::new(record(rollout)))
            .with_fence_record(format!("_mpac-deploy.{}", record(rollout)));
        let mut fleet = EcsConfig::new(CLUSTER);
        for service in SERVICES {
            let [blue, green] = COLOURS.map(|colour| named(rollout, service, colour));
            let known = EcsService::new(&blue, &green)
                .with_target_groups(target_group_arn(&blue), target_group_arn(&green))
                .with_image("app", format!("{REGISTRY}/{service}:{{revision}}"));
            fleet = fleet.with_service(known);
        }
        let metrics = CloudWatchMetrics::new(&self.cloudwatch, &sources(rollout)).unwrap();
        Ports {
            traffic: Arc::new(Route53Traffic::new(&self.sdk, &self.quota, records)),
            fleet: Arc::new(EcsFleet::new(&self.sdk, &self.quota, &self.quota, fleet)),
            metrics: Arc::new(metrics),
            checks: Arc::clone(&self.world) as _,
            probes: Arc::clone(&self.world) as _,
            schema: Arc::new(NoSchema),
            flags: Arc::new(NoFlags),
            journal: Arc::clone(&self.journal) as _,
            notify: Arc::new(FakeNotify::default()),
            clock: Arc::new(self.clock.clone()),
        }
    }
}

/// A load balancer for each environment, with nothing else behind it.
fn sources(rollout: usize) -> CloudWatchConfig {
    let side = |colour: &str| {
        let sources = SideSources::new()
            .with_balancer(load_balancer_arn(&named(rollout, "mpac", colour)), [""; 0])
            .with_namespace("MPAC", &[("Rollout", &rollout.to_string()), ("Environment", colour)], PUBLISHED);
        SERVICES
            .iter()
            .fold(sources, |sources, service| sources.with_service(CLUSTER, named(rollout, service, colour)))
    };
    CloudWatchConfig::new(side("blue"), side("green"))
}

/// Many rollouts of one process. They see one world, whose traffic follows the first of them: all go the same way at the same time.
struct Crowd {
    aws: AwsSim,
    clock: SimClock,
    began: Timestamp,
    rollouts: usize,
    running: JoinSet<Result<Rollout, DriverError>>,
}

impl Crowd {
    async fn start(rollouts: usize, policy: &Policy) -> Self {
        let (scenario, clock) = (by_name("healthy").unwrap(), SimClock::new(epoch(), 1));
        let world = Arc::new(World::new(scenario.setup.clone(), 1, clock.clone()));
        let bound = Bound::new(Arc::clone(&world), ZONE, &record(0));
        let aws = AwsSim::start_with(Settings::default(), 0, bound).await.unwrap();
        aws.add_zone(ZONE, "mpac-cloud.com");
        aws.add_table(TABLE);
        (0..rollouts).for_each(|rollout| put(&aws, rollout, &scenario));

        let sdk = sdk(&aws.endpoint_url()).await;
        let quota = Quota::new(1_000_000, 1_000_000);
        let process = Process {
            cloudwatch: CloudWatch::new(&sdk, &quota),
            journal: Arc::new(DynamoJournal::new(&sdk, DynamoConfig::new(TABLE))),
            sdk,
            quota,
            world,
            clock: clock.clone(),
        };
        let began = clock.now();
        let mut running = JoinSet::new();
        for rollout in 0..rollouts {
            let (record, service) = (RecordName::new(record(rollout)), format!("smartpos-{rollout}"));
            let release = Release { record, service, ..scenario.release.clone() };
            let (id, plan) = (rollout_id(&release, began), policy.compile(release).unwrap());
            let started = Driver::start(process.ports(rollout), id, plan, Options::new("one")).await;
            running.spawn(started.unwrap().0.run());
        }
        Self { aws, clock, began, rollouts, running }
    }

    fn calls(&self) -> BTreeMap<Service, usize> {
        let mut calls = BTreeMap::new();
        for operation in self.aws.calls().iter().filter_map(|call| call.operation) {
            *calls.entry(operation.service()).or_default() += 1;
        }
        calls
    }

    /// The calls of rollouts from their beginning to their end.
    async fn until_over(mut self) -> Counted {
        while let Some(ended) = self.running.join_next().await {
            assert_eq!(ended.unwrap().unwrap().outcome(), Some(&Outcome::Completed));
        }
        let minutes = self.clock.now().since(self.began).as_secs_f64() / 60.0;
        Counted { rollouts: self.rollouts, minutes, calls: self.calls() }
    }

    /// The calls of so many minutes of the first bake.
    async fn in_the_bake(self, minutes: u64) -> Counted {
        self.clock.sleep_until(self.began.after(BAKES)).await;
        let before = self.calls();
        rig::minutes(&self.clock, minutes).await;
        let weights = self.aws.weight(ZONE, &record(self.rollouts - 1), "green-environment");
        assert_eq!(weights, Some(5), "not in the first bake");
        let since = |(service, calls)| (service, calls - before.get(&service).copied().unwrap_or_default());
        let calls = self.calls().into_iter().map(since).collect();
        Counted { rollouts: self.rollouts, minutes: minutes as f64, calls }
    }
}

const SHOWN: [Service; 5] =
    [Service::Route53, Service::Ecs, Service::ElasticLoadBalancing, Service::CloudWatch, Service::DynamoDb];

fn show(counted: &Counted) {
    let each: Vec<String> = SHOWN
        .iter()
        .map(|service| format!("{:.1}", counted.of(*service) as f64 / counted.rollouts as f64))
        .collect();
    println!(
        "| {} | {:.0} | {} | {:.1} | {:.2} |",
        counted.rollouts,
        counted.minutes,
        each.join(" | "),
        counted.a_rollout(),
        counted.a_minute()
    );
}

fn head() {
    println!(
        "\n| rollouts | minutes | Route 53 | ECS | ELB | CloudWatch | DynamoDB | a rollout | a rollout-minute |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
}

/// Counts whole rollouts, and shows them.
fn whole<const N: usize>(rollouts: [usize; N], policy: &Policy) -> [Counted; N] {
    head();
    rollouts.map(|rollouts| {
        let count = async { Crowd::start(rollouts, policy).await.until_over().await };
        let counted = virtually().block_on(count);
        show(&counted);
        counted
    })
}

/// The questions of ten rollouts fit into one call; everything else is a rollout's own, and costs the same beside nine others.
fn ten_beside_one([one, ten]: &[Counted; 2]) {
    let asked = |counted: &Counted| counted.of(Service::CloudWatch) as f64;
    assert!(asked(ten) <= 1.2 * asked(one), "{} calls, {} for one", asked(ten), asked(one));
    let own = |counted: &Counted| counted.a_rollout() - asked(counted) / counted.rollouts as f64;
    assert!(own(ten) <= 1.1 * own(one), "{} calls, {} for one", own(ten), own(one));
}

#[test]
fn ten_rollouts_of_a_process_cost_no_more_than_one_each() {
    ten_beside_one(&whole([1, 10], &short()));
}

#[test]
#[ignore = "the book's table of the whole strategy takes minutes: run `cargo xtask test`"]
fn the_whole_strategy_is_counted() {
    ten_beside_one(&whole([1, 10], &mpac()));
}

#[test]
#[ignore = "a hundred rollouts take minutes: run `cargo xtask test`"]
fn minutes_of_1_10_and_100_rollouts_are_counted() {
    head();
    let more = std::env::var(MORE).ok().map(|number| number.parse().unwrap());
    for rollouts in [1, 10, 100].into_iter().chain(more) {
        let count = async { Crowd::start(rollouts, &mpac()).await.in_the_bake(2).await };
        let counted = virtually().block_on(count);
        show(&counted);
        // A call of 500 questions holds those of some twenty rollouts.
        let asked = counted.of(Service::CloudWatch) as f64 / counted.minutes;
        assert!(asked <= (rollouts as f64 * 0.06).max(1.0), "{asked} calls a minute");
    }
}
