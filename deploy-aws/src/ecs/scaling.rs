//! Application Auto Scaling, which sets the number of tasks by itself.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_sdk_applicationautoscaling::Client;
use aws_sdk_applicationautoscaling::config::Builder;
use aws_sdk_applicationautoscaling::config::retry::RetryConfig;
use aws_sdk_applicationautoscaling::types::{
    ScalableDimension, ScalableTarget, ServiceNamespace, SuspendedState,
};

use super::last_part;
use super::marker::Suspended;
use crate::quota::Pace;
use crate::{CallError, Quota};

const DESCRIBE: &str = "DescribeScalableTargets";
const REGISTER: &str = "RegisterScalableTarget";

/// How many targets one call describes.
const TARGETS_AT_ONCE: usize = 50;

/// How a service scales by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scaled {
    pub(super) min: i32,
    pub(super) max: i32,
    pub(super) suspended: Suspended,
}

impl Scaled {
    /// Whether it can start tasks.
    pub(super) const fn starts_tasks(&self) -> bool {
        self.max > 0 && !(self.suspended.scaling_out && self.suspended.scheduled)
    }
}

#[derive(Debug)]
pub(super) struct Scaling {
    client: Client,
    quota: Quota,
    cluster: String,
}

impl Scaling {
    pub(super) fn new(sdk: &SdkConfig, quota: &Quota, cluster: &str) -> Self {
        let config = Builder::from(sdk).retry_config(RetryConfig::disabled()).build();
        let client = Client::from_conf(config);
        Self { client, quota: quota.clone(), cluster: last_part(cluster).to_owned() }
    }

    fn resource(&self, service: &str) -> String {
        format!("service/{}/{service}", self.cluster)
    }

    /// Those of the services that scale by themselves.
    pub(super) async fn of(&self, services: &[String]) -> Result<BTreeMap<String, Scaled>, CallError> {
        let mut found = BTreeMap::new();
        for services in services.chunks(TARGETS_AT_ONCE) {
            self.quota.turn(Pace::Queue).await;
            let resources = services.iter().map(|service| self.resource(service)).collect();
            let call = self.client.describe_scalable_targets().service_namespace(ServiceNamespace::Ecs);
            let call = call.scalable_dimension(ScalableDimension::EcsServiceDesiredCount);
            let answer = call.set_resource_ids(Some(resources)).send().await;
            let answer = answer.map_err(|error| CallError::of(DESCRIBE, error))?;
            found.extend(answer.scalable_targets.unwrap_or_default().iter().map(read));
        }
        Ok(found)
    }

    /// Suspends and resumes what a service does by itself.
    pub(super) async fn set(&self, service: &str, state: Suspended, pace: Pace) -> Result<(), CallError> {
        self.quota.turn(pace).await;
        let suspended = SuspendedState::builder()
            .dynamic_scaling_in_suspended(state.scaling_in)
            .dynamic_scaling_out_suspended(state.scaling_out)
            .scheduled_scaling_suspended(state.scheduled)
            .build();
        let call = self.client.register_scalable_target().service_namespace(ServiceNamespace::Ecs);
        let call = call.scalable_dimension(ScalableDimension::EcsServiceDesiredCount);
        let call = call.resource_id(self.resource(service)).suspended_state(suspended);
        call.send().await.map_err(|error| CallError::of(REGISTER, error))?;
        Ok(())
    }
}

fn read(target: &ScalableTarget) -> (String, Scaled) {
    let state = target.suspended_state();
    let flag = |read: fn(&SuspendedState) -> Option<bool>| state.and_then(read).unwrap_or(false);
    let suspended = Suspended {
        scaling_in: flag(SuspendedState::dynamic_scaling_in_suspended),
        scaling_out: flag(SuspendedState::dynamic_scaling_out_suspended),
        scheduled: flag(SuspendedState::scheduled_scaling_suspended),
    };
    let scaled = Scaled { min: target.min_capacity, max: target.max_capacity, suspended };
    (last_part(&target.resource_id).to_owned(), scaled)
}
