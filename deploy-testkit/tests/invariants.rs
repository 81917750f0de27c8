//! Every invariant holds in every scripted rollout, under the preset and under random policies.

use std::collections::BTreeMap;
use std::sync::Mutex;

use mpac_deploy_core::machine::{Outcome, Phase};
use mpac_deploy_core::policy::mpac;
use mpac_deploy_testkit::invariant;
use mpac_deploy_testkit::script::{self, Script};
use mpac_deploy_testkit::strategies::{config, policies, policies_with_approvals, scripts};
use mpac_deploy_testkit::trace::Trace;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

fn ending(trace: &Trace) -> &'static str {
    match trace.last().map(mpac_deploy_core::machine::Rollout::phase) {
        Some(Phase::Finished(Outcome::Completed)) => "completed",
        Some(Phase::Finished(Outcome::RolledBack { .. })) => "rolled back",
        Some(Phase::Finished(Outcome::Abandoned { .. })) => "abandoned",
        Some(Phase::RollingBack(_)) => "held on its way back",
        Some(
            Phase::Preparing(_)
            | Phase::Shifting(_)
            | Phase::Baking(_)
            | Phase::Decommissioning(_)
            | Phase::Contracting(_),
        ) => "paused",
        None => "empty",
    }
}

proptest! {
    #![proptest_config(config(64, file!()))]

    #[test]
    fn they_hold_under_the_preset(script in scripts()) {
        invariant::check_all(&script::run(&mpac(), &script)?)?;
    }

    #[test]
    fn they_hold_under_random_policies(policy in policies(), script in scripts()) {
        invariant::check_all(&script::run(&policy, &script)?)?;
    }

    #[test]
    fn they_hold_where_steps_wait_for_a_person(policy in policies_with_approvals(), script in scripts()) {
        invariant::check_all(&script::run(&policy, &script)?)?;
    }
}

#[test]
#[ignore = "2,000 rollouts take a minute or more in a debug build; `cargo xtask test` runs it"]
fn they_hold_in_two_thousand_rollouts_that_end_in_every_way() {
    let endings: Mutex<BTreeMap<&str, u32>> = Mutex::new(BTreeMap::new());
    let mut runner = TestRunner::new(config(2_000, file!()));
    runner
        .run(&scripts(), |script| {
            let trace = script::run(&mpac(), &script)?;
            invariant::check_all(&trace)?;
            *endings.lock().unwrap().entry(ending(&trace)).or_default() += 1;
            Ok(())
        })
        .unwrap();
    let endings = endings.into_inner().unwrap();
    println!("endings of 2,000 rollouts: {endings:#?}");
    for reached in ["completed", "rolled back", "abandoned", "paused"] {
        assert!(endings.contains_key(reached), "no rollout ended {reached}: {endings:?}");
    }
}

#[test]
fn a_rollout_that_nobody_disturbs_completes() {
    let trace = script::run(&mpac(), &Script { acts: Vec::new(), probed: true, migrates: false }).unwrap();
    assert_eq!(ending(&trace), "completed");
    invariant::check_all(&trace).unwrap();
}
