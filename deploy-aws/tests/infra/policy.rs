//! The policy is held to the calls that the simulated AWS saw.

use std::collections::BTreeSet;

use mpac_deploy_aws::infra::calls::Adapter;
use mpac_deploy_aws::infra::{Description, cloudformation, terraform};

use crate::common::effect;
use crate::described::{full, minimal};
use crate::rig::rig;

fn actions(adapter: Adapter) -> BTreeSet<&'static str> {
    adapter.calls().iter().map(|call| call.action).collect()
}

#[tokio::test]
async fn what_the_route_53_adapter_calls_is_what_it_is_allowed() {
    let rig = rig().await;
    rig.forward(1, 95, 5).await.unwrap();
    rig.traffic.is_in_sync(&effect(1)).await.unwrap();
    rig.back(2).await.unwrap();
    let seen: BTreeSet<String> = rig.operations().iter().map(|one| format!("route53:{one:?}")).collect();
    assert_eq!(seen, actions(Adapter::Route53).into_iter().map(str::to_owned).collect());
}

/// The calls that a document allows: what stands in quotes and has a service and a name.
fn allowed(document: &str) -> BTreeSet<&str> {
    let quoted = document.split('"').skip(1).step_by(2);
    let known: BTreeSet<&str> = Adapter::ALL.into_iter().flat_map(actions).collect();
    quoted.filter(|text| known.contains(text)).collect()
}

#[test]
fn an_adapter_that_is_not_described_is_not_allowed_to_call() {
    let expected = |adapters: &[Adapter]| adapters.iter().copied().flat_map(actions).collect::<BTreeSet<_>>();
    let documents =
        |description: &Description| [cloudformation(description).unwrap(), terraform(description).unwrap()];
    for document in documents(&minimal()) {
        assert_eq!(
            allowed(&document),
            expected(&[Adapter::Route53, Adapter::Balancers, Adapter::Metrics, Adapter::Journal])
        );
    }
    for document in documents(&full()) {
        assert_eq!(allowed(&document), expected(&Adapter::ALL));
    }
    let mut without = minimal();
    without.journal_table = None;
    for document in documents(&without) {
        assert_eq!(allowed(&document), expected(&[Adapter::Route53, Adapter::Balancers, Adapter::Metrics]));
        assert!(!document.contains("pk"));
    }
}
