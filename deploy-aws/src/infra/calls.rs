//! The calls that each adapter makes. Whoever adds a call to an adapter adds it here: the policy is made from this table, the
//! check measures other policies by it, and a test holds it to what the simulated AWS saw.

/// A part of this crate that calls AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Adapter {
    /// Weights as Route 53 records.
    Route53,
    /// Who is healthy behind the load balancers of the records.
    Balancers,
    /// Weights as target groups of a listener's rule.
    ListenerRule,
    /// Environments of ECS services and their target groups.
    Fleet,
    /// Autoscaling of these services, where it is suspended for a retired one.
    Scaling,
    /// Minutes from CloudWatch.
    Metrics,
    /// The journal and the lease in DynamoDB.
    Journal,
    /// Archives of retired environments in S3.
    Archive,
    /// Notices by SNS.
    Notices,
}

/// What a call acts on, and so to what a policy can limit it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Scope {
    /// Some records of the hosted zone.
    Records,
    /// The hosted zone, read only.
    HostedZone,
    /// A change of any zone: its id says nothing else.
    Change,
    /// The ECS services of both sides.
    Services,
    /// The families of their task definitions.
    TaskDefinitions,
    /// Tasks of the cluster, listed: IAM takes no resource, but the cluster as a condition.
    TaskList,
    /// Tasks of the cluster.
    Tasks,
    /// The roles that their tasks run with.
    Roles,
    /// How ECS services scale by themselves: the id of a target says nothing, so the kind is a condition.
    ScalableTargets,
    /// Rules of the load balancer's listener.
    ListenerRules,
    /// The journal's table.
    Table,
    /// The objects of the archive.
    Archive,
    /// The topics of the notices.
    Topics,
    /// IAM cannot limit this call to anything.
    Anything,
}

/// A call by its IAM action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Call {
    /// Such as `route53:GetChange`.
    pub action: &'static str,
    /// What it acts on.
    pub scope: Scope,
}

const fn call(action: &'static str, scope: Scope) -> Call {
    Call { action, scope }
}

const ROUTE53: &[Call] = &[
    call("route53:ListResourceRecordSets", Scope::HostedZone),
    call("route53:ChangeResourceRecordSets", Scope::Records),
    call("route53:GetChange", Scope::Change),
];

const BALANCERS: &[Call] = &[
    call("elasticloadbalancing:DescribeLoadBalancers", Scope::Anything),
    call("elasticloadbalancing:DescribeTargetGroups", Scope::Anything),
    call("elasticloadbalancing:DescribeTargetHealth", Scope::Anything),
];

const LISTENER_RULE: &[Call] = &[
    call("elasticloadbalancing:DescribeRules", Scope::Anything),
    call("elasticloadbalancing:ModifyRule", Scope::ListenerRules),
];

const FLEET: &[Call] = &[
    call("ecs:CreateService", Scope::Services),
    call("ecs:DescribeServices", Scope::Services),
    call("ecs:UpdateService", Scope::Services),
    call("ecs:TagResource", Scope::Services),
    call("ecs:RegisterTaskDefinition", Scope::TaskDefinitions),
    call("ecs:TagResource", Scope::TaskDefinitions),
    call("ecs:DescribeTaskDefinition", Scope::Anything),
    call("ecs:ListTasks", Scope::TaskList),
    call("ecs:DescribeTasks", Scope::Tasks),
    call("iam:PassRole", Scope::Roles),
    call("elasticloadbalancing:DescribeListeners", Scope::Anything),
    call("elasticloadbalancing:DescribeRules", Scope::Anything),
    call("elasticloadbalancing:DescribeTargetGroupAttributes", Scope::Anything),
    call("elasticloadbalancing:DescribeTargetGroups", Scope::Anything),
    call("elasticloadbalancing:DescribeTargetHealth", Scope::Anything),
    call("application-autoscaling:DescribeScalableTargets", Scope::Anything),
];

const SCALING: &[Call] = &[call("application-autoscaling:RegisterScalableTarget", Scope::ScalableTargets)];

const METRICS: &[Call] = &[call("cloudwatch:GetMetricData", Scope::Anything)];

const JOURNAL: &[Call] = &[
    call("dynamodb:DeleteItem", Scope::Table),
    call("dynamodb:GetItem", Scope::Table),
    call("dynamodb:Query", Scope::Table),
    call("dynamodb:UpdateItem", Scope::Table),
];

const ARCHIVE: &[Call] = &[call("s3:GetObject", Scope::Archive), call("s3:PutObject", Scope::Archive)];

const NOTICES: &[Call] = &[call("sns:Publish", Scope::Topics)];

impl Adapter {
    /// Every adapter.
    pub const ALL: [Self; 9] = [
        Self::Route53,
        Self::Balancers,
        Self::ListenerRule,
        Self::Fleet,
        Self::Scaling,
        Self::Metrics,
        Self::Journal,
        Self::Archive,
        Self::Notices,
    ];

    /// The calls that it makes.
    #[must_use]
    pub const fn calls(self) -> &'static [Call] {
        match self {
            Self::Route53 => ROUTE53,
            Self::Balancers => BALANCERS,
            Self::ListenerRule => LISTENER_RULE,
            Self::Fleet => FLEET,
            Self::Scaling => SCALING,
            Self::Metrics => METRICS,
            Self::Journal => JOURNAL,
            Self::Archive => ARCHIVE,
            Self::Notices => NOTICES,
        }
    }
}

/// Every call of every adapter.
pub(crate) fn all() -> impl Iterator<Item = Call> {
    Adapter::ALL.into_iter().flat_map(|adapter| adapter.calls().iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn an_action_has_a_service_and_a_name() {
        for call in all() {
            let (service, name) = call.action.split_once(':').unwrap();
            assert!(!service.is_empty() && name.starts_with(|first: char| first.is_ascii_uppercase()));
        }
    }

    #[test]
    fn an_adapter_names_each_call_on_the_same_thing_once() {
        for adapter in Adapter::ALL {
            let once: BTreeSet<_> = adapter.calls().iter().map(|call| (call.action, call.scope)).collect();
            assert_eq!(once.len(), adapter.calls().len(), "{adapter:?}");
        }
    }
}
