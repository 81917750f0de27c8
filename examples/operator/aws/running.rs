//! What an environment runs.

use std::collections::BTreeSet;

use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::TaskDefinition;
use mpac_deploy_aws::CallError;
use mpac_deploy_core::ids::Revision;

use super::Account;
use super::call::Unread;
use crate::config::{Colour, Config, Service};

/// How many services one call describes.
const AT_ONCE: usize = 10;

/// A service of an environment as it is.
#[derive(Clone, Debug)]
pub(crate) struct Runs {
    pub(crate) service: String,
    pub(crate) desired: i32,
    pub(crate) running: i32,
    pub(crate) task_definition: String,
}

impl Account {
    /// The services of an environment that there are; one that is not there is made by a rollout.
    pub(crate) async fn running(&self, colour: Colour) -> Result<Vec<Runs>, Unread> {
        let client = Client::new(&self.sdk);
        let services = self.config.ecs.services.iter();
        let names: Vec<String> = services.map(|service| Config::ecs_service(service, colour)).collect();
        let mut found = Vec::new();
        for names in names.chunks(AT_ONCE) {
            let read = async || {
                let call = client.describe_services().cluster(&self.config.ecs.cluster);
                let answer = call.set_services(Some(names.to_vec())).send().await;
                Ok(answer.map_err(|error| CallError::of("ecs:DescribeServices", error))?)
            };
            let answer = self.patiently(read).await?;
            // What was deleted is shown for a while, as INACTIVE.
            let active = answer.services.unwrap_or_default().into_iter();
            found.extend(active.filter(|service| service.status.as_deref() == Some("ACTIVE")).map(
                |service| Runs {
                    service: service.service_name.unwrap_or_default(),
                    desired: service.desired_count,
                    running: service.running_count,
                    task_definition: service.task_definition.unwrap_or_default(),
                },
            ));
        }
        Ok(found)
    }

    /// A task definition as a service runs it.
    pub(crate) async fn definition(&self, arn: &str) -> Result<TaskDefinition, Unread> {
        let client = Client::new(&self.sdk);
        let read = async || {
            let answer = client.describe_task_definition().task_definition(arn).send().await;
            Ok(answer.map_err(|error| CallError::of("ecs:DescribeTaskDefinition", error))?)
        };
        Ok(self.patiently(read).await?.task_definition.unwrap_or_else(|| TaskDefinition::builder().build()))
    }

    /// The image of a service's container in a task definition.
    pub(crate) async fn image(&self, service: &Service, task_definition: &str) -> Result<String, Unread> {
        let found = self.definition(task_definition).await?.container_definitions.unwrap_or_default();
        let of_name = |name: Option<&str>| name == Some(service.container.as_str());
        let container = found.into_iter().find(|container| of_name(container.name.as_deref()));
        container.and_then(|container| container.image).ok_or_else(|| {
            Unread::Unfit(format!(
                "{task_definition} has no container `{}`: name the right one",
                service.container
            ))
        })
    }

    /// The revision that an environment runs; those of all its services, where they differ.
    pub(crate) async fn revision(&self, colour: Colour) -> Result<Revision, Unread> {
        let running = self.running(colour).await?;
        let mut revisions = BTreeSet::new();
        for service in &self.config.ecs.services {
            let name = Config::ecs_service(service, colour);
            let runs = running.iter().find(|runs| runs.service == name).ok_or_else(|| {
                Unread::Unfit(format!(
                    "the cluster `{}` has no service `{name}`, and the environment `{}` is to be replaced: a rollout copies it",
                    self.config.ecs.cluster,
                    colour.name()
                ))
            })?;
            let image = self.image(service, &runs.task_definition).await?;
            let revision = service.image.revision(&image).unwrap_or(&image);
            revisions.insert(revision.to_owned());
        }
        Ok(Revision::new(revisions.into_iter().collect::<Vec<_>>().join("+")))
    }
}
