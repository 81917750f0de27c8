//! The journal behind the rules.

use std::time::Duration;

use async_trait::async_trait;
use mpac_deploy_core::ids::{RecordName, RolloutId};
use mpac_deploy_core::journal::{Record, Snapshot};
use mpac_deploy_core::port::{Journal, JournalError, Lease};

use super::{Call, Faulty, of_journal};

#[async_trait]
impl Journal for Faulty<dyn Journal> {
    async fn acquire(&self, record: &RecordName, holder: &str, ttl: Duration) -> Result<Lease, JournalError> {
        let acquire = self.port.acquire(record, holder, ttl);
        self.faults.make(Call::JournalAcquire, acquire, |error| Err(of_journal(error))).await
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<(), JournalError> {
        let renew = self.port.renew(lease, ttl);
        self.faults.make(Call::JournalRenew, renew, |error| Err(of_journal(error))).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), JournalError> {
        let release = self.port.release(lease);
        self.faults.make(Call::JournalRelease, release, |error| Err(of_journal(error))).await
    }

    async fn append(
        &self,
        lease: &Lease,
        rollout: &RolloutId,
        expected: u64,
        records: &[Record],
    ) -> Result<(), JournalError> {
        let append = self.port.append(lease, rollout, expected, records);
        self.faults.make(Call::JournalAppend, append, |error| Err(of_journal(error))).await
    }

    async fn load(&self, rollout: &RolloutId, after: u64) -> Result<Vec<Record>, JournalError> {
        let load = self.port.load(rollout, after);
        self.faults.make(Call::JournalLoad, load, |error| Err(of_journal(error))).await
    }

    async fn keep(
        &self,
        lease: &Lease,
        rollout: &RolloutId,
        snapshot: &Snapshot,
    ) -> Result<(), JournalError> {
        let keep = self.port.keep(lease, rollout, snapshot);
        self.faults.make(Call::JournalKeep, keep, |error| Err(of_journal(error))).await
    }

    async fn snapshot(&self, rollout: &RolloutId) -> Result<Option<Snapshot>, JournalError> {
        let snapshot = self.port.snapshot(rollout);
        self.faults.make(Call::JournalSnapshot, snapshot, |error| Err(of_journal(error))).await
    }

    async fn list(&self) -> Result<Vec<RolloutId>, JournalError> {
        self.faults.make(Call::JournalList, self.port.list(), |error| Err(of_journal(error))).await
    }
}
