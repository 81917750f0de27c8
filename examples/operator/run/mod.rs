//! `run`: a rollout from its configuration to its end.

mod ended;
mod progress;
mod told;

use std::env::VarError;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use mpac_deploy_core::driver::{Driver, DriverError, DriverHandle, Options, attend};
use mpac_deploy_core::ids::RolloutId;
use mpac_deploy_core::journal::{ReplayError, rollout_id};
use mpac_deploy_core::plan::Plan;
use mpac_deploy_core::port::JournalError;
use mpac_deploy_services::status::{Token, TokenError};
use tokio::time::timeout;

use crate::aws::{Account, AccountOptions, Kept, Unfinished};
use crate::reply::{Failure, Reply};
use crate::runtime;
use crate::status_page::{self, PageAddress};
use crate::stops::Stops;
use ended::Ended;
use progress::Progress;
use told::Told;

/// How long the last looks for posted commands may take: a few times what lies between two.
const LAST_REPLIES: Duration = Duration::from_secs(5);

/// The token of the status page: not an argument, which every user of the machine could read.
const STATUS_TOKEN: &str = "MPAC_DEPLOY_STATUS_TOKEN";

#[derive(Args, Debug)]
pub(crate) struct RunOptions {
    #[command(flatten)]
    account: AccountOptions,
    /// What to roll out: it takes the place of `{revision}` in the images.
    #[arg(long, value_name = "REVISION", value_parser = revision)]
    revision: Option<String>,
    /// Goes on with this rollout. Without it, `run` goes on with the latest rollout of the record if that is not over.
    #[arg(long, value_name = "ROLLOUT")]
    resume: Option<String>,
    /// Also serves a status page there: a port of the loopback interface, or ADDRESS:PORT. It only shows, unless the variable
    /// MPAC_DEPLOY_STATUS_TOKEN holds a token: whoever has that can command.
    #[arg(long, value_name = "ADDRESS")]
    status_addr: Option<PageAddress>,
    /// One JSON document on standard output when it ends: `{"rollout", "service", "record", "from", "revision", "environments",
    /// "outcome", "stage", "rule", "why", "began", "ended", "weights", "decisions"}`.
    #[arg(long)]
    json: bool,
}

/// A tag as a registry takes it.
pub(crate) fn revision(text: &str) -> Result<String, String> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-');
    let starts = text.starts_with(|letter: char| letter.is_ascii_alphanumeric() || letter == '_');
    if starts && text.len() <= 128 && text.chars().all(fits) {
        Ok(text.into())
    } else {
        Err("a revision is an image tag: up to 128 letters, digits, `.`, `_` and `-`".into())
    }
}

pub(crate) fn run(options: &RunOptions) -> Result<Reply, Failure> {
    runtime::start()?.block_on(roll_out(options))
}

async fn roll_out(options: &RunOptions) -> Result<Reply, Failure> {
    let account = Account::open(&options.account).await?;
    let kept = account.open_journal().await?;
    let progress = Arc::new(Progress::new(account.config.notify.stderr));
    let told = Told::of(&account, Arc::clone(&progress) as _)?;
    if let Some(address) = options.status_addr {
        progress.say(&format!("status page: {}", serve_page(address, &kept).await?));
    }
    let mut stops = Stops::listen()?;
    let unfinished = match &options.resume {
        Some(id) => Some(kept.resumable(&RolloutId::from(id.as_str())).await?),
        None => kept.unfinished(&account.config.record()).await?,
    };
    let (driver, handle) = match unfinished {
        Some(unfinished) => resume(&account, &kept, (&progress, &told), options, unfinished).await?,
        None => begin(&account, &kept, (&progress, &told), options).await?,
    };
    let id = handle.status().id().clone();
    let replies = tokio::spawn(attend(handle.clone(), Arc::clone(&kept.inbox), Arc::clone(&account.clock)));
    let driven = drive(driver, handle, &progress, &mut stops).await;
    // What was posted last is replied to, if it can be: that the rollout has ended stands in the journal in any case.
    timeout(LAST_REPLIES, replies).await.ok();
    let untold = told.finish().await;
    progress.close();
    untold.iter().for_each(|line| progress.say(line));
    driven.map_err(|error| stopped(&id, &error))?;
    let records = kept.journal.load(&id, 0).await.map_err(|error| Failure::World(error.to_string()))?;
    Ended::of(records).map_err(|error: ReplayError| Failure::World(error.to_string()))?.reply(options.json)
}

/// The page beside the rollout, on the same journal; an address that is taken is said before anything is done.
async fn serve_page(address: PageAddress, kept: &Kept) -> Result<String, Failure> {
    let unfit = |error| Failure::Input(format!("{STATUS_TOKEN}: {error}"));
    let token = match std::env::var(STATUS_TOKEN) {
        Ok(text) => Some(Token::new(&text).map_err(unfit)?),
        Err(VarError::NotPresent) => None,
        Err(VarError::NotUnicode(_)) => return Err(unfit(TokenError::Unfit)),
    };
    status_page::start(address, Arc::clone(&kept.journal), Arc::clone(&kept.inbox), token).await
}

/// A new rollout, from the environment that serves to the other one.
async fn begin(
    account: &Account,
    kept: &Kept,
    (progress, told): (&Progress, &Told),
    options: &RunOptions,
) -> Result<(Driver, DriverHandle), Failure> {
    let revision = options.revision.as_deref().ok_or_else(|| {
        Failure::Input("nothing is unfinished on this record: say what to roll out by `--revision`".into())
    })?;
    let roles = account.roles().await?;
    let plan = account.plan(roles, revision).await?;
    let ports = account.ports(roles, revision, kept, told.notify()).await?;
    let id = rollout_id(plan.release(), ports.clock.now());
    progress.say(&heading(&id, &plan));
    Driver::start(ports, id.clone(), plan, driver_options(account))
        .await
        .map_err(|error| stopped(&id, &error))
}

/// The rollout that is unfinished, with the roles that it began with.
async fn resume(
    account: &Account,
    kept: &Kept,
    (progress, told): (&Progress, &Told),
    options: &RunOptions,
    unfinished: Unfinished,
) -> Result<(Driver, DriverHandle), Failure> {
    let (id, release) = (unfinished.rollout.id().clone(), unfinished.rollout.plan().release());
    let revision = release.green.as_str();
    if options.revision.as_deref().is_some_and(|asked| asked != revision) {
        return Err(Failure::Input(format!(
            "{id} is unfinished, and it rolls out {revision}: let it end, by `run` without `--revision`, before another one begins"
        )));
    }
    account.still_has(unfinished.roles, release).await?;
    let ports = account.ports(unfinished.roles, revision, kept, told.notify()).await?;
    progress.say(&heading(&id, unfinished.rollout.plan()));
    Driver::resume(ports, id.clone(), driver_options(account)).await.map_err(|error| stopped(&id, &error))
}

/// To the end, to a safe point after a signal, or until a second signal: then the lease runs out by itself.
async fn drive(
    driver: Driver,
    handle: DriverHandle,
    progress: &Progress,
    stops: &mut Stops,
) -> Result<(), DriverError> {
    let watching = async {
        progress.watch(handle.clone()).await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        biased;
        driven = driver.run() => driven.map(drop),
        () = stops.obey(&handle, |line| progress.say(line)) => Ok(()),
        () = watching => Ok(()),
    }
}

fn driver_options(account: &Account) -> Options {
    let lease = &account.config.lease;
    let holder = lease.holder.clone().unwrap_or_else(this_process);
    let mut options = Options::new(holder);
    options.lease_ttl = lease.ttl.duration();
    options
}

/// Told from every other by machine and process.
fn this_process() -> String {
    let host = std::fs::read_to_string("/etc/hostname").map(|name| name.trim().to_owned());
    let host = host.ok().filter(|name| !name.is_empty()).unwrap_or_else(|| "mpac-deploy".into());
    format!("{host}:{}", std::process::id())
}

fn heading(id: &RolloutId, plan: &Plan) -> String {
    let release = plan.release();
    let environments = release.environments.as_ref();
    let which = environments.map(|environments| {
        format!(
            ": the environment `{}` serves now, `{}` shall serve next",
            environments.blue, environments.green
        )
    });
    format!("{id}{}", which.unwrap_or_default())
}

fn stopped(id: &RolloutId, error: &DriverError) -> Failure {
    let text = format!("{id}: {error}");
    match error {
        DriverError::Journal(JournalError::Held { .. }) => Failure::Found(text),
        DriverError::Journal(_) | DriverError::Replay(_) | DriverError::Exists(_) | _ => Failure::World(text),
    }
}
