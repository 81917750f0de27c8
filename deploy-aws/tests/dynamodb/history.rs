//! Which rollouts there are, by service and time.

use std::time::Duration;

use mpac_deploy_aws::HistoryQuery;
use mpac_deploy_core::ids::{RecordName, RolloutId};
use mpac_deploy_core::journal::{RECORD_VERSION, Record};
use mpac_deploy_core::port::{History, Journal, JournalError};
use mpac_deploy_core::time::Timestamp;
use mpac_deploy_testkit::aws_sim::{CallFault, Operation};
use mpac_deploy_testkit::world::epoch;

use crate::records::{TTL, begun, record, records, rollout};
use crate::rig::{Rig, rig};

fn hour(hours: u64) -> Timestamp {
    epoch().after(Duration::from_secs(3600 * hours))
}

async fn roll_out(rig: &Rig, service: &str, hours: u64) -> RolloutId {
    let rollout = RolloutId::new(format!("{service}-{hours}"));
    let name = RecordName::new(format!("{service}.mpac-cloud.com"));
    let lease = rig.journal.acquire(&name, "test", TTL).await.unwrap();
    rig.journal.append(&lease, &rollout, 0, &[begun(&rollout, service, hour(hours))]).await.unwrap();
    rig.journal.release(&lease).await.unwrap();
    rollout
}

async fn found(rig: &Rig, query: HistoryQuery) -> Vec<String> {
    let entries = rig.journal.history(&query).await.unwrap();
    entries.iter().map(|entry| entry.rollout.to_string()).collect()
}

#[tokio::test]
async fn rollouts_are_found_by_service_and_time_the_latest_first() {
    let rig = rig().await;
    for hours in [1, 3, 2, 10] {
        roll_out(&rig, "svc-portal", hours).await;
    }
    roll_out(&rig, "svc-portal#2", 4).await;
    assert_eq!(
        found(&rig, HistoryQuery::of("svc-portal")).await,
        ["svc-portal-10", "svc-portal-3", "svc-portal-2", "svc-portal-1"]
    );
    let between = HistoryQuery::of("svc-portal").between(hour(2), hour(3));
    assert_eq!(found(&rig, between).await, ["svc-portal-3", "svc-portal-2"]);
    assert_eq!(
        found(&rig, HistoryQuery::of("svc-portal").latest(2)).await,
        ["svc-portal-10", "svc-portal-3"]
    );
    assert_eq!(found(&rig, HistoryQuery::of("svc-portal#2")).await, ["svc-portal#2-4"]);
    assert_eq!(found(&rig, HistoryQuery::of("svc")).await, Vec::<String>::new());
    let entry = rig.journal.history(&HistoryQuery::of("svc-portal").latest(1)).await.unwrap().remove(0);
    assert_eq!((entry.began, entry.record.as_str()), (hour(10), "svc-portal.mpac-cloud.com"));
}

/// A process announces its rollout and dies before the first record is stored.
async fn announced_only(rig: &Rig, rollout: &RolloutId, hours: u64) {
    let lease = rig.journal.acquire(&record(), "dies", TTL).await.unwrap();
    rig.aws.script(Operation::UpdateItem, [CallFault::Pass, CallFault::Pass]);
    rig.aws.script(Operation::UpdateItem, vec![CallFault::CutBefore; 20]);
    let first = [begun(rollout, "svc-portal", hour(hours))];
    assert!(rig.journal.append(&lease, rollout, 0, &first).await.is_err());
    rig.aws.clear_faults();
    assert_eq!(rig.journal.load(rollout, 0).await, Ok(Vec::new()));
}

#[tokio::test]
async fn a_rollout_that_never_began_is_in_no_list() {
    let rig = rig().await;
    announced_only(&rig, &RolloutId::from("ghost"), 1).await;
    let real = roll_out(&rig, "svc-portal", 2).await;
    assert_eq!(rig.journal.list().await, Ok(vec![real.clone()]));
    for limit in [1, 2, usize::MAX] {
        assert_eq!(found(&rig, HistoryQuery::of("svc-portal").latest(limit)).await, [real.as_str()]);
    }
}

#[tokio::test]
async fn a_rollout_that_began_at_the_second_attempt_is_listed_once() {
    let rig = rig().await;
    let rollout = RolloutId::from("twice");
    announced_only(&rig, &rollout, 1).await;
    let lease = rig.journal.acquire(&record(), "dies", TTL).await.unwrap();
    let first = [begun(&rollout, "svc-portal", hour(2))];
    rig.journal.append(&lease, &rollout, 0, &first).await.unwrap();
    assert_eq!(rig.journal.list().await, Ok(vec![rollout.clone()]));
    let entries = rig.journal.history(&HistoryQuery::of("svc-portal")).await.unwrap();
    assert_eq!(entries.iter().map(|entry| entry.began).collect::<Vec<_>>(), [hour(2)]);
}

#[tokio::test]
async fn a_rollout_is_listed_even_if_the_note_of_its_first_record_was_lost() {
    let rig = rig().await;
    let rollout = RolloutId::from("unnoted");
    let lease = rig.journal.acquire(&record(), "first", TTL).await.unwrap();
    let faults = [CallFault::Pass, CallFault::Pass, CallFault::Pass, CallFault::CutBefore];
    rig.aws.script(Operation::UpdateItem, faults);
    let first = [begun(&rollout, "svc-portal", hour(1))];
    rig.journal.append(&lease, &rollout, 0, &first).await.unwrap();
    assert_eq!(rig.journal.list().await, Ok(vec![rollout.clone()]));
    assert_eq!(found(&rig, HistoryQuery::of("svc-portal")).await, [rollout.as_str()]);
}

#[tokio::test]
async fn rollouts_are_summed_up_the_oldest_first() {
    let rig = rig().await;
    roll_out(&rig, "svc-smarttab", 2).await;
    let all = records(40, 300);
    let lease = rig.journal.acquire(&record(), "first", TTL).await.unwrap();
    rig.journal.append(&lease, &rollout(), 0, &all).await.unwrap();
    // Another rollout of the same record pushes the records of this one out of the head.
    let other = RolloutId::from("other");
    rig.journal.append(&lease, &other, 0, &[begun(&other, "svc-portal", hour(3))]).await.unwrap();
    let found = rig.another().await.rollouts().await.unwrap();
    let shown: Vec<_> = found
        .iter()
        .map(|one| (one.id.as_str(), one.release.service.as_str(), one.begun, one.latest, one.records))
        .collect();
    assert_eq!(
        shown,
        [
            (rollout().as_str(), "svc-portal", epoch(), all[39].at, 40),
            ("svc-smarttab-2", "svc-smarttab", hour(2), hour(2), 1),
            ("other", "svc-portal", hour(3), hour(3), 1),
        ]
    );
}

#[tokio::test]
async fn a_record_of_a_later_version_is_not_guessed_at() {
    let rig = rig().await;
    let newer = Record { version: RECORD_VERSION + 1, ..begun(&rollout(), "svc-portal", epoch()) };
    let lease = rig.journal.acquire(&record(), "first", TTL).await.unwrap();
    rig.journal.append(&lease, &rollout(), 0, &[newer]).await.unwrap();
    let load = rig.journal.load(&rollout(), 0).await;
    assert!(matches!(&load, Err(JournalError::Newer(why)) if why.contains("record 1")), "{load:?}");
}
