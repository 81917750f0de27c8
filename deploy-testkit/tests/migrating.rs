//! A release with both phases of migrations: a rollback at every point of it, and a crash at every point of it, ends in a state that
//! the gate allows.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

use std::sync::Arc;
use std::time::Duration;

use mpac_deploy_core::driver::{Driver, Options, Ports};
use mpac_deploy_core::journal::rollout_id;
use mpac_deploy_core::machine::{Command, CommandKind};
use mpac_deploy_core::policy::{IssueKind, mpac};
use mpac_deploy_core::port::NoFlags;
use mpac_deploy_testkit::fakes::{FakeNotify, FakeSchema, MemoryJournal};
use mpac_deploy_testkit::fault::{Call, Faults, Rule, Strike, wrap};
use mpac_deploy_testkit::invariant::check_all;
use mpac_deploy_testkit::scenario::{self, Action, Scenario};
use mpac_deploy_testkit::sim::{self, CrashMoment, CrashPlace, CrashPoint, SimOutcome, SimReport};
use mpac_deploy_testkit::trace::Trace;
use mpac_deploy_testkit::world::{Anchor, Moment, Setup, SimClock, Timeline, World, epoch};

/// The versions that the schemas of `svc-portal` and `mpac-pgw` are left at.
fn versions(report: &SimReport) -> [String; 2] {
    let of = |service: &str, first: &str| {
        let changed = report.schema.iter().rfind(|change| change.service.as_str() == service);
        changed.map_or_else(|| first.to_owned(), |change| change.to.to_string())
    };
    [of("svc-portal", "a1"), of("mpac-pgw", "7")]
}

/// Green's final weight says which code runs; the schema must be one that fits it.
fn check(report: SimReport, of: &str) -> Result<(), String> {
    report.history.check().map_err(|what| format!("{of}: {what}"))?;
    let weights = report.history.weights.last().map_or(report.history.initial, |change| change.weights);
    let [portal, pgw] = versions(&report);
    let is_contracted = portal == "c3" || pgw == "9";
    if is_contracted && weights.blue > 0 {
        return Err(format!("{of}: {weights} on a schema at {portal} and {pgw}"));
    }
    if report.outcome == SimOutcome::Completed && (portal.as_str(), pgw.as_str()) != ("c3", "9") {
        return Err(format!("{of}: completed with a schema at {portal} and {pgw}"));
    }
    if matches!(report.outcome, SimOutcome::Unfinished { .. } | SimOutcome::Stopped { .. }) {
        return Err(format!("{of}: {:?}", report.outcome));
    }
    let trace = Trace::from_journal(report.journal).map_err(|error| format!("{of}: {error}"))?;
    check_all(&trace).map_err(|violation| format!("{of}: {violation}"))
}

fn migrating() -> Scenario {
    scenario::by_name("migrated-in-two-phases").unwrap()
}

#[test]
fn a_rollback_at_every_point_ends_in_a_state_that_the_gate_allows() {
    // Close together until blue is retired, then every few hours until the schema is contracted.
    let minutes = (0..8).chain((8..124).step_by(6)).chain((4..26).step_by(7).map(|hour| hour * 60 + 1));
    let mut outcomes = std::collections::BTreeMap::<&str, u32>::new();
    let mut wrong = Vec::new();
    for minute in minutes {
        for issue in [IssueKind::HighErrorRate, IssueKind::DatabaseCorruption] {
            let kind = CommandKind::Abort { issue, force: false };
            let command = Command { kind, by: "the operator".into(), why: "at every point".into() };
            let at = Moment { anchor: Anchor::Start, after: Duration::from_secs(minute * 60 + 1) };
            let scenario = migrating().with_action(at, Action::Command(command));
            let report = sim::run(&scenario, &mpac(), 1).unwrap();
            *outcomes.entry(report.outcome.as_str()).or_default() += 1;
            wrong.extend(check(report, &format!("{issue:?} at minute {minute}")).err());
        }
    }
    println!("{outcomes:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(outcomes["rolled-back"] > 40 && outcomes["abandoned"] > 0, "{outcomes:?}");
}

/// Appends and effects around the changes of a schema: the first ones, and those of the last day.
fn points(scenario: &Scenario) -> Vec<CrashPoint> {
    let calls = sim::run(scenario, &mpac(), 1).unwrap().calls;
    let effects: u64 = calls.iter().filter(|(call, _)| call.is_effect()).map(|(_, count)| count).sum();
    let counts = [(CrashPlace::Append, calls[&Call::JournalAppend]), (CrashPlace::Effect, effects)];
    let numbers = counts.into_iter().flat_map(|(place, count)| {
        (1..=6).chain(count.saturating_sub(5)..=count).map(move |number| (place, number))
    });
    numbers
        .flat_map(|(place, number)| {
            [CrashMoment::Before, CrashMoment::After].map(|moment| CrashPoint { place, number, moment })
        })
        .collect()
}

#[test]
fn a_crash_at_every_change_of_a_schema_ends_in_a_state_that_the_gate_allows() {
    let names =
        ["migrated-in-two-phases", "migration-fails", "database-corruption", "aborted-before-contracting"];
    let (mut runs, mut wrong) = (0, Vec::new());
    for scenario in names.map(|name| scenario::by_name(name).unwrap()) {
        for point in points(&scenario) {
            let report = sim::run_with_crashes(&scenario, &mpac(), 1, &[point]).unwrap();
            let of = format!("{} with {point:?}", scenario.name);
            if !report.as_expected {
                wrong.push(format!("{of}: {:?} instead of {}", report.outcome, scenario.expected));
            }
            wrong.extend(check(report, &of).err());
            runs += 1;
        }
    }
    println!("{runs} crashes");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_a_migration_that_is_under_way() {
    let slow = Rule::new(&[Call::SchemaApply], Strike::Delay(Duration::from_secs(60)));
    let clock = SimClock::new(epoch(), 1);
    let world = Arc::new(World::new(Setup::default(), 1, clock.clone()));
    let schema = Arc::new(FakeSchema::before(&scenario::migrations()));
    let ports = Ports {
        traffic: Arc::clone(&world) as _,
        fleet: Arc::clone(&world) as _,
        metrics: Arc::clone(&world) as _,
        checks: Arc::clone(&world) as _,
        probes: Arc::clone(&world) as _,
        schema: Arc::clone(&schema) as _,
        flags: Arc::new(NoFlags),
        journal: Arc::new(MemoryJournal::new(Arc::new(clock.clone()))),
        notify: Arc::new(FakeNotify::default()),
        clock: Arc::new(clock.clone()),
    };
    let timeline: Arc<dyn Timeline> = Arc::clone(&world) as _;
    let ports = wrap(ports, &Arc::new(Faults::new(vec![slow], 1, clock.clone(), timeline)));
    let release = migrating().release;
    let id = rollout_id(&release, epoch());
    let plan = mpac().compile(release).unwrap();
    let (driver, handle) = Driver::start(ports, id, plan, Options::new("test")).await.unwrap();
    let running = tokio::spawn(driver.run());
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(handle.status().outstanding().any(|effect| effect.kind.changes_schema()));
    handle.stop();
    let rollout = running.await.unwrap().unwrap();
    assert_eq!((schema.done().len(), rollout.outcome()), (1, None));
    assert!(
        !rollout
            .outstanding()
            .any(|effect| effect.kind.changes_schema() && effect.id == schema.done()[0].effect)
    );
}
