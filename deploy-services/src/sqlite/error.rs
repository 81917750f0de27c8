//! What can be wrong with the file, each said once: what, where, and what to do.

use std::path::{Path, PathBuf};

use mpac_deploy_core::journal::RecordError;
use mpac_deploy_core::port::JournalError;
use rusqlite::ErrorCode;

use super::schema;

/// An error of the file behind a [`SqliteJournal`](super::SqliteJournal). Whatever it is, what was stored before stays stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each field is what the message says of it")]
pub enum SqliteError {
    /// There is no file, and none can be made.
    #[error(
        "the journal {path} cannot be created: {why}. Create its directory and make it writable, or name another file",
        path = .path.display()
    )]
    NotCreated { path: PathBuf, why: String },
    /// There is a file, or part of one, that cannot be opened.
    #[error(
        "the journal {path} cannot be opened: {why}. Give this user the right to read and write the file and its directory, or name \
         another file",
        path = .path.display()
    )]
    NotOpened { path: PathBuf, why: String },
    /// It can be read and not written.
    #[error(
        "the journal {path} is read-only for this user, and nothing was changed. Make the file and its directory writable, or name \
         another file",
        path = .path.display()
    )]
    ReadOnly { path: PathBuf },
    /// The file has no content, which no journal ever is.
    #[error(
        "the journal {path} was emptied: a journal is never without content, so its rollouts are lost from this file. Restore \
         it from a backup; or, if no rollout is under way, delete it and what stands beside it (-wal, -shm) to begin anew",
        path = .path.display()
    )]
    Emptied { path: PathBuf },
    /// The main file is gone and its write-ahead log is not.
    #[error(
        "the journal {path} is gone, but its write-ahead log {path}-wal is not: the rollouts in it would be lost. Put the file back; \
         or, if no rollout is under way, delete the log to begin anew",
        path = .path.display()
    )]
    Orphaned { path: PathBuf },
    /// The file is of another kind.
    #[error(
        "{path} is no journal and no SQLite database, and was left as it is. Name another file",
        path = .path.display()
    )]
    NotADatabase { path: PathBuf },
    /// The database is of another program.
    #[error(
        "{path} is a SQLite database of another program (application id {application_id:#010x}), and was left as it is. Name \
         another file",
        path = .path.display()
    )]
    Foreign { path: PathBuf, application_id: i32 },
    /// A later version of this library has changed its schema.
    #[error(
        "the journal {path} has schema version {found}, and this program knows up to {known}: update the program",
        path = .path.display(),
        known = schema::VERSION
    )]
    Newer { path: PathBuf, found: i32 },
    /// It was cut off, or overwritten.
    #[error(
        "the journal {path} is damaged or cut off ({why}), and nothing was changed. Keep a copy, then restore it from a backup or \
         with the `.recover` command of sqlite3",
        path = .path.display()
    )]
    Damaged { path: PathBuf, why: String },
    /// A record in it cannot be read.
    #[error("in the journal {path}, rollout {rollout}, at place {place}: {why}", path = .path.display())]
    Record { path: PathBuf, rollout: String, place: u64, why: RecordError },
    /// There is no space left.
    #[error(
        "the disk of the journal {path} is full: nothing of this was stored, and what was stored before is whole. Free some space; \
         it is tried again",
        path = .path.display()
    )]
    Full { path: PathBuf },
    /// Somebody else has been writing all the time.
    #[error("another process keeps the journal {path} locked: {why}. It is tried again", path = .path.display())]
    Busy { path: PathBuf, why: String },
    /// Anything else.
    #[error("the journal {path} could not be used: {why}", path = .path.display())]
    Failed { path: PathBuf, why: String },
}

impl SqliteError {
    /// An error of SQLite by its meaning.
    pub(super) fn of(path: &Path, error: &rusqlite::Error) -> Self {
        let (path, why) = (path.to_path_buf(), error.to_string());
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy { path, why },
            Some(ErrorCode::ReadOnly) => Self::ReadOnly { path },
            Some(ErrorCode::DiskFull) => Self::Full { path },
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => Self::NotOpened { path, why },
            Some(ErrorCode::NotADatabase) => Self::NotADatabase { path },
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged { path, why },
            #[allow(
                clippy::wildcard_enum_match_arm,
                reason = "the codes are SQLite's, and the rest needs no words of its own"
            )]
            _ => Self::Failed { path, why },
        }
    }

    /// As an error of a read: what cannot be read will not be read the next time.
    pub(super) fn of_read(&self) -> JournalError {
        match self {
            Self::Newer { .. } | Self::Record { why: RecordError::Newer { .. }, .. } => {
                JournalError::Newer(self.to_string())
            }
            Self::Damaged { .. } | Self::NotADatabase { .. } | Self::Emptied { .. } | Self::Record { .. } => {
                JournalError::Damaged(self.to_string())
            }
            Self::NotCreated { .. }
            | Self::NotOpened { .. }
            | Self::ReadOnly { .. }
            | Self::Orphaned { .. }
            | Self::Foreign { .. }
            | Self::Full { .. }
            | Self::Busy { .. }
            | Self::Failed { .. } => JournalError::Unavailable(self.to_string()),
        }
    }

    /// As an error of a write. Whatever it is, the store cannot take it now: that holds what moves towards green, and must not
    /// stop a rollback (semantics 5.5).
    pub(super) fn of_write(&self) -> JournalError {
        JournalError::Unavailable(self.to_string())
    }
}
