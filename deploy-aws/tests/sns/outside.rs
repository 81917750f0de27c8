//! Another simulation takes what the adapter sends, and hands it to a subscriber.

use mpac_deploy_aws::SnsNotify;
use mpac_deploy_core::port::Notify as _;

use crate::common::{Moto, python, sdk_at};
use crate::{rollback, rollout};

const SUBSCRIBED: &str = r#"
sqs = boto3.client("sqs", endpoint_url=sys.argv[1], region_name="us-east-1",
                   aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="not-a-secret")
topic = client.create_topic(Name="deploys")["TopicArn"]
for name, wanted in (("all", ["error", "info"]), ("good-news", ["info"])):
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    client.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"FilterPolicy": '{"severity": ["' + '", "'.join(wanted) + '"]}'})
print(topic)
"#;

const RECEIVED: &str = r#"
import json
for name in ("all", "good-news"):
    queue = client.get_queue_url(QueueName=name)["QueueUrl"]
    messages = client.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    for message in messages:
        body = json.loads(message["Body"])
        print(name, body["Subject"], json.loads(body["Message"])["data"]["rule"], body["MessageAttributes"]["severity"]["Value"])
    print(name, len(messages))
"#;

#[tokio::test]
#[ignore = "needs moto of xtask/python-requirements.txt: run `cargo xtask test`"]
async fn moto_hands_a_notice_to_those_whose_filter_wants_it() {
    let moto = Moto::start().await;
    let topic = python("sns", SUBSCRIBED, &[&moto.url]).await.remove(0);
    let notify = SnsNotify::new(&sdk_at(&moto.url).await, &topic).unwrap();
    notify.notify(&rollout(), &rollback()).await.unwrap();
    let received = python("sqs", RECEIVED, &[&moto.url]).await;
    let line = format!("all [ERROR] {}: rollback any.error-rate error", rollout());
    assert_eq!(received, [line.as_str(), "all 1", "good-news 0"]);
}
