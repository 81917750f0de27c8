//! Environments, and clients for them.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_ecs::config::{Credentials, SharedCredentialsProvider};
use mpac_deploy_aws::client::{ClientOptions, sdk_config};
use mpac_deploy_testkit::aws_sim::{AwsSim, Settings};

pub(crate) const CLUSTER: &str = "mpac";
pub(crate) const BLUE: &str = "svc-portal-blue";
pub(crate) const GREEN: &str = "svc-portal-green";
pub(crate) const OLD: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com/svc-portal:v2.0.0";
pub(crate) const NEW: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com/svc-portal:v2.1.0";

/// Credentials as a test has them, and impatient limits.
pub(crate) async fn sdk_at(url: &str) -> SdkConfig {
    let options = ClientOptions::default()
        .with_region("us-east-1")
        .with_endpoint_url(url)
        .with_timeouts(Duration::from_secs(2), Duration::from_secs(2));
    let credentials = Credentials::new("AKIDEXAMPLE", "not-a-secret", None, None, "test");
    sdk_config(&options)
        .await
        .into_builder()
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

/// Tasks that come up when the test says so: it would take them an hour.
pub(crate) fn on_command() -> Settings {
    Settings::default().with_tasks(Duration::from_secs(1800), Duration::from_secs(1800))
}

/// Blue with four tasks; green has a target group and no service.
pub(crate) async fn environments(settings: Settings) -> AwsSim {
    let aws = AwsSim::start(settings).await.unwrap();
    aws.put_environment(CLUSTER, BLUE, OLD, 4).unwrap();
    aws.put_environment(CLUSTER, GREEN, NEW, 0).unwrap();
    aws
}
