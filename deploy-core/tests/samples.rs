//! Journals as earlier versions of the library wrote them. A sample is written once and never again: it stands for the files that are
//! out there.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

use std::collections::BTreeSet;

use mpac_deploy_core::journal::{
    RECORD_VERSION, Record, RecordError, ReplayError, Snapshot, replay, replay_from,
};
use mpac_deploy_core::machine::{Cause, Outcome};
use mpac_deploy_core::policy::IssueKind;

const ABANDONED: &str = include_str!("samples/v1-abandoned.jsonl");
const REFUSED: &str = include_str!("samples/v1-refused.jsonl");
const ROLLED_BACK: &str = include_str!("samples/v1-rolled-back.jsonl");
const BY_A_PERSON: &str = include_str!("samples/v1-taken-back-by-a-person.jsonl");

fn read(sample: &str) -> Vec<Record> {
    sample.lines().map(|line| Record::from_json(line).unwrap()).collect()
}

#[test]
fn journals_of_version_1_are_read_and_replayed() {
    let outcome = |sample| replay(&read(sample)).unwrap().outcome().cloned().unwrap();
    assert!(matches!(outcome(ABANDONED), Outcome::Abandoned { cause: Cause::Effect(_) }));
    assert!(
        matches!(outcome(REFUSED), Outcome::Abandoned { cause: Cause::Effect(why) } if why.contains("not authorized"))
    );
    let rule = Cause::Rule("http-5xx".into());
    assert_eq!(outcome(ROLLED_BACK), Outcome::RolledBack { cause: rule });
    let person = Cause::Person { by: "jo".into(), issue: IssueKind::DatabaseCorruption };
    assert_eq!(outcome(BY_A_PERSON), Outcome::RolledBack { cause: person });
}

/// What they hold of decisions is what was decided then, word for word, whatever a replay would say today.
#[test]
fn the_audit_trail_of_version_1_is_kept() {
    let records = read(BY_A_PERSON);
    let said: Vec<&str> =
        records.iter().flat_map(|record| &record.decisions).map(|decision| decision.kind.as_str()).collect();
    for kind in
        ["start", "prepared", "shift", "bake", "pause", "resume", "promote", "rollback", "rolled_back"]
    {
        assert!(said.contains(&kind), "{kind} is not among {said:?}");
    }
}

/// A sample that lacks a kind would show nothing about it.
#[test]
fn the_samples_of_version_1_hold_every_kind_of_event_and_answer_of_it() {
    let text = [ABANDONED, REFUSED, ROLLED_BACK, BY_A_PERSON].concat();
    let events = ["\"tick\"", "\"resumed\"", "\"not-started\"", "\"outcome\"", "\"command\"", "\"posted\""];
    let answers =
        ["\"done\"", "\"weights\"", "\"in-sync\"", "\"health\"", "\"check\"", "\"readings\"", "\"probes\""];
    let results = ["\"Ok\"", "\"Err\"", "\"worthwhile\"", "\"useless\""];
    let missing: BTreeSet<&str> =
        [&events[..], &answers, &results].concat().into_iter().filter(|kind| !text.contains(kind)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_snapshot_of_any_prefix_goes_on_as_the_records_do() {
    for sample in [ABANDONED, ROLLED_BACK, BY_A_PERSON] {
        let records = read(sample);
        let end = replay(&records).unwrap();
        for count in (1..=records.len()).step_by(9) {
            let state = replay(&records[..count]).unwrap();
            let snapshot = Snapshot::take(&state, count as u64).unwrap();
            let restored = snapshot.restore().unwrap();
            assert_eq!(restored, state);
            assert_eq!(replay_from(restored, count as u64, &records[count..]).unwrap(), end);
        }
    }
}

/// The shape of the state is no interface, but a snapshot must not be read in another one than it was written in.
#[test]
fn a_state_of_another_shape_needs_another_snapshot_format() {
    let records = read(BY_A_PERSON);
    let snapshot = Snapshot::take(&replay(&records[..120]).unwrap(), 120).unwrap();
    let value: serde_json::Value = serde_json::from_str(&snapshot.state).unwrap();
    let mut shape = BTreeSet::new();
    collect("", &value, &mut shape);
    let shape = shape.into_iter().collect::<Vec<_>>().join("\n") + "\n";
    let kept = include_str!("samples/snapshot-shape.txt");
    assert!(
        shape == kept,
        "the state of a rollout has another shape now: count `SNAPSHOT_FORMAT` up and write this to \
         deploy-core/tests/samples/snapshot-shape.txt:\n{shape}"
    );
}

/// Every path in a document, without the policy, which has its own version of everything.
fn collect(path: &str, value: &serde_json::Value, shape: &mut BTreeSet<String>) {
    if let Some(fields) = value.as_object().filter(|_| ![".policy", ".release"].contains(&path)) {
        fields.iter().for_each(|(name, value)| collect(&format!("{path}.{name}"), value, shape));
    } else if let Some(items) = value.as_array() {
        items.iter().for_each(|item| collect(&format!("{path}[]"), item, shape));
    } else {
        shape.insert(path.to_owned());
    }
}

#[test]
fn what_this_version_does_not_know_is_an_error_and_not_a_guess() {
    let line = |version: u16, entry: &str| {
        format!(r#"{{"version":{version},"number":7,"at":"2026-01-28T09:00:00Z","entry":{entry}}}"#)
    };
    let later = RECORD_VERSION + 1;
    for entry in [r#"{"happened":"tick"}"#, r#"{"dreamt":{"of":"sheep"}}"#] {
        assert_eq!(
            Record::from_json(&line(later, entry)),
            Err(RecordError::Newer { number: 7, version: later })
        );
    }
    let unknown = Record::from_json(&line(1, r#"{"happened":{"dreamt":1}}"#)).unwrap_err();
    assert!(unknown.to_string().contains("unknown variant `dreamt`"), "{unknown}");
    let mut records = read(ABANDONED);
    records[4].version = later;
    assert!(matches!(replay(&records), Err(ReplayError::TooNew { number: 5, .. })));
}
