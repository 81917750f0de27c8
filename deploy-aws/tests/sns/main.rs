//! Notices by SNS, through the real SDK, over a socket, against the simulated AWS.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, outside a test function")]

#[path = "../common/mod.rs"]
mod common;
mod outside;

use mpac_deploy_aws::SnsNotify;
use mpac_deploy_core::decision::{Decision, DecisionKind};
use mpac_deploy_core::ids::RolloutId;
use mpac_deploy_core::port::{Notify as _, PortError};
use mpac_deploy_core::time::Timestamp;
use mpac_deploy_testkit::aws_sim::sns::topic_arn;
use mpac_deploy_testkit::aws_sim::{AwsSim, CallFault, Operation, Settings};
use serde_json::Value;

use common::sdk_at;

pub(crate) fn rollback() -> Decision {
    Decision {
        kind: DecisionKind::Rollback,
        stage: Some("half".into()),
        rule: Some("any.error-rate".into()),
        evidence_end: Some(Timestamp::from_millis(1_700_000_000_000)),
        at: Timestamp::from_millis(1_700_000_060_000),
        reason: "5.2 % of green's requests fail; the limit is 1 %".into(),
        counterfactual: String::new(),
    }
}

pub(crate) fn rollout() -> RolloutId {
    RolloutId::from("svc-portal-v2.1.0-20261125T100000Z")
}

async fn sim() -> AwsSim {
    let aws = AwsSim::start(Settings::default()).await.unwrap();
    aws.add_topic("deploys");
    aws.add_topic("deploys.fifo");
    aws
}

async fn told(aws: &AwsSim, topic: &str) -> Result<(), PortError> {
    let notify = SnsNotify::new(&sdk_at(&aws.endpoint_url()).await, &topic_arn(topic)).unwrap();
    notify.notify(&rollout(), &rollback()).await
}

#[tokio::test]
async fn programs_get_json_people_get_sentences_and_filters_get_attributes() {
    let aws = sim().await;
    told(&aws, "deploys").await.unwrap();
    let [message] = aws.messages("deploys").try_into().unwrap();
    let notice: Value = serde_json::from_str(&message.by_protocol["default"]).unwrap();
    assert_eq!(notice["type"], "rollout.rollback");
    assert_eq!(notice["data"]["severity"], "error");
    assert_eq!(notice["data"]["rule"], "any.error-rate");
    assert_eq!(notice["data"]["rollout"], rollout().as_str());
    let subject = "[ERROR] svc-portal-v2.1.0-20261125T100000Z: rollback";
    assert_eq!(message.subject.as_deref(), Some(subject));
    assert_eq!(message.by_protocol["sms"], subject);
    assert!(message.by_protocol["email"].contains("5.2 % of green's requests fail"));
    let attributes: Vec<(&str, &str)> =
        message.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(attributes, [("kind", "rollback"), ("rollout", rollout().as_str()), ("severity", "error")]);
}

#[tokio::test]
async fn a_fifo_topic_gets_a_notice_once_however_often_it_is_told() {
    let aws = sim().await;
    aws.script(Operation::Publish, [CallFault::CutAfter]);
    assert!(matches!(told(&aws, "deploys.fifo").await, Err(PortError::Unavailable(_))));
    told(&aws, "deploys.fifo").await.unwrap();
    assert_eq!(aws.messages("deploys.fifo").len(), 1);
}

#[tokio::test]
async fn what_may_pass_is_told_from_what_does_not() {
    let aws = sim().await;
    aws.script(Operation::Publish, [CallFault::Throttle, CallFault::access_denied()]);
    assert!(matches!(told(&aws, "deploys").await, Err(PortError::Unavailable(_))));
    assert!(matches!(told(&aws, "deploys").await, Err(PortError::Refused(_))));
    let error = told(&aws, "nowhere").await.unwrap_err().to_string();
    assert!(error.contains("sns:Publish: refused with NotFound: Topic does not exist"), "{error}");
    assert!(aws.messages("deploys").is_empty());
}

#[tokio::test]
async fn an_arn_of_something_else_is_refused_before_anything_is_sent() {
    let sdk = sdk_at("http://127.0.0.1:9").await;
    let error = SnsNotify::new(&sdk, "arn:aws:sqs:us-east-1:1:queue").unwrap_err().to_string();
    assert!(error.contains("`arn:aws:sqs:us-east-1:1:queue` is no ARN of a topic"), "{error}");
}
