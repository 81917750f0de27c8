//! The simulated ECS in front of a simulated world.

use std::sync::Arc;

use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::DeploymentRolloutState;
use mpac_deploy_core::metric::Side;
use mpac_deploy_testkit::aws_sim::elbv2::target_group_arn;
use mpac_deploy_testkit::aws_sim::{AwsSim, Bound, Settings};
use mpac_deploy_testkit::world::{Setup, SimClock, World, epoch};

use crate::common::sdk_at;
use crate::rig::{BLUE, CLUSTER, GREEN, NEW, OLD};

/// A world whose hours are seconds.
fn world(setup: Setup) -> Arc<World> {
    Arc::new(World::new(setup, 7, SimClock::new(epoch(), 600)))
}

async fn aws(world: &Arc<World>) -> (AwsSim, Client, aws_sdk_elasticloadbalancingv2::Client) {
    let bound = Bound::new(Arc::clone(world), "Z1", "api.mpac-cloud.com");
    let aws = AwsSim::start_with(Settings::default(), 0, bound).await.unwrap();
    aws.put_environment(CLUSTER, BLUE, OLD, 4).unwrap();
    aws.put_environment(CLUSTER, GREEN, NEW, 4).unwrap();
    let sdk = sdk_at(&aws.endpoint_url()).await;
    (aws, Client::new(&sdk), aws_sdk_elasticloadbalancingv2::Client::new(&sdk))
}

#[tokio::test]
async fn services_and_targets_show_the_tasks_of_the_world() {
    let world = world(Setup::default());
    let (_aws, ecs, elb) = aws(&world).await;
    assert!(world.state_of(Side::Green).runs, "a service that wants tasks starts those of its side");
    world.clock().sleep(std::time::Duration::from_secs(120)).await;
    let described = ecs.describe_services().cluster(CLUSTER).services(GREEN).send().await.unwrap();
    let green = &described.services()[0];
    assert_eq!((green.running_count, green.pending_count), (4, 0));
    assert_eq!(green.deployments()[0].rollout_state, Some(DeploymentRolloutState::Completed));
    let health = elb.describe_target_health().target_group_arn(target_group_arn(GREEN)).send().await.unwrap();
    let healthy = |state: &str| {
        let of_state = |target: &&aws_sdk_elasticloadbalancingv2::types::TargetHealthDescription| {
            target
                .target_health()
                .and_then(|health| health.state())
                .is_some_and(|found| found.as_str() == state)
        };
        health.target_health_descriptions().iter().filter(of_state).count()
    };
    assert_eq!(healthy("healthy"), 4);
}

#[tokio::test]
async fn no_desired_task_of_blue_drains_the_tasks_of_the_world() {
    let world = world(Setup::default());
    let (_aws, ecs, elb) = aws(&world).await;
    ecs.update_service().cluster(CLUSTER).service(BLUE).desired_count(0).send().await.unwrap();
    let targets = async || {
        let health =
            elb.describe_target_health().target_group_arn(target_group_arn(BLUE)).send().await.unwrap();
        health.target_health_descriptions.unwrap().len()
    };
    world.clock().sleep(std::time::Duration::from_secs(120)).await;
    assert_eq!(targets().await, 0);
    assert!(!world.state_of(Side::Blue).runs);
    ecs.update_service().cluster(CLUSTER).service(BLUE).desired_count(4).send().await.unwrap();
    world.clock().sleep(std::time::Duration::from_secs(120)).await;
    assert_eq!(targets().await, 4);
}
