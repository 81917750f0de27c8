//! What a person sees of many rollouts.

use std::time::Duration;

use mpac_deploy_core::ids::RolloutId;
use mpac_deploy_core::port::{History, Journal, RolloutSummary};
use mpac_deploy_testkit::scenario::release;
use mpac_deploy_testkit::world::epoch;

use crate::{lease, open, records};

#[tokio::test]
async fn a_list_of_rollouts_says_what_each_is_of_and_how_far_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(&directory.path().join("journal.db")).await;
    let held = lease(&journal).await;
    assert_eq!(journal.rollouts().await.unwrap(), []);
    for (id, count) in [("b", 5), ("a", 1)] {
        let rollout = RolloutId::from(id);
        journal.append(&held, &rollout, 0, &records(&rollout, count)).await.unwrap();
    }
    let summary = |id: &str, latest, records| RolloutSummary {
        id: RolloutId::from(id),
        release: release(),
        begun: epoch(),
        latest: epoch().after(Duration::from_secs(latest)),
        records,
    };
    assert_eq!(journal.rollouts().await.unwrap(), [summary("a", 0, 1), summary("b", 5, 5)]);
}
