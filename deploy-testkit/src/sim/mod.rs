//! Runs a scenario through the real driver, in virtual time.
//!
//! ```
//! use mpac_deploy_core::policy::mpac;
//! use mpac_deploy_testkit::{scenario, sim};
//!
//! let report = sim::run(&scenario::by_name("bad-image")?, &mpac(), 1)?;
//! assert_eq!(report.outcome.as_str(), "abandoned");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod report;
mod setting;

use std::time::Duration;

use mpac_deploy_core::decision::Decision;
use mpac_deploy_core::driver::{Driver, DriverHandle, Options};
use mpac_deploy_core::machine::Rollout;
use mpac_deploy_core::plan::Plan;
use mpac_deploy_core::policy::{Policy, PolicyError};
use mpac_deploy_core::port::Clock;
use mpac_deploy_core::time::Timestamp;

pub use report::{SimOutcome, SimReport};

use crate::scenario::Scenario;
use crate::world::WorldView;
use setting::Setting;

/// A rollout that has not ended after so much virtual time is cut off: several times what the strategy takes.
pub const VIRTUAL_LIMIT: Duration = Duration::from_secs(8 * 60 * 60);

/// How long the world is watched after the end: traffic follows the record within the TTL.
pub const AFTERMATH: Duration = Duration::from_secs(3 * 60);

/// How often an observer is shown a frame at least, in real time.
pub const FRAME_INTERVAL: Duration = Duration::from_millis(100);

/// A simulation that could not be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimError {
    /// The policy is refused, or does not fit the scenario's release.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The runtime could not be built.
    #[error("the runtime of the simulation could not be built: {0}")]
    Runtime(#[from] std::io::Error),
}

/// What an observer is shown.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The virtual time.
    pub now: Timestamp,
    /// The rollout as it stands.
    pub rollout: &'a Rollout,
    /// The world as it is.
    pub view: &'a WorldView,
    /// What was decided since the frame before.
    pub decisions: &'a [Decision],
}

/// Runs a scenario to its end, in virtual time: a rollout of hours takes a moment. The same arguments give the same report,
/// byte for byte.
///
/// # Errors
/// [`SimError`] when the policy is refused.
pub fn run(scenario: &Scenario, policy: &Policy, seed: u64) -> Result<SimReport, SimError> {
    let plan = policy.compile(scenario.release.clone())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    Ok(runtime.block_on(simulate(scenario, plan, seed, 1, None)))
}

/// Runs a scenario `speed` times as fast as real time, on the runtime of the caller, and shows it to an observer: at every
/// event, and at least every [`FRAME_INTERVAL`].
///
/// # Errors
/// [`SimError`] when the policy is refused.
pub async fn run_paced(
    scenario: &Scenario,
    policy: &Policy,
    seed: u64,
    speed: u32,
    mut observer: impl FnMut(&Frame<'_>),
) -> Result<SimReport, SimError> {
    let plan = policy.compile(scenario.release.clone())?;
    Ok(simulate(scenario, plan, seed, speed, Some(&mut observer)).await)
}

type Observer<'a> = &'a mut dyn FnMut(&Frame<'_>);

async fn simulate(
    scenario: &Scenario,
    plan: Plan,
    seed: u64,
    speed: u32,
    observer: Option<Observer<'_>>,
) -> SimReport {
    let setting = Setting::new(scenario, seed, speed);
    let mut end = End::at(&setting);
    match Driver::start(setting.ports.clone(), setting.id.clone(), plan, Options::new("simulation-1")).await {
        Err(error) => end.outcome = Some(SimOutcome::stopped(&error)),
        Ok((driver, handle)) => {
            let mut actions = scenario.actions.clone();
            tokio::select! {
                biased;
                result = driver.run() => end = End::of(&setting, &result),
                () = setting.act(&mut actions, &handle) => {}
                () = watch(&setting, &handle, observer) => {}
                () = setting.world.clock().sleep(VIRTUAL_LIMIT) => end = End::at(&setting),
            }
            end.phase = format!("after {} h: {:?}", VIRTUAL_LIMIT.as_secs() / 3600, handle.status().phase());
        }
    }
    setting.world.clock().sleep(AFTERMATH).await;
    report(scenario, seed, &setting, end)
}

/// How and when the driver came to its end.
struct End {
    at: Timestamp,
    /// `None` if it was cut off.
    outcome: Option<SimOutcome>,
    phase: String,
}

impl End {
    fn at(setting: &Setting) -> Self {
        Self { at: setting.world.clock().now(), outcome: None, phase: String::new() }
    }

    fn of(setting: &Setting, result: &Result<Rollout, mpac_deploy_core::driver::DriverError>) -> Self {
        let outcome = match result {
            Ok(rollout) => rollout.outcome().map(SimOutcome::of),
            Err(error) => Some(SimOutcome::stopped(error)),
        };
        Self { outcome, ..Self::at(setting) }
    }
}

fn report(scenario: &Scenario, seed: u64, setting: &Setting, end: End) -> SimReport {
    let journal = setting.journal.records(&setting.id);
    let decisions: Vec<Decision> = journal.iter().flat_map(|record| record.decisions.clone()).collect();
    let outcome = end.outcome.unwrap_or_else(|| SimOutcome::cut_off(&decisions, end.phase));
    let history = setting.world.history();
    SimReport {
        scenario: scenario.name.into(),
        seed,
        as_expected: scenario.expected.admits(&outcome),
        outcome,
        began: history.began,
        ended: end.at,
        decisions,
        history,
        minutes: setting.world.minutes(),
        journal,
        calls: setting.faults.counts(),
        crashes: 0,
    }
}

/// Shows the rollout to an observer. Never returns.
async fn watch(setting: &Setting, handle: &DriverHandle, observer: Option<Observer<'_>>) {
    let Some(observer) = observer else { return std::future::pending().await };
    let mut handle = handle.clone();
    let mut shown = 0;
    loop {
        let records = setting.journal.records_from(&setting.id, shown);
        shown += records.len();
        let decisions: Vec<Decision> = records.into_iter().flat_map(|record| record.decisions).collect();
        let (rollout, view) = (handle.status(), setting.world.view());
        observer(&Frame { now: view.now, rollout: &rollout, view: &view, decisions: &decisions });
        tokio::select! {
            biased;
            is_driven = handle.changed() => if !is_driven { std::future::pending::<()>().await },
            () = tokio::time::sleep(FRAME_INTERVAL) => {}
        }
    }
}
