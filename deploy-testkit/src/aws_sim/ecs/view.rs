//! The tasks of a service as they are seen: those of its own life, or those of the world behind the simulation.

use mpac_deploy_core::effect::Health;
use mpac_deploy_core::time::Timestamp;

use super::super::bound::Bound;
use super::super::{Account, Shared};
use super::api::ImageFate;
use super::life::{self, Deployment, Rollout, Task};
use super::service::{Key, Service};
use super::{OWNER, life::Pace};
use crate::world::SideState;

/// How many stopped tasks a side of the world shows that cannot start.
const FAILED_STARTS: u32 = 3;

/// A task as it is seen now.
#[derive(Clone, Debug)]
pub(super) struct TaskView {
    pub(super) number: u64,
    pub(super) deployment: String,
    pub(super) task_definition: String,
    pub(super) created: Timestamp,
    pub(super) state: TaskState,
}

/// What a task does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TaskState {
    Pending,
    Running(TargetState),
    /// Its targets are deregistered; after that it is stopped.
    Draining,
    Stopped {
        at: Timestamp,
        why: Ending,
    },
}

/// The health of a task's target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::aws_sim) enum TargetState {
    Initial,
    Healthy,
    Unhealthy { reason: &'static str, description: String },
    Draining,
}

/// Why a task has stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Nobody wanted it any more.
    ScaledIn,
    /// The image could not be pulled.
    NotPulled,
    /// As the image would have it.
    Exit { code: i32, reason: Option<String> },
    /// Its target stayed unhealthy.
    FailedHealthCheck,
    /// The world says why.
    Told(String),
}

impl TaskView {
    pub(super) const fn last_status(&self) -> &'static str {
        match self.state {
            TaskState::Pending => "PENDING",
            TaskState::Running(_) => "RUNNING",
            TaskState::Draining => "DEACTIVATING",
            TaskState::Stopped { .. } => "STOPPED",
        }
    }

    pub(super) const fn is_wanted(&self) -> bool {
        matches!(self.state, TaskState::Pending | TaskState::Running(_))
    }

    /// The task's name, which ends its ARN.
    pub(super) fn id(&self) -> String {
        format!("{:032x}", u128::from(self.number) | (0xecc5_u128 << 112))
    }

    pub(super) fn arn(&self, cluster: &str) -> String {
        format!("{OWNER}:task/{cluster}/{}", self.id())
    }

    /// The address of its network interface.
    pub(super) fn address(&self) -> String {
        format!("10.0.{}.{}", (self.number >> 8) & 0xff, self.number & 0xff)
    }

    /// Its target, once it has one.
    fn target(&self) -> Option<TargetState> {
        match &self.state {
            TaskState::Running(target) => Some(target.clone()),
            TaskState::Draining => Some(TargetState::Draining),
            TaskState::Pending | TaskState::Stopped { .. } => None,
        }
    }
}

/// The tasks of a service now, after its life has been followed up to now.
pub(super) fn of_service(shared: &Shared, account: &mut Account, key: &Key, now: Timestamp) -> Vec<TaskView> {
    match shared.bound.as_ref().and_then(|bound| Some((bound, Bound::side_of(&key.1)?))) {
        Some((bound, side)) => {
            let state = bound.world.state_of(side);
            let Some(service) = account.ecs.services.get_mut(key) else { return Vec::new() };
            follow(service, &state, now);
            of_world(service, &state, now)
        }
        None => {
            let pace = Pace { start: shared.settings.task_start, healthy: shared.settings.target_healthy };
            life::advance(&mut account.ecs, &account.elbv2.targets, pace, now);
            let Some(service) = account.ecs.services.get(key) else { return Vec::new() };
            service.tasks.iter().map(|task| of_life(task, now)).collect()
        }
    }
}

/// Every target that the services of the account have in a target group: address, port, state.
pub(in crate::aws_sim) fn targets_of(
    shared: &Shared,
    account: &mut Account,
    group: &str,
    now: Timestamp,
) -> Vec<(String, u16, TargetState)> {
    let has_any = |service: &Service| service.groups().any(|(arn, _)| arn == group);
    let with_targets = account.ecs.services.iter().filter(|(_, service)| has_any(service));
    let keys: Vec<Key> = with_targets.map(|(key, _)| key.clone()).collect();
    let mut targets = Vec::new();
    for key in keys {
        let tasks = of_service(shared, account, &key, now);
        let Some(service) = account.ecs.services.get(&key) else { continue };
        for port in service.groups().filter(|(arn, _)| *arn == group).map(|(_, port)| port) {
            targets.extend(tasks.iter().filter_map(|task| Some((task.address(), port, task.target()?))));
        }
    }
    targets
}

/// What is wanted of a service has changed: the world behind it, if there is one, is told.
pub(super) fn wanted_has_changed(shared: &Shared, account: &Account, name: &str) {
    let Some((bound, side)) = shared.bound.as_ref().and_then(|bound| Some((bound, Bound::side_of(name)?)))
    else {
        return;
    };
    let of_side = account.ecs.services.values().filter(|service| Bound::side_of(&service.name) == Some(side));
    bound.world.want_tasks(side, of_side.into_iter().any(|service| service.desired > 0));
}

fn of_life(task: &Task, now: Timestamp) -> TaskView {
    let state = if let Some(at) = task.stopped_at {
        TaskState::Stopped { at, why: ending(task) }
    } else if task.draining_until.is_some() {
        TaskState::Draining
    } else if task.runs_at > now {
        TaskState::Pending
    } else if task.known_at > now {
        TaskState::Running(TargetState::Initial)
    } else {
        TaskState::Running(known_target(&task.fate))
    };
    TaskView {
        number: task.number,
        deployment: task.deployment.clone(),
        task_definition: task.task_definition.clone(),
        created: task.created,
        state,
    }
}

fn known_target(fate: &ImageFate) -> TargetState {
    match fate {
        ImageFate::FailsItsHealthCheck { status } => TargetState::Unhealthy {
            reason: "Target.ResponseCodeMismatch",
            description: format!("Health checks failed with these codes: [{status}]"),
        },
        ImageFate::Runs | ImageFate::CannotBePulled | ImageFate::Exits { .. } => TargetState::Healthy,
    }
}

fn ending(task: &Task) -> Ending {
    match &task.fate {
        _ if task.draining_until.is_some() => Ending::ScaledIn,
        ImageFate::Runs => Ending::ScaledIn,
        ImageFate::CannotBePulled => Ending::NotPulled,
        ImageFate::Exits { code, reason } => Ending::Exit { code: *code, reason: reason.clone() },
        ImageFate::FailsItsHealthCheck { .. } => Ending::FailedHealthCheck,
    }
}

/// The primary deployment of a service stands as the world's side does.
fn follow(service: &mut Service, state: &SideState, now: Timestamp) {
    let wanted = service.desired > 0;
    service.deployments.truncate(1);
    let Some(primary) = service.deployments.first_mut() else { return };
    let (rollout, reason) = match &state.health {
        Health::Failed { .. } if wanted => {
            (Rollout::Failed, "ECS deployment circuit breaker: tasks failed to start.".into())
        }
        Health::Starting { .. } if wanted => {
            (Rollout::InProgress, format!("ECS deployment {} in progress.", primary.id))
        }
        Health::Healthy | Health::Unhealthy { .. } | Health::Failed { .. } | Health::Starting { .. } => {
            (Rollout::Completed, format!("ECS deployment {} completed.", primary.id))
        }
    };
    if primary.rollout != rollout {
        *primary = Deployment {
            rollout,
            reason,
            failed: if rollout == Rollout::Failed { FAILED_STARTS } else { 0 },
            updated: now,
            ..primary.clone()
        };
    }
}

/// The tasks that the world's side has, as this service's.
fn of_world(service: &Service, state: &SideState, now: Timestamp) -> Vec<TaskView> {
    let Some(primary) = service.deployments.first() else { return Vec::new() };
    let first = service.created.as_millis().unsigned_abs() % 50_000 + u64::from(seed(&service.name));
    let view = |number: u32, state: TaskState| TaskView {
        number: first + u64::from(number),
        deployment: primary.id.clone(),
        task_definition: primary.task_definition.clone(),
        created: primary.created,
        state,
    };
    if service.desired == 0 {
        let left = if state.runs { state.started } else { 0 };
        return (0..left).map(|number| view(number, TaskState::Draining)).collect();
    }
    if let Health::Failed { detail } = &state.health {
        let stopped = TaskState::Stopped { at: now, why: Ending::Told(detail.clone()) };
        return (0..FAILED_STARTS).map(|number| view(number, stopped.clone())).collect();
    }
    let unhealthy = match &state.health {
        Health::Starting { .. } => TargetState::Initial,
        Health::Healthy | Health::Unhealthy { .. } | Health::Failed { .. } => TargetState::Unhealthy {
            reason: "Target.FailedHealthChecks",
            description: "Health checks failed".into(),
        },
    };
    let task = |number: u32| {
        view(
            number,
            if number < state.healthy {
                TaskState::Running(TargetState::Healthy)
            } else if number < state.started {
                TaskState::Running(unhealthy.clone())
            } else {
                TaskState::Pending
            },
        )
    };
    (0..service.desired).map(task).collect()
}

/// A number of a name's own, so that the tasks of two services have different addresses.
fn seed(name: &str) -> u16 {
    name.bytes().fold(0_u16, |sum, byte| sum.wrapping_mul(31).wrapping_add(u16::from(byte)))
}
