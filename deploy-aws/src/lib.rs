//! mpac-deploy on AWS: the ports of `mpac-deploy-core` through the official SDK.
//!
//! The public interface is:
//! - [`client`]: the SDK's configuration from the standard AWS environment, built lean, with retries left to the rollout,
//! - [`Route53Traffic`]: the weights of a blue-green pair as two weighted alias records of Route 53,
//! - [`AlbTraffic`]: the same weights as two target groups of a listener rule of a load balancer,
//! - [`CloudWatchMetrics`]: the metrics of load balancers, ECS services and applications from CloudWatch, those of all rollouts of a
//!   process in few calls,
//! - `infra` (feature `infra`): templates for CloudFormation and Terraform, and a check of those that are there,
//! - [`DynamoJournal`]: journal and lease in one DynamoDB table, for controllers on many machines,
//! - [`EcsFleet`]: the two environments as ECS services behind target groups,
//! - [`Quota`]: the account's limit of calls, shared by every adapter of the account in this process,
//! - [`Finding`]: what would hurt a rollout although nothing is wrong by itself, such as [`route53::traps`],
//! - [`balancer`]: the load balancers behind the records, and who is healthy there,
//! - [`CallError`]: why a call failed, whichever service it was made to.
//!
//! ```no_run
//! # #[cfg(feature = "route53")]
//! # mod example {
//! use std::sync::Arc;
//!
//! use mpac_deploy_aws::client::{ClientOptions, sdk_config};
//! use mpac_deploy_aws::{Quota, Route53Config, Route53Traffic};
//! use mpac_deploy_core::ids::RecordName;
//! use mpac_deploy_core::port::Traffic;
//!
//! # async fn example() -> Result<(), mpac_deploy_core::port::PortError> {
//! let sdk = sdk_config(&ClientOptions::default()).await;
//! let record = RecordName::from("api.mpac-cloud.com");
//! let config = Route53Config::new("Z0123456789ABCDEFGHIJ", record.clone())
//!     .with_fence_record("_mpac-deploy.api.mpac-cloud.com");
//! let traffic: Arc<dyn Traffic> = Arc::new(Route53Traffic::new(&sdk, &Quota::route53(), config));
//! println!("{}", traffic.read(&record).await?);
//! # Ok(())
//! # }
//! # }
//! ```

#[cfg(feature = "alb")]
pub mod alb;
pub mod balancer;
pub mod client;
#[cfg(feature = "cloudwatch")]
pub mod cloudwatch;
#[cfg(feature = "dynamodb")]
pub mod dynamodb;
#[cfg(feature = "ecs")]
pub mod ecs;
mod error;
mod finding;
#[cfg(feature = "infra")]
pub mod infra;
#[cfg(any(feature = "alb", feature = "route53"))]
mod memory;
#[cfg(feature = "permissions")]
pub mod permissions;
mod quota;
#[cfg(feature = "route53")]
pub mod route53;
#[cfg(feature = "sns")]
pub mod sns;

#[cfg(feature = "alb")]
pub use alb::{AlbConfig, AlbError, AlbTraffic, RuleError};
#[cfg(feature = "cloudwatch")]
pub use cloudwatch::{CloudWatch, CloudWatchConfig, CloudWatchMetrics};
#[cfg(feature = "dynamodb")]
pub use dynamodb::{DynamoConfig, DynamoJournal, HistoryQuery, RolloutEntry};
#[cfg(feature = "ecs")]
pub use ecs::{EcsConfig, EcsError, EcsFleet, EcsService, Unfit};
pub use error::CallError;
pub use finding::{Finding, Severity};
pub use quota::Quota;
#[cfg(feature = "route53")]
pub use route53::{RecordError, Route53Config, Route53Error, Route53Traffic, ZoneError};
#[cfg(feature = "sns")]
pub use sns::SnsNotify;
