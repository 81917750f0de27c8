//! Environments, and clients for them.

use std::time::Duration;

use mpac_deploy_aws::{EcsConfig, EcsError, EcsFleet, EcsService, Quota};
use mpac_deploy_core::effect::{Archive, Health};
use mpac_deploy_core::ids::{FencingToken, RecordName, Revision};
use mpac_deploy_core::metric::Side;
use mpac_deploy_core::migration::Migrations;
use mpac_deploy_core::plan::Release;
use mpac_deploy_testkit::aws_sim::ecs::ServiceState;
use mpac_deploy_testkit::aws_sim::elbv2::target_group_arn;
use mpac_deploy_testkit::aws_sim::{AwsSim, Operation, Settings};

use crate::common::{effect, sdk_at};

pub(crate) const CLUSTER: &str = "mpac";
pub(crate) const BLUE: &str = "svc-portal-blue";
pub(crate) const GREEN: &str = "svc-portal-green";
/// A second service, so that an environment is a set.
pub(crate) const OTHER_BLUE: &str = "svc-smarttab-blue";
pub(crate) const OTHER_GREEN: &str = "svc-smarttab-green";
pub(crate) const OTHER_OLD: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com/svc-smarttab:v2.0.0";
pub(crate) const OTHER_NEW: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com/svc-smarttab:v2.1.0";
pub(crate) const OLD: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com/svc-portal:v2.0.0";
pub(crate) const NEW: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com/svc-portal:v2.1.0";

/// Tasks that come up when the test says so: it would take them an hour.
pub(crate) fn on_command() -> Settings {
    Settings::default().with_tasks(Duration::from_secs(1800), Duration::from_secs(1800))
}

/// Both services with four tasks on blue; green has target groups and no service. Targets drain in a moment.
pub(crate) async fn environments(settings: Settings) -> AwsSim {
    let aws = AwsSim::start(settings).await.unwrap();
    for (service, image, desired) in
        [(BLUE, OLD, 4), (GREEN, NEW, 0), (OTHER_BLUE, OTHER_OLD, 2), (OTHER_GREEN, OTHER_NEW, 0)]
    {
        aws.put_environment(CLUSTER, service, image, desired).unwrap();
        let mut group = aws.target_group(service).unwrap();
        group.deregistration_delay = Duration::from_millis(30);
        aws.put_target_group(group);
    }
    aws
}

fn service(blue: &str, green: &str, image: &str) -> EcsService {
    EcsService::new(blue, green)
        .with_target_groups(target_group_arn(blue), target_group_arn(green))
        .with_image("app", image.replace("v2.0.0", "{revision}"))
}

pub(crate) fn config() -> EcsConfig {
    EcsConfig::new(CLUSTER)
        .with_service(service(BLUE, GREEN, OLD))
        .with_service(service(OTHER_BLUE, OTHER_GREEN, OTHER_OLD))
        .with_poll(Duration::from_millis(10))
}

pub(crate) fn release() -> Release {
    Release {
        service: "the platform".into(),
        record: RecordName::from("api.mpac-cloud.com"),
        blue: Revision::from("v2.0.0"),
        green: Revision::from("v2.1.0"),
        checks: Vec::new(),
        metrics: Vec::new(),
        probes: Vec::new(),
        environments: None,
        flags: Vec::new(),
        migrations: Migrations::default(),
    }
}

pub(crate) struct Rig {
    pub(crate) aws: AwsSim,
    pub(crate) fleet: EcsFleet,
}

pub(crate) async fn rig() -> Rig {
    rig_with(config()).await
}

pub(crate) async fn rig_with(config: EcsConfig) -> Rig {
    let aws = environments(on_command()).await;
    let fleet = fleet(&aws, config).await;
    Rig { aws, fleet }
}

/// An adapter as another process would have it.
pub(crate) async fn fleet(aws: &AwsSim, config: EcsConfig) -> EcsFleet {
    let sdk = sdk_at(&aws.endpoint_url()).await;
    EcsFleet::new(&sdk, &Quota::new(10_000, 10_000), &Quota::new(10_000, 10_000), config)
}

impl Rig {
    pub(crate) async fn provision(&self, id: u64) -> Result<(), EcsError> {
        self.fleet.provision_green(&effect(id), FencingToken(1), &release()).await
    }

    pub(crate) async fn retire(&self, id: u64) -> Result<Option<Archive>, EcsError> {
        self.fleet.retire_blue(&effect(id), FencingToken(1), &release()).await
    }

    pub(crate) async fn revive(&self, id: u64) -> Result<(), EcsError> {
        self.fleet.revive_blue(&effect(id), FencingToken(1), &release()).await
    }

    pub(crate) async fn health(&self, side: Side) -> Health {
        self.fleet.side_health(&release(), side).await.unwrap()
    }

    /// What the platform says of a side that is not healthy.
    pub(crate) async fn detail(&self, side: Side) -> (&'static str, String) {
        match self.health(side).await {
            Health::Healthy => ("healthy", String::new()),
            Health::Starting { detail } => ("starting", detail),
            Health::Unhealthy { detail } => ("unhealthy", detail),
            Health::Failed { detail } => ("failed", detail),
        }
    }

    pub(crate) fn service(&self, name: &str) -> ServiceState {
        self.aws.service(CLUSTER, name).unwrap()
    }

    /// The calls that came in since there had been so many.
    pub(crate) fn operations(&self, since: usize) -> Vec<Operation> {
        self.aws.calls().into_iter().skip(since).filter_map(|call| call.operation).collect()
    }

    /// How many calls of an operation were taken.
    pub(crate) fn count(&self, operation: Operation) -> usize {
        self.operations(0).into_iter().filter(|made| *made == operation).count()
    }
}
