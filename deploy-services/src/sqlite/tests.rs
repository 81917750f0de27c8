//! What only a test that reaches the connection can bring about.

use std::time::Duration;

use mpac_deploy_core::ids::{RecordName, RolloutId};
use mpac_deploy_core::journal::Record;
use mpac_deploy_core::machine::{Event, Rollout};
use mpac_deploy_core::policy::mpac;
use mpac_deploy_core::port::{Journal, JournalError};
use mpac_deploy_testkit::scenario::release;
use mpac_deploy_testkit::world::epoch;

use super::SqliteJournal;

fn records(rollout: &RolloutId, count: u64) -> Vec<Record> {
    let plan = mpac().compile(release()).unwrap();
    let (begun, effects) = Rollout::begin(rollout.clone(), plan, epoch());
    let later = (2..=count).map(|number| Record::happened(number, epoch(), Event::Tick, Vec::new()));
    std::iter::once(Record::begun(&begun, effects.decisions)).chain(later).collect()
}

/// Lets the file have so many pages more, or any number.
async fn leave_pages(journal: &SqliteJournal, left: Option<i64>) {
    let limit = move |connection: &rusqlite::Connection| {
        let count: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
        let limit = left.map_or(i64::from(i32::MAX), |left| count + left);
        connection.query_row(&format!("PRAGMA max_page_count = {limit}"), [], |_| Ok(())).unwrap();
        Ok(())
    };
    journal.worker.read(limit).await.unwrap();
}

#[tokio::test]
async fn a_full_disk_stores_nothing_of_it_loses_nothing_and_is_tried_again() {
    let directory = tempfile::tempdir().unwrap();
    let journal = SqliteJournal::open(directory.path().join("journal.db")).await.unwrap();
    let rollout = RolloutId::from("r");
    let record = RecordName::from("api.example.com");
    let lease = journal.acquire(&record, "tests", Duration::from_secs(60)).await.unwrap();
    let all = records(&rollout, 500);
    journal.append(&lease, &rollout, 0, &all[..10]).await.unwrap();
    leave_pages(&journal, Some(1)).await;
    let full = journal.append(&lease, &rollout, 10, &all[10..]).await;
    let Err(JournalError::Unavailable(why)) = full else { panic!("{full:?}") };
    assert!(
        why.contains("is full") && why.contains("journal.db") && why.contains("Free some space"),
        "{why}"
    );
    assert_eq!(journal.load(&rollout, 0).await.unwrap(), &all[..10]);
    leave_pages(&journal, None).await;
    journal.append(&lease, &rollout, 10, &all[10..]).await.unwrap();
    assert_eq!(journal.load(&rollout, 0).await.unwrap(), all);
}

/// Those that share its transaction are stored all the same, or told.
#[tokio::test]
async fn a_write_that_does_not_fit_takes_no_other_one_with_it() {
    let directory = tempfile::tempdir().unwrap();
    let journal = SqliteJournal::open(directory.path().join("journal.db")).await.unwrap();
    let record = RecordName::from("api.example.com");
    let lease = journal.acquire(&record, "tests", Duration::from_secs(60)).await.unwrap();
    let ids = ["small", "large", "other"].map(RolloutId::from);
    let [small, large, other] = [(&ids[0], 2), (&ids[1], 2000), (&ids[2], 2)].map(|(id, n)| records(id, n));
    journal
        .append(&lease, &RolloutId::from("first"), 0, &records(&RolloutId::from("first"), 2))
        .await
        .unwrap();
    leave_pages(&journal, Some(12)).await;
    let (first, second, third) = tokio::join!(
        journal.append(&lease, &ids[0], 0, &small),
        journal.append(&lease, &ids[1], 0, &large),
        journal.append(&lease, &ids[2], 0, &other),
    );
    assert!(matches!(second, Err(JournalError::Unavailable(_))), "{second:?}");
    for (id, result, records) in
        [(&ids[0], first, &small), (&ids[1], second, &large), (&ids[2], third, &other)]
    {
        let stored = journal.load(id, 0).await.unwrap();
        assert_eq!(stored, if result.is_ok() { records.as_slice() } else { &[] }, "{id}: {result:?}");
    }
}
