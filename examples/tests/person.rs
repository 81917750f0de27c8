//! `status`, `watch`, `history` and commands on a journal that nobody drives any more.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, outside a test function")]

mod common;

use std::path::Path;
use std::time::Duration;

use common::{Run, run};
use mpac_deploy_core::ids::{RecordName, RolloutId};
use mpac_deploy_core::journal::{Entry, Record};
use mpac_deploy_core::machine::{ApprovalGate, CommandKind};
use mpac_deploy_core::policy::mpac;
use mpac_deploy_core::port::Journal as _;
use mpac_deploy_services::sqlite::SqliteJournal;
use mpac_deploy_testkit::{scenario, sim};
use serde_json::Value;
use tempfile::TempDir;

/// The records of a simulated rollout.
fn records(name: &str) -> Vec<Record> {
    sim::run(&scenario::by_name(name).unwrap(), &mpac(), 1).unwrap().journal
}

/// A journal in a file with these rollouts.
fn journal(rollouts: &[(&str, Vec<Record>)]) -> (TempDir, String) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("journal.db");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(store(&file, rollouts));
    (folder, file.display().to_string())
}

async fn store(file: &Path, rollouts: &[(&str, Vec<Record>)]) {
    let journal = SqliteJournal::open(file).await.unwrap();
    let record = RecordName::from("api.mpac-cloud.com");
    for (id, records) in rollouts {
        let records = &renamed(records, id);
        let lease = journal.acquire(&record, "test", Duration::from_secs(60)).await.unwrap();
        journal.append(&lease, &RolloutId::from(*id), 0, records).await.unwrap();
        journal.release(&lease).await.unwrap();
    }
}

/// The same rollout under another id, which every effect's id begins with.
fn renamed(records: &[Record], id: &str) -> Vec<Record> {
    let Entry::Begun { id: before, .. } = &records[0].entry else { panic!("{:?}", records[0]) };
    let text = serde_json::to_string(records).unwrap();
    serde_json::from_str(&text.replace(before.as_str(), id)).unwrap()
}

fn ask(arguments: &[&str], file: &str) -> Run {
    run(&[arguments, &["--journal", file]].concat())
}

/// In the middle of the bake of half.
fn baking() -> Vec<Record> {
    let mut all = records("healthy");
    let begun = |record: &Record| {
        record
            .decisions
            .iter()
            .any(|decision| decision.kind.as_str() == "bake" && decision.stage.as_deref() == Some("half"))
    };
    let place = all.iter().position(begun).unwrap();
    all.truncate(place + 150);
    all
}

#[test]
fn status_shows_the_bake_every_rule_and_what_comes_next() {
    let (_folder, file) = journal(&[("r-1", baking())]);
    let status = ask(&["status", "--json"], &file).json();
    assert_eq!((&status["rollout"], &status["stage"]), (&"r-1".into(), &"half".into()));
    assert_eq!(status["weights"], serde_json::json!({"blue": 50, "green": 50}));
    assert_eq!((&status["outcome"], &status["bake"]["needed"]), (&Value::Null, &30.into()));
    assert!(status["bake"]["counted"].as_u64().unwrap() > 0, "{status}");
    assert_eq!(status["next"], "full follows if every gate holds");
    let rules = status["rules"].as_array().unwrap();
    let kinds = |kind: &str| rules.iter().filter(|rule| rule["kind"] == kind).count();
    assert_eq!(kinds("gate"), mpac().stages[1].gates.len());
    assert!(kinds("trigger") >= 3 && kinds("alert") >= 3, "{status}");
    let people = ask(&["status"], &file).stdout;
    for part in ["smartpos", "✓ canary", "● half", "· full", "blue 50, green 50", "not before"] {
        assert!(people.contains(part), "`{part}` is not in {people}");
    }
}

#[test]
fn the_one_that_is_not_over_is_meant_or_else_the_latest() {
    let (_folder, file) = journal(&[("old", records("aborted")), ("running", baking())]);
    assert_eq!(ask(&["status", "--json"], &file).json()["rollout"], "running");
    assert_eq!(ask(&["status", "old", "--json"], &file).json()["outcome"], "rolled back");
    let unknown = ask(&["status", "never"], &file);
    assert_eq!(unknown.status, 2);
    assert!(unknown.stderr.contains("holds no rollout never; it holds"), "{}", unknown.stderr);
    let (_folder, two) = journal(&[("a", baking()), ("b", baking())]);
    let several = ask(&["status"], &two);
    assert_eq!(several.status, 2);
    assert!(several.stderr.contains("name one: "), "{}", several.stderr);
}

#[test]
fn why_it_was_taken_back_is_one_screen() {
    let (_folder, file) = journal(&[("r-1", records("burst-of-5xx"))]);
    let why = ask(&["history", "--why"], &file).stdout;
    for part in ["http-5xx", "what would have changed it", "weights blue 100 / green 0", "after the decision"]
    {
        assert!(why.contains(part), "`{part}` is not in {why}");
    }
    assert!(why.lines().count() <= 24, "{why}");
    let (_folder, good) = journal(&[("r-1", records("healthy"))]);
    assert!(ask(&["history", "--why"], &good).stdout.contains("It was not taken back."));
}

#[test]
fn the_audit_trail_has_every_record_with_its_effects_and_decisions() {
    let all = records("aborted");
    let (_folder, file) = journal(&[("r-1", all.clone())]);
    let lines: Vec<Value> = ask(&["history", "--json"], &file)
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), all.len());
    let decided: usize = lines.iter().map(|line| line["decisions"].as_array().unwrap().len()).sum();
    assert_eq!(decided, all.iter().map(|record| record.decisions.len()).sum::<usize>());
    assert!(lines.iter().any(|line| !line["effects"].as_array().unwrap().is_empty()));
    assert_eq!(lines[0]["event"], "begun");
    let people = ask(&["history"], &file).stdout;
    assert!(people.contains("says abort") && people.contains("wrong receipts"), "{people}");
    assert!(ask(&["history", "--all"], &file).stdout.lines().count() > people.lines().count() * 5);
}

#[test]
fn watch_ends_with_the_rollout_and_says_how_it_ended() {
    let (_folder, file) = journal(&[("r-1", records("burst-of-5xx"))]);
    let watched = ask(&["watch"], &file);
    assert_eq!(watched.status, 1, "{watched:?}");
    assert!(watched.stdout.contains("rolled back"), "{watched:?}");
    let (_folder, good) = journal(&[("r-1", records("healthy"))]);
    assert_eq!(ask(&["watch"], &good).status, 0);
}

#[test]
fn a_command_that_nobody_answers_stays_posted_under_its_id() {
    let (_folder, file) = journal(&[("r-1", baking())]);
    let pause = ["pause", "--reason", "lunch", "--by", "ada", "--id", "p-1", "--wait", "0"];
    for _ in 0..2 {
        let told = ask(&pause, &file);
        assert_eq!(told.status, 3, "{told:?}");
        assert!(told.stderr.contains("`--id p-1`"), "{}", told.stderr);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let waiting = runtime.block_on(async {
        use mpac_deploy_core::port::Inbox as _;
        SqliteJournal::open(&file).await.unwrap().waiting(&RolloutId::from("r-1")).await.unwrap()
    });
    assert_eq!(waiting.len(), 1, "{waiting:?}");
    assert_eq!((waiting[0].1.by.as_str(), waiting[0].1.why.as_str()), ("ada", "lunch"));
}

/// Half waits for a person, and nobody drives the rollout any more.
fn awaiting() -> Vec<Record> {
    let mut all = records("approved-step-by-step");
    let asks = |record: &Record| {
        let is_asked = |kind: &str, stage: Option<&str>| kind == "await_approval" && stage == Some("half");
        record.decisions.iter().any(|told| is_asked(told.kind.as_str(), told.stage.as_deref()))
    };
    all.truncate(all.iter().position(asks).unwrap() + 1);
    all
}

#[test]
fn a_step_that_waits_for_a_person_is_shown_and_what_is_approved_is_posted_with_its_name() {
    let (_folder, file) = journal(&[("r-1", awaiting())]);
    let status = ask(&["status", "--json"], &file).json();
    assert_eq!((&status["awaits_approval"], &status["weights"]["green"]), (&"half".into(), &5.into()));
    let people = ask(&["status"], &file).stdout;
    for part in ["waits for approval of half (green 50 %)", "approve --gate half"] {
        assert!(people.contains(part), "`{part}` is not in {people}");
    }
    let wrong = ask(&["approve", "--by", "ada", "--gate", "quarter"], &file);
    assert_eq!(wrong.status, 2);
    assert!(wrong.stderr.contains("those that do: canary, half, full, decommission"), "{}", wrong.stderr);
    assert_eq!(ask(&["approve", "--by", "ada", "--force"], &file).status, 2, "forced without a reason");
    assert_eq!(ask(&["approve", "--by", "ada", "--wait", "0", "--id", "a-1"], &file).status, 3);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let waiting = runtime.block_on(async {
        use mpac_deploy_core::port::Inbox as _;
        SqliteJournal::open(&file).await.unwrap().waiting(&RolloutId::from("r-1")).await.unwrap()
    });
    let kind = CommandKind::Approve { gate: ApprovalGate::Stage(1), force: false };
    assert_eq!((waiting.len(), waiting[0].1.kind), (1, kind));

    let (_folder, file) = journal(&[("r-1", baking())]);
    let early = ask(&["approve", "--by", "ada"], &file);
    assert_eq!(early.status, 1);
    assert!(early.stdout.contains("no step waits for an approval now"), "{early:?}");
}

#[test]
fn the_audit_trail_says_who_approved_of_what() {
    let (_folder, file) = journal(&[("r-1", records("approved-step-by-step"))]);
    let people = ask(&["history"], &file).stdout;
    let approved = people.lines().filter(|line| line.contains("the operator approves of")).count();
    assert_eq!(approved, 4, "{people}");
    assert!(people.contains("the operator says approve: the figures look right"), "{people}");
    let (_folder, late) = journal(&[("r-1", records("nobody-approves"))]);
    let why = ask(&["history", "--why"], &late).stdout;
    assert!(why.contains("half.approval") && why.contains("nobody has approved of half"), "{why}");
}

#[test]
fn what_cannot_be_used_is_said_before_anything_is_posted() {
    let (folder, file) = journal(&[("r-1", records("healthy"))]);
    let late = ask(&["abort", "--because", "security", "--reason", "a leak", "--by", "ada"], &file);
    assert_eq!(late.status, 1);
    assert!(late.stdout.contains("too late: the rollout is over (completed)"), "{late:?}");
    assert_eq!(ask(&["pause", "--reason", " ", "--by", "ada"], &file).status, 2);
    assert_eq!(ask(&["abort", "--reason", "no way back named", "--by", "ada"], &file).status, 2);
    let missing = folder.path().join("no.db").display().to_string();
    let absent = ask(&["status"], &missing);
    assert_eq!(absent.status, 2);
    assert!(absent.stderr.contains("there is no journal of this name"), "{}", absent.stderr);
    assert!(!Path::new(&missing).exists(), "a look makes no journal");
}
