//! The SDK's configuration, lean and without retries of its own.

use std::time::Duration;

pub use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

/// Where Route 53 has its only control plane, and the region of whoever names none.
pub const DEFAULT_REGION: &str = "us-east-1";

/// How AWS is called.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientOptions {
    /// In place of AWS's own addresses: a simulated AWS, a VPC endpoint. Without it `AWS_ENDPOINT_URL` and
    /// `AWS_ENDPOINT_URL_ROUTE_53` count, as for every other AWS client.
    pub endpoint_url: Option<String>,
    /// In place of the environment's region.
    pub region: Option<String>,
    /// The limit for opening a connection.
    pub connect_timeout: Duration,
    /// The limit for one attempt at a call, from its start to the last byte of the answer.
    pub attempt_timeout: Duration,
}

impl Default for ClientOptions {
    /// 2 s for a connection and 5 s for an attempt: a rollback that meets a dead connection tries again soon.
    fn default() -> Self {
        Self {
            endpoint_url: None,
            region: None,
            connect_timeout: Duration::from_secs(2),
            attempt_timeout: Duration::from_secs(5),
        }
    }
}

impl ClientOptions {
    /// The same options with another endpoint.
    #[must_use]
    pub fn with_endpoint_url(mut self, url: impl Into<String>) -> Self {
        self.endpoint_url = Some(url.into());
        self
    }

    /// The same options with another region.
    #[must_use]
    pub fn with_region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// The same options with other limits for a connection and for an attempt.
    #[must_use]
    pub const fn with_timeouts(mut self, connect: Duration, attempt: Duration) -> Self {
        self.connect_timeout = connect;
        self.attempt_timeout = attempt;
        self
    }
}

/// The configuration for every AWS client of this process: credentials, region and profile come from the standard environment.
///
/// The SDK does not retry. A rollout does that itself, where it is written to the journal, can be seen, and can be overtaken by
/// a rollback.
pub async fn sdk_config(options: &ClientOptions) -> SdkConfig {
    let tls = Provider::rustls(CryptoMode::Ring);
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(options.connect_timeout)
        .operation_attempt_timeout(options.attempt_timeout)
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(Builder::new().tls_provider(tls).build_https())
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts);
    if let Some(url) = &options.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    if let Some(region) = &options.region {
        loader = loader.region(Region::new(region.clone()));
    }
    let config = loader.load().await;
    if config.region().is_some() {
        return config;
    }
    config.into_builder().region(Region::from_static(DEFAULT_REGION)).build()
}
