//! The smallest program that deploys: a policy, a release, ports, a driver.
//!
//! The ports are the testkit's fakes, so it runs anywhere and in a moment: `cargo run -p mpac-deploy-examples --example minimal`. Put
//! your adapters in their place, and the system's clock, and it deploys.

#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::error::Error;
use std::time::Duration;

use mpac_deploy_core::driver::{Driver, Options};
use mpac_deploy_core::journal::rollout_id;
use mpac_deploy_core::machine::Outcome;
use mpac_deploy_core::metric::{Metric, Side};
use mpac_deploy_core::policy::mpac;
use mpac_deploy_core::port::Clock;
use mpac_deploy_testkit::fakes::Fakes;
use mpac_deploy_testkit::scenario::release;
use mpac_deploy_testkit::world::epoch;

/// What both sides report in every minute.
const NUMBERS: [(Metric, f64); 9] = [
    (Metric::Requests, 1000.0),
    (Metric::LatencyP50, 40.0),
    (Metric::LatencyP95, 180.0),
    (Metric::LatencyP99, 400.0),
    (Metric::DbConnectionErrors, 0.0),
    (Metric::MemoryUtilization, 0.5),
    (Metric::Transactions, 300.0),
    (Metric::TransactionFailures, 0.0),
    (Metric::LogAnomalies, 0.0),
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    println!("{:?}", deploy(0.0).await?);
    Ok(())
}

/// Deploys a release of which so many requests a minute end in a status of 5xx.
async fn deploy(http_5xx: f64) -> Result<Outcome, Box<dyn Error>> {
    let release = release();
    let fakes = Fakes::new(epoch(), &release);
    for side in [Side::Blue, Side::Green] {
        for (metric, number) in NUMBERS {
            fakes.metrics.set_always(side, metric, number);
        }
    }
    fakes.metrics.set_always(Side::Green, Metric::Http5xx, http_5xx);

    let plan = mpac().compile(release)?;
    let id = rollout_id(plan.release(), fakes.clock.now());
    let (driver, _handle) = Driver::start(fakes.ports(), id, plan, Options::new("minimal")).await?;
    let rollout = tokio::select! {
        rollout = driver.run() => rollout?,
        () = hurry(&fakes) => return Err("the clock stopped".into()),
    };
    for (_, decision) in fakes.notify.told() {
        println!("{}  {:<12} {}", decision.at, decision.kind.as_str(), decision.reason);
    }
    rollout.outcome().cloned().ok_or_else(|| "the driver returned before the end".into())
}

/// Moves the fakes' clock on whenever the driver has nothing left to do but wait.
async fn hurry(fakes: &Fakes) {
    loop {
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        fakes.clock.advance(Duration::from_secs(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sound_release_is_deployed_and_another_one_taken_back() {
        assert_eq!(deploy(0.0).await.unwrap(), Outcome::Completed);
        assert!(matches!(deploy(11.0).await.unwrap(), Outcome::RolledBack { .. }));
    }
}
