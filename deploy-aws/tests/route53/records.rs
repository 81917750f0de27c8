//! Records that are no blue-green pair: each by its own error, and none is changed.

use mpac_deploy_aws::{RecordError, Route53Error};
use mpac_deploy_core::port::PortError;
use mpac_deploy_testkit::aws_sim::{RecordSet, ResourceRecord, ResourceRecords};

use crate::common::observed;
use crate::dual::{aaaa, dual};
use crate::rig::{BLUE, GREEN, NAME, Rig, ZONE, rig};

fn green() -> RecordSet {
    RecordSet::weighted_alias(NAME, GREEN, 0)
}

fn values() -> Option<ResourceRecords> {
    Some(ResourceRecords { records: vec![ResourceRecord { value: "192.0.2.1".into() }] })
}

/// The error of reading, which is that of a change, too; a change changes nothing.
async fn error(rig: &Rig) -> RecordError {
    let before = rig.aws.records(ZONE);
    let read = rig.traffic.weights().await.unwrap_err();
    assert_eq!(rig.forward(1, 95, 5).await, Err(read.clone()));
    assert!(rig.aws.changes().is_empty());
    assert_eq!(rig.aws.records(ZONE), before);
    let Route53Error::Record(error) = read else { panic!("{read:?}") };
    error
}

async fn with_green(record: RecordSet) -> RecordError {
    let rig = rig().await;
    rig.aws.put_record(ZONE, record);
    error(&rig).await
}

fn meaning(error: RecordError) -> PortError {
    Route53Error::from(error).into()
}

#[tokio::test]
async fn a_missing_record_is_not_found_and_the_rest_is_named() {
    let rig = rig().await;
    rig.aws.remove_record(ZONE, NAME, GREEN);
    let error = error(&rig).await;
    assert_eq!(
        error,
        RecordError::Missing {
            name: NAME.into(),
            kind: "A".into(),
            set: GREEN.into(),
            found: format!("A `{BLUE}`")
        }
    );
    assert!(matches!(meaning(error), PortError::NotFound(_)));
}

#[tokio::test]
async fn a_third_record_is_refused() {
    let rig = rig().await;
    rig.aws.put_record(ZONE, RecordSet::weighted_alias(NAME, "purple", 10));
    let error = error(&rig).await;
    assert_eq!(error, RecordError::Third { name: NAME.into(), third: "A `purple`".into() });
    assert!(matches!(meaning(error), PortError::Refused(_)));
}

#[tokio::test]
async fn a_third_record_is_found_behind_a_page_of_others() {
    let rig = rig().await;
    for kind in ["CAA", "HTTPS", "MX", "NS", "SPF", "SRV", "SSHFP", "SVCB", "TXT", "DS", "NAPTR"] {
        let record = RecordSet {
            kind: kind.into(),
            name: NAME.into(),
            ttl: Some(60),
            resource_records: values(),
            ..RecordSet::default()
        };
        rig.aws.put_record(ZONE, record);
    }
    assert_eq!(rig.traffic.weights().await, Ok(observed(100, 0)));
    // Sorted behind ten others, on a second page.
    for number in 0..9 {
        rig.aws.put_record(ZONE, RecordSet::weighted_alias(NAME, &format!("a{number}"), 0));
    }
    assert!(matches!(error(&rig).await, RecordError::Third { .. }));
}

#[tokio::test]
async fn half_a_pair_of_type_aaaa_is_no_pair() {
    let error = with_green(RecordSet { kind: "AAAA".into(), ..green() }).await;
    let RecordError::Missing { kind, set, .. } = &error else { panic!("{error}") };
    assert_eq!((kind.as_str(), set.as_str()), ("AAAA", BLUE));
}

#[tokio::test]
async fn another_record_of_type_aaaa_answers_clients_past_the_weights() {
    let simple = RecordSet { kind: "AAAA".into(), set_identifier: None, weight: None, ..green() };
    let error = with_green(simple).await;
    assert_eq!(error, RecordError::Third { name: NAME.into(), third: "AAAA `-`".into() });
}

#[tokio::test]
async fn a_health_check_on_a_record_of_type_aaaa_is_found_too() {
    let rig = dual(100, 0).await;
    let checked = RecordSet { health_check_id: Some("abc-1".into()), ..aaaa(GREEN, 0) };
    rig.aws.put_record(ZONE, checked);
    assert!(matches!(error(&rig).await, RecordError::HealthCheck { .. }));
}

#[tokio::test]
async fn records_of_other_names_and_types_do_not_matter() {
    let rig = rig().await;
    rig.aws.put_record(ZONE, RecordSet::weighted_alias("api2.mpac-cloud.com", "third", 1));
    rig.aws.put_record(ZONE, RecordSet::weighted_alias("a.api.mpac-cloud.com", "third", 1));
    rig.aws.put_record(
        ZONE,
        RecordSet {
            kind: "TXT".into(),
            name: NAME.into(),
            ttl: Some(60),
            resource_records: values(),
            ..RecordSet::default()
        },
    );
    assert_eq!(rig.traffic.weights().await, Ok(observed(100, 0)));
}

#[tokio::test]
async fn a_simple_record_has_no_weight() {
    let rig = rig().await;
    rig.aws.remove_record(ZONE, NAME, BLUE);
    rig.aws.remove_record(ZONE, NAME, GREEN);
    rig.aws.put_record(ZONE, RecordSet { set_identifier: None, weight: None, ..green() });
    let error = error(&rig).await;
    assert_eq!(error, RecordError::NotWeighted { name: NAME.into(), set: "-".into(), routing: "simple" });
    assert!(matches!(meaning(error), PortError::Refused(_)));
}

#[tokio::test]
async fn a_latency_record_has_no_weight() {
    let error = with_green(RecordSet { weight: None, region: Some("eu-central-1".into()), ..green() }).await;
    assert_eq!(error, RecordError::NotWeighted { name: NAME.into(), set: GREEN.into(), routing: "latency" });
}

#[tokio::test]
async fn a_failover_record_has_no_weight() {
    let error = with_green(RecordSet { weight: None, failover: Some("PRIMARY".into()), ..green() }).await;
    assert_eq!(error, RecordError::NotWeighted { name: NAME.into(), set: GREEN.into(), routing: "failover" });
}

#[tokio::test]
async fn a_multivalue_record_has_no_weight() {
    let error = with_green(RecordSet { weight: None, multi_value_answer: Some(true), ..green() }).await;
    assert_eq!(
        error,
        RecordError::NotWeighted { name: NAME.into(), set: GREEN.into(), routing: "multivalue" }
    );
}

#[tokio::test]
async fn a_record_with_addresses_is_not_an_alias() {
    let record = RecordSet { alias_target: None, ttl: Some(300), resource_records: values(), ..green() };
    let error = with_green(record).await;
    assert_eq!(error, RecordError::NotAlias { name: NAME.into(), set: GREEN.into() });
    assert!(matches!(meaning(error), PortError::Refused(_)));
}

#[tokio::test]
async fn a_health_check_moves_traffic_by_itself() {
    let error = with_green(RecordSet { health_check_id: Some("abc-1".into()), ..green() }).await;
    assert_eq!(
        error,
        RecordError::HealthCheck { name: NAME.into(), set: GREEN.into(), check: "abc-1".into() }
    );
    assert!(matches!(meaning(error), PortError::Refused(_)));
}

#[tokio::test]
async fn a_traffic_policy_owns_its_records() {
    let error = with_green(RecordSet { traffic_policy_instance_id: Some("tp-1".into()), ..green() }).await;
    assert!(matches!(&error, RecordError::TrafficPolicy { policy, .. } if policy == "tp-1"), "{error:?}");
}

#[tokio::test]
async fn a_weight_that_cannot_be_is_not_cut_to_size() {
    let error = with_green(RecordSet { weight: Some(256), ..green() }).await;
    assert_eq!(error, RecordError::Weight { name: NAME.into(), set: GREEN.into(), weight: 256 });
}
