//! Environments of ECS services behind target groups.
//!
//! What is asked of the services, what is called and what can go wrong is in the book's chapter on ECS.

mod archive;
#[cfg(feature = "s3-archive")]
mod bucket;
mod calls;
mod config;
mod copy;
mod error;
mod health;
mod look;
mod marker;
mod provision;
mod raw;
mod retire;
mod revive;
#[cfg(feature = "autoscaling")]
mod scaling;
mod xml;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use aws_config::SdkConfig;
use mpac_deploy_core::effect::{Archive, Health};
use mpac_deploy_core::ids::{EffectId, FencingToken};
use mpac_deploy_core::metric::Side;
use mpac_deploy_core::plan::Release;
use mpac_deploy_core::port::{Fleet, PortError};
use serde_json::Value;

pub use config::{EcsConfig, EcsService};
pub use error::{EcsError, Unfit};

use crate::Quota;
use calls::{Calls, Seen};
use config::Roles;
use marker::Action;

/// The two environments of a rollout as ECS services.
///
/// Besides the contract of [`Fleet`]:
/// - Green's task definition is a new revision of blue's, whole, with the images of the release. What AWS has registered is compared
///   with what it was sent before it is used.
/// - Green's service is made from blue's if there is none, or changed where it differs. What other services would find green by is
///   never copied.
/// - Every service that is changed is tagged first with the effect, the fencing token and the number of tasks: a second process sees
///   what was done, and does it again only under a later token. ECS has no conditional write, so a call of a process that was stopped
///   between its last look and its call still has its effect; the lease of the journal keeps that from happening.
/// - `retire` returns once every target is gone and every task has stopped.
#[derive(Debug)]
pub struct EcsFleet {
    config: EcsConfig,
    calls: Calls,
    memory: Mutex<Memory>,
    #[cfg(feature = "autoscaling")]
    scaling: scaling::Scaling,
    #[cfg(feature = "s3-archive")]
    bucket: Option<bucket::Bucket>,
    #[cfg(feature = "route53")]
    records: Option<Arc<crate::Route53Traffic>>,
}

/// What this process knows.
#[derive(Debug, Default)]
struct Memory {
    fence: Option<FencingToken>,
    /// The effects that were done, with what was archived by them.
    done: BTreeMap<EffectId, (Action, Option<Archive>)>,
    /// Task definitions never change: the images of their containers.
    images: BTreeMap<String, BTreeMap<String, String>>,
    /// How a service was asked for, so that a second attempt asks for the same.
    asked: BTreeMap<String, serde_json::Map<String, Value>>,
}

/// Who wants what done.
#[derive(Clone, Copy, Debug)]
struct Order<'a> {
    id: &'a EffectId,
    fence: FencingToken,
    release: &'a Release,
    roles: Roles,
}

impl EcsFleet {
    /// An adapter for the environments of a cluster. Retries of the SDK are switched off, whatever `sdk` says; its time limits count.
    #[must_use]
    pub fn new(sdk: &SdkConfig, ecs: &Quota, load_balancing: &Quota, config: EcsConfig) -> Self {
        Self {
            calls: Calls::new(sdk, ecs, load_balancing, &config.cluster),
            memory: Mutex::default(),
            #[cfg(feature = "autoscaling")]
            scaling: scaling::Scaling::new(sdk, ecs, &config.cluster),
            #[cfg(feature = "s3-archive")]
            bucket: None,
            #[cfg(feature = "route53")]
            records: None,
            config,
        }
    }

    /// The same adapter, which keeps archives in a bucket as well, under names that begin with the prefix.
    #[cfg(feature = "s3-archive")]
    #[must_use]
    pub fn with_bucket(mut self, sdk: &SdkConfig, bucket: &str, prefix: &str) -> Self {
        self.bucket = Some(bucket::Bucket::new(sdk, bucket, prefix));
        self
    }

    /// The same adapter, which archives the records of this name with an environment.
    #[cfg(feature = "route53")]
    #[must_use]
    pub fn with_records(mut self, records: Arc<crate::Route53Traffic>) -> Self {
        self.records = Some(records);
        self
    }

    /// Stops green; see [`Fleet::stop_green`]. A service that is not there is stopped.
    ///
    /// Where the feature `autoscaling` is on, its scaling is suspended whatever [`EcsConfig::suspends_scaling`] says: a task that
    /// starts again would run against a schema that is being rolled back.
    ///
    /// # Errors
    /// [`EcsError`]; after [`CallError::NoAnswer`](crate::CallError::NoAnswer) the same call may be made again.
    pub async fn halt_green(
        &self,
        id: &EffectId,
        fence: FencingToken,
        release: &Release,
    ) -> Result<(), EcsError> {
        let Some(order) = self.begin(id, fence, release, Action::Stop)? else { return Ok(()) };
        self.stop(order).await?;
        self.end(order, Action::Stop, None);
        Ok(())
    }

    /// Starts green; see [`Fleet::provision`].
    ///
    /// # Errors
    /// [`EcsError`].
    pub async fn provision_green(
        &self,
        id: &EffectId,
        fence: FencingToken,
        release: &Release,
    ) -> Result<(), EcsError> {
        let Some(order) = self.begin(id, fence, release, Action::Provision)? else { return Ok(()) };
        self.provision_all(order).await?;
        self.end(order, Action::Provision, None);
        Ok(())
    }

    /// Retires blue; see [`Fleet::retire`].
    ///
    /// # Errors
    /// [`EcsError`].
    pub async fn retire_blue(
        &self,
        id: &EffectId,
        fence: FencingToken,
        release: &Release,
    ) -> Result<Option<Archive>, EcsError> {
        let Some(order) = self.begin(id, fence, release, Action::Retire)? else {
            return Ok(self.archived(id));
        };
        let archive = self.retire_all(order).await?;
        self.end(order, Action::Retire, archive.clone());
        Ok(archive)
    }

    /// Starts blue again; see [`Fleet::revive`].
    ///
    /// # Errors
    /// [`EcsError`].
    pub async fn revive_blue(
        &self,
        id: &EffectId,
        fence: FencingToken,
        release: &Release,
    ) -> Result<(), EcsError> {
        let Some(order) = self.begin(id, fence, release, Action::Revive)? else { return Ok(()) };
        self.revive_all(order).await?;
        self.end(order, Action::Revive, None);
        Ok(())
    }

    /// The health of a side, with the reasons of the platform.
    ///
    /// # Errors
    /// [`EcsError`] when it cannot be read.
    pub async fn side_health(&self, release: &Release, side: Side) -> Result<Health, EcsError> {
        self.look_at(release, side).await
    }

    /// `None` if the effect was done already.
    fn begin<'a>(
        &self,
        id: &'a EffectId,
        fence: FencingToken,
        release: &'a Release,
        action: Action,
    ) -> Result<Option<Order<'a>>, EcsError> {
        let roles = self.config.roles(release)?;
        self.admit(fence)?;
        let was_done = self.memory().done.get(id).is_some_and(|(done, _)| *done == action);
        Ok((!was_done).then_some(Order { id, fence, release, roles }))
    }

    fn end(&self, order: Order<'_>, action: Action, archive: Option<Archive>) {
        self.memory().done.insert(order.id.clone(), (action, archive));
    }

    fn archived(&self, id: &EffectId) -> Option<Archive> {
        self.memory().done.get(id).and_then(|(_, archive)| archive.clone())
    }

    /// Refuses whoever was overtaken by a later holder of the lease, as far as this process knows.
    fn admit(&self, fence: FencingToken) -> Result<(), EcsError> {
        let mut memory = self.memory();
        match memory.fence {
            Some(seen) if fence < seen => Err(EcsError::Fenced { fence, seen, place: "this process".into() }),
            Some(_) | None => {
                memory.fence = Some(fence);
                Ok(())
            }
        }
    }

    /// The same, as far as the tags of any service tell.
    fn admit_by_tags(&self, fence: FencingToken, seen: &BTreeMap<String, Seen>) -> Result<(), EcsError> {
        let latest = seen.iter().filter_map(|(name, seen)| Some((seen.marker.as_ref()?.fence, name)));
        match latest.max() {
            Some((seen, place)) if fence < seen => {
                Err(EcsError::Fenced { fence, seen, place: place.clone() })
            }
            Some(_) | None => Ok(()),
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A service that has to be there.
    fn needed<'a>(&self, seen: &'a BTreeMap<String, Seen>, name: &str) -> Result<&'a Seen, EcsError> {
        seen.get(name)
            .filter(|seen| seen.is_active())
            .ok_or_else(|| EcsError::NoService { cluster: self.config.cluster.clone(), service: name.into() })
    }
}

#[async_trait]
impl Fleet for EcsFleet {
    async fn provision(
        &self,
        id: &EffectId,
        fence: FencingToken,
        release: &Release,
    ) -> Result<(), PortError> {
        Ok(self.provision_green(id, fence, release).await?)
    }

    async fn health(&self, release: &Release, side: Side) -> Result<Health, PortError> {
        Ok(self.side_health(release, side).await?)
    }

    async fn retire(
        &self,
        id: &EffectId,
        fence: FencingToken,
        release: &Release,
    ) -> Result<Option<Archive>, PortError> {
        Ok(self.retire_blue(id, fence, release).await?)
    }

    async fn stop_green(
        &self,
        id: &EffectId,
        fence: FencingToken,
        release: &Release,
    ) -> Result<(), PortError> {
        Ok(self.halt_green(id, fence, release).await?)
    }

    async fn revive(&self, id: &EffectId, fence: FencingToken, release: &Release) -> Result<(), PortError> {
        Ok(self.revive_blue(id, fence, release).await?)
    }
}

/// The name at the end of an ARN, or the name itself.
#[cfg(feature = "autoscaling")]
fn last_part(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}
