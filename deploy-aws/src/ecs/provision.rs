//! Green is made from blue.

use std::collections::BTreeMap;

use mpac_deploy_core::metric::Side;
use serde_json::{Map, Value, json};

use super::calls::Seen;
use super::config::EcsService;
use super::copy::{self, Changes};
use super::look::images_of;
use super::marker::{self, Action, Marker};
use super::{EcsError, EcsFleet, Order, Unfit};
use crate::quota::Pace;

impl EcsFleet {
    pub(super) async fn provision_all(&self, order: Order<'_>) -> Result<(), EcsError> {
        let seen = self.calls.services(&self.config.names(), Pace::Queue).await?;
        self.admit_by_tags(order.fence, &seen)?;
        for service in &self.config.services {
            self.provision_one(order, service, &seen).await?;
        }
        Ok(())
    }

    async fn provision_one(
        &self,
        order: Order<'_>,
        service: &EcsService,
        seen: &BTreeMap<String, Seen>,
    ) -> Result<(), EcsError> {
        let (blue_name, name) =
            (service.name(order.roles, Side::Blue), service.name(order.roles, Side::Green));
        let blue = self.needed(seen, blue_name)?;
        let green = seen.get(name).filter(|green| green.is_active() || green.is_being_deleted());
        if green.is_some_and(Seen::is_being_deleted) {
            return Err(EcsError::BeingDeleted { service: name.into() });
        }
        let marker = Marker::new(order.id, order.fence, Action::Provision, blue.desired());
        if green.and_then(|green| green.marker.as_ref()).is_some_and(|latest| latest.is_after(&marker)) {
            return Ok(());
        }
        copy::check(blue_name, &blue.raw)?;
        if blue.desired() == 0 {
            return Err(EcsError::Unfit { service: blue_name.into(), why: Unfit::Stopped });
        }
        let groups: Vec<(&str, &str)> = service.groups(order.roles).collect();
        if let Some((shared, _)) = groups.iter().find(|(of_blue, of_green)| of_blue == of_green) {
            let why = Unfit::SharedGroup((*shared).into());
            return Err(EcsError::Unfit { service: name.into(), why });
        }
        let wanted = copy::service(blue_name, &blue.raw, &groups)?;
        if let Some(green) = green {
            copy::check(name, &green.raw)?;
            let changes = copy::changes(name, &green.raw, &wanted)?;
            let definition = self.revision_for(order, service, blue).await?;
            return self.change_green(order, green, name, changes, &definition, marker).await;
        }
        copy::check_discovery(blue_name, &blue.raw)?;
        let definition = self.revision_for(order, service, blue).await?;
        self.create_green(order, name, blue, wanted, &definition, &marker).await
    }

    /// The revision that this effect has registered, or registers now.
    async fn revision_for(
        &self,
        order: Order<'_>,
        service: &EcsService,
        blue: &Seen,
    ) -> Result<String, EcsError> {
        let described = self.calls.definition(blue.task_definition(), Pace::Queue).await?;
        let family = described["taskDefinition"]["family"].as_str().unwrap_or_default();
        let own_tags = marker::of_definition(order.id);
        let changes = Changes {
            images: service
                .images(&order.release.green)
                .map(|(container, image)| (container.into(), image))
                .collect(),
            variables: service
                .variables(&order.release.green)
                .map(|(container, name, value)| (container.into(), name.into(), value))
                .collect(),
        };
        let wanted =
            copy::definition(service.name(order.roles, Side::Blue), &described, &changes, &own_tags)?;
        let latest = self.calls.definition(family, Pace::Queue).await?;
        let registered = if is_ours(&latest, &own_tags) && copy::lost(&wanted, &latest).is_none() {
            latest
        } else {
            self.calls.register(&wanted).await?
        };
        let arn = registered["taskDefinition"]["taskDefinitionArn"].as_str().unwrap_or_default().to_owned();
        if let Some(member) = copy::lost(&wanted, &registered) {
            return Err(EcsError::NotCarriedOver { task_definition: arn, member });
        }
        self.memory().images.insert(arn.clone(), images_of(&registered));
        Ok(arn)
    }

    async fn create_green(
        &self,
        order: Order<'_>,
        name: &str,
        blue: &Seen,
        wanted: Map<String, Value>,
        definition: &str,
        marker: &Marker,
    ) -> Result<(), EcsError> {
        let token = marker::token(order.id, name);
        let mut request = wanted;
        for (member, value) in [
            ("serviceName", json!(name)),
            ("taskDefinition", json!(definition)),
            ("desiredCount", json!(blue.desired())),
            ("clientToken", json!(token)),
            ("tags", copy::tags(blue.raw.get("tags"), &marker.pairs())),
        ] {
            request.insert(member.into(), value);
        }
        // The same token asks for the same service, though blue may have been scaled since the first attempt.
        let request = self.memory().asked.entry(token).or_insert(request).clone();
        Ok(self.calls.create(&request, Pace::Queue).await?)
    }

    async fn change_green(
        &self,
        order: Order<'_>,
        green: &Seen,
        name: &str,
        mut changes: Map<String, Value>,
        definition: &str,
        mut marker: Marker,
    ) -> Result<(), EcsError> {
        let runs_it = green.task_definition() == definition;
        if !runs_it {
            changes.insert("taskDefinition".into(), json!(definition));
        }
        if runs_it && green.desired() > 0 {
            // Started by an earlier attempt: its scaling may have set another number since.
            marker.count = green.desired();
        } else if green.desired() != marker.count {
            changes.insert("desiredCount".into(), json!(marker.count));
        }
        let suspended = green.marker.as_ref().and_then(|latest| latest.scaling);
        marker.scaling = suspended;
        if green.marker.as_ref() != Some(&marker) {
            self.calls.tag(green, &marker, Pace::Queue).await?;
        }
        if !changes.is_empty() {
            self.update(order, name, &changes, Pace::Queue).await?;
        }
        self.resume_scaling(green, marker, Pace::Queue).await
    }

    /// Changes a service, unless a later holder has acted while this call waited for its turn.
    pub(super) async fn update(
        &self,
        order: Order<'_>,
        name: &str,
        changes: &Map<String, Value>,
        pace: Pace,
    ) -> Result<(), EcsError> {
        self.calls.turn(pace).await;
        self.admit(order.fence)?;
        Ok(self.calls.update(name, changes).await?)
    }
}

/// Whether a task definition was registered by the effect of these tags.
fn is_ours(described: &Value, own_tags: &[(&str, String)]) -> bool {
    let tags = described["tags"].as_array().map(Vec::as_slice).unwrap_or_default();
    own_tags.iter().all(|(key, value)| tags.iter().any(|tag| tag["key"] == **key && tag["value"] == **value))
}
