//! Blue is started again from what was kept.

use std::collections::BTreeMap;

use mpac_deploy_core::metric::Side;
use serde_json::{Map, Value, json};

use super::calls::Seen;
use super::marker::{self, Action, Marker};
use super::{EcsError, EcsFleet, Order, archive, copy};
use crate::quota::Pace;

/// A rollback waits behind nobody.
const PACE: Pace = Pace::GoPast;

impl EcsFleet {
    pub(super) async fn revive_all(&self, order: Order<'_>) -> Result<(), EcsError> {
        let seen = self.calls.services(&self.config.names(), PACE).await?;
        self.admit_by_tags(order.fence, &seen)?;
        for service in &self.config.services {
            let name = service.name(order.roles, Side::Blue);
            self.revive_one(order, name, &seen).await?;
        }
        Ok(())
    }

    async fn revive_one(
        &self,
        order: Order<'_>,
        name: &str,
        seen: &BTreeMap<String, Seen>,
    ) -> Result<(), EcsError> {
        let Some(blue) = seen.get(name).filter(|blue| blue.is_active()) else {
            if seen.get(name).is_some_and(Seen::is_being_deleted) {
                return Err(EcsError::BeingDeleted { service: name.into() });
            }
            return self.remake(order, name).await;
        };
        let latest = blue.marker.as_ref();
        let mut marker =
            Marker::new(order.id, order.fence, Action::Revive, latest.map_or(0, |latest| latest.count));
        marker.scaling = latest.and_then(|latest| latest.scaling);
        if blue.marker.as_ref().is_some_and(|latest| latest.is_after(&marker)) {
            return Ok(());
        }
        // A call that was to stop it may still be under way: then it is not enough that it runs.
        let is_being_stopped =
            latest.is_some_and(|latest| matches!(latest.action, Action::Retire | Action::Stop));
        let runs = blue.desired() > 0 && !is_being_stopped;
        if runs {
            marker.count = blue.desired();
        } else if marker.count == 0 {
            let why = "no task is wanted, and its tags do not say how many there were".into();
            return Err(EcsError::NothingKept { service: name.into(), why });
        }
        if blue.marker.as_ref() != Some(&marker) {
            self.calls.tag(blue, &marker, PACE).await?;
        }
        if !runs {
            let count = Map::from_iter([("desiredCount".to_owned(), json!(marker.count))]);
            self.update(order, name, &count, PACE).await?;
        }
        self.resume_scaling(blue, marker, PACE).await
    }

    /// A service that somebody has deleted is made anew from the archive in the bucket.
    async fn remake(&self, order: Order<'_>, name: &str) -> Result<(), EcsError> {
        let nothing = |why: &str| EcsError::NothingKept { service: name.into(), why: why.into() };
        let archive = self.latest_archive(order).await?;
        let archive = archive.ok_or_else(|| {
            nothing("the service was deleted, and no bucket has an archive of it; the journal's shows what it was")
        })?;
        let mut request = archive::remade(&archive, name)
            .ok_or_else(|| nothing("the service was deleted, and the latest archive does not have it"))?;
        let count =
            request.get("desiredCount").and_then(Value::as_i64).and_then(|count| i32::try_from(count).ok());
        let marker = Marker::new(order.id, order.fence, Action::Revive, count.unwrap_or_default());
        let archived = archive["services"].as_array().into_iter().flatten().map(|entry| &entry["service"]);
        let tags = archived
            .filter(|service| service["serviceName"] == *name)
            .find_map(|service| service.get("tags"));
        request.insert("tags".into(), copy::tags(tags, &marker.pairs()));
        request.insert("clientToken".into(), json!(marker::token(order.id, name)));
        Ok(self.calls.create(&request, PACE).await?)
    }

    #[cfg(feature = "s3-archive")]
    async fn latest_archive(&self, order: Order<'_>) -> Result<Option<Value>, EcsError> {
        match &self.bucket {
            Some(bucket) => Ok(bucket.latest(self.config.environment(order.roles, Side::Blue)).await?),
            None => Ok(None),
        }
    }

    #[cfg(not(feature = "s3-archive"))]
    #[allow(clippy::unused_async, reason = "the same call with and without the feature")]
    async fn latest_archive(&self, _: Order<'_>) -> Result<Option<Value>, EcsError> {
        Ok(None)
    }
}
