//! How long a rollback takes in the simulated world, from its decision to the record and to the traffic.

use std::time::Duration;

use mpac_deploy_core::decision::DecisionKind;
use mpac_deploy_core::effect::Direction;
use mpac_deploy_core::policy::mpac;
use mpac_deploy_testkit::scenario;
use mpac_deploy_testkit::sim::{self, SimOutcome, SimReport};
use mpac_deploy_testkit::world::FleetActionKind;

/// One call to the authority takes up to 0.4 s in the world; the journal answers at once.
const ONE_CALL: Duration = Duration::from_secs(1);

/// From the first decision to roll back to the change of the record, and from there to the end.
fn times(report: &SimReport) -> Option<(Duration, Duration)> {
    let decided = report.decisions.iter().find(|decision| decision.kind == DecisionKind::Rollback)?.at;
    let change = report.history.weights.iter().find(|change| change.direction == Some(Direction::Back))?;
    Some((change.at.since(decided), report.ended.since(change.at)))
}

#[test]
fn a_rollback_is_one_call_and_no_wait_and_is_confirmed_within_three_minutes() {
    let mut rolled_back = 0;
    let mut longest = (Duration::ZERO, Duration::ZERO);
    // Where nothing is wrong with the ports, blue can take the traffic, and the two clocks agree.
    let sound = |scenario: &scenario::Scenario| {
        scenario.rules.is_empty() && scenario.jumps.is_empty() && !scenario.name.starts_with("blue-")
    };
    for scenario in scenario::all().into_iter().filter(sound) {
        let report = sim::run(&scenario, &mpac(), 1).unwrap();
        // Where blue must be started first, or a database is worked on afterwards, other times hold.
        let is_traffic_alone = |kind| !matches!(kind, FleetActionKind::Revive | FleetActionKind::StopGreen);
        let only_traffic = report.history.fleet.iter().all(|action| is_traffic_alone(action.kind));
        if !matches!(report.outcome, SimOutcome::RolledBack { .. }) || !only_traffic {
            continue;
        }
        let (change, confirmed) = times(&report).unwrap();
        assert!(change <= ONE_CALL, "{}: {change:?}", scenario.name);
        assert!(confirmed <= Duration::from_secs(180), "{}: {confirmed:?}", scenario.name);
        longest = (longest.0.max(change), longest.1.max(confirmed));
        rolled_back += 1;
    }
    println!("{rolled_back} rollbacks, the longest {longest:?}");
    assert!(rolled_back >= 15, "only {rolled_back} scenarios rolled back");
}
