//! Blue, or green, is stopped: archived first, then drained.

use std::collections::BTreeMap;

use mpac_deploy_core::effect::Archive;
use mpac_deploy_core::metric::Side;
use serde_json::{Map, Value, json};

use super::archive::{self, Archived};
use super::calls::Seen;
use super::marker::{Action, Marker};
use super::{EcsError, EcsFleet, Order};
use crate::quota::Pace;

/// A service that is to be stopped.
struct Stopping<'a> {
    name: &'a str,
    seen: &'a Seen,
    marker: Marker,
}

impl EcsFleet {
    pub(super) async fn retire_all(&self, order: Order<'_>) -> Result<Option<Archive>, EcsError> {
        let seen = self.calls.services(&self.config.names(), Pace::Queue).await?;
        self.admit_by_tags(order.fence, &seen)?;
        let Some(mut stopping) = self.to_stop(order, &seen, Side::Blue, Action::Retire)? else {
            return Ok(None);
        };
        let scaled = self.check_scaling(&mut stopping).await?;
        let archive = self.archive(order, &stopping, scaled).await?;
        self.stop_all(order, &stopping).await?;
        Ok(Some(archive))
    }

    pub(super) async fn stop(&self, order: Order<'_>) -> Result<(), EcsError> {
        let seen = self.calls.services(&self.config.names(), Pace::Queue).await?;
        self.admit_by_tags(order.fence, &seen)?;
        let Some(mut stopping) = self.to_stop(order, &seen, Side::Green, Action::Stop)? else {
            return Ok(());
        };
        self.check_scaling(&mut stopping).await?;
        self.stop_all(order, &stopping).await
    }

    /// The services of a side; `None` if a later effect has acted on one of them.
    fn to_stop<'a>(
        &'a self,
        order: Order<'_>,
        seen: &'a BTreeMap<String, Seen>,
        side: Side,
        action: Action,
    ) -> Result<Option<Vec<Stopping<'a>>>, EcsError> {
        let mut stopping = Vec::new();
        for service in &self.config.services {
            let (name, other) = match side {
                Side::Blue => (service.name(order.roles, Side::Blue), service.name(order.roles, Side::Green)),
                Side::Green => {
                    (service.name(order.roles, Side::Green), service.name(order.roles, Side::Blue))
                }
            };
            let is_there = seen.get(name).is_some_and(Seen::is_active);
            if action == Action::Stop && !is_there {
                continue;
            }
            let its = self.needed(seen, name)?;
            super::copy::check(name, &its.raw)?;
            // Stopped already, by an earlier attempt or by hand.
            let kept = || its.marker.as_ref().map(|latest| latest.count).filter(|count| *count > 0);
            let of_other = || seen.get(other).map(Seen::desired);
            let count =
                Some(its.desired()).filter(|count| *count > 0).or_else(kept).or_else(of_other).unwrap_or(0);
            let mut marker = Marker::new(order.id, order.fence, action, count);
            marker.scaling = its.marker.as_ref().and_then(|latest| latest.scaling);
            if its.marker.as_ref().is_some_and(|latest| latest.is_after(&marker)) {
                return Ok(None);
            }
            stopping.push(Stopping { name, seen: its, marker });
        }
        Ok(Some(stopping))
    }

    /// The archive, kept in the bucket if there is one, before anything is stopped.
    async fn archive(
        &self,
        order: Order<'_>,
        stopping: &[Stopping<'_>],
        scaled: Value,
    ) -> Result<Archive, EcsError> {
        let environment = self.config.environment(order.roles, Side::Blue);
        let services: Vec<Archived<'_>> = stopping
            .iter()
            .map(|service| Archived { seen: service.seen, count: service.marker.count })
            .collect();
        let records = self.records().await?;
        let mut archive = archive::of(&self.calls, order.id, environment, &services, records).await?;
        archive["scaling"] = scaled;
        let kept_at = self.keep_in_bucket(order, environment, &archive).await?;
        archive::for_journal(&archive, kept_at.as_deref())
    }

    #[cfg(feature = "route53")]
    async fn records(&self) -> Result<Option<Value>, EcsError> {
        match &self.records {
            Some(records) => {
                let found = records.pair_records().await.map_err(|error| EcsError::Records(error.into()))?;
                let record = |record: &crate::route53::PairRecord| {
                    json!({
                        "record": record.label,
                        "side": record.side.to_string(),
                        "weight": record.weight,
                        "target": record.target,
                        "evaluateTargetHealth": record.evaluates_health,
                    })
                };
                Ok(Some(found.iter().map(record).collect()))
            }
            None => Ok(None),
        }
    }

    #[cfg(not(feature = "route53"))]
    #[allow(clippy::unused_async, reason = "the same call with and without the feature")]
    async fn records(&self) -> Result<Option<Value>, EcsError> {
        Ok(None)
    }

    #[cfg(feature = "s3-archive")]
    async fn keep_in_bucket(
        &self,
        order: Order<'_>,
        environment: &str,
        archive: &Value,
    ) -> Result<Option<String>, EcsError> {
        match &self.bucket {
            Some(bucket) => Ok(Some(bucket.keep(order.id, environment, archive).await?)),
            None => Ok(None),
        }
    }

    #[cfg(not(feature = "s3-archive"))]
    #[allow(clippy::unused_async, reason = "the same call with and without the feature")]
    async fn keep_in_bucket(&self, _: Order<'_>, _: &str, _: &Value) -> Result<Option<String>, EcsError> {
        Ok(None)
    }

    /// ECS deregisters the targets, waits for the deregistration delay, and then stops the tasks.
    async fn stop_all(&self, order: Order<'_>, stopping: &[Stopping<'_>]) -> Result<(), EcsError> {
        let none = Map::from_iter([("desiredCount".to_owned(), json!(0))]);
        for service in stopping {
            if service.seen.marker.as_ref() != Some(&service.marker) {
                self.calls.tag(service.seen, &service.marker, Pace::Queue).await?;
            }
            self.suspend_scaling(service.name, &service.marker).await?;
            if service.seen.desired() != 0 {
                self.update(order, service.name, &none, Pace::Queue).await?;
            }
        }
        while !self.have_stopped(stopping).await? {
            tokio::time::sleep(self.config.poll).await;
        }
        Ok(())
    }

    /// Whether no task of the services is left, and no target.
    async fn have_stopped(&self, stopping: &[Stopping<'_>]) -> Result<bool, EcsError> {
        let names: Vec<String> = stopping.iter().map(|service| service.name.to_owned()).collect();
        let seen = self.calls.services(&names, Pace::Queue).await?;
        for service in stopping {
            let name = service.name;
            let now = self.needed(&seen, name)?;
            if now.marker.as_ref().is_some_and(|latest| latest.is_after(&service.marker)) {
                return Err(EcsError::TakenOver { service: name.into() });
            }
            if now.desired() > 0 {
                return Err(EcsError::StartedAgain { service: name.into(), desired: now.desired() });
            }
            if now.service.running_count + now.service.pending_count > 0 {
                return Ok(false);
            }
            for group in now.groups() {
                if !self.calls.targets(group).await?.is_empty() {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}

/// What scales by itself.
#[cfg(feature = "autoscaling")]
impl EcsFleet {
    /// Refuses to stop what would be started again, or notes how its scaling was before it is suspended.
    async fn check_scaling(&self, stopping: &mut [Stopping<'_>]) -> Result<Value, EcsError> {
        let names: Vec<String> = stopping.iter().map(|service| service.name.to_owned()).collect();
        let scaled = self.scaling.of(&names).await?;
        for service in stopping {
            let Some(its) = scaled.get(service.name) else { continue };
            // Suspended by an earlier attempt: how it was before is in the tags.
            if service.marker.scaling.is_some() || !its.starts_tasks() {
                continue;
            }
            if service.marker.action != Action::Stop && !self.config.suspends_scaling {
                return Err(EcsError::Scaled { service: service.name.into(), min: its.min, max: its.max });
            }
            service.marker.scaling = Some(its.suspended);
        }
        let told = scaled
            .iter()
            .map(|(name, its)| json!({ "service": name, "minCapacity": its.min, "maxCapacity": its.max }));
        Ok(told.collect())
    }

    async fn suspend_scaling(&self, name: &str, marker: &Marker) -> Result<(), EcsError> {
        let all = super::marker::Suspended { scaling_in: true, scaling_out: true, scheduled: true };
        match marker.scaling {
            Some(_) => Ok(self.scaling.set(name, all, Pace::Queue).await?),
            None => Ok(()),
        }
    }

    /// Lets a service scale by itself as it did before it was stopped.
    pub(super) async fn resume_scaling(
        &self,
        service: &Seen,
        mut marker: Marker,
        pace: Pace,
    ) -> Result<(), EcsError> {
        let Some(before) = marker.scaling.take() else { return Ok(()) };
        self.scaling.set(service.service.service_name().unwrap_or_default(), before, pace).await?;
        Ok(self.calls.tag(service, &marker, pace).await?)
    }
}

/// Without the feature nothing is known of it but that the number of tasks changes.
#[cfg(not(feature = "autoscaling"))]
#[allow(clippy::unused_async, reason = "the same calls with and without the feature")]
impl EcsFleet {
    async fn check_scaling(&self, _: &mut [Stopping<'_>]) -> Result<Value, EcsError> {
        Ok(Value::Null)
    }

    async fn suspend_scaling(&self, _: &str, _: &Marker) -> Result<(), EcsError> {
        Ok(())
    }

    pub(super) async fn resume_scaling(&self, _: &Seen, _: Marker, _: Pace) -> Result<(), EcsError> {
        Ok(())
    }
}
