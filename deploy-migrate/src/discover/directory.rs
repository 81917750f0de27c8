//! Directories of SQL files: golang-migrate's pairs, and plain ones in the order of their names.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::{
    AFTER_DEPLOYED, DiscoverError, Discovered, Discovery, NOTHING, Source, file, shown, text, unreadable,
};
use crate::migration::{Migration, Tool};
use crate::report::Problem;
use crate::rule::Rule;

/// Versions up to this one are counted (`-seq`); larger ones are times, between which nothing is missing (ours).
const LAST_COUNTED: u64 = 99_999;
/// Directories that hold no migrations.
const SKIPPED: [&str; 4] = ["node_modules", "target", "vendor", "__pycache__"];

/// The two halves of a version.
#[derive(Debug, Default)]
struct Pair {
    up: Vec<PathBuf>,
    down: Vec<PathBuf>,
}

/// Reads a directory and those below it. Says whether the deployed version is in it.
pub(super) fn read(path: &Path, how: &Discovery, found: &mut Discovered) -> Result<bool, DiscoverError> {
    let before = (found.migrations.len(), found.problems.len());
    let seen = below(path, how, found)?;
    if before == (found.migrations.len(), found.problems.len()) {
        return Err(DiscoverError::Nothing { path: shown(path) });
    }
    Ok(seen)
}

fn below(path: &Path, how: &Discovery, found: &mut Discovered) -> Result<bool, DiscoverError> {
    let mut files = Vec::new();
    let mut directories = Vec::new();
    for entry in fs::read_dir(path).map_err(|error| unreadable(path, &error))? {
        let entry = entry.map_err(|error| unreadable(path, &error))?.path();
        let name = name_of(&entry);
        if entry.is_dir() {
            if !name.starts_with('.') && !SKIPPED.contains(&name.as_str()) && !entry.is_symlink() {
                directories.push(entry);
            }
        } else if is_golang(&name) || name.to_lowercase().ends_with(".sql") {
            files.push(entry);
        }
    }
    files.sort();
    directories.sort();
    if files.iter().any(|file| is_golang(&name_of(file))) {
        // golang-migrate looks into no directory below.
        return golang(path, &files, how, found);
    }
    let mut seen = plain(path, &files, how, found)?;
    for directory in directories {
        seen |= below(&directory, how, found)?;
    }
    Ok(seen)
}

fn name_of(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// Whether golang-migrate takes a file of this name: `000001_title.up.sql`, or with any other end (its `source.Regex`,
/// `^([0-9]+)_(.*)\.(down|up)\.(.*)$`).
pub(super) fn is_golang(name: &str) -> bool {
    half(name).is_some()
}

/// The version of a file, and whether it is the way back.
pub(crate) fn half(name: &str) -> Option<(u64, bool)> {
    let (version, rest) = name.split_once('_')?;
    let digits = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
    let version = version.parse().ok().filter(|_| digits)?;
    let (up, down) = (rest.rfind(".up."), rest.rfind(".down."));
    // The last one counts, as in a greedy pattern.
    (up.is_some() || down.is_some()).then_some((version, down > up))
}

/// The name of the other half.
fn other_half(path: &Path, is_down: bool) -> String {
    let (from, to) = if is_down { (".down.", ".up.") } else { (".up.", ".down.") };
    let name = shown(path);
    name.rsplit_once(from).map_or_else(|| name.clone(), |(stem, end)| format!("{stem}{to}{end}"))
}

fn golang(
    path: &Path,
    files: &[PathBuf],
    how: &Discovery,
    found: &mut Discovered,
) -> Result<bool, DiscoverError> {
    let mut pairs: BTreeMap<u64, Pair> = BTreeMap::new();
    for file in files {
        let Some((version, is_down)) = half(&name_of(file)) else { continue };
        let pair = pairs.entry(version).or_default();
        if is_down { &mut pair.down } else { &mut pair.up }.push(file.clone());
    }
    if let Some(until) = &how.until {
        let last = until.parse().ok().filter(|last| pairs.contains_key(last));
        let last: u64 = last.ok_or_else(|| unknown_end(path, until))?;
        pairs.retain(|version, _| *version <= last);
    }
    let is_at_nothing = how.deployed.as_deref() == Some(NOTHING);
    let deployed: Option<u64> = how.deployed.as_deref().and_then(|version| version.parse().ok());
    for (version, pair) in &pairs {
        let is_history = deployed.is_some_and(|deployed| *version <= deployed);
        for up in &pair.up {
            let migration = Migration::new(shown(up), text(up)?).with_tool(Tool::GolangMigrate);
            if !is_history {
                found.sources.push(Source::of(up, migration.text()));
                found.problems.extend(byte_order_mark(up, migration.text()));
            }
            found.migrations.push(placed(migration, is_history, is_at_nothing || deployed.is_some()));
        }
        if !is_history {
            pair_problems(*version, pair, found)?;
        }
    }
    gaps(path, &pairs, deployed, found);
    Ok(is_at_nothing || deployed.is_some_and(|version| pairs.contains_key(&version)))
}

fn unknown_end(path: &Path, version: &str) -> DiscoverError {
    DiscoverError::UnknownEnd { path: shown(path), version: version.to_owned() }
}

fn placed(migration: Migration, is_history: bool, is_known: bool) -> Migration {
    if is_history {
        migration.as_history()
    } else if is_known {
        migration.in_release(AFTER_DEPLOYED)
    } else {
        migration
    }
}

fn pair_problems(version: u64, pair: &Pair, found: &mut Discovered) -> Result<(), DiscoverError> {
    for (half, files) in [("up", &pair.up), ("down", &pair.down)] {
        for again in files.iter().skip(1) {
            found.problems.push(Problem::new(
                shown(again),
                Rule::DuplicateVersion,
                format!(
                    "version {version} has a second {half} file: golang-migrate refuses the whole directory"
                ),
                Some("-- Give one of them the next free version.".to_owned()),
            ));
        }
    }
    for down in &pair.down {
        let text = text(down)?;
        found.sources.push(Source::of(down, &text));
        found.problems.extend(byte_order_mark(down, &text));
        found.problems.extend(unreadable_statement(down, &text));
    }
    match (pair.up.first(), pair.down.first()) {
        (Some(up), None) => {
            let down = other_half(up, false);
            found.problems.push(Problem::new(
                shown(up),
                Rule::MissingDown,
                format!(
                    "version {version} has no way back: {down} is missing, so a rollback cannot be tested"
                ),
                Some(format!("-- Write {down}: what undoes this file.")),
            ));
        }
        (None, Some(down)) => {
            let up = other_half(down, true);
            found.problems.push(Problem::new(
                shown(down),
                Rule::MissingUp,
                format!("version {version} has only a way back: {up} is missing"),
                Some(format!("-- Write {up}, or delete this file.")),
            ));
        }
        (Some(_), Some(_)) | (None, None) => {}
    }
    Ok(())
}

/// golang-migrate sends the file as it is, and PostgreSQL takes the mark for a word.
fn byte_order_mark(path: &Path, text: &str) -> Option<Problem> {
    let why = "begins with a byte order mark, which PostgreSQL refuses: save the file as UTF-8 without one";
    text.starts_with('\u{feff}').then(|| Problem::new(shown(path), Rule::Unreadable, why.to_owned(), None))
}

/// A way back that cannot be read would fail when it is needed most.
fn unreadable_statement(path: &Path, text: &str) -> Option<Problem> {
    let broken = crate::facts::read(text).into_iter().find_map(|statement| {
        let problem = statement.problem?;
        Some((statement.span.start, problem.message()))
    });
    broken.map(|(at, message)| {
        let position = crate::text::Lines::of(text).position(at);
        Problem::new(shown(path), Rule::Unreadable, format!("the way back {message}"), None).at(position)
    })
}

fn gaps(path: &Path, pairs: &BTreeMap<u64, Pair>, deployed: Option<u64>, found: &mut Discovered) {
    let versions: Vec<u64> = pairs.keys().copied().filter(|version| *version <= LAST_COUNTED).collect();
    for two in versions.windows(2) {
        let &[before, after] = two else { continue };
        if after - before <= 1 || deployed.is_some_and(|deployed| after <= deployed) {
            continue;
        }
        let missing = if after - before == 2 {
            format!("version {} is", before + 1)
        } else {
            format!("versions {} to {} are", before + 1, after - 1)
        };
        let file = pairs.get(&after).and_then(|pair| pair.up.first().or(pair.down.first()));
        found.problems.push(Problem::new(
            file.map_or_else(|| shown(path), |file| shown(file)),
            Rule::VersionGap,
            format!("{missing} missing before version {after}: what is merged later with that number is never applied"),
            Some("-- Number the files without a gap, or bring the missing one back.".to_owned()),
        ));
    }
}

/// Plain SQL files, in the order of their names.
fn plain(
    path: &Path,
    files: &[PathBuf],
    how: &Discovery,
    found: &mut Discovered,
) -> Result<bool, DiscoverError> {
    let mut ups: Vec<&PathBuf> = files.iter().filter(|file| !name_of(file).ends_with(".down.sql")).collect();
    let position =
        |ups: &[&PathBuf], version: &str| ups.iter().rposition(|file| is_version(&name_of(file), version));
    if let Some(until) = &how.until {
        let last = position(&ups, until).ok_or_else(|| unknown_end(path, until))?;
        ups.truncate(last + 1);
    }
    let is_at_nothing = how.deployed.as_deref() == Some(NOTHING);
    let last = how.deployed.as_deref().and_then(|version| position(&ups, version));
    for (at, path) in ups.into_iter().enumerate() {
        let is_history = last.is_some_and(|last| at <= last);
        let migration = file(path)?;
        if !is_history {
            found.sources.push(Source::of(path, migration.text()));
        }
        found.migrations.push(placed(migration, is_history, is_at_nothing || last.is_some()));
    }
    Ok(is_at_nothing || last.is_some())
}

/// A file is named by its whole name, its name without the end, or what stands before the first `_`.
fn is_version(name: &str, version: &str) -> bool {
    let stem = name.strip_suffix(".sql").unwrap_or(name);
    name == version || stem == version || stem.split('_').next() == Some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_version_and_direction() {
        assert_eq!(half("000012_add_x.up.sql"), Some((12, false)));
        assert_eq!(half("20260128120000_add_x.down.sql"), Some((20_260_128_120_000, true)));
        assert_eq!((half("add_x.up.sql"), half("1_add.sql"), half("1.up.sql")), (None, None, None));
        assert_eq!((half("1_x.up.SQL"), half("1_x.up.pgsql~")), (Some((1, false)), Some((1, false))));
        assert_eq!(
            (half("1_x.up.down.sql"), half("1_.up."), half("+1_x.up.sql")),
            (Some((1, true)), Some((1, false)), None)
        );
        assert_eq!(other_half(Path::new("db/1_x.up.pgsql"), false), "db/1_x.down.pgsql");
    }

    #[test]
    fn a_version_is_the_name_or_its_beginning() {
        assert!(is_version("003_add.sql", "003") && is_version("003_add.sql", "003_add"));
        assert!(!is_version("003_add.sql", "3"));
    }
}
