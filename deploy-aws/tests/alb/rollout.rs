//! The whole strategy by the driver, to completion and to rollback; the rule is read from outside at the end.

use std::sync::Arc;

use mpac_deploy_aws::{AlbTraffic, Quota};
use mpac_deploy_core::effect::{Direction, ObservedWeights};
use mpac_deploy_core::ids::FencingToken;
use mpac_deploy_core::machine::Outcome;
use mpac_deploy_core::port::{Clock, SystemClock, Traffic};
use mpac_deploy_testkit::aws_sim::elbv2::AcceptedRule;
use mpac_deploy_testkit::aws_sim::{AwsSim, Bound, CallFault, Settings};
use mpac_deploy_testkit::scenario::by_name;
use mpac_deploy_testkit::world::{SimClock, World};
use tokio::runtime::Builder;

use crate::common::{bridge, effect, sdk_at, weights};
use crate::rig::{NAME, blue, config, green, rig, rule};

/// Blue's and green's weight in a change.
fn written(change: &AcceptedRule) -> (u32, u32) {
    let forward = change.actions.iter().find_map(|action| action.forward.as_ref()).unwrap();
    let of = |arn: &str| forward.groups.iter().find(|group| group.target_group_arn == arn).unwrap().weight;
    (of(&blue()), of(&green()))
}

fn roll_out(scenario: &str, seed: u64, prepare: impl FnOnce(&AwsSim)) -> (Outcome, Vec<(u32, u32)>) {
    let real = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let rig = real.block_on(rig());
    prepare(&rig.aws);
    let adapters = [Arc::new(rig.traffic) as Arc<dyn Traffic>];
    let scenario = by_name(scenario).unwrap();
    let outcome =
        bridge::run(real.handle(), &adapters, NAME, &scenario, seed, |setting| setting.until_the_end());
    let mut steps: Vec<_> = rig.aws.rule_changes().iter().map(written).collect();
    steps.dedup();
    (outcome, steps)
}

#[test]
fn a_good_release_goes_through_every_stage_to_green() {
    let (outcome, steps) = roll_out("healthy", 1, |_| {});
    assert_eq!(outcome, Outcome::Completed);
    assert_eq!(steps, [(95, 5), (50, 50), (0, 100)]);
}

#[test]
fn a_bad_release_goes_back_to_blue_although_a_quarter_of_all_calls_fails() {
    for seed in 1..=3 {
        let faults = [CallFault::Throttle, CallFault::ServerError, CallFault::CutBefore, CallFault::CutAfter];
        let (outcome, steps) = roll_out("error-spike-over", seed, |aws| aws.strike(0.25, &faults, seed));
        assert!(!matches!(outcome, Outcome::Completed), "{outcome:?}");
        assert!(steps.last().is_none_or(|last| *last == (100, 0)), "{steps:?}");
    }
}

#[tokio::test]
async fn a_rule_moves_the_traffic_of_the_world_that_is_bound_to_it() {
    let scenario = by_name("healthy").unwrap();
    let world = Arc::new(World::new(scenario.setup, 1, SimClock::new(SystemClock.now(), 1)));
    let bound = Bound::by_rule(Arc::clone(&world), &config().rule_arn);
    let aws = AwsSim::start_with(Settings::default(), 0, bound).await.unwrap();
    aws.put_rule(rule(100, 0));
    let sdk = sdk_at(&aws.endpoint_url()).await;
    let traffic = AlbTraffic::new(&sdk, &Quota::load_balancing(), config());
    traffic.set_weights(&effect(1), FencingToken(1), weights(95, 5), Direction::Forward).await.unwrap();
    let moved: Vec<_> = world.history().weights.iter().map(|change| change.weights).collect();
    assert_eq!(moved, [ObservedWeights { blue: 95, green: 5 }]);
}
