//! Snapshots: a cache beside the records.

use mpac_deploy_core::ids::RolloutId;
use mpac_deploy_core::journal::Snapshot;
use mpac_deploy_core::port::{JournalError, Lease};

use super::DynamoJournal;
use super::change::Change;
use super::item::{n, name, number, s, text};
use super::keys::Key;
use super::patience::patiently;

/// How large a snapshot may be, in bytes: well below the 400 KB of an item. One of a healthy rollout has a twentieth of it.
const LARGEST: usize = 360 * 1024;

impl DynamoJournal {
    /// The lease is looked at first, and not in the same write: a snapshot of records that were stored is right for all time, whoever
    /// keeps it, and one of fewer takes the place of none.
    pub(super) async fn keep_snapshot(
        &self,
        lease: &Lease,
        rollout: &RolloutId,
        snapshot: &Snapshot,
    ) -> Result<(), JournalError> {
        self.head(&lease.record).await?.ok_or(JournalError::LeaseLost)?.check_held_by(lease)?;
        if snapshot.state.len() > LARGEST {
            tracing::debug!(%rollout, bytes = snapshot.state.len(), "a snapshot is too large to be kept");
            return Ok(());
        }
        let key = Key::snapshot(rollout);
        let change = || {
            Change::new()
                .set(name::COUNT, n(snapshot.records))
                .set(name::FORMAT, s(&snapshot.format))
                .set(name::STATE, s(&snapshot.state))
                .only_if_new_or_at_most(name::COUNT, n(snapshot.records))
        };
        patiently(|| self.calls.write(&key, change())).await.map(drop)
    }

    pub(super) async fn latest_snapshot(
        &self,
        rollout: &RolloutId,
    ) -> Result<Option<Snapshot>, JournalError> {
        let key = Key::snapshot(rollout);
        let Some(item) = patiently(|| self.calls.get(&key)).await? else { return Ok(None) };
        Ok(Some(Snapshot {
            records: number(&item, name::COUNT)?,
            format: text(&item, name::FORMAT)?,
            state: text(&item, name::STATE)?,
        }))
    }
}
