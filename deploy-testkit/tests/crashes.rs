//! A controller may be killed at any point; the next one goes on, and every invariant holds.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

use std::time::Duration;

use mpac_deploy_core::policy::mpac;
use mpac_deploy_testkit::fault::Call;
use mpac_deploy_testkit::invariant::check_all;
use mpac_deploy_testkit::scenario::{self, Scenario};
use mpac_deploy_testkit::sim::{self, CrashMoment, CrashPlace, CrashPoint};
use mpac_deploy_testkit::trace::Trace;

const MOMENTS: [CrashMoment; 2] = [CrashMoment::Before, CrashMoment::After];
const PLACES: [CrashPlace; 2] = [CrashPlace::Append, CrashPlace::Effect];

fn check(scenario: &Scenario, points: &[CrashPoint]) -> Result<(), String> {
    let report = sim::run_with_crashes(scenario, &mpac(), 1, points).unwrap();
    let of = format!("{} with {points:?}", scenario.name);
    if !report.as_expected {
        return Err(format!("{of}: {:?} instead of {}", report.outcome, scenario.expected));
    }
    report.history.check().map_err(|what| format!("{of}: {what}"))?;
    if usize::try_from(report.crashes).unwrap() != points.len() {
        return Err(format!("{of}: {} crashes", report.crashes));
    }
    let trace = Trace::from_journal(report.journal).map_err(|error| format!("{of}: {error}"))?;
    check_all(&trace).map_err(|violation| format!("{of}: {violation}"))
}

fn check_each(scenario: &Scenario, points: impl Iterator<Item = Vec<CrashPoint>>) {
    let wrong: Vec<String> = points.filter_map(|points| check(scenario, &points).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// How many appends and effects the scenario has when nobody is killed.
fn counts(scenario: &Scenario) -> [(CrashPlace, u64); 2] {
    let calls = sim::run(scenario, &mpac(), 1).unwrap().calls;
    let effects = calls.iter().filter(|(call, _)| call.is_effect()).map(|(_, count)| count).sum();
    [(CrashPlace::Append, calls[&Call::JournalAppend]), (CrashPlace::Effect, effects)]
}

fn kill_at(place: CrashPlace, numbers: impl Iterator<Item = u64>) -> impl Iterator<Item = Vec<CrashPoint>> {
    numbers.flat_map(move |number| MOMENTS.map(|moment| vec![CrashPoint { place, number, moment }]))
}

#[test]
fn a_release_without_an_image_may_be_killed_anywhere() {
    let scenario = scenario::by_name("bad-image").unwrap();
    for (place, count) in counts(&scenario) {
        check_each(&scenario, kill_at(place, 1..=count));
    }
}

#[test]
fn a_rollout_may_be_killed_anywhere_on_its_way_to_canary_and_back() {
    let scenario = scenario::by_name("burst-of-5xx").unwrap();
    for (place, count) in counts(&scenario) {
        check_each(&scenario, kill_at(place, (1..=45).chain(count - 25..=count)));
    }
}

#[test]
fn a_rollout_may_be_killed_again_and_again() {
    let places = PLACES.into_iter().cycle();
    let moments = MOMENTS.into_iter().flat_map(|moment| [moment; 2]).cycle();
    let often = (1..=12).zip(places.zip(moments)).map(|(n, (place, moment))| CrashPoint {
        place,
        number: n * 77,
        moment,
    });
    check_each(&scenario::by_name("healthy").unwrap(), std::iter::once(often.collect()));
}

#[test]
fn a_controller_comes_back_after_the_lease_of_the_one_before_has_run_out() {
    let point = CrashPoint { place: CrashPlace::Append, number: 100, moment: CrashMoment::Before };
    let report = sim::run_with_crashes(&scenario::by_name("healthy").unwrap(), &mpac(), 1, &[point]).unwrap();
    let longest = report.journal.windows(2).map(|pair| pair[1].at.since(pair[0].at)).max().unwrap();
    assert!((25..=60).contains(&longest.as_secs()), "{longest:?}");
    assert!(longest > Duration::from_secs(25));
}
