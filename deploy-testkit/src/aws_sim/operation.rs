//! The services and the calls that the simulated AWS knows.

use super::wire::Protocol;

/// A service of AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each variant is the service of its name")]
pub enum Service {
    Route53,
    Ecs,
    ElasticLoadBalancing,
    ApplicationAutoScaling,
    CloudWatch,
    DynamoDb,
    S3,
    Sts,
    Iam,
    Sns,
}

impl Service {
    /// The service that a request was signed for, by the name in its signature's scope.
    pub(super) fn signed_for(name: &str) -> Option<Self> {
        Some(match name {
            "route53" => Self::Route53,
            "ecs" => Self::Ecs,
            "elasticloadbalancing" => Self::ElasticLoadBalancing,
            "application-autoscaling" => Self::ApplicationAutoScaling,
            "monitoring" => Self::CloudWatch,
            "dynamodb" => Self::DynamoDb,
            "s3" => Self::S3,
            "sts" => Self::Sts,
            "iam" => Self::Iam,
            "sns" => Self::Sns,
            _ => return None,
        })
    }

    /// What its actions begin with in a policy of IAM.
    #[must_use]
    pub const fn action_prefix(self) -> &'static str {
        match self {
            Self::Route53 => "route53",
            Self::Ecs => "ecs",
            Self::ElasticLoadBalancing => "elasticloadbalancing",
            Self::ApplicationAutoScaling => "application-autoscaling",
            Self::CloudWatch => "cloudwatch",
            Self::DynamoDb => "dynamodb",
            Self::S3 => "s3",
            Self::Sts => "sts",
            Self::Iam => "iam",
            Self::Sns => "sns",
        }
    }

    /// The protocol that it speaks.
    pub(super) const fn protocol(self) -> Protocol {
        match self {
            Self::Route53 => Protocol::RestXml,
            Self::S3 => Protocol::S3,
            Self::Ecs | Self::ApplicationAutoScaling => Protocol::Json("application/x-amz-json-1.1"),
            Self::DynamoDb => Protocol::Json("application/x-amz-json-1.0"),
            Self::ElasticLoadBalancing | Self::Sts | Self::Iam | Self::Sns => Protocol::Query,
            Self::CloudWatch => Protocol::Cbor,
        }
    }

    /// The code with which it refuses a call above the account's limit.
    pub(super) const fn throttles_with(self) -> &'static str {
        match self {
            Self::Route53 | Self::Sts | Self::Iam | Self::Sns => "Throttling",
            Self::S3 => "SlowDown",
            Self::ElasticLoadBalancing
            | Self::Ecs
            | Self::ApplicationAutoScaling
            | Self::CloudWatch
            | Self::DynamoDb => "ThrottlingException",
        }
    }

    /// The code with which it says that it failed.
    pub(super) const fn fails_with(self) -> &'static str {
        match self {
            Self::Route53 | Self::ElasticLoadBalancing | Self::Sts | Self::Iam | Self::Sns => {
                "InternalFailure"
            }
            Self::Ecs => "ServerException",
            Self::ApplicationAutoScaling => "InternalServiceException",
            Self::CloudWatch => "InternalServiceFault",
            Self::DynamoDb => "InternalServerError",
            Self::S3 => "InternalError",
        }
    }
}

macro_rules! operations {
    ($($service:ident: $($name:ident),+;)+) => {
        /// A call of the API.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        #[allow(missing_docs, reason = "each variant is the operation of its name")]
        pub enum Operation {
            $($($name,)+)+
        }

        impl Operation {
            /// Every call that is known.
            pub const ALL: &[Self] = &[$($(Self::$name,)+)+];

            /// The service that has it.
            #[must_use]
            pub const fn service(self) -> Service {
                match self {
                    $($(Self::$name)|+ => Service::$service,)+
                }
            }

            /// The name of it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $($(Self::$name => stringify!($name),)+)+
                }
            }
        }
    };
}

// One line for each service; a call stands here once its service answers it.
operations! {
    Route53: ListResourceRecordSets, ChangeResourceRecordSets, GetChange;
    Ecs: CreateService, DescribeServices, DescribeTaskDefinition, DescribeTasks, ListTasks, RegisterTaskDefinition, TagResource,
        UpdateService;
    DynamoDb: CreateTable, DescribeTable, UpdateContinuousBackups, GetItem, PutItem, UpdateItem, DeleteItem, Query;
    CloudWatch: GetMetricData, PutMetricData;
    ApplicationAutoScaling: DescribeScalableTargets, RegisterScalableTarget;
    S3: GetObject, PutObject;
    Sts: GetCallerIdentity;
    Iam: GetRole, SimulatePrincipalPolicy;
    Sns: Publish;
    ElasticLoadBalancing: DescribeListeners, DescribeLoadBalancers, DescribeRules, DescribeTargetGroupAttributes, DescribeTargetGroups, DescribeTargetHealth, ModifyRule;
}

impl Operation {
    /// Its name in a policy of IAM, such as `route53:GetChange`.
    #[must_use]
    pub fn action(self) -> String {
        format!("{}:{}", self.service().action_prefix(), self.name())
    }

    /// The call of this service with this name.
    pub(super) fn named(service: Service, name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.service() == service && known.name() == name)
    }
}
