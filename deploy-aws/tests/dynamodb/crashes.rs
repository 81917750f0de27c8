//! A process dies at every write that it makes, before or after its effect; another one goes on.

use mpac_deploy_aws::DynamoJournal;
use mpac_deploy_core::ids::{FencingToken, RolloutId};
use mpac_deploy_core::journal::Record;
use mpac_deploy_core::port::{Journal, JournalError, Lease};
use mpac_deploy_testkit::aws_sim::{AwsSim, CallFault, Operation, Settings};

use crate::records::{TTL, happened, record, records, rollout};
use crate::rig::{TABLE, config, sdk_at};

/// What a process does until it dies: a rollout with several batches, another rollout, and back. It gives how many records of each
/// were taken.
async fn work(journal: &DynamoJournal, ours: &[Record], theirs: &[Record]) -> (usize, usize) {
    let other = RolloutId::from("another");
    let mut taken = (0, 0);
    let Ok(lease) = journal.acquire(&record(), "dies", TTL * 10).await else { return taken };
    for chunk in ours[..8].chunks(2) {
        if append(journal, &lease, &rollout(), taken.0, chunk).await.is_err() {
            return taken;
        }
        taken.0 += chunk.len();
    }
    if append(journal, &lease, &other, 0, theirs).await.is_err() {
        return taken;
    }
    taken.1 = theirs.len();
    if append(journal, &lease, &rollout(), taken.0, &ours[8..]).await.is_ok() {
        taken.0 = ours.len();
        drop(journal.release(&lease).await);
    }
    taken
}

async fn append(
    journal: &DynamoJournal,
    lease: &Lease,
    rollout: &RolloutId,
    expected: usize,
    records: &[Record],
) -> Result<(), JournalError> {
    journal.append(lease, rollout, expected as u64, records).await
}

/// Whether the process died.
async fn dies_at(write: usize, fault: CallFault) -> bool {
    let aws = AwsSim::start(Settings::default()).await.unwrap();
    aws.add_table(TABLE);
    let sdk = sdk_at(&aws.endpoint_url()).await;
    let (ours, theirs) = (records(10, 1500), records(3, 10));

    aws.script(Operation::UpdateItem, vec![CallFault::Pass; write]);
    aws.script(Operation::UpdateItem, [fault.clone()]);
    aws.script(Operation::UpdateItem, vec![CallFault::CutBefore; 100]);
    let first = DynamoJournal::new(&sdk, config());
    let taken = work(&first, &ours, &theirs).await;
    let died = aws.calls().iter().any(|call| call.status.is_none());
    aws.clear_faults();

    let what = format!("it died at write {write} by {fault:?}");
    let second = DynamoJournal::new(&sdk, config());
    let lease = second.acquire(&record(), "dies", TTL).await.unwrap();
    for (rollout, written, taken) in
        [(rollout(), &ours, taken.0), (RolloutId::from("another"), &theirs, taken.1)]
    {
        let found = second.load(&rollout, 0).await.unwrap();
        assert!(found.len() >= taken, "{what}: {} of {taken} are there", found.len());
        assert_eq!(found, written[..found.len()], "{what}");
        assert_eq!(second.list().await.unwrap().contains(&rollout), !found.is_empty(), "{what}");
        if !found.is_empty() {
            let next = happened(found.len() as u64 + 1, "by the second");
            let expected = found.len() as u64;
            second.append(&lease, &rollout, expected, std::slice::from_ref(&next)).await.unwrap();
            assert_eq!(second.load(&rollout, 0).await.unwrap(), [found, vec![next]].concat(), "{what}");
        }
    }
    if lease.fence > FencingToken(1) {
        let former = Lease { fence: FencingToken(1), ..lease };
        assert_eq!(first.renew(&former, TTL).await, Err(JournalError::LeaseLost), "{what}");
    }
    died
}

#[tokio::test]
async fn nothing_that_was_taken_is_lost_wherever_a_process_dies() {
    for fault in [CallFault::CutBefore, CallFault::CutAfter] {
        let mut write = 0;
        while dies_at(write, fault.clone()).await {
            write += 1;
        }
        assert!(write >= 14, "the process makes {write} writes");
    }
}
