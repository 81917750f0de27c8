//! From the trigger to the call there is nothing in between.

use std::time::{Duration, Instant};

use mpac_deploy_aws::{AlbTraffic, Quota};
use mpac_deploy_core::effect::Direction;
use mpac_deploy_core::ids::FencingToken;
use mpac_deploy_core::units::Weights;
use mpac_deploy_testkit::aws_sim::{CallFault, Operation};

use crate::common::{effect, sdk_at};
use crate::rig::{config, rig, rule};

#[tokio::test]
async fn a_rollback_is_one_call() {
    let rig = rig().await;
    rig.forward(1, 50, 50).await.unwrap();
    let before = rig.operations().len();
    rig.back(2).await.unwrap();
    assert_eq!(rig.operations()[before..], [Operation::ModifyRule]);
    assert_eq!(rig.in_rule(), (100, 0));
}

#[tokio::test]
async fn without_a_fresh_copy_it_reads_first_and_takes_the_old_one_if_it_cannot() {
    let mut config = config();
    config.rollback_from_copy = Duration::ZERO;
    let rig = crate::rig::rig_with(rule(100, 0), config).await;
    rig.forward(1, 50, 50).await.unwrap();
    rig.back(2).await.unwrap();
    rig.forward(3, 50, 50).await.unwrap();
    rig.aws.script(Operation::DescribeRules, [CallFault::ServerError]);
    rig.back(4).await.unwrap();
    assert_eq!(rig.in_rule(), (100, 0));
}

#[tokio::test]
async fn it_does_not_wait_for_the_limit_of_the_account() {
    let rig = rig().await;
    let quota = Quota::new(1, 1);
    let traffic = AlbTraffic::new(&sdk_at(&rig.aws.endpoint_url()).await, &quota, config());
    traffic.weights().await.unwrap();
    let (began, id) = (Instant::now(), effect(1));
    let back = traffic.set_weights(&id, FencingToken(1), Weights::ALL_BLUE, Direction::Back);
    back.await.unwrap();
    assert!(began.elapsed() < Duration::from_millis(500), "{:?}", began.elapsed());
}

#[tokio::test]
async fn it_overwrites_whatever_is_there_after_an_unknown_outcome() {
    let rig = rig().await;
    rig.forward(1, 50, 50).await.unwrap();
    rig.aws.script(Operation::ModifyRule, [CallFault::CutBefore]);
    assert!(rig.back(2).await.is_err());
    rig.aws.put_rule(rule(30, 70));
    rig.back(2).await.unwrap();
    assert_eq!(rig.in_rule(), (100, 0));
}
