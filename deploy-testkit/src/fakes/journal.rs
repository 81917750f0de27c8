//! A journal in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use mpac_deploy_core::ids::{FencingToken, RecordName, RolloutId};
use mpac_deploy_core::journal::{Entry, Record, Snapshot};
use mpac_deploy_core::port::{Clock, History, Journal, JournalError, Lease, RolloutSummary};
use mpac_deploy_core::time::Timestamp;

use super::lock::Lock;

/// A journal in memory that keeps the whole contract, with leases by a clock.
///
/// A lease that ran out is still its holder's while nobody else has taken it: it is the fencing token that tells.
pub struct MemoryJournal {
    clock: Arc<dyn Clock>,
    state: Lock<State>,
}

#[derive(Default)]
struct State {
    rollouts: BTreeMap<RolloutId, Vec<Record>>,
    snapshots: BTreeMap<RolloutId, Snapshot>,
    leases: BTreeMap<RecordName, Held>,
    unavailable: Option<String>,
}

/// The latest lease on a record name.
struct Held {
    fence: FencingToken,
    /// `None` once it was given up.
    holder: Option<String>,
    until: Timestamp,
}

impl MemoryJournal {
    /// An empty journal.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Lock::default() }
    }

    /// Makes every call fail as unavailable, with this reason; `None` ends that.
    pub fn set_unavailable(&self, why: Option<&str>) {
        self.state.get().unavailable = why.map(Into::into);
    }

    /// The records of a rollout, whether the journal is available or not.
    #[must_use]
    pub fn records(&self, rollout: &RolloutId) -> Vec<Record> {
        self.state.get().rollouts.get(rollout).cloned().unwrap_or_default()
    }

    /// The records of a rollout without the first `skipped` of them.
    #[must_use]
    pub fn records_from(&self, rollout: &RolloutId, skipped: usize) -> Vec<Record> {
        let state = self.state.get();
        let records = state.rollouts.get(rollout).and_then(|records| records.get(skipped..));
        records.map(<[Record]>::to_vec).unwrap_or_default()
    }

    /// How many records there are of a rollout.
    #[must_use]
    pub fn count(&self, rollout: &RolloutId) -> u64 {
        self.state.get().rollouts.get(rollout).map_or(0, |records| records.len() as u64)
    }

    fn available(&self) -> Result<MutexGuard<'_, State>, JournalError> {
        let state = self.state.get();
        match &state.unavailable {
            Some(why) => Err(JournalError::Unavailable(why.clone())),
            None => Ok(state),
        }
    }
}

impl State {
    fn held_by(&mut self, lease: &Lease) -> Result<&mut Held, JournalError> {
        match self.leases.get_mut(&lease.record) {
            Some(held) if held.fence == lease.fence && held.holder.as_ref() == Some(&lease.holder) => {
                Ok(held)
            }
            Some(_) | None => Err(JournalError::LeaseLost),
        }
    }
}

#[async_trait]
impl History for MemoryJournal {
    async fn rollouts(&self) -> Result<Vec<RolloutSummary>, JournalError> {
        let state = self.available()?;
        let mut summaries: Vec<RolloutSummary> =
            state.rollouts.values().filter_map(|of| summary(of)).collect();
        summaries.sort_by_key(|summary| summary.begun);
        Ok(summaries)
    }
}

fn summary(records: &[Record]) -> Option<RolloutSummary> {
    let (first, latest) = (records.first()?, records.last()?);
    let Entry::Begun { id, release, .. } = &first.entry else { return None };
    Some(RolloutSummary {
        id: id.clone(),
        release: release.as_ref().clone(),
        begun: first.at,
        latest: latest.at,
        records: records.len() as u64,
    })
}

#[async_trait]
impl Journal for MemoryJournal {
    async fn acquire(&self, record: &RecordName, holder: &str, ttl: Duration) -> Result<Lease, JournalError> {
        let now = self.clock.now();
        let mut state = self.available()?;
        let latest = state.leases.get(record);
        if let Some(Held { holder: Some(by), until, .. }) = latest
            && by != holder
            && now < *until
        {
            return Err(JournalError::Held { record: record.clone(), by: by.clone() });
        }
        let fence = FencingToken(latest.map_or(1, |held| held.fence.0 + 1));
        let held = Held { fence, holder: Some(holder.into()), until: now.after(ttl) };
        state.leases.insert(record.clone(), held);
        Ok(Lease { record: record.clone(), holder: holder.into(), fence })
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<(), JournalError> {
        let until = self.clock.now().after(ttl);
        self.available()?.held_by(lease)?.until = until;
        Ok(())
    }

    async fn release(&self, lease: &Lease) -> Result<(), JournalError> {
        self.available()?.held_by(lease)?.holder = None;
        Ok(())
    }

    async fn append(
        &self,
        lease: &Lease,
        rollout: &RolloutId,
        expected: u64,
        records: &[Record],
    ) -> Result<(), JournalError> {
        let mut state = self.available()?;
        state.held_by(lease)?;
        let stored = state.rollouts.get(rollout).map_or(&[][..], Vec::as_slice);
        let found = stored.len() as u64;
        // What is stored beyond `expected` must be what was to be appended: then an answer was lost, and the rest follows.
        let beyond = usize::try_from(expected).ok().and_then(|expected| stored.get(expected..));
        let rest = beyond.and_then(|beyond| records.strip_prefix(beyond));
        let Some(rest) = rest.map(<[Record]>::to_vec) else {
            return Err(JournalError::Conflict { expected, found });
        };
        if !rest.is_empty() {
            state.rollouts.entry(rollout.clone()).or_default().extend(rest);
        }
        Ok(())
    }

    async fn load(&self, rollout: &RolloutId, after: u64) -> Result<Vec<Record>, JournalError> {
        let state = self.available()?;
        let records = state.rollouts.get(rollout).map_or(&[][..], Vec::as_slice);
        let rest = usize::try_from(after).ok().and_then(|after| records.get(after..));
        Ok(rest.map(<[Record]>::to_vec).unwrap_or_default())
    }

    async fn keep(
        &self,
        lease: &Lease,
        rollout: &RolloutId,
        snapshot: &Snapshot,
    ) -> Result<(), JournalError> {
        let mut state = self.available()?;
        state.held_by(lease)?;
        let kept = state.snapshots.entry(rollout.clone()).or_insert_with(|| snapshot.clone());
        if kept.records <= snapshot.records {
            *kept = snapshot.clone();
        }
        Ok(())
    }

    async fn snapshot(&self, rollout: &RolloutId) -> Result<Option<Snapshot>, JournalError> {
        Ok(self.available()?.snapshots.get(rollout).cloned())
    }

    async fn list(&self) -> Result<Vec<RolloutId>, JournalError> {
        Ok(self.available()?.rollouts.keys().cloned().collect())
    }
}
