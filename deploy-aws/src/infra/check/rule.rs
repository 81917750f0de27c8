//! The rules by name.

use crate::Severity;

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Rule {
    /// Nothing that could be checked.
    NothingToCheck,
    /// A weight stands in the template itself.
    WeightHardCoded,
    /// Terraform sets the weight back.
    WeightNotIgnored,
    /// The record is rewritten when another resource of its template changes.
    RecordFollowsResource,
    /// A record that is there is overwritten.
    RecordOverwritten,
    /// A resource goes with its stack.
    NotKept,
    /// `EvaluateTargetHealth` is off.
    TargetHealthOff,
    /// Both sides lead to one load balancer.
    SharedBalancer,
    /// A record besides blue and green.
    ThirdRecord,
    /// A side has no record.
    SideMissing,
    /// The records of type A and AAAA have different weights.
    TypesDiffer,
    /// A health check moves traffic.
    HealthCheck,
    /// Both weights are 0.
    BothZero,
    /// A weight that Route 53 does not have.
    WeightOutOfRange,
    /// Not routed by weight.
    NotWeighted,
    /// Addresses in place of an alias.
    NotAlias,
    /// The journal's table can be deleted.
    TableUnprotected,
    /// The journal's table cannot be restored.
    TableNoRecovery,
    /// A policy allows calls by wildcard.
    WildcardAction,
    /// A policy allows a call on everything.
    WildcardResource,
    /// A policy allows changes of every record of the zone.
    AnyRecord,
    /// A policy lets roles be passed to any service.
    PassRoleAnywhere,
    /// Whether a live zone's balancers are healthy could not be seen.
    BalancersUnread,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 23] = [
        Self::NothingToCheck,
        Self::WeightHardCoded,
        Self::WeightNotIgnored,
        Self::RecordFollowsResource,
        Self::RecordOverwritten,
        Self::NotKept,
        Self::TargetHealthOff,
        Self::SharedBalancer,
        Self::ThirdRecord,
        Self::SideMissing,
        Self::TypesDiffer,
        Self::HealthCheck,
        Self::BothZero,
        Self::WeightOutOfRange,
        Self::NotWeighted,
        Self::NotAlias,
        Self::TableUnprotected,
        Self::TableNoRecovery,
        Self::WildcardAction,
        Self::WildcardResource,
        Self::AnyRecord,
        Self::PassRoleAnywhere,
        Self::BalancersUnread,
    ];

    /// Its id, which stays.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::NothingToCheck => "nothing-to-check",
            Self::WeightHardCoded => "weight-hard-coded",
            Self::WeightNotIgnored => "weight-not-ignored",
            Self::RecordFollowsResource => "record-follows-resource",
            Self::RecordOverwritten => "record-overwritten",
            Self::NotKept => "not-kept",
            Self::TargetHealthOff => "target-health-off",
            Self::SharedBalancer => "shared-balancer",
            Self::ThirdRecord => "third-record",
            Self::SideMissing => "side-missing",
            Self::TypesDiffer => "types-differ",
            Self::HealthCheck => "health-check",
            Self::BothZero => "both-zero",
            Self::WeightOutOfRange => "weight-out-of-range",
            Self::NotWeighted => "not-weighted",
            Self::NotAlias => "not-alias",
            Self::TableUnprotected => "table-unprotected",
            Self::TableNoRecovery => "table-no-recovery",
            Self::WildcardAction => "iam-wildcard-action",
            Self::WildcardResource => "iam-wildcard-resource",
            Self::AnyRecord => "iam-any-record",
            Self::PassRoleAnywhere => "iam-pass-role",
            Self::BalancersUnread => "balancers-unread",
        }
    }

    /// How much it would hurt.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            Self::WeightHardCoded
            | Self::WeightNotIgnored
            | Self::RecordFollowsResource
            | Self::RecordOverwritten
            | Self::SharedBalancer
            | Self::ThirdRecord
            | Self::SideMissing
            | Self::TypesDiffer
            | Self::HealthCheck
            | Self::BothZero
            | Self::WeightOutOfRange
            | Self::NotWeighted
            | Self::NotAlias => Severity::Error,
            Self::NothingToCheck
            | Self::NotKept
            | Self::TargetHealthOff
            | Self::TableUnprotected
            | Self::TableNoRecovery
            | Self::WildcardAction
            | Self::WildcardResource
            | Self::AnyRecord
            | Self::PassRoleAnywhere
            | Self::BalancersUnread => Severity::Warning,
        }
    }

    /// What to do about it.
    pub(super) const fn fix(self) -> &'static str {
        match self {
            Self::NothingToCheck => "check the file that has them, or name the record",
            Self::WeightHardCoded => {
                "make the weight a parameter, so that an update that must touch the record can carry the live weight; keep others off with a stack policy"
            }
            Self::WeightNotIgnored => "add `lifecycle { ignore_changes = [weighted_routing_policy] }`",
            Self::RecordFollowsResource => {
                "put both records in a stack of their own, with the load balancer's DNS name and zone as parameters"
            }
            Self::RecordOverwritten => "leave `allow_overwrite` out, and import the record that is there",
            Self::NotKept => {
                "CloudFormation: `DeletionPolicy: Retain` and `UpdateReplacePolicy: Retain`; Terraform: `lifecycle { prevent_destroy = true }`"
            }
            Self::TargetHealthOff => "set EvaluateTargetHealth to true",
            Self::SharedBalancer => {
                "give each side a load balancer of its own, or move the weights of target groups in a listener's rule instead of records"
            }
            Self::ThirdRecord => "remove it, or give it another name",
            Self::SideMissing => "create the record, or say which set identifiers the sides have",
            Self::TypesDiffer => "give both types the same weights",
            Self::HealthCheck => {
                "take the health check off the record; the alias's EvaluateTargetHealth stays"
            }
            Self::BothZero => "start with blue at 100 and green at 0",
            Self::WeightOutOfRange => "use a whole number from 0 to 255",
            Self::NotWeighted => "make it a weighted record: a set identifier and a weight",
            Self::NotAlias => "make it an alias to the side's load balancer",
            Self::TableUnprotected => "switch deletion protection on",
            Self::TableNoRecovery => "switch point-in-time recovery on",
            Self::WildcardAction => "list the calls one by one, as `mpac-deploy infra template` does",
            Self::WildcardResource => "name the resources, as `mpac-deploy infra template` does",
            Self::AnyRecord => {
                "add a condition on route53:ChangeResourceRecordSetsNormalizedRecordNames with the pair's name"
            }
            Self::BalancersUnread => {
                "allow elasticloadbalancing:DescribeLoadBalancers, DescribeTargetGroups and DescribeTargetHealth to whoever checks"
            }
            Self::PassRoleAnywhere => "add a condition `iam:PassedToService` of `ecs-tasks.amazonaws.com`",
        }
    }
}
