//! Commands from another process, by way of the inbox, while a driver runs in the simulated world.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

use std::sync::Arc;
use std::time::Duration;

use mpac_deploy_core::decision::DecisionKind;
use mpac_deploy_core::driver::{Driver, DriverHandle, Options, Ports, attend};
use mpac_deploy_core::ids::{CommandId, RolloutId};
use mpac_deploy_core::journal::rollout_id;
use mpac_deploy_core::machine::{ApprovalGate, Cause, Command, CommandKind, Outcome, Phase};
use mpac_deploy_core::policy::{Approval, IssueKind, Policy, mpac};
use mpac_deploy_core::port::{Clock, Inbox, NoFlags, NoSchema, Reply};
use mpac_deploy_testkit::fakes::{FakeNotify, MemoryInbox, MemoryJournal};
use mpac_deploy_testkit::scenario;
use mpac_deploy_testkit::world::{Setup, SimClock, World, epoch};

struct Setting {
    id: RolloutId,
    ports: Ports,
    inbox: Arc<MemoryInbox>,
    journal: Arc<MemoryJournal>,
    told: Arc<FakeNotify>,
    clock: SimClock,
}

impl Setting {
    fn new() -> Self {
        let clock = SimClock::new(epoch(), 1);
        let world = Arc::new(World::new(Setup::default(), 1, clock.clone()));
        let journal = Arc::new(MemoryJournal::new(Arc::new(clock.clone())));
        let told = Arc::new(FakeNotify::default());
        let ports = Ports {
            traffic: Arc::clone(&world) as _,
            fleet: Arc::clone(&world) as _,
            metrics: Arc::clone(&world) as _,
            checks: Arc::clone(&world) as _,
            probes: world,
            schema: Arc::new(NoSchema),
            flags: Arc::new(NoFlags),
            journal: Arc::clone(&journal) as _,
            notify: Arc::clone(&told) as _,
            clock: Arc::new(clock.clone()),
        };
        let id = rollout_id(&scenario::release(), epoch());
        Self { id, ports, inbox: Arc::default(), journal, told, clock }
    }

    async fn start(&self) -> (Driver, DriverHandle) {
        self.start_by(&mpac()).await
    }

    async fn start_by(&self, policy: &Policy) -> (Driver, DriverHandle) {
        let plan = policy.compile(scenario::release()).unwrap();
        Driver::start(self.ports.clone(), self.id.clone(), plan, Options::new("test")).await.unwrap()
    }

    fn attend(&self, handle: &DriverHandle) -> tokio::task::JoinHandle<()> {
        let inbox = Arc::clone(&self.inbox) as Arc<dyn Inbox>;
        tokio::spawn(attend(handle.clone(), inbox, Arc::new(self.clock.clone())))
    }

    async fn post(&self, id: &str, kind: CommandKind) {
        let command = Command { kind, by: "ada".into(), why: "customers complain".into() };
        self.inbox.post(&self.id, &CommandId::from(id), &command).await.unwrap();
    }

    async fn reply_to(&self, id: &str) -> Option<Reply> {
        self.inbox.reply_to(&self.id, &CommandId::from(id)).await.unwrap()
    }
}

const ABORT: CommandKind = CommandKind::Abort { issue: IssueKind::HighErrorRate, force: false };

async fn until_baking(handle: &mut DriverHandle, stage: usize) {
    while !matches!(handle.status().phase(), Phase::Baking(baking) if baking.stage == stage) {
        assert!(handle.changed().await);
    }
}

#[tokio::test(start_paused = true)]
async fn an_abort_from_another_process_takes_the_rollout_back() {
    let setting = Setting::new();
    let (driver, mut handle) = setting.start().await;
    let (attending, running) = (setting.attend(&handle), tokio::spawn(driver.run()));
    until_baking(&mut handle, 0).await;
    setting.post("c1", ABORT).await;
    let rollout = running.await.unwrap().unwrap();
    let by_ada = matches!(rollout.outcome(), Some(Outcome::RolledBack { cause: Cause::Person { by, .. } }) if by == "ada");
    assert!(by_ada, "{:?}", rollout.outcome());
    attending.await.unwrap();
    assert_eq!(setting.reply_to("c1").await, Some(Reply::Obeyed));
}

#[tokio::test(start_paused = true)]
async fn a_command_that_comes_too_late_is_told_so() {
    let setting = Setting::new();
    let (driver, mut handle) = setting.start().await;
    let (attending, running) = (setting.attend(&handle), tokio::spawn(driver.run()));
    until_baking(&mut handle, 0).await;
    setting.post("c1", ABORT).await;
    setting.post("c2", CommandKind::Pause).await;
    running.await.unwrap().unwrap();
    attending.await.unwrap();
    let reply = setting.reply_to("c2").await;
    assert!(matches!(&reply, Some(Reply::Rejected { why }) if why.starts_with("too late")), "{reply:?}");
}

#[tokio::test(start_paused = true)]
async fn a_promotion_whose_reply_was_lost_is_not_made_again_by_the_next_driver() {
    let setting = Setting::new();
    let (driver, mut handle) = setting.start().await;
    let running = tokio::spawn(driver.run());
    until_baking(&mut handle, 0).await;
    setting.post("c1", CommandKind::Promote { force: true }).await;
    let (id, command) = setting.inbox.waiting(&setting.id).await.unwrap().remove(0);
    handle.posted(id, command).await.unwrap();
    until_baking(&mut handle, 1).await;
    // The process dies before it has replied; the next one finds the command in the inbox.
    running.abort();
    drop(running.await);
    let (driver, mut handle) =
        Driver::resume(setting.ports.clone(), setting.id.clone(), Options::new("test")).await.unwrap();
    let (_attending, _running) = (setting.attend(&handle), tokio::spawn(driver.run()));
    until_baking(&mut handle, 1).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(setting.reply_to("c1").await, Some(Reply::Obeyed));
    assert_eq!(handle.status().stage(), Some(1));
    let began = setting.clock.now();
    until_baking(&mut handle, 2).await;
    assert!(
        setting.clock.now().since(began) > Duration::from_secs(20 * 60),
        "the bake of `half` was skipped"
    );
}

/// People are told once; whoever answers while no driver lives is heard by the next one.
#[tokio::test(start_paused = true)]
async fn a_step_that_waits_is_told_to_people_and_its_approval_outlives_the_driver() {
    let setting = Setting::new();
    let mut policy = mpac();
    policy.stages[1].approval = Approval::Required;
    let (driver, mut handle) = setting.start_by(&policy).await;
    let running = tokio::spawn(driver.run());
    let gate = ApprovalGate::Stage(1);
    while handle.status().awaited_approval() != Some(gate) {
        assert!(handle.changed().await);
    }
    tokio::time::sleep(Duration::from_secs(3600)).await;
    running.abort();
    drop(running.await);
    let asked = || {
        let told = setting.told.told();
        told.iter().filter(|(_, decision)| decision.kind == DecisionKind::AwaitApproval).count()
    };
    assert_eq!(asked(), 1);
    setting.post("c1", CommandKind::Approve { gate, force: false }).await;
    tokio::time::sleep(Duration::from_secs(7200)).await;
    let (driver, handle) =
        Driver::resume(setting.ports.clone(), setting.id.clone(), Options::new("test")).await.unwrap();
    assert_eq!(handle.status().awaited_approval(), Some(gate));
    let attending = setting.attend(&handle);
    assert_eq!(driver.run().await.unwrap().outcome(), Some(&Outcome::Completed));
    attending.await.unwrap();
    assert_eq!((setting.reply_to("c1").await, asked()), (Some(Reply::Obeyed), 1));
}

#[tokio::test(start_paused = true)]
async fn a_command_is_replied_to_only_once_it_stands_in_the_journal() {
    let setting = Setting::new();
    let (driver, mut handle) = setting.start().await;
    let (attending, running) = (setting.attend(&handle), tokio::spawn(driver.run()));
    until_baking(&mut handle, 0).await;
    setting.journal.set_unavailable(Some("away"));
    setting.post("c1", ABORT).await;
    while !matches!(handle.status().phase(), Phase::Finished(_)) {
        assert!(handle.changed().await);
    }
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(setting.reply_to("c1").await, None);
    setting.journal.set_unavailable(None);
    running.await.unwrap().unwrap();
    attending.await.unwrap();
    assert_eq!(setting.reply_to("c1").await, Some(Reply::Obeyed));
}

#[tokio::test(start_paused = true)]
async fn an_inbox_that_cannot_be_read_does_not_disturb_the_rollout() {
    let setting = Setting::new();
    let (driver, mut handle) = setting.start().await;
    let (_attending, running) = (setting.attend(&handle), tokio::spawn(driver.run()));
    until_baking(&mut handle, 0).await;
    setting.post("c1", CommandKind::Pause).await;
    setting.inbox.set_unavailable(Some("away"));
    assert_eq!(running.await.unwrap().unwrap().outcome(), Some(&Outcome::Completed));
}
