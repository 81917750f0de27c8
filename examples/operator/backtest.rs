//! `backtest`: what a policy would have done on recorded metrics.

use std::fmt::Write as _;
use std::fs::File;
use std::io;
use std::path::Path;

use mpac_deploy_core::decision::Decision;
use mpac_deploy_core::metric::{Metric, Side};
use mpac_deploy_core::plan::Plan;
use mpac_deploy_core::policy::PolicyError;
use mpac_deploy_core::time::Timestamp;
use mpac_deploy_testkit::backtest::{Backtest, BacktestOutcome, backtest, plan_for};
use mpac_deploy_testkit::recording::{Recording, RecordingError};
use serde::Serialize;

use crate::cli::BacktestOptions;
use crate::policy_file::{load_or_preset, unusable};
use crate::reply::{Failure, Reply, Status};
use crate::{report, words};

pub(crate) fn run(options: &BacktestOptions) -> Result<Reply, Failure> {
    let policy = load_or_preset(options.policy.as_deref())?;
    let refused = |error: PolicyError| match &options.policy {
        Some(path) => unusable(path, &error),
        None => Failure::Input(error.to_string()),
    };
    policy.check().map_err(refused)?;
    let recording = read(&options.metrics)?;
    report::prepare(options.report.as_deref())?;
    let result = backtest(&policy, &recording).map_err(refused)?;
    let plan = plan_for(&policy, &recording).map_err(refused)?;
    if let Some(path) = &options.report {
        let from_stdin = options.metrics == Path::new("-");
        let file = options.metrics.file_name().unwrap_or(options.metrics.as_os_str());
        let name = if from_stdin { "standard input".into() } else { file.display().to_string() };
        report::write(path, &report::of_backtest(&name, &policy, &recording, &result))?;
    }
    let status = match result.outcome {
        BacktestOutcome::Completed | BacktestOutcome::InProgress => Status::Done,
        BacktestOutcome::RolledBack => Status::Found,
    };
    if options.json {
        Reply::json(status, &Document::of(&result))
    } else {
        Ok(Reply { status, text: for_people(&recording, &result, &notes(&plan, &recording)) })
    }
}

fn read(path: &Path) -> Result<Recording, Failure> {
    let failed = |error: RecordingError| unusable(path, &error);
    if path == Path::new("-") {
        return Recording::read(io::stdin().lock()).map_err(failed);
    }
    let file = File::open(path).map_err(|error| unusable(path, &error))?;
    Recording::read(file).map_err(failed)
}

/// The JSON form: these fields and no others.
#[derive(Serialize)]
struct Document<'a> {
    outcome: &'static str,
    stage: &'a str,
    decisions: Vec<Entry<'a>>,
    skipped: &'a [String],
}

#[derive(Serialize)]
struct Entry<'a> {
    kind: &'static str,
    stage: Option<&'a str>,
    rule: Option<&'a str>,
    evidence_end: Option<Timestamp>,
    reason: &'a str,
}

impl<'a> Document<'a> {
    fn of(result: &'a Backtest) -> Self {
        Self {
            outcome: result.outcome.as_str(),
            stage: &result.stage,
            decisions: result.decisions.iter().map(Entry::of).collect(),
            skipped: &result.skipped,
        }
    }
}

impl<'a> Entry<'a> {
    fn of(decision: &'a Decision) -> Self {
        Self {
            kind: decision.kind.as_str(),
            stage: decision.stage.as_deref(),
            rule: decision.rule.as_deref(),
            evidence_end: decision.evidence_end,
            reason: &decision.reason,
        }
    }
}

/// What a misspelt metric looks like: a count that is never there, and a name that no rule looks at.
fn notes(plan: &Plan, recording: &Recording) -> String {
    let list = |metrics: Vec<&Metric>| {
        metrics.iter().map(|metric| format!("`{metric}`")).collect::<Vec<_>>().join(", ")
    };
    let is_used = |metric: &Metric| plan.series().iter().any(|series| series.metric == *metric);
    let zero: Vec<&Metric> = plan
        .policy()
        .evidence
        .sparse
        .iter()
        .filter(|metric| is_used(metric) && !recording.has_row(Side::Green, metric))
        .collect();
    let unused: Vec<&Metric> = recording
        .metrics()
        .filter(|metric| matches!(metric, Metric::Custom(_)) && !is_used(metric))
        .collect();
    let mut notes = String::new();
    if !zero.is_empty() {
        let _ = writeln!(
            notes,
            "  Note: green has no row of {}, which is taken as 0 where there are requests.",
            list(zero)
        );
    }
    if !unused.is_empty() {
        let _ = writeln!(notes, "  Note: no rule looks at {}: is it spelt right?", list(unused));
    }
    notes
}

fn for_people(recording: &Recording, result: &Backtest, notes: &str) -> String {
    let mut text = format!("{}\n\n", headline(result));
    // Writing to a `String` cannot fail.
    let _ = writeln!(
        text,
        "  {} rows, replayed from {} to {}",
        recording.row_count(),
        recording.start(),
        recording.end().end()
    );
    for decision in &result.decisions {
        text.push_str(&words::decision(decision));
    }
    if let Some(last) = result.decisions.last().filter(|last| !last.counterfactual.is_empty()) {
        let _ = writeln!(text, "\n  What would have changed the last one: {}.", last.counterfactual);
    }
    if !result.skipped.is_empty() {
        let _ =
            writeln!(text, "\n  Skipped, as the recording has no rows for it: {}", result.skipped.join(", "));
    }
    if !notes.is_empty() {
        text.push('\n');
        text.push_str(notes);
    }
    text
}

/// One sentence on how a replay ended.
pub(crate) fn headline(result: &Backtest) -> String {
    let last = result.decisions.last();
    let at = last.and_then(|last| last.evidence_end).map_or_else(String::new, |at| format!(" at {at}"));
    match result.outcome {
        BacktestOutcome::Completed => format!("The release would have been completed{at}."),
        BacktestOutcome::RolledBack => {
            let rule = last.and_then(|last| last.rule.as_deref()).unwrap_or("a rule");
            format!("The release would have been rolled back in `{}`{at}, by `{rule}`.", result.stage)
        }
        BacktestOutcome::InProgress => {
            format!(
                "The recording ends while the release is in `{}`: neither passed nor taken back.",
                result.stage
            )
        }
    }
}
