use mpac_deploy_aws::{CallError, EcsError, Unfit};
use mpac_deploy_core::port::PortError;
use mpac_deploy_testkit::aws_sim::elbv2::target_group_arn;
use mpac_deploy_testkit::aws_sim::{CallFault, Operation};
use serde_json::{Value, json};

use crate::common::effect;
use crate::rig::{
    BLUE, CLUSTER, GREEN, NEW, OLD, OTHER_GREEN, OTHER_NEW, config, fleet, release, rig, rig_with,
};

/// What may differ between two revisions besides what was asked for.
fn without_what_aws_adds(mut definition: Value) -> Value {
    for member in ["taskDefinitionArn", "revision", "registeredAt"] {
        definition.as_object_mut().unwrap().remove(member);
    }
    definition
}

#[tokio::test]
async fn green_is_a_copy_of_blue_with_the_image_of_the_release() {
    let rig = rig().await;
    rig.provision(1).await.unwrap();
    let (blue, green) = (rig.service(BLUE), rig.service(GREEN));
    assert_eq!((green.desired, green.image.as_str(), blue.image.as_str()), (4, NEW, OLD));
    assert_eq!(rig.service(OTHER_GREEN).image, OTHER_NEW);
    assert_eq!(green.tags["team"], "mpac");
    assert_eq!(
        ["rollout", "effect", "fence", "action", "count"]
            .map(|tag| green.tags[&format!("mpac-deploy:{tag}")].clone()),
        ["svc-portal-v2.1.0", "1", "1", "provision", "4"]
    );
    let definition = |name: &str| without_what_aws_adds(rig.aws.task_definition(name).unwrap());
    let mut expected = definition(&blue.task_definition);
    expected["containerDefinitions"][0]["image"] = json!(NEW);
    assert_eq!(definition(&green.task_definition), expected);
}

#[tokio::test]
async fn greens_service_is_told_what_blues_was_told() {
    let rig = rig().await;
    rig.provision(1).await.unwrap();
    let told = |name: &str| {
        let mut shown = rig.aws.described_service(CLUSTER, name).unwrap();
        for member in
            ["serviceArn", "serviceName", "createdAt", "deployments", "events", "tags", "taskDefinition"]
        {
            shown.as_object_mut().unwrap().remove(member);
        }
        for member in ["runningCount", "pendingCount"] {
            shown.as_object_mut().unwrap().remove(member);
        }
        shown
    };
    let mut expected = told(BLUE);
    expected["loadBalancers"][0]["targetGroupArn"] = json!(target_group_arn(GREEN));
    assert_eq!(told(GREEN), expected);
}

#[tokio::test]
async fn a_variable_is_set_where_it_was_asked_for() {
    let mut config = config();
    config.services[0] = config.services[0].clone().with_variable("otel", "VERSION", "{revision}");
    let rig = rig_with(config).await;
    rig.provision(1).await.unwrap();
    let definition = rig.aws.task_definition(&rig.service(GREEN).task_definition).unwrap();
    assert_eq!(
        definition["containerDefinitions"][1]["environment"],
        json!([{ "name": "VERSION", "value": "v2.1.0" }])
    );
}

#[tokio::test]
async fn a_green_that_is_there_is_changed_and_keeps_the_rest() {
    let rig = rig().await;
    rig.aws.put_environment(CLUSTER, GREEN, OLD, 1).unwrap();
    rig.provision(1).await.unwrap();
    let green = rig.service(GREEN);
    assert_eq!((green.desired, green.image.as_str()), (4, NEW));
    assert_eq!(rig.count(Operation::CreateService), 1, "the other service's");
    assert_eq!(rig.count(Operation::UpdateService), 1);
}

#[tokio::test]
async fn an_attempt_without_an_answer_is_made_again_and_changes_the_world_once() {
    for operation in [
        Operation::DescribeServices,
        Operation::DescribeTaskDefinition,
        Operation::RegisterTaskDefinition,
        Operation::CreateService,
    ] {
        let rig = rig().await;
        rig.aws.script(operation, [CallFault::CutAfter]);
        let failed = rig.provision(1).await;
        assert!(
            matches!(failed, Err(EcsError::Call(CallError::NoAnswer { .. }))),
            "{operation:?}: {failed:?}"
        );
        rig.provision(1).await.unwrap();
        assert_eq!(rig.aws.revisions("svc-portal"), 2, "{operation:?}: blue's and one of ours");
        assert_eq!(rig.service(GREEN).image, NEW);
    }
}

#[tokio::test]
async fn another_process_finds_what_was_done() {
    let rig = rig().await;
    rig.aws.script(Operation::CreateService, [CallFault::CutAfter]);
    assert!(rig.provision(1).await.is_err());
    let other = fleet(&rig.aws, config()).await;
    other.provision_green(&effect(1), mpac_deploy_core::ids::FencingToken(2), &release()).await.unwrap();
    assert_eq!(rig.aws.revisions("svc-portal"), 2);
    assert_eq!(rig.service(GREEN).tags["mpac-deploy:fence"], "2");
    assert_eq!(rig.count(Operation::UpdateService), 0, "green runs what it should");
}

#[tokio::test]
async fn a_blue_that_was_scaled_between_two_attempts_is_no_other_request() {
    let rig = rig().await;
    rig.aws.script(Operation::CreateService, [CallFault::CutBefore]);
    assert!(rig.provision(1).await.is_err());
    rig.aws.set_desired_by_hand(CLUSTER, BLUE, 6);
    rig.provision(1).await.unwrap();
    assert_eq!(rig.service(GREEN).desired, 4);
}

async fn refused(change: impl FnOnce(&mut Value)) -> EcsError {
    let rig = rig().await;
    let mut service = json!({
        "taskDefinition": rig.service(BLUE).task_definition,
        "desiredCount": 4,
        "launchType": "FARGATE",
        "networkConfiguration": { "awsvpcConfiguration": { "subnets": ["subnet-0a"] } },
        "loadBalancers": [{ "targetGroupArn": target_group_arn(BLUE), "containerName": "app", "containerPort": 8080 }],
    });
    change(&mut service);
    rig.aws.put_service(CLUSTER, BLUE, service).unwrap();
    let error = rig.provision(1).await.unwrap_err();
    assert!(rig.aws.service(CLUSTER, GREEN).is_none());
    assert_eq!(rig.count(Operation::RegisterTaskDefinition), 0, "nothing is done");
    error
}

#[tokio::test]
async fn what_cannot_be_copied_is_refused_before_anything_is_done() {
    let why = |error: EcsError| {
        let EcsError::Unfit { service, why } = error else { panic!("{error}") };
        assert_eq!(service, BLUE);
        why
    };
    let stopped = refused(|service| service["desiredCount"] = json!(0)).await;
    assert_eq!(why(stopped), Unfit::Stopped);
    let found = refused(|service| service["serviceRegistries"] = json!([{ "registryArn": "arn:x" }])).await;
    assert_eq!(why(found), Unfit::Discovered("Cloud Map"));
    let deployed =
        refused(|service| service["deploymentController"] = json!({ "type": "CODE_DEPLOY" })).await;
    assert_eq!(why(deployed), Unfit::Controller("CODE_DEPLOY".into()));
    let elsewhere = target_group_arn("svc-smarttab-blue");
    let unknown = refused(|service| service["loadBalancers"][0]["targetGroupArn"] = json!(elsewhere)).await;
    assert_eq!(why(unknown), Unfit::UnknownGroup(elsewhere));
}

#[tokio::test]
async fn a_group_for_both_sides_is_refused() {
    let mut config = config();
    config.services[0].target_groups[0][1] = target_group_arn(BLUE);
    let error = rig_with(config).await.provision(1).await.unwrap_err();
    assert!(matches!(&error, EcsError::Unfit { why: Unfit::SharedGroup(_), .. }), "{error}");
}

#[tokio::test]
async fn a_missing_permission_says_which_and_is_refused_for_good() {
    let rig = rig().await;
    rig.aws.script(Operation::RegisterTaskDefinition, [CallFault::access_denied()]);
    let error = rig.provision(1).await.unwrap_err();
    assert!(error.to_string().contains("RegisterTaskDefinition: not allowed"), "{error}");
    assert!(matches!(PortError::from(error), PortError::Refused(_)));
}

#[tokio::test]
async fn a_blue_that_is_not_there_is_not_found() {
    let rig = rig().await;
    rig.aws.delete_service_by_hand(CLUSTER, BLUE);
    let error = rig.provision(1).await.unwrap_err();
    assert!(error.to_string().contains("no service svc-portal-blue"), "{error}");
    assert!(matches!(PortError::from(error), PortError::NotFound(_)));
}
