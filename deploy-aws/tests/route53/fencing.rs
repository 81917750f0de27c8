//! Two processes, each with its own adapter, on one pair of records.

use std::time::Duration;

use mpac_deploy_aws::{Quota, Route53Error, Route53Traffic};
use mpac_deploy_core::effect::Direction;
use mpac_deploy_core::ids::FencingToken;
use mpac_deploy_testkit::aws_sim::{
    CallFault, Operation, RecordSet, ResourceRecord, ResourceRecords, Settings,
};
use mpac_deploy_testkit::conformance;

use crate::common::{effect, weights};
use crate::rig::{Rig, ZONE, config, sdk, zone};

const MARKER: &str = "_mpac-deploy.api.mpac-cloud.com";

async fn adapter(rig: &Rig) -> Route53Traffic {
    Route53Traffic::new(&sdk(&rig.aws).await, &Quota::route53(), config().with_fence_record(MARKER))
}

async fn fenced() -> Rig {
    let aws = zone(Settings::default()).await;
    let config = config().with_fence_record(MARKER);
    let traffic = Route53Traffic::new(&sdk(&aws).await, &Quota::route53(), config);
    Rig { aws, traffic }
}

fn marker(rig: &Rig) -> Option<String> {
    let records = rig.aws.records(ZONE).into_iter();
    let marker = records.filter(|record| record.kind == "TXT").find_map(|record| record.resource_records);
    marker.map(|values| values.records[0].value.clone())
}

async fn set(
    traffic: &Route53Traffic,
    id: u64,
    fence: u64,
    (blue, green): (u8, u8),
    direction: Direction,
) -> Result<(), Route53Error> {
    traffic.set_weights(&effect(id), FencingToken(fence), weights(blue, green), direction).await
}

#[tokio::test]
async fn the_contract_is_kept_with_a_fence_record_too() {
    let report = conformance::traffic(fenced).await;
    assert!(report.is_ok(), "{report}");
}

#[tokio::test]
async fn the_token_is_written_with_the_weights() {
    let rig = fenced().await;
    rig.forward(1, 95, 5).await.unwrap();
    rig.forward(2, 50, 50).await.unwrap();
    assert_eq!(marker(&rig).as_deref(), Some("\"fence=1\""));
    assert_eq!(rig.aws.changes().iter().map(|change| change.changes.len()).collect::<Vec<_>>(), [3, 4]);
    assert_eq!(rig.in_zone(), (Some(50), Some(50)));
}

#[tokio::test]
async fn whoever_wakes_up_after_its_lease_went_to_another_process_has_no_effect() {
    let rig = fenced().await;
    let other = adapter(&rig).await;
    set(&rig.traffic, 1, 1, (95, 5), Direction::Forward).await.unwrap();
    set(&other, 2, 2, (50, 50), Direction::Forward).await.unwrap();
    for direction in [Direction::Forward, Direction::Back] {
        let late = set(&rig.traffic, 3, 1, (100, 0), direction).await;
        assert_eq!(late, Err(Route53Error::Fenced { fence: FencingToken(1), seen: FencingToken(2) }));
    }
    assert_eq!(rig.in_zone(), (Some(50), Some(50)));
}

#[tokio::test]
async fn a_change_that_was_overtaken_between_reading_and_writing_is_refused() {
    let rig = fenced().await;
    let other = adapter(&rig).await;
    set(&rig.traffic, 1, 1, (95, 5), Direction::Forward).await.unwrap();
    // The old holder has read everything and is stopped before it writes.
    rig.aws.script(Operation::ListResourceRecordSets, [CallFault::Delay(Duration::from_millis(300))]);
    let overtaking = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        set(&other, 3, 2, (50, 50), Direction::Forward).await
    };
    let (old, new) = tokio::join!(set(&rig.traffic, 2, 1, (0, 100), Direction::Forward), overtaking);
    new.unwrap();
    assert_eq!(old, Err(Route53Error::Fenced { fence: FencingToken(1), seen: FencingToken(2) }));
    assert_eq!(rig.in_zone(), (Some(50), Some(50)));
}

#[tokio::test]
async fn the_next_holder_goes_on_and_a_lost_answer_does_no_harm() {
    let rig = fenced().await;
    set(&rig.traffic, 1, 1, (95, 5), Direction::Forward).await.unwrap();
    let next = adapter(&rig).await;
    rig.aws.script(Operation::ChangeResourceRecordSets, [CallFault::CutAfter]);
    assert!(set(&next, 2, 2, (50, 50), Direction::Forward).await.is_err());
    set(&next, 2, 2, (50, 50), Direction::Forward).await.unwrap();
    assert_eq!((rig.in_zone(), marker(&rig).as_deref()), ((Some(50), Some(50)), Some("\"fence=2\"")));
}

#[tokio::test]
async fn a_damaged_or_missing_marker_stops_no_rollback() {
    let rig = fenced().await;
    rig.forward(1, 50, 50).await.unwrap();
    let values = Some(ResourceRecords { records: vec![ResourceRecord { value: "\"what is this\"".into() }] });
    let damaged = RecordSet {
        name: MARKER.into(),
        kind: "TXT".into(),
        ttl: Some(5),
        resource_records: values,
        ..RecordSet::default()
    };
    rig.aws.put_record(ZONE, damaged);
    rig.back(2).await.unwrap();
    assert_eq!((rig.in_zone(), marker(&rig).as_deref()), ((Some(100), Some(0)), Some("\"fence=1\"")));
}

#[tokio::test]
async fn a_rollback_is_one_call_with_a_fence_record_too() {
    let rig = fenced().await;
    rig.forward(1, 50, 50).await.unwrap();
    let before = rig.operations().len();
    rig.back(2).await.unwrap();
    assert_eq!(rig.operations().split_off(before), [Operation::ChangeResourceRecordSets]);
}
