//! Drives a rollout to its end, by one driver or, when that is killed, by the next.

use std::time::Duration;

use mpac_deploy_core::driver::{Driver, DriverError, DriverHandle, Options};
use mpac_deploy_core::machine::Rollout;
use mpac_deploy_core::plan::Plan;
use mpac_deploy_core::port::{Clock, JournalError};
use mpac_deploy_core::time::Timestamp;

use super::setting::Setting;
use super::watch::{Observer, watch};
use super::{AFTERMATH, CONTRACTING, SimOutcome, VIRTUAL_LIMIT};
use crate::scenario::Planned;

/// How long it takes until somebody starts the next driver after one was killed.
const RESTART: Duration = Duration::from_secs(5);

/// How and when it came to an end.
pub(super) struct End {
    pub(super) at: Timestamp,
    /// `None` if it was cut off.
    pub(super) outcome: Option<SimOutcome>,
    /// The drivers that were killed.
    pub(super) crashes: u32,
}

/// Drives a rollout to its end, and watches the world a little longer.
pub(super) async fn drive(
    setting: &Setting,
    plan: &Plan,
    mut actions: Vec<Planned>,
    mut observer: Option<Observer<'_>>,
) -> End {
    let mut crashes = 0;
    let clock = setting.world.clock().clone();
    let outcome = tokio::select! {
        biased;
        outcome = async {
            loop {
                let once = drive_once(setting, plan, crashes, &mut actions, &mut observer);
                tokio::select! {
                    biased;
                    () = setting.faults.crashes().reached_one() => crashes += 1,
                    outcome = once => break outcome,
                }
                clock.sleep(RESTART).await;
            }
        } => Some(outcome),
        () = clock.sleep(limit(plan)) => None,
    };
    let at = clock.now();
    clock.sleep(AFTERMATH).await;
    End { at, outcome, crashes }
}

fn limit(plan: &Plan) -> Duration {
    let contracts = !plan.release().migrations.contract.is_empty();
    VIRTUAL_LIMIT + if contracts { CONTRACTING } else { Duration::ZERO }
}

/// One driver, until it ends.
async fn drive_once(
    setting: &Setting,
    plan: &Plan,
    number: u32,
    actions: &mut Vec<Planned>,
    observer: &mut Option<Observer<'_>>,
) -> SimOutcome {
    let (driver, handle) = match begin(setting, plan, number).await {
        Ok(driver) => driver,
        Err(error) => return SimOutcome::stopped(&error),
    };
    tokio::select! {
        biased;
        result = driver.run() => of_result(&result),
        outcome = setting.act(actions, &handle) => match outcome {},
        outcome = watch(setting, &handle, observer) => match outcome {},
    }
}

fn of_result(result: &Result<Rollout, DriverError>) -> SimOutcome {
    match result {
        Ok(rollout) => rollout.outcome().map_or_else(
            || SimOutcome::Stopped { why: "the driver returned before the end".into() },
            SimOutcome::of,
        ),
        Err(error) => SimOutcome::stopped(error),
    }
}

/// Starts the rollout, or goes on with it once the lease of the driver before has run out.
async fn begin(setting: &Setting, plan: &Plan, number: u32) -> Result<(Driver, DriverHandle), DriverError> {
    loop {
        match begin_once(setting, plan, number).await {
            Err(DriverError::Journal(JournalError::Held { .. } | JournalError::Unavailable(_))) => {
                setting.world.clock().sleep(RESTART).await;
            }
            begun => return begun,
        }
    }
}

async fn begin_once(
    setting: &Setting,
    plan: &Plan,
    number: u32,
) -> Result<(Driver, DriverHandle), DriverError> {
    let options = Options::new(format!("simulation-{}", number + 1));
    let (ports, id) = (setting.ports.clone(), setting.id.clone());
    if ports.journal.load(&id, 0).await?.is_empty() {
        Driver::start(ports, id, plan.clone(), options).await
    } else {
        Driver::resume(ports, id, options).await
    }
}
