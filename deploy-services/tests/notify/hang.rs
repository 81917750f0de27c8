//! A notifier that hangs does not slow a rollback: in the simulated world, over real sockets.

use std::io::{self, Write};
use std::sync::Arc;

use mpac_deploy_core::decision::{Decision, DecisionKind};
use mpac_deploy_core::driver::{Driver, Notifiers, Options, Outbox, OutboxLimits, Ports};
use mpac_deploy_core::ids::RolloutId;
use mpac_deploy_core::policy::mpac;
use mpac_deploy_core::port::{Clock, Notify};
use mpac_deploy_services::notify::Lines;
use mpac_deploy_testkit::fakes::{FakeFlags, FakeNotify, FakeSchema, MemoryJournal};
use mpac_deploy_testkit::scenario;
use mpac_deploy_testkit::world::{SimClock, World, epoch};

use super::receiver::{Answer, Receiver};

/// A release of which 3 % of the requests fail at half, with this notifier; what was decided, and when.
async fn taken_back(notify: impl FnOnce(Arc<dyn Clock>) -> Arc<dyn Notify>) -> Vec<Decision> {
    let scenario = scenario::by_name("error-spike-over").unwrap();
    let clock = SimClock::new(epoch(), 1);
    let world = Arc::new(World::new(scenario.setup.clone(), 1, clock.clone()));
    let journal = Arc::new(MemoryJournal::new(Arc::new(clock.clone())));
    let ports = Ports {
        traffic: Arc::clone(&world) as _,
        fleet: Arc::clone(&world) as _,
        metrics: Arc::clone(&world) as _,
        checks: Arc::clone(&world) as _,
        probes: Arc::clone(&world) as _,
        schema: Arc::new(FakeSchema::before(&scenario.release.migrations)),
        flags: Arc::new(FakeFlags::on(&scenario.release.flags)),
        journal: Arc::clone(&journal) as _,
        notify: notify(Arc::new(clock.clone())),
        clock: Arc::new(clock),
    };
    let (id, plan) = (RolloutId::from("r1"), mpac().compile(scenario.release).unwrap());
    let (driver, _handle) = Driver::start(ports, id.clone(), plan, Options::new("test")).await.unwrap();
    driver.run().await.unwrap();
    journal.records(&id).into_iter().flat_map(|record| record.decisions).collect()
}

/// Nobody reads what is written here.
struct Stopped;

impl Write for Stopped {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        loop {
            std::thread::park();
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn queued(notify: Arc<dyn Notify>, clock: Arc<dyn Clock>) -> Arc<Outbox> {
    let outbox = Arc::new(Outbox::new(notify, clock, OutboxLimits::default()));
    let postman = Arc::clone(&outbox);
    tokio::spawn(async move { postman.deliver().await });
    outbox
}

#[tokio::test(start_paused = true)]
async fn notifiers_that_hang_do_not_slow_a_rollback() {
    let well = taken_back(|_| Arc::new(FakeNotify::default())).await;
    assert_eq!(well.last().unwrap().kind, DecisionKind::RolledBack, "{well:?}");

    let receiver = Receiver::start().await;
    receiver.answer(Answer::Nothing);
    let stopped = Arc::new(Lines::to(Stopped).unwrap());
    let both = |_| Arc::new(Notifiers::new([Arc::new(receiver.webhook()) as Arc<dyn Notify>, stopped])) as _;
    assert_eq!(taken_back(both).await, well, "straight before the driver");
    assert!(receiver.refused() > 0, "no notice reached the receiver");

    let receiver = Receiver::start().await;
    receiver.answer(Answer::Trickle);
    let behind = |clock| queued(Arc::new(receiver.webhook()), clock) as _;
    assert_eq!(taken_back(behind).await, well, "behind an outbox");
    assert!(receiver.refused() > 0, "no notice reached the receiver");
}
