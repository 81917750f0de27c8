//! A rollout from its journal: to go on with it, or only to look at it.

use crate::ids::RolloutId;
use crate::journal::{Snapshot, replay, replay_from};
use crate::machine::Rollout;
use crate::port::Journal;

use super::DriverError;

/// A rollout as its journal has it.
#[derive(Clone, Debug)]
pub struct Recalled {
    /// The state.
    pub rollout: Rollout,
    /// After how many records.
    pub records: u64,
    /// How many of them the latest snapshot stood for; 0 without one.
    pub(super) snapshot: u64,
}

/// The state of a rollout: its latest snapshot and the records after it, or all its records if there is none that this build can use. So
/// the work is bounded, however long the rollout has run.
///
/// # Errors
/// [`DriverError`] when the journal cannot be read or replayed.
pub async fn recall(journal: &dyn Journal, id: &RolloutId) -> Result<Recalled, DriverError> {
    let usable = |snapshot: Snapshot| Some((snapshot.records, snapshot.restore()?));
    if let Some((records, rollout)) = journal.snapshot(id).await?.and_then(usable) {
        let tail = journal.load(id, records).await?;
        // If it does not fit the records, they are right.
        if let Ok(rollout) = replay_from(rollout, records, &tail) {
            return Ok(Recalled { rollout, records: records + tail.len() as u64, snapshot: records });
        }
        tracing::warn!(rollout = %id, records, "snapshot not used");
    }
    let all = journal.load(id, 0).await?;
    Ok(Recalled { rollout: replay(&all)?, records: all.len() as u64, snapshot: 0 })
}

impl Recalled {
    /// The same with what was recorded since: how another process watches a rollout.
    ///
    /// # Errors
    /// As [`recall`].
    pub async fn catch_up(self, journal: &dyn Journal) -> Result<Self, DriverError> {
        let tail = journal.load(self.rollout.id(), self.records).await?;
        let rollout = replay_from(self.rollout, self.records, &tail)?;
        Ok(Self { rollout, records: self.records + tail.len() as u64, snapshot: self.snapshot })
    }
}
