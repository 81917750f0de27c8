//! The platform in a simulated AWS before a simulated world, and everything that a controller needs, all in virtual time.

use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_route53::config::{Credentials, SharedCredentialsProvider, SharedHttpClient};
use mpac_deploy_aws::client::{ClientOptions, sdk_config};
use mpac_deploy_aws::cloudwatch::SideSources;
use mpac_deploy_aws::dynamodb::{DynamoConfig, DynamoJournal};
use mpac_deploy_aws::ecs::{EcsConfig, EcsFleet, EcsService};
use mpac_deploy_aws::{
    CloudWatch, CloudWatchConfig, CloudWatchMetrics, Quota, Route53Config, Route53Traffic,
};
use mpac_deploy_core::driver::Ports;
use mpac_deploy_core::ids::{RecordName, RolloutId};
use mpac_deploy_core::journal::rollout_id;
use mpac_deploy_core::metric::Metric;
use mpac_deploy_core::plan::{Plan, Release};
use mpac_deploy_core::policy::{Policy, Span, mpac};
use mpac_deploy_core::port::{Clock as _, NoFlags, NoSchema};
use mpac_deploy_testkit::aws_sim::elbv2::{load_balancer_arn, target_group_arn};
use mpac_deploy_testkit::aws_sim::platform::{CLUSTER, RECORD, REGISTRY, SERVICES, TABLE, ZONE};
use mpac_deploy_testkit::aws_sim::{AwsSim, Bound, Settings};
use mpac_deploy_testkit::fakes::FakeNotify;
use mpac_deploy_testkit::scenario::Scenario;
use mpac_deploy_testkit::world::{SimClock, World, epoch};
use tokio::runtime::{Builder, Runtime};

use crate::pinned::Pinned;

/// The TXT record with the fencing token.
pub(crate) const MARKER: &str = "_mpac-deploy.api.mpac-cloud.com";

/// What the application publishes itself.
pub(crate) const PUBLISHED: [Metric; 5] = [
    Metric::Errors,
    Metric::Transactions,
    Metric::TransactionFailures,
    Metric::DbConnectionErrors,
    Metric::LogAnomalies,
];

/// Virtual time, with sockets.
pub(crate) fn virtually() -> Runtime {
    Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

/// A platform and what can be known of it from outside.
pub(crate) struct Platform {
    pub(crate) aws: AwsSim,
    pub(crate) clock: SimClock,
    pub(crate) world: Arc<World>,
    pub(crate) id: RolloutId,
    pub(crate) plan: Plan,
    sdk: SdkConfig,
}

/// The strategy with bakes of a few minutes: the calls of every kind, and not so many of them.
pub(crate) fn short() -> Policy {
    let mut policy = mpac();
    for (stage, minutes) in policy.stages.iter_mut().zip([5, 6, 7]) {
        stage.bake = Span::minutes(minutes);
        stage.deadline_in_bakes = 6;
    }
    policy.decommission.wait = Span::minutes(9);
    policy
}

/// Only inside the virtual runtime.
pub(crate) async fn platform(scenario: &Scenario, policy: &Policy, seed: u64) -> Platform {
    let clock = SimClock::new(epoch(), 1);
    let world = Arc::new(World::new(scenario.setup.clone(), seed, clock.clone()));
    let bound = Bound::new(Arc::clone(&world), ZONE, RECORD);
    let aws = AwsSim::start_with(Settings::default(), 0, bound).await.unwrap();
    let release = Release { record: RecordName::from(RECORD), ..scenario.release.clone() };
    aws.put_platform(scenario.setup.weights, release.blue.as_str(), scenario.setup.tasks).unwrap();
    Platform {
        id: rollout_id(&release, clock.now()),
        plan: policy.compile(release).unwrap(),
        sdk: sdk(&aws.endpoint_url()).await,
        aws,
        clock,
        world,
    }
}

pub(crate) async fn sdk(url: &str) -> SdkConfig {
    let options = ClientOptions::default().with_region("us-east-1").with_endpoint_url(url);
    let credentials = Credentials::new("AKIDEXAMPLE", "not-a-secret", None, None, "test");
    let plain = aws_smithy_http_client::Builder::new().build_http();
    sdk_config(&options)
        .await
        .into_builder()
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(SharedHttpClient::new(Pinned(plain)))
        .build()
}

impl Platform {
    /// The ports of a process of its own: nothing that it knows is shared with another one's.
    pub(crate) fn process(&self) -> Ports {
        let quota = || Quota::new(10_000, 10_000);
        let records = Route53Config::new(ZONE, RecordName::from(RECORD)).with_fence_record(MARKER);
        let mut fleet = EcsConfig::new(CLUSTER);
        for service in SERVICES {
            let [blue, green] = ["blue", "green"].map(|colour| format!("{service}-{colour}"));
            let known = EcsService::new(&blue, &green)
                .with_target_groups(target_group_arn(&blue), target_group_arn(&green))
                .with_image("app", format!("{REGISTRY}/{service}:{{revision}}"));
            fleet = fleet.with_service(known);
        }
        let cloudwatch = CloudWatch::new(&self.sdk, &quota());
        Ports {
            traffic: Arc::new(Route53Traffic::new(&self.sdk, &quota(), records)),
            fleet: Arc::new(EcsFleet::new(&self.sdk, &quota(), &quota(), fleet)),
            metrics: Arc::new(CloudWatchMetrics::new(&cloudwatch, &sources()).unwrap()),
            checks: Arc::clone(&self.world) as _,
            probes: Arc::clone(&self.world) as _,
            schema: Arc::new(NoSchema),
            flags: Arc::new(NoFlags),
            journal: Arc::new(DynamoJournal::new(&self.sdk, DynamoConfig::new(TABLE))),
            notify: Arc::new(FakeNotify::default()),
            clock: Arc::new(self.clock.clone()),
        }
    }

    /// The weights as the zone has them.
    pub(crate) fn weights(&self) -> (Option<i64>, Option<i64>) {
        let weight = |set| self.aws.weight(ZONE, RECORD, set);
        (weight("blue-environment"), weight("green-environment"))
    }
}

/// What load balancers, ECS and the application publish of both environments.
fn sources() -> CloudWatchConfig {
    let side = |colour: &str| {
        let name = |service: &str| format!("{service}-{colour}");
        let sources = SideSources::new()
            .with_balancer(
                load_balancer_arn(&format!("mpac-{colour}")),
                SERVICES.map(|service| target_group_arn(&name(service))),
            )
            .with_namespace("MPAC", &[("Environment", colour)], PUBLISHED);
        SERVICES.iter().fold(sources, |sources, service| sources.with_service(CLUSTER, name(service)))
    };
    CloudWatchConfig::new(side("blue"), side("green"))
}

/// A while of virtual time.
pub(crate) async fn minutes(clock: &SimClock, minutes: u64) {
    clock.sleep(Duration::from_secs(60 * minutes)).await;
}
