//! `migrations rehearse`: a release's migrations there, back, and there again, on a copy of the database's schema.

use std::env;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use mpac_deploy_core::port::PortError;
use mpac_deploy_migrate::checklist::Rehearsed;
use mpac_deploy_migrate::discover::AlembicCommand;
use mpac_deploy_migrate::run::rehearse::{Estimate, Observed, Rehearsal, RehearsalReport, RehearseError};
use mpac_deploy_migrate::run::{Alembic, Database, GolangMigrate, MigrationTool};
use serde::Serialize;

use crate::migrations;
use crate::reply::{Failure, Reply, Status};
use crate::runtime;
use crate::stops::Stops;

#[derive(Args, Debug)]
pub(crate) struct RehearseOptions {
    /// An Alembic project (a directory with an alembic.ini), or a directory of golang-migrate.
    #[arg(value_name = "PROJECT")]
    project: PathBuf,
    /// The variable that holds the URL of the database, which has a password and so is no argument. It is only read.
    #[arg(long, value_name = "VARIABLE")]
    database_env: String,
    /// The version that the release goes to; it begins where the database is.
    #[arg(long, value_name = "VERSION")]
    to: String,
    /// The variable that holds the URL of a database of the server on which the copies are made: not production's, since what a migration does to
    /// a server as a whole (roles, settings) it does there for real.
    #[arg(long, value_name = "VARIABLE")]
    scratch_env: String,
    /// Whose schema it is; the project's directory if not said.
    #[arg(long)]
    service: Option<String>,
    /// How the tool is run, such as `uv run alembic` or `/opt/migrate`.
    #[arg(long)]
    command: Option<String>,
    /// The variable in which the project's `env.py` finds its database, if it looks for it in one.
    #[arg(long, value_name = "VARIABLE")]
    url_env: Option<String>,
    /// The scheme of the URL there.
    #[arg(long, default_value = "postgresql+psycopg")]
    scheme: String,
    /// PostgreSQL's version, tables known to be small, and services, as TOML.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// One JSON document on standard output: `{"service", "from", "to", "sources", "failed", "after_down", "after_second_up", "captured", "unread",
    /// "unjudged", "unproven", "statements", "estimate", "not_estimated", "left_behind", "problems", "checklist"}`.
    #[arg(long)]
    json: bool,
}

/// What `--json` writes; `migrations checklist` reads its part of it again.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    report: &'a RehearsalReport,
    problems: Vec<String>,
    checklist: Rehearsed,
}

pub(crate) fn rehearse(options: &RehearseOptions) -> Result<Reply, Failure> {
    let service = service(options)?;
    let database = database("--database-env", &options.database_env)?;
    let config = migrations::config(options.config.as_deref())?;
    let scratch = self::database("--scratch-env", &options.scratch_env)?;
    let rehearsal = Rehearsal::new(service.as_str(), database, scratch, tool(options)?, options.to.as_str())
        .with_config(config)
        .without_variables([&options.database_env, &options.scratch_env]);
    let runtime = runtime::start()?;
    let report = runtime.block_on(async {
        let mut stops = Stops::listen()?;
        rehearsal.run_until(stops.first()).await.map_err(failure)
    });
    // Whoever has said stop does not wait for scripts that are still being read.
    runtime.shutdown_background();
    let report = report?;
    let status = if report.is_right() { Status::Done } else { Status::Found };
    if options.json {
        let (problems, checklist) = (report.problems(), report.for_checklist());
        return Reply::json(status, &Document { report: &report, problems, checklist });
    }
    Ok(Reply { status, text: told(&report) })
}

fn service(options: &RehearseOptions) -> Result<String, Failure> {
    let of_directory =
        || Some(options.project.canonicalize().ok()?.file_name()?.to_string_lossy().into_owned());
    let none = || Failure::Input(format!("{}: there is no such directory", options.project.display()));
    options.service.clone().or_else(of_directory).ok_or_else(none)
}

fn database(argument: &str, variable: &str) -> Result<Database, Failure> {
    let url = env::var(variable).map_err(|_| {
        Failure::Input(format!("{argument}: the variable `{variable}` is not set, or is no text"))
    })?;
    Database::parse(&url)
        .map_err(|error| Failure::Input(format!("{argument}: the variable `{variable}`: {error}")))
}

fn tool(options: &RehearseOptions) -> Result<MigrationTool, Failure> {
    let project: &Path = &options.project;
    if !project.is_dir() {
        return Err(Failure::Input(format!("{}: there is no such directory", project.display())));
    }
    let command = options.command.as_deref();
    if command.is_some_and(|command| command.trim().is_empty()) {
        return Err(Failure::Input("--command: no command".to_owned()));
    }
    if !project.join("alembic.ini").is_file() {
        let tool = GolangMigrate::new(project);
        return Ok(match command {
            Some(command) => tool.with_command(command.split_whitespace()).into(),
            None => tool.into(),
        });
    }
    let mut tool = Alembic::new(project);
    if let Some(command) = command.and_then(AlembicCommand::parse) {
        tool = tool.with_command(command);
    }
    if let Some(variable) = &options.url_env {
        tool = tool.with_url_in(variable, &options.scheme);
    }
    Ok(tool.into())
}

/// A server that does not answer, or a program that is not there, is the world; all else but a stop is what was given.
fn failure(error: RehearseError) -> Failure {
    if let RehearseError::Database(PortError::Unavailable(why) | PortError::NotFound(why)) = error {
        return Failure::World(why);
    }
    let text = error.to_string();
    if matches!(error, RehearseError::Stopped { .. }) { Failure::Found(text) } else { Failure::Input(text) }
}

fn told(report: &RehearsalReport) -> String {
    let mut out =
        format!("{} from {} to {}, on a copy of the schema\n", report.service, report.from, report.to);
    for statement in &report.statements {
        // Writing to a `String` cannot fail.
        let _ = writeln!(
            out,
            "\n{}:{}: {}\n    {}",
            statement.file,
            statement.line,
            statement.statement,
            seen(statement)
        );
    }
    for captured in &report.captured {
        let _ = writeln!(out, "\nheard while it ran, without what it does for each row: {captured}");
    }
    for unread in &report.unread {
        let _ = writeln!(out, "\nnot seen by itself: {unread}");
    }
    if let Some(estimate) = &report.estimate {
        out.push_str(&times(estimate));
    }
    let problems = report.problems();
    if problems.is_empty() {
        out.push_str("\nThere, back, and there again: nothing is left behind, and nothing is missing.\n");
    } else {
        out.push('\n');
        for problem in &problems {
            let _ = writeln!(out, "wrong: {problem}");
        }
    }
    out
}

fn times(estimate: &Estimate) -> String {
    let Estimate { runs, locks, work, unknown, .. } = estimate;
    let mut out = String::new();
    // Writing to a `String` cannot fail.
    let _ = match work.is_empty() {
        true => writeln!(out, "\nOn the target no table is read or written as a whole."),
        false => writeln!(
            out,
            "\nOn the target it takes {:.1} s to {:.0} s; others wait for locks up to {:.0} s of it.",
            runs.shortest, runs.longest, locks.longest
        ),
    };
    for place in unknown {
        let _ = writeln!(out, "not in that: {place}, of which nobody can say how much it has to do");
    }
    out
}

fn seen(statement: &Observed) -> String {
    if let Some(why) = &statement.failed {
        return format!("failed: {why}");
    }
    let mut parts: Vec<String> = match &statement.locks {
        Some(locks) => locks.iter().map(|lock| format!("{} on {}", lock.mode, lock.table)).collect(),
        None => vec!["outside of a transaction, where its locks are not seen".to_owned()],
    };
    parts.extend(statement.rewrites.iter().map(|table| format!("writes all of {table} anew")));
    let scans = statement.scans.iter().flatten().filter(|table| !statement.rewrites.contains(table));
    parts.extend(scans.map(|table| format!("reads all of {table}")));
    if parts.is_empty() { "nothing that others feel".to_owned() } else { parts.join("; ") }
}
