//! The tables, and how a file of an earlier version gets them.

use rusqlite::{Connection, Transaction, TransactionBehavior};

/// Marks a SQLite file as a journal of ours: "mpac" in ASCII. It is read from the header before SQLite opens the file.
pub(super) const APPLICATION_ID: i32 = 0x6d70_6163;

/// The version that this library writes and the latest that it reads (`PRAGMA user_version`).
#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "a handful of steps")]
pub(super) const VERSION: i32 = STEPS.len() as i32;

/// Step n leads from version n to n + 1. A step that was released is never changed: files out there have taken it.
const STEPS: [&str; 2] = [
    // The records of one rollout stand together, in their order, however many rollouts are written at once: hence a clustered
    // key, and a short one. A record is its JSON; everything else that one may want to know of it is read from there.
    "CREATE TABLE rollout (
        key INTEGER PRIMARY KEY,
        id  TEXT NOT NULL UNIQUE
     ) STRICT;
     CREATE TABLE record (
        rollout INTEGER NOT NULL REFERENCES rollout (key),
        number  INTEGER NOT NULL,
        body    TEXT NOT NULL,
        PRIMARY KEY (rollout, number)
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE lease (
        name         TEXT NOT NULL PRIMARY KEY,
        fence        INTEGER NOT NULL,
        holder       TEXT,
        boot         TEXT,
        steady_until INTEGER NOT NULL,
        wall_until   INTEGER NOT NULL
     ) STRICT, WITHOUT ROWID;",
    // One snapshot of each rollout, and the commands that people post for it. A command may be posted before the rollout's first
    // record is stored.
    "CREATE TABLE snapshot (
        rollout INTEGER PRIMARY KEY REFERENCES rollout (key),
        records INTEGER NOT NULL,
        format  TEXT NOT NULL,
        state   TEXT NOT NULL
     ) STRICT;
     CREATE TABLE command (
        place   INTEGER PRIMARY KEY,
        rollout TEXT NOT NULL,
        id      TEXT NOT NULL,
        body    TEXT NOT NULL,
        reply   TEXT,
        UNIQUE (rollout, id)
     ) STRICT;
     CREATE INDEX waiting ON command (rollout, place) WHERE reply IS NULL;",
];

/// The version that the file has.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<i32> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Brings the file to [`VERSION`]: all steps or none, and once, also when two processes try.
pub(super) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    if version(connection)? == VERSION {
        return Ok(());
    }
    let transaction = Transaction::new(connection, TransactionBehavior::Immediate)?;
    let found = version(&transaction)?;
    let taken = usize::try_from(found).unwrap_or(0);
    for step in STEPS.iter().skip(taken) {
        transaction.execute_batch(step)?;
    }
    if found < VERSION {
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    transaction.commit()
}
