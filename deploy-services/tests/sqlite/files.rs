//! Files that are not as they should be: one clear error each, and nothing lost.

use std::fs;
use std::path::{Path, PathBuf};

use mpac_deploy_core::ids::{FencingToken, RolloutId};
use mpac_deploy_core::journal::replay;
use mpac_deploy_core::port::{History, Inbox, Journal, JournalError};
use mpac_deploy_services::sqlite::{SqliteError, SqliteJournal};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::{integrity, lease, open, records};

const TTL: std::time::Duration = std::time::Duration::from_secs(60);

fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    (directory, path)
}

/// The error of opening it; its text names the file and is one sentence or two.
async fn refused(path: &Path) -> SqliteError {
    let error = SqliteJournal::open(path).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains(path.to_str().unwrap()) && !text.contains('\n'), "{text}");
    error
}

/// A journal with a rollout of so many records, closed.
async fn filled(path: &Path, count: u64) -> RolloutId {
    let (journal, rollout) = (open(path).await, RolloutId::from("r"));
    let held = lease(&journal).await;
    journal.append(&held, &rollout, 0, &records(&rollout, count)).await.unwrap();
    drop(journal);
    // The thread closes the file, and takes its log into it.
    let log = PathBuf::from(format!("{}-wal", path.display()));
    while log.exists() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    rollout
}

#[tokio::test]
async fn a_directory_that_is_not_there() {
    let (_directory, path) = place();
    let path = path.join("deeper").join("journal.db");
    assert!(matches!(refused(&path).await, SqliteError::NotCreated { .. }));
    assert!(!path.parent().unwrap().exists());
}

#[tokio::test]
async fn a_directory_in_the_place_of_the_file() {
    let (directory, _) = place();
    assert!(matches!(refused(directory.path()).await, SqliteError::NotOpened { .. }));
}

#[tokio::test]
async fn a_file_of_another_kind_is_left_as_it_is() {
    let (_directory, path) = place();
    let text = "time,side,metric,value\n".repeat(50);
    fs::write(&path, &text).unwrap();
    assert_eq!(refused(&path).await, SqliteError::NotADatabase { path: path.clone() });
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[tokio::test]
async fn a_database_of_another_program_is_left_as_it_is() {
    let (directory, path) = place();
    let other = Connection::open(&path).unwrap();
    other
        .execute_batch("PRAGMA journal_mode=WAL; PRAGMA application_id=42; CREATE TABLE theirs (x)")
        .unwrap();
    other.close().unwrap();
    let before = fs::read(&path).unwrap();
    assert_eq!(refused(&path).await, SqliteError::Foreign { path: path.clone(), application_id: 42 });
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing stands beside it");
}

#[tokio::test]
async fn a_file_that_was_emptied_is_no_new_journal() {
    let (_directory, path) = place();
    fs::write(&path, "").unwrap();
    assert_eq!(refused(&path).await, SqliteError::Emptied { path: path.clone() });
}

#[tokio::test]
async fn a_log_whose_journal_is_gone_is_not_thrown_away() {
    let (_directory, path) = place();
    let log = PathBuf::from(format!("{}-wal", path.display()));
    fs::write(&log, "rollouts").unwrap();
    assert_eq!(refused(&path).await, SqliteError::Orphaned { path: path.clone() });
    assert_eq!(fs::read_to_string(&log).unwrap(), "rollouts");
}

#[tokio::test]
async fn a_file_that_was_cut_off_is_found_out_wherever_it_was_cut() {
    let (_directory, path) = place();
    filled(&path, 40).await;
    let whole = fs::read(&path).unwrap();
    for kept in [1, 60, 99, 100, 101, 4095, 4096, whole.len() / 2, whole.len() - 4096, whole.len() - 1] {
        fs::write(&path, &whole[..kept]).unwrap();
        let error = refused(&path).await;
        let is_clear = matches!(error, SqliteError::Damaged { .. } | SqliteError::NotADatabase { .. });
        assert!(is_clear, "{kept} bytes of {}: {error}", whole.len());
        assert_eq!(fs::read(&path).unwrap(), &whole[..kept], "it was changed");
    }
    fs::write(&path, &whole).unwrap();
    let journal = open(&path).await;
    assert_eq!(journal.load(&RolloutId::from("r"), 0).await.unwrap().len(), 40);
}

#[tokio::test]
async fn a_later_schema_is_not_guessed_at() {
    let (_directory, path) = place();
    filled(&path, 1).await;
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = refused(&path).await;
    assert_eq!(error, SqliteError::Newer { path: path.clone(), found: 99 });
    assert!(error.to_string().ends_with("update the program"), "{error}");
}

/// A file as schema 1 made it, before there were snapshots and commands.
fn of_schema_1(path: &Path) {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch(include_str!("../samples/schema-1.sql")).unwrap();
}

#[tokio::test]
async fn an_earlier_schema_is_brought_up_to_date_and_keeps_what_it_holds() {
    let (_directory, path) = place();
    of_schema_1(&path);
    let journal = open(&path).await;
    let rollout = RolloutId::from("smartpos-v2.1.0-20260128T090000Z");
    let records = journal.load(&rollout, 0).await.unwrap();
    assert_eq!(records.len(), 3);
    let state = replay(&records).unwrap();
    assert_eq!(state.plan().release().service, "smartpos");
    // What the earlier schema had no place for.
    assert_eq!(journal.snapshot(&rollout).await.unwrap(), None);
    assert_eq!(journal.waiting(&rollout).await.unwrap(), []);
    // The token goes on from the earlier holder's.
    let lease = journal.acquire(&state.plan().release().record, "tests", TTL).await.unwrap();
    assert_eq!(lease.fence, FencingToken(8));
    drop(journal);
    assert_eq!(open(&path).await.load(&rollout, 0).await.unwrap(), records);
    assert_eq!(integrity(&path), "ok");
}

#[tokio::test]
async fn an_earlier_schema_is_brought_up_to_date_once_by_many_at_once() {
    let (_directory, path) = place();
    of_schema_1(&path);
    let opened = futures::future::join_all((0..8).map(|_| SqliteJournal::open(&path))).await;
    for journal in opened {
        assert_eq!(journal.unwrap().list().await.unwrap().len(), 1);
    }
    assert_eq!(integrity(&path), "ok");
}

/// Replaces the text of a record.
fn overwrite(path: &Path, number: u64, body: &str) {
    let connection = Connection::open(path).unwrap();
    let number = i64::try_from(number).unwrap();
    let update = "UPDATE record SET body = ?2 WHERE number = ?1";
    assert_eq!(connection.execute(update, rusqlite::params![number, body]).unwrap(), 1);
}

#[tokio::test]
async fn a_record_of_a_later_version_is_not_guessed_at() {
    let (_directory, path) = place();
    let rollout = filled(&path, 3).await;
    let later = r#"{"version":2,"number":3,"at":"2026-01-28T09:00:00Z","entry":{"dreamt":{"of":"sheep"}}}"#;
    overwrite(&path, 3, later);
    let journal = open(&path).await;
    let Err(JournalError::Newer(why)) = journal.load(&rollout, 0).await else { panic!("it was read") };
    assert!(why.contains("record 3 has version 2") && why.contains("update the program"), "{why}");
    assert!(matches!(journal.rollouts().await, Err(JournalError::Newer(_))));
}

#[tokio::test]
async fn a_record_that_is_none_is_damage_and_named() {
    let (_directory, path) = place();
    let rollout = filled(&path, 3).await;
    for (body, why) in [
        (
            r#"{"version":1,"number":2,"at":"2026-01-28T09:00:00Z","entry":{"dreamt":1}}"#,
            "unknown variant `dreamt`",
        ),
        (r#"{"version":1,"number":2,"at":"2026-01-"#, "EOF"),
        ("", "EOF"),
    ] {
        overwrite(&path, 2, body);
        let Err(JournalError::Damaged(said)) = open(&path).await.load(&rollout, 0).await else {
            panic!("{body}")
        };
        assert!(said.contains("rollout r, at place 2") && said.contains(why), "{said}");
    }
}

/// Damage in the middle of the file shows when it is read, as damage; a write goes on or waits, and never stops a rollback.
#[tokio::test]
async fn a_page_that_was_overwritten_is_damage() {
    let (_directory, path) = place();
    let rollout = filled(&path, 400).await;
    let mut bytes = fs::read(&path).unwrap();
    let pages = bytes.len() / 4096;
    assert!(pages > 12);
    bytes[8 * 4096..].fill(0xa5);
    fs::write(&path, &bytes).unwrap();
    let journal = open(&path).await;
    let Err(JournalError::Damaged(why)) = journal.load(&rollout, 0).await else { panic!("it was read") };
    assert!(why.contains("restore it from a backup"), "{why}");
}

#[tokio::test]
async fn a_new_journal_is_whole_and_leaves_nothing_beside_it() {
    let (directory, path) = place();
    filled(&path, 1).await;
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    assert_eq!(integrity(&path), "ok");
}
