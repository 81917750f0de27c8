//! Every scenario ends as it should, and the same seed gives the same run.

use mpac_deploy_core::policy::mpac;
use mpac_deploy_testkit::sim::{CrashMoment, CrashPlace, CrashPoint};
use mpac_deploy_testkit::{scenario, sim};

const SEEDS: [u64; 3] = [1, 7, 2026];

#[test]
fn every_scenario_ends_as_it_expects() {
    let mut wrong = Vec::new();
    for scenario in scenario::all() {
        for seed in SEEDS {
            let report = sim::run(&scenario, &mpac(), seed).unwrap();
            if !report.as_expected {
                wrong.push(format!(
                    "{} with seed {seed}: {:?} instead of {}",
                    scenario.name, report.outcome, scenario.expected
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let text = |seed| {
        let report = sim::run(&scenario::by_name("healthy").unwrap(), &mpac(), seed).unwrap();
        serde_json::to_string(&report).unwrap()
    };
    assert!(text(3) == text(3), "two runs of one seed differ");
    assert!(text(3) != text(4), "the seed changes nothing");
}

#[test]
fn an_unknown_name_is_answered_with_the_known_ones() {
    let error = scenario::by_name("heathly").unwrap_err().to_string();
    assert!(error.contains("`heathly`") && error.contains("healthy"), "{error}");
}

#[test]
fn a_killed_driver_is_followed_by_one_that_ends_the_same_way() {
    let scenario = scenario::by_name("healthy").unwrap();
    for moment in [CrashMoment::Before, CrashMoment::After] {
        for (place, number) in [(CrashPlace::Append, 1), (CrashPlace::Append, 30), (CrashPlace::Effect, 17)] {
            let point = CrashPoint { place, number, moment };
            let report = sim::run_with_crashes(&scenario, &mpac(), 1, &[point]).unwrap();
            assert_eq!(report.crashes, 1, "{point:?}");
            assert!(report.as_expected, "{point:?}: {:?}", report.outcome);
        }
    }
}
