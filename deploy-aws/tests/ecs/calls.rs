//! What each step costs in calls, for environments of two services.

use std::collections::BTreeMap;

use mpac_deploy_core::metric::Side;
use mpac_deploy_testkit::aws_sim::Operation;

use crate::rig::{Rig, rig};

fn counted(rig: &Rig, since: usize) -> BTreeMap<&'static str, usize> {
    let mut counted = BTreeMap::new();
    for operation in rig.operations(since) {
        *counted.entry(operation.name()).or_default() += 1;
    }
    counted
}

#[tokio::test]
async fn a_look_at_a_healthy_side_is_one_call_and_one_for_each_target_group() {
    let rig = rig().await;
    rig.health(Side::Blue).await;
    let expected = BTreeMap::from([("DescribeServices", 1), ("DescribeTargetHealth", 2)]);
    assert_eq!(counted(&rig, 0), expected);
    rig.provision(1).await.unwrap();
    rig.aws.let_tasks_settle();
    let before = rig.aws.calls().len();
    rig.health(Side::Green).await;
    assert_eq!(counted(&rig, before), expected, "the images of a task definition are asked for once");
}

#[tokio::test]
async fn provisioning_is_one_call_and_four_for_each_service() {
    let rig = rig().await;
    rig.provision(1).await.unwrap();
    let expected = BTreeMap::from([
        ("CreateService", 2),
        ("DescribeServices", 1),
        ("DescribeTaskDefinition", 4),
        ("RegisterTaskDefinition", 2),
    ]);
    assert_eq!(counted(&rig, 0), expected);
    let before = rig.aws.calls().len();
    rig.provision(1).await.unwrap();
    assert!(counted(&rig, before).is_empty(), "an id that was used before costs nothing");
}

#[tokio::test]
async fn retiring_is_the_archive_two_calls_for_each_service_and_the_looks_while_it_drains() {
    let rig = rig().await;
    rig.retire(1).await.unwrap();
    let counted = counted(&rig, 0);
    let archive = [
        "DescribeTaskDefinition",
        "DescribeTargetGroups",
        "DescribeTargetGroupAttributes",
        "DescribeListeners",
    ];
    assert_eq!(archive.map(|call| counted[call]), [2, 1, 2, 2]);
    assert_eq!((counted["TagResource"], counted["UpdateService"]), (2, 2));
    assert!(rig.count(Operation::DescribeServices) >= 2);
}
