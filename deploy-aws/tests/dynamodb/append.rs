//! Appending: how often the table is called, and what is stored when calls fail.

use mpac_deploy_core::ids::{RecordName, RolloutId};
use mpac_deploy_core::journal::Record;
use mpac_deploy_core::port::{Journal, JournalError};
use mpac_deploy_testkit::aws_sim::{CallFault, Operation};

use crate::records::{TTL, happened, record, records, rollout};
use crate::rig::{Rig, TABLE, rig};

async fn append_one_by_one(rig: &Rig, records: &[Record]) {
    let lease = rig.journal.acquire(&record(), "first", TTL).await.unwrap();
    for (stored, record) in (0..).zip(records) {
        rig.journal.append(&lease, &rollout(), stored, std::slice::from_ref(record)).await.unwrap();
    }
}

#[tokio::test]
async fn most_appends_are_one_call() {
    let rig = rig().await;
    let records = records(200, 150);
    append_one_by_one(&rig, &records).await;
    assert_eq!(rig.journal.load(&rollout(), 0).await, Ok(records));
    let appends = rig.operations().iter().filter(|call| **call == Operation::UpdateItem).count();
    // Beside the appends: a lease, three items that announce the rollout, and a copy of the tail now and then.
    assert!((200..260).contains(&appends), "{appends}");
    let reads = rig.operations().iter().filter(|call| **call == Operation::GetItem).count();
    assert!(reads <= 5, "a holder knows what it has written: {reads}");
}

#[tokio::test]
async fn no_item_grows_with_the_rollout() {
    let rig = rig().await;
    append_one_by_one(&rig, &records(300, 300)).await;
    let largest = rig.aws.items(TABLE).iter().map(|item| format!("{item:?}").len()).max();
    assert!(largest.unwrap() < 16 * 1024, "{largest:?}");
}

#[tokio::test]
async fn many_records_are_loaded_by_pages() {
    let rig = rig().await;
    let records = records(200, 20_000);
    let lease = rig.journal.acquire(&record(), "first", TTL).await.unwrap();
    for (number, chunk) in (0..).zip(records.chunks(10)) {
        rig.journal.append(&lease, &rollout(), number * 10, chunk).await.unwrap();
    }
    let before = rig.operations().len();
    assert_eq!(rig.another().await.load(&rollout(), 0).await, Ok(records));
    let pages = rig.operations().split_off(before).iter().filter(|call| **call == Operation::Query).count();
    assert!(pages > 2, "{pages}");
}

#[tokio::test]
async fn records_after_any_number_are_loaded_without_the_ones_before() {
    let rig = rig().await;
    let records = records(120, 300);
    append_one_by_one(&rig, &records).await;
    for after in 0..=records.len() {
        let before = rig.operations().len();
        let found = rig.journal.load(&rollout(), after as u64).await;
        assert_eq!(found.as_deref(), Ok(&records[after..]), "after {after}");
        assert!(rig.operations().len() - before <= 4, "after {after}");
    }
    assert_eq!(rig.journal.load(&rollout(), 500).await, Ok(Vec::new()));
}

#[tokio::test]
async fn a_call_that_is_throttled_or_cut_is_made_again() {
    for fault in [
        CallFault::Throttle,
        CallFault::ServerError,
        CallFault::CutBefore,
        CallFault::CutAfter,
        CallFault::Refuse {
            status: 400,
            code: "ProvisionedThroughputExceededException".into(),
            message: "The level of configured provisioned throughput for the table was exceeded.".into(),
        },
    ] {
        let rig = rig().await;
        let records = records(5, 10);
        let lease = rig.journal.acquire(&record(), "first", TTL).await.unwrap();
        for (stored, record) in (0..).zip(&records) {
            rig.aws.script(Operation::UpdateItem, [fault.clone()]);
            rig.aws.script(Operation::GetItem, [fault.clone()]);
            let appended = rig.journal.append(&lease, &rollout(), stored, std::slice::from_ref(record)).await;
            assert_eq!(appended, Ok(()), "{fault:?}");
        }
        assert_eq!(rig.journal.load(&rollout(), 0).await.as_ref(), Ok(&records), "{fault:?}");
    }
}

#[tokio::test]
async fn a_table_that_is_away_for_longer_is_unavailable_and_the_same_append_succeeds_later() {
    let rig = rig().await;
    let records = records(6, 10);
    let lease = rig.journal.acquire(&record(), "first", TTL).await.unwrap();
    rig.journal.append(&lease, &rollout(), 0, &records[..2]).await.unwrap();
    rig.aws.script(Operation::UpdateItem, [CallFault::CutAfter]);
    rig.aws.script(Operation::UpdateItem, vec![CallFault::CutBefore; 8]);
    let append = rig.journal.append(&lease, &rollout(), 2, &records[2..4]).await;
    assert!(matches!(append, Err(JournalError::Unavailable(_))), "{append:?}");
    // The first attempt took effect, and nobody knows. More has happened since.
    rig.aws.clear_faults();
    assert_eq!(rig.journal.append(&lease, &rollout(), 2, &records[2..]).await, Ok(()));
    assert_eq!(rig.journal.load(&rollout(), 0).await, Ok(records));
}

#[tokio::test]
async fn a_missing_permission_is_said_at_once() {
    let rig = rig().await;
    rig.aws.script(Operation::GetItem, [CallFault::access_denied()]);
    let refused = rig.journal.acquire(&record(), "first", TTL).await;
    assert!(
        matches!(&refused, Err(JournalError::Unavailable(why)) if why.contains("not allowed")),
        "{refused:?}"
    );
    assert_eq!(rig.operations().len(), 1);
}

#[tokio::test]
async fn a_rollout_goes_on_after_others_of_the_same_record() {
    let rig = rig().await;
    let (ours, theirs) = (records(30, 400), records(3, 10));
    append_one_by_one(&rig, &ours[..20]).await;
    let other = RolloutId::from("another");
    let lease = rig.journal.acquire(&record(), "first", TTL).await.unwrap();
    rig.journal.append(&lease, &other, 0, &theirs).await.unwrap();
    rig.journal.append(&lease, &rollout(), 20, &ours[20..]).await.unwrap();
    assert_eq!(rig.journal.load(&rollout(), 0).await, Ok(ours));
    assert_eq!(rig.journal.load(&other, 0).await, Ok(theirs));
}

#[tokio::test]
async fn a_rollout_belongs_to_one_record_name() {
    let rig = rig().await;
    append_one_by_one(&rig, &records(2, 10)).await;
    let elsewhere = RecordName::from("www.mpac-cloud.com");
    let lease = rig.journal.acquire(&elsewhere, "second", TTL).await.unwrap();
    for expected in [0, 2] {
        let refused = rig.journal.append(&lease, &rollout(), expected, &[happened(3, "there")]).await;
        assert!(
            matches!(&refused, Err(JournalError::Damaged(why)) if why.contains("another record name")),
            "{refused:?}"
        );
    }
    assert_eq!(rig.journal.load(&rollout(), 0).await.map(|records| records.len()), Ok(2));
}

#[tokio::test]
async fn records_that_were_taken_out_by_hand_are_missed() {
    let rig = rig().await;
    append_one_by_one(&rig, &records(100, 400)).await;
    let batch = rig.aws.items(TABLE).into_iter().find(|item| {
        item["sk"].text().is_some_and(|sort| sort.starts_with("records#")) && item["first"].whole() > Some(1)
    });
    let batch = batch.unwrap();
    rig.aws.remove_item(TABLE, &batch);
    let load = rig.journal.load(&rollout(), 0).await;
    assert!(
        matches!(&load, Err(JournalError::Damaged(why)) if why.contains("has no records from")),
        "{load:?}"
    );
}

/// The table was away for hours, and everything is stored at once: more than an item holds, and still all of it or nothing.
#[tokio::test]
async fn an_append_that_is_larger_than_an_item_is_stored_whole() {
    let rig = rig().await;
    let all = records(1000, 1000);
    append_one_by_one(&rig, &all[..3]).await;
    let lease = rig.journal.acquire(&record(), "first", 100 * TTL).await.unwrap();
    rig.journal.append(&lease, &rollout(), 3, &all[3..]).await.unwrap();
    assert_eq!(rig.another().await.load(&rollout(), 0).await.as_ref(), Ok(&all));

    let more: Vec<Record> = (1001..=1100).map(|number| happened(number, "later")).collect();
    for (stored, one) in (1000..).zip(&more) {
        rig.journal.append(&lease, &rollout(), stored, std::slice::from_ref(one)).await.unwrap();
    }
    assert_eq!(rig.another().await.load(&rollout(), 0).await, Ok([all, more].concat()));
    let parts =
        rig.aws.items(TABLE).iter().filter(|item| item["sk"].text().unwrap().starts_with("part#")).count();
    assert_eq!(parts, 0, "what is referred to no more is deleted");
}

#[tokio::test]
async fn of_a_large_append_that_breaks_off_nothing_is_stored_and_it_can_be_made_again() {
    for fault in [CallFault::CutBefore, CallFault::CutAfter] {
        for write in 0..6 {
            let rig = rig().await;
            let all = records(300, 2000);
            let lease = rig.journal.acquire(&record(), "first", 100 * TTL).await.unwrap();
            rig.journal.append(&lease, &rollout(), 0, &all[..3]).await.unwrap();
            rig.aws.script(Operation::UpdateItem, vec![CallFault::Pass; write]);
            rig.aws.script(Operation::UpdateItem, [fault.clone()]);
            rig.aws.script(Operation::UpdateItem, vec![CallFault::CutBefore; 10]);
            let broken = rig.journal.append(&lease, &rollout(), 3, &all[3..280]).await;
            rig.aws.clear_faults();
            let stored = rig.another().await.load(&rollout(), 0).await.unwrap().len();
            assert!(stored == 3 || stored == 280, "write {write}: {stored}");
            assert!(broken.is_err() || stored == 280, "write {write}: {stored}");
            // Meanwhile more has happened.
            rig.journal.append(&lease, &rollout(), 3, &all[3..]).await.unwrap();
            assert_eq!(rig.another().await.load(&rollout(), 0).await, Ok(all), "write {write}, {fault:?}");
        }
    }
}
