//! Many rollouts on an AWS that fails in every way, by controllers that are killed or stopped and wake up again.

use std::pin::pin;
use std::time::Duration;

use mpac_deploy_core::driver::{Driver, DriverError, DriverHandle, Options};
use mpac_deploy_core::machine::{Outcome, Rollout};
use mpac_deploy_core::port::JournalError;
use mpac_deploy_testkit::aws_sim::platform::RECORD;
use mpac_deploy_testkit::aws_sim::{AcceptedChange, CallFault, ChangeAction, RecordSet};
use mpac_deploy_testkit::scenario::by_name;

use crate::rig::{Platform, minutes, platform, short, virtually};

const BLUE: &str = "blue-environment";
const GREEN: &str = "green-environment";
const FORWARD: [(i64, i64); 3] = [(95, 5), (50, 50), (0, 100)];

/// The share of all calls that fails. Three attempts in a row must not fail too often, or no rollout would get far.
const SHARE: f64 = 0.08;

/// What happens to the first controller.
#[derive(Clone, Copy, Debug)]
enum Interruption {
    None,
    /// It is gone after so many minutes.
    Killed(u64),
    /// It stands still after so many minutes, for two minutes, and goes on.
    Stopped(u64),
}

/// Not `Delay`: the clock stands still during a call.
fn faults() -> [CallFault; 4] {
    [CallFault::Throttle, CallFault::ServerError, CallFault::CutBefore, CallFault::CutAfter]
}

fn interruption(seed: u64) -> Interruption {
    let minutes = 2 + seed * 7 % 25;
    match seed % 3 {
        0 => Interruption::None,
        1 => Interruption::Killed(minutes),
        _ => Interruption::Stopped(minutes),
    }
}

/// Begins; what fails to begin is begun again, as a supervisor would.
async fn begin(platform: &Platform) -> (Driver, DriverHandle) {
    loop {
        let (id, plan) = (platform.id.clone(), platform.plan.clone());
        match Driver::start(platform.process(), id, plan, Options::new("first")).await {
            // The first record was stored, and the answer was lost.
            Err(DriverError::Exists(_)) => return take_over(platform).await,
            Err(DriverError::Journal(error)) if is_passing(&error) => wait(platform).await,
            other => return other.unwrap(),
        }
    }
}

/// Goes on with the rollout as a second process, once the lease of the first has run out.
async fn take_over(platform: &Platform) -> (Driver, DriverHandle) {
    let ports = platform.process();
    loop {
        match Driver::resume(ports.clone(), platform.id.clone(), Options::new("second")).await {
            Err(DriverError::Journal(error)) if is_passing(&error) => wait(platform).await,
            other => return other.unwrap(),
        }
    }
}

const fn is_passing(error: &JournalError) -> bool {
    matches!(error, JournalError::Held { .. } | JournalError::Unavailable(_))
}

async fn wait(platform: &Platform) {
    platform.clock.sleep(Duration::from_secs(5)).await;
}

fn outcome(rollout: &Rollout) -> Outcome {
    rollout.outcome().unwrap().clone()
}

async fn interrupted(platform: &Platform, interruption: Interruption) -> Outcome {
    let (driver, _handle) = begin(platform).await;
    let mut first = pin!(driver.run());
    let (after, wakes) = match interruption {
        Interruption::None => return outcome(&first.await.unwrap()),
        Interruption::Killed(after) => (after, false),
        Interruption::Stopped(after) => (after, true),
    };
    tokio::select! {
        ended = &mut first => return outcome(&ended.unwrap()),
        () = minutes(&platform.clock, after) => {}
    }
    let (driver, _handle) = take_over(platform).await;
    let mut second = pin!(driver.run());
    if wakes {
        tokio::select! {
            ended = &mut second => return outcome(&ended.unwrap()),
            () = minutes(&platform.clock, 2) => {}
        }
        let (late, ended) = tokio::join!(first, second);
        assert!(late.is_err(), "the first controller ended the rollout without the lease");
        return outcome(&ended.unwrap());
    }
    outcome(&second.await.unwrap())
}

/// One batch for both records, whole; or the repeat by which a new process confirms a change.
fn is_whole(change: &AcceptedChange) -> bool {
    let pair: Vec<&(ChangeAction, RecordSet)> =
        change.changes.iter().filter(|(_, record)| record.kind == "A").collect();
    let as_before = |set: &str, record: &RecordSet| {
        *record == RecordSet::weighted_alias(&format!("{RECORD}."), set, record.weight.unwrap_or(-1))
    };
    let is = |at: usize, action: ChangeAction, set: &str| {
        pair.get(at).is_some_and(|(done, record)| *done == action && as_before(set, record))
    };
    let (create, delete, upsert) = (ChangeAction::Create, ChangeAction::Delete, ChangeAction::Upsert);
    match pair.len() {
        2 => is(0, upsert, BLUE) && is(1, upsert, GREEN),
        4 => is(0, delete, BLUE) && is(1, create, BLUE) && is(2, delete, GREEN) && is(3, create, GREEN),
        _ => false,
    }
}

/// The token with which a change was made.
fn fence(change: &AcceptedChange) -> Option<u64> {
    let is_marker = |(action, record): &&(ChangeAction, RecordSet)| {
        *action == ChangeAction::Create && record.kind == "TXT"
    };
    let created = change.changes.iter().find(is_marker);
    let value = &created?.1.resource_records.as_ref()?.records.first()?.value;
    value.trim_matches('"').strip_prefix("fence=")?.parse().ok()
}

/// The weights of each change that Route 53 has taken; a repeat of the one before is left out.
pub(crate) fn steps(platform: &Platform) -> Vec<(i64, i64)> {
    let written = |change: &AcceptedChange, set: &str| {
        let found =
            change.changes.iter().rev().find(|(_, record)| record.set_identifier.as_deref() == Some(set));
        found.and_then(|(_, record)| record.weight).unwrap()
    };
    let mut steps: Vec<_> =
        platform.aws.changes().iter().map(|change| (written(change, BLUE), written(change, GREEN))).collect();
    steps.dedup();
    steps
}

fn run(seed: u64) {
    let scenario = by_name(match seed / 3 % 3 {
        0 => "healthy",
        1 => "green-slower-than-blue",
        _ => "burst-of-5xx",
    })
    .unwrap();
    virtually().block_on(async {
        let platform = platform(&scenario, &short(), seed).await;
        platform.aws.strike(SHARE, &faults(), seed);
        let how = interruption(seed);
        let outcome = interrupted(&platform, how).await;
        // A test that passes keeps it to itself.
        eprintln!("seed {seed}: {how:?}, {}: {outcome:?}", scenario.name);
        ends_right(seed, &platform, &outcome);
    });
}

fn ends_right(seed: u64, platform: &Platform, outcome: &Outcome) {
    let changes = platform.aws.changes();
    assert!(changes.iter().all(is_whole), "seed {seed}: {changes:#?}");
    let tokens: Vec<u64> = changes.iter().filter_map(fence).collect();
    assert!(tokens.is_sorted(), "seed {seed}: a change after the lease was lost: {tokens:?}");
    let mut steps = steps(platform);
    let shown = match outcome {
        Outcome::Completed => (Some(0), Some(100)),
        Outcome::RolledBack { .. } => {
            assert_eq!(steps.pop(), Some((100, 0)), "seed {seed}");
            (Some(100), Some(0))
        }
        Outcome::Abandoned { .. } => (Some(100), Some(0)),
    };
    assert_eq!(platform.weights(), shown, "seed {seed}: {outcome:?}");
    assert!(FORWARD.starts_with(&steps), "seed {seed}: {steps:?}");
}

#[test]
fn a_rollout_ends_right_whatever_fails_and_whoever_is_killed() {
    (1..=9).for_each(run);
}

#[test]
#[ignore = "200 rollouts on the whole stack take minutes: run `cargo xtask test`"]
fn two_hundred_rollouts_end_right_whatever_fails_and_whoever_is_killed() {
    (1000..1200).for_each(run);
}
