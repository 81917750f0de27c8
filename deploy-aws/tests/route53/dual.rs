//! A name with addresses of both kinds: A and AAAA records move together.

use mpac_deploy_aws::{RecordError, Route53Error};
use mpac_deploy_core::ids::RecordName;
use mpac_deploy_core::port::{PortError, Traffic};
use mpac_deploy_testkit::aws_sim::{CallFault, ChangeAction, Operation, RecordSet};

use crate::common::{effect, observed};
use crate::restart::restarted;
use crate::rig::{BLUE, GREEN, NAME, Rig, ZONE, rig};

pub(crate) fn aaaa(set: &str, weight: i64) -> RecordSet {
    RecordSet { kind: "AAAA".into(), ..RecordSet::weighted_alias(NAME, set, weight) }
}

/// Blue 100, green 0 for A; these weights for AAAA.
pub(crate) async fn dual(blue: i64, green: i64) -> Rig {
    let rig = rig().await;
    ipv6_by_hand(&rig, blue, green);
    rig
}

fn ipv6_by_hand(rig: &Rig, blue: i64, green: i64) {
    rig.aws.put_record(ZONE, aaaa(BLUE, blue));
    rig.aws.put_record(ZONE, aaaa(GREEN, green));
}

/// Every weight in the zone, by type and set.
fn in_zone(rig: &Rig) -> Vec<(String, String, i64)> {
    let records = rig.aws.records(ZONE).into_iter();
    records.map(|record| (record.kind, record.set_identifier.unwrap(), record.weight.unwrap())).collect()
}

fn all(blue: i64, green: i64) -> Vec<(String, String, i64)> {
    let of =
        |kind: &str| [(kind.to_owned(), BLUE.to_owned(), blue), (kind.to_owned(), GREEN.to_owned(), green)];
    of("A").into_iter().chain(of("AAAA")).collect()
}

#[tokio::test]
async fn all_four_records_move_in_one_batch() {
    let rig = dual(100, 0).await;
    assert_eq!(rig.traffic.weights().await, Ok(observed(100, 0)));
    rig.forward(1, 95, 5).await.unwrap();
    assert_eq!(in_zone(&rig), all(95, 5));
    rig.back(2).await.unwrap();
    assert_eq!(in_zone(&rig), all(100, 0));
    let sizes: Vec<_> = rig.aws.changes().iter().map(|change| change.changes.len()).collect();
    assert_eq!(sizes, [4, 4]);
}

#[tokio::test]
async fn everything_but_the_weight_stays_as_it_was() {
    let rig = dual(100, 0).await;
    let mut odd = aaaa(GREEN, 0);
    odd.alias_target.as_mut().unwrap().evaluate_target_health = false;
    rig.aws.put_record(ZONE, odd.clone());
    rig.forward(1, 95, 5).await.unwrap();
    let found =
        rig.aws.records(ZONE).into_iter().find(|record| record.kind == "AAAA" && record.weight == Some(5));
    assert_eq!(found.unwrap().alias_target, odd.alias_target);
}

#[tokio::test]
async fn types_with_different_weights_are_no_pair_to_begin_with() {
    let rig = dual(50, 50).await;
    let split = RecordError::Split { name: NAME.into(), ipv4: observed(100, 0), ipv6: observed(50, 50) };
    assert_eq!(rig.traffic.weights().await, Err(split.clone().into()));
    assert_eq!(rig.forward(1, 95, 5).await, Err(split.clone().into()));
    let read = rig.traffic.read(&RecordName::from(NAME)).await;
    assert_eq!(read, Err(PortError::from(Route53Error::from(split))));
    assert!(matches!(read, Err(PortError::Refused(_))));
    assert!(rig.aws.changes().is_empty());
}

#[tokio::test]
async fn a_type_that_somebody_else_has_moved_is_seen_as_weights_of_somebody_else() {
    let rig = dual(100, 0).await;
    rig.forward(1, 95, 5).await.unwrap();
    ipv6_by_hand(&rig, 0, 100);
    let name = RecordName::from(NAME);
    assert_eq!(rig.traffic.read(&name).await, Ok(observed(0, 100)));
    assert!(matches!(rig.forward(2, 50, 50).await, Err(Route53Error::Record(RecordError::Split { .. }))));
}

#[tokio::test]
async fn a_rollback_takes_both_types_back_whatever_they_are() {
    let rig = dual(100, 0).await;
    rig.forward(1, 95, 5).await.unwrap();
    ipv6_by_hand(&rig, 0, 100);
    // Without a copy it reads the difference, and goes ahead all the same.
    let rig = restarted(rig).await;
    rig.back(2).await.unwrap();
    assert_eq!(in_zone(&rig), all(100, 0));
}

#[tokio::test]
async fn a_batch_is_taken_whole_or_not_at_all() {
    let rig = dual(100, 0).await;
    rig.aws.script(Operation::ChangeResourceRecordSets, [CallFault::CutBefore]);
    assert!(rig.forward(1, 95, 5).await.is_err());
    assert_eq!(in_zone(&rig), all(100, 0));
}

#[tokio::test]
async fn a_change_from_before_a_restart_is_confirmed_with_all_four_records() {
    let rig = dual(100, 0).await;
    rig.forward(4, 95, 5).await.unwrap();
    let rig = restarted(rig).await;
    assert!(!rig.traffic.is_in_sync(&effect(4)).await.unwrap());
    let repeat = &rig.aws.changes()[1].changes;
    let deleted = repeat.iter().filter(|(action, _)| *action == ChangeAction::Delete).count();
    assert_eq!((repeat.len(), deleted), (8, 4));
    assert_eq!(in_zone(&rig), all(95, 5));
}
