//! Services: made, described.

use mpac_deploy_core::port::Clock;
use mpac_deploy_core::time::Timestamp;
use serde_json::{Map, Value, json};

use super::super::wire::{Call, Refusal};
use super::super::{Account, Shared};
use super::definition::Definition;
use super::json::{Given, answer, flag, list, text, time};
use super::life::{Deployment, Rollout, Task};
use super::tags::{self, Tags};
use super::view::{self, TaskView};
use super::{OWNER, cluster_arn, invalid, last_part};

/// How many services one call may describe.
const MAX_DESCRIBED: usize = 10;
/// How many events are shown.
const MAX_EVENTS: usize = 100;
/// The longest client token.
const MAX_TOKEN: usize = 36;

/// What a service is told when it is made, and shows as it was told.
pub(super) const TOLD: [&str; 16] = [
    "availabilityZoneRebalancing",
    "capacityProviderStrategy",
    "deploymentConfiguration",
    "deploymentController",
    "enableECSManagedTags",
    "enableExecuteCommand",
    "healthCheckGracePeriodSeconds",
    "launchType",
    "loadBalancers",
    "networkConfiguration",
    "placementConstraints",
    "placementStrategy",
    "platformVersion",
    "propagateTags",
    "schedulingStrategy",
    "serviceRegistries",
];

/// What a service is told as well, and its deployments show.
pub(super) const TOLD_TO_DEPLOYMENTS: [&str; 3] =
    ["serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations"];

/// The cluster and the name.
pub(super) type Key = (String, String);

/// A service.
#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) cluster: String,
    pub(super) name: String,
    pub(super) told: Map<String, Value>,
    pub(super) tags: Tags,
    pub(super) task_definition: String,
    pub(super) desired: u32,
    /// The primary one first.
    pub(super) deployments: Vec<Deployment>,
    pub(super) tasks: Vec<Task>,
    /// The latest first.
    pub(super) events: Vec<(Timestamp, String)>,
    pub(super) created: Timestamp,
    /// How far its life has been followed.
    pub(super) latest: Timestamp,
    /// The task definition of the latest deployment that was completed.
    pub(super) proven: Option<String>,
    pub(super) inactive: bool,
}

impl Service {
    pub(super) fn arn(&self) -> String {
        format!("{OWNER}:service/{}/{}", self.cluster, self.name)
    }

    pub(super) const fn is_active(&self) -> bool {
        !self.inactive
    }

    /// Group, container and port of each load balancer entry.
    pub(super) fn groups(&self) -> impl Iterator<Item = (&str, u16)> {
        list(&self.told, "loadBalancers").iter().filter_map(Value::as_object).filter_map(|entry| {
            let port =
                entry.get("containerPort").and_then(Value::as_u64).and_then(|port| u16::try_from(port).ok());
            Some((text(entry, "targetGroupArn")?, port?))
        })
    }

    /// Whether the circuit breaker is on, and whether it rolls back.
    pub(super) fn breaker(&self) -> (bool, bool) {
        let breaker = self
            .told
            .get("deploymentConfiguration")
            .and_then(|configuration| configuration.get("deploymentCircuitBreaker"))
            .and_then(Value::as_object);
        breaker.map_or((false, false), |breaker| (flag(breaker, "enable"), flag(breaker, "rollback")))
    }

    pub(super) fn tell(&mut self, at: Timestamp, what: &str) {
        self.events.insert(0, (at, format!("(service {}) {what}", self.name)));
        self.events.truncate(MAX_EVENTS);
    }

    /// A new primary deployment of what the service is told now.
    pub(super) fn deploy(&mut self, number: u64, at: Timestamp) {
        let configuration = self.told.iter().filter(|(name, _)| {
            ["capacityProviderStrategy", "launchType", "networkConfiguration", "platformVersion"]
                .contains(&name.as_str())
                || TOLD_TO_DEPLOYMENTS.contains(&name.as_str())
        });
        let configuration = configuration.map(|(name, value)| (name.clone(), value.clone())).collect();
        let deployment = Deployment {
            id: format!("ecs-svc/{number:019}"),
            task_definition: self.task_definition.clone(),
            created: at,
            updated: at,
            rollout: Rollout::InProgress,
            reason: format!("ECS deployment ecs-svc/{number:019} in progress."),
            failed: 0,
            next_start: at,
            configuration,
        };
        self.deployments.insert(0, deployment);
    }
}

/// The key in the ARN of a service.
pub(super) fn key_of_arn(arn: &str) -> Option<Key> {
    let (_, rest) = arn.split_once(":service/")?;
    let (cluster, name) = rest.split_once('/')?;
    Some((cluster.into(), name.into()))
}

/// What is wrong with what a service is told.
pub(super) fn check(
    account: &Account,
    told: &Map<String, Value>,
    definition: &Definition,
) -> Result<(), Refusal> {
    if told.contains_key("launchType") && !list(told, "capacityProviderStrategy").is_empty() {
        return Err(invalid(
            "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.",
        ));
    }
    if definition.is_awsvpc() && !told.contains_key("networkConfiguration") {
        return Err(invalid(
            "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
        ));
    }
    for entry in list(told, "loadBalancers").iter().filter_map(Value::as_object) {
        let container = text(entry, "containerName").unwrap_or_default();
        let known = definition.containers().find(|known| text(known, "name") == Some(container));
        let known = known.ok_or_else(|| {
            invalid(format!("The container {container} does not exist in the task definition."))
        })?;
        let port = entry.get("containerPort").and_then(Value::as_u64).unwrap_or_default();
        let has_port = |mapping: &Value| mapping.get("containerPort").and_then(Value::as_u64) == Some(port);
        if !list(known, "portMappings").iter().any(has_port) {
            return Err(invalid(format!(
                "The container {container} did not have a container port {port} defined."
            )));
        }
        let arn = text(entry, "targetGroupArn").unwrap_or_default();
        match account.elbv2.targets.get(arn) {
            None => {
                return Err(invalid(
                    "Unable to assume role and validate the specified targetGroupArn. Please verify that the ECS service role being passed has the proper permissions.",
                ));
            }
            Some(group) if group.load_balancers.is_empty() => {
                return Err(invalid(format!(
                    "The target group with targetGroupArn {arn} does not have an associated load balancer."
                )));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

pub(in crate::aws_sim) fn create_service(shared: &Shared, call: &Call) -> Result<Vec<u8>, Refusal> {
    let given = Given::of(call)?;
    let now = shared.clock.now();
    let mut guard = shared.account.get();
    let account = &mut *guard;
    let cluster = account.ecs.cluster(given.text("cluster"))?;
    let name = given.needed("serviceName")?.to_owned();
    let key = (cluster.clone(), name.clone());
    let token = given.text("clientToken").map(str::to_owned);
    if token.as_ref().is_some_and(|token| token.len() > MAX_TOKEN) {
        return Err(invalid("clientToken is too long."));
    }
    let known = token.as_ref().and_then(|token| account.ecs.tokens.get(token));
    match known {
        Some((request, made)) if *request == given.0 => {
            let made = made.clone();
            return one(shared, account, &made, now);
        }
        Some(_) => return Err(invalid("Creation of service was not idempotent.")),
        None => {}
    }
    if account.ecs.services.get(&key).is_some_and(Service::is_active) {
        return Err(invalid("Creation of service was not idempotent."));
    }
    let service = read_new(account, &given, &key, now)?;
    account.ecs.services.insert(key.clone(), service);
    if let Some(token) = token {
        account.ecs.tokens.insert(token, (given.0, key.clone()));
    }
    view::wanted_has_changed(shared, account, &name);
    one(shared, account, &key, now)
}

pub(super) fn read_new(
    account: &mut Account,
    given: &Given,
    key: &Key,
    now: Timestamp,
) -> Result<Service, Refusal> {
    let definition = account.ecs.definition(given.needed("taskDefinition")?);
    let definition = definition.ok_or_else(|| super::client_error("TaskDefinition not found."))?;
    let is_told = |name: &str| TOLD.contains(&name) || TOLD_TO_DEPLOYMENTS.contains(&name);
    let told = given.0.iter().filter(|(name, value)| is_told(name) && !value.is_null());
    let told: Map<String, Value> = told.map(|(name, value)| (name.clone(), value.clone())).collect();
    check(account, &told, definition)?;
    if !list(&told, "loadBalancers").is_empty() && list(&told, "serviceRegistries").len() > 1 {
        return Err(invalid("Only one service registry is supported."));
    }
    let mut service = Service {
        cluster: key.0.clone(),
        name: key.1.clone(),
        tags: tags::read(given)?,
        task_definition: definition.arn().into(),
        desired: given.count("desiredCount")?.unwrap_or(1),
        told,
        deployments: Vec::new(),
        tasks: Vec::new(),
        events: Vec::new(),
        created: now,
        latest: now,
        proven: None,
        inactive: false,
    };
    let number = account.ecs.next_id();
    service.deploy(number, now);
    Ok(service)
}

/// A service as the answer to a call that changed it.
pub(super) fn one(
    shared: &Shared,
    account: &mut Account,
    key: &Key,
    now: Timestamp,
) -> Result<Vec<u8>, Refusal> {
    let views = view::of_service(shared, account, key, now);
    let service = account.ecs.services.get(key);
    let service = service.ok_or_else(|| Refusal::new(500, "ServerException", "the service was lost"))?;
    answer(&json!({ "service": shown(service, &views, true) }))
}

pub(in crate::aws_sim) fn describe_services(shared: &Shared, call: &Call) -> Result<Vec<u8>, Refusal> {
    let given = Given::of(call)?;
    let now = shared.clock.now();
    let mut guard = shared.account.get();
    let account = &mut *guard;
    let cluster = account.ecs.cluster(given.text("cluster"))?;
    let asked = given.texts("services");
    if asked.is_empty() {
        return Err(invalid("Services cannot be empty."));
    }
    if asked.len() > MAX_DESCRIBED {
        return Err(invalid(format!("Services cannot have more than {MAX_DESCRIBED} elements")));
    }
    let with_tags = given.texts("include").contains(&"TAGS");
    let (mut services, mut failures) = (Vec::new(), Vec::new());
    for name in asked {
        let key = (cluster.clone(), last_part(name).to_owned());
        let views = view::of_service(shared, account, &key, now);
        match account.ecs.services.get(&key) {
            Some(service) => services.push(shown(service, &views, with_tags)),
            None => {
                let arn = format!("{OWNER}:service/{cluster}/{}", key.1);
                failures.push(json!({ "arn": arn, "reason": "MISSING" }));
            }
        }
    }
    answer(&json!({ "services": services, "failures": failures }))
}

/// A service as the API shows it.
pub(super) fn shown(service: &Service, tasks: &[TaskView], with_tags: bool) -> Value {
    let of = |deployment: &str, status: &str| {
        let of_it = |task: &&TaskView| task.deployment == deployment && task.last_status() == status;
        tasks.iter().filter(of_it).count()
    };
    let status = |status: &str| tasks.iter().filter(|task| task.last_status() == status).count();
    let deployments = service.deployments.iter().enumerate().map(|(place, deployment)| {
        let mut shown = deployment.configuration.clone();
        for (name, value) in [
            ("id", json!(deployment.id)),
            ("status", json!(if place == 0 { "PRIMARY" } else { "ACTIVE" })),
            ("taskDefinition", json!(deployment.task_definition)),
            ("desiredCount", json!(if place == 0 { service.desired } else { 0 })),
            ("pendingCount", json!(of(&deployment.id, "PENDING"))),
            ("runningCount", json!(of(&deployment.id, "RUNNING"))),
            ("failedTasks", json!(deployment.failed)),
            ("createdAt", time(deployment.created)),
            ("updatedAt", time(deployment.updated)),
            ("rolloutState", json!(deployment.rollout.name())),
            ("rolloutStateReason", json!(deployment.reason)),
        ] {
            shown.insert(name.into(), value);
        }
        Value::Object(shown)
    });
    let events = service.events.iter().enumerate().map(|(place, (at, message))| {
        let id = format!("{:08x}-0000-4000-8000-{place:012x}", at.as_millis() & 0xffff_ffff);
        json!({ "id": id, "createdAt": time(*at), "message": message })
    });
    let mut members: Map<String, Value> = service
        .told
        .iter()
        .filter(|(name, _)| TOLD.contains(&name.as_str()))
        .map(|(n, v)| (n.clone(), v.clone()))
        .collect();
    for (name, value) in [
        ("serviceArn", json!(service.arn())),
        ("serviceName", json!(service.name)),
        ("clusterArn", json!(cluster_arn(&service.cluster))),
        ("status", json!(if service.is_active() { "ACTIVE" } else { "INACTIVE" })),
        ("desiredCount", json!(service.desired)),
        ("runningCount", json!(status("RUNNING"))),
        ("pendingCount", json!(status("PENDING"))),
        ("taskDefinition", json!(service.task_definition)),
        ("deployments", deployments.collect()),
        ("events", events.collect()),
        ("createdAt", time(service.created)),
        ("createdBy", json!("arn:aws:iam::123456789012:user/tester")),
        (
            "roleArn",
            json!("arn:aws:iam::123456789012:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"),
        ),
    ] {
        members.insert(name.into(), value);
    }
    for (name, value) in [
        ("schedulingStrategy", json!("REPLICA")),
        ("propagateTags", json!("NONE")),
        ("enableECSManagedTags", json!(false)),
        ("enableExecuteCommand", json!(false)),
        ("deploymentConfiguration", json!({"maximumPercent": 200, "minimumHealthyPercent": 100})),
        ("loadBalancers", json!([])),
        ("serviceRegistries", json!([])),
        ("placementConstraints", json!([])),
        ("placementStrategy", json!([])),
    ] {
        members.entry(name).or_insert(value);
    }
    if with_tags {
        members.insert("tags".into(), tags::written(&service.tags));
    }
    Value::Object(members)
}
