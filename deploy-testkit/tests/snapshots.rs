//! Snapshots bound the replay of a long rollout, and are never more than a cache.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

use std::sync::Arc;
use std::time::Duration;

use mpac_deploy_core::driver::{Driver, Options, recall};
use mpac_deploy_core::ids::RolloutId;
use mpac_deploy_core::journal::{Record, SNAPSHOT_FORMAT, Snapshot, replay};
use mpac_deploy_core::policy::mpac;
use mpac_deploy_core::port::{Journal, Lease};
use mpac_deploy_testkit::fakes::{FakeClock, Fakes, MemoryJournal};
use mpac_deploy_testkit::scenario::{self, release};
use mpac_deploy_testkit::sim;
use mpac_deploy_testkit::trace::Trace;
use mpac_deploy_testkit::world::epoch;

fn healthy() -> Vec<Record> {
    sim::run(&scenario::by_name("healthy").unwrap(), &mpac(), 1).unwrap().journal
}

/// A journal that holds these records, and the lease to write to it.
async fn journal(records: &[Record]) -> (MemoryJournal, Lease, RolloutId) {
    let journal = MemoryJournal::new(Arc::new(FakeClock::new(epoch())));
    let lease = journal.acquire(&release().record, "tests", Duration::from_secs(60)).await.unwrap();
    let id = replay(records).unwrap().id().clone();
    journal.append(&lease, &id, 0, records).await.unwrap();
    (journal, lease, id)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

#[test]
fn a_snapshot_spares_the_records_before_it() {
    block_on(spares(&healthy()));
}

async fn spares(records: &[Record]) {
    let (journal, lease, id) = journal(records).await;
    let state = replay(&records[..1500]).unwrap();
    journal.keep(&lease, &id, &Snapshot::take(&state, 1500).unwrap()).await.unwrap();
    let recalled = recall(&journal, &id).await.unwrap();
    assert_eq!((&recalled.rollout, recalled.records), (&replay(records).unwrap(), records.len() as u64));

    // That it was used shows where the records before it are gone: a journal of the last ones alone.
    let tail = MemoryJournal::new(Arc::new(FakeClock::new(epoch())));
    let lease = tail.acquire(&release().record, "tests", Duration::from_secs(60)).await.unwrap();
    let filler = vec![records[0].clone(); 1500];
    tail.append(&lease, &id, 0, &[&filler, &records[1500..]].concat()).await.unwrap();
    assert!(recall(&tail, &id).await.is_err());
    tail.keep(&lease, &id, &Snapshot::take(&state, 1500).unwrap()).await.unwrap();
    assert_eq!(recall(&tail, &id).await.unwrap().rollout, recalled.rollout);
}

#[test]
fn a_snapshot_that_cannot_be_used_costs_only_the_replay() {
    block_on(is_not_used(&healthy()));
}

async fn is_not_used(records: &[Record]) {
    let whole = replay(records).unwrap();
    let at = |count: usize| Snapshot::take(&replay(&records[..count]).unwrap(), count as u64).unwrap();
    let good = at(700);
    let unusable = [
        ("another build wrote it", Snapshot { format: "0.0.9/1".into(), ..good.clone() }),
        ("it is cut off", Snapshot { state: good.state[..good.state.len() / 2].into(), ..good.clone() }),
        ("it is of other records", Snapshot { records: 900, ..good.clone() }),
        ("it is of nothing", Snapshot { state: "{}".into(), ..good.clone() }),
    ];
    assert_eq!(good.format, SNAPSHOT_FORMAT);
    for (why, snapshot) in unusable {
        let (journal, lease, id) = journal(records).await;
        journal.keep(&lease, &id, &snapshot).await.unwrap();
        assert_eq!(recall(&journal, &id).await.unwrap().rollout, whole, "{why}");
    }
}

/// The driver keeps them by itself, also one of the end: then there is nothing left to replay.
#[test]
fn the_driver_keeps_a_snapshot_now_and_then_and_one_of_the_end() {
    let report = sim::run(&scenario::by_name("healthy").unwrap(), &mpac(), 1).unwrap();
    let kept = report.calls[&mpac_deploy_testkit::fault::Call::JournalKeep];
    let expected = report.journal.len() as u64 / 256 + 1;
    assert!((expected - 1..=expected).contains(&kept), "{kept} of {} records", report.journal.len());
}

#[tokio::test(start_paused = true)]
async fn a_rollout_that_has_ended_is_known_from_its_snapshot() {
    let fakes = Fakes::new(epoch(), &release());
    fakes.checks.set("smoke".into(), mpac_deploy_core::effect::CheckResult::Failed { detail: "500".into() });
    let plan = mpac().compile(release()).unwrap();
    let id = RolloutId::from("r1");
    let (driver, _handle) =
        Driver::start(fakes.ports(), id.clone(), plan, Options::new("tests")).await.unwrap();
    let ended = driver.run().await.unwrap();
    let snapshot = fakes.journal.snapshot(&id).await.unwrap().unwrap();
    assert_eq!(snapshot.records, fakes.journal.records(&id).len() as u64);
    assert_eq!(snapshot.restore().unwrap(), ended);
}

/// A state with a number that JSON lacks is replayed instead. That must stay the exception, or nothing is bounded.
#[test]
fn nearly_every_state_of_every_scenario_can_be_kept() {
    let (mut states, mut kept) = (0, 0);
    for scenario in scenario::all() {
        let trace = Trace::from_journal(sim::run(&scenario, &mpac(), 1).unwrap().journal).unwrap();
        for (at, step) in trace.steps.iter().enumerate().step_by(211) {
            states += 1;
            kept += u32::from(Snapshot::take(&step.after, at as u64 + 1).is_some());
        }
    }
    assert!(states > 200 && f64::from(kept) > 0.98 * f64::from(states), "{kept} of {states}");
}
