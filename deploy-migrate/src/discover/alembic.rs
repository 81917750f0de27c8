//! Alembic projects: the SQL of each revision, from Alembic itself.
//!
//! One revision at a time is asked for: a single dump would fail as a whole where one script needs a connection.

use std::collections::BTreeSet;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

#[cfg(feature = "run")]
use super::script::Heard;
use super::{
    AFTER_DEPLOYED, BASE, DiscoverError, Discovered, Discovery, Source, process, script as python, shown,
    text,
};
use crate::migration::Migration;
use crate::report::Problem;
use crate::rule::Rule;
use crate::split::split;

/// One call of Alembic in offline mode starts Python and connects to nothing (ours).
const LIMIT: Duration = Duration::from_secs(120);
/// What the line begins with in which SQLAlchemy repeats the server's error.
const SQLALCHEMY_ERROR: &str = "sqlalchemy.exc.";
/// Directories above a script in which `alembic.ini` is looked for: `project/migrations/versions/` and some more.
const LEVELS: usize = 5;

/// How Alembic is run: a program and its first arguments, such as `uv run alembic`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlembicCommand(Vec<String>);

impl AlembicCommand {
    /// The words of a command line, separated by white space. `None` if there are none.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        (!words.is_empty()).then_some(Self(words))
    }

    /// The strategy's `uv run alembic` where the project is uv's; else the project's own environment, `alembic`, or Python's
    /// module of that name.
    pub(crate) fn of(project: &Path) -> Self {
        let own = project.join(".venv/bin/alembic");
        let words: Vec<String> = if project.join("uv.lock").is_file() && is_on_path("uv") {
            ["uv", "run", "alembic"].map(str::to_owned).to_vec()
        } else if let Some(own) = own.canonicalize().ok().and_then(|path| path.to_str().map(str::to_owned)) {
            vec![own]
        } else if is_on_path("alembic") {
            vec!["alembic".to_owned()]
        } else {
            ["python3", "-m", "alembic"].map(str::to_owned).to_vec()
        };
        Self(words)
    }

    /// The words.
    #[cfg(feature = "run")]
    pub(crate) fn words(&self) -> &[String] {
        &self.0
    }

    fn run(&self, ini: &Path, arguments: &[&str], how: &Discovery) -> Result<process::Output, DiscoverError> {
        let (program, first) =
            self.0.split_first().ok_or_else(|| failed(ini, "no command for Alembic".into()))?;
        let mut command = Command::new(program);
        command.args(first).arg("-c").arg(ini.file_name().unwrap_or(ini.as_os_str())).args(arguments);
        if let Some(project) = ini.parent().filter(|project| !project.as_os_str().is_empty()) {
            command.current_dir(project);
        }
        // A project's own settings must not turn colours or the pager on.
        command.env("NO_COLOR", "1").env("PYTHONUNBUFFERED", "1");
        // A project that connects although nobody asked it to changes nothing there.
        command.env("PGOPTIONS", read_only(env::var("PGOPTIONS").ok()));
        for variable in &how.forgotten {
            command.env_remove(variable);
        }
        command.envs(how.environment.iter().map(|(name, value)| (name, value)));
        process::run(&mut command, LIMIT).map_err(|error| {
            failed(
                ini,
                format!("cannot run `{}`: {error}; say how with --alembic \"COMMAND\"", self.0.join(" ")),
            )
        })
    }
}

/// What libpq tells the server: what was said before, and that nothing is to be written.
fn read_only(before: Option<String>) -> String {
    let before = before.unwrap_or_default();
    format!("{before} -c default_transaction_read_only=on").trim_start().to_owned()
}

fn is_on_path(program: &str) -> bool {
    env::var_os("PATH")
        .is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}

fn failed(ini: &Path, why: String) -> DiscoverError {
    DiscoverError::Alembic { path: shown(ini), why }
}

/// A revision, as `alembic history --verbose` lists it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Revision {
    id: String,
    /// None for the first, several for a merge.
    parents: Vec<String>,
    path: PathBuf,
}

/// A script directory, or its `versions`: the project is above it.
pub(super) fn inside(path: &Path, how: &Discovery, found: &mut Discovered) -> Result<bool, DiscoverError> {
    match above(path) {
        Some(ini) => project(&ini, None, how, found),
        None => Err(DiscoverError::Alembic {
            path: shown(path),
            why: "has an env.py, but no alembic.ini is above it: name the alembic.ini".to_owned(),
        }),
    }
}

/// One revision script.
pub(super) fn script(path: &Path, how: &Discovery, found: &mut Discovered) -> Result<bool, DiscoverError> {
    match above(path) {
        Some(ini) => project(&ini, Some(path), how, found),
        None => Err(DiscoverError::Nothing { path: shown(path) }),
    }
}

fn above(path: &Path) -> Option<PathBuf> {
    let absolute = path.canonicalize().ok()?;
    absolute.ancestors().take(LEVELS).map(|directory| directory.join("alembic.ini")).find(|ini| ini.is_file())
}

/// All revisions of a project, or one.
pub(super) fn project(
    ini: &Path,
    only: Option<&Path>,
    how: &Discovery,
    found: &mut Discovered,
) -> Result<bool, DiscoverError> {
    let directory = ini.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    let command = how.alembic.clone().unwrap_or_else(|| AlembicCommand::of(&directory));
    let output = command.run(ini, &["history", "--verbose"], how)?;
    if !output.status.success() {
        let why = format!("`{} history` failed: {}", command.0.join(" "), last_words(output.stderr.lines()));
        return Err(failed(ini, format!("{why}; another way to run it is said with --alembic \"COMMAND\"")));
    }
    let mut revisions = history(&output.stdout);
    revisions.reverse();
    if let Some(until) = &how.until {
        let on_the_way = ancestors(&revisions, until);
        if on_the_way.is_empty() {
            return Err(DiscoverError::UnknownEnd { path: shown(ini), version: until.clone() });
        }
        revisions.retain(|revision| on_the_way.contains(&revision.id));
    }
    if let Some(only) = only {
        let only = only.canonicalize().unwrap_or_else(|_| only.to_path_buf());
        revisions.retain(|revision| revision.path == only);
    }
    if revisions.is_empty() {
        return Err(DiscoverError::Nothing { path: shown(only.unwrap_or(ini)) });
    }
    let deployed = how.deployed.as_deref().map(|heads| applied(&revisions, heads)).unwrap_or_default();
    let is_known = !deployed.is_empty() || how.deployed.as_deref() == Some(BASE);
    let offline = Offline { command: &command, ini, how };
    let texts = offline.all_sql(&revisions);
    for (revision, sql) in revisions.iter().zip(texts) {
        let is_history = deployed.contains(&revision.id);
        add(revision, sql?, &directory, (is_history, is_known), found)?;
    }
    Ok(is_known)
}

/// What is applied to a database that is at these heads, `a1` or `b1,c1`: they and all before them. Nothing if there is no such revision, or
/// not all of them.
fn applied(revisions: &[Revision], heads: &str) -> BTreeSet<String> {
    let each = heads.split(',').map(|head| ancestors(revisions, head.trim()));
    each.reduce(|all, one| {
        if all.is_empty() || one.is_empty() { BTreeSet::new() } else { all.union(&one).cloned().collect() }
    })
    .unwrap_or_default()
}

/// A revision and all before it, by any branch; nothing if there is no such revision.
fn ancestors(revisions: &[Revision], id: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![id.to_owned()];
    while let Some(id) = open.pop() {
        if let Some(revision) = revisions.iter().find(|revision| revision.id == id)
            && found.insert(id)
        {
            open.extend(revision.parents.iter().cloned());
        }
    }
    found
}

/// Alembic without a database.
struct Offline<'a> {
    command: &'a AlembicCommand,
    ini: &'a Path,
    how: &'a Discovery,
}

/// The SQL of a revision, or what Alembic said instead.
enum Sql {
    Text(String),
    NeedsConnection(String),
}

impl Offline<'_> {
    /// Alembic starts slowly, so that several run beside each other.
    fn all_sql(&self, revisions: &[Revision]) -> Vec<Result<Sql, DiscoverError>> {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let mut texts = Vec::with_capacity(revisions.len());
        for some in revisions.chunks(threads) {
            thread::scope(|scope| {
                let running: Vec<_> =
                    some.iter().map(|revision| scope.spawn(|| self.sql_of(revision))).collect();
                for one in running {
                    texts.push(
                        one.join().unwrap_or_else(|_| {
                            Err(failed(self.ini, "Alembic could not be waited for".into()))
                        }),
                    );
                }
            });
        }
        texts
    }

    fn sql_of(&self, revision: &Revision) -> Result<Sql, DiscoverError> {
        let base = ["base".to_owned()];
        let parents = if revision.parents.is_empty() { &base[..] } else { &revision.parents };
        let mut why = String::new();
        // Of a merge the other branch comes along, and may need a connection where this one does not.
        for parent in parents {
            let way = format!("{parent}:{}", revision.id);
            let output = self.command.run(self.ini, &["upgrade", &way, "--sql"], self.how)?;
            match section(&output.stdout, &revision.id) {
                Some(sql) if output.status.success() => return Ok(Sql::Text(sql)),
                Some(_) | None => why = last_words(output.stderr.lines()).to_owned(),
            }
        }
        Ok(Sql::NeedsConnection(why))
    }
}

fn add(
    revision: &Revision,
    sql: Sql,
    directory: &Path,
    (is_history, is_known): (bool, bool),
    found: &mut Discovered,
) -> Result<(), DiscoverError> {
    let path = relative(&revision.path, directory);
    let script = text(&revision.path)?;
    if !is_history {
        found.sources.push(Source::of(&revision.path, &script));
    }
    match sql {
        Sql::Text(sql) => {
            let (sql, positions) = python::located(&script, &sql);
            let migration = Migration::new(shown(&path), sql).with_positions(positions);
            found.migrations.push(if is_history {
                migration.as_history()
            } else if is_known {
                migration.in_release(AFTER_DEPLOYED)
            } else {
                migration
            });
        }
        Sql::NeedsConnection(_) if is_history => {}
        Sql::NeedsConnection(why) => found.problems.push(Problem::new(
            shown(&path),
            Rule::Unreadable,
            format!(
                "revision {} cannot be read without a connection to a database: `alembic upgrade {}:{} --sql` failed: {why}",
                revision.id,
                revision.parents.first().map_or("base", String::as_str),
                revision.id
            ),
            Some("-- Write what depends on the data as SQL in op.execute(), or rehearse it: `mpac-deploy migrations rehearse` runs it on a copy of the schema and hears what it sends.".to_owned()),
        )),
    }
    Ok(())
}

/// A script that ran, as the statements that it was heard to send; of the release that comes after what is deployed.
#[cfg(feature = "run")]
pub(crate) fn captured(path: &Path, directory: &Path, heard: &[Heard]) -> Result<Migration, DiscoverError> {
    let (sql, positions) = python::placed(&text(path)?, heard);
    let shown = shown(&relative(path, directory));
    Ok(Migration::new(shown, sql).with_positions(positions).in_release(AFTER_DEPLOYED))
}

/// The path as a person would write it from where the project was named.
fn relative(path: &Path, directory: &Path) -> PathBuf {
    let inside =
        directory.canonicalize().ok().and_then(|root| path.strip_prefix(root).ok().map(Path::to_path_buf));
    inside.map_or_else(|| path.to_path_buf(), |inside| directory.join(inside))
}

/// The part of an offline run that belongs to one revision, in the transaction that Alembic puts it in, without Alembic's
/// own bookkeeping.
fn section(stdout: &str, id: &str) -> Option<String> {
    let marks: Vec<(usize, &str)> = stdout
        .lines()
        .scan(0, |at, line| {
            let start = *at;
            *at += line.len() + 1;
            Some((start, line))
        })
        .filter(|(_, line)| line.starts_with("-- Running upgrade "))
        .collect();
    let ours = marks.iter().position(|(_, line)| line.rsplit("-> ").next().map(str::trim) == Some(id))?;
    let (start, _) = *marks.get(ours)?;
    let end = marks.get(ours + 1).map_or(stdout.len(), |(next, _)| *next);
    let before = stdout.get(..start)?;
    let begun = before.matches("BEGIN;").count() > before.matches("COMMIT;").count();
    let body = stdout.get(start..end)?;
    let mut sql = String::from(if begun { "BEGIN;\n" } else { "" });
    for piece in split(body) {
        let statement = body.get(piece.span.start..piece.span.end)?;
        if !is_bookkeeping(statement) {
            for comment in &piece.comments {
                sql.push_str(body.get(comment.start..comment.end)?);
                sql.push('\n');
            }
            sql.push_str(statement);
            sql.push('\n');
        }
    }
    Some(sql)
}

fn is_bookkeeping(statement: &str) -> bool {
    let words: Vec<&str> = statement.split_whitespace().take(3).collect();
    words.iter().any(|word| *word == "alembic_version" || word.ends_with(".alembic_version"))
}

/// The line that says what went wrong: the last one with something on it, or SQLAlchemy's error, behind which the statement and an address of
/// its manual follow.
pub(crate) fn last_words<'a>(lines: impl DoubleEndedIterator<Item = &'a str> + Clone) -> &'a str {
    let lines = lines.map(str::trim).rev();
    let error = lines.clone().find(|line| line.starts_with(SQLALCHEMY_ERROR));
    error.or_else(|| lines.clone().find(|line| !line.is_empty())).unwrap_or("it said nothing")
}

/// The ids of the revisions that `alembic history --verbose` lists.
#[cfg(feature = "run")]
pub(crate) fn revisions_of_history(text: &str) -> Vec<String> {
    history(text).into_iter().map(|revision| revision.id).collect()
}

/// Reads `alembic history --verbose`, newest first.
fn history(text: &str) -> Vec<Revision> {
    let mut revisions: Vec<Revision> = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("Rev: ") {
            let id = rest.split_whitespace().next().unwrap_or("").to_owned();
            revisions.push(Revision { id, ..Revision::default() });
        }
        let Some(revision) = revisions.last_mut() else { continue };
        if let Some(parents) = line.strip_prefix("Parent: ").or_else(|| line.strip_prefix("Merges: ")) {
            revision.parents = parents
                .split(", ")
                .filter(|parent| *parent != "<base>")
                .map(|it| it.trim().to_owned())
                .collect();
        } else if let Some(path) = line.strip_prefix("Path: ") {
            revision.path = PathBuf::from(path);
        }
    }
    revisions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_history_names_parents_and_paths() {
        let text = "Rev: m3 (head) (mergepoint)\nMerges: a2, b2\nPath: /p/m3.py\n\n    merge\n\nRev: a1 (branchpoint)\n\
                    Parent: <base>\nBranches into: b2, a2\nPath: /p/a1.py\n\n    Revision ID: a1\n";
        let found = history(text);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].parents, ["a2", "b2"]);
        assert_eq!(
            (found[1].id.as_str(), found[1].parents.len(), &found[1].path),
            ("a1", 0, &PathBuf::from("/p/a1.py"))
        );
    }

    #[test]
    fn a_revision_comes_after_all_of_its_branches_and_before_what_follows() {
        let revision = |id: &str, parents: &[&str]| Revision {
            id: id.into(),
            parents: parents.iter().map(|&parent| parent.into()).collect(),
            path: PathBuf::new(),
        };
        let all = [
            revision("a", &[]),
            revision("b", &["a"]),
            revision("c", &["a"]),
            revision("m", &["b", "c"]),
            revision("z", &["m"]),
        ];
        let of = |id: &str| Vec::from_iter(ancestors(&all, id)).join(" ");
        assert_eq!((of("m"), of("b"), of("nobody")), ("a b c m".into(), "a b".into(), String::new()));
        let at = |heads: &str| Vec::from_iter(applied(&all, heads)).join(" ");
        assert_eq!((at("b"), at("b,c")), ("a b".into(), "a b c".into()), "the other branch is not applied");
        assert_eq!((at("b,nobody"), at("nobody,b")), (String::new(), String::new()));
    }

    #[test]
    fn a_revision_is_cut_out_with_its_transaction_and_without_bookkeeping() {
        let stdout = "BEGIN;\n\nCREATE TABLE alembic_version (a int);\n\n-- Running upgrade  -> a1\n\nCREATE TABLE t (a int);\n\n\
                      INSERT INTO alembic_version (version_num) VALUES ('a1');\n\n-- Running upgrade a1 -> a2\n\nDROP TABLE t;\n\n\
                      UPDATE alembic_version SET version_num='a2';\n\nCOMMIT;\n";
        let first = section(stdout, "a1").unwrap();
        assert!(
            first.starts_with("BEGIN;") && first.contains("CREATE TABLE t") && !first.contains("DROP"),
            "{first}"
        );
        let second = section(stdout, "a2").unwrap();
        assert!(second.contains("DROP TABLE t;") && !second.contains("alembic_version"), "{second}");
        assert_eq!(section(stdout, "a3"), None);
    }
}
