//! The records of the rollouts, each as its JSON.

use std::path::Path;

use mpac_deploy_core::ids::RolloutId;
use mpac_deploy_core::journal::{Entry, Record, RecordError, Snapshot};
use mpac_deploy_core::port::{JournalError, RolloutSummary};
use rusqlite::{Connection, OptionalExtension, params};

use super::error::SqliteError;
use super::worker::Fault;

/// A record and its text, made before the thread's turn.
pub(super) struct Written {
    record: Record,
    json: String,
}

impl Written {
    pub(super) fn all(records: &[Record]) -> Result<Vec<Self>, JournalError> {
        let written = |record: &Record| Ok(Self { json: record.to_json()?, record: record.clone() });
        let all: Result<Vec<Self>, RecordError> = records.iter().map(written).collect();
        all.map_err(|error| JournalError::Unavailable(error.to_string()))
    }
}

/// SQLite counts with a sign. No rollout comes near the limit; a number beyond it is no number that was ever stored.
pub(super) fn to_sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn from_sql(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// Stores what is not stored yet, if what is stored beyond `expected` is what was to be appended: then an answer was lost.
pub(super) fn append(
    connection: &Connection,
    rollout: &RolloutId,
    expected: u64,
    records: &[Written],
) -> Result<(), Fault> {
    let key = key(connection, rollout)?;
    let found = key.map_or(Ok(0), |key| count(connection, key))?;
    let conflict = || Fault::Refused(JournalError::Conflict { expected, found });
    let beyond = found.checked_sub(expected).and_then(|beyond| usize::try_from(beyond).ok());
    let (stored, rest) = beyond.and_then(|beyond| records.split_at_checked(beyond)).ok_or_else(conflict)?;
    if let Some(key) = key
        && !are_stored(connection, key, expected, stored)?
    {
        return Err(conflict());
    }
    if rest.is_empty() {
        return Ok(());
    }
    let key = key.map_or_else(|| new_key(connection, rollout), Ok)?;
    let mut insert = connection.prepare("INSERT INTO record (rollout, number, body) VALUES (?1, ?2, ?3)")?;
    for (written, number) in rest.iter().zip(found + 1..) {
        insert.execute(params![key, to_sql(number), written.json])?;
    }
    Ok(())
}

fn key(connection: &Connection, rollout: &RolloutId) -> rusqlite::Result<Option<i64>> {
    let select = "SELECT key FROM rollout WHERE id = ?1";
    connection.query_row(select, [rollout.as_str()], |row| row.get(0)).optional()
}

fn new_key(connection: &Connection, rollout: &RolloutId) -> rusqlite::Result<i64> {
    connection.execute("INSERT INTO rollout (id) VALUES (?1)", [rollout.as_str()])?;
    Ok(connection.last_insert_rowid())
}

fn count(connection: &Connection, key: i64) -> rusqlite::Result<u64> {
    let select = "SELECT ifnull(max(number), 0) FROM record WHERE rollout = ?1";
    connection.query_row(select, [key], |row| row.get(0)).map(from_sql)
}

/// Whether the records that stand after `after` begin with these; another version of the library may have written the same in other words.
fn are_stored(connection: &Connection, key: i64, after: u64, records: &[Written]) -> rusqlite::Result<bool> {
    let mut select = connection.prepare("SELECT body FROM record WHERE rollout = ?1 AND number = ?2")?;
    for (written, number) in records.iter().zip(after + 1..) {
        let stored: Option<String> =
            select.query_row(params![key, to_sql(number)], |row| row.get(0)).optional()?;
        let is_same = stored.is_some_and(|stored| {
            stored == written.json || Record::from_json(&stored).as_ref() == Ok(&written.record)
        });
        if !is_same {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The records of a rollout after the first `after`, in order.
pub(super) fn load(
    connection: &Connection,
    path: &Path,
    rollout: &RolloutId,
    after: u64,
) -> Result<Vec<Record>, SqliteError> {
    let rows = (|| {
        let mut select = connection.prepare(
            "SELECT number, body FROM record
             WHERE rollout = (SELECT key FROM rollout WHERE id = ?1) AND number > ?2 ORDER BY number",
        )?;
        let rows = select
            .query_map(params![rollout.as_str(), to_sql(after)], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect::<rusqlite::Result<Vec<(i64, String)>>>()
    })();
    let rows = rows.map_err(|error| SqliteError::of(path, &error))?;
    rows.iter().map(|(number, body)| read(path, rollout, *number, body)).collect()
}

/// Keeps a snapshot, unless a later one is kept. Where there is no rollout there is nothing to keep.
pub(super) fn keep(
    connection: &Connection,
    rollout: &RolloutId,
    snapshot: &Snapshot,
) -> rusqlite::Result<()> {
    let Some(key) = key(connection, rollout)? else { return Ok(()) };
    connection.execute(
        "INSERT INTO snapshot (rollout, records, format, state) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (rollout) DO UPDATE SET records = ?2, format = ?3, state = ?4 WHERE records <= ?2",
        params![key, to_sql(snapshot.records), snapshot.format, snapshot.state],
    )?;
    Ok(())
}

/// The snapshot of a rollout, if one is kept.
pub(super) fn snapshot(
    connection: &Connection,
    path: &Path,
    rollout: &RolloutId,
) -> Result<Option<Snapshot>, SqliteError> {
    let select =
        "SELECT records, format, state FROM snapshot WHERE rollout = (SELECT key FROM rollout WHERE id = ?1)";
    let snapshot = connection.query_row(select, [rollout.as_str()], |row| {
        Ok(Snapshot { records: from_sql(row.get(0)?), format: row.get(1)?, state: row.get(2)? })
    });
    snapshot.optional().map_err(|error| SqliteError::of(path, &error))
}

fn read(path: &Path, rollout: &RolloutId, number: i64, body: &str) -> Result<Record, SqliteError> {
    Record::from_json(body).map_err(|why| SqliteError::Record {
        path: path.into(),
        rollout: rollout.to_string(),
        place: from_sql(number),
        why,
    })
}

/// Every rollout that has a record, by its id.
pub(super) fn list(connection: &Connection, path: &Path) -> Result<Vec<RolloutId>, SqliteError> {
    let list = || {
        let mut select = connection.prepare("SELECT id FROM rollout ORDER BY id")?;
        let ids = select.query_map([], |row| row.get(0).map(|id: String| RolloutId::new(id)))?;
        ids.collect::<rusqlite::Result<Vec<RolloutId>>>()
    };
    list().map_err(|error| SqliteError::of(path, &error))
}

/// A first record, the number of the last one, and that one.
type Ends = (String, String, i64, String);

/// Every rollout in a few words, from its first record and its last, the oldest first.
pub(super) fn summaries(connection: &Connection, path: &Path) -> Result<Vec<RolloutSummary>, SqliteError> {
    let ends = || {
        let mut select = connection.prepare(
            "SELECT id, first.body, last.number, last.body FROM rollout
             JOIN record AS first ON first.rollout = key AND first.number = 1
             JOIN record AS last ON last.rollout = key
                AND last.number = (SELECT max(number) FROM record WHERE rollout = key)",
        )?;
        let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
        rows.collect::<rusqlite::Result<Vec<Ends>>>()
    };
    let ends = ends().map_err(|error| SqliteError::of(path, &error))?;
    let mut all = ends.iter().map(|ends| summary(path, ends)).collect::<Result<Vec<_>, SqliteError>>()?;
    all.sort_by(|one, other| (one.begun, &one.id).cmp(&(other.begun, &other.id)));
    Ok(all)
}

fn summary(path: &Path, (id, first, number, last): &Ends) -> Result<RolloutSummary, SqliteError> {
    let id = RolloutId::new(id.clone());
    let (first, last) = (read(path, &id, 1, first)?, read(path, &id, *number, last)?);
    match first.entry {
        Entry::Begun { release, .. } => Ok(RolloutSummary {
            id,
            release: *release,
            begun: first.at,
            latest: last.at,
            records: from_sql(*number),
        }),
        Entry::Happened(_) => {
            let why = RecordError::Unreadable("the first record does not begin a rollout".into());
            Err(SqliteError::Record { path: path.into(), rollout: id.to_string(), place: 1, why })
        }
    }
}
