//! `history`: the audit trail, and why a rollout was taken back.

use std::fmt::Write as _;

use clap::Args;
use console::style;
use mpac_deploy_core::decision::DecisionKind;
use mpac_deploy_core::machine::{Command, CommandKind, Event};
use mpac_deploy_testkit::trace::{Step, Trace};
use serde_json::{Value, json};

use super::store::{Which, unread};
use crate::reply::{Failure, Reply, Status};
use crate::{runtime, words};

#[derive(Args, Debug)]
pub(crate) struct HistoryOptions {
    #[command(flatten)]
    which: Which,
    /// Only why it was taken back: the rule, the numbers, and what would have changed it.
    #[arg(long, conflicts_with_all = ["all", "json"])]
    why: bool,
    /// Every event and every effect, not only decisions, people's commands and what failed.
    #[arg(long)]
    all: bool,
    /// JSON Lines, one record a line: `{"number", "at", "event", "effects", "decisions", "weights"}`; always everything.
    #[arg(long)]
    json: bool,
}

pub(crate) fn history(options: &HistoryOptions) -> Result<Reply, Failure> {
    let trace = runtime::start()?.block_on(async {
        let store = options.which.open().await?;
        let id = options.which.find(&store).await?.rollout.id().clone();
        let records = store.journal.load(&id, 0).await.map_err(|error| unread(&error))?;
        Trace::from_journal(records).map_err(|error| Failure::World(format!("{id}: {error}")))
    })?;
    if options.json {
        return lines(&trace);
    }
    let mut text = heading(&trace);
    if options.why {
        text.push_str(&why(&trace));
    } else {
        for (number, step) in (1..).zip(&trace.steps) {
            write_step(&mut text, number, step, options.all);
        }
    }
    Ok(Reply::done(text))
}

fn lines(trace: &Trace) -> Result<Reply, Failure> {
    let mut text = String::new();
    for (number, step) in (1_u64..).zip(&trace.steps) {
        let weights = step.after.expected_weights();
        let document = json!({
            "number": number,
            "at": step.at,
            "event": step.event.as_ref().map_or_else(|| json!("begun"), |event| json!(event)),
            "effects": step.effects.run,
            "decisions": step.recorded,
            "weights": { "blue": weights.blue(), "green": weights.green() },
        });
        let line: Result<String, _> = serde_json::to_string::<Value>(&document);
        text.push_str(&line.map_err(|error| Failure::World(format!("record {number}: {error}")))?);
        text.push('\n');
    }
    Ok(Reply { status: Status::Done, text })
}

fn heading(trace: &Trace) -> String {
    let Some(last) = trace.last() else { return String::new() };
    let release = last.plan().release();
    let ended = last.outcome().map_or_else(|| "not over".to_owned(), ToString::to_string);
    format!(
        "{}: {} {} → {} on {}, by the policy `{}`: {}\n",
        style(last.id()).bold(),
        release.service,
        release.blue,
        release.green,
        release.record,
        last.plan().policy().name,
        ended
    )
}

/// The whole of one step, or only what a person would ask for.
fn write_step(text: &mut String, number: usize, step: &Step, all: bool) {
    // Writing to a `String` cannot fail.
    if let Some(Event::Command(command) | Event::Posted { command, .. }) = &step.event {
        let _ =
            writeln!(text, "  {}  {}", style(words::clock(step.at)).dim(), style(said(command)).magenta());
    }
    let failed = match &step.event {
        Some(Event::Outcome { effect, result: Err(failure) }) => {
            Some(format!("{effect} failed: {}", failure.message))
        }
        Some(_) | None => None,
    };
    if let Some(failed) = failed {
        let _ = writeln!(text, "  {}  {}", style(words::clock(step.at)).dim(), style(failed).yellow());
    } else if all && let Some(event) = &step.event {
        let _ = writeln!(
            text,
            "  {}  #{number} {}",
            style(words::clock(step.at)).dim(),
            style(brief(event)).dim()
        );
    }
    for decision in &step.recorded {
        text.push_str(&words::decision(decision));
    }
    for effect in step.effects.run.iter().filter(|_| all) {
        let _ = writeln!(text, "  {}  → {} {}", style(words::clock(step.at)).dim(), effect.id, effect.kind);
    }
}

fn said(command: &Command) -> String {
    let what = match command.kind {
        CommandKind::Pause => "pause".to_owned(),
        CommandKind::Resume => "resume".to_owned(),
        CommandKind::Promote { force: false } => "promote".to_owned(),
        CommandKind::Promote { force: true } => "promote, forced".to_owned(),
        CommandKind::Approve { force: false, .. } => "approve".to_owned(),
        CommandKind::Approve { force: true, .. } => "approve, forced".to_owned(),
        CommandKind::Abort { force: false, .. } => "abort".to_owned(),
        CommandKind::Abort { force: true, .. } => "abort, forced".to_owned(),
    };
    match command.why.trim() {
        "" => format!("{} says {what}", command.by),
        why => format!("{} says {what}: {why}", command.by),
    }
}

fn brief(event: &Event) -> String {
    match event {
        Event::Tick => "time passed".into(),
        Event::Resumed => "another process went on".into(),
        Event::NotStarted { effect } => format!("{effect} waits for the store"),
        Event::Outcome { effect, .. } => format!("{effect} is done"),
        Event::Command(command) | Event::Posted { command, .. } => said(command),
    }
}

/// Why it was taken back, on one screen.
fn why(trace: &Trace) -> String {
    let back = [DecisionKind::Rollback, DecisionKind::Abandoned];
    let Some((at, decision)) = trace.decisions().find(|(_, decision)| back.contains(&decision.kind)) else {
        return "It was not taken back.\n".into();
    };
    let mut text = words::decision(decision);
    // Writing to a `String` cannot fail.
    if let Some(end) = decision.evidence_end {
        let _ = writeln!(text, "  evidence up to {}", words::moment(end));
    }
    if !decision.counterfactual.is_empty() {
        let _ = writeln!(text, "  what would have changed it: {}", decision.counterfactual);
    }
    let mut before = None;
    for step in &trace.steps {
        let weights = step.after.expected_weights();
        if before.replace(weights) != Some(weights) {
            let _ = writeln!(text, "  {}  weights {weights}", style(words::clock(step.at)).dim());
        }
    }
    let decided = trace.steps.get(at).map(|step| step.at);
    let served = trace.decisions().find(|(_, decision)| decision.kind == DecisionKind::RolledBack);
    if let (Some(decided), Some((_, served))) = (decided, served) {
        let _ = writeln!(
            text,
            "  blue served everybody {} after the decision",
            words::span(served.at.since(decided))
        );
    }
    text
}
