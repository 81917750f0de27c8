//! Runs the built command line.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, outside a test function")]
#![allow(dead_code, reason = "each test binary uses its part")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            status: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Standard output as the one JSON document that it must be.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// The built `mpac-deploy`, without a terminal and without colours.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mpac-deploy"));
    command.env("NO_COLOR", "1");
    command
}

pub(crate) fn run(arguments: &[&str]) -> Run {
    run_with(arguments, b"")
}

/// Runs it with something on standard input.
pub(crate) fn run_with(arguments: &[&str], input: &[u8]) -> Run {
    let mut child = command()
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Whoever refuses its arguments reads nothing.
    child.stdin.take().unwrap().write_all(input).ok();
    Run::of(child.wait_with_output().unwrap())
}

/// A folder of its own for a test, with a file in it.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file and says where.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        std::fs::write(self.path(name), content).unwrap();
        text(&self.path(name))
    }
}

pub(crate) fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// The preset as `policy show` writes it.
pub(crate) fn preset() -> String {
    run(&["policy", "show"]).stdout
}

/// A recording of green alone, in which each of so many minutes has these rows.
pub(crate) fn recording(minutes: u32, rows: &[(&str, &str)]) -> String {
    let mut csv = String::from("time,side,metric,value\n");
    for minute in 0..minutes {
        for (metric, value) in rows {
            csv.push_str(&row(minute, "green", metric, value));
        }
    }
    csv
}

/// A row at so many minutes after nine.
pub(crate) fn row(minute: u32, side: &str, metric: &str, value: &str) -> String {
    format!("2026-01-28T{:02}:{:02}:00Z,{side},{metric},{value}\n", 9 + minute / 60, minute % 60)
}

/// All that the gates of the preset look at, in good health.
pub(crate) const HEALTHY: [(&str, &str); 11] = [
    ("requests", "1000"),
    ("latency_p50_ms", "40"),
    ("latency_p95_ms", "180"),
    ("latency_p99_ms", "400"),
    ("db_connection_errors", "0"),
    ("memory_utilization", "0.5"),
    ("transactions", "300"),
    ("transaction_failures", "0"),
    ("log_anomalies", "0"),
    ("postgres_up", "1"),
    ("redis_up", "1"),
];
