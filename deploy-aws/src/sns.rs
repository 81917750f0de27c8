//! The port `Notify` by a topic of SNS.

use std::fmt::Write as _;

use async_trait::async_trait;
use aws_config::{Region, SdkConfig};
use aws_sdk_sns::Client;
use aws_sdk_sns::config::Builder;
use aws_sdk_sns::config::retry::RetryConfig;
use aws_sdk_sns::error::BuildError;
use aws_sdk_sns::types::MessageAttributeValue;
use mpac_deploy_core::decision::{Decision, Notice};
use mpac_deploy_core::ids::RolloutId;
use mpac_deploy_core::port::{Notify, PortError};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::CallError;

const PUBLISH: &str = "sns:Publish";

/// What SNS takes as the subject of a mail.
const SUBJECT: usize = 100;

/// Notices to a topic of SNS. It tries once; put an [`Outbox`](mpac_deploy_core::driver::Outbox) before it.
///
/// | subscribers | get |
/// |---|---|
/// | queues, functions, HTTP | the JSON of a [`Notice`] |
/// | mail | a subject, and the decision in sentences |
/// | SMS | the subject's line |
///
/// The attributes `severity`, `kind` and `rollout` are there for filter policies. In a FIFO topic the notices of a rollout stay in order, and one that is told twice arrives once.
#[derive(Clone, Debug)]
pub struct SnsNotify {
    client: Client,
    topic: String,
    is_fifo: bool,
}

/// No ARN of a topic.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no ARN of a topic: it is like arn:aws:sns:REGION:ACCOUNT:NAME")]
pub struct NoTopic(String);

impl SnsNotify {
    /// Notices to the topic of this ARN, in the topic's region. Retries of the SDK are switched off, whatever `sdk` says.
    ///
    /// # Errors
    /// [`NoTopic`] when it is none.
    pub fn new(sdk: &SdkConfig, topic_arn: &str) -> Result<Self, NoTopic> {
        let region = region(topic_arn).ok_or_else(|| NoTopic(topic_arn.into()))?;
        let config = Builder::from(sdk).retry_config(RetryConfig::disabled()).region(Region::new(region));
        Ok(Self {
            client: Client::from_conf(config.build()),
            topic: topic_arn.into(),
            is_fifo: topic_arn.ends_with(".fifo"),
        })
    }

    async fn publish(&self, rollout: &RolloutId, decision: &Decision) -> Result<(), CallError> {
        let unfit = |error: &dyn std::fmt::Display| CallError::invalid(PUBLISH, error.to_string());
        let notice = serde_json::to_string(&Notice::new(rollout, decision)).map_err(|error| unfit(&error))?;
        let subject = subject(rollout, decision);
        let message = json!({ "default": notice, "email": in_sentences(rollout, decision), "sms": subject });
        let mut call = self
            .client
            .publish()
            .topic_arn(&self.topic)
            .subject(&subject)
            .message(message.to_string())
            .message_structure("json");
        for (name, value) in [
            ("kind", decision.kind.as_str()),
            ("rollout", rollout.as_str()),
            ("severity", decision.severity().as_str()),
        ] {
            let value = attribute(value).map_err(|error| unfit(&error))?;
            call = call.message_attributes(name, value);
        }
        if self.is_fifo {
            call = call.message_group_id(rollout.as_str()).message_deduplication_id(id(&notice));
        }
        call.send().await.map_err(|error| CallError::of(PUBLISH, error))?;
        Ok(())
    }
}

#[async_trait]
impl Notify for SnsNotify {
    async fn notify(&self, rollout: &RolloutId, decision: &Decision) -> Result<(), PortError> {
        Ok(self.publish(rollout, decision).await?)
    }
}

fn region(topic_arn: &str) -> Option<String> {
    let parts: Vec<&str> = topic_arn.split(':').collect();
    match parts.as_slice() {
        ["arn", _, "sns", region, account, name]
            if ![region, account, name].iter().any(|part| part.is_empty()) =>
        {
            Some((*region).to_owned())
        }
        _ => None,
    }
}

fn attribute(value: &str) -> Result<MessageAttributeValue, BuildError> {
    MessageAttributeValue::builder().data_type("String").string_value(value).build()
}

/// One line of ASCII, which is all that SNS takes.
fn subject(rollout: &RolloutId, decision: &Decision) -> String {
    let severity = decision.severity().as_str().to_uppercase();
    let line = format!("[{severity}] {rollout}: {}", decision.kind.as_str().replace('_', " "));
    let fits = |c: char| if c.is_ascii_graphic() || c == ' ' { c } else { '?' };
    line.chars().take(SUBJECT).map(fits).collect()
}

fn in_sentences(rollout: &RolloutId, decision: &Decision) -> String {
    let mut text = format!("{}\n\n{}\n", subject(rollout, decision), decision.reason);
    if !decision.counterfactual.is_empty() {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "{}", decision.counterfactual);
    }
    for (name, value) in [("stage", &decision.stage), ("rule", &decision.rule)] {
        if let Some(value) = value {
            let _ = writeln!(text, "{name}: {value}");
        }
    }
    let _ = writeln!(text, "at: {}", decision.at);
    text
}

/// A notice is what it says: the same one has the same id in every attempt and every process.
fn id(notice: &str) -> String {
    Sha256::digest(notice.as_bytes()).iter().fold(String::new(), |id, byte| format!("{id}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mpac_deploy_core::decision::DecisionKind;
    use mpac_deploy_core::time::Timestamp;

    #[test]
    fn only_a_topic_has_the_arn_of_one() {
        assert_eq!(region("arn:aws:sns:eu-central-1:123456789012:deploys").as_deref(), Some("eu-central-1"));
        assert_eq!(
            region("arn:aws-us-gov:sns:us-gov-west-1:1:deploys.fifo").as_deref(),
            Some("us-gov-west-1")
        );
        for other in [
            "deploys",
            "arn:aws:sns:us-east-1:1",
            "arn:aws:sqs:us-east-1:1:q",
            "arn:aws:sns::1:a",
            "arn:aws:sns:us-east-1:1:a:subscription",
        ] {
            assert_eq!(region(other), None, "{other}");
        }
    }

    #[test]
    fn a_subject_is_one_short_line_of_ascii() {
        let decision = Decision {
            kind: DecisionKind::RolledBack,
            stage: Some("half".into()),
            rule: None,
            evidence_end: None,
            at: Timestamp::from_millis(0),
            reason: "5 % of the requests failed".into(),
            counterfactual: String::new(),
        };
        let subject = subject(&RolloutId::from("züge\n-v2"), &decision);
        assert_eq!(subject, "[INFO] z?ge?-v2: rolled back");
        let long = RolloutId::from("x".repeat(300).as_str());
        assert_eq!(super::subject(&long, &decision).len(), SUBJECT);
        let text = in_sentences(&RolloutId::from("a"), &decision);
        assert!(text.contains("5 % of the requests failed\nstage: half\nat: 1970"), "{text}");
    }
}
