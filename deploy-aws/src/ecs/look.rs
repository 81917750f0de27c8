//! A side's health, read from services, targets and, where there is something to explain, stopped tasks.

use std::collections::{BTreeMap, BTreeSet};

use mpac_deploy_core::effect::Health;
use mpac_deploy_core::metric::Side;
use mpac_deploy_core::plan::Release;
use serde_json::Value;

use super::calls::Seen;
use super::config::{EcsService, Roles};
use super::{EcsError, EcsFleet, health};
use crate::quota::Pace;

impl EcsFleet {
    pub(super) async fn look_at(&self, release: &Release, side: Side) -> Result<Health, EcsError> {
        let roles = self.config.roles(release)?;
        let names: Vec<String> =
            self.config.services.iter().map(|service| service.name(roles, side).to_owned()).collect();
        let seen = self.calls.services(&names, Pace::Queue).await?;
        let mut found = Vec::new();
        for service in &self.config.services {
            let name = service.name(roles, side);
            found.push(match seen.get(name) {
                Some(seen) => self.look_at_one(release, roles, side, service, seen).await?,
                None => Health::Unhealthy { detail: format!("{name}: there is no such service") },
            });
        }
        Ok(health::of_all(found))
    }

    async fn look_at_one(
        &self,
        release: &Release,
        roles: Roles,
        side: Side,
        service: &EcsService,
        seen: &Seen,
    ) -> Result<Health, EcsError> {
        let name = service.name(roles, side);
        let groups: BTreeSet<&str> = seen.groups().collect();
        let configured = service.target_groups.iter().map(|pair| roles.of(pair, side));
        if let Some(missing) = configured.into_iter().find(|group| !groups.contains(group)) {
            let detail = format!("{name}: its tasks are not registered with the target group {missing}");
            return Ok(Health::Unhealthy { detail });
        }
        let mut targets = BTreeMap::new();
        if seen.is_active() && seen.desired() > 0 {
            for group in groups {
                targets.insert(group.to_owned(), self.calls.targets(group).await?);
            }
        }
        let wrong = match side {
            // What blue runs is not this rollout's doing, and its images may be named otherwise.
            Side::Blue => None,
            Side::Green => self.wrong_image(release, service, seen).await?,
        };
        let stopped = if health::needs_reasons(seen) || wrong.is_some() {
            self.calls.stopped_tasks(name).await?
        } else {
            Vec::new()
        };
        Ok(health::of_service(seen, wrong.as_deref(), &targets, &stopped))
    }

    /// An image of the release that green does not run, as after the circuit breaker has rolled its deployment back.
    async fn wrong_image(
        &self,
        release: &Release,
        service: &EcsService,
        seen: &Seen,
    ) -> Result<Option<String>, EcsError> {
        if !seen.is_active() || seen.desired() == 0 || service.images.is_empty() {
            return Ok(None);
        }
        let running = self.images(seen.task_definition()).await?;
        let wrong =
            service.images(&release.green).find(|(container, image)| running.get(*container) != Some(image));
        Ok(wrong.map(|(_, image)| image))
    }

    /// The image of each container of a task definition.
    async fn images(&self, definition: &str) -> Result<BTreeMap<String, String>, EcsError> {
        let known = self.memory().images.get(definition).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let described = self.calls.definition(definition, Pace::Queue).await?;
        let images = images_of(&described);
        self.memory().images.insert(definition.into(), images.clone());
        Ok(images)
    }
}

pub(super) fn images_of(described: &Value) -> BTreeMap<String, String> {
    let containers = described.pointer("/taskDefinition/containerDefinitions").and_then(Value::as_array);
    let pair =
        |container: &Value| Some((container["name"].as_str()?.into(), container["image"].as_str()?.into()));
    containers.into_iter().flatten().filter_map(pair).collect()
}
