//! Leases between processes, each with its own journal and its own clock.

use std::time::{Duration, Instant};

use mpac_deploy_core::port::{Journal, JournalError};
use mpac_deploy_testkit::aws_sim::{CallFault, Operation};

use crate::records::{TTL, happened, record, records, rollout};
use crate::rig::{config, rig};

async fn pass(duration: Duration) {
    tokio::time::sleep(duration).await;
}

#[tokio::test]
async fn where_another_process_died_one_call_is_enough() {
    let rig = rig().await;
    let dead = rig.journal.acquire(&record(), "first", TTL).await.unwrap();
    let began = Instant::now();
    let taken = rig.another().await.acquire(&record(), "second", TTL).await.unwrap();
    assert!(taken.fence > dead.fence);
    assert!(began.elapsed() >= TTL, "it was watched for its whole time: {:?}", began.elapsed());
}

#[tokio::test]
async fn a_lease_that_is_renewed_is_held_at_the_first_sign_of_life() {
    let rig = rig().await;
    let ttl = 6 * TTL;
    let lease = rig.journal.acquire(&record(), "first", ttl).await.unwrap();
    let other = rig.another().await;
    let renewing = async {
        for _ in 0..6 {
            pass(TTL).await;
            rig.journal.renew(&lease, ttl).await.unwrap();
        }
    };
    let name = record();
    let (held, ()) = tokio::join!(other.acquire(&name, "second", ttl), renewing);
    assert_eq!(held, Err(JournalError::Held { record: record(), by: "first".into() }));
    // From here on it is known to live, and nobody waits any more.
    let began = Instant::now();
    assert!(matches!(other.acquire(&record(), "second", ttl).await, Err(JournalError::Held { .. })));
    assert!(began.elapsed() < TTL, "{:?}", began.elapsed());
}

#[tokio::test]
async fn appending_is_a_sign_of_life() {
    let rig = rig().await;
    let lease = rig.journal.acquire(&record(), "first", TTL).await.unwrap();
    let other = rig.another_with(config().with_watch(Duration::ZERO)).await;
    let records = records(5, 10);
    for (stored, one) in (0..).zip(&records) {
        let held = other.acquire(&record(), "second", TTL).await;
        assert!(matches!(held, Err(JournalError::Held { .. })), "{held:?}");
        pass(TTL / 2).await;
        rig.journal.append(&lease, &rollout(), stored, std::slice::from_ref(one)).await.unwrap();
    }
}

#[tokio::test]
async fn without_a_watch_repeated_calls_succeed_once_its_time_is_over() {
    let rig = rig().await;
    rig.journal.acquire(&record(), "first", TTL).await.unwrap();
    let other = rig.another_with(config().with_watch(Duration::ZERO)).await;
    let held = other.acquire(&record(), "second", TTL).await;
    assert!(matches!(held, Err(JournalError::Held { .. })), "{held:?}");
    pass(TTL).await;
    assert!(other.acquire(&record(), "second", TTL).await.is_ok());
}

#[tokio::test]
async fn a_holder_that_was_stopped_for_longer_than_its_lease_stores_nothing_more() {
    let rig = rig().await;
    let records = records(4, 10);
    let first = rig.journal.acquire(&record(), "first", TTL).await.unwrap();
    rig.journal.append(&first, &rollout(), 0, &records[..2]).await.unwrap();
    let other = rig.another().await;
    let second = other.acquire(&record(), "second", TTL).await.unwrap();
    other.append(&second, &rollout(), 2, &[happened(3, "by the second")]).await.unwrap();

    assert_eq!(rig.journal.append(&first, &rollout(), 2, &records[2..]).await, Err(JournalError::LeaseLost));
    assert_eq!(rig.journal.append(&first, &rollout(), 3, &records[3..]).await, Err(JournalError::LeaseLost));
    assert_eq!(rig.journal.renew(&first, TTL).await, Err(JournalError::LeaseLost));
    assert_eq!(rig.journal.release(&first).await, Err(JournalError::LeaseLost));
    let stored = other.load(&rollout(), 0).await.unwrap();
    assert_eq!(stored, [&records[..2], &[happened(3, "by the second")]].concat());
}

/// The answer to an append comes when the lease has run out and another process has taken it: then it is no success.
#[tokio::test]
async fn an_answer_that_comes_after_the_lease_ran_out_is_no_success() {
    let rig = rig().await;
    let first = rig.journal.acquire(&record(), "first", TTL).await.unwrap();
    let other = rig.another().await;
    rig.aws.script(Operation::UpdateItem, [CallFault::Pass, CallFault::Pass, CallFault::Delay(3 * TTL)]);
    let records = records(1, 10);
    let rollout = rollout();
    let appending = rig.journal.append(&first, &rollout, 0, &records);
    let (late, taken) = tokio::join!(appending, async {
        // The append has come in, its answer is on its way.
        pass(TTL / 4).await;
        other.acquire(&record(), "second", TTL).await
    });
    assert!(taken.is_ok(), "{taken:?}");
    assert_eq!(late, Err(JournalError::LeaseLost));
    // It did come in in time, and stays.
    assert_eq!(other.load(&rollout, 0).await, Ok(records));
}

#[tokio::test]
async fn a_late_answer_counts_if_nobody_has_taken_the_lease() {
    let rig = rig().await;
    let first = rig.journal.acquire(&record(), "first", TTL).await.unwrap();
    rig.aws.script(Operation::UpdateItem, [CallFault::Pass, CallFault::Pass, CallFault::Delay(2 * TTL)]);
    let records = records(1, 10);
    assert_eq!(rig.journal.append(&first, &rollout(), 0, &records).await, Ok(()));
    assert_eq!(rig.journal.load(&rollout(), 0).await, Ok(records));
}

#[tokio::test]
async fn of_many_who_want_a_lease_one_gets_it() {
    let rig = rig().await;
    rig.journal.acquire(&record(), "dead", TTL).await.unwrap();
    let mut wanting = tokio::task::JoinSet::new();
    for number in 0..8 {
        let journal = rig.another().await;
        wanting
            .spawn(async move { journal.acquire(&record(), &format!("process {number}"), 20 * TTL).await });
    }
    let mut got = 0;
    let deadline = tokio::time::sleep(4 * TTL);
    tokio::pin!(deadline);
    loop {
        tokio::select! {
            Some(result) = wanting.join_next() => got += u32::from(result.unwrap().is_ok()),
            () = &mut deadline => break,
        }
    }
    assert_eq!(got, 1);
}

#[tokio::test]
async fn giving_up_is_done_once_even_if_its_answer_is_lost() {
    let rig = rig().await;
    let lease = rig.journal.acquire(&record(), "first", TTL).await.unwrap();
    rig.aws.script(Operation::UpdateItem, [CallFault::CutAfter]);
    assert_eq!(rig.journal.release(&lease).await, Ok(()));
    assert_eq!(rig.journal.release(&lease).await, Err(JournalError::LeaseLost));
    assert!(rig.another().await.acquire(&record(), "second", TTL).await.is_ok());
}

#[tokio::test]
async fn a_lease_whose_answer_was_lost_is_taken_with_the_next_token() {
    let rig = rig().await;
    rig.aws.script(Operation::UpdateItem, [CallFault::CutAfter]);
    let lease = rig.journal.acquire(&record(), "first", TTL).await.unwrap();
    assert_eq!(lease.fence.0, 2);
    assert_eq!(rig.journal.renew(&lease, TTL).await, Ok(()));
}
