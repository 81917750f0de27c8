//! The simulated Route 53 is as strict as the real one, seen through the SDK.

use std::time::Duration;

use aws_sdk_route53::Client;
use aws_sdk_route53::error::ProvideErrorMetadata;
use aws_sdk_route53::types::{
    AliasTarget, Change, ChangeAction, ChangeBatch, ChangeStatus, ResourceRecordSet, RrType,
};
use mpac_deploy_testkit::aws_sim::{AwsSim, Settings};

use crate::rig::{BLUE, GREEN, NAME, ZONE, sdk, zone};

async fn client(aws: &AwsSim) -> Client {
    Client::new(&sdk(aws).await)
}

fn record(name: &str, set: &str, weight: i64) -> ResourceRecordSet {
    let target = AliasTarget::builder()
        .hosted_zone_id("Z35SXDOTRQ7X7K")
        .dns_name(format!("dualstack.{set}.us-east-1.elb.amazonaws.com."))
        .evaluate_target_health(true)
        .build()
        .unwrap();
    let record = ResourceRecordSet::builder().name(name).r#type(RrType::A).set_identifier(set);
    record.weight(weight).alias_target(target).build().unwrap()
}

/// The code with which a batch is refused, and its message; `Ok` holds the id.
async fn change(
    client: &Client,
    zone: &str,
    changes: Vec<(ChangeAction, ResourceRecordSet)>,
) -> Result<String, (String, String)> {
    let changes = changes.into_iter().map(|(action, record)| {
        Change::builder().action(action).resource_record_set(record).build().unwrap()
    });
    let batch = ChangeBatch::builder().set_changes(Some(changes.collect())).build().unwrap();
    let sent = client.change_resource_record_sets().hosted_zone_id(zone).change_batch(batch).send().await;
    sent.map(|answer| answer.change_info.unwrap().id).map_err(|error| {
        (error.code().unwrap_or_default().into(), error.message().unwrap_or_default().into())
    })
}

async fn refused(changes: Vec<(ChangeAction, ResourceRecordSet)>) -> (String, String) {
    let aws = zone(Settings::default()).await;
    let before = aws.records(ZONE);
    let refusal = change(&client(&aws).await, ZONE, changes).await.unwrap_err();
    assert_eq!(aws.records(ZONE), before, "a refused batch changes nothing");
    assert!(aws.changes().is_empty());
    refusal
}

#[tokio::test]
async fn weights_go_from_0_to_255() {
    let (code, message) = refused(vec![(ChangeAction::Upsert, record(NAME, BLUE, 256))]).await;
    assert_eq!(code, "InvalidInput");
    assert!(message.contains("less than or equal to 255"), "{message}");
    assert_eq!(refused(vec![(ChangeAction::Upsert, record(NAME, BLUE, -1))]).await.0, "InvalidInput");
}

#[tokio::test]
async fn a_batch_is_made_as_a_whole_or_not_at_all() {
    let (code, message) = refused(vec![
        (ChangeAction::Upsert, record(NAME, BLUE, 1)),
        (ChangeAction::Create, record(NAME, GREEN, 1)),
    ])
    .await;
    assert_eq!(code, "InvalidChangeBatch");
    assert!(message.contains("already exists") && message.contains(GREEN), "{message}");
}

#[tokio::test]
async fn deleting_names_every_value() {
    let (code, message) = refused(vec![(ChangeAction::Delete, record(NAME, BLUE, 99))]).await;
    assert_eq!(code, "InvalidChangeBatch");
    assert!(message.contains("do not match the current values"), "{message}");
    let (_, message) = refused(vec![(ChangeAction::Delete, record(NAME, "red", 99))]).await;
    assert!(message.contains("was not found"), "{message}");
}

#[tokio::test]
async fn one_name_is_routed_in_one_way() {
    let mut latency = record(NAME, "red", 0);
    latency.weight = None;
    latency.region = Some("eu-central-1".into());
    let (code, message) = refused(vec![(ChangeAction::Create, latency)]).await;
    assert_eq!(code, "InvalidChangeBatch");
    assert!(message.contains("another routing policy"), "{message}");
}

#[tokio::test]
async fn a_zone_takes_its_own_names_only() {
    let (code, message) = refused(vec![(ChangeAction::Create, record("api.example.com", BLUE, 1))]).await;
    assert_eq!(code, "InvalidChangeBatch");
    assert!(message.contains("is not permitted in zone mpac-cloud.com."), "{message}");
}

#[tokio::test]
async fn unknown_ids_are_told_from_known_ones() {
    let aws = zone(Settings::default()).await;
    let client = client(&aws).await;
    let refusal = change(&client, "ZNOWHERE", vec![(ChangeAction::Upsert, record(NAME, BLUE, 1))]).await;
    assert_eq!(refusal.unwrap_err().0, "NoSuchHostedZone");
    let unknown = client.get_change().id("C404").send().await.unwrap_err();
    assert_eq!(unknown.code(), Some("NoSuchChange"));
    assert_eq!(unknown.raw_response().map(|response| response.status().as_u16()), Some(404));
}

#[tokio::test]
async fn pending_turns_in_sync_by_itself() {
    let aws = zone(Settings::default().with_pending(Duration::from_millis(200))).await;
    let client = client(&aws).await;
    let id = change(&client, ZONE, vec![(ChangeAction::Upsert, record(NAME, BLUE, 1))]).await.unwrap();
    assert!(id.starts_with("/change/C"), "{id}");
    let status = async || client.get_change().id(&id).send().await.unwrap().change_info.unwrap().status;
    assert_eq!(status().await, ChangeStatus::Pending);
    tokio::time::sleep(Duration::from_millis(250)).await;
    assert_eq!(status().await, ChangeStatus::Insync);
}

#[tokio::test]
async fn an_account_has_a_limit() {
    let aws = zone(Settings::default().with_limit(1, 2)).await;
    let client = client(&aws).await;
    let mut codes = Vec::new();
    for _ in 0..3 {
        let list = client.list_resource_record_sets().hosted_zone_id(ZONE).send().await;
        codes.push(list.err().and_then(|error| error.code().map(str::to_owned)));
    }
    assert_eq!(codes, [None, None, Some("Throttling".into())]);
}

#[tokio::test]
async fn pages_lead_to_the_next_one() {
    let aws = zone(Settings::default()).await;
    let client = client(&aws).await;
    let first = client.list_resource_record_sets().hosted_zone_id(ZONE).max_items(1).send().await.unwrap();
    assert!(first.is_truncated);
    assert_eq!(first.next_record_identifier.as_deref(), Some(GREEN));
    let second = client
        .list_resource_record_sets()
        .hosted_zone_id(ZONE)
        .set_start_record_name(first.next_record_name)
        .set_start_record_type(first.next_record_type)
        .set_start_record_identifier(first.next_record_identifier)
        .send()
        .await
        .unwrap();
    let sets: Vec<_> =
        second.resource_record_sets.iter().map(|record| record.set_identifier.as_deref()).collect();
    assert_eq!(sets, [Some(GREEN)]);
    assert!(!second.is_truncated);
}

#[tokio::test]
async fn what_is_not_signed_is_refused() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let aws = zone(Settings::default()).await;
    let address = aws.endpoint_url().replace("http://", "");
    let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
    let request = format!(
        "GET /2013-04-01/hostedzone/{ZONE}/rrset HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert!(answer.contains("MissingAuthenticationToken"), "{answer}");
}
