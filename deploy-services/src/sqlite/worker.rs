//! The one thread that holds the connection: SQLite blocks, and an async runtime must not.
//!
//! Writes that wait for one another's flush share it: whatever has queued up meanwhile goes into the next transaction, each write
//! behind a savepoint of its own, and every caller is answered after the commit. A thousand rollouts therefore cost a disk a few
//! flushes, not a thousand.

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;

use mpac_deploy_core::port::JournalError;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::error::SqliteError;
use super::open::open;

/// Writes in one transaction: enough that the flush no longer counts, and few enough that nobody waits long for the first.
const WRITES_AT_ONCE: usize = 128;

/// Why a write was not made.
pub(super) enum Fault {
    /// By the contract of the port.
    Refused(JournalError),
    /// By SQLite.
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<JournalError> for Fault {
    fn from(error: JournalError) -> Self {
        Self::Refused(error)
    }
}

enum Job {
    Read(Box<dyn FnOnce(&Connection) + Send>),
    Write(Box<dyn Write>),
}

/// The way to the thread, which ends when this is dropped.
#[derive(Debug)]
pub(super) struct Worker {
    jobs: mpsc::Sender<Job>,
}

impl Worker {
    /// Starts the thread, and opens the file there.
    pub(super) async fn start(path: PathBuf) -> Result<Self, SqliteError> {
        let (jobs, queue) = mpsc::channel();
        let (opened, answer) = oneshot::channel();
        let at = path.clone();
        let work = move || match open(&at) {
            Ok(connection) => {
                if opened.send(Ok(())).is_ok() {
                    work(&connection, &at, &queue);
                }
            }
            Err(error) => drop(opened.send(Err(error))),
        };
        let failed = |why: String| SqliteError::Failed { path: path.clone(), why };
        let started = thread::Builder::new().name("sqlite-journal".into()).spawn(work);
        started.map_err(|error| failed(format!("its thread could not be started: {error}")))?;
        answer.await.map_err(|_| failed("its thread stopped while it opened it".into()))??;
        Ok(Self { jobs })
    }

    /// Reads, in its turn. A read whose caller has gone is skipped.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, SqliteError> + Send + 'static,
    ) -> Result<T, JournalError> {
        let (answer, answered) = oneshot::channel();
        let job = move |connection: &Connection| {
            if !answer.is_closed() {
                drop(answer.send(read(connection).map_err(|error| error.of_read())));
            }
        };
        self.send(Job::Read(Box::new(job)), answered).await
    }

    /// Writes, in its turn, and answers once it is on the disk. A write whose caller has gone before it began is skipped.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, JournalError> {
        let (answer, answered) = oneshot::channel();
        self.send(Job::Write(Box::new(Task { write: Some(write), result: None, answer })), answered).await
    }

    async fn send<T>(
        &self,
        job: Job,
        answered: oneshot::Receiver<Result<T, JournalError>>,
    ) -> Result<T, JournalError> {
        let gone = || JournalError::Unavailable("the thread of the journal has stopped".into());
        self.jobs.send(job).map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

/// A write and whoever waits for it, whatever its type.
trait Write: Send {
    /// Runs it inside a savepoint; an error is one of SQLite.
    fn run(&mut self, connection: &Connection) -> rusqlite::Result<()>;
    /// Answers, once it is known whether the transaction was committed.
    fn settle(self: Box<Self>, committed: Result<(), JournalError>);
}

struct Task<W, T> {
    write: Option<W>,
    result: Option<Result<T, JournalError>>,
    answer: oneshot::Sender<Result<T, JournalError>>,
}

impl<T: Send, W: FnOnce(&Connection) -> Result<T, Fault> + Send> Write for Task<W, T> {
    fn run(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let Some(write) = self.write.take().filter(|_| !self.answer.is_closed()) else { return Ok(()) };
        connection.execute_batch("SAVEPOINT one")?;
        self.result = match write(connection) {
            Ok(done) => Some(Ok(done)),
            Err(Fault::Refused(error)) => Some(Err(error)),
            Err(Fault::Sqlite(error)) => return Err(error),
        };
        connection.execute_batch("RELEASE one")
    }

    fn settle(self: Box<Self>, committed: Result<(), JournalError>) {
        let Self { result, answer, .. } = *self;
        let nobody = || Err(JournalError::Unavailable("nobody waited for it".into()));
        drop(answer.send(committed.and_then(|()| result.unwrap_or_else(nobody))));
    }
}

fn work(connection: &Connection, path: &Path, queue: &mpsc::Receiver<Job>) {
    while let Ok(mut job) = queue.recv() {
        loop {
            let next = match job {
                Job::Read(read) => {
                    read(connection);
                    None
                }
                Job::Write(write) => {
                    let (writes, next) = gather(write, queue);
                    commit(connection, path, writes);
                    next
                }
            };
            match next {
                Some(next) => job = next,
                None => break,
            }
        }
    }
}

/// The writes that wait already, and what waits behind them.
fn gather(first: Box<dyn Write>, queue: &mpsc::Receiver<Job>) -> (Vec<Box<dyn Write>>, Option<Job>) {
    let mut writes = vec![first];
    while writes.len() < WRITES_AT_ONCE {
        match queue.try_recv() {
            Ok(Job::Write(write)) => writes.push(write),
            Ok(read @ Job::Read(_)) => return (writes, Some(read)),
            Err(_) => break,
        }
    }
    (writes, None)
}

/// One transaction. A write that SQLite fails takes back itself alone, unless SQLite has taken back all.
fn commit(connection: &Connection, path: &Path, mut writes: Vec<Box<dyn Write>>) {
    let unavailable = |error: &rusqlite::Error| SqliteError::of(path, error).of_write();
    let mut failed: Vec<Option<JournalError>> = Vec::with_capacity(writes.len());
    let committed = (|| {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        for write in &mut writes {
            let result = write.run(connection);
            failed.push(result.as_ref().err().map(unavailable));
            if let Err(error) = result {
                if connection.is_autocommit() {
                    return Err(error);
                }
                connection.execute_batch("ROLLBACK TO one; RELEASE one")?;
            }
        }
        connection.execute_batch("COMMIT")
    })();
    if let Err(error) = &committed {
        tracing::warn!(%error, path = %path.display(), "a transaction was not committed");
        // It may have been rolled back already; then this says so, and nothing is lost by that.
        drop(connection.execute_batch("ROLLBACK"));
    }
    failed.resize(writes.len(), None);
    for (write, failed) in writes.into_iter().zip(failed) {
        let committed = committed.as_ref().map(drop).map_err(unavailable);
        write.settle(committed.and(failed.map_or(Ok(()), Err)));
    }
}
