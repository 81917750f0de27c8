//! The simulated ECS and target groups behave as the real ones, seen through the SDK.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_ecs::Client;
use aws_sdk_ecs::error::ProvideErrorMetadata;
use aws_sdk_ecs::types::{
    AwsVpcConfiguration, ContainerDefinition, DeploymentRolloutState, DesiredStatus, NetworkConfiguration,
    Service, ServiceField, Tag, Task, TaskDefinitionField,
};
use mpac_deploy_testkit::aws_sim::ecs::ImageFate;
use mpac_deploy_testkit::aws_sim::elbv2::{TargetGroup, target_group_arn};
use mpac_deploy_testkit::aws_sim::{AwsSim, Settings};

use crate::common::sdk_at;
use crate::rig::{BLUE, CLUSTER, GREEN, NEW, OLD, environments, on_command};

struct Aws {
    sim: AwsSim,
    ecs: Client,
    elb: aws_sdk_elasticloadbalancingv2::Client,
}

async fn aws() -> Aws {
    aws_with(on_command()).await
}

async fn aws_with(settings: Settings) -> Aws {
    let sim = environments(settings).await;
    let sdk = sdk_at(&sim.endpoint_url()).await;
    Aws { sim, ecs: Client::new(&sdk), elb: aws_sdk_elasticloadbalancingv2::Client::new(&sdk) }
}

impl Aws {
    async fn service(&self, name: &str) -> Service {
        let described =
            self.ecs.describe_services().cluster(CLUSTER).services(name).include(ServiceField::Tags);
        described.send().await.unwrap().services.unwrap().pop().unwrap()
    }

    /// Green as a copy of blue, with this image.
    async fn create_green(&self, image: &str, token: &str) -> Result<Service, String> {
        let arn = self.definition(image).await;
        let blue = self.service(BLUE).await;
        let mut balancer = blue.load_balancers.unwrap().pop().unwrap();
        balancer.target_group_arn = Some(target_group_arn(GREEN));
        let create = self
            .ecs
            .create_service()
            .cluster(CLUSTER)
            .service_name(GREEN)
            .task_definition(arn)
            .desired_count(4);
        let create = create
            .client_token(token)
            .load_balancers(balancer)
            .set_launch_type(blue.launch_type)
            .set_network_configuration(blue.network_configuration)
            .set_deployment_configuration(blue.deployment_configuration);
        create
            .send()
            .await
            .map(|made| made.service.unwrap())
            .map_err(|error| error.code().unwrap().to_owned())
    }

    /// A revision of blue's family with this image; the same one each time.
    async fn definition(&self, image: &str) -> String {
        let found = self.ecs.describe_task_definition().task_definition("svc-portal").send().await.unwrap();
        let latest = found.task_definition.unwrap();
        let mut containers = latest.container_definitions.unwrap();
        if containers[0].image.as_deref() == Some(image) {
            return latest.task_definition_arn.unwrap();
        }
        containers[0].image = Some(image.into());
        let register = self
            .ecs
            .register_task_definition()
            .family("svc-portal")
            .set_container_definitions(Some(containers));
        let register = register.set_network_mode(latest.network_mode).cpu("512").memory("1024");
        let made =
            register.set_requires_compatibilities(latest.requires_compatibilities).send().await.unwrap();
        made.task_definition.unwrap().task_definition_arn.unwrap()
    }

    /// How many targets of a service's group are in which state.
    async fn targets(&self, name: &str) -> BTreeMap<String, usize> {
        let answer =
            self.elb.describe_target_health().target_group_arn(target_group_arn(name)).send().await.unwrap();
        let mut states = BTreeMap::new();
        for target in answer.target_health_descriptions.unwrap() {
            *states.entry(target.target_health.unwrap().state.unwrap().as_str().to_owned()).or_default() += 1;
        }
        states
    }

    async fn tasks(&self, name: &str, status: DesiredStatus) -> Vec<Task> {
        let list = self.ecs.list_tasks().cluster(CLUSTER).service_name(name).desired_status(status);
        let arns = list.send().await.unwrap().task_arns.unwrap();
        if arns.is_empty() {
            return Vec::new();
        }
        let described =
            self.ecs.describe_tasks().cluster(CLUSTER).set_tasks(Some(arns)).send().await.unwrap();
        described.tasks.unwrap()
    }
}

fn states(states: &[(&str, usize)]) -> BTreeMap<String, usize> {
    states.iter().map(|(state, count)| ((*state).to_owned(), *count)).collect()
}

fn primary(service: &Service) -> (DeploymentRolloutState, i32) {
    let primary = &service.deployments()[0];
    (primary.rollout_state.clone().unwrap(), primary.failed_tasks)
}

#[tokio::test]
async fn blue_runs_and_its_targets_are_healthy() {
    let aws = aws().await;
    let blue = aws.service(BLUE).await;
    assert_eq!((blue.desired_count, blue.running_count, blue.pending_count), (4, 4, 0));
    assert_eq!(primary(&blue).0, DeploymentRolloutState::Completed);
    assert_eq!(aws.targets(BLUE).await, states(&[("healthy", 4)]));
    assert_eq!(blue.tags()[0].key(), Some("team"));
    let missing = aws.ecs.describe_services().cluster(CLUSTER).services(GREEN).send().await.unwrap();
    assert_eq!(missing.failures()[0].reason(), Some("MISSING"));
}

#[tokio::test]
async fn a_new_service_starts_and_becomes_healthy() {
    let millis = Duration::from_millis;
    let aws = aws_with(Settings::default().with_tasks(millis(150), millis(150))).await;
    let made = aws.create_green(NEW, "token-1").await.unwrap();
    assert_eq!((made.desired_count, made.running_count, made.pending_count), (4, 0, 4));
    assert_eq!(primary(&made).0, DeploymentRolloutState::InProgress);
    tokio::time::sleep(millis(200)).await;
    assert_eq!(aws.targets(GREEN).await, states(&[("initial", 4)]));
    tokio::time::sleep(millis(150)).await;
    assert_eq!(aws.targets(GREEN).await, states(&[("healthy", 4)]));
    assert_eq!(primary(&aws.service(GREEN).await).0, DeploymentRolloutState::Completed);
    assert_eq!(aws.sim.service(CLUSTER, GREEN).unwrap().image, NEW);
}

#[tokio::test]
async fn the_same_client_token_makes_one_service() {
    let aws = aws().await;
    let first = aws.create_green(NEW, "token-1").await.unwrap();
    let again = aws.create_green(NEW, "token-1").await.unwrap();
    assert_eq!(first.created_at, again.created_at);
    assert_eq!(aws.create_green(NEW, "token-2").await, Err("InvalidParameterException".into()));
}

#[tokio::test]
async fn no_desired_task_drains_and_then_stops_them() {
    let aws = aws().await;
    aws.ecs.update_service().cluster(CLUSTER).service(BLUE).desired_count(0).send().await.unwrap();
    let blue = aws.service(BLUE).await;
    assert_eq!((blue.desired_count, blue.running_count), (0, 0));
    assert_eq!(aws.targets(BLUE).await, states(&[("draining", 4)]));
    assert_eq!(aws.tasks(BLUE, DesiredStatus::Stopped).await[0].last_status(), Some("DEACTIVATING"));
    aws.sim.let_tasks_settle();
    assert_eq!(aws.targets(BLUE).await, states(&[]));
    assert_eq!(aws.service(BLUE).await.task_definition, blue.task_definition);
}

#[tokio::test]
async fn an_update_replaces_the_tasks_once_the_new_ones_are_healthy() {
    let aws = aws().await;
    let arn = aws.definition(NEW).await;
    aws.ecs.update_service().cluster(CLUSTER).service(BLUE).task_definition(arn).send().await.unwrap();
    let blue = aws.service(BLUE).await;
    assert_eq!((blue.running_count, blue.pending_count, blue.deployments().len()), (4, 4, 2));
    aws.sim.let_tasks_settle();
    let blue = aws.service(BLUE).await;
    assert_eq!((blue.running_count, blue.pending_count, blue.deployments().len()), (4, 0, 1));
    assert_eq!(aws.sim.service(CLUSTER, BLUE).unwrap().image, NEW);
}

#[tokio::test]
async fn an_image_that_cannot_be_pulled_trips_the_circuit_breaker() {
    let aws = aws().await;
    aws.sim.set_image_fate(NEW, ImageFate::CannotBePulled);
    aws.create_green(NEW, "token-1").await.unwrap();
    aws.sim.let_tasks_settle();
    let green = aws.service(GREEN).await;
    assert_eq!(primary(&green), (DeploymentRolloutState::Failed, 4));
    assert!(green.deployments()[0].rollout_state_reason().unwrap().contains("circuit breaker"));
    let task = &aws.tasks(GREEN, DesiredStatus::Stopped).await[0];
    assert!(task.stopped_reason().unwrap().starts_with("CannotPullContainerError"), "{task:?}");
    assert_eq!(task.stop_code().unwrap().as_str(), "TaskFailedToStart");
    assert_eq!(task.containers()[0].exit_code(), None);
}

#[tokio::test]
async fn the_circuit_breaker_rolls_back_to_what_was_proven() {
    let aws = aws().await;
    aws.sim.set_image_fate(NEW, ImageFate::Exits { code: 1, reason: None });
    let arn = aws.definition(NEW).await;
    aws.ecs.update_service().cluster(CLUSTER).service(BLUE).task_definition(arn).send().await.unwrap();
    aws.sim.let_tasks_settle();
    assert_eq!(aws.sim.service(CLUSTER, BLUE).unwrap().image, OLD);
    assert!(
        aws.service(BLUE)
            .await
            .events()
            .iter()
            .any(|event| event.message().unwrap().contains("rolling back"))
    );
    let stopped = aws.tasks(BLUE, DesiredStatus::Stopped).await;
    assert!(stopped.iter().any(|task| task.containers()[0].exit_code() == Some(1)));
}

#[tokio::test]
async fn a_failing_health_check_has_its_reason() {
    let millis = Duration::from_millis;
    let aws = aws_with(Settings::default().with_tasks(millis(1), millis(400))).await;
    aws.sim.set_image_fate(NEW, ImageFate::FailsItsHealthCheck { status: 500 });
    aws.create_green(NEW, "token-1").await.unwrap();
    tokio::time::sleep(millis(500)).await;
    let health =
        aws.elb.describe_target_health().target_group_arn(target_group_arn(GREEN)).send().await.unwrap();
    let health = health.target_health_descriptions()[0].target_health().unwrap().clone();
    assert_eq!(health.reason.unwrap().as_str(), "Target.ResponseCodeMismatch");
    assert_eq!(health.description.as_deref(), Some("Health checks failed with these codes: [500]"));
}

#[tokio::test]
async fn targets_of_a_group_without_a_balancer_are_unused_and_a_service_on_it_is_refused() {
    let aws = aws().await;
    let mut group = aws.sim.target_group(BLUE).unwrap();
    group.load_balancers.clear();
    aws.sim.put_target_group(group);
    assert_eq!(aws.targets(BLUE).await, states(&[("unused", 4)]));
    let mut group = TargetGroup::behind(GREEN, "mpac");
    group.load_balancers.clear();
    aws.sim.put_target_group(group);
    assert_eq!(aws.create_green(NEW, "token-1").await, Err("InvalidParameterException".into()));
}

#[tokio::test]
async fn what_is_not_there_or_not_valid_is_refused_with_its_code() {
    let aws = aws().await;
    let code = |error: &dyn ProvideErrorMetadata| error.code().map(str::to_owned).unwrap();
    let cluster = aws.ecs.describe_services().cluster("nowhere").services(BLUE).send().await.unwrap_err();
    assert_eq!(code(&cluster), "ClusterNotFoundException");
    let service = aws.ecs.update_service().cluster(CLUSTER).service("nothing").desired_count(1).send().await;
    assert_eq!(code(&service.unwrap_err()), "ServiceNotFoundException");
    let definition =
        aws.ecs.describe_task_definition().task_definition("svc-portal:99").send().await.unwrap_err();
    assert_eq!(code(&definition), "ClientException");
    let update =
        aws.ecs.update_service().cluster(CLUSTER).service(BLUE).task_definition("svc-portal:99").send().await;
    assert_eq!(code(&update.unwrap_err()), "ClientException");
    let group =
        aws.elb.describe_target_health().target_group_arn(target_group_arn("x")).send().await.unwrap_err();
    assert_eq!(code(&group), "TargetGroupNotFound");
    let empty = aws.ecs.register_task_definition().family("x").set_container_definitions(Some(Vec::new()));
    assert_eq!(code(&empty.send().await.unwrap_err()), "ClientException");
    let container = ContainerDefinition::builder().name("app").image("x").memory(64).build();
    let register = aws.ecs.register_task_definition().family("x").container_definitions(container);
    assert_eq!(code(&register.set_tags(Some(Vec::new())).send().await.unwrap_err()), "ClientException");
}

#[tokio::test]
async fn tags_are_added_and_kept() {
    let aws = aws().await;
    let arn = aws.service(BLUE).await.service_arn.unwrap();
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
    aws.ecs.tag_resource().resource_arn(&arn).tags(tag("mpac-deploy:fence", "7")).send().await.unwrap();
    let tags = aws.sim.service(CLUSTER, BLUE).unwrap().tags;
    assert_eq!((tags["team"].as_str(), tags["mpac-deploy:fence"].as_str()), ("mpac", "7"));
    let bad = aws.ecs.tag_resource().resource_arn(&arn).tags(tag("effect", "a#1")).send().await.unwrap_err();
    assert_eq!(bad.code(), Some("InvalidParameterException"));
    let definition =
        aws.ecs.describe_task_definition().task_definition("svc-portal").include(TaskDefinitionField::Tags);
    assert_eq!(definition.send().await.unwrap().tags().len(), 1);
}

#[tokio::test]
async fn a_network_that_is_missing_is_named() {
    let aws = aws().await;
    let arn = aws.definition(NEW).await;
    let create = aws
        .ecs
        .create_service()
        .cluster(CLUSTER)
        .service_name("other")
        .task_definition(&arn)
        .desired_count(1);
    let error = create.clone().send().await.unwrap_err();
    assert!(error.message().unwrap().contains("Network Configuration must be provided"), "{error:?}");
    let vpc = AwsVpcConfiguration::builder().subnets("subnet-0a").build().unwrap();
    let network = NetworkConfiguration::builder().awsvpc_configuration(vpc).build();
    create.network_configuration(network).send().await.unwrap();
}
