//! Archives in S3.

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::primitives::ByteStream;
use mpac_deploy_core::ids::EffectId;
use serde_json::Value;

use crate::CallError;

const GET: &str = "GetObject";
const PUT: &str = "PutObject";

/// What a refusal to read may mean, too.
const OR_ABSENT: &str = " (or it is not there: S3 says the same to whoever lacks s3:ListBucket)";

/// Where archives go.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    client: Client,
    bucket: String,
    prefix: String,
}

impl Bucket {
    pub(super) fn new(sdk: &SdkConfig, bucket: &str, prefix: &str) -> Self {
        let config = Builder::from(sdk).retry_config(RetryConfig::disabled()).build();
        Self { client: Client::from_conf(config), bucket: bucket.into(), prefix: prefix.into() }
    }

    /// Keeps an archive, and says where: under the effect's name, where the first one stays, and as the latest of its environment.
    pub(super) async fn keep(
        &self,
        id: &EffectId,
        environment: &str,
        archive: &Value,
    ) -> Result<String, CallError> {
        let name = format!("{environment}/{}/{}.json", id.rollout, id.number);
        match self.put(&name, archive, true).await {
            Ok(()) => {}
            // The same effect, in an earlier attempt.
            Err(CallError::Refused { code, .. }) if code == "PreconditionFailed" => {}
            Err(error) => return Err(error),
        }
        self.put(&latest(environment), archive, false).await?;
        Ok(format!("s3://{}/{}{name}", self.bucket, self.prefix))
    }

    /// The latest archive of an environment, if there is one.
    pub(super) async fn latest(&self, environment: &str) -> Result<Option<Value>, CallError> {
        let key = format!("{}{}", self.prefix, latest(environment));
        let answer = match self.client.get_object().bucket(&self.bucket).key(key).send().await {
            Ok(answer) => answer,
            Err(error) => {
                let error = CallError::of(GET, error);
                if let CallError::AccessDenied { call, message } = error {
                    return Err(CallError::AccessDenied { call, message: format!("{message}{OR_ABSENT}") });
                }
                let is_absent = matches!(&error, CallError::Refused { code, .. } if code == "NoSuchKey");
                return if is_absent { Ok(None) } else { Err(error) };
            }
        };
        let unreadable = |message: String| CallError::NoAnswer { call: GET, message };
        let body = answer.body.collect().await.map_err(|error| unreadable(error.to_string()))?;
        serde_json::from_slice(&body.into_bytes()).map(Some).map_err(|error| unreadable(error.to_string()))
    }

    async fn put(&self, name: &str, archive: &Value, once: bool) -> Result<(), CallError> {
        let body = ByteStream::from(archive.to_string().into_bytes());
        let call = self.client.put_object().bucket(&self.bucket).key(format!("{}{name}", self.prefix));
        let call = call.content_type("application/json").body(body);
        let call = if once { call.if_none_match("*") } else { call };
        call.send().await.map_err(|error| CallError::of(PUT, error))?;
        Ok(())
    }
}

fn latest(environment: &str) -> String {
    format!("{environment}/latest.json")
}
