//! The suite of the clock port.

use std::future::Future;
use std::time::Duration;

use async_trait::async_trait;
use mpac_deploy_core::port::Clock;
use mpac_deploy_core::time::Timestamp;

use super::{Checked, Report, ensure};

/// A clock that does not jump.
#[async_trait]
pub trait ClockFixture: Send + Sync {
    /// The adapter.
    fn clock(&self) -> &dyn Clock;

    /// Lets time pass: virtual time, or real time.
    async fn pass(&self, duration: Duration);
}

/// How long the cases wait; short enough for a real clock.
const WHILE: Duration = Duration::from_millis(50);

/// Holds a clock to its contract.
pub async fn clock<F, Fixture, Made>(factory: F) -> Report
where
    F: Fn() -> Made,
    Made: Future<Output = Fixture>,
    Fixture: ClockFixture,
{
    let mut report = Report::new("clock");
    report.add("time goes on as it passes", goes_on(&factory().await).await);
    report.add("a sleep ends when its time has come, and not before", wakes(&factory().await).await);
    report.add("a sleep until a time that is over ends at once", wakes_at_once(&factory().await).await);
    report.add("sleepers wake in the order of their times", wakes_in_order(&factory().await).await);
    report
}

async fn goes_on(fixture: &dyn ClockFixture) -> Checked {
    let before = fixture.clock().now();
    fixture.pass(WHILE).await;
    let passed = fixture.clock().now().since(before);
    ensure(passed >= WHILE, || format!("{passed:?} have passed instead of {WHILE:?}"))
}

async fn sleep(fixture: &dyn ClockFixture, time: Timestamp) -> Timestamp {
    fixture.clock().sleep_until(time).await;
    fixture.clock().now()
}

async fn wakes(fixture: &dyn ClockFixture) -> Checked {
    let until = fixture.clock().now().after(WHILE);
    let (woken, ()) = tokio::join!(sleep(fixture, until), fixture.pass(2 * WHILE));
    ensure(woken >= until, || format!("it woke at {woken}, before {until}"))
}

async fn wakes_at_once(fixture: &dyn ClockFixture) -> Checked {
    let now = fixture.clock().now();
    let times = [now, Timestamp::MIN, Timestamp::from_millis(now.as_millis() - 1)];
    for time in times {
        tokio::select! {
            biased;
            () = fixture.clock().sleep_until(time) => {}
            () = fixture.pass(WHILE) => return Err(format!("it sleeps until {time}, which is over")),
        }
    }
    Ok(())
}

async fn wakes_in_order(fixture: &dyn ClockFixture) -> Checked {
    let now = fixture.clock().now();
    let (late, early) = (now.after(2 * WHILE), now.after(WHILE));
    let race = async {
        tokio::select! {
            biased;
            () = fixture.clock().sleep_until(late) => false,
            () = fixture.clock().sleep_until(early) => true,
        }
    };
    let let_pass = async {
        fixture.pass(WHILE).await;
        // Whoever sleeps is looked at before more time passes, in whatever order the two are polled.
        for _ in 0..4 {
            tokio::task::yield_now().await;
        }
        fixture.pass(2 * WHILE).await;
    };
    let (early_first, ()) = tokio::join!(race, let_pass);
    ensure(early_first, || "the one who sleeps longer woke first".into())
}
