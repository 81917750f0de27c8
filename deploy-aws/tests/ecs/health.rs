use std::time::Duration;

use mpac_deploy_core::effect::Health;
use mpac_deploy_core::metric::Side;
use mpac_deploy_testkit::aws_sim::Settings;
use mpac_deploy_testkit::aws_sim::ecs::ImageFate;

use crate::rig::{BLUE, CLUSTER, GREEN, NEW, OTHER_GREEN, Rig, config, environments, fleet, rig};

async fn with_fate(fate: ImageFate) -> Rig {
    let rig = rig().await;
    rig.aws.set_image_fate(NEW, fate);
    rig.provision(1).await.unwrap();
    rig
}

#[tokio::test]
async fn what_is_starting_says_how_far_it_is() {
    let rig = rig().await;
    assert_eq!(rig.health(Side::Blue).await, Health::Healthy);
    let (state, detail) = rig.detail(Side::Green).await;
    assert_eq!(state, "unhealthy");
    assert!(detail.contains("svc-portal-green: there is no such service"), "{detail}");
    rig.provision(1).await.unwrap();
    let (state, detail) = rig.detail(Side::Green).await;
    assert_eq!(state, "starting");
    assert!(detail.contains("svc-portal-green: 0 of 4 tasks run, the deployment is under way"), "{detail}");
    assert!(detail.contains("svc-smarttab-green: 0 of 2"), "every service is named: {detail}");
    rig.aws.let_tasks_settle();
    assert_eq!(rig.health(Side::Green).await, Health::Healthy);
}

#[tokio::test]
async fn an_image_that_cannot_be_pulled_has_failed_with_the_reason() {
    let rig = with_fate(ImageFate::CannotBePulled).await;
    rig.aws.let_tasks_settle();
    let (state, detail) = rig.detail(Side::Green).await;
    assert_eq!(state, "failed");
    assert!(detail.contains("circuit breaker: tasks failed to start"), "{detail}");
    assert!(detail.contains("tasks stopped (4): CannotPullContainerError"), "{detail}");
    assert!(detail.contains(NEW), "{detail}");
}

#[tokio::test]
async fn an_exit_code_is_told_with_what_the_platform_says() {
    let reason = Some("OutOfMemoryError: Container killed due to memory usage".to_owned());
    let rig = with_fate(ImageFate::Exits { code: 137, reason }).await;
    rig.aws.let_tasks_settle();
    let (state, detail) = rig.detail(Side::Green).await;
    assert_eq!(state, "failed");
    assert!(detail.contains("app exited with 137, OutOfMemoryError"), "{detail}");
}

#[tokio::test]
async fn a_failing_health_check_is_told_while_it_fails_and_once_it_has() {
    let millis = Duration::from_millis;
    let aws = environments(Settings::default().with_tasks(millis(1), millis(300))).await;
    let rig = Rig { fleet: fleet(&aws, config()).await, aws };
    rig.aws.set_image_fate(NEW, ImageFate::FailsItsHealthCheck { status: 503 });
    rig.provision(1).await.unwrap();
    tokio::time::sleep(millis(400)).await;
    let (state, detail) = rig.detail(Side::Green).await;
    assert_eq!(state, "starting");
    assert!(detail.contains("4 targets are unhealthy: Target.ResponseCodeMismatch, Health checks failed with these codes: [503]"), "{detail}");
    rig.aws.let_tasks_settle();
    let (state, detail) = rig.detail(Side::Green).await;
    assert_eq!(state, "failed");
    assert!(detail.contains("Task failed ELB health checks"), "{detail}");
}

#[tokio::test]
async fn tasks_that_fail_without_a_circuit_breaker_are_given_up_as_well() {
    let rig = rig().await;
    rig.aws.set_circuit_breaker(CLUSTER, BLUE, false);
    rig.aws.set_image_fate(NEW, ImageFate::CannotBePulled);
    rig.provision(1).await.unwrap();
    rig.aws.let_tasks_settle();
    let (state, detail) = rig.detail(Side::Green).await;
    assert_eq!(state, "failed");
    assert!(detail.contains("CannotPullContainerError"), "{detail}");
}

#[tokio::test]
async fn a_deployment_that_was_rolled_back_does_not_run_the_release() {
    let rig = rig().await;
    rig.aws.put_environment(CLUSTER, GREEN, &NEW.replace("v2.1.0", "v1.9.0"), 4).unwrap();
    rig.aws.set_image_fate(NEW, ImageFate::Exits { code: 1, reason: None });
    rig.provision(1).await.unwrap();
    rig.aws.let_tasks_settle();
    let (state, detail) = rig.detail(Side::Green).await;
    assert_eq!(state, "failed");
    assert!(detail.contains(&format!("its tasks do not run {NEW}")), "{detail}");
}

#[tokio::test]
async fn a_target_that_is_unhealthy_is_told_with_its_reason() {
    let rig = rig().await;
    rig.aws.break_targets(BLUE, 1);
    let (state, detail) = rig.detail(Side::Blue).await;
    assert_eq!(state, "unhealthy");
    assert!(
        detail.contains("3 of 4 targets of svc-portal-blue are healthy: Target.Timeout, Request timed out"),
        "{detail}"
    );
    rig.aws.break_targets(BLUE, 4);
    let (_, detail) = rig.detail(Side::Blue).await;
    assert!(
        detail.contains("sends requests to all of them"),
        "a group that fails open is no evidence: {detail}"
    );
}

#[tokio::test]
async fn targets_that_no_balancer_uses_are_not_healthy() {
    let rig = rig().await;
    let mut group = rig.aws.target_group(BLUE).unwrap();
    group.load_balancers.clear();
    rig.aws.put_target_group(group);
    let (state, detail) = rig.detail(Side::Blue).await;
    assert_eq!(state, "unhealthy");
    assert!(detail.contains("Target.NotInUse"), "{detail}");
}

#[tokio::test]
async fn a_task_that_is_one_more_than_before_is_on_its_way_and_no_sickness() {
    let rig = rig().await;
    rig.aws.set_desired_by_hand(CLUSTER, BLUE, 5);
    let (state, detail) = rig.detail(Side::Blue).await;
    assert_eq!((state, detail.as_str()), ("starting", "svc-portal-blue: 4 of 5 tasks run"));
}

#[tokio::test]
async fn a_number_of_tasks_that_somebody_else_has_set_is_told() {
    let rig = rig().await;
    rig.provision(1).await.unwrap();
    rig.aws.let_tasks_settle();
    rig.aws.set_desired_by_hand(CLUSTER, GREEN, 0);
    let (state, detail) = rig.detail(Side::Green).await;
    assert_eq!(state, "unhealthy");
    assert!(
        detail.contains("no task is wanted (the last effect of a rollout left it at 4; it is 0 now)"),
        "{detail}"
    );
    rig.aws.set_desired_by_hand(CLUSTER, GREEN, 9);
    let (state, detail) = rig.detail(Side::Green).await;
    assert_eq!(state, "starting");
    assert!(detail.contains("it is 9 now"), "{detail}");
}

#[tokio::test]
async fn the_sickest_service_speaks_for_its_environment() {
    let rig = rig().await;
    rig.provision(1).await.unwrap();
    rig.aws.let_tasks_settle();
    rig.aws.break_targets(OTHER_GREEN, 1);
    let (state, detail) = rig.detail(Side::Green).await;
    assert_eq!(state, "unhealthy");
    assert!(detail.starts_with("svc-smarttab-green: 1 of 2 targets"), "{detail}");
}
