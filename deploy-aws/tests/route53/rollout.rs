//! The whole strategy by the driver, to completion and to rollback; the zone is read from outside at the end.

use mpac_deploy_core::machine::Outcome;
use mpac_deploy_testkit::aws_sim::{AwsSim, CallFault, Operation};
use mpac_deploy_testkit::scenario::by_name;

use crate::bridge::Bridge;
use crate::rig::config;

fn roll_out(scenario: &str, seed: u64, prepare: impl FnOnce(&AwsSim)) -> (Outcome, Bridge) {
    let bridge = Bridge::new(&config(), 1);
    prepare(&bridge.aws);
    let outcome = bridge.run(&by_name(scenario).unwrap(), seed, |setting| setting.until_the_end());
    (outcome, bridge)
}

#[test]
fn a_good_release_goes_through_every_stage_to_green() {
    let (outcome, bridge) = roll_out("healthy", 1, |_| {});
    assert_eq!(outcome, Outcome::Completed);
    assert_eq!(bridge.weights(), (Some(0), Some(100)));
    assert_eq!(bridge.steps(), [(95, 5), (50, 50), (0, 100)]);
    assert_eq!(bridge.aws.changes().len(), 3, "one batch for each stage");
}

#[test]
fn a_bad_release_goes_back_to_blue() {
    let (outcome, bridge) = roll_out("error-spike-over", 1, |_| {});
    assert!(matches!(outcome, Outcome::RolledBack { .. }), "{:?}", outcome);
    assert_eq!(bridge.weights(), (Some(100), Some(0)));
    assert_eq!(bridge.steps(), [(95, 5), (50, 50), (100, 0)]);
}

#[test]
fn answers_that_are_lost_after_the_change_do_no_harm() {
    let (outcome, bridge) = roll_out("healthy", 2, |aws| {
        let cut_each_first = [CallFault::CutAfter, CallFault::Pass].into_iter().cycle().take(6);
        aws.script(Operation::ChangeResourceRecordSets, cut_each_first);
    });
    assert_eq!(outcome, Outcome::Completed);
    assert_eq!(bridge.steps(), [(95, 5), (50, 50), (0, 100)]);
    assert_eq!(bridge.aws.changes().len(), 6, "each batch and its idempotent repeat");
}

/// Ends as the records say, whichever way it ends.
pub(crate) fn ends_right(outcome: &Outcome, bridge: &Bridge) {
    match outcome {
        Outcome::Completed => assert_eq!(bridge.weights(), (Some(0), Some(100))),
        Outcome::RolledBack { .. } | Outcome::Abandoned { .. } => {
            assert_eq!(bridge.weights(), (Some(100), Some(0)))
        }
    }
}

#[test]
fn a_rollback_gets_through_although_half_of_all_calls_are_throttled() {
    for seed in 1..=5 {
        let (outcome, bridge) = roll_out("error-spike-over", seed, |aws| {
            aws.strike(0.5, &[CallFault::Throttle], seed);
        });
        ends_right(&outcome, &bridge);
        assert!(!matches!(outcome, Outcome::Completed), "{:?}", outcome);
    }
}

#[test]
fn a_good_release_ends_right_although_a_fifth_of_all_calls_is_cut_off_after_its_effect() {
    for seed in 1..=5 {
        let (outcome, bridge) = roll_out("healthy", seed, |aws| {
            aws.strike(0.2, &[CallFault::CutAfter], seed);
        });
        ends_right(&outcome, &bridge);
    }
}
