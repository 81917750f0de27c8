//! Finds migrations: SQL files, directories of golang-migrate and of plain SQL, Alembic projects.
//!
//! This is the only part of the crate that reads files or starts a program.

mod alembic;
mod directory;
mod process;
mod script;
mod source;

use std::ffi::OsString;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::migration::{Migration, Tool};
use crate::report::Problem;

pub use alembic::AlembicCommand;
#[cfg(feature = "run")]
pub(crate) use alembic::{captured, last_words, revisions_of_history};
#[cfg(feature = "run")]
pub(crate) use directory::half as half_of_a_version;
#[cfg(feature = "run")]
pub(crate) use script::Heard;
pub use source::Source;

/// What `deployed` says of a database without any migration: ours for golang-migrate, which has no word for it, and Alembic's.
const NOTHING: &str = "none";
const BASE: &str = "base";

/// So many files a thread reads at once (ours: one takes some 20 µs).
const FILES_AT_ONCE: usize = 64;
/// Far beyond any migration that a person writes.
const MAX_BYTES: u64 = 64 << 20;

/// How to look for migrations.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Discovery {
    /// The version that the database is at; `none`, as `base` for Alembic, if it is at none. Everything up to it is history, everything
    /// after it one release. Without it each file of a directory is a release of its own.
    pub deployed: Option<String>,
    /// The last version that counts; what comes later, such as phase 2, is left out.
    pub until: Option<String>,
    /// How Alembic is run; found out if left out.
    pub alembic: Option<AlembicCommand>,
    /// What Alembic finds in its environment besides ours, by name: many a project reads the database's URL there, and Alembic asks for
    /// its dialect even when it connects to nothing.
    pub environment: Vec<(String, OsString)>,
    /// Variables of our environment that Alembic does not find.
    pub forgotten: Vec<String>,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Discovered {
    /// The migrations, in the order in which they run.
    pub migrations: Vec<Migration>,
    /// What is wrong with files as a whole: a missing way back, a gap, a version that is there twice.
    pub problems: Vec<Problem>,
    /// The files of the release, with the ways back: all that is not history.
    pub sources: Vec<Source>,
}

/// Why there is nothing to judge.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoverError {
    /// A path that cannot be read.
    #[error("{path}: {why}")]
    Unreadable {
        /// The path.
        path: String,
        /// Why.
        why: String,
    },
    /// A path without migrations.
    #[error(
        "{path}: no migrations: neither a .sql file, nor a directory with any, nor an Alembic project (alembic.ini)"
    )]
    Nothing {
        /// The path.
        path: String,
    },
    /// The version that is said to be deployed is in none of the paths.
    #[error("no migration has the version {version}, which is said to be deployed")]
    UnknownVersion {
        /// The version.
        version: String,
    },
    /// The version that is said to be the last one is in a path that has no such version.
    #[error("{path}: no migration has the version {version}, which is said to be the last one")]
    UnknownEnd {
        /// The path.
        path: String,
        /// The version.
        version: String,
    },
    /// Alembic did not do what it was asked for.
    #[error("{path}: {why}")]
    Alembic {
        /// The project.
        path: String,
        /// What went wrong, and what to do.
        why: String,
    },
}

/// The release of the files that are named one by one.
const NAMED: u64 = 0;
/// The release of everything after the deployed version.
const AFTER_DEPLOYED: u64 = 1;

/// What a path names.
enum Named {
    Directory,
    /// An `alembic.ini`.
    Project,
    /// A revision of Alembic.
    Script,
    /// A file of SQL.
    File(Migration, Source),
}

impl Named {
    fn look(path: &Path) -> Result<Self, DiscoverError> {
        if fs::metadata(path).map_err(|error| unreadable(path, &error))?.is_dir() {
            return Ok(Self::Directory);
        }
        if is_alembic_ini(path) {
            return Ok(Self::Project);
        }
        if path.extension().is_some_and(|end| end == "py") {
            return Ok(Self::Script);
        }
        let migration = file(path)?;
        let source = Source::of(path, migration.text());
        Ok(Self::File(migration, source))
    }
}

impl Discovery {
    /// Finds the migrations under these paths. Files that are named one by one are one release.
    ///
    /// # Errors
    ///
    /// A path that cannot be read or holds no migrations, a deployed version that no migration has, and an Alembic that
    /// cannot be run.
    pub fn find(&self, paths: &[PathBuf]) -> Result<Discovered, DiscoverError> {
        let mut found = Discovered::default();
        let mut seen_deployed = false;
        let named: Vec<_> =
            paths.par_iter().with_min_len(FILES_AT_ONCE).map(|path| Named::look(path)).collect();
        for (path, named) in paths.iter().zip(named) {
            match named? {
                Named::Directory => seen_deployed |= self.directory(path, &mut found)?,
                Named::Project => seen_deployed |= alembic::project(path, None, self, &mut found)?,
                Named::Script => seen_deployed |= alembic::script(path, self, &mut found)?,
                Named::File(migration, source) => {
                    found.sources.push(source);
                    if !is_other_half(path, paths) {
                        found.migrations.push(migration.in_release(NAMED));
                    }
                }
            }
        }
        match &self.deployed {
            Some(version) if !seen_deployed => {
                Err(DiscoverError::UnknownVersion { version: version.clone() })
            }
            Some(_) | None => Ok(found),
        }
    }

    /// Whether the deployed version is among what was found.
    fn directory(&self, path: &Path, found: &mut Discovered) -> Result<bool, DiscoverError> {
        if path.join("alembic.ini").is_file() {
            return alembic::project(&path.join("alembic.ini"), None, self, found);
        }
        if path.join("env.py").is_file() || path.join("../env.py").is_file() {
            return alembic::inside(path, self, found);
        }
        directory::read(path, self, found)
    }
}

fn is_alembic_ini(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "ini")
}

/// `x.down.sql` beside `x.up.sql` is its way back, not a migration of its own.
fn is_other_half(path: &Path, paths: &[PathBuf]) -> bool {
    let name = path.to_string_lossy();
    name.strip_suffix(".down.sql")
        .is_some_and(|stem| paths.contains(&PathBuf::from(format!("{stem}.up.sql"))))
}

/// One SQL file, run by whoever its name says.
fn file(path: &Path) -> Result<Migration, DiscoverError> {
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let tool = if directory::is_golang(&name) { Tool::GolangMigrate } else { Tool::Plain };
    Ok(Migration::new(shown(path), text(path)?).with_tool(tool))
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> DiscoverError {
    DiscoverError::Unreadable { path: shown(path), why: error.to_string() }
}

/// The text of a file.
fn text(path: &Path) -> Result<String, DiscoverError> {
    let mut bytes = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| unreadable(path, &error))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(unreadable(path, &"more than 64 MiB: this is no migration"));
    }
    String::from_utf8(bytes)
        .map_err(|error| unreadable(path, &format!("no UTF-8 ({}): save it as UTF-8", error.utf8_error())))
}
