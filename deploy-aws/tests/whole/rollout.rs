//! One controller, nothing in its way.

use mpac_deploy_core::driver::{Driver, Options};
use mpac_deploy_core::machine::{Cause, Outcome};
use mpac_deploy_core::policy::mpac;
use mpac_deploy_testkit::aws_sim::platform::CLUSTER;
use mpac_deploy_testkit::scenario::by_name;

use crate::rig::{Platform, platform, virtually};
use crate::soak::steps;

pub(crate) async fn to_the_end(scenario: &str) -> (Outcome, Platform) {
    let platform = platform(&by_name(scenario).unwrap(), &mpac(), 1).await;
    let (id, plan) = (platform.id.clone(), platform.plan.clone());
    let (driver, _handle) = Driver::start(platform.process(), id, plan, Options::new("one")).await.unwrap();
    let outcome = driver.run().await.unwrap().outcome().unwrap().clone();
    (outcome, platform)
}

#[test]
fn the_strategy_completes_on_the_whole_stack() {
    virtually().block_on(async {
        let (outcome, platform) = to_the_end("healthy").await;
        assert_eq!(outcome, Outcome::Completed);
        assert_eq!(steps(&platform), [(95, 5), (50, 50), (0, 100)]);
        let green = platform.aws.service(CLUSTER, "svc-portal-green").unwrap();
        let blue = platform.aws.service(CLUSTER, "svc-portal-blue").unwrap();
        assert!(green.image.ends_with("/svc-portal:v2.1.0") && green.running == 4, "{green:?}");
        assert_eq!((blue.desired, blue.running), (0, 0), "{blue:?}");
    });
}

#[test]
fn a_bad_release_is_taken_back_on_the_whole_stack() {
    virtually().block_on(async {
        let (outcome, platform) = to_the_end("error-spike-over").await;
        assert_eq!(outcome, Outcome::RolledBack { cause: Cause::Rule("error-rate".into()) });
        assert_eq!(steps(&platform), [(95, 5), (50, 50), (100, 0)]);
    });
}
