//! Amazon ECS, as its JSON API answers.
//!
//! Services start, replace and stop their tasks by themselves, by the clock: or, where a world is behind the simulation, they show
//! the tasks of its sides.

mod api;
mod definition;
mod json;
mod life;
mod service;
mod tags;
mod task;
mod update;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

pub use api::{ImageFate, ServiceState};
pub(super) use definition::{describe_task_definition, register_task_definition};
pub(super) use json::{Given, answer, time};
pub(super) use service::{create_service, describe_services};
pub(super) use tags::tag_resource;
pub(super) use task::{describe_tasks, list_tasks};
pub(super) use update::update_service;
pub(super) use view::{TargetState, targets_of};

use super::wire::Refusal;
use definition::Definition;
use service::{Key, Service};

/// Region and account of everything.
const OWNER: &str = "arn:aws:ecs:us-east-1:123456789012";

/// What the account has of this service.
#[derive(Debug, Default)]
pub(super) struct Ecs {
    clusters: BTreeSet<String>,
    /// The revisions of each family, from 1 on.
    definitions: BTreeMap<String, Vec<Definition>>,
    services: BTreeMap<Key, Service>,
    /// The first request of each client token, and the service that it made.
    tokens: BTreeMap<String, (Map<String, Value>, Key)>,
    fates: BTreeMap<String, ImageFate>,
    /// Counts what needs a name of its own.
    made: u64,
}

impl Ecs {
    /// An id that was not given before.
    fn next_id(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    /// The name of a cluster that there is; it may be written as its ARN, and `default` need not be written.
    fn cluster(&self, given: Option<&str>) -> Result<String, Refusal> {
        let name = last_part(given.unwrap_or("default"));
        if self.clusters.contains(name) {
            Ok(name.to_owned())
        } else {
            Err(Refusal::new(400, "ClusterNotFoundException", "Cluster not found."))
        }
    }
}

/// The name at the end of an ARN, or the name itself.
fn last_part(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

fn cluster_arn(name: &str) -> String {
    format!("{OWNER}:cluster/{name}")
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "InvalidParameterException", message)
}

fn client_error(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "ClientException", message)
}
