use mpac_deploy_aws::EcsError;
use mpac_deploy_core::ids::FencingToken;
use mpac_deploy_core::plan::{Environments, Release};
use mpac_deploy_core::port::PortError;
use mpac_deploy_testkit::aws_sim::{CallFault, Operation};

use crate::common::effect;
use crate::rig::{BLUE, CLUSTER, GREEN, Rig, config, fleet, release, rig, rig_with};

fn suspended(rig: &Rig) -> [bool; 3] {
    rig.aws.scalable_target(CLUSTER, BLUE).unwrap().suspended
}

#[tokio::test]
async fn a_service_that_scales_by_itself_is_not_retired() {
    let rig = rig().await;
    rig.aws.put_scalable_target(CLUSTER, BLUE, 2, 10);
    let error = rig.retire(1).await.unwrap_err();
    assert!(matches!(&error, EcsError::Scaled { min: 2, max: 10, service } if service == BLUE), "{error}");
    assert!(matches!(PortError::from(error), PortError::Refused(_)));
    assert_eq!((rig.service(BLUE).desired, suspended(&rig)), (4, [false; 3]));
}

#[tokio::test]
async fn or_its_scaling_is_suspended_and_resumed_as_it_was() {
    let rig = rig_with(config().with_suspended_scaling()).await;
    rig.aws.put_scalable_target(CLUSTER, BLUE, 2, 10);
    rig.retire(1).await.unwrap();
    assert_eq!((rig.service(BLUE).desired, suspended(&rig)), (0, [true; 3]));
    rig.revive(2).await.unwrap();
    assert_eq!((rig.service(BLUE).desired, suspended(&rig)), (4, [false; 3]));
}

#[tokio::test]
async fn an_attempt_without_an_answer_does_not_take_the_suspension_for_what_was_before() {
    let rig = rig_with(config().with_suspended_scaling()).await;
    rig.aws.put_scalable_target(CLUSTER, BLUE, 2, 10);
    rig.aws.script(Operation::RegisterScalableTarget, [CallFault::CutAfter]);
    assert!(rig.retire(1).await.is_err());
    assert_eq!(suspended(&rig), [true; 3]);
    rig.retire(1).await.unwrap();
    let other = fleet(&rig.aws, config()).await;
    other.revive_blue(&effect(2), FencingToken(2), &release()).await.unwrap();
    assert_eq!(suspended(&rig), [false; 3]);
}

#[tokio::test]
async fn the_next_release_resumes_it_when_it_starts_the_service_as_green() {
    let rig = rig_with(config().with_suspended_scaling()).await;
    rig.aws.put_scalable_target(CLUSTER, BLUE, 2, 10);
    rig.provision(1).await.unwrap();
    rig.aws.let_tasks_settle();
    rig.retire(2).await.unwrap();
    let environments = Some(Environments { blue: "green".into(), green: "blue".into() });
    let next = Release { environments, green: "v2.2.0".into(), ..release() };
    rig.fleet.provision_green(&effect(3), FencingToken(2), &next).await.unwrap();
    assert_eq!((rig.service(BLUE).desired, suspended(&rig)), (4, [false; 3]));
    assert_eq!(rig.service(GREEN).desired, 4);
}

#[tokio::test]
async fn a_green_that_is_stopped_for_its_schema_is_kept_from_scaling_in_any_case() {
    let rig = rig().await;
    rig.provision(1).await.unwrap();
    rig.aws.put_scalable_target(CLUSTER, GREEN, 2, 10);
    rig.fleet.halt_green(&effect(2), FencingToken(1), &release()).await.unwrap();
    assert_eq!(
        (rig.service(GREEN).desired, rig.aws.scalable_target(CLUSTER, GREEN).unwrap().suspended),
        (0, [true; 3])
    );
}
