//! A listener rule with a blue-green pair of target groups, and the adapter for it.

use mpac_deploy_aws::{AlbConfig, AlbError, AlbTraffic, Quota};
use mpac_deploy_core::effect::Direction;
use mpac_deploy_core::ids::{FencingToken, RecordName};
use mpac_deploy_testkit::aws_sim::elbv2::{ListenerRule, listener_arn, target_group_arn};
use mpac_deploy_testkit::aws_sim::{AwsSim, Operation, Settings};

use crate::common::{effect, sdk_at, weights};

pub(crate) const NAME: &str = "api.mpac-cloud.com";

pub(crate) struct Rig {
    pub(crate) aws: AwsSim,
    pub(crate) traffic: AlbTraffic,
}

pub(crate) fn blue() -> String {
    target_group_arn("svc-portal-blue")
}

pub(crate) fn green() -> String {
    target_group_arn("svc-portal-green")
}

/// The rule with these weights.
pub(crate) fn rule(blue_weight: u32, green_weight: u32) -> ListenerRule {
    let groups = [(blue(), blue_weight), (green(), green_weight)];
    ListenerRule::weighted(&listener_arn("mpac", 443), 10, groups)
}

pub(crate) fn config() -> AlbConfig {
    AlbConfig::new(rule(100, 0).arn(), RecordName::from(NAME), blue(), green())
}

/// Blue 100, green 0.
pub(crate) async fn rig() -> Rig {
    rig_with(rule(100, 0), config()).await
}

pub(crate) async fn rig_with(rule: ListenerRule, config: AlbConfig) -> Rig {
    let aws = AwsSim::start(Settings::default()).await.unwrap();
    aws.put_rule(rule);
    let traffic = AlbTraffic::new(&sdk_at(&aws.endpoint_url()).await, &Quota::load_balancing(), config);
    Rig { aws, traffic }
}

impl Rig {
    pub(crate) async fn forward(&self, id: u64, blue: u8, green: u8) -> Result<(), AlbError> {
        self.set(id, blue, green, Direction::Forward).await
    }

    pub(crate) async fn back(&self, id: u64) -> Result<(), AlbError> {
        self.set(id, 100, 0, Direction::Back).await
    }

    async fn set(&self, id: u64, blue: u8, green: u8, direction: Direction) -> Result<(), AlbError> {
        self.traffic.set_weights(&effect(id), FencingToken(1), weights(blue, green), direction).await
    }

    /// The weights as the rule has them, read past the adapter.
    pub(crate) fn in_rule(&self) -> (u32, u32) {
        let rule = self.aws.rule(&config().rule_arn).unwrap();
        let weight = |arn: &str| {
            let groups = &rule.forward().unwrap().groups;
            groups.iter().find(|group| group.target_group_arn == arn).unwrap().weight
        };
        (weight(&blue()), weight(&green()))
    }

    /// The calls that came in, in order.
    pub(crate) fn operations(&self) -> Vec<Operation> {
        self.aws.calls().into_iter().filter_map(|call| call.operation).collect()
    }
}
