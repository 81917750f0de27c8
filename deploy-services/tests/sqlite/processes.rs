//! Several processes with one journal: real ones, since that is what the file's locks are for.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use mpac_deploy_core::ids::{RecordName, RolloutId};
use mpac_deploy_core::port::{Journal, JournalError};
use mpac_deploy_services::sqlite::SqliteJournal;
use rustix::process::{Pid, Signal, geteuid, kill_process};

use crate::{integrity, open, records};

const TTL: Duration = Duration::from_millis(1500);

/// What the other process is told, by variables of these names.
const JOURNAL: &str = "MPAC_TEST_JOURNAL";
const NAME: &str = "MPAC_TEST_NAME";
const COUNT: &str = "MPAC_TEST_COUNT";
const RECORD: &str = "MPAC_TEST_RECORD";

/// The other process: takes a lease, appends one record after the other, and says so. Without being told anything it does so in a
/// journal of its own.
#[tokio::test]
#[ignore = "the other process of the tests beside it, which start it"]
async fn other_process() {
    let directory = tempfile::tempdir().unwrap();
    let told = |name: &str, or: &str| std::env::var(name).unwrap_or_else(|_| or.into());
    let path = told(JOURNAL, directory.path().join("journal.db").to_str().unwrap());
    let (name, record) = (told(NAME, "alone"), told(RECORD, "api.example.com"));
    let count = told(COUNT, "5").parse().unwrap();
    let journal = open(Path::new(&path)).await;
    let stored = write(&journal, &name, &RecordName::new(record), count).await;
    let is_fenced = stored == Err(JournalError::LeaseLost) && name != "alone";
    assert!(stored == Ok(count) || is_fenced, "{stored:?}");
}

async fn write(
    journal: &SqliteJournal,
    name: &str,
    record: &RecordName,
    count: u64,
) -> Result<u64, JournalError> {
    let rollout = RolloutId::from(name);
    let all = records(&rollout, count);
    let lease = patiently(async || journal.acquire(record, name, TTL).await).await?;
    say(&format!("fence {}", lease.fence));
    for (done, written) in (0..).zip(all.chunks(1)) {
        if let Err(error) = patiently(async || journal.append(&lease, &rollout, done, written).await).await {
            say(&format!("stopped {error}"));
            return Err(error);
        }
        say(&format!("stored {}", done + 1));
    }
    Ok(count)
}

/// As the driver does: what was not to be had is tried again.
async fn patiently<T>(call: impl AsyncFn() -> Result<T, JournalError>) -> Result<T, JournalError> {
    loop {
        match call().await {
            Err(JournalError::Unavailable(_)) => tokio::time::sleep(Duration::from_millis(20)).await,
            other => return other,
        }
    }
}

/// On a line of its own, whatever the test harness prints, and at once.
fn say(what: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\nother: {what}").unwrap();
    out.flush().unwrap();
}

struct Other {
    process: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    /// The largest number that it said it has stored.
    stored: u64,
}

fn command(program: &Path, journal: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["--exact", "processes::other_process", "--ignored", "--nocapture"]).env(JOURNAL, journal);
    command
}

impl Other {
    fn start(path: &Path, name: &str, record: &str, count: u64) -> Self {
        let mut command = command(&std::env::current_exe().unwrap(), path);
        command.envs([(NAME, name), (RECORD, record), (COUNT, &count.to_string())]);
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, lines, stored: 0 }
    }

    /// What it says next; nothing once it has ended.
    fn said(&mut self) -> Option<String> {
        let said = |line: String| line.strip_prefix("other: ").map(ToOwned::to_owned);
        let said = self.lines.by_ref().map(Result::unwrap).find_map(said);
        if let Some(number) = said.as_deref().and_then(|said| said.strip_prefix("stored ")) {
            self.stored = number.parse().unwrap();
        }
        said
    }

    fn wait_for(&mut self, what: &str) -> String {
        loop {
            let said = self.said().unwrap_or_else(|| panic!("it ended before it said `{what}`"));
            if said.starts_with(what) {
                return said;
            }
        }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }

    /// How many records it said it had stored.
    fn kill(mut self) -> u64 {
        self.signal(Signal::KILL);
        while self.said().is_some() {}
        self.process.wait().unwrap();
        self.stored
    }

    fn end(mut self) {
        while self.said().is_some() {}
        assert!(self.process.wait().unwrap().success());
    }
}

#[tokio::test]
async fn processes_that_create_and_fill_it_at_once_lose_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let names = ["one", "two", "three", "four"];
    let others: Vec<Other> =
        names.iter().map(|name| Other::start(&path, name, &format!("{name}.example.com"), 60)).collect();
    others.into_iter().for_each(Other::end);
    let journal = open(&path).await;
    for name in names {
        let rollout = RolloutId::from(name);
        assert_eq!(journal.load(&rollout, 0).await.unwrap(), records(&rollout, 60));
    }
    assert_eq!(integrity(&path), "ok");
}

#[tokio::test]
async fn what_a_killed_process_had_stored_is_there_and_the_file_is_whole() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    for round in 0..12 {
        let name = format!("r{round}");
        let mut other = Other::start(&path, &name, &format!("{name}.example.com"), 100_000);
        other.wait_for(&format!("stored {}", 1 + round * 7));
        let acknowledged = other.kill();
        let (journal, rollout) = (open(&path).await, RolloutId::from(name.as_str()));
        let stored = journal.load(&rollout, 0).await.unwrap();
        let count = stored.len() as u64;
        assert!((acknowledged..=acknowledged + 1).contains(&count), "{count} of {acknowledged}");
        assert_eq!(stored, records(&rollout, count));
        assert_eq!(integrity(&path), "ok");
    }
}

#[tokio::test]
async fn a_lease_is_refused_while_its_process_lives_and_taken_over_after_it_was_killed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let (record, journal) = (RecordName::from("api.example.com"), open(&path).await);
    let mut other = Other::start(&path, "other", "api.example.com", 100_000);
    other.wait_for("stored 1");
    let refused = journal.acquire(&record, "ours", TTL).await;
    assert!(matches!(refused, Err(JournalError::Held { by, .. }) if by == "other"));
    other.kill();
    let began = std::time::Instant::now();
    let lease = loop {
        match journal.acquire(&record, "ours", TTL).await {
            Ok(lease) => break lease,
            Err(JournalError::Held { .. }) => tokio::time::sleep(Duration::from_millis(20)).await,
            Err(error) => panic!("{error}"),
        }
    };
    assert!(lease.fence.0 > 1 && began.elapsed() < 2 * TTL, "{lease:?} after {:?}", began.elapsed());
}

#[tokio::test]
async fn a_process_that_slept_through_its_lease_cannot_write_when_it_wakes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let mut other = Other::start(&path, "sleeper", "api.example.com", 100_000);
    other.wait_for("stored 3");
    other.signal(Signal::STOP);
    tokio::time::sleep(2 * TTL).await;
    let journal = open(&path).await;
    // It may have been stopped inside a transaction: then it holds the file's lock, and only that.
    let record = RecordName::from("api.example.com");
    let taken = journal.acquire(&record, "ours", TTL).await;
    other.signal(Signal::CONT);
    let lease = match taken {
        Ok(lease) => lease,
        Err(JournalError::Unavailable(why)) => {
            assert!(why.contains("another process keeps the journal"), "{why}");
            patiently(async || journal.acquire(&record, "ours", TTL).await).await.unwrap()
        }
        Err(error) => panic!("{error}"),
    };
    let said = other.wait_for("stopped");
    assert!(said.contains("the lease is lost"), "{said}");
    other.process.wait().unwrap();
    let rollout = RolloutId::from("sleeper");
    let stored = journal.load(&rollout, 0).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(
        journal.load(&rollout, 0).await.unwrap(),
        stored,
        "the fenced process has written (ours: {lease:?})"
    );
}

/// A user who may write everything is none to test this with: as root, it is somebody else who opens the file.
#[tokio::test]
async fn a_file_that_cannot_be_written_is_said_to_be_so() {
    let directory = tempfile::tempdir().unwrap();
    let (path, program) = (directory.path().join("journal.db"), directory.path().join("program"));
    drop(open(&path).await);
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    fs::set_permissions(directory.path(), Permissions::from_mode(0o555)).unwrap();
    fs::set_permissions(&program, Permissions::from_mode(0o555)).unwrap();
    let said = |mode| {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let mut command = command(&program, &path);
        if geteuid().is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        let output = command.output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let cases = [(0o444, "ReadOnly"), (0o000, "NotOpened"), (0o666, "ReadOnly")];
    for (mode, expected) in cases {
        let text = said(mode);
        assert!(text.contains(expected), "with mode {mode:o}: {text}");
    }
    fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
}

/// The user without rights, on every Linux.
const NOBODY: u32 = 65_534;
