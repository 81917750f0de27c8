//! What Alembic scripts run, heard from SQLAlchemy while they run on the copy, and that they connect to nothing else.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mpac_deploy_core::port::PortError;
use serde::Deserialize;
use tempfile::TempDir;

use crate::Migration;
use crate::discover::{Heard, captured};

/// Python imports it at its start, wherever `alembic` comes from.
const HOOK: &str = include_str!("sitecustomize.py");
const HOOK_NAME: &str = "sitecustomize.py";
/// Where the hook writes.
const LOG: &str = "MPAC_DEPLOY_CAPTURE";
/// The only database to which it lets Alembic connect.
const COPY: &str = "MPAC_DEPLOY_COPY";

/// A place where the hook is found, and where it writes. Gone when it is dropped.
pub(super) struct Capture {
    directory: TempDir,
}

/// A line of the hook's file.
#[derive(Deserialize)]
struct Line {
    path: PathBuf,
    line: usize,
    sql: String,
    #[serde(default)]
    alone: bool,
    /// The search path of the session.
    #[serde(default)]
    names: Option<String>,
    /// Why the statement could not be written down as it was sent.
    #[serde(default)]
    failed: Option<String>,
}

impl Capture {
    pub(super) fn new() -> Result<Self, PortError> {
        let made = || -> io::Result<Self> {
            let directory = TempDir::new()?;
            fs::write(directory.path().join(HOOK_NAME), HOOK)?;
            Ok(Self { directory })
        };
        made().map_err(|error| {
            PortError::Unavailable(format!("no directory to capture statements in: {error}"))
        })
    }

    fn log(&self) -> PathBuf {
        self.directory.path().join("log")
    }

    /// What Alembic finds in its environment, where it may connect to the database of this name, or to none.
    pub(super) fn environment(&self, copy: &str) -> Vec<(String, OsString)> {
        let before = std::env::var_os("PYTHONPATH").filter(|paths| !paths.is_empty());
        let mut paths = self.directory.path().as_os_str().to_owned();
        if let Some(before) = before {
            paths.push(":");
            paths.push(before);
        }
        let log = self.log().into_os_string();
        vec![("PYTHONPATH".to_owned(), paths), (LOG.to_owned(), log), (COPY.to_owned(), OsString::from(copy))]
    }

    /// Whether Python has found the hook.
    pub(super) fn is_heard(&self) -> bool {
        self.log().is_file()
    }

    /// The scripts that ran, in their order, as the statements that they sent; nothing if nobody listened.
    ///
    /// Names are looked up by `search_path` at first.
    pub(super) fn migrations(
        &self,
        project: &Path,
        search_path: &str,
    ) -> Result<Option<Vec<Migration>>, PortError> {
        let unusable =
            |why: String| PortError::Refused(format!("what the scripts sent cannot be read: {why}"));
        let text = match fs::read_to_string(self.log()) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unusable(error.to_string())),
        };
        let mut scripts: Vec<(PathBuf, Vec<Heard>)> = Vec::new();
        let mut names_by = search_path.to_owned();
        for line in text.lines() {
            let Line { path, line, sql, alone, names, failed } =
                serde_json::from_str(line).map_err(|error| unusable(error.to_string()))?;
            if let Some(why) = failed {
                return Err(unusable(format!("{}:{line}: {why}", path.display())));
            }
            let mut sent = Vec::new();
            // Somebody has set it, `env.py` for instance.
            if let Some(names) = names.filter(|names| *names != names_by) {
                let value = if names.is_empty() { "''" } else { &names };
                sent.push(Heard { line, sql: format!("SET search_path TO {value}"), alone });
                names_by = names;
            }
            sent.push(Heard { line, sql, alone });
            match scripts.iter_mut().find(|(known, _)| *known == path) {
                Some((_, all)) => all.append(&mut sent),
                None => scripts.push((path, sent)),
            }
        }
        let read = scripts.iter().map(|(path, heard)| captured(path, project, heard));
        read.collect::<Result<Vec<Migration>, _>>().map(Some).map_err(|error| unusable(error.to_string()))
    }
}
