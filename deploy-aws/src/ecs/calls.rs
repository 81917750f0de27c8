//! The calls to ECS and the load balancers, each one attempt.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_sdk_ecs::Client;
use aws_sdk_ecs::config::retry::RetryConfig;
use aws_sdk_ecs::types::{DesiredStatus, Service, ServiceField, Tag, Task, TaskDefinitionField};
use aws_sdk_elasticloadbalancingv2::types::TargetHealthDescription;
use serde_json::{Map, Value, json};

use super::marker::Marker;
use super::raw::Wire;
use crate::quota::Pace;
use crate::{CallError, Quota};

const CREATE_SERVICE: &str = "CreateService";
const DESCRIBE_ATTRIBUTES: &str = "DescribeTargetGroupAttributes";
const DESCRIBE_DEFINITION: &str = "DescribeTaskDefinition";
const DESCRIBE_GROUPS: &str = "DescribeTargetGroups";
const DESCRIBE_HEALTH: &str = "DescribeTargetHealth";
const DESCRIBE_LISTENERS: &str = "DescribeListeners";
const DESCRIBE_RULES: &str = "DescribeRules";
const DESCRIBE_SERVICES: &str = "DescribeServices";
const DESCRIBE_TASKS: &str = "DescribeTasks";
const LIST_TASKS: &str = "ListTasks";
const REGISTER: &str = "RegisterTaskDefinition";
const TAG: &str = "TagResource";
const UPDATE_SERVICE: &str = "UpdateService";

/// How many services one call describes.
const SERVICES_AT_ONCE: usize = 10;
/// How many stopped tasks are asked for their reason: as many as one call describes.
const TASKS_AT_ONCE: i32 = 100;

/// A service as it was read: by the SDK's types, and as AWS wrote it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) service: Service,
    pub(super) raw: Value,
    pub(super) marker: Option<Marker>,
}

impl Seen {
    fn new(service: Service, raw: Value) -> Self {
        let marker = Marker::of(service.tags());
        Self { service, raw, marker }
    }

    pub(super) fn is_active(&self) -> bool {
        self.service.status() == Some("ACTIVE")
    }

    pub(super) fn is_being_deleted(&self) -> bool {
        self.service.status() == Some("DRAINING")
    }

    pub(super) const fn desired(&self) -> i32 {
        self.service.desired_count
    }

    pub(super) fn task_definition(&self) -> &str {
        self.service.task_definition().unwrap_or_default()
    }

    /// The target groups that it registers its tasks with.
    pub(super) fn groups(&self) -> impl Iterator<Item = &str> {
        self.service.load_balancers().iter().filter_map(|entry| entry.target_group_arn())
    }
}

/// The cluster and its load balancers.
#[derive(Debug)]
pub(super) struct Calls {
    ecs: Client,
    elb: aws_sdk_elasticloadbalancingv2::Client,
    pub(super) cluster: String,
    quota: Quota,
    balancing: Quota,
}

impl Calls {
    pub(super) fn new(sdk: &SdkConfig, quota: &Quota, balancing: &Quota, cluster: &str) -> Self {
        let ecs = aws_sdk_ecs::config::Builder::from(sdk).retry_config(RetryConfig::disabled()).build();
        let elb = aws_sdk_elasticloadbalancingv2::config::Builder::from(sdk)
            .retry_config(RetryConfig::disabled())
            .build();
        Self {
            ecs: Client::from_conf(ecs),
            elb: aws_sdk_elasticloadbalancingv2::Client::from_conf(elb),
            cluster: cluster.into(),
            quota: quota.clone(),
            balancing: balancing.clone(),
        }
    }

    /// The services of these names, as far as there are any.
    pub(super) async fn services(
        &self,
        names: &[String],
        pace: Pace,
    ) -> Result<BTreeMap<String, Seen>, CallError> {
        let mut seen = BTreeMap::new();
        for names in names.chunks(SERVICES_AT_ONCE) {
            self.quota.turn(pace).await;
            let wire = Wire::listen();
            let call = self.ecs.describe_services().cluster(&self.cluster).set_services(Some(names.into()));
            let call = call.include(ServiceField::Tags).customize().interceptor(wire.clone());
            let answer = call.send().await.map_err(|error| CallError::of(DESCRIBE_SERVICES, error))?;
            let raw = wire.json(DESCRIBE_SERVICES)?;
            let raw = raw.get("services").and_then(Value::as_array).cloned().unwrap_or_default();
            for (service, raw) in answer.services.unwrap_or_default().into_iter().zip(raw) {
                let name = service.service_name().unwrap_or_default().to_owned();
                seen.insert(name, Seen::new(service, raw));
            }
        }
        Ok(seen)
    }

    /// A task definition and its tags, as AWS writes them.
    pub(super) async fn definition(&self, name: &str, pace: Pace) -> Result<Value, CallError> {
        self.quota.turn(pace).await;
        let wire = Wire::listen();
        let call =
            self.ecs.describe_task_definition().task_definition(name).include(TaskDefinitionField::Tags);
        let call = call.customize().interceptor(wire.clone());
        call.send().await.map_err(|error| CallError::of(DESCRIBE_DEFINITION, error))?;
        wire.json(DESCRIBE_DEFINITION)
    }

    /// Registers a task definition, and gives it as AWS shows it then.
    pub(super) async fn register(&self, definition: &Map<String, Value>) -> Result<Value, CallError> {
        self.quota.turn(Pace::Queue).await;
        let wire = Wire::send(definition);
        let call = self.ecs.register_task_definition().customize().interceptor(wire.clone());
        call.send().await.map_err(|error| CallError::of(REGISTER, error))?;
        wire.json(REGISTER)
    }

    /// Creates a service. Its turn is taken here, since nothing is lost by waiting: the name is the lock.
    pub(super) async fn create(&self, service: &Map<String, Value>, pace: Pace) -> Result<(), CallError> {
        self.quota.turn(pace).await;
        let mut request = service.clone();
        request.insert("cluster".into(), json!(self.cluster));
        let call = self.ecs.create_service().customize().interceptor(Wire::send(&request));
        call.send().await.map_err(|error| CallError::of(CREATE_SERVICE, error))?;
        Ok(())
    }

    /// Changes a service. Its turn has been taken.
    pub(super) async fn update(&self, service: &str, changes: &Map<String, Value>) -> Result<(), CallError> {
        let mut request = changes.clone();
        request.insert("cluster".into(), json!(self.cluster));
        request.insert("service".into(), json!(service));
        let call = self.ecs.update_service().customize().interceptor(Wire::send(&request));
        call.send().await.map_err(|error| CallError::of(UPDATE_SERVICE, error))?;
        Ok(())
    }

    pub(super) async fn turn(&self, pace: Pace) {
        self.quota.turn(pace).await;
    }

    /// Writes a marker to a service.
    pub(super) async fn tag(&self, service: &Seen, marker: &Marker, pace: Pace) -> Result<(), CallError> {
        self.quota.turn(pace).await;
        let tags = marker.pairs().map(|(key, value)| Tag::builder().key(key).value(value).build());
        let arn = service.service.service_arn().unwrap_or_default();
        let call = self.ecs.tag_resource().resource_arn(arn).set_tags(Some(tags.into()));
        call.send().await.map_err(|error| CallError::of(TAG, error))?;
        Ok(())
    }

    /// The latest stopped tasks of a service.
    pub(super) async fn stopped_tasks(&self, service: &str) -> Result<Vec<Task>, CallError> {
        self.quota.turn(Pace::Queue).await;
        let list = self.ecs.list_tasks().cluster(&self.cluster).service_name(service);
        let list = list.desired_status(DesiredStatus::Stopped).max_results(TASKS_AT_ONCE);
        let answer = list.send().await.map_err(|error| CallError::of(LIST_TASKS, error))?;
        let Some(arns) = answer.task_arns.filter(|arns| !arns.is_empty()) else { return Ok(Vec::new()) };
        self.quota.turn(Pace::Queue).await;
        let call = self.ecs.describe_tasks().cluster(&self.cluster).set_tasks(Some(arns));
        let answer = call.send().await.map_err(|error| CallError::of(DESCRIBE_TASKS, error))?;
        Ok(answer.tasks.unwrap_or_default())
    }

    /// Every target of a group.
    pub(super) async fn targets(&self, group: &str) -> Result<Vec<TargetHealthDescription>, CallError> {
        self.balancing.turn(Pace::Queue).await;
        let call = self.elb.describe_target_health().target_group_arn(group);
        let answer = call.send().await.map_err(|error| CallError::of(DESCRIBE_HEALTH, error))?;
        Ok(answer.target_health_descriptions.unwrap_or_default())
    }

    /// Target groups with their attributes, as AWS writes them.
    pub(super) async fn groups(&self, arns: &[String]) -> Result<Vec<Value>, CallError> {
        if arns.is_empty() {
            return Ok(Vec::new());
        }
        self.balancing.turn(Pace::Queue).await;
        let wire = Wire::listen();
        let call = self.elb.describe_target_groups().set_target_group_arns(Some(arns.into()));
        let call = call.customize().interceptor(wire.clone());
        call.send().await.map_err(|error| CallError::of(DESCRIBE_GROUPS, error))?;
        let mut groups = members(&wire.xml(DESCRIBE_GROUPS)?, "/DescribeTargetGroupsResult/TargetGroups");
        for group in &mut groups {
            let arn = group["TargetGroupArn"].as_str().unwrap_or_default().to_owned();
            self.balancing.turn(Pace::Queue).await;
            let wire = Wire::listen();
            let call = self.elb.describe_target_group_attributes().target_group_arn(arn);
            let call = call.customize().interceptor(wire.clone());
            call.send().await.map_err(|error| CallError::of(DESCRIBE_ATTRIBUTES, error))?;
            let attributes = wire.xml(DESCRIBE_ATTRIBUTES)?;
            group["Attributes"] =
                members(&attributes, "/DescribeTargetGroupAttributesResult/Attributes").into();
        }
        Ok(groups)
    }

    /// The listeners of a load balancer with their rules, as AWS writes them.
    pub(super) async fn listeners(&self, balancer: &str) -> Result<Vec<Value>, CallError> {
        self.balancing.turn(Pace::Queue).await;
        let wire = Wire::listen();
        let call =
            self.elb.describe_listeners().load_balancer_arn(balancer).customize().interceptor(wire.clone());
        call.send().await.map_err(|error| CallError::of(DESCRIBE_LISTENERS, error))?;
        let mut listeners = members(&wire.xml(DESCRIBE_LISTENERS)?, "/DescribeListenersResult/Listeners");
        for listener in &mut listeners {
            let arn = listener["ListenerArn"].as_str().unwrap_or_default().to_owned();
            self.balancing.turn(Pace::Queue).await;
            let wire = Wire::listen();
            let call = self.elb.describe_rules().listener_arn(arn).customize().interceptor(wire.clone());
            call.send().await.map_err(|error| CallError::of(DESCRIBE_RULES, error))?;
            listener["Rules"] = members(&wire.xml(DESCRIBE_RULES)?, "/DescribeRulesResult/Rules").into();
        }
        Ok(listeners)
    }
}

fn members(answer: &Value, path: &str) -> Vec<Value> {
    answer.pointer(path).and_then(Value::as_array).cloned().unwrap_or_default()
}
