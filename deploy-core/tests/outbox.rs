//! The queue before a notifier, under tokio's paused clock.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]
#![allow(clippy::disallowed_methods, reason = "tokio's paused clock is the world's clock here")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use mpac_deploy_core::decision::{Decision, DecisionKind};
use mpac_deploy_core::driver::{Notifiers, Outbox, OutboxLimits};
use mpac_deploy_core::ids::RolloutId;
use mpac_deploy_core::port::{Clock, Notify, PortError};
use mpac_deploy_core::time::Timestamp;
use tokio::time::Instant;

struct TestClock(Instant);

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(1_769_590_800).after(self.0.elapsed())
    }

    async fn sleep_until(&self, time: Timestamp) {
        tokio::time::sleep(time.since(self.now())).await;
    }
}

/// What the receiver does with the next notices; after that it takes them.
#[derive(Clone, Copy)]
enum Does {
    Hang,
    Fail,
    Refuse,
}

/// Writes down when it was asked and what it took.
#[derive(Default)]
struct Receiver {
    does: Mutex<Vec<Does>>,
    asked: Mutex<Vec<Instant>>,
    told: Mutex<Vec<String>>,
}

#[async_trait]
impl Notify for Receiver {
    async fn notify(&self, _: &RolloutId, decision: &Decision) -> Result<(), PortError> {
        self.asked.lock().unwrap().push(Instant::now());
        let does = self.does.lock().unwrap().pop();
        match does {
            Some(Does::Hang) => std::future::pending().await,
            Some(Does::Fail) => Err(PortError::Unavailable("503".into())),
            Some(Does::Refuse) => Err(PortError::Refused("403".into())),
            None => {
                self.told.lock().unwrap().push(decision.reason.clone());
                Ok(())
            }
        }
    }
}

fn receiver(does: &[Does]) -> Arc<Receiver> {
    let does = does.iter().rev().copied().collect();
    Arc::new(Receiver { does: Mutex::new(does), ..Receiver::default() })
}

fn outbox(receiver: &Arc<Receiver>, waiting: usize) -> Arc<Outbox> {
    let clock = Arc::new(TestClock(Instant::now()));
    let limits = OutboxLimits { waiting, ..OutboxLimits::default() };
    Arc::new(Outbox::new(Arc::clone(receiver) as _, clock, limits))
}

fn deliver(outbox: &Arc<Outbox>) {
    let postman = Arc::clone(outbox);
    tokio::spawn(async move { postman.deliver().await });
}

async fn put(outbox: &Outbox, kind: DecisionKind, reason: &str) -> Result<(), PortError> {
    let decision = Decision::plain(kind, None, Timestamp::from_secs(0), reason);
    outbox.notify(&RolloutId::from("r1"), &decision).await
}

const LONG: Duration = Duration::from_secs(3600);

#[tokio::test(start_paused = true)]
async fn notices_are_told_in_their_order_after_hangs_and_failures() {
    let receiver = receiver(&[Does::Hang, Does::Fail, Does::Fail]);
    let outbox = outbox(&receiver, 8);
    deliver(&outbox);
    let began = Instant::now();
    for reason in ["one", "two", "three"] {
        put(&outbox, DecisionKind::Alert, reason).await.unwrap();
    }
    assert_eq!(began.elapsed(), Duration::ZERO, "whoever notifies does not wait");
    assert_eq!(outbox.finish(LONG).await, 0);
    assert_eq!(*receiver.told.lock().unwrap(), ["one", "two", "three"]);
    assert_eq!(outbox.dropped(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_wait_between_attempts_doubles_up_to_a_limit_and_is_not_the_same_for_all() {
    let receiver = receiver(&[Does::Fail; 8]);
    let outbox = outbox(&receiver, 8);
    deliver(&outbox);
    put(&outbox, DecisionKind::Alert, "never told").await.unwrap();
    assert_eq!(outbox.finish(LONG).await, 0);
    let asked = receiver.asked.lock().unwrap().clone();
    let waits: Vec<f64> = asked.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64()).collect();
    assert_eq!(waits.len(), 7, "eight attempts");
    for (wait, whole) in waits.iter().zip([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0]) {
        assert!((whole / 2.0..=whole + 0.01).contains(wait), "{waits:?}");
    }
    let parts = waits.iter().zip([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0]).map(|(wait, whole)| wait / whole);
    let parts: Vec<i64> = parts.map(|part| format!("{:.0}", part * 1000.0).parse().unwrap()).collect();
    assert!(parts.iter().any(|part| part.abs_diff(parts[0]) > 10), "jitter: {parts:?}");
    assert_eq!((outbox.dropped(), receiver.told.lock().unwrap().len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_is_not_tried_again_and_the_next_is_told() {
    let receiver = receiver(&[Does::Refuse]);
    let outbox = outbox(&receiver, 8);
    deliver(&outbox);
    put(&outbox, DecisionKind::Alert, "refused").await.unwrap();
    put(&outbox, DecisionKind::Alert, "told").await.unwrap();
    assert_eq!(outbox.finish(LONG).await, 0);
    assert_eq!(*receiver.told.lock().unwrap(), ["told"]);
    assert_eq!(outbox.dropped(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_drops_the_oldest_of_the_least_urgent() {
    let receiver = receiver(&[]);
    let outbox = outbox(&receiver, 3);
    put(&outbox, DecisionKind::Alert, "alert").await.unwrap();
    put(&outbox, DecisionKind::Bake, "bake").await.unwrap();
    put(&outbox, DecisionKind::InSync, "in sync").await.unwrap();
    put(&outbox, DecisionKind::Rollback, "rollback").await.unwrap();
    put(&outbox, DecisionKind::Pause, "pause").await.unwrap();
    let refused = put(&outbox, DecisionKind::RolledBack, "rolled back").await;
    assert!(
        matches!(refused, Err(PortError::Unavailable(_))),
        "the new one is the least urgent: {refused:?}"
    );
    assert_eq!(outbox.dropped(), 3);
    deliver(&outbox);
    assert_eq!(outbox.finish(LONG).await, 0);
    assert_eq!(*receiver.told.lock().unwrap(), ["alert", "rollback", "pause"]);
}

#[tokio::test(start_paused = true)]
async fn whoever_ends_waits_for_a_limited_time_and_hears_what_is_left() {
    let receiver = receiver(&[Does::Hang; 8]);
    let outbox = outbox(&receiver, 8);
    deliver(&outbox);
    put(&outbox, DecisionKind::Alert, "one").await.unwrap();
    put(&outbox, DecisionKind::Alert, "two").await.unwrap();
    let began = Instant::now();
    assert_eq!(outbox.finish(Duration::from_secs(5)).await, 2);
    assert!(began.elapsed() < Duration::from_millis(5100), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn each_of_several_is_told_whatever_becomes_of_the_others() {
    let (broken, well) = (receiver(&[Does::Refuse]), receiver(&[]));
    let both = Notifiers::new([Arc::clone(&broken) as Arc<dyn Notify>, Arc::clone(&well) as _]);
    let decision = Decision::plain(DecisionKind::Hold, None, Timestamp::from_secs(0), "held");
    let told = both.notify(&RolloutId::from("r1"), &decision).await;
    assert_eq!(told, Err(PortError::Refused("403".into())));
    assert_eq!(*well.told.lock().unwrap(), ["held"]);
}
