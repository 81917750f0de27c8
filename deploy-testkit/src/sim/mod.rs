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

mod drive;
mod report;
mod setting;
mod watch;

use std::collections::BTreeMap;
use std::time::Duration;

use mpac_deploy_core::decision::Decision;
use mpac_deploy_core::journal::replay;
use mpac_deploy_core::plan::Plan;
use mpac_deploy_core::policy::{Policy, PolicyError};

pub use crate::fault::{CrashMoment, CrashPlace, CrashPoint};
pub use report::{SimOutcome, SimReport};
pub use watch::Frame;

use crate::fault::Situation;
use crate::scenario::Scenario;
use drive::{End, drive};
use setting::{Crashing, Setting};
use watch::Observer;

/// A rollout that has not ended after so much virtual time is cut off: several times what the strategy takes.
pub const VIRTUAL_LIMIT: Duration = Duration::from_secs(8 * 60 * 60);

/// A rollout that contracts its schema takes a day longer.
const CONTRACTING: Duration = Duration::from_secs(25 * 60 * 60);

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

/// Runs a scenario to its end, in virtual time: a rollout of hours takes a moment. The same arguments give the same report,
/// byte for byte.
///
/// # Errors
/// [`SimError`] when the policy is refused.
pub fn run(scenario: &Scenario, policy: &Policy, seed: u64) -> Result<SimReport, SimError> {
    run_with_crashes(scenario, policy, seed, &[])
}

/// Runs a scenario like [`run`], and kills the driver at each of these points; another one goes on from the journal a little
/// later, under another name.
///
/// # Errors
/// [`SimError`] when the policy is refused.
pub fn run_with_crashes(
    scenario: &Scenario,
    policy: &Policy,
    seed: u64,
    points: &[CrashPoint],
) -> Result<SimReport, SimError> {
    let plan = scenario.policy(policy).compile(scenario.release.clone())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    Ok(runtime.block_on(async {
        let setting = Setting::new(scenario, seed, 1, Crashing::At(points));
        simulate(scenario, &plan, seed, &setting, None).await
    }))
}

/// Every point at which the driver of a scenario can be killed: before and after each effect and each write to the store. Points
/// that leave the next driver the same journal and the same world at the same time stand together; to run one of them is to
/// run all.
///
/// # Errors
/// [`SimError`] when the policy is refused.
pub fn crash_points(
    scenario: &Scenario,
    policy: &Policy,
    seed: u64,
) -> Result<Vec<Vec<CrashPoint>>, SimError> {
    let plan = scenario.policy(policy).compile(scenario.release.clone())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    let passed = runtime.block_on(async {
        let setting = Setting::new(scenario, seed, 1, Crashing::Noted);
        let end = drive(&setting, &plan, scenario.actions.clone(), None).await;
        // Whoever is killed at the instant at which the simulation is cut off has no successor.
        let watched = setting.world.clock().elapsed().saturating_sub(AFTERMATH);
        let is_cut_off = end.outcome.is_none();
        let passed = setting.faults.crashes().passed().into_iter();
        passed.filter(|(at, _)| !is_cut_off || at.elapsed < watched).collect::<Vec<_>>()
    });
    let mut situations: BTreeMap<Situation, Vec<CrashPoint>> = BTreeMap::new();
    for (situation, point) in passed {
        situations.entry(situation).or_default().push(point);
    }
    Ok(situations.into_values().collect())
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
    mut observer: impl FnMut(&Frame<'_>) + Send,
) -> Result<SimReport, SimError> {
    let plan = scenario.policy(policy).compile(scenario.release.clone())?;
    let setting = Setting::new(scenario, seed, speed, Crashing::At(&[]));
    Ok(simulate(scenario, &plan, seed, &setting, Some(&mut observer)).await)
}

async fn simulate(
    scenario: &Scenario,
    plan: &Plan,
    seed: u64,
    setting: &Setting,
    observer: Option<Observer<'_>>,
) -> SimReport {
    let End { at, outcome, crashes } = drive(setting, plan, scenario.actions.clone(), observer).await;
    let journal = setting.journal.records(&setting.id);
    let decisions: Vec<Decision> = journal.iter().flat_map(|record| record.decisions.clone()).collect();
    let outcome = outcome.unwrap_or_else(|| SimOutcome::cut_off(&decisions, &replay(&journal)));
    let history = setting.world.history();
    SimReport {
        scenario: scenario.name.into(),
        seed,
        as_expected: scenario.expected.admits(&outcome),
        outcome,
        began: history.began,
        ended: at,
        decisions,
        history,
        schema: setting.schema.done(),
        minutes: setting.world.minutes(),
        journal,
        calls: setting.faults.counts(),
        crashes,
    }
}
