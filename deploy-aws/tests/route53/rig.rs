//! A zone with a blue-green pair, and the adapter for it.

use aws_config::SdkConfig;
use mpac_deploy_aws::{Quota, Route53Config, Route53Error, Route53Traffic};
use mpac_deploy_core::effect::Direction;
use mpac_deploy_core::ids::{FencingToken, RecordName};
use mpac_deploy_testkit::aws_sim::{AwsSim, Operation, RecordSet, Settings};

use crate::common::{effect, sdk_at, weights};

pub(crate) const ZONE: &str = "Z0MPAC";
pub(crate) const NAME: &str = "api.mpac-cloud.com";
pub(crate) const BLUE: &str = "blue-environment";
pub(crate) const GREEN: &str = "green-environment";

pub(crate) struct Rig {
    pub(crate) aws: AwsSim,
    pub(crate) traffic: Route53Traffic,
}

pub(crate) async fn sdk(aws: &AwsSim) -> SdkConfig {
    sdk_at(&aws.endpoint_url()).await
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
