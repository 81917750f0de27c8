//! Tasks: listed, described.

use mpac_deploy_core::port::Clock;
use mpac_deploy_core::time::Timestamp;
use serde_json::{Value, json};

use super::super::wire::{Call, Refusal};
use super::super::{Account, Shared};
use super::definition::Definition;
use super::json::{Given, answer, flag, text, time};
use super::service::Key;
use super::view::{self, Ending, TaskState, TaskView};
use super::{cluster_arn, invalid, last_part};

/// How many tasks a page lists, and how many one call may describe.
const MAX_TASKS: usize = 100;

pub(in crate::aws_sim) fn list_tasks(shared: &Shared, call: &Call) -> Result<Vec<u8>, Refusal> {
    let given = Given::of(call)?;
    let now = shared.clock.now();
    let mut guard = shared.account.get();
    let account = &mut *guard;
    let cluster = account.ecs.cluster(given.text("cluster"))?;
    let wants_stopped = match given.text("desiredStatus") {
        None | Some("RUNNING" | "PENDING") => false,
        Some("STOPPED") => true,
        Some(other) => return Err(invalid(format!("Invalid desiredStatus: {other}"))),
    };
    let keys: Vec<Key> = match given.text("serviceName").map(last_part) {
        Some(name) => {
            let key = (cluster.clone(), name.to_owned());
            if !account.ecs.services.contains_key(&key) {
                return Err(Refusal::new(400, "ServiceNotFoundException", "Service not found."));
            }
            vec![key]
        }
        None => account.ecs.services.keys().filter(|(known, _)| *known == cluster).cloned().collect(),
    };
    let mut arns = Vec::new();
    for key in keys {
        let tasks = view::of_service(shared, account, &key, now);
        arns.extend(
            tasks.iter().filter(|task| task.is_wanted() != wants_stopped).map(|task| task.arn(&cluster)),
        );
    }
    let size = given.count("maxResults")?.and_then(|size| usize::try_from(size).ok()).unwrap_or(MAX_TASKS);
    if !(1..=MAX_TASKS).contains(&size) {
        return Err(invalid("Invalid maxResults: must be between 1 and 100"));
    }
    let from = match given.text("nextToken") {
        None => 0,
        Some(token) => token.parse().map_err(|_| invalid("Invalid token"))?,
    };
    let page: Vec<&String> = arns.iter().skip(from).take(size).collect();
    let mut shown = json!({ "taskArns": page });
    if from + size < arns.len() {
        shown["nextToken"] = json!((from + size).to_string());
    }
    answer(&shown)
}

pub(in crate::aws_sim) fn describe_tasks(shared: &Shared, call: &Call) -> Result<Vec<u8>, Refusal> {
    let given = Given::of(call)?;
    let now = shared.clock.now();
    let mut guard = shared.account.get();
    let account = &mut *guard;
    let cluster = account.ecs.cluster(given.text("cluster"))?;
    let asked = given.texts("tasks");
    if asked.is_empty() {
        return Err(invalid("Tasks cannot be empty."));
    }
    if asked.len() > MAX_TASKS {
        return Err(invalid(format!("Tasks cannot have more than {MAX_TASKS} elements")));
    }
    let keys: Vec<Key> =
        account.ecs.services.keys().filter(|(known, _)| *known == cluster).cloned().collect();
    let mut known = Vec::new();
    for key in keys {
        let tasks = view::of_service(shared, account, &key, now);
        known.extend(tasks.into_iter().map(|task| (key.clone(), task)));
    }
    let (mut tasks, mut failures) = (Vec::new(), Vec::new());
    for name in asked {
        match known.iter().find(|(_, task)| task.id() == last_part(name)) {
            Some((key, task)) => tasks.push(shown(account, key, task, now)),
            None => failures.push(json!({ "arn": name, "reason": "MISSING" })),
        }
    }
    answer(&json!({ "tasks": tasks, "failures": failures }))
}

fn shown(account: &Account, (cluster, service): &Key, task: &TaskView, now: Timestamp) -> Value {
    let definition = account.ecs.definition(&task.task_definition);
    let containers = definition.into_iter().flat_map(Definition::containers).map(|container| {
        let mut shown = json!({
            "name": text(container, "name"),
            "image": text(container, "image"),
            "lastStatus": task.last_status(),
            "taskArn": task.arn(cluster),
        });
        if let TaskState::Stopped { why, .. } = &task.state
            && container.get("essential").is_none_or(|_| flag(container, "essential"))
        {
            end_container(&mut shown, why, text(container, "image").unwrap_or_default());
        }
        shown
    });
    let mut shown = json!({
        "taskArn": task.arn(cluster),
        "clusterArn": cluster_arn(cluster),
        "taskDefinitionArn": task.task_definition,
        "group": format!("service:{service}"),
        "startedBy": task.deployment,
        "lastStatus": task.last_status(),
        "desiredStatus": if task.is_wanted() { "RUNNING" } else { "STOPPED" },
        "createdAt": time(task.created),
        "containers": containers.collect::<Value>(),
        "attachments": [{
            "type": "ElasticNetworkInterface",
            "details": [{ "name": "privateIPv4Address", "value": task.address() }],
        }],
    });
    match &task.state {
        TaskState::Stopped { at, why } => {
            shown["stoppedAt"] = time(*at);
            let (code, reason) = ended(why, &shown);
            shown["stopCode"] = json!(code);
            shown["stoppedReason"] = json!(reason);
        }
        TaskState::Draining => shown["stoppingAt"] = time(now),
        TaskState::Pending | TaskState::Running(_) => {}
    }
    shown
}

fn end_container(shown: &mut Value, why: &Ending, image: &str) {
    let (code, reason) = match why {
        Ending::ScaledIn | Ending::FailedHealthCheck => (Some(143), None),
        Ending::NotPulled => (None, Some(not_pulled(image))),
        Ending::Exit { code, reason } => (Some(*code), reason.clone()),
        Ending::Told(reason) => (None, Some(reason.clone())),
    };
    if let Some(code) = code {
        shown["exitCode"] = json!(code);
    }
    if let Some(reason) = reason {
        shown["reason"] = json!(reason);
    }
}

fn ended(why: &Ending, shown: &Value) -> (&'static str, String) {
    let image = shown.pointer("/containers/0/image").and_then(Value::as_str).unwrap_or_default();
    match why {
        Ending::ScaledIn => ("ServiceSchedulerInitiated", "Scaling activity initiated by deployment".into()),
        Ending::NotPulled => ("TaskFailedToStart", not_pulled(image)),
        Ending::Exit { .. } => ("EssentialContainerExited", "Essential container in task exited".into()),
        Ending::FailedHealthCheck => ("ServiceSchedulerInitiated", "Task failed ELB health checks".into()),
        Ending::Told(reason) => ("TaskFailedToStart", reason.clone()),
    }
}

fn not_pulled(image: &str) -> String {
    format!(
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref {image}: {image}: not found"
    )
}
