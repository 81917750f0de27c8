//! Witnesses from outside: another client reads the simulated zone, and the adapter works on another simulation.
//!
//! Both come from `xtask/python-requirements.txt`; `cargo xtask test` installs them and runs these tests.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_route53::Client;
use aws_sdk_route53::error::ProvideErrorMetadata;
use aws_sdk_route53::types::{
    AliasTarget, Change, ChangeAction, ChangeBatch, ChangeStatus, ResourceRecordSet, RrType,
};
use mpac_deploy_aws::{Quota, Route53Config, Route53Traffic};
use mpac_deploy_core::effect::Direction;
use mpac_deploy_core::ids::{FencingToken, RecordName};
use mpac_deploy_testkit::aws_sim::Settings;

use crate::common::{Moto, effect, observed, python, sdk_at, weights};
use crate::rig::{BLUE, GREEN, NAME, ZONE, rig, sdk, zone};

/// Reads every weight of the zone and lists `SET WEIGHT EVALUATE_TARGET_HEALTH`, then asks for what is not there.
const BOTO3: &str = r#"
for page in client.get_paginator("list_resource_record_sets").paginate(HostedZoneId=sys.argv[2], PaginationConfig={"PageSize": 1}):
    for record in page["ResourceRecordSets"]:
        print(record["Name"], record["SetIdentifier"], record["Weight"], record["AliasTarget"]["EvaluateTargetHealth"])
try:
    client.get_change(Id="C404")
except client.exceptions.NoSuchChange as error:
    print(error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"])
print(client.get_change(Id=sys.argv[3])["ChangeInfo"]["Status"])
"#;

#[tokio::test]
#[ignore = "needs boto3 of xtask/python-requirements.txt: run `cargo xtask test`"]
async fn boto3_reads_what_the_adapter_has_set() {
    let rig = rig().await;
    rig.forward(1, 95, 5).await.unwrap();
    let change = rig.aws.changes()[0].id.clone();
    let lines = python("route53", BOTO3, &[&rig.aws.endpoint_url(), ZONE, &change]).await;
    let expected = [
        "api.mpac-cloud.com. blue-environment 95 True",
        "api.mpac-cloud.com. green-environment 5 True",
        "NoSuchChange 404",
        "PENDING",
    ];
    assert_eq!(lines, expected);
}

fn record(set: &str, weight: i64) -> ResourceRecordSet {
    let target = AliasTarget::builder()
        .hosted_zone_id("Z35SXDOTRQ7X7K")
        .dns_name(format!("dualstack.{set}.us-east-1.elb.amazonaws.com."))
        .evaluate_target_health(true)
        .build();
    let record = ResourceRecordSet::builder().name(format!("{NAME}.")).r#type(RrType::A);
    record.set_identifier(set).weight(weight).alias_target(target.unwrap()).build().unwrap()
}

/// A zone of moto's with the pair in it.
async fn moto_zone(client: &Client) -> String {
    let made = client.create_hosted_zone().name("mpac-cloud.com").caller_reference("1").send().await.unwrap();
    let id = made.hosted_zone.unwrap().id.trim_start_matches("/hostedzone/").to_owned();
    let changes = [record(BLUE, 100), record(GREEN, 0)].map(|record| {
        Change::builder().action(ChangeAction::Create).resource_record_set(record).build().unwrap()
    });
    let batch = ChangeBatch::builder().set_changes(Some(changes.into())).build().unwrap();
    client.change_resource_record_sets().hosted_zone_id(&id).change_batch(batch).send().await.unwrap();
    id
}

/// The pair as a client sees it, and the code with which an unknown zone is refused.
async fn seen(client: &Client, zone: &str) -> (Vec<ResourceRecordSet>, Option<String>) {
    let list = client.list_resource_record_sets().hosted_zone_id(zone).start_record_name(NAME);
    let mut records = list.send().await.unwrap().resource_record_sets;
    records.retain(|record| record.r#type == RrType::A);
    let no_zone = client.list_resource_record_sets().hosted_zone_id("Z404").send().await.unwrap_err();
    // That is all that moto refuses: it takes a second CREATE of a record, and a DELETE of one that is not there.
    (records, no_zone.code().map(str::to_owned))
}

async fn shift(sdk: &SdkConfig, zone: &str) {
    let config = Route53Config::new(zone, RecordName::from(NAME));
    let traffic = Route53Traffic::new(sdk, &Quota::route53(), config);
    assert_eq!(traffic.weights().await, Ok(observed(100, 0)));
    traffic.set_weights(&effect(1), FencingToken(1), weights(95, 5), Direction::Forward).await.unwrap();
    assert_eq!(traffic.weights().await, Ok(observed(95, 5)));
}

#[tokio::test]
#[ignore = "needs moto of xtask/python-requirements.txt: run `cargo xtask test`"]
async fn moto_and_the_simulated_route_53_answer_alike() {
    let (aws, moto) = (zone(Settings::default().with_pending(Duration::ZERO)).await, Moto::start().await);
    let (ours, theirs) = (sdk(&aws).await, sdk_at(&moto.url).await);
    let (our_client, their_client) = (Client::new(&ours), Client::new(&theirs));
    let their_zone = moto_zone(&their_client).await;

    assert_eq!(seen(&our_client, ZONE).await, seen(&their_client, &their_zone).await);
    shift(&ours, ZONE).await;
    shift(&theirs, &their_zone).await;
    assert_eq!(seen(&our_client, ZONE).await, seen(&their_client, &their_zone).await);

    // moto knows every change and is always in sync.
    let status = their_client.get_change().id("C1").send().await.unwrap().change_info.unwrap().status;
    assert_eq!(status, ChangeStatus::Insync);
}
