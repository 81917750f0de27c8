//! What a service does by itself: it starts tasks, replaces those that fail, and stops those that are too many.

use std::collections::BTreeMap;
use std::time::Duration;

use mpac_deploy_core::time::Timestamp;
use serde_json::{Map, Value};

use super::super::elbv2::Targets;
use super::Ecs;
use super::api::ImageFate;
use super::definition::Definition;
use super::service::Service;

/// The longest pause before a task that keeps failing is started again.
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);
/// The circuit breaker's bounds for the failures that it waits for: half of the tasks, from 3 to 200.
const BREAKER: (u32, u32) = (3, 200);
/// How long a stopped task is shown.
const STOPPED_IS_SHOWN: Duration = Duration::from_secs(60 * 60);

/// How fast tasks come up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::aws_sim) struct Pace {
    /// From the start of a task until it runs.
    pub(in crate::aws_sim) start: Duration,
    /// From then until its target is healthy.
    pub(in crate::aws_sim) healthy: Duration,
}

/// Where a deployment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rollout {
    InProgress,
    Completed,
    Failed,
}

impl Rollout {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::InProgress => "IN_PROGRESS",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
        }
    }
}

/// A deployment of a service.
#[derive(Clone, Debug)]
pub(super) struct Deployment {
    pub(super) id: String,
    pub(super) task_definition: String,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
    pub(super) rollout: Rollout,
    pub(super) reason: String,
    /// Tasks that failed one after the other.
    pub(super) failed: u32,
    pub(super) next_start: Timestamp,
    pub(super) configuration: Map<String, Value>,
}

/// A task of a service.
#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) number: u64,
    pub(super) deployment: String,
    pub(super) task_definition: String,
    pub(super) created: Timestamp,
    pub(super) runs_at: Timestamp,
    /// When its target is known healthy, or known not to be.
    pub(super) known_at: Timestamp,
    pub(super) fate: ImageFate,
    /// When it ends by itself.
    pub(super) ends_at: Option<Timestamp>,
    pub(super) draining_until: Option<Timestamp>,
    pub(super) stopped_at: Option<Timestamp>,
}

impl Task {
    pub(super) const fn is_live(&self) -> bool {
        self.draining_until.is_none() && self.stopped_at.is_none()
    }

    pub(super) fn is_healthy(&self, now: Timestamp) -> bool {
        self.is_live() && self.known_at <= now && self.fate == ImageFate::Runs
    }
}

/// What a life depends on.
struct Surroundings<'a> {
    pace: Pace,
    fates: &'a BTreeMap<String, ImageFate>,
    definitions: &'a BTreeMap<String, Vec<Definition>>,
    made: &'a mut u64,
    drain: Duration,
}

/// Follows every service's life up to now.
pub(super) fn advance(ecs: &mut Ecs, targets: &Targets, pace: Pace, now: Timestamp) {
    let Ecs { services, fates, definitions, made, .. } = ecs;
    for service in services.values_mut().filter(|service| service.is_active()) {
        let drain = service
            .groups()
            .filter_map(|(group, _)| targets.get(group))
            .map(|group| group.deregistration_delay);
        let drain = drain.max().unwrap_or_default();
        let mut around = Surroundings { pace, fates, definitions, made, drain };
        while let Some(next) = next_event(service).filter(|next| *next <= now) {
            step(service, &mut around, next);
            service.latest = next;
        }
        step(service, &mut around, now);
        service.latest = now.max(service.latest);
        let shown_since = |task: &Task| task.stopped_at.is_none_or(|at| at.after(STOPPED_IS_SHOWN) > now);
        service.tasks.retain(shown_since);
    }
}

/// When something happens next, after what has happened.
fn next_event(service: &Service) -> Option<Timestamp> {
    let waits = service.deployments.first().filter(|primary| primary.rollout != Rollout::Failed);
    let of_tasks = service.tasks.iter().filter(|task| task.stopped_at.is_none()).flat_map(|task| {
        [Some(task.runs_at), Some(task.known_at), task.ends_at, task.draining_until].into_iter().flatten()
    });
    of_tasks.chain(waits.map(|primary| primary.next_start)).filter(|at| *at > service.latest).min()
}

fn step(service: &mut Service, around: &mut Surroundings<'_>, now: Timestamp) {
    end_tasks(service, around, now);
    trip_breaker(service, around, now);
    start_tasks(service, around, now);
    complete(service, around, now);
    service.deployments = keep_deployments(service);
}

/// Tasks that fail, and tasks that have drained.
fn end_tasks(service: &mut Service, around: &Surroundings<'_>, now: Timestamp) {
    for task in &mut service.tasks {
        if task.stopped_at.is_some() {
            continue;
        }
        if let Some(until) = task.draining_until {
            if until <= now {
                task.stopped_at = Some(until);
            }
        } else if let Some(at) = task.ends_at.filter(|at| *at <= now) {
            task.stopped_at = Some(at);
            let deployment = service.deployments.iter_mut().find(|known| known.id == task.deployment);
            if let Some(deployment) = deployment.filter(|known| known.rollout == Rollout::InProgress) {
                deployment.failed += 1;
                let doublings = deployment.failed.saturating_sub(BREAKER.0).min(16);
                let pause = around.pace.start.saturating_mul(1 << doublings).min(LONGEST_PAUSE);
                deployment.next_start = at.after(pause);
            }
        }
    }
}

/// The circuit breaker ends a deployment of which too many tasks have failed.
fn trip_breaker(service: &mut Service, around: &mut Surroundings<'_>, now: Timestamp) {
    let (enabled, rolls_back) = service.breaker();
    let limit = service.desired.div_ceil(2).clamp(BREAKER.0, BREAKER.1);
    let proven = service.proven.clone();
    let Some(primary) = service.deployments.first_mut() else { return };
    if !enabled || primary.rollout != Rollout::InProgress || primary.failed < limit {
        return;
    }
    primary.rollout = Rollout::Failed;
    primary.updated = now;
    primary.reason = "ECS deployment circuit breaker: tasks failed to start.".into();
    let failed = primary.id.clone();
    service.tell(now, &format!("(deployment {failed}) deployment failed: tasks failed to start."));
    if let Some(back) = proven.filter(|_| rolls_back) {
        *around.made += 1;
        service.task_definition = back;
        service.deploy(*around.made, now);
        let Some(primary) = service.deployments.first_mut() else { return };
        let id = primary.id.clone();
        primary.reason = format!("ECS deployment circuit breaker: rolling back to deploymentId {id}.");
        service.tell(now, &format!("rolling back to deployment {id}."));
    }
}

/// As many tasks of the primary deployment as are wanted.
fn start_tasks(service: &mut Service, around: &mut Surroundings<'_>, now: Timestamp) {
    let Some(primary) = service.deployments.first() else { return };
    let (id, definition) = (primary.id.clone(), primary.task_definition.clone());
    let may_start = primary.rollout != Rollout::Failed && primary.next_start <= now;
    let wanted = usize::try_from(service.desired).unwrap_or(usize::MAX);
    let live = service.tasks.iter().filter(|task| task.is_live() && task.deployment == id).count();
    if may_start {
        for _ in live..wanted {
            let task = new_task(around, &id, &definition, now);
            service.tasks.push(task);
        }
        if live < wanted {
            service.tell(now, &format!("has started {} tasks.", wanted - live));
        }
    }
    for task in live_of(service, &id).skip(wanted) {
        task.draining_until = Some(now.after(around.drain));
    }
}

fn live_of<'a>(service: &'a mut Service, deployment: &'a str) -> impl Iterator<Item = &'a mut Task> {
    service.tasks.iter_mut().filter(move |task| task.is_live() && task.deployment == deployment)
}

fn new_task(around: &mut Surroundings<'_>, deployment: &str, definition: &str, now: Timestamp) -> Task {
    *around.made += 1;
    let fate = fate_of(around, definition);
    let runs_at = now.after(around.pace.start);
    let known_at = runs_at.after(around.pace.healthy);
    let ends_at = match &fate {
        ImageFate::Runs => None,
        ImageFate::CannotBePulled => Some(runs_at),
        ImageFate::Exits { .. } => Some(runs_at.after(around.pace.healthy / 2)),
        ImageFate::FailsItsHealthCheck { .. } => Some(known_at.after(around.pace.healthy)),
    };
    Task {
        number: *around.made,
        deployment: deployment.into(),
        task_definition: definition.into(),
        created: now,
        runs_at,
        known_at,
        fate,
        ends_at,
        draining_until: None,
        stopped_at: None,
    }
}

fn fate_of(around: &Surroundings<'_>, definition: &str) -> ImageFate {
    let family = definition.rsplit(":task-definition/").next().and_then(|name| name.split(':').next());
    let revisions = family.and_then(|family| around.definitions.get(family));
    let found = revisions.into_iter().flatten().find(|known| known.arn() == definition);
    let images = found.into_iter().flat_map(Definition::containers);
    let images = images.filter_map(|container| container.get("image").and_then(Value::as_str));
    images.filter_map(|image| around.fates.get(image)).next().cloned().unwrap_or(ImageFate::Runs)
}

/// A deployment whose tasks are all healthy is completed, and those before it go.
fn complete(service: &mut Service, around: &Surroundings<'_>, now: Timestamp) {
    let wanted = usize::try_from(service.desired).unwrap_or(usize::MAX);
    let Some(primary) = service.deployments.first_mut() else { return };
    let id = primary.id.clone();
    let of_it = |task: &&Task| task.deployment == id && task.is_healthy(now);
    let is_complete = service.tasks.iter().filter(of_it).count() >= wanted;
    if primary.rollout == Rollout::InProgress && is_complete {
        primary.rollout = Rollout::Completed;
        primary.reason = format!("ECS deployment {id} completed.");
        primary.failed = 0;
        primary.updated = now;
        service.proven = Some(primary.task_definition.clone());
        service.tell(now, "has reached a steady state.");
    }
    if is_complete {
        for task in service.tasks.iter_mut().filter(|task| task.is_live() && task.deployment != id) {
            task.draining_until = Some(now.after(around.drain));
        }
    }
}

/// Deployments before the primary one are shown while it is under way or tasks of theirs are left.
fn keep_deployments(service: &Service) -> Vec<Deployment> {
    let under_way = service.deployments.first().is_some_and(|primary| primary.rollout == Rollout::InProgress);
    let has_tasks =
        |id: &str| service.tasks.iter().any(|task| task.deployment == id && task.stopped_at.is_none());
    let numbered = service.deployments.iter().enumerate();
    let kept = numbered.filter(|(place, known)| *place == 0 || under_way || has_tasks(&known.id));
    kept.map(|(_, known)| known.clone()).collect()
}
