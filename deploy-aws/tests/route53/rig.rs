//! A zone with a blue-green pair, and the adapter for it.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_route53::config::{Credentials, SharedCredentialsProvider};
use mpac_deploy_aws::client::{ClientOptions, sdk_config};
use mpac_deploy_aws::{Quota, Route53Config, Route53Error, Route53Traffic};
use mpac_deploy_core::effect::{Direction, ObservedWeights};
use mpac_deploy_core::ids::{EffectId, FencingToken, RecordName, RolloutId};
use mpac_deploy_core::units::Weights;
use mpac_deploy_testkit::aws_sim::{AwsSim, Operation, RecordSet, Settings};

pub(crate) const ZONE: &str = "Z0MPAC";
pub(crate) const NAME: &str = "api.mpac-cloud.com";
pub(crate) const BLUE: &str = "blue-environment";
pub(crate) const GREEN: &str = "green-environment";

pub(crate) struct Rig {
    pub(crate) aws: AwsSim,
    pub(crate) traffic: Route53Traffic,
}

/// Credentials as a test has them, and impatient limits.
pub(crate) async fn sdk(aws: &AwsSim) -> SdkConfig {
    sdk_at(&aws.endpoint_url()).await
}

/// The same for any endpoint.
pub(crate) async fn sdk_at(url: &str) -> SdkConfig {
    let options = ClientOptions::default()
        .with_region("eu-central-1")
        .with_endpoint_url(url)
        .with_timeouts(Duration::from_secs(2), Duration::from_secs(2));
    let credentials = Credentials::new("AKIDEXAMPLE", "not-a-secret", None, None, "test");
    sdk_config(&options)
        .await
        .into_builder()
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

/// Blue 100, green 0.
pub(crate) async fn zone(settings: Settings) -> AwsSim {
    let aws = AwsSim::start(settings).await.unwrap();
    aws.add_zone(ZONE, "mpac-cloud.com");
    aws.put_record(ZONE, RecordSet::weighted_alias(NAME, BLUE, 100));
    aws.put_record(ZONE, RecordSet::weighted_alias(NAME, GREEN, 0));
    aws
}

pub(crate) fn config() -> Route53Config {
    Route53Config::new(ZONE, RecordName::from(NAME))
}

pub(crate) async fn rig() -> Rig {
    rig_with(Settings::default()).await
}

pub(crate) async fn rig_with(settings: Settings) -> Rig {
    let aws = zone(settings).await;
    let traffic = Route53Traffic::new(&sdk(&aws).await, &Quota::route53(), config());
    Rig { aws, traffic }
}

pub(crate) fn effect(number: u64) -> EffectId {
    EffectId { rollout: RolloutId::from("svc-portal-v2.1.0"), number }
}

pub(crate) fn weights(blue: u8, green: u8) -> Weights {
    Weights::new(blue, green).unwrap()
}

pub(crate) const fn observed(blue: u8, green: u8) -> ObservedWeights {
    ObservedWeights { blue, green }
}

impl Rig {
    pub(crate) async fn forward(&self, id: u64, blue: u8, green: u8) -> Result<(), Route53Error> {
        self.set(id, blue, green, Direction::Forward).await
    }

    pub(crate) async fn back(&self, id: u64) -> Result<(), Route53Error> {
        self.set(id, 100, 0, Direction::Back).await
    }

    async fn set(&self, id: u64, blue: u8, green: u8, direction: Direction) -> Result<(), Route53Error> {
        self.traffic.set_weights(&effect(id), FencingToken(1), weights(blue, green), direction).await
    }

    /// The weights as the zone has them, read past the adapter.
    pub(crate) fn in_zone(&self) -> (Option<i64>, Option<i64>) {
        (self.aws.weight(ZONE, NAME, BLUE), self.aws.weight(ZONE, NAME, GREEN))
    }

    pub(crate) fn by_hand(&self, blue: i64, green: i64) {
        self.aws.put_record(ZONE, RecordSet::weighted_alias(NAME, BLUE, blue));
        self.aws.put_record(ZONE, RecordSet::weighted_alias(NAME, GREEN, green));
    }

    /// The calls that came in, in order.
    pub(crate) fn operations(&self) -> Vec<Operation> {
        self.aws.calls().into_iter().filter_map(|call| call.operation).collect()
    }
}
