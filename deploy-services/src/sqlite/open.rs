//! From a path to a connection: a new file is made whole or not at all, and a file that is not ours is not touched.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::error::SqliteError;
use super::schema;

/// How long a call waits for another process that writes. The driver gives a store two seconds: the reason must be known before.
const BUSY_PATIENCE: Duration = Duration::from_millis(1500);

/// The write-ahead log is cut back to this after a checkpoint, in bytes: a day's burst does not hold the disk for ever.
const LOG_LIMIT: i64 = 64 * 1024 * 1024;

/// The part of a SQLite file that says what it is, and what it says.
const HEADER: usize = 100;
const MAGIC: &[u8] = b"SQLite format 3\0";
const PAGE_SIZE_AT: usize = 16;
const APPLICATION_ID_AT: usize = 68;

/// Opens the journal at a path, and makes it if there is none.
pub(super) fn open(path: &Path) -> Result<Connection, SqliteError> {
    if !exists(path)? {
        create(path)?;
    }
    check_header(path)?;
    let of = |error: rusqlite::Error| SqliteError::of(path, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(of)?;
    connection.busy_timeout(BUSY_PATIENCE).map_err(of)?;
    if connection.is_readonly("main").map_err(of)? {
        return Err(SqliteError::ReadOnly { path: path.into() });
    }
    let found = schema::version(&connection).map_err(of)?;
    if found > schema::VERSION {
        return Err(SqliteError::Newer { path: path.into(), found });
    }
    configure(&connection).map_err(of)?;
    schema::migrate(&mut connection).map_err(of)?;
    Ok(connection)
}

fn exists(path: &Path) -> Result<bool, SqliteError> {
    path.try_exists().map_err(|error| SqliteError::NotOpened { path: path.into(), why: error.to_string() })
}

/// A commit is on the disk when it returns: `FULL` flushes the log at every commit, `fullfsync` also the cache of an Apple disk.
fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "journal_size_limit", LOG_LIMIT)
}

/// Builds the file under another name and gives it its own when it is whole. So a journal is never empty, and one that is was
/// emptied; of two processes that create it at once, the second finds that of the first.
fn create(path: &Path) -> Result<(), SqliteError> {
    let failed = |why: String| SqliteError::NotCreated { path: path.into(), why };
    if log_of(path).metadata().is_ok_and(|log| log.len() > 0) {
        return Err(SqliteError::Orphaned { path: path.into() });
    }
    let directory = directory_of(path);
    let file = new_file(&directory).map_err(|error| failed(error.to_string()))?;
    build(file.path()).map_err(|error| failed(error.to_string()))?;
    file.as_file().sync_all().map_err(|error| failed(error.to_string()))?;
    match file.persist_noclobber(path) {
        Ok(_) => {}
        Err(lost) if lost.error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        Err(lost) => return Err(failed(lost.error.to_string())),
    }
    File::open(&directory)
        .and_then(|directory| directory.sync_all())
        .map_err(|error| failed(error.to_string()))
}

fn build(path: &Path) -> rusqlite::Result<()> {
    let mut connection = Connection::open(path)?;
    connection.pragma_update(None, "application_id", schema::APPLICATION_ID)?;
    configure(&connection)?;
    schema::migrate(&mut connection)?;
    connection.close().map_err(|(_, error)| error)
}

fn new_file(directory: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".mpac-deploy-journal-").suffix(".new");
    // Reasons and names of people stand in it: for the owner and the group, less what the umask takes.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o660));
    builder.tempfile_in(directory)
}

fn directory_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.into(),
        Some(_) | None => ".".into(),
    }
}

fn log_of(path: &Path) -> PathBuf {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    log.into()
}

/// Says whether the file is ours, and not cut off within a page, before SQLite opens it: opening a database may already change
/// what stands beside it, and SQLite reads what is missing of a page as zeros. Pages that are missing as a whole it finds itself.
fn check_header(path: &Path) -> Result<(), SqliteError> {
    let (header, length) = read_header(path)
        .map_err(|error| SqliteError::NotOpened { path: path.into(), why: error.to_string() })?;
    if header.is_empty() {
        return Err(SqliteError::Emptied { path: path.into() });
    }
    if !header.starts_with(MAGIC) {
        return Err(SqliteError::NotADatabase { path: path.into() });
    }
    let cut_off = || {
        let why = format!("{length} bytes are left of it");
        SqliteError::Damaged { path: path.into(), why }
    };
    let application_id = i32::from_be_bytes(field(&header, APPLICATION_ID_AT).ok_or_else(cut_off)?);
    if application_id != schema::APPLICATION_ID {
        return Err(SqliteError::Foreign { path: path.into(), application_id });
    }
    // 65,536 does not fit its two bytes, and is written as 1.
    let page = match u16::from_be_bytes(field(&header, PAGE_SIZE_AT).ok_or_else(cut_off)?) {
        1 => 65_536,
        page => u64::from(page),
    };
    // A process that was killed while it took the log into the file may leave it so; the log still holds it all.
    let has_log = log_of(path).metadata().is_ok_and(|log| log.len() > 0);
    if length.checked_rem(page) == Some(0) || has_log { Ok(()) } else { Err(cut_off()) }
}

fn read_header(path: &Path) -> io::Result<(Vec<u8>, u64)> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut header = Vec::with_capacity(HEADER);
    file.take(HEADER as u64).read_to_end(&mut header)?;
    Ok((header, length))
}

fn field<const N: usize>(header: &[u8], at: usize) -> Option<[u8; N]> {
    header.get(at..at + N)?.try_into().ok()
}
