//! A controller may be killed at any point; the next one goes on, and every invariant holds.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests, outside a test function")]

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mpac_deploy_core::policy::mpac;
use mpac_deploy_testkit::invariant::check_all;
use mpac_deploy_testkit::scenario::{self, Scenario};
use mpac_deploy_testkit::sim::{self, CrashMoment, CrashPlace, CrashPoint};
use mpac_deploy_testkit::trace::Trace;

/// Of all scenarios together, this many situations are tried in every run of the tests.
const SAMPLED: usize = 100;

/// The variable that says that only every so many of them is tried where all could be: 1 for all.
const EVERY: &str = "MPAC_CRASHES_EVERY";

/// The variable that says with which of them to begin: 0 for the first.
const FIRST: &str = "MPAC_CRASHES_FIRST";

/// Where [`EVERY`] says nothing: two or three minutes in a debug build.
const EVERY_BY_DEFAULT: usize = 600;

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

/// A situation in which a driver of a scenario can be killed, and the points that lead to it.
struct Situation<'a> {
    scenario: &'a Scenario,
    points: Vec<CrashPoint>,
}

fn situations(scenarios: &[Scenario]) -> Vec<Situation<'_>> {
    let of = |scenario| {
        let situations = sim::crash_points(scenario, &mpac(), 1).unwrap();
        situations.into_iter().map(move |points| Situation { scenario, points })
    };
    scenarios.iter().flat_map(of).collect()
}

/// Kills the driver in every `every`th situation, on all cores, and says what went wrong.
fn kill_in_every(situations: &[Situation<'_>], every: usize) -> Vec<String> {
    kill_from(situations, 0, every)
}

/// The same, from one of them on.
fn kill_from(situations: &[Situation<'_>], first: usize, every: usize) -> Vec<String> {
    let (next, wrong) = (AtomicUsize::new(first), Mutex::new(Vec::new()));
    let work = || {
        while let Some(situation) = situations.get(next.fetch_add(every, Ordering::Relaxed)) {
            if let Err(what) = check(situation.scenario, &situation.points[..1]) {
                wrong.lock().unwrap().push(what);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    wrong.into_inner().unwrap()
}

#[test]
fn a_release_without_an_image_may_be_killed_anywhere() {
    let scenarios = [scenario::by_name("bad-image").unwrap()];
    let wrong = kill_in_every(&situations(&scenarios), 1);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_rollout_may_be_killed_anywhere_on_its_way_to_canary_and_back() {
    let scenarios = [scenario::by_name("burst-of-5xx").unwrap()];
    let all = situations(&scenarios);
    let (there, back) = (&all[..90], &all[all.len() - 60..]);
    let wrong = [kill_in_every(there, 1), kill_in_every(back, 1)].concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_rollout_that_waits_for_a_person_may_be_killed_until_nobody_looks_any_more() {
    let scenarios = [scenario::by_name("weights-left-changed").unwrap()];
    let all = situations(&scenarios);
    let wrong = kill_in_every(&all[all.len() - 4..], 1);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// At forty moments of the whole way each, of which most of the time is spent waiting for a person.
#[test]
fn a_rollout_that_waits_for_an_approval_may_be_killed_here_and_there() {
    let scenarios = ["approved-step-by-step", "nobody-approves"].map(|name| scenario::by_name(name).unwrap());
    let all = situations(&scenarios);
    let wrong = kill_in_every(&all, all.len() / 40);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn in_every_scenario_a_rollout_may_be_killed_here_and_there() {
    let scenarios = scenario::all();
    let all = situations(&scenarios);
    let wrong = kill_in_every(&all, all.len() / SAMPLED);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Before and after every single effect and every single write to the store, of every scenario.
#[test]
#[ignore = "takes minutes in part and much longer in full; `cargo xtask test` runs a part, `cargo xtask crashes` all of it"]
fn in_every_scenario_a_rollout_may_be_killed_anywhere() {
    let number = |name, default| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let (every, first) = (number(EVERY, EVERY_BY_DEFAULT), number(FIRST, 0));
    let (mut totals, mut wrong) = ([0, 0, 0], Vec::new());
    let began = Instant::now();
    // One after the other, the short ones first, so that what goes wrong is seen early.
    let scenarios = scenario::all();
    let mut all: Vec<_> = scenarios.chunks(1).map(situations).collect();
    all.sort_by_key(Vec::len);
    for situations in &all {
        let found = kill_from(situations, first, every);
        let points: usize = situations.iter().map(|situation| situation.points.len()).sum();
        let counts = [points, situations.len(), situations.len().saturating_sub(first).div_ceil(every)];
        report(situations[0].scenario.name, counts, found.len(), began);
        found.iter().for_each(|what| println!("  {what}"));
        totals = std::array::from_fn(|index| totals[index] + counts[index]);
        wrong.extend(found);
    }
    report(&format!("all {} scenarios", all.len()), totals, wrong.len(), began);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn report(of: &str, [points, situations, rollouts]: [usize; 3], wrong: usize, began: Instant) {
    let after = began.elapsed().as_secs();
    println!(
        "{of}: {points} points come to {situations} situations; {rollouts} rollouts, {wrong} wrong, after {after} s"
    );
}

/// What is said of situations: that whichever of its points a driver is killed at, the rest is the same.
#[test]
fn points_of_one_situation_lead_to_the_same_rollout() {
    let scenario = scenario::by_name("burst-of-5xx").unwrap();
    let all = sim::crash_points(&scenario, &mpac(), 1).unwrap();
    let shared: Vec<&Vec<CrashPoint>> = all.iter().filter(|points| points.len() > 1).collect();
    assert!(shared.len() > 100, "{}", shared.len());
    for points in shared.iter().step_by(17) {
        let mut runs = points.iter().map(|point| {
            let mut report = sim::run_with_crashes(&scenario, &mpac(), 1, &[*point]).unwrap();
            // Only whether the last call was begun tells them apart.
            report.calls.clear();
            report
        });
        let first = runs.next().unwrap();
        assert!(runs.all(|other| other == first), "{points:?}");
    }
}

#[test]
fn a_rollout_may_be_killed_again_and_again() {
    let places = [CrashPlace::Append, CrashPlace::Effect].into_iter().cycle();
    let moments =
        [CrashMoment::Before, CrashMoment::After].into_iter().flat_map(|moment| [moment; 2]).cycle();
    let often = (1..=12).zip(places.zip(moments)).map(|(n, (place, moment))| CrashPoint {
        place,
        number: n * 77,
        moment,
    });
    check(&scenario::by_name("healthy").unwrap(), &often.collect::<Vec<_>>()).unwrap();
}

#[test]
fn a_controller_comes_back_after_the_lease_of_the_one_before_has_run_out() {
    let point = CrashPoint { place: CrashPlace::Append, number: 100, moment: CrashMoment::Before };
    let report = sim::run_with_crashes(&scenario::by_name("healthy").unwrap(), &mpac(), 1, &[point]).unwrap();
    let longest = report.journal.windows(2).map(|pair| pair[1].at.since(pair[0].at)).max().unwrap();
    assert!((25..=60).contains(&longest.as_secs()), "{longest:?}");
    assert!(longest > Duration::from_secs(25));
}
