//! A rollback rule of your own, and how to know that it works before it decides about production.
//!
//! `cargo run -p mpac-deploy-examples --example own_rule`

#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::error::Error;

use mpac_deploy_core::metric::{Metric, Side, Signal};
use mpac_deploy_core::policy::{Policy, Quantity, Trigger, m_of_n, mpac};
use mpac_deploy_core::time::Period;
use mpac_deploy_testkit::backtest::{Backtest, backtest};
use mpac_deploy_testkit::recording::Recording;
use mpac_deploy_testkit::world::epoch;

/// The preset, and one rule more: back to blue when in three of ten minutes more than 2 % of the checkouts fail.
fn policy() -> Policy {
    let failing = Signal::Rate { part: Metric::from("checkouts_failed"), whole: Metric::from("checkouts") };
    let mut policy = mpac();
    policy
        .triggers
        .push(Trigger { id: "checkouts".into(), rule: m_of_n(failing.above(Quantity::Share(0.02)), 3, 10) });
    policy
}

/// Ten minutes of green, with so many failed checkouts in each.
fn recording(failed: [f64; 10]) -> Result<Recording, Box<dyn Error>> {
    let first = Period::containing(epoch());
    let minutes = std::iter::successors(Some(first), |period| Some(period.next()));
    let rows = minutes.zip(failed).flat_map(|(period, failed)| {
        let row = |metric: &str, value| (period, Side::Green, Metric::from(metric), value);
        [row("requests", 1000.0), row("checkouts", 200.0), row("checkouts_failed", failed)]
    });
    Ok(Recording::from_rows(rows)?)
}

/// What the policy would have done.
fn replay(failed: [f64; 10]) -> Result<Backtest, Box<dyn Error>> {
    Ok(backtest(&policy(), &recording(failed)?)?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let result = replay([0.0, 5.0, 0.0, 9.0, 4.0, 0.0, 6.0, 0.0, 0.0, 0.0])?;
    println!("{}", result.outcome.as_str());
    for decision in result.decisions {
        println!("{}  {} by {:?}: {}", decision.at, decision.kind.as_str(), decision.rule, decision.reason);
        println!("  what would have changed it: {}", decision.counterfactual);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use mpac_deploy_testkit::backtest::BacktestOutcome;

    #[test]
    fn the_third_bad_minute_takes_the_release_back() {
        let result = replay([0.0, 5.0, 0.0, 9.0, 0.0, 0.0, 6.0, 0.0, 0.0, 0.0]).unwrap();
        let last = result.decisions.last().unwrap();
        assert_eq!(last.rule.as_deref(), Some("checkouts"));
        assert_eq!(last.at, epoch().after(std::time::Duration::from_secs(7 * 60)));
    }

    #[test]
    fn exactly_two_percent_is_not_more_than_two_percent() {
        assert_eq!(replay([4.0; 10]).unwrap().outcome, BacktestOutcome::InProgress);
    }
}
