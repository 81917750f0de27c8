//! What this process knows of its changes.

use std::collections::BTreeMap;
use std::time::Duration;

use mpac_deploy_core::effect::ObservedWeights;
use mpac_deploy_core::ids::{EffectId, FencingToken};
use tokio::time::Instant;

use super::Route53Error;
use super::fence::Marker;
use super::pair::Pair;

#[derive(Debug, Default)]
pub(super) struct Memory {
    fence: Option<FencingToken>,
    made: BTreeMap<EffectId, Made>,
    /// Attempts that have no outcome yet, with the weights before the first one.
    open: BTreeMap<EffectId, ObservedWeights>,
    copy: Option<(Pair, Instant)>,
    marker: Option<Marker>,
}

/// A change that Route 53 has taken.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) change: String,
    pub(super) in_sync: bool,
}

/// What is known of an effect's change.
pub(super) enum Standing {
    Made(Made),
    /// This process would know of it.
    NotMade,
    /// An earlier process may have made it.
    BeforeOurTime,
}

impl Memory {
    /// Refuses whoever was overtaken by a later holder of the lease.
    pub(super) fn admit(&mut self, fence: FencingToken) -> Result<(), Route53Error> {
        match self.fence {
            Some(seen) if fence < seen => Err(Route53Error::Fenced { fence, seen }),
            Some(_) | None => {
                self.fence = Some(fence);
                Ok(())
            }
        }
    }

    pub(super) fn was_made(&self, id: &EffectId) -> bool {
        self.made.contains_key(id)
    }

    /// Effects are numbered in their order: one above our first change, if it was made, was made by us.
    pub(super) fn standing(&self, id: &EffectId) -> Standing {
        if let Some(made) = self.made.get(id) {
            return Standing::Made(made.clone());
        }
        let ours = self.made.keys().any(|made| made.rollout == id.rollout && made.number < id.number);
        if ours || self.open.contains_key(id) { Standing::NotMade } else { Standing::BeforeOurTime }
    }

    pub(super) fn made(&mut self, id: &EffectId, change: String, pair: Pair) {
        self.open.remove(id);
        self.made.insert(id.clone(), Made { change, in_sync: false });
        self.keep(pair);
    }

    pub(super) fn in_sync(&mut self, id: &EffectId) {
        if let Some(made) = self.made.get_mut(id) {
            made.in_sync = true;
        }
    }

    /// The weights before the first attempt, if there was one.
    pub(super) fn before(&self, id: &EffectId) -> Option<ObservedWeights> {
        self.open.get(id).copied()
    }

    pub(super) fn attempted(&mut self, id: &EffectId, before: ObservedWeights) {
        self.open.entry(id.clone()).or_insert(before);
    }

    /// The attempt did nothing; an earlier one whose outcome is unknown still counts.
    pub(super) fn did_nothing(&mut self, id: &EffectId, earlier: Option<ObservedWeights>) {
        if earlier.is_none() {
            self.open.remove(id);
        }
    }

    pub(super) fn keep(&mut self, pair: Pair) {
        self.copy = Some((pair, Instant::now()));
    }

    /// The records as they were last read, if that was so recently.
    pub(super) fn copy(&self, within: Duration) -> Option<Pair> {
        self.copy.as_ref().filter(|(_, read)| read.elapsed() <= within).map(|(pair, _)| pair.clone())
    }

    /// The marker as we wrote it last; it is gone until the next change has succeeded.
    pub(super) const fn take_marker(&mut self) -> Option<Marker> {
        self.marker.take()
    }

    pub(super) fn keep_marker(&mut self, marker: Marker) {
        self.marker = Some(marker);
    }
}
