//! Weights as two weighted alias records of Route 53.
//!
//! What is asked of the records, what a change costs and what can go wrong is in the book's chapter on AWS.

mod calls;
mod error;
mod fence;
mod pair;
mod traps;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use mpac_deploy_core::effect::{Direction, ObservedWeights};
use mpac_deploy_core::ids::{EffectId, FencingToken, RecordName};
use mpac_deploy_core::port::{PortError, Traffic};
use mpac_deploy_core::units::Weights;

pub use error::{RecordError, Route53Error, ZoneError};
#[cfg(feature = "infra")]
pub(crate) use pair::routing;
pub use traps::{PairRecord, traps};

use crate::memory::{Memory, Standing};
use crate::quota::Pace;
use crate::{CallError, Quota};
use calls::{Batch, Calls};
use fence::Marker;
use pair::Pair;

/// Which records are moved.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Route53Config {
    /// The hosted zone, with or without `/hostedzone/`.
    pub hosted_zone_id: String,
    /// The name of both records, of type A; a second pair of type AAAA is moved along.
    pub record: RecordName,
    /// Blue's set identifier.
    pub blue_set: String,
    /// Green's set identifier.
    pub green_set: String,
    /// How old the copy of the records may be from which a rollback is made without reading first. The rollout reads them every
    /// minute; [`Duration::ZERO`] makes every rollback read first.
    pub rollback_from_copy: Duration,
    /// The name of a TXT record in the same zone that holds the fencing token, if there is to be one: then a change of a holder
    /// whose lease went to another process is refused by Route 53 itself.
    pub fence_record: Option<String>,
}

impl Route53Config {
    /// The strategy's set identifiers, `blue-environment` and `green-environment`, and a copy of up to 2 min for rollbacks.
    #[must_use]
    pub fn new(hosted_zone_id: impl Into<String>, record: RecordName) -> Self {
        Self {
            hosted_zone_id: hosted_zone_id.into(),
            record,
            blue_set: "blue-environment".into(),
            green_set: "green-environment".into(),
            rollback_from_copy: Duration::from_secs(120),
            fence_record: None,
        }
    }

    /// The same records by other set identifiers.
    #[must_use]
    pub fn with_sets(mut self, blue: impl Into<String>, green: impl Into<String>) -> Self {
        self.blue_set = blue.into();
        self.green_set = green.into();
        self
    }

    /// The same records with a TXT record of this name that holds the fencing token, such as `_mpac-deploy.api.example.com`.
    /// It is made by the first change.
    #[must_use]
    pub fn with_fence_record(mut self, name: impl Into<String>) -> Self {
        self.fence_record = Some(name.into());
        self
    }
}

/// The weights of one pair of Route 53 records.
///
/// Besides the contract of [`Traffic`]:
/// - A record is written whole, as it was read: alias target, its zone and `EvaluateTargetHealth` are never made up.
/// - Route 53 has no conditional write. Without [`Route53Config::fence_record`] the fencing token is checked in this process only, and
///   the lease alone keeps other processes away.
/// - After a restart the ids of earlier changes are gone. `set` writes the wanted weights once more; `confirm` writes the records
///   that are there once more, on the condition that nobody changes them meanwhile, and waits for that change instead.
#[derive(Debug)]
pub struct Route53Traffic {
    config: Route53Config,
    calls: Calls,
    memory: Mutex<Memory<Made, Pair>>,
    /// The marker as it was written last; it is gone until the next change has succeeded.
    marker: Mutex<Option<Marker>>,
}

/// A change that Route 53 has taken.
#[derive(Clone, Debug)]
struct Made {
    change: String,
    in_sync: bool,
}

impl Route53Traffic {
    /// An adapter for one pair of records. Retries of the SDK are switched off, whatever `sdk` says; its time limits count.
    #[must_use]
    pub fn new(sdk: &SdkConfig, quota: &Quota, config: Route53Config) -> Self {
        let calls = Calls::new(sdk, quota.clone(), &config);
        Self { config, calls, memory: Mutex::default(), marker: Mutex::default() }
    }

    /// Both weights, or by its type what is wrong with the records.
    ///
    /// # Errors
    /// [`Route53Error`].
    pub async fn weights(&self) -> Result<ObservedWeights, Route53Error> {
        Ok(self.pair(Pace::Queue).await?.weights(self.config.record.as_str())?)
    }

    /// The pair's records as [`traps`] looks at them.
    ///
    /// # Errors
    /// [`Route53Error`].
    pub async fn pair_records(&self) -> Result<Vec<PairRecord>, Route53Error> {
        Ok(self.pair(Pace::Queue).await?.described())
    }

    /// Which records these are.
    #[cfg(feature = "infra")]
    pub(crate) const fn config(&self) -> &Route53Config {
        &self.config
    }

    /// Every record of the name, whatever it is.
    #[cfg(feature = "infra")]
    pub(crate) async fn record_sets(
        &self,
    ) -> Result<Vec<aws_sdk_route53::types::ResourceRecordSet>, Route53Error> {
        self.calls.records(self.config.record.as_str(), Pace::Queue).await
    }

    /// Sets both weights; see [`Traffic::set`].
    ///
    /// # Errors
    /// [`Route53Error`]; after [`CallError::NoAnswer`] the outcome is unknown, and the same call may be made again.
    pub async fn set_weights(
        &self,
        id: &EffectId,
        fence: FencingToken,
        weights: Weights,
        direction: Direction,
    ) -> Result<(), Route53Error> {
        let (known, before) = {
            let mut memory = self.memory();
            memory.admit(fence)?;
            (memory.was_made(id, weights.into()), memory.before(id))
        };
        if known {
            return Ok(());
        }
        let pair = self.pair_to_change(direction).await?;
        if direction == Direction::Forward {
            self.check_forward(&pair, weights, before)?;
        }
        let wanted = pair.with(weights);
        let batch = Batch::upsert(&wanted, comment(id, weights));
        self.memory().attempted(id, pair.ipv4());
        match self.write(fence, batch, Pace::of(direction)).await {
            Ok(change) => {
                self.memory().made(id, weights.into(), Made { change, in_sync: false }, wanted);
                Ok(())
            }
            Err(error) => {
                if error.did_nothing() {
                    self.memory().did_nothing(id, before);
                }
                Err(error)
            }
        }
    }

    /// Whether a change is on every name server; see [`Traffic::confirm`].
    ///
    /// # Errors
    /// [`Route53Error`].
    pub async fn is_in_sync(&self, id: &EffectId) -> Result<bool, Route53Error> {
        let standing = self.memory().standing(id);
        let change = match standing {
            Standing::Made(made) if made.in_sync => return Ok(true),
            Standing::Made(made) => made.change,
            Standing::NotMade => return Err(Route53Error::UnknownChange(id.clone())),
            Standing::BeforeOurTime => self.write_once_more(id).await?,
        };
        let in_sync = self.calls.is_in_sync(&change).await?;
        if in_sync {
            self.memory().change(id, |made| made.in_sync = true);
        }
        Ok(in_sync)
    }

    /// Sends a batch as the holder of this token, and gives the change's id.
    async fn write(&self, fence: FencingToken, batch: Batch, pace: Pace) -> Result<String, Route53Error> {
        let Some(name) = &self.config.fence_record else {
            return self.send(fence, batch, pace).await;
        };
        let next = Marker::held(name, fence).map_err(calls::invalid)?;
        let kept = locked(&self.marker).take();
        let mut marker = match kept {
            Some(marker) => marker,
            None => self.marker(name, pace).await?,
        };
        loop {
            marker.admit(fence)?;
            match self.send(fence, batch.clone().after(marker.replaced_by(&next)), pace).await {
                Err(Route53Error::Zone(error @ ZoneError::InvalidChangeBatch { .. })) => {
                    let found = self.marker(name, pace).await?;
                    if found == marker {
                        // So it was not the marker that was refused.
                        return Err(error.into());
                    }
                    marker = found;
                }
                Err(error) => return Err(error),
                Ok(change) => {
                    *locked(&self.marker) = Some(next);
                    return Ok(change);
                }
            }
        }
    }

    async fn send(&self, fence: FencingToken, batch: Batch, pace: Pace) -> Result<String, Route53Error> {
        self.calls.quota.turn(pace).await;
        // While this call waited for its turn, a later holder may have acted.
        self.memory().admit(fence)?;
        self.calls.change(batch).await
    }

    async fn marker(&self, name: &str, pace: Pace) -> Result<Marker, Route53Error> {
        Ok(Marker::of(self.calls.records(name, pace).await?))
    }

    /// Gets a change to wait for in place of one whose id an earlier process has taken along: the same records in place of
    /// themselves. Deleting names every value, so Route 53 refuses the batch if anybody has changed one since they were read.
    async fn write_once_more(&self, id: &EffectId) -> Result<String, Route53Error> {
        let pair = self.pair(Pace::Queue).await?;
        let comment =
            limited(format!("mpac-deploy {id}: unchanged, to confirm a change from before a restart"));
        self.calls.quota.turn(Pace::Queue).await;
        let change = match self.calls.change(Batch::replace_by_itself(&pair, comment)).await {
            Err(Route53Error::Zone(ZoneError::InvalidChangeBatch { call, message })) => {
                if self.pair(Pace::Queue).await? == pair {
                    // So it is the batch that is refused, now and later: whoever waits for the change makes it anew.
                    return Err(Route53Error::UnknownChange(id.clone()));
                }
                // The records are other ones by now: the next attempt takes those.
                return Err(CallError::NoAnswer { call, message }.into());
            }
            written => written?,
        };
        self.memory().made(id, pair.ipv4(), Made { change: change.clone(), in_sync: false }, pair);
        Ok(change)
    }

    /// The records that a change starts from. A rollback does not wait for a reading if there is a fresh copy, and does not fail
    /// for want of one if there is any.
    async fn pair_to_change(&self, direction: Direction) -> Result<Pair, Route53Error> {
        match direction {
            Direction::Forward => self.pair(Pace::Queue).await,
            Direction::Back => {
                if let Some(copy) = self.memory().copy(self.config.rollback_from_copy) {
                    return Ok(copy);
                }
                let read = self.pair(Pace::GoPast).await;
                match (read, self.memory().copy(Duration::MAX)) {
                    (Err(error @ Route53Error::Call(_)), Some(copy)) => {
                        tracing::warn!(%error, record = %self.config.record, "records not read: rolled back from a copy");
                        Ok(copy)
                    }
                    (read, _) => read,
                }
            }
        }
    }

    /// What a rollback need not care for.
    fn check_forward(
        &self,
        pair: &Pair,
        wanted: Weights,
        before: Option<ObservedWeights>,
    ) -> Result<(), RecordError> {
        let name = self.config.record.as_str();
        let found = pair.weights(name)?;
        match before {
            // After an unknown outcome the weights are those from before or the wanted ones, unless somebody else came in between.
            Some(before) if found != before && !found.is(wanted) => {
                Err(RecordError::SomebodyElse { name: name.into(), before, wanted: wanted.into(), found })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// What a rollout sees where one type has other weights than the other: those that are not ours, if this process has written any.
    /// So it takes them for what they are, weights that somebody else has set.
    fn foreign(&self, error: RecordError) -> Result<ObservedWeights, RecordError> {
        let latest = self.memory().latest();
        let RecordError::Split { ipv4, ipv6, .. } = error else { return Err(error) };
        if latest == Some(ipv4) {
            Ok(ipv6)
        } else if latest == Some(ipv6) {
            Ok(ipv4)
        } else {
            Err(error)
        }
    }

    async fn pair(&self, pace: Pace) -> Result<Pair, Route53Error> {
        let records = self.calls.records(self.config.record.as_str(), pace).await?;
        let pair = Pair::of(&self.config, &records)?;
        self.memory().keep(pair.clone());
        Ok(pair)
    }

    fn check_record(&self, asked: &RecordName) -> Result<(), Route53Error> {
        if pair::canonical(asked.as_str()) == pair::canonical(self.config.record.as_str()) {
            return Ok(());
        }
        Err(Route53Error::OtherRecord { ours: self.config.record.clone(), asked: asked.clone() })
    }

    fn memory(&self) -> MutexGuard<'_, Memory<Made, Pair>> {
        locked(&self.memory)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Traffic for Route53Traffic {
    async fn read(&self, record: &RecordName) -> Result<ObservedWeights, PortError> {
        self.check_record(record)?;
        match self.weights().await {
            Err(Route53Error::Record(error)) => Ok(self.foreign(error).map_err(Route53Error::from)?),
            read => Ok(read?),
        }
    }

    async fn set(
        &self,
        id: &EffectId,
        fence: FencingToken,
        record: &RecordName,
        weights: Weights,
        direction: Direction,
    ) -> Result<(), PortError> {
        self.check_record(record)?;
        Ok(self.set_weights(id, fence, weights, direction).await?)
    }

    async fn confirm(&self, change: &EffectId) -> Result<bool, PortError> {
        Ok(self.is_in_sync(change).await?)
    }
}

/// What the change says of itself in CloudTrail.
fn comment(id: &EffectId, weights: Weights) -> String {
    limited(format!("mpac-deploy {id}: {weights}"))
}

/// Route 53 takes comments of up to 256 characters.
fn limited(comment: String) -> String {
    comment.chars().take(256).collect()
}
