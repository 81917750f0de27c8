use alloc::boxed::Box;
use alloc::vec::Vec;

use async_trait::async_trait;

use super::journal::{Journal, JournalError};
use crate::ids::RolloutId;
use crate::plan::Release;
use crate::time::Timestamp;

/// A rollout in a few words, for a list of many.
#[derive(Clone, Debug, PartialEq)]
pub struct RolloutSummary {
    /// Its id.
    pub id: RolloutId,
    /// What it is of: the service, the record name, the revisions.
    pub release: Release,
    /// When it began.
    pub begun: Timestamp,
    /// When the latest thing happened to it.
    pub latest: Timestamp,
    /// How many records the journal holds of it.
    pub records: u64,
}

/// What a journal can tell a person who looks at many rollouts; no rollout needs it.
///
/// Contract: `rollouts` gives each rollout that has a record, once, the oldest first, without reading all records of any.
#[async_trait]
pub trait History: Journal {
    /// Every rollout in a few words.
    ///
    /// # Errors
    /// As [`Journal::load`].
    async fn rollouts(&self) -> Result<Vec<RolloutSummary>, JournalError>;
}
