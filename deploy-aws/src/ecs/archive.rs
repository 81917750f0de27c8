//! What an environment was, as JSON: enough to see what there was, and to make it anew.

use std::collections::BTreeSet;

use mpac_deploy_core::effect::Archive;
use mpac_deploy_core::ids::EffectId;
use serde_json::{Map, Value, json};

use super::EcsError;
use super::calls::{Calls, Seen};
use crate::quota::Pace;

/// The form of the archive.
const VERSION: u32 = 1;

/// What a journal takes: an item of DynamoDB has 400 KB at most, and the record around the archive escapes its quotes.
const LIMIT: usize = 200_000;

/// A service that is archived, with the tasks that were wanted before anybody stopped it.
pub(super) struct Archived<'a> {
    pub(super) seen: &'a Seen,
    pub(super) count: i32,
}

/// The archive of an environment.
pub(super) async fn of(
    calls: &Calls,
    id: &EffectId,
    environment: &str,
    services: &[Archived<'_>],
    records: Option<Value>,
) -> Result<Value, EcsError> {
    let mut archived = Vec::new();
    let mut arns = BTreeSet::new();
    for service in services {
        let definition = calls.definition(service.seen.task_definition(), Pace::Queue).await?;
        arns.extend(service.seen.groups().map(str::to_owned));
        archived.push(json!({ "service": of_service(service), "taskDefinition": definition }));
    }
    let arns: Vec<String> = arns.into_iter().collect();
    let groups = calls.groups(&arns).await?;
    let listeners = listeners(calls, &groups, &arns).await?;
    Ok(json!({
        "version": VERSION,
        "rollout": id.rollout.as_str(),
        "effect": id.number,
        "environment": environment,
        "cluster": calls.cluster,
        "services": archived,
        "targetGroups": groups,
        "listeners": listeners,
        "records": records,
    }))
}

/// A service without what it has told of its past, and with the tasks that were wanted.
fn of_service(service: &Archived<'_>) -> Value {
    let mut raw = service.seen.raw.clone();
    if let Some(members) = raw.as_object_mut() {
        members.remove("events");
        members.insert("desiredCount".into(), json!(service.count));
    }
    raw
}

/// The listeners before the groups, with the rules that name one of them.
async fn listeners(calls: &Calls, groups: &[Value], arns: &[String]) -> Result<Vec<Value>, EcsError> {
    let balancers = groups.iter().filter_map(|group| group["LoadBalancerArns"].as_array()).flatten();
    let balancers: BTreeSet<&str> = balancers.filter_map(Value::as_str).collect();
    let mut found = Vec::new();
    for balancer in balancers {
        for mut listener in calls.listeners(balancer).await? {
            if let Some(rules) = listener["Rules"].as_array_mut() {
                rules.retain(|rule| names_one(rule, arns));
            }
            found.push(listener);
        }
    }
    Ok(found)
}

fn names_one(value: &Value, arns: &[String]) -> bool {
    match value {
        Value::String(text) => arns.contains(text),
        Value::Array(items) => items.iter().any(|item| names_one(item, arns)),
        Value::Object(members) => members.values().any(|member| names_one(member, arns)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The archive as a journal takes it. One that is too large must be kept elsewhere, and the journal says where.
pub(super) fn for_journal(archive: &Value, kept_at: Option<&str>) -> Result<Archive, EcsError> {
    let text = archive.to_string();
    if text.len() <= LIMIT {
        return Ok(Archive::new(text));
    }
    let environment = archive["environment"].as_str().unwrap_or_default().to_owned();
    let too_large = EcsError::ArchiveTooLarge { environment, bytes: text.len(), limit: LIMIT };
    let place = kept_at.ok_or(too_large)?;
    Ok(Archive::new(json!({ "version": VERSION, "keptAt": place, "bytes": text.len() }).to_string()))
}

/// The request that makes an archived service anew, with the tasks that were wanted.
pub(super) fn remade(archive: &Value, name: &str) -> Option<Map<String, Value>> {
    let services = archive["services"].as_array()?;
    let service =
        services.iter().map(|entry| &entry["service"]).find(|service| service["serviceName"] == *name)?;
    let mut request = super::copy::as_told(service);
    for (member, value) in [
        ("serviceName", json!(name)),
        ("taskDefinition", service["taskDefinition"].clone()),
        ("desiredCount", service["desiredCount"].clone()),
        ("serviceRegistries", service["serviceRegistries"].clone()),
        ("loadBalancers", service["loadBalancers"].clone()),
    ] {
        if !value.is_null() {
            request.insert(member.into(), value);
        }
    }
    Some(request)
}
