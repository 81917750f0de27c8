//! The state is the fold of the journal, at every prefix and through its text form.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, outside a test function")]

mod rig;

use mpac_deploy_core::effect::{Archive, Health, ObservedWeights};
use mpac_deploy_core::journal::{RECORD_VERSION, Record, ReplayError, archive, replay};
use mpac_deploy_core::machine::{CommandKind, Rollout};
use mpac_deploy_core::metric::Metric;
use mpac_deploy_core::policy::IssueKind;
use rig::Rig;

/// Runs the rollout to its end step by step, and keeps the state after every record.
fn states(rig: &mut Rig, at_step: impl Fn(&mut Rig, usize)) -> Vec<Rollout> {
    let mut states = vec![rig.rollout.clone()];
    for step in 0..100_000 {
        let before = rig.records.len();
        at_step(rig, step);
        if rig.records.len() > before {
            states.push(rig.rollout.clone());
        }
        if rig.rollout.outcome().is_some() || rig.step().is_none() {
            return states;
        }
        states.push(rig.rollout.clone());
    }
    panic!("no end");
}

fn check_every_prefix(rig: &Rig, states: &[Rollout]) {
    assert_eq!(rig.records.len(), states.len());
    let text: Vec<String> = rig.records.iter().map(|record| serde_json::to_string(record).unwrap()).collect();
    let read: Vec<Record> = text.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read, rig.records);
    // Every seventh prefix, and the last ones: each is a whole replay.
    for length in (1..=read.len()).filter(|length| length % 7 == 1 || *length + 3 > read.len()) {
        assert_eq!(&replay(&read[..length]).unwrap(), &states[length - 1], "after {length} records");
    }
}

#[test]
fn a_healthy_rollout_is_the_fold_of_its_journal() {
    let mut rig = Rig::new();
    let states = states(&mut rig, |_, _| {});
    check_every_prefix(&rig, &states);
}

#[test]
fn what_blue_was_is_in_the_journal_where_there_is_something_to_archive() {
    let (mut rig, kept) = (Rig::new(), Archive::new("{\"services\":[]}"));
    rig.archive = Some(kept.clone());
    let states = states(&mut rig, |_, _| {});
    check_every_prefix(&rig, &states);
    assert_eq!(archive(&rig.records), Some(&kept));
    // Without one, as before there were any, blue is retired all the same.
    let mut without = Rig::new();
    without.run_to_end();
    assert_eq!((archive(&without.records), without.rollout.outcome()), (None, rig.rollout.outcome()));
}

#[test]
fn a_rollback_is_the_fold_of_its_journal() {
    let mut rig = Rig::with_probes();
    let states = states(&mut rig, |rig, step| {
        if step == 150 {
            rig.metric(Metric::LatencyP95, 2_500.123_456_789);
            rig.blue = Health::Unhealthy { detail: "0 of 3".into() };
        }
        if step == 400 {
            rig.blue = Health::Healthy;
        }
    });
    assert_eq!(rig.observed, ObservedWeights { blue: 100, green: 0 });
    check_every_prefix(&rig, &states);
}

#[test]
fn commands_are_part_of_the_journal() {
    let mut rig = Rig::new();
    let states = states(&mut rig, |rig, step| {
        let kind = match step {
            40 => CommandKind::Pause,
            90 => CommandKind::Resume,
            130 => CommandKind::Promote { force: true },
            300 => CommandKind::Abort { issue: IssueKind::FeatureBug, force: false },
            _ => return,
        };
        drop(rig.command(kind));
    });
    check_every_prefix(&rig, &states);
}

#[test]
fn a_journal_with_a_gap_or_from_the_future_is_refused() {
    let mut rig = Rig::new();
    rig.run_minutes(10);
    let mut records = rig.records.clone();
    records.remove(5);
    assert_eq!(replay(&records), Err(ReplayError::Gap { expected: 6, found: 7 }));
    let mut records = rig.records.clone();
    records[3].version = RECORD_VERSION + 1;
    assert_eq!(replay(&records), Err(ReplayError::TooNew { number: 4, version: RECORD_VERSION + 1 }));
    assert_eq!(replay(&[]), Err(ReplayError::Empty));
    let mut records = rig.records[1..].to_vec();
    records[0].number = 1;
    assert_eq!(replay(&records), Err(ReplayError::NotBegun { number: 1 }));
}
