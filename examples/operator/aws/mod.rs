//! The account that a configuration is about, and the ports to it.

mod call;
mod clock;
mod groups;
mod journal;
mod metrics;
mod ports;
mod roles;
mod running;
mod schema;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use clap::Args;
use mpac_deploy_aws::Quota;
use mpac_deploy_aws::client::{ClientOptions, sdk_config};
use mpac_deploy_core::port::{Clock, SystemClock};

pub(crate) use call::Unread;
pub(crate) use clock::SimTime;
pub(crate) use groups::{Group, Groups};
pub(crate) use journal::{Kept, Unfinished};
pub(crate) use roles::roles;
pub(crate) use running::Runs;

use crate::config::Config;
use crate::reply::Failure;

/// Which account, and how it is reached.
#[derive(Args, Debug)]
pub(crate) struct AccountOptions {
    /// The configuration, TOML; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// In place of AWS's own addresses, of the configuration's and of `AWS_ENDPOINT_URL`.
    #[arg(long, value_name = "URL")]
    endpoint_url: Option<String>,
    /// The clock of a simulated AWS, as `sim-aws` prints it.
    #[arg(long, value_name = "CLOCK", hide_short_help = true)]
    clock: Option<SimTime>,
}

/// The journal that a configuration names, for whoever looks at a rollout; `None` if it is not there yet.
pub(crate) async fn journal_of(
    config: PathBuf,
    endpoint_url: Option<String>,
) -> Result<Option<Kept>, Failure> {
    Account::open(&AccountOptions { config, endpoint_url, clock: None }).await?.existing_journal().await
}

/// An account, reached by a configuration.
pub(crate) struct Account {
    pub(crate) config: Config,
    pub(crate) sdk: SdkConfig,
    pub(crate) clock: Arc<dyn Clock>,
    /// How many seconds of the clock pass in one of ours: more than one with a simulated AWS.
    speed: u32,
    /// The account's limits of calls, for all adapters of this process.
    pub(crate) route53: Quota,
    pub(crate) balancing: Quota,
    ecs: Quota,
    cloudwatch: Quota,
}

impl Account {
    /// Reads the configuration and finds credentials and region; calls nothing.
    pub(crate) async fn open(options: &AccountOptions) -> Result<Self, Failure> {
        let config = Config::load(&options.config)?;
        let mut client = ClientOptions::default();
        client.endpoint_url = options.endpoint_url.clone().or_else(|| config.aws.endpoint_url.clone());
        client.region.clone_from(&config.aws.region);
        let clock: Arc<dyn Clock> = match options.clock {
            Some(time) => Arc::new(time.clock()),
            None => Arc::new(SystemClock),
        };
        Ok(Self {
            sdk: sdk_config(&client).await,
            config,
            clock,
            speed: options.clock.map_or(1, |time| time.speed),
            route53: Quota::route53(),
            balancing: Quota::load_balancing(),
            ecs: Quota::ecs(),
            cloudwatch: Quota::cloudwatch(),
        })
    }

    /// How long something takes here that takes so long by the clock.
    fn lasting(&self, duration: Duration) -> Duration {
        duration / self.speed
    }
}
