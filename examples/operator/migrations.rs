//! `migrations check`: what migrations mean for old and new code that run side by side. `migrations checklist`: whether they may be deployed.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use mpac_deploy_migrate::checklist::{Checklist, Evidence, LONGEST, Rehearsed};
use mpac_deploy_migrate::discover::{AlembicCommand, Discovered, Discovery};
use mpac_deploy_migrate::{Analyzer, Class, Config, Report, Severity, output};

use serde::Deserialize;

use crate::cli::{CheckOptions, ChecklistOptions, Files, Format, Phase};
use crate::policy_file::unusable;
use crate::reply::{Failure, Reply, Status};

pub(crate) fn check(options: &CheckOptions) -> Result<Reply, Failure> {
    let (found, report) = judged(&options.files)?;
    let text = written(options, &report, &found)?;
    let status = if is_wrong(options, &report) { Status::Found } else { Status::Done };
    Ok(Reply { status, text })
}

pub(crate) fn checklist(options: &ChecklistOptions) -> Result<Reply, Failure> {
    let (found, report) = judged(&options.files)?;
    let mut evidence = Evidence::new(&found.migrations, &report);
    if matches!(options.files.phase, Some(Phase::Expand)) {
        evidence = evidence.before_green();
    }
    let rehearsed = options.rehearsal.as_deref().map(|path| rehearsed(path, &options.files)).transpose()?;
    if let Some(rehearsed) = &rehearsed {
        evidence = evidence.rehearsed(rehearsed);
    }
    let mut list = Checklist::of(&evidence);
    for (item, name) in &options.confirm {
        list.confirm(*item, name);
    }
    let text = if options.json { output::checklist_json(&list) } else { Ok(output::checklist(&list)) };
    let status = if list.is_complete() { Status::Done } else { Status::Found };
    Ok(Reply { status, text: text.map_err(unwritten)? })
}

/// As much of a rehearsal's report as the checklist asks for.
#[derive(Deserialize)]
struct Rehearsal {
    from: String,
    failed: Option<Failed>,
    after_down: Vec<String>,
    estimate: Option<Estimate>,
}

#[derive(Deserialize)]
struct Estimate {
    runs: Range,
    unknown: Vec<String>,
}

#[derive(Deserialize)]
struct Range {
    longest: f64,
}

#[derive(Deserialize)]
struct Failed {
    why: String,
}

fn rehearsed(path: &Path, files: &Files) -> Result<Rehearsed, Failure> {
    let text = fs::read_to_string(path).map_err(|error| unusable(path, &error))?;
    let found: Rehearsal = serde_json::from_str(&text).map_err(|error| unusable(path, &error))?;
    if let Some(deployed) = files.deployed.as_ref().filter(|deployed| **deployed != found.from) {
        let why = format!("the rehearsal began at {}, and --deployed says {deployed}", found.from);
        return Err(unusable(path, &why));
    }
    let failed = found.failed.into_iter().map(|failed| failed.why);
    let longest = found.estimate.and_then(|Estimate { runs, unknown }| {
        let longest = Duration::try_from_secs_f64(runs.longest).unwrap_or(Duration::MAX);
        // What is known to be too long is so whatever else is unknown.
        (unknown.is_empty() || longest >= LONGEST).then_some(longest)
    });
    Ok(Rehearsed { difference: failed.chain(found.after_down).collect(), longest })
}

/// What there is, and what the analyzer says of it.
fn judged(files: &Files) -> Result<(Discovered, Report), Failure> {
    let config = config(files.config.as_deref())?;
    let mut discovery = Discovery::default();
    discovery.deployed.clone_from(&files.deployed);
    if let Some(line) = &files.alembic {
        let command = AlembicCommand::parse(line);
        discovery.alembic = Some(command.ok_or_else(|| Failure::Input("--alembic: no command".to_owned()))?);
    }
    let found = discovery.find(&files.paths).map_err(|error| Failure::Input(error.to_string()))?;
    let mut report = Analyzer::new(config).analyze(&found.migrations);
    report.add(&found.problems);
    refuse_unreadable(&report)?;
    Ok((found, report))
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn unwritten(error: serde_json::Error) -> Failure {
    Failure::Input(format!("the answer cannot be written: {error}"))
}

pub(crate) fn config(path: Option<&Path>) -> Result<Config, Failure> {
    let Some(path) = path else { return Ok(Config::default()) };
    let text = fs::read_to_string(path).map_err(|error| unusable(path, &error))?;
    Config::from_toml(&text).map_err(|error| unusable(path, &error))
}

/// As many statements that cannot be read are named.
const NAMED: usize = 10;

/// A verdict over statements of which some cannot be read would be a guess.
fn refuse_unreadable(report: &Report) -> Result<(), Failure> {
    let mut message = String::new();
    let total = report.unreadable().count();
    for statement in report.unreadable().take(NAMED) {
        let finding = statement.main_finding();
        let position = finding.map_or(statement.position, |finding| finding.position);
        // Writing to a `String` cannot fail.
        let _ = write!(
            message,
            "\n  {}:{}:{}: {}",
            statement.file, position.line, position.column, statement.message
        );
    }
    if total == 0 {
        return Ok(());
    }
    let more = if total > NAMED { format!("\n  and {} more", total - NAMED) } else { String::new() };
    Err(Failure::Input(format!("what cannot be read cannot be judged:{message}{more}")))
}

fn written(options: &CheckOptions, report: &Report, found: &Discovered) -> Result<String, Failure> {
    let format = if options.json { Format::Json } else { options.format };
    let text = match format {
        Format::Human => Ok(output::human(report, &found.migrations, console::colors_enabled())),
        Format::Json => output::json(report),
        Format::JsonFull => output::json_full(report),
        Format::Sarif => output::sarif(report),
        Format::Github => Ok(output::github(report)),
    };
    text.map_err(unwritten)
}

/// What is right in its phase is wrong in the other one.
fn is_wrong(options: &CheckOptions, report: &Report) -> bool {
    let worst = if options.deny_warnings { Severity::Warning } else { Severity::Error };
    let weighs = report.severity().is_some_and(|severity| severity >= worst);
    let has = |class: Class| report.statements.iter().any(|statement| statement.class == class);
    let early = matches!(options.files.phase, Some(Phase::Expand)) && has(Class::Contract);
    weighs || early
}
