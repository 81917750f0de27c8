//! Back to blue: at once, and whatever else is in the way.

use std::time::{Duration, Instant};

use mpac_deploy_aws::{Quota, Route53Traffic};
use mpac_deploy_core::effect::Direction;
use mpac_deploy_core::ids::FencingToken;
use mpac_deploy_testkit::aws_sim::{CallFault, Operation, Settings};

use crate::common::{effect, observed, weights};
use crate::rig::{Rig, config, rig, sdk, zone};

#[tokio::test]
async fn a_rollback_is_one_call() {
    let rig = rig().await;
    rig.forward(1, 50, 50).await.unwrap();
    assert_eq!(rig.traffic.weights().await, Ok(observed(50, 50)));
    let before = rig.operations().len();
    rig.back(2).await.unwrap();
    assert_eq!(rig.operations().split_off(before), [Operation::ChangeResourceRecordSets]);
    assert_eq!(rig.in_zone(), (Some(100), Some(0)));
}

#[tokio::test]
async fn without_a_copy_it_reads_first() {
    let rig = rig().await;
    rig.by_hand(50, 50);
    rig.back(2).await.unwrap();
    assert_eq!(rig.operations(), [Operation::ListResourceRecordSets, Operation::ChangeResourceRecordSets]);
    assert_eq!(rig.in_zone(), (Some(100), Some(0)));
}

#[tokio::test]
async fn with_an_old_copy_it_reads_first_and_falls_back_to_the_copy() {
    let aws = zone(Settings::default()).await;
    let mut config = config();
    config.rollback_from_copy = Duration::ZERO;
    let traffic = Route53Traffic::new(&sdk(&aws).await, &Quota::route53(), config);
    let rig = Rig { aws, traffic };
    rig.forward(1, 50, 50).await.unwrap();
    rig.aws.script(Operation::ListResourceRecordSets, [CallFault::Throttle]);
    rig.back(2).await.unwrap();
    assert_eq!(rig.in_zone(), (Some(100), Some(0)));
}

#[tokio::test]
async fn it_does_not_wait_for_the_limit_of_the_account() {
    let aws = zone(Settings::default()).await;
    let quota = Quota::new(1, 2);
    let traffic = Route53Traffic::new(&sdk(&aws).await, &quota, config());
    let rig = Rig { aws, traffic };
    rig.forward(1, 50, 50).await.unwrap();
    // The bucket is empty now, and ten others wait.
    let others: Vec<_> =
        (0..10).map(|_| quota.clone()).map(|quota| tokio::spawn(async move { quota.wait().await })).collect();
    tokio::task::yield_now().await;
    let began = Instant::now();
    rig.back(2).await.unwrap();
    assert!(began.elapsed() < Duration::from_millis(900), "{:?}", began.elapsed());
    assert!(others.iter().filter(|other| !other.is_finished()).count() >= 9);
    assert_eq!(rig.in_zone(), (Some(100), Some(0)));
    others.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn a_change_forward_does_wait() {
    let aws = zone(Settings::default()).await;
    let traffic = Route53Traffic::new(&sdk(&aws).await, &Quota::new(2, 1), config());
    let began = Instant::now();
    traffic.set_weights(&effect(1), FencingToken(1), weights(95, 5), Direction::Forward).await.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(450), "{:?}", began.elapsed());
}

#[tokio::test]
async fn it_overwrites_whatever_is_there_after_an_unknown_outcome() {
    let rig = rig().await;
    rig.forward(1, 50, 50).await.unwrap();
    rig.aws.script(Operation::ChangeResourceRecordSets, [CallFault::CutBefore]);
    assert!(rig.back(2).await.is_err());
    rig.by_hand(30, 70);
    rig.back(2).await.unwrap();
    assert_eq!(rig.in_zone(), (Some(100), Some(0)));
}
