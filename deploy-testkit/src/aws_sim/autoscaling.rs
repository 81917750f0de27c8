//! Application Auto Scaling of ECS services, as its JSON API answers. It scales nothing: a test sets a service's number of tasks by hand.

use std::collections::BTreeMap;

use mpac_deploy_core::port::Clock;
use mpac_deploy_core::time::Timestamp;
use serde_json::{Value, json};

use super::ecs::{Given, answer, time};
use super::wire::{Call, Refusal};
use super::{AwsSim, Shared};

/// How many targets one call may name.
const MAX_NAMED: usize = 50;

/// What may be suspended.
const SUSPENSIONS: [&str; 3] =
    ["DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended"];

/// An ECS service that scales by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScalableTarget {
    /// The least number of tasks.
    pub min: u32,
    /// The largest number of tasks.
    pub max: u32,
    /// Whether scaling in, scaling out and scheduled scaling are suspended.
    pub suspended: [bool; 3],
    created: Timestamp,
}

/// The scalable targets of the account, by `service/CLUSTER/SERVICE`.
pub(super) type ScalableTargets = BTreeMap<String, ScalableTarget>;

impl AwsSim {
    /// A service scales between these numbers of tasks.
    pub fn put_scalable_target(&self, cluster: &str, service: &str, min: u32, max: u32) {
        let created = self.shared.clock.now();
        let target = ScalableTarget { min, max, suspended: [false; 3], created };
        self.shared.account.get().scalable.insert(format!("service/{cluster}/{service}"), target);
    }

    /// How a service scales, if it does.
    #[must_use]
    pub fn scalable_target(&self, cluster: &str, service: &str) -> Option<ScalableTarget> {
        self.shared.account.get().scalable.get(&format!("service/{cluster}/{service}")).cloned()
    }
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "ValidationException", message)
}

/// Only ECS services are known, and of those the number of tasks.
fn check(given: &Given) -> Result<(), Refusal> {
    if given.text("ServiceNamespace") != Some("ecs") {
        return Err(invalid("The simulated AWS scales the namespace `ecs` only"));
    }
    match given.text("ScalableDimension") {
        None | Some("ecs:service:DesiredCount") => Ok(()),
        Some(other) => Err(invalid(format!(
            "Unsupported service namespace, resource type or scalable dimension: {other}"
        ))),
    }
}

pub(super) fn describe_scalable_targets(shared: &Shared, call: &Call) -> Result<Vec<u8>, Refusal> {
    let given = Given::of(call)?;
    check(&given)?;
    let named = given.texts("ResourceIds");
    if named.len() > MAX_NAMED {
        return Err(invalid(format!("Member must have length less than or equal to {MAX_NAMED}")));
    }
    let account = shared.account.get();
    let found = account.scalable.iter().filter(|(id, _)| named.is_empty() || named.contains(&id.as_str()));
    let shown: Vec<Value> = found.map(|(id, target)| shown(id, target)).collect();
    answer(&json!({ "ScalableTargets": shown }))
}

fn shown(id: &str, target: &ScalableTarget) -> Value {
    let suspended: serde_json::Map<String, Value> = SUSPENSIONS
        .iter()
        .zip(target.suspended)
        .map(|(name, flag)| ((*name).to_owned(), json!(flag)))
        .collect();
    json!({
        "ServiceNamespace": "ecs",
        "ResourceId": id,
        "ScalableDimension": "ecs:service:DesiredCount",
        "MinCapacity": target.min,
        "MaxCapacity": target.max,
        "RoleARN": "arn:aws:iam::123456789012:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService",
        "CreationTime": time(target.created),
        "SuspendedState": suspended,
    })
}

pub(super) fn register_scalable_target(shared: &Shared, call: &Call) -> Result<Vec<u8>, Refusal> {
    let given = Given::of(call)?;
    check(&given)?;
    let id = given.text("ResourceId").ok_or_else(|| invalid("ResourceId must not be null"))?.to_owned();
    let (min, max) = (given.count("MinCapacity")?, given.count("MaxCapacity")?);
    let created = shared.clock.now();
    let mut account = shared.account.get();
    let before = account.scalable.get(&id).cloned();
    let (Some(min), Some(max)) =
        (min.or(before.as_ref().map(|target| target.min)), max.or(before.as_ref().map(|target| target.max)))
    else {
        return Err(invalid(
            "The minimum and maximum capacity are needed when a scalable target is registered",
        ));
    };
    if min > max {
        return Err(invalid("Maximum capacity cannot be less than minimum capacity"));
    }
    let mut target = before.unwrap_or(ScalableTarget { min, max, suspended: [false; 3], created });
    (target.min, target.max) = (min, max);
    let state = given.0.get("SuspendedState");
    for (name, suspended) in SUSPENSIONS.iter().zip(&mut target.suspended) {
        if let Some(flag) = state.and_then(|state| state.get(*name)).and_then(Value::as_bool) {
            *suspended = flag;
        }
    }
    account.scalable.insert(id, target);
    answer(
        &json!({ "ScalableTargetARN": "arn:aws:application-autoscaling:us-east-1:123456789012:scalable-target/0ec5" }),
    )
}
