//! The testkit's suite, in real time.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mpac_deploy_core::ids::{RecordName, RolloutId};
use mpac_deploy_core::port::{Inbox, Journal, JournalError};
use mpac_deploy_services::sqlite::SqliteJournal;
use mpac_deploy_testkit::conformance::{self, InboxFixture, JournalFixture};

use crate::{integrity, lease, open, records};

struct OfSqlite {
    journal: SqliteJournal,
    _directory: tempfile::TempDir,
}

#[async_trait]
impl JournalFixture for OfSqlite {
    fn journal(&self) -> &dyn Journal {
        &self.journal
    }

    async fn pass(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

impl InboxFixture for OfSqlite {
    fn inbox(&self) -> &dyn Inbox {
        &self.journal
    }
}

async fn of_sqlite() -> OfSqlite {
    let directory = tempfile::tempdir().unwrap();
    OfSqlite { journal: open(&directory.path().join("journal.db")).await, _directory: directory }
}

#[tokio::test]
async fn it_keeps_the_contract_of_a_journal() {
    let report = conformance::journal(of_sqlite).await;
    assert!(report.is_ok() && !report.cases.is_empty(), "{report}");
}

#[tokio::test]
async fn it_keeps_the_contract_of_an_inbox() {
    let report = conformance::inbox(of_sqlite).await;
    assert!(report.is_ok() && !report.cases.is_empty(), "{report}");
}

#[tokio::test]
async fn what_was_stored_is_there_when_it_is_opened_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let (rollout, all) = (RolloutId::from("r"), records(&RolloutId::from("r"), 3));
    let first = open(&path).await;
    let held = lease(&first).await;
    first.append(&held, &rollout, 0, &all).await.unwrap();
    drop(first);
    let again = open(&path).await;
    assert_eq!(again.load(&rollout, 0).await.unwrap(), all);
    let other = again.acquire(&RecordName::from("api.example.com"), "other", Duration::from_secs(1)).await;
    assert!(matches!(other, Err(JournalError::Held { by, .. }) if by == "tests"));
}

/// Many writes at once share a transaction; each one is refused or made by itself.
#[tokio::test(flavor = "multi_thread")]
async fn writes_at_once_do_not_disturb_one_another() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let journal = Arc::new(open(&path).await);
    let held = lease(&journal).await;
    let write = |number: u64| {
        let (journal, held) = (Arc::clone(&journal), held.clone());
        tokio::spawn(async move {
            let rollout = RolloutId::new(format!("r{number}"));
            let all = records(&rollout, 3);
            // Every third one has nothing to stand on.
            let expected = u64::from(number.is_multiple_of(3));
            (number, journal.append(&held, &rollout, expected, &all).await)
        })
    };
    let writes: Vec<_> = (1..=300).map(write).collect();
    for write in writes {
        let (number, result) = write.await.unwrap();
        let is_refused = matches!(result, Err(JournalError::Conflict { expected: 1, found: 0 }));
        assert_eq!(is_refused, number.is_multiple_of(3), "{number}: {result:?}");
        let stored = journal.load(&RolloutId::new(format!("r{number}")), 0).await.unwrap().len();
        assert_eq!(stored, if is_refused { 0 } else { 3 });
    }
    assert_eq!(journal.list().await.unwrap().len(), 200);
    assert_eq!(integrity(&path), "ok");
}
