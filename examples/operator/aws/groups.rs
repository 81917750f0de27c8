//! Target groups by name: their ARNs, and the load balancers before them.

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::Client;
use aws_sdk_elasticloadbalancingv2::types::TargetHealthStateEnum;
use mpac_deploy_aws::CallError;

use super::Account;
use super::call::Unread;
use crate::config::{Colour, Config, Service};

/// How many groups one call describes.
const AT_ONCE: usize = 20;

/// A target group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) arn: String,
    /// The load balancers that send it requests, by their ARNs.
    pub(crate) balancers: Vec<String>,
}

/// The target groups of both environments.
#[derive(Clone, Debug, Default)]
pub(crate) struct Groups(BTreeMap<String, Group>);

impl Groups {
    /// The target group of a service in an environment, if it has one.
    pub(crate) fn of(&self, service: &Service, colour: Colour) -> Result<Option<&Group>, Unread> {
        let Some(name) = Config::target_group(service, colour) else { return Ok(None) };
        let found = self.0.get(&name).ok_or_else(|| {
            Unread::Unfit(format!(
                "there is no target group `{name}`: make it, or name the right one by `target_group`"
            ))
        });
        found.map(Some)
    }

    /// The ARN of the target group that a service must have.
    pub(crate) fn arn(&self, service: &Service, colour: Colour) -> Result<String, Unread> {
        let group = self.of(service, colour)?.map(|group| group.arn.clone());
        group.ok_or_else(|| {
            Unread::Unfit(format!("`{}` is not `balanced`, and has no target group", service.name))
        })
    }
}

impl Account {
    /// Finds the target groups that the configuration names.
    pub(crate) async fn groups(&self) -> Result<Groups, Unread> {
        let client = Client::new(&self.sdk);
        let services = self.config.ecs.services.iter();
        let names: Vec<String> = services
            .flat_map(|service| {
                Colour::ALL.into_iter().filter_map(|colour| Config::target_group(service, colour))
            })
            .collect();
        let mut found = BTreeMap::new();
        for names in names.chunks(AT_ONCE) {
            let read = async || {
                let answer = client.describe_target_groups().set_names(Some(names.to_vec())).send().await;
                Ok(answer
                    .map_err(|error| CallError::of("elasticloadbalancing:DescribeTargetGroups", error))?)
            };
            let answer = self.patiently(read).await?;
            for group in answer.target_groups.unwrap_or_default() {
                let (Some(name), Some(arn)) = (group.target_group_name, group.target_group_arn) else {
                    continue;
                };
                found.insert(name, Group { arn, balancers: group.load_balancer_arns.unwrap_or_default() });
            }
        }
        Ok(Groups(found))
    }

    /// How many targets of a group are healthy, and how many there are.
    pub(crate) async fn targets(&self, group: &Group) -> Result<(usize, usize), Unread> {
        let client = Client::new(&self.sdk);
        let read = async || {
            let answer = client.describe_target_health().target_group_arn(&group.arn).send().await;
            Ok(answer.map_err(|error| CallError::of("elasticloadbalancing:DescribeTargetHealth", error))?)
        };
        let answer = self.patiently(read).await?;
        let targets = answer.target_health_descriptions.unwrap_or_default();
        let is_healthy = |state: Option<TargetHealthStateEnum>| state == Some(TargetHealthStateEnum::Healthy);
        let healthy = targets.iter().filter(|target| {
            is_healthy(target.target_health.as_ref().and_then(|health| health.state.clone()))
        });
        Ok((healthy.count(), targets.len()))
    }
}
