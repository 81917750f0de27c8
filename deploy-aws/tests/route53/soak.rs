//! Many rollouts on a Route 53 that fails in every way, by controllers that are killed or stopped and wake up again.

use std::pin::pin;
use std::time::Duration;

use mpac_deploy_core::driver::{Driver, DriverError, DriverHandle, Options};
use mpac_deploy_core::machine::{Outcome, Rollout};
use mpac_deploy_core::port::JournalError;
use mpac_deploy_testkit::aws_sim::{AcceptedChange, CallFault, ChangeAction, RecordSet};
use mpac_deploy_testkit::scenario::by_name;

use crate::bridge::{Bridge, Setting};
use crate::rig::{BLUE, GREEN, NAME, config};
use crate::rollout::ends_right;

const MARKER: &str = "_mpac-deploy.api.mpac-cloud.com";
const FORWARD: [(i64, i64); 3] = [(95, 5), (50, 50), (0, 100)];

/// What happens to the first controller.
#[derive(Clone, Copy, Debug)]
enum Interruption {
    None,
    /// It is gone after so many minutes.
    Killed(u64),
    /// It stands still after so many minutes, for two minutes, and goes on.
    Stopped(u64),
}

fn faults() -> [CallFault; 6] {
    [
        CallFault::Throttle,
        CallFault::ServerError,
        CallFault::CutBefore,
        CallFault::CutAfter,
        CallFault::Delay(Duration::from_millis(5)),
        CallFault::Refuse { status: 400, code: "PriorRequestNotComplete".into(), message: "busy".into() },
    ]
}

fn interruption(seed: u64) -> Interruption {
    let minutes = 2 + seed * 7 % 100;
    match seed % 3 {
        0 => Interruption::None,
        1 => Interruption::Killed(minutes),
        _ => Interruption::Stopped(minutes),
    }
}

/// Goes on with the rollout as the second process, once the lease of the first has run out.
async fn take_over(setting: &Setting) -> (Driver, DriverHandle) {
    loop {
        let resumed = Driver::resume(setting.ports(1), setting.id.clone(), Options::new("second")).await;
        match resumed {
            Err(DriverError::Journal(JournalError::Held { .. })) => {
                setting.clock.sleep(Duration::from_secs(5)).await;
            }
            other => return other.unwrap(),
        }
    }
}

fn outcome(rollout: &Rollout) -> Outcome {
    rollout.outcome().unwrap().clone()
}

async fn interrupted(setting: Setting, interruption: Interruption) -> Outcome {
    let (ports, options) = (setting.ports(0), Options::new("first"));
    let (driver, _handle) =
        Driver::start(ports, setting.id.clone(), setting.plan.clone(), options).await.unwrap();
    let mut first = pin!(driver.run());
    let (minutes, wakes) = match interruption {
        Interruption::None => return outcome(&first.await.unwrap()),
        Interruption::Killed(minutes) => (minutes, false),
        Interruption::Stopped(minutes) => (minutes, true),
    };
    tokio::select! {
        ended = &mut first => return outcome(&ended.unwrap()),
        () = setting.clock.sleep(Duration::from_secs(60 * minutes)) => {}
    }
    let (driver, _handle) = take_over(&setting).await;
    let mut second = pin!(driver.run());
    if wakes {
        tokio::select! {
            ended = &mut second => return outcome(&ended.unwrap()),
            () = setting.clock.sleep(Duration::from_secs(90)) => {}
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
        let expected = RecordSet::weighted_alias(&format!("{NAME}."), set, record.weight.unwrap_or(-1));
        *record == expected
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
    let created = change
        .changes
        .iter()
        .find(|(action, record)| *action == ChangeAction::Create && record.kind == "TXT");
    let value = &created?.1.resource_records.as_ref()?.records.first()?.value;
    value.trim_matches('"').strip_prefix("fence=")?.parse().ok()
}

fn run(seed: u64) {
    let name = match seed / 3 % 3 {
        0 => "healthy",
        1 => "error-spike-over",
        _ => "burst-of-5xx",
    };
    let scenario = by_name(name).unwrap();
    let bridge = Bridge::new(&config().with_fence_record(MARKER), 2);
    bridge.aws.strike(0.25, &faults(), seed);
    let how = interruption(seed);
    let outcome = bridge.run(&scenario, seed, |setting| interrupted(setting, how));
    // A test that passes keeps it to itself.
    eprintln!("seed {seed}: {how:?}, {}: {outcome:?}", scenario.name);

    ends_right(&outcome, &bridge);
    let changes = bridge.aws.changes();
    assert!(changes.iter().all(is_whole), "seed {seed}: {changes:#?}");
    let tokens: Vec<u64> = changes.iter().filter_map(fence).collect();
    assert!(tokens.is_sorted(), "seed {seed}: a change after the lease was lost: {tokens:?}");
    let mut steps = bridge.steps();
    if matches!(outcome, Outcome::RolledBack { .. }) {
        assert_eq!(steps.pop(), Some((100, 0)), "seed {seed}");
    }
    assert!(FORWARD.starts_with(&steps), "seed {seed}: {steps:?}");
}

#[test]
fn a_rollout_ends_right_whatever_fails_and_whoever_is_killed() {
    (1..=18).for_each(run);
}

#[test]
#[ignore = "200 rollouts take a minute: run `cargo xtask test`"]
fn two_hundred_rollouts_end_right_whatever_fails_and_whoever_is_killed() {
    (1000..1200).for_each(run);
}
