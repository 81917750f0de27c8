//! The services as a test sets them up and sees them, past the API.

use mpac_deploy_core::port::Clock;
use mpac_deploy_core::time::Timestamp;
use serde_json::{Value, json};

use super::super::AwsSim;
use super::super::elbv2::{TargetGroup, target_group_arn};
use super::super::wire::Refusal;
use super::json::{Given, time};
use super::service::{self, Key, Service};
use super::view;

/// More steps than any life takes to come to rest, unless its tasks fail without end.
const STEPS_TO_REST: u32 = 200;

/// What becomes of the tasks of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImageFate {
    /// They run.
    Runs,
    /// There is no such image.
    CannotBePulled,
    /// They run for a moment and exit.
    Exits {
        /// The exit code.
        code: i32,
        /// What the platform says besides, as `OutOfMemoryError: Container killed due to memory usage`.
        reason: Option<String>,
    },
    /// They run, and answer health checks with this status.
    FailsItsHealthCheck {
        /// The HTTP status.
        status: u16,
    },
}

/// A service as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceState {
    /// The tasks that are wanted.
    pub desired: u32,
    /// The tasks that run.
    pub running: u32,
    /// The ARN of the task definition.
    pub task_definition: String,
    /// The image of the first container.
    pub image: String,
    /// The tags.
    pub tags: std::collections::BTreeMap<String, String>,
}

impl AwsSim {
    /// Makes a cluster.
    pub fn add_cluster(&self, name: &str) {
        self.shared.account.get().ecs.clusters.insert(name.into());
    }

    /// Registers a task definition, written as for `RegisterTaskDefinition`, and gives its ARN.
    ///
    /// # Errors
    /// What AWS would say against it.
    pub fn put_task_definition(&self, definition: Value) -> Result<String, String> {
        let Value::Object(members) = definition else {
            return Err("a task definition is a JSON object".into());
        };
        let at = time(self.shared.clock.now());
        let mut account = self.shared.account.get();
        let made = account.ecs.register(&Given(members), at).map_err(said)?;
        Ok(made.arn().to_owned())
    }

    /// One environment as it would stand after a long time: cluster, load balancer, target group of the service's name, and, unless
    /// no task is wanted, a service whose tasks run the image. Its container `app` listens on port 8080.
    ///
    /// # Errors
    /// What AWS would say against it.
    pub fn put_environment(
        &self,
        cluster: &str,
        service: &str,
        image: &str,
        desired: u32,
    ) -> Result<(), String> {
        self.add_cluster(cluster);
        let group = target_group_arn(service);
        self.put_target_group(TargetGroup::behind(service, service));
        if desired == 0 {
            return Ok(());
        }
        let definition = self.put_task_definition(example_definition(service, image))?;
        let balancer = json!({ "targetGroupArn": group, "containerName": "app", "containerPort": 8080 });
        self.put_service(
            cluster,
            service,
            json!({
                "taskDefinition": definition,
                "desiredCount": desired,
                "launchType": "FARGATE",
                "healthCheckGracePeriodSeconds": 30,
                "loadBalancers": [balancer],
                "networkConfiguration": { "awsvpcConfiguration": {
                    "subnets": ["subnet-0a", "subnet-0b"], "securityGroups": ["sg-0"], "assignPublicIp": "DISABLED",
                } },
                "deploymentConfiguration": {
                    "maximumPercent": 200, "minimumHealthyPercent": 100,
                    "deploymentCircuitBreaker": { "enable": true, "rollback": true },
                },
                "tags": [{ "key": "team", "value": "mpac" }],
                "propagateTags": "SERVICE",
            }),
        )
    }

    /// Makes a service, written as for `CreateService`, whose tasks have come to rest.
    ///
    /// # Errors
    /// What AWS would say against it.
    pub fn put_service(&self, cluster: &str, name: &str, service: Value) -> Result<(), String> {
        let Value::Object(mut members) = service else { return Err("a service is a JSON object".into()) };
        members.insert("cluster".into(), json!(cluster));
        members.insert("serviceName".into(), json!(name));
        {
            let now = self.shared.clock.now();
            let mut guard = self.shared.account.get();
            let key = (cluster.to_owned(), name.to_owned());
            let made = service::read_new(&mut guard, &Given(members), &key, now).map_err(said)?;
            guard.ecs.services.insert(key, made);
            view::wanted_has_changed(&self.shared, &guard, name);
        }
        self.let_tasks_settle();
        Ok(())
    }

    /// What becomes of the tasks that are started from an image from now on.
    pub fn set_image_fate(&self, image: &str, fate: ImageFate) {
        self.shared.account.get().ecs.fates.insert(image.into(), fate);
    }

    /// Somebody else sets the count of the tasks that are wanted.
    pub fn set_desired_by_hand(&self, cluster: &str, service: &str, desired: u32) {
        let now = self.shared.clock.now();
        let mut guard = self.shared.account.get();
        let key = key(cluster, service);
        drop(view::of_service(&self.shared, &mut guard, &key, now));
        if let Some(service) = guard.ecs.services.get_mut(&key) {
            service.desired = desired;
        }
        view::wanted_has_changed(&self.shared, &guard, service);
    }

    /// Somebody else deletes a service.
    pub fn delete_service_by_hand(&self, cluster: &str, service: &str) {
        self.shared.account.get().ecs.services.remove(&key(cluster, service));
    }

    /// Lets every task that starts or drains come to its end at once.
    pub fn let_tasks_settle(&self) {
        let now = self.shared.clock.now();
        let mut guard = self.shared.account.get();
        let account = &mut *guard;
        let keys: Vec<Key> = account.ecs.services.keys().cloned().collect();
        for _ in 0..STEPS_TO_REST {
            for key in &keys {
                drop(view::of_service(&self.shared, account, key, now));
            }
            let restless = account.ecs.services.values_mut().map(|service| service.hurry(now));
            if restless.filter(|moved| *moved).count() == 0 {
                return;
            }
        }
    }

    /// A service as it is now; `None` if there is none.
    #[must_use]
    pub fn service(&self, cluster: &str, name: &str) -> Option<ServiceState> {
        let now = self.shared.clock.now();
        let mut guard = self.shared.account.get();
        let key = key(cluster, name);
        let tasks = view::of_service(&self.shared, &mut guard, &key, now);
        let service = guard.ecs.services.get(&key)?;
        let running = tasks.iter().filter(|task| task.last_status() == "RUNNING").count();
        let definition = guard.ecs.definition(&service.task_definition)?;
        let image =
            definition.containers().find_map(|container| container.get("image").and_then(Value::as_str));
        Some(ServiceState {
            desired: service.desired,
            running: u32::try_from(running).unwrap_or(u32::MAX),
            task_definition: service.task_definition.clone(),
            image: image.unwrap_or_default().to_owned(),
            tags: service.tags.clone(),
        })
    }

    /// A service as `DescribeServices` shows it; `None` if there is none.
    #[must_use]
    pub fn described_service(&self, cluster: &str, name: &str) -> Option<Value> {
        let now = self.shared.clock.now();
        let mut guard = self.shared.account.get();
        let key = key(cluster, name);
        let tasks = view::of_service(&self.shared, &mut guard, &key, now);
        guard.ecs.services.get(&key).map(|found| service::shown(found, &tasks, true))
    }

    /// Switches the circuit breaker of a service on or off.
    pub fn set_circuit_breaker(&self, cluster: &str, service: &str, enable: bool) {
        let mut guard = self.shared.account.get();
        if let Some(service) = guard.ecs.services.get_mut(&key(cluster, service)) {
            let breaker = json!({ "deploymentCircuitBreaker": { "enable": enable, "rollback": enable } });
            service.told.insert("deploymentConfiguration".into(), breaker);
        }
    }

    /// How many revisions a family of task definitions has.
    #[must_use]
    pub fn revisions(&self, family: &str) -> usize {
        self.shared.account.get().ecs.definitions.get(family).map_or(0, Vec::len)
    }

    /// A task definition as the API shows it.
    #[must_use]
    pub fn task_definition(&self, name: &str) -> Option<Value> {
        self.shared.account.get().ecs.definition(name).map(|found| Value::Object(found.shown.clone()))
    }
}

impl Service {
    /// What lies ahead of its tasks is now; whether there was something.
    fn hurry(&mut self, now: Timestamp) -> bool {
        let mut moved = false;
        let mut hurry = |at: &mut Timestamp| {
            moved |= *at > now;
            *at = now.min(*at);
        };
        for task in self.tasks.iter_mut().filter(|task| task.stopped_at.is_none()) {
            hurry(&mut task.runs_at);
            hurry(&mut task.known_at);
            task.ends_at.as_mut().map(&mut hurry);
            task.draining_until.as_mut().map(&mut hurry);
        }
        if let Some(primary) = self.deployments.first_mut() {
            hurry(&mut primary.next_start);
        }
        moved
    }
}

fn key(cluster: &str, service: &str) -> Key {
    (cluster.into(), service.into())
}

fn said(refusal: Refusal) -> String {
    format!("{}: {}", refusal.code, refusal.message)
}

/// A task definition with most of what one can have.
fn example_definition(service: &str, image: &str) -> Value {
    json!({
        "family": service.trim_end_matches("-blue").trim_end_matches("-green"),
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "512",
        "memory": "1024",
        "executionRoleArn": "arn:aws:iam::123456789012:role/ecsTaskExecutionRole",
        "taskRoleArn": "arn:aws:iam::123456789012:role/svc",
        "runtimePlatform": { "cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX" },
        "ephemeralStorage": { "sizeInGiB": 30 },
        "volumes": [{ "name": "scratch", "host": {} }],
        "containerDefinitions": [
            {
                "name": "app",
                "image": image,
                "essential": true,
                "portMappings": [{ "containerPort": 8080, "name": "http", "appProtocol": "http" }],
                "environment": [{ "name": "MODE", "value": "production" }],
                "secrets": [{ "name": "DB", "valueFrom": "arn:aws:secretsmanager:us-east-1:123456789012:secret:db" }],
                "mountPoints": [{ "sourceVolume": "scratch", "containerPath": "/tmp", "readOnly": false }],
                "logConfiguration": { "logDriver": "awslogs", "options": { "awslogs-group": "/mpac", "awslogs-region": "us-east-1" } },
                "healthCheck": { "command": ["CMD-SHELL", "curl -f localhost:8080/health"], "interval": 10, "retries": 3, "timeout": 5 },
                "dockerLabels": { "team": "mpac" },
                "ulimits": [{ "name": "nofile", "softLimit": 65536, "hardLimit": 65536 }],
                "stopTimeout": 30,
                "readonlyRootFilesystem": true,
            },
            {
                "name": "otel",
                "image": "public.ecr.aws/aws-observability/aws-otel-collector:v0.40.0",
                "essential": false,
                "memoryReservation": 128,
            },
        ],
        "tags": [{ "key": "team", "value": "mpac" }],
    })
}
