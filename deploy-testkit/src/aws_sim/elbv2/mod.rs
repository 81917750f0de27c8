//! Elastic Load Balancing (version 2), as its query API answers.

mod balancers;
mod rules;
mod targets;

pub(super) use balancers::{describe_listeners, describe_load_balancers};
pub use rules::{AcceptedRule, Action, Forward, GroupStickiness, ListenerRule, WeightedGroup};
pub(super) use rules::{describe_rules, modify_rule};
pub use targets::TargetGroup;
pub(super) use targets::{
    Targets, describe_target_group_attributes, describe_target_groups, describe_target_health,
};

use std::hash::{DefaultHasher, Hash, Hasher};

use serde::Serialize;

use super::query;
use super::wire::Refusal;
use balancers::Balancers;
use rules::Rules;

const NAMESPACE: &str = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/";

/// Region and account of everything.
const OWNER: &str = "arn:aws:elasticloadbalancing:us-east-1:123456789012";

/// What the account has of this service.
#[derive(Debug, Default)]
pub(super) struct Elbv2 {
    pub(super) balancers: Balancers,
    pub(super) rules: Rules,
    pub(super) targets: Targets,
}

/// The ARN of the target group of this name.
#[must_use]
pub fn target_group_arn(name: &str) -> String {
    format!("{OWNER}:targetgroup/{name}/{}", id(&("targetgroup", name)))
}

/// The ARN of the application load balancer of this name.
#[must_use]
pub fn load_balancer_arn(name: &str) -> String {
    format!("{OWNER}:loadbalancer/app/{name}/{}", id(&("loadbalancer", name)))
}

/// The ARN of the listener on this port of the load balancer of this name.
#[must_use]
pub fn listener_arn(balancer: &str, port: u16) -> String {
    let balancer_id = id(&("loadbalancer", balancer));
    format!("{OWNER}:listener/app/{balancer}/{balancer_id}/{}", id(&("listener", balancer, port)))
}

/// The ARN of the rule of this priority of a listener; `default` is one, too.
#[must_use]
pub fn rule_arn(listener: &str, priority: &str) -> String {
    format!("{}/{}", listener.replacen(":listener/", ":listener-rule/", 1), id(&(listener, priority)))
}

/// What stands at the end of an ARN; the same for the same name, so that a test can write it down beforehand.
fn id(of: &impl Hash) -> String {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// The answer of this call with this in it.
fn document(call: &str, result: &impl Serialize) -> Result<Vec<u8>, Refusal> {
    query::document(NAMESPACE, call, result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_is_the_same_each_time_and_names_its_resource() {
        let listener = listener_arn("mpac", 443);
        assert!(
            listener.starts_with("arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/mpac/")
        );
        assert!(rule_arn(&listener, "10").contains(":listener-rule/app/mpac/"));
        assert_ne!(rule_arn(&listener, "10"), rule_arn(&listener, "default"));
        assert_eq!(target_group_arn("svc-portal-blue"), target_group_arn("svc-portal-blue"));
        assert_ne!(load_balancer_arn("mpac-blue"), load_balancer_arn("mpac-green"));
    }
}
