//! The journal in SQLite: its contract, several processes, and files that are not as they should be.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, outside a test function")]

mod contract;
mod files;
mod history;
#[cfg(target_os = "linux")]
mod processes;

use std::path::Path;
use std::time::Duration;

use mpac_deploy_core::ids::{RecordName, RolloutId};
use mpac_deploy_core::journal::Record;
use mpac_deploy_core::machine::{Event, Rollout};
use mpac_deploy_core::policy::mpac;
use mpac_deploy_core::port::{Journal, Lease};
use mpac_deploy_services::sqlite::SqliteJournal;
use mpac_deploy_testkit::scenario::release;
use mpac_deploy_testkit::world::epoch;

/// The first records of a rollout: its beginning, and then the time going by.
fn records(rollout: &RolloutId, count: u64) -> Vec<Record> {
    let plan = mpac().compile(release()).unwrap();
    let (begun, effects) = Rollout::begin(rollout.clone(), plan, epoch());
    let first = Record::begun(&begun, effects.decisions);
    let later = (2..=count).map(|number| {
        let at = epoch().after(Duration::from_secs(number));
        Record::happened(number, at, Event::Tick, Vec::new())
    });
    std::iter::once(first).chain(later).collect()
}

async fn open(path: &Path) -> SqliteJournal {
    SqliteJournal::open(path).await.unwrap()
}

async fn lease(journal: &SqliteJournal) -> Lease {
    let record = RecordName::from("api.example.com");
    journal.acquire(&record, "tests", Duration::from_secs(60)).await.unwrap()
}

/// What SQLite itself says of the file.
fn integrity(path: &Path) -> String {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap()
}
