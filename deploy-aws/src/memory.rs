//! What this process knows of its changes of weights.

use std::collections::BTreeMap;
use std::time::Duration;

use mpac_deploy_core::effect::ObservedWeights;
use mpac_deploy_core::ids::{EffectId, FencingToken};
use tokio::time::Instant;

/// The changes that were made, and a copy of what they were made to, as it was last seen. `M` is what is known of a change
/// that was made.
#[derive(Debug)]
pub(crate) struct Memory<M, C> {
    fence: Option<FencingToken>,
    made: BTreeMap<EffectId, (ObservedWeights, M)>,
    /// Attempts that have no outcome yet, with the weights before the first one.
    open: BTreeMap<EffectId, ObservedWeights>,
    /// What was written last.
    latest: Option<ObservedWeights>,
    copy: Option<(C, Instant)>,
}

impl<M, C> Default for Memory<M, C> {
    fn default() -> Self {
        Self { fence: None, made: BTreeMap::new(), open: BTreeMap::new(), latest: None, copy: None }
    }
}

/// What is known of an effect's change.
pub(crate) enum Standing<M> {
    Made(M),
    /// This process would know of it.
    NotMade,
    /// An earlier process may have made it.
    BeforeOurTime,
}

/// A later holder of the lease has acted already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Overtaken {
    pub(crate) fence: FencingToken,
    pub(crate) seen: FencingToken,
}

impl<M: Clone, C: Clone> Memory<M, C> {
    /// Refuses whoever was overtaken by a later holder of the lease.
    pub(crate) fn admit(&mut self, fence: FencingToken) -> Result<(), Overtaken> {
        match self.fence {
            Some(seen) if fence < seen => Err(Overtaken { fence, seen }),
            Some(_) | None => {
                self.fence = Some(fence);
                Ok(())
            }
        }
    }

    /// An id that was used for other weights says nothing: a controller that died before it could store what it did leaves its
    /// latest ids to be used again.
    pub(crate) fn was_made(&self, id: &EffectId, weights: ObservedWeights) -> bool {
        self.made.get(id).is_some_and(|(made, _)| *made == weights)
    }

    /// Effects are numbered in their order: one above our first change, if it was made, was made by us.
    pub(crate) fn standing(&self, id: &EffectId) -> Standing<M> {
        if let Some((_, made)) = self.made.get(id) {
            return Standing::Made(made.clone());
        }
        let ours = self.made.keys().any(|made| made.rollout == id.rollout && made.number < id.number);
        if ours || self.open.contains_key(id) { Standing::NotMade } else { Standing::BeforeOurTime }
    }

    pub(crate) fn made(&mut self, id: &EffectId, weights: ObservedWeights, made: M, copy: C) {
        self.open.remove(id);
        self.latest = Some(weights);
        self.made.insert(id.clone(), (weights, made));
        self.keep(copy);
    }

    /// The weights that this process has written last.
    #[cfg(feature = "route53")]
    pub(crate) const fn latest(&self) -> Option<ObservedWeights> {
        self.latest
    }

    /// What is known of a change becomes something else.
    pub(crate) fn change(&mut self, id: &EffectId, change: impl FnOnce(&mut M)) {
        if let Some((_, made)) = self.made.get_mut(id) {
            change(made);
        }
    }

    /// The weights before the first attempt, if there was one.
    pub(crate) fn before(&self, id: &EffectId) -> Option<ObservedWeights> {
        self.open.get(id).copied()
    }

    pub(crate) fn attempted(&mut self, id: &EffectId, before: ObservedWeights) {
        self.open.entry(id.clone()).or_insert(before);
    }

    /// The attempt did nothing; an earlier one whose outcome is unknown still counts.
    pub(crate) fn did_nothing(&mut self, id: &EffectId, earlier: Option<ObservedWeights>) {
        if earlier.is_none() {
            self.open.remove(id);
        }
    }

    pub(crate) fn keep(&mut self, copy: C) {
        self.copy = Some((copy, Instant::now()));
    }

    /// The copy, if it is that recent.
    pub(crate) fn copy(&self, within: Duration) -> Option<C> {
        self.copy.as_ref().filter(|(_, read)| read.elapsed() <= within).map(|(copy, _)| copy.clone())
    }
}
