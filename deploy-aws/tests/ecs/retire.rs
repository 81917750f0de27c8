use std::time::Duration;

use mpac_deploy_aws::{CallError, EcsError};
use mpac_deploy_core::effect::Health;
use mpac_deploy_core::ids::FencingToken;
use mpac_deploy_core::metric::Side;
use mpac_deploy_core::port::PortError;
use mpac_deploy_testkit::aws_sim::{CallFault, Operation, Settings};

use crate::common::effect;
use crate::rig::{BLUE, CLUSTER, GREEN, OLD, OTHER_BLUE, Rig, config, environments, fleet, release, rig};

#[tokio::test]
async fn it_returns_once_every_target_is_gone_and_every_task_has_stopped() {
    let rig = rig().await;
    let mut group = rig.aws.target_group(BLUE).unwrap();
    group.deregistration_delay = Duration::from_millis(400);
    rig.aws.put_target_group(group);
    let before = rig.service(BLUE);
    let began = std::time::Instant::now();
    rig.retire(1).await.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(400), "it waits for the deregistration delay");
    let after = rig.service(BLUE);
    assert_eq!((after.desired, after.running), (0, 0));
    assert_eq!(after.task_definition, before.task_definition, "which is kept");
    assert_eq!(after.tags["mpac-deploy:count"], "4");
    let (state, detail) = rig.detail(Side::Blue).await;
    assert_eq!(state, "unhealthy");
    assert!(detail.contains("no task is wanted"), "{detail}");
}

#[tokio::test]
async fn it_is_started_again_with_as_many_tasks_as_before() {
    let rig = rig().await;
    rig.retire(1).await.unwrap();
    rig.revive(2).await.unwrap();
    rig.aws.let_tasks_settle();
    assert_eq!((rig.service(BLUE).running, rig.service(OTHER_BLUE).running), (4, 2));
    assert_eq!(rig.service(BLUE).image, OLD);
    assert_eq!(rig.health(Side::Blue).await, Health::Healthy);
}

#[tokio::test]
async fn another_process_starts_it_from_its_tags() {
    let rig = rig().await;
    rig.retire(1).await.unwrap();
    let other = fleet(&rig.aws, config()).await;
    other.revive_blue(&effect(2), FencingToken(2), &release()).await.unwrap();
    assert_eq!((rig.service(BLUE).desired, rig.service(OTHER_BLUE).desired), (4, 2));
}

#[tokio::test]
async fn without_tags_and_without_tasks_there_is_nothing_to_start_from() {
    let rig = rig().await;
    rig.aws.set_desired_by_hand(CLUSTER, BLUE, 0);
    let error = rig.revive(1).await.unwrap_err();
    assert!(matches!(&error, EcsError::NothingKept { service, .. } if service == BLUE), "{error}");
    assert!(matches!(PortError::from(error), PortError::NotFound(_)));
}

#[tokio::test]
async fn a_call_that_was_dropped_does_not_go_on_after_a_later_revival() {
    let rig = rig().await;
    let mut group = rig.aws.target_group(BLUE).unwrap();
    group.deregistration_delay = Duration::from_secs(3600);
    rig.aws.put_target_group(group);
    let retire = tokio::time::timeout(Duration::from_millis(500), rig.retire(1)).await;
    assert!(retire.is_err(), "blue still drains");
    rig.revive(2).await.unwrap();
    let calls = rig.aws.calls().len();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(rig.aws.calls().len(), calls, "nobody works on");
    // The dropped effect comes once more, though it was overtaken.
    assert_eq!(rig.retire(1).await.unwrap(), None);
    assert_eq!((rig.service(BLUE).desired, rig.service(OTHER_BLUE).desired), (4, 2));
}

#[tokio::test]
async fn a_revival_speaks_even_if_the_stop_has_not_come_through_yet() {
    let rig = rig().await;
    // Tagged, and then cut off before the count was set: the call may still be under way.
    rig.aws.script(Operation::UpdateService, [CallFault::CutBefore]);
    assert!(rig.retire(1).await.is_err());
    assert_eq!(rig.service(BLUE).desired, 4);
    let updates = rig.count(Operation::UpdateService);
    rig.revive(2).await.unwrap();
    assert_eq!(rig.count(Operation::UpdateService), updates + 1, "the later word is blue's");
    assert_eq!((rig.service(BLUE).desired, rig.service(OTHER_BLUE).desired), (4, 2));
}

#[tokio::test]
async fn an_attempt_without_an_answer_is_made_again_and_keeps_the_number_of_tasks() {
    for operation in [Operation::TagResource, Operation::UpdateService, Operation::DescribeTargetHealth] {
        for fault in [CallFault::CutBefore, CallFault::CutAfter, CallFault::Throttle, CallFault::ServerError]
        {
            let rig = rig().await;
            rig.aws.script(operation, [fault.clone()]);
            let failed = rig.retire(1).await;
            let retried = matches!(
                failed,
                Err(EcsError::Call(CallError::NoAnswer { .. } | CallError::Throttled { .. }))
            );
            assert!(retried, "{operation:?} {fault:?}: {failed:?}");
            rig.retire(1).await.unwrap();
            assert_eq!((rig.service(BLUE).desired, rig.service(BLUE).running), (0, 0));
            assert_eq!(rig.service(BLUE).tags["mpac-deploy:count"], "4");
            rig.revive(2).await.unwrap();
            assert_eq!((rig.service(BLUE).desired, rig.service(OTHER_BLUE).desired), (4, 2));
        }
    }
}

#[tokio::test]
async fn a_service_that_somebody_starts_again_meanwhile_is_told() {
    let aws =
        environments(Settings::default().with_tasks(Duration::from_secs(60), Duration::from_secs(60))).await;
    let rig = Rig { fleet: fleet(&aws, config()).await, aws };
    let mut group = rig.aws.target_group(BLUE).unwrap();
    group.deregistration_delay = Duration::from_secs(3600);
    rig.aws.put_target_group(group);
    let scale = async {
        tokio::time::sleep(Duration::from_millis(600)).await;
        rig.aws.set_desired_by_hand(CLUSTER, BLUE, 2);
    };
    let (retired, ()) = tokio::join!(rig.retire(1), scale);
    let error = retired.unwrap_err();
    assert!(matches!(&error, EcsError::StartedAgain { desired: 2, .. }), "{error}");
    assert!(matches!(PortError::from(error), PortError::Unavailable(_)), "the next attempt stops it again");
}

#[tokio::test]
async fn green_is_stopped_for_a_rollback_of_the_schema_and_started_by_the_next_release() {
    let rig = rig().await;
    rig.provision(1).await.unwrap();
    rig.aws.let_tasks_settle();
    rig.fleet.halt_green(&effect(2), FencingToken(1), &release()).await.unwrap();
    assert_eq!((rig.service(GREEN).desired, rig.service(GREEN).running), (0, 0));
    assert_eq!(rig.health(Side::Blue).await, Health::Healthy);
    rig.provision(3).await.unwrap();
    assert_eq!(rig.service(GREEN).desired, 4);
}

#[tokio::test]
async fn a_green_that_was_never_made_is_stopped() {
    let rig = rig().await;
    rig.fleet.halt_green(&effect(2), FencingToken(1), &release()).await.unwrap();
    assert_eq!(rig.count(Operation::UpdateService), 0);
}

#[tokio::test]
async fn one_call_is_between_a_revival_and_its_effect() {
    let rig = rig().await;
    rig.retire(1).await.unwrap();
    let before = rig.aws.calls().len();
    rig.revive(2).await.unwrap();
    use Operation::{DescribeServices, TagResource, UpdateService};
    assert_eq!(
        rig.operations(before),
        [DescribeServices, TagResource, UpdateService, TagResource, UpdateService],
        "one reading for all, then two calls for each service"
    );
}
