//! What a service's deployment, tasks and targets come to.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use aws_sdk_ecs::types::{Deployment, DeploymentRolloutState, Task, TaskStopCode};
use aws_sdk_elasticloadbalancingv2::types::{TargetHealthDescription, TargetHealthStateEnum};
use mpac_deploy_core::effect::Health;

use super::calls::Seen;

/// How many tasks of a deployment have to fail, with none healthy, before it is given up: half of the tasks, within these bounds, as
/// the circuit breaker of ECS has it. A service may have none.
const HOPELESS: (i32, i32) = (3, 200);

/// What is known of the target groups of a service.
pub(super) type Targets = BTreeMap<String, Vec<TargetHealthDescription>>;

/// The health of a service. `wanted_image` is one that should run and does not. `stopped` is asked for only where there is something to explain.
pub(super) fn of_service(
    seen: &Seen,
    wanted_image: Option<&str>,
    targets: &Targets,
    stopped: &[Task],
) -> Health {
    let name = seen.service.service_name().unwrap_or_default();
    let say = |detail: String| format!("{name}: {detail}");
    if !seen.is_active() {
        let status = seen.service.status().unwrap_or("unknown");
        return Health::Unhealthy { detail: say(format!("the service is {status}")) };
    }
    if seen.desired() == 0 {
        return Health::Unhealthy { detail: say(format!("no task is wanted{}", changed(seen))) };
    }
    let Some(primary) = primary(seen) else {
        return Health::Starting { detail: say("there is no deployment yet".into()) };
    };
    if let Some(image) = wanted_image {
        let detail =
            say(format!("its tasks do not run {image}{}{}", because(primary), reasons(primary, stopped)));
        return Health::Failed { detail };
    }
    let state = primary.rollout_state();
    if state == Some(&DeploymentRolloutState::Failed) || is_hopeless(seen, primary, targets, stopped) {
        let detail = format!(
            "the deployment has failed{}{}{}",
            because(primary),
            reasons(primary, stopped),
            sick(targets)
        );
        return Health::Failed { detail: say(detail) };
    }
    let (running, desired) = (seen.service.running_count, seen.desired());
    let wanted = changed(seen);
    if state.is_some_and(|state| *state != DeploymentRolloutState::Completed)
        || seen.service.deployments().len() > 1
    {
        let why = format!("{}{}{}", reasons(primary, stopped), event(seen, running), sick(targets));
        let detail = format!("{running} of {desired} tasks run{wanted}, the deployment is under way{why}");
        return Health::Starting { detail: say(detail) };
    }
    if running < desired {
        let detail = say(format!(
            "{running} of {desired} tasks run{wanted}{}{}",
            reasons(primary, stopped),
            event(seen, running)
        ));
        // Tasks that are being started or replaced are on their way; ECS takes a moment until it counts them.
        let on_the_way = running + seen.service.pending_count >= desired;
        let in_trouble = failures(primary, stopped).next().is_some() || !event(seen, running).is_empty();
        return if on_the_way || !in_trouble {
            Health::Starting { detail }
        } else {
            Health::Unhealthy { detail }
        };
    }
    of_targets(seen, targets).map_or(Health::Healthy, |health| match health {
        Health::Starting { detail } => Health::Starting { detail: say(detail) },
        Health::Unhealthy { detail } => Health::Unhealthy { detail: say(detail) },
        Health::Failed { detail } => Health::Failed { detail: say(detail) },
        Health::Healthy => Health::Healthy,
    })
}

/// Whether the stopped tasks have something to say: anything but a service that is as it should be.
pub(super) fn needs_reasons(seen: &Seen) -> bool {
    let steady = primary(seen).is_some_and(|primary| {
        primary.rollout_state() == Some(&DeploymentRolloutState::Completed) && primary.failed_tasks == 0
    });
    seen.is_active() && seen.desired() > 0 && !(steady && seen.service.running_count >= seen.desired())
}

/// The health of an environment is that of its sickest service; every one that is not healthy is named.
pub(super) fn of_all(services: impl IntoIterator<Item = Health>) -> Health {
    let (mut worst, mut details) = (0, Vec::new());
    for health in services {
        let (rank, detail) = match health {
            Health::Healthy => continue,
            Health::Starting { detail } => (1, detail),
            Health::Unhealthy { detail } => (2, detail),
            Health::Failed { detail } => (3, detail),
        };
        worst = worst.max(rank);
        details.push(detail);
    }
    let detail = details.join("; ");
    match worst {
        0 => Health::Healthy,
        1 => Health::Starting { detail },
        2 => Health::Unhealthy { detail },
        _ => Health::Failed { detail },
    }
}

fn primary(seen: &Seen) -> Option<&Deployment> {
    seen.service.deployments().iter().find(|deployment| deployment.status() == Some("PRIMARY"))
}

/// Enough of its tasks have failed, and no target is healthy that would speak for it.
fn is_hopeless(seen: &Seen, primary: &Deployment, targets: &Targets, stopped: &[Task]) -> bool {
    let failed = i32::try_from(failures(primary, stopped).count()).unwrap_or(i32::MAX);
    let enough = (seen.desired() / 2 + seen.desired() % 2).clamp(HOPELESS.0, HOPELESS.1);
    let healthy =
        targets.values().flatten().any(|target| state(target) == Some(&TargetHealthStateEnum::Healthy));
    primary.rollout_state() != Some(&DeploymentRolloutState::Completed)
        && primary.failed_tasks.max(failed) >= enough
        && !healthy
}

/// The stopped tasks of a deployment that nobody has stopped on purpose.
fn failures<'a>(primary: &'a Deployment, stopped: &'a [Task]) -> impl Iterator<Item = &'a Task> {
    stopped.iter().filter(move |task| {
        task.started_by() == primary.id()
            && match task.stop_code() {
                Some(TaskStopCode::ServiceSchedulerInitiated) => {
                    task.stopped_reason().is_some_and(|reason| reason.contains("health check"))
                }
                Some(TaskStopCode::UserInitiated) => false,
                Some(_) => true,
                None => false,
            }
    })
}

/// Why tasks of the deployment stopped, each reason once, with the count of its tasks.
fn reasons(primary: &Deployment, stopped: &[Task]) -> String {
    let mut counted: BTreeMap<String, u32> = BTreeMap::new();
    for task in failures(primary, stopped) {
        *counted.entry(reason(task)).or_default() += 1;
    }
    counted.into_iter().fold(String::new(), |mut text, (reason, count)| {
        let tasks = if count == 1 { "a task" } else { "tasks" };
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "; {tasks} stopped{}: {reason}",
            if count == 1 { String::new() } else { format!(" ({count})") }
        );
        text
    })
}

fn reason(task: &Task) -> String {
    let told = task.stopped_reason().unwrap_or("no reason given");
    let of_containers = task.containers().iter().filter_map(|container| {
        let name = container.name().unwrap_or("a container");
        // Ended by its platform, or of its own accord.
        match (container.exit_code(), container.reason().filter(|reason| *reason != told)) {
            (Some(0) | None, None) => None,
            (Some(code), None) => Some(format!("{name} exited with {code}")),
            (Some(code), Some(reason)) => Some(format!("{name} exited with {code}, {reason}")),
            (None, Some(reason)) => Some(format!("{name}: {reason}")),
        }
    });
    let of_containers: Vec<String> = of_containers.collect();
    if of_containers.is_empty() { told.to_owned() } else { format!("{told} ({})", of_containers.join(", ")) }
}

fn because(primary: &Deployment) -> String {
    primary
        .rollout_state_reason()
        .map(|reason| format!(" ({})", reason.trim_end_matches('.')))
        .unwrap_or_default()
}

/// What the service itself says, where no task does: that none can be placed, for example.
fn event(seen: &Seen, running: i32) -> String {
    let stuck = running + seen.service.pending_count < seen.desired();
    let latest = seen.service.events().first().and_then(|event| event.message()).filter(|_| stuck);
    latest
        .filter(|message| message.contains("unable"))
        .map(|message| format!("; {message}"))
        .unwrap_or_default()
}

/// Whether somebody else has set another number of tasks than we did.
fn changed(seen: &Seen) -> String {
    match &seen.marker {
        Some(marker) if marker.count != seen.desired() => {
            format!(
                " (the last effect of a rollout left it at {}; it is {} now)",
                marker.count,
                seen.desired()
            )
        }
        Some(_) | None => String::new(),
    }
}

fn state(target: &TargetHealthDescription) -> Option<&TargetHealthStateEnum> {
    target.target_health().and_then(|health| health.state())
}

/// What the unhealthy targets say, for a service that is not as it should be anyway.
fn sick(targets: &Targets) -> String {
    let unhealthy =
        targets.values().flatten().filter(|target| state(target) == Some(&TargetHealthStateEnum::Unhealthy));
    let said: Vec<String> = unhealthy.map(why).collect();
    said.first().map(|first| format!("; {} targets are unhealthy: {first}", said.len())).unwrap_or_default()
}

fn why(target: &TargetHealthDescription) -> String {
    let health = target.target_health();
    let reason =
        health.and_then(|health| health.reason()).map_or("no reason given", |reason| reason.as_str());
    match health.and_then(|health| health.description()) {
        Some(description) => format!("{reason}, {description}"),
        None => reason.to_owned(),
    }
}

/// What is wrong with the targets, if anything is. A group of which every target is unhealthy sends requests to all of them, so that
/// an answer is no evidence.
fn of_targets(seen: &Seen, targets: &Targets) -> Option<Health> {
    let findings = targets.iter().filter_map(|(group, targets)| of_group(seen, group_name(group), targets));
    Some(of_all(findings)).filter(|found| *found != Health::Healthy)
}

fn of_group(seen: &Seen, group: &str, targets: &[TargetHealthDescription]) -> Option<Health> {
    let desired = usize::try_from(seen.desired()).unwrap_or(0);
    let of = |wanted: &TargetHealthStateEnum| {
        targets.iter().filter(|target| state(target) == Some(wanted)).count()
    };
    let healthy = of(&TargetHealthStateEnum::Healthy);
    let on_the_way = of(&TargetHealthStateEnum::Initial) + of(&TargetHealthStateEnum::Draining);
    if healthy == targets.len() && healthy >= desired {
        return None;
    }
    let mut detail = format!("{healthy} of {} targets of {group} are healthy", targets.len().max(desired));
    if targets.is_empty() {
        detail.push_str(", none is registered yet");
    } else if healthy == 0 && on_the_way == 0 {
        detail.push_str(", so that it sends requests to all of them, and an answer says nothing");
    }
    let others = targets.iter().filter(|target| state(target) != Some(&TargetHealthStateEnum::Healthy));
    let mut said: Vec<String> = others.map(why).collect();
    said.sort();
    said.dedup();
    if !said.is_empty() {
        let _ = write!(detail, ": {}", said.join("; "));
    }
    let waiting_helps = healthy + on_the_way == targets.len();
    Some(if waiting_helps { Health::Starting { detail } } else { Health::Unhealthy { detail } })
}

/// The name in the ARN of a target group.
fn group_name(arn: &str) -> &str {
    arn.split(":targetgroup/").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or(arn)
}
