//! Services: changed.

use mpac_deploy_core::port::Clock;
use serde_json::Value;

use super::super::Shared;
use super::super::wire::{Call, Refusal};
use super::json::Given;
use super::service::{self, TOLD, TOLD_TO_DEPLOYMENTS};
use super::{client_error, invalid, last_part, view};

/// What can be changed without new tasks.
const WITHOUT_TASKS: [&str; 6] = [
    "availabilityZoneRebalancing",
    "deploymentConfiguration",
    "enableECSManagedTags",
    "enableExecuteCommand",
    "healthCheckGracePeriodSeconds",
    "propagateTags",
];

/// What is settled for good when a service is made.
const SETTLED: [&str; 2] = ["launchType", "schedulingStrategy"];

pub(in crate::aws_sim) fn update_service(shared: &Shared, call: &Call) -> Result<Vec<u8>, Refusal> {
    let given = Given::of(call)?;
    let now = shared.clock.now();
    let mut guard = shared.account.get();
    let account = &mut *guard;
    let key = (account.ecs.cluster(given.text("cluster"))?, last_part(given.needed("service")?).to_owned());
    // What has happened up to now happened to the service as it was.
    drop(view::of_service(shared, account, &key, now));
    let found = account.ecs.services.get(&key);
    let found = found.ok_or_else(|| Refusal::new(400, "ServiceNotFoundException", "Service not found."))?;
    if !found.is_active() {
        return Err(Refusal::new(400, "ServiceNotActiveException", "Service was not ACTIVE."));
    }
    let mut service = found.clone();
    let desired = given.count("desiredCount")?;
    let mut deploys = given.is("forceNewDeployment");
    if let Some(name) = given.text("taskDefinition") {
        let definition = account.ecs.definition(name);
        let definition = definition.ok_or_else(|| client_error("TaskDefinition not found."))?;
        deploys |= definition.arn() != service.task_definition;
        service.task_definition = definition.arn().into();
    }
    let may_change = |name: &str| {
        (TOLD.contains(&name) && !SETTLED.contains(&name)) || TOLD_TO_DEPLOYMENTS.contains(&name)
    };
    for (name, value) in given.0.iter().filter(|(name, value)| may_change(name) && !value.is_null()) {
        if service.told.get(name) == Some(value)
            || is_nothing(value) && is_nothing(service.told.get(name).unwrap_or(&Value::Null))
        {
            continue;
        }
        if name == "capacityProviderStrategy" {
            if !given.is("forceNewDeployment") {
                return Err(invalid(
                    "The forceNewDeployment parameter must be specified when the capacity provider strategy changes.",
                ));
            }
            service.told.remove("launchType");
        }
        deploys |= !WITHOUT_TASKS.contains(&name.as_str());
        service.told.insert(name.clone(), value.clone());
    }
    let definition = account.ecs.definition(&service.task_definition);
    service::check(
        account,
        &service.told,
        definition.ok_or_else(|| client_error("TaskDefinition not found."))?,
    )?;
    service.desired = desired.unwrap_or(service.desired);
    if deploys {
        let number = account.ecs.next_id();
        service.deploy(number, now);
    }
    account.ecs.services.insert(key.clone(), service);
    view::wanted_has_changed(shared, account, &key.1);
    service::one(shared, account, &key, now)
}

fn is_nothing(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}
