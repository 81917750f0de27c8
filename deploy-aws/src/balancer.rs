//! Load balancers and what is behind them.

#[cfg(any(feature = "alb", feature = "ecs"))]
pub use live::balancers;

/// A load balancer and what is behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Balancer {
    /// Its DNS name.
    pub dns_name: String,
    /// Its target groups.
    pub groups: Vec<Group>,
}

/// A target group.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Group {
    /// Its name.
    pub name: String,
    /// How many targets it has.
    pub targets: usize,
    /// How many of them are healthy.
    pub healthy: usize,
}

impl Balancer {
    /// A balancer of this DNS name with these groups.
    #[must_use]
    pub fn new(dns_name: impl Into<String>, groups: Vec<Group>) -> Self {
        Self { dns_name: dns_name.into(), groups }
    }

    /// What makes it unhealthy in the eyes of Route 53, if anything does.
    #[cfg(feature = "route53")]
    pub(crate) fn ailment(&self) -> Option<String> {
        let sick = self.groups.iter().find(|group| group.healthy == 0)?;
        Some(match sick.targets {
            0 => format!("its target group `{}` is empty", sick.name),
            targets => {
                format!("none of the {targets} targets in its target group `{}` is healthy", sick.name)
            }
        })
    }
}

impl Group {
    /// A group of this name with so many targets, of which so many are healthy.
    #[must_use]
    pub fn new(name: impl Into<String>, targets: usize, healthy: usize) -> Self {
        Self { name: name.into(), targets, healthy }
    }
}

#[cfg(any(feature = "alb", feature = "ecs"))]
mod live {
    use aws_config::SdkConfig;
    use aws_sdk_elasticloadbalancingv2::Client;
    use aws_sdk_elasticloadbalancingv2::config::Builder;
    use aws_sdk_elasticloadbalancingv2::config::retry::RetryConfig;
    use aws_sdk_elasticloadbalancingv2::types::{LoadBalancer, TargetGroup, TargetHealthStateEnum};

    use super::{Balancer, Group};
    use crate::{CallError, Quota};

    /// The load balancers of the region with one of these DNS names, each with its target groups and the health of their targets. What
    /// is not there, or is something else than a load balancer, is left out.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn balancers(
        sdk: &SdkConfig,
        quota: &Quota,
        dns_names: &[&str],
    ) -> Result<Vec<Balancer>, CallError> {
        let config = Builder::from(sdk).retry_config(RetryConfig::disabled()).build();
        let calls = Calls { client: Client::from_conf(config), quota };
        let wanted: Vec<String> = dns_names.iter().map(|name| bare(name)).collect();
        let mut found = Vec::new();
        for balancer in calls.balancers().await? {
            let (Some(arn), Some(dns_name)) = (balancer.load_balancer_arn, balancer.dns_name) else {
                continue;
            };
            if wanted.contains(&bare(&dns_name)) {
                let mut groups = Vec::new();
                for group in calls.groups(&arn).await? {
                    groups.push(calls.group(group).await?);
                }
                found.push(Balancer::new(dns_name, groups));
            }
        }
        Ok(found)
    }

    /// `dualstack.` is the same balancer, asked for IPv6 too.
    fn bare(dns_name: &str) -> String {
        let lower = dns_name.trim_end_matches('.').to_ascii_lowercase();
        lower.strip_prefix("dualstack.").map_or(lower.clone(), str::to_owned)
    }

    struct Calls<'a> {
        client: Client,
        quota: &'a Quota,
    }

    impl Calls<'_> {
        /// AWS does not look them up by DNS name.
        async fn balancers(&self) -> Result<Vec<LoadBalancer>, CallError> {
            let (mut found, mut marker) = (Vec::new(), None);
            loop {
                self.quota.wait().await;
                let page = self.client.describe_load_balancers().set_marker(marker).send().await;
                let page = page.map_err(|error| CallError::of("DescribeLoadBalancers", error))?;
                found.extend(page.load_balancers.unwrap_or_default());
                marker = page.next_marker;
                if marker.is_none() {
                    return Ok(found);
                }
            }
        }

        async fn groups(&self, balancer: &str) -> Result<Vec<TargetGroup>, CallError> {
            let (mut found, mut marker) = (Vec::new(), None);
            loop {
                self.quota.wait().await;
                let call = self.client.describe_target_groups().load_balancer_arn(balancer);
                let page = call.set_marker(marker).send().await;
                let page = page.map_err(|error| CallError::of("DescribeTargetGroups", error))?;
                found.extend(page.target_groups.unwrap_or_default());
                marker = page.next_marker;
                if marker.is_none() {
                    return Ok(found);
                }
            }
        }

        /// A target that drains is on its way out, and is not counted.
        async fn group(&self, group: TargetGroup) -> Result<Group, CallError> {
            self.quota.wait().await;
            let call = self.client.describe_target_health().set_target_group_arn(group.target_group_arn);
            let answer = call.send().await.map_err(|error| CallError::of("DescribeTargetHealth", error))?;
            let states = answer.target_health_descriptions.unwrap_or_default();
            let states = states.into_iter().filter_map(|target| target.target_health?.state);
            let states: Vec<_> = states.filter(|state| *state != TargetHealthStateEnum::Draining).collect();
            let healthy = states.iter().filter(|state| **state == TargetHealthStateEnum::Healthy).count();
            Ok(Group::new(group.target_group_name.unwrap_or_default(), states.len(), healthy))
        }
    }
}
