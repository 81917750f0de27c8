//! The files of golang-migrate, as far as whoever runs them must know them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use mpac_deploy_core::ids::SchemaVersion;
use mpac_deploy_core::port::PortError;

use super::version::MIGRATE_NOTHING;
use crate::discover::half_of_a_version;

/// A directory of `000001_title.up.sql` and `.down.sql`.
pub(super) struct Files {
    directory: PathBuf,
    versions: BTreeMap<u64, Halves>,
}

#[derive(Default)]
struct Halves {
    up: Option<PathBuf>,
    down: Option<PathBuf>,
}

/// Which way a schema is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    There,
    Back,
}

/// `none` comes before every number.
pub(super) fn number(version: &SchemaVersion) -> Result<Option<u64>, PortError> {
    if version.as_str() == MIGRATE_NOTHING {
        return Ok(None);
    }
    version.as_str().parse().map(Some).map_err(|_| {
        PortError::Refused(format!(
            "`{version}` is no version of golang-migrate: name a number, or `{MIGRATE_NOTHING}`"
        ))
    })
}

pub(super) fn version(number: Option<u64>) -> SchemaVersion {
    number
        .map_or_else(|| SchemaVersion::from(MIGRATE_NOTHING), |number| SchemaVersion::new(number.to_string()))
}

impl Files {
    pub(super) fn read(directory: &Path) -> Result<Self, PortError> {
        let unreadable = |error: std::io::Error| {
            PortError::NotFound(format!("the migrations in {} cannot be read: {error}", directory.display()))
        };
        let mut versions: BTreeMap<u64, Halves> = BTreeMap::new();
        for entry in fs::read_dir(directory).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            let Some((version, is_down)) = half_of_a_version(&name) else { continue };
            let halves = versions.entry(version).or_default();
            *(if is_down { &mut halves.down } else { &mut halves.up }) = Some(path);
        }
        Ok(Self { directory: directory.to_path_buf(), versions })
    }

    /// The versions above one and up to another.
    pub(super) fn between(&self, low: Option<u64>, high: Option<u64>) -> Vec<u64> {
        let inside = |version: &&u64| {
            low.is_none_or(|low| **version > low) && high.is_some_and(|high| **version <= high)
        };
        self.versions.keys().filter(inside).copied().collect()
    }

    /// The version below another.
    pub(super) fn below(&self, version: u64) -> Option<u64> {
        self.versions.range(..version).next_back().map(|(version, _)| *version)
    }

    /// The version above another.
    pub(super) fn above(&self, version: Option<u64>) -> Option<u64> {
        self.versions.keys().copied().find(|other| version.is_none_or(|version| *other > version))
    }

    /// The half of a version that runs.
    pub(super) fn half(&self, version: u64, way: Way) -> Option<&Path> {
        let halves = self.versions.get(&version)?;
        match way {
            Way::There => halves.up.as_deref(),
            Way::Back => halves.down.as_deref(),
        }
    }

    /// Every version on the way needs its file: without it golang-migrate notes the version and changes nothing.
    pub(super) fn need(&self, low: Option<u64>, high: Option<u64>, way: Way) -> Result<(), PortError> {
        let end = match way {
            Way::There => "up.sql",
            Way::Back => "down.sql",
        };
        let missing = |version: u64| {
            let directory = self.directory.display();
            PortError::Refused(format!(
                "{directory} has no {version}_*.{end}: golang-migrate would note the version and change nothing"
            ))
        };
        if let Some(high) = high.filter(|high| !self.versions.contains_key(high)) {
            return Err(missing(high));
        }
        match self.between(low, high).into_iter().find(|version| self.half(*version, way).is_none()) {
            Some(version) => Err(missing(version)),
            None => Ok(()),
        }
    }
}

/// Words of statements that end or avoid the one transaction that a file is, and of blocks that may.
const NOT_ONE_TRANSACTION: [&str; 20] = [
    "BEGIN",
    "START",
    "COMMIT",
    "END",
    "ROLLBACK",
    "ABORT",
    "SAVEPOINT",
    "RELEASE",
    "PREPARE",
    "CONCURRENTLY",
    "VACUUM",
    "REINDEX",
    "CLUSTER",
    "CALL",
    "DO",
    "SYSTEM",
    "DATABASE",
    "TABLESPACE",
    "SUBSCRIPTION",
    "COPY",
];

/// Whether a file is certainly one transaction, so that a failure undoes all of it. A word in a text or a comment counts too: then a
/// person looks.
pub(super) fn is_one_transaction(path: &Path) -> bool {
    let Ok(text) = fs::read_to_string(path) else { return false };
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    !words.into_iter().any(|word| NOT_ONE_TRANSACTION.iter().any(|not| word.eq_ignore_ascii_case(not)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(dir.path().join(name), text).unwrap();
        }
        dir
    }

    #[test]
    fn a_version_without_the_half_that_is_needed_is_refused() {
        let dir =
            directory(&[("1_a.up.sql", ""), ("1_a.down.sql", ""), ("3_b.up.sql", ""), ("README.md", "")]);
        let files = Files::read(dir.path()).unwrap();
        assert!(files.need(None, Some(3), Way::There).is_ok());
        let back = files.need(Some(1), Some(3), Way::Back).unwrap_err().to_string();
        assert!(back.contains("no 3_*.down.sql"), "{back}");
        assert!(files.need(Some(1), Some(4), Way::There).is_err());
        assert_eq!((files.between(None, Some(3)), files.between(Some(1), None)), (vec![1, 3], vec![]));
        assert_eq!(
            (files.below(3), files.below(1), files.above(None), files.above(Some(1))),
            (Some(1), None, Some(1), Some(3))
        );
    }

    #[test]
    fn one_transaction_is_only_what_certainly_is() {
        let dir = directory(&[
            ("1_a.up.sql", "ALTER TABLE t ADD COLUMN a int; UPDATE t SET a = 1;"),
            ("2_b.up.sql", "create index concurrently i on t (a)"),
            ("3_c.up.sql", "DO $$ begin perform 1; end $$"),
        ]);
        let is = |name| is_one_transaction(&dir.path().join(name));
        assert_eq!(
            (is("1_a.up.sql"), is("2_b.up.sql"), is("3_c.up.sql"), is("4_d.up.sql")),
            (true, false, false, false)
        );
    }

    #[test]
    fn a_version_is_a_number_or_nothing() {
        assert_eq!(number(&"7".into()), Ok(Some(7)));
        assert_eq!(number(&"none".into()), Ok(None));
        assert!(number(&"head".into()).is_err());
    }
}
