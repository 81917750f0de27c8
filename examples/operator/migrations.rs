//! `migrations check`: what migrations mean for old and new code that run side by side. `migrations checklist`: whether they may be deployed.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use mpac_deploy_migrate::checklist::{Checklist, Evidence, OtherFiles, Rehearsed};
use mpac_deploy_migrate::discover::{AlembicCommand, Discovered, Discovery};
use mpac_deploy_migrate::{Analyzer, Class, Config, Report, Severity, output};

use serde::Deserialize;

use crate::cli::{CheckOptions, ChecklistOptions, Files, Format, Phase};
use crate::policy_file::unusable;
use crate::reply::{Failure, Reply, Status};

pub(crate) fn check(options: &CheckOptions) -> Result<Reply, Failure> {
    let (found, report) = judged(&options.files)?;
    refuse_unreadable(&report)?;
    let text = written(options, &report, &found)?;
    let status = if is_wrong(options, &report) { Status::Found } else { Status::Done };
    Ok(Reply { status, text })
}

pub(crate) fn checklist(options: &ChecklistOptions) -> Result<Reply, Failure> {
    // A script that cannot be read without running it is a person's to know, or a rehearsal's.
    let (found, report) = judged(&options.files)?;
    let mut evidence = Evidence::new(&found, &report);
    if matches!(options.files.phase, Some(Phase::Expand)) {
        evidence = evidence.before_green();
    }
    let rehearsed;
    if let Some(path) = &options.rehearsal {
        rehearsed = self::rehearsed(path)?;
        evidence = evidence.rehearsed(&rehearsed).map_err(|error| of_others(path, &error))?;
    }
    let mut list = Checklist::of(&evidence);
    for (item, name) in &options.confirm {
        list.confirm(*item, name);
    }
    let text = if options.json { output::checklist_json(&list) } else { Ok(output::checklist(&list)) };
    let status = if list.is_complete() { Status::Done } else { Status::Found };
    Ok(Reply { status, text: text.map_err(unwritten)? })
}

/// As much as the checklist asks for of what `migrations rehearse --json` writes.
#[derive(Deserialize)]
struct Rehearsal {
    checklist: Rehearsed,
}

fn rehearsed(path: &Path) -> Result<Rehearsed, Failure> {
    let text = fs::read_to_string(path).map_err(|error| unusable(path, &error))?;
    let found: Rehearsal = serde_json::from_str(&text).map_err(|error| unusable(path, &error))?;
    Ok(found.checklist)
}

/// A rehearsal of other files is no evidence; often only the range differs.
fn of_others(path: &Path, error: &OtherFiles) -> Failure {
    let OtherFiles { from, to, .. } = error;
    unusable(path, &format!("{error}; rehearse them, or name the range: --deployed {from} --to {to}"))
}

/// What there is, and what the analyzer says of it.
fn judged(files: &Files) -> Result<(Discovered, Report), Failure> {
    let config = config(files.config.as_deref())?;
    let mut discovery = Discovery::default();
    discovery.deployed.clone_from(&files.deployed);
    discovery.until.clone_from(&files.to);
    if let Some(line) = &files.alembic {
        let command = AlembicCommand::parse(line);
        discovery.alembic = Some(command.ok_or_else(|| Failure::Input("--alembic: no command".to_owned()))?);
    }
    let found = discovery.find(&files.paths).map_err(|error| Failure::Input(error.to_string()))?;
    let mut report = Analyzer::new(config).analyze(&found.migrations);
    refuse_unreadable(&report)?;
    report.add(&found.problems);
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
