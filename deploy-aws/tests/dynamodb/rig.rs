//! A table, and journals on it.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use mpac_deploy_aws::client::{ClientOptions, sdk_config};
use mpac_deploy_aws::{DynamoConfig, DynamoJournal};
use mpac_deploy_testkit::aws_sim::{AwsSim, Operation, Settings};

pub(crate) const TABLE: &str = "mpac-deploy";

pub(crate) struct Rig {
    pub(crate) aws: AwsSim,
    pub(crate) journal: DynamoJournal,
}

/// Credentials as a test has them, and impatient limits.
pub(crate) async fn sdk_at(url: &str) -> SdkConfig {
    let options = ClientOptions::default()
        .with_region("eu-central-1")
        .with_endpoint_url(url)
        .with_timeouts(Duration::from_secs(5), Duration::from_secs(5));
    let credentials = Credentials::new("AKIDEXAMPLE", "not-a-secret", None, None, "test");
    sdk_config(&options)
        .await
        .into_builder()
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

pub(crate) fn config() -> DynamoConfig {
    // A machine that is busy with other tests is no table that does not answer.
    DynamoConfig::new(TABLE).with_attempt_timeout(Duration::from_secs(5))
}

pub(crate) async fn rig() -> Rig {
    let aws = AwsSim::start(Settings::default()).await.unwrap();
    aws.add_table(TABLE);
    let journal = DynamoJournal::new(&sdk_at(&aws.endpoint_url()).await, config());
    Rig { aws, journal }
}

impl Rig {
    /// The calls that came in, in order.
    pub(crate) fn operations(&self) -> Vec<Operation> {
        self.aws.calls().into_iter().filter_map(|call| call.operation).collect()
    }

    /// The journal of another process.
    pub(crate) async fn another(&self) -> DynamoJournal {
        self.another_with(config()).await
    }

    pub(crate) async fn another_with(&self, config: DynamoConfig) -> DynamoJournal {
        DynamoJournal::new(&sdk_at(&self.aws.endpoint_url()).await, config)
    }
}
