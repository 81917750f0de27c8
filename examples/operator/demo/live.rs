//! `demo --live`: one rollout at a pace for people, with a status page that commands it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use clap::Args;
use console::style;
use mpac_deploy_core::decision::Decision;
use mpac_deploy_core::driver::{Driver, Options, Ports, attend};
use mpac_deploy_core::ids::RolloutId;
use mpac_deploy_core::journal::rollout_id;
use mpac_deploy_core::machine::Outcome;
use mpac_deploy_core::port::{Clock as _, History, Inbox, Notify, PortError, SystemClock};
use mpac_deploy_services::sqlite::SqliteJournal;
use mpac_deploy_services::status::Token;
use mpac_deploy_testkit::fakes::{FakeFlags, FakeSchema, MemoryInbox, MemoryJournal};
use mpac_deploy_testkit::scenario::{self, Scenario};
use mpac_deploy_testkit::world::{SimClock, World, epoch};

use super::SEED;
use crate::cli::DemoOptions;
use crate::reply::{Failure, Reply, Status};
use crate::say_line as say;
use crate::status_page::{self, PageAddress};
use crate::{policy_file, runtime, words};

/// The strategy takes almost two hours: a minute here, with time to press a button.
const SPEED: u32 = 120;

/// A rollout to take part in.
#[derive(Args, Debug)]
pub(crate) struct Live {
    /// One rollout at a pace for people instead, with a status page whose buttons command it; the page stays until Ctrl-C.
    #[arg(long, conflicts_with = "report")]
    #[cfg_attr(feature = "aws", arg(conflicts_with = "aws"))]
    live: bool,
    /// With `--live`: where the page is, as a port of the loopback interface or ADDRESS:PORT; any free port if left out.
    #[arg(long, value_name = "ADDRESS", requires = "live", default_value = "0")]
    status_addr: PageAddress,
    /// With `--live`: the journal, a SQLite file, so that `status`, `watch`, `pause`, `abort` and
    /// the like reach the rollout from a second terminal. Without it the journal is in memory.
    #[arg(long, value_name = "FILE.db", requires = "live")]
    journal: Option<PathBuf>,
    /// With `--live`: a policy file in place of the preset `mpac`.
    #[arg(long, value_name = "FILE", requires = "live")]
    policy: Option<PathBuf>,
}

impl Live {
    pub(super) const fn is_wanted(&self) -> bool {
        self.live
    }
}

pub(super) fn run(options: &DemoOptions) -> Result<Reply, Failure> {
    runtime::start()?.block_on(play(options))
}

async fn play(options: &DemoOptions) -> Result<Reply, Failure> {
    let policy = policy_file::load_or_preset(options.live.policy.as_deref())?;
    let healthy = scenario::by_name("healthy").map_err(|error| Failure::Input(error.to_string()))?;
    let clock = SimClock::new(epoch(), options.speed.unwrap_or(SPEED));
    let Kept { journal, inbox } = Kept::open(options.live.journal.as_deref(), &clock).await?;
    let (token, secret) = Token::draw().map_err(world)?;
    let page =
        status_page::start(options.live.status_addr, Arc::clone(&journal), Arc::clone(&inbox), Some(token));
    say(&format!("{} {}", style("Status page:").bold(), page.await?));
    say(&format!("{} {secret}", style("Token of its buttons:").bold()));

    let plan = policy.compile(healthy.release.clone()).map_err(|error| Failure::Input(error.to_string()))?;
    let id = rollout_id(plan.release(), clock.now());
    let ports = ports(healthy, journal, clock);
    let (driver, handle) = Driver::start(ports, id, plan, Options::new("demo")).await.map_err(world)?;
    // By the wall clock: a person does not wait for a second of the world.
    tokio::spawn(attend(handle, inbox, Arc::new(SystemClock)));
    let rollout = tokio::select! {
        driven = driver.run() => driven.map_err(world)?,
        _ = tokio::signal::ctrl_c() => {
            return Ok(Reply { status: Status::Found, text: "Stopped before the end.\n".into() });
        }
    };
    let (status, word) = match rollout.outcome() {
        Some(Outcome::Completed) => (Status::Done, "completed"),
        Some(Outcome::RolledBack { .. }) => (Status::Found, "rolled back"),
        Some(Outcome::Abandoned { .. }) => (Status::Found, "abandoned before any traffic moved"),
        None => (Status::Found, "not over"),
    };
    say(&format!("The rollout is {word}. The page stays until Ctrl-C."));
    tokio::signal::ctrl_c().await.map_err(world)?;
    Ok(Reply { status, text: String::new() })
}

/// Where the rollout and what people say of it are kept.
struct Kept {
    journal: Arc<dyn History>,
    inbox: Arc<dyn Inbox>,
}

impl Kept {
    async fn open(file: Option<&Path>, clock: &SimClock) -> Result<Self, Failure> {
        let Some(file) = file else {
            let journal = Arc::new(MemoryJournal::new(Arc::new(clock.clone())));
            return Ok(Self { journal, inbox: Arc::new(MemoryInbox::default()) });
        };
        let journal = SqliteJournal::open(file).await.map_err(|error| Failure::Input(error.to_string()))?;
        let journal = Arc::new(journal);
        Ok(Self { inbox: Arc::clone(&journal) as _, journal })
    }
}

fn ports(scenario: Scenario, journal: Arc<dyn History>, clock: SimClock) -> Ports {
    let world = Arc::new(World::new(scenario.setup, SEED, clock.clone()));
    Ports {
        traffic: Arc::clone(&world) as _,
        fleet: Arc::clone(&world) as _,
        metrics: Arc::clone(&world) as _,
        checks: Arc::clone(&world) as _,
        probes: world,
        schema: Arc::new(FakeSchema::before(&scenario.release.migrations)),
        flags: Arc::new(FakeFlags::on(&scenario.release.flags)),
        journal,
        notify: Arc::new(Told),
        clock: Arc::new(clock),
    }
}

/// Each decision is a line.
struct Told;

#[async_trait]
impl Notify for Told {
    async fn notify(&self, _: &RolloutId, decision: &Decision) -> Result<(), PortError> {
        say(&words::decision_line(decision));
        Ok(())
    }
}

fn world(error: impl std::fmt::Display) -> Failure {
    Failure::World(error.to_string())
}
