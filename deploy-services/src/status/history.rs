//! The audit trail: what was decided, commanded and changed, record by record.

use axum::extract::{Path, Query, State};
use mpac_deploy_core::ids::RolloutId;
use mpac_deploy_core::journal::{Entry, Record};
use mpac_deploy_core::machine::{Command, Event};
use serde::Deserialize;
use serde_json::{Value, json};

use super::StatusPage;
use super::answer::{Answered, Problem, json};
use super::shelf::in_time;
use super::view::DecisionView;

/// Entries in one answer; `next` says where the following one begins.
const ENTRIES: usize = 1000;

#[derive(Deserialize)]
pub(super) struct After {
    #[serde(default)]
    after: u64,
}

pub(super) async fn history(
    State(status): State<StatusPage>,
    Path(id): Path<String>,
    Query(After { after }): Query<After>,
) -> Answered {
    let id = RolloutId::new(id);
    let records = in_time(async { Ok(status.shelf.journal.load(&id, after).await?) }).await?;
    if records.is_empty() && after == 0 {
        return Err(Problem::NoRollout(id));
    }
    let told: Vec<&Record> = records.iter().filter(|record| is_told(record)).take(ENTRIES).collect();
    let next = match told.last() {
        Some(last) if told.len() == ENTRIES => last.number,
        Some(_) | None => records.last().map_or(after, |last| last.number),
    };
    let is_all = records.last().is_none_or(|last| last.number == next);
    let entries: Vec<Value> = told.into_iter().map(entry).collect();
    json(&json!({ "rollout": id, "entries": entries, "next": next, "complete": is_all }))
}

fn is_told(record: &Record) -> bool {
    !record.decisions.is_empty() || command(record).is_some() || failure(record).is_some()
}

fn entry(record: &Record) -> Value {
    let decisions: Vec<DecisionView> = record.decisions.iter().map(Into::into).collect();
    let mut entry = json!({ "record": record.number, "at": record.at, "decisions": decisions });
    if let Some((command, id)) = command(record) {
        entry["command"] = json!({ "kind": command.kind, "by": command.by, "why": command.why, "id": id });
    }
    if let Some(failure) = failure(record) {
        entry["failure"] = json!(failure);
    }
    entry
}

fn command(record: &Record) -> Option<(&Command, Option<&str>)> {
    match &record.entry {
        Entry::Happened(Event::Command(command)) => Some((command, None)),
        Entry::Happened(Event::Posted { id, command }) => Some((command, Some(id.as_str()))),
        Entry::Happened(Event::Tick | Event::Resumed | Event::NotStarted { .. } | Event::Outcome { .. })
        | Entry::Begun { .. } => None,
    }
}

fn failure(record: &Record) -> Option<&str> {
    match &record.entry {
        Entry::Happened(Event::Outcome { result: Err(failure), .. }) => Some(&failure.message),
        Entry::Happened(_) | Entry::Begun { .. } => None,
    }
}
