//! A new process knows nothing of the changes of the one before.

use mpac_deploy_aws::{CallError, Quota, Route53Error, Route53Traffic};
use mpac_deploy_core::effect::Direction;
use mpac_deploy_core::ids::FencingToken;
use mpac_deploy_testkit::aws_sim::{CallFault, ChangeAction, Operation};

use crate::common::{effect, weights};
use crate::rig::{Rig, config, rig, sdk};

/// The same zone, and an adapter that has just begun.
pub(crate) async fn restarted(rig: Rig) -> Rig {
    let traffic = Route53Traffic::new(&sdk(&rig.aws).await, &Quota::route53(), config());
    Rig { aws: rig.aws, traffic }
}

#[tokio::test]
async fn a_change_that_is_made_again_writes_the_same_once_more_and_can_be_confirmed() {
    let rig = rig().await;
    rig.forward(4, 95, 5).await.unwrap();
    let rig = restarted(rig).await;
    rig.forward(4, 95, 5).await.unwrap();
    assert_eq!(rig.in_zone(), (Some(95), Some(5)));
    assert!(!rig.traffic.is_in_sync(&effect(4)).await.unwrap());
    rig.aws.let_sync();
    assert!(rig.traffic.is_in_sync(&effect(4)).await.unwrap());
}

#[tokio::test]
async fn a_change_from_before_is_confirmed_by_writing_the_records_as_they_are() {
    let rig = rig().await;
    rig.forward(4, 95, 5).await.unwrap();
    let rig = restarted(rig).await;
    assert!(!rig.traffic.is_in_sync(&effect(4)).await.unwrap());
    let changes = rig.aws.changes();
    let actions: Vec<ChangeAction> = changes[1].changes.iter().map(|(action, _)| *action).collect();
    assert_eq!(
        actions,
        [ChangeAction::Delete, ChangeAction::Create, ChangeAction::Delete, ChangeAction::Create]
    );
    assert_eq!(rig.in_zone(), (Some(95), Some(5)));
    rig.aws.let_sync();
    assert!(rig.traffic.is_in_sync(&effect(4)).await.unwrap());
    assert_eq!(rig.aws.changes().len(), 2, "once is enough");
}

#[tokio::test]
async fn writing_once_more_never_overwrites_what_somebody_sets_at_the_same_time() {
    let rig = rig().await;
    rig.forward(4, 95, 5).await.unwrap();
    let rig = restarted(rig).await;
    // The reading is answered late: the weights change after it was taken.
    rig.aws
        .script(Operation::ListResourceRecordSets, [CallFault::Delay(std::time::Duration::from_millis(300))]);
    let by_hand = async {
        tokio::time::sleep(std::time::Duration::from_millis(150)).await;
        rig.by_hand(70, 30);
    };
    let (id, ()) = (effect(4), ());
    let (confirmed, ()) = tokio::join!(rig.traffic.is_in_sync(&id), by_hand);
    assert!(matches!(confirmed, Err(Route53Error::Call(CallError::NoAnswer { .. }))), "{confirmed:?}");
    assert_eq!(rig.in_zone(), (Some(70), Some(30)));
}

#[tokio::test]
async fn a_zone_that_takes_no_such_batch_has_the_change_made_anew() {
    let rig = rig().await;
    rig.back(4).await.unwrap();
    let rig = restarted(rig).await;
    let refusal = CallFault::Refuse {
        status: 400,
        code: "InvalidChangeBatch".into(),
        message: "The request contains a DELETE and a CREATE of one record".into(),
    };
    rig.aws.script(Operation::ChangeResourceRecordSets, [refusal]);
    let confirmed = rig.traffic.is_in_sync(&effect(4)).await;
    assert_eq!(confirmed, Err(Route53Error::UnknownChange(effect(4))));
    // Which is what a rollback does with that answer.
    rig.back(4).await.unwrap();
    rig.aws.let_sync();
    assert!(rig.traffic.is_in_sync(&effect(4)).await.unwrap());
}

#[tokio::test]
async fn a_change_above_the_first_of_ours_was_not_made_before_us() {
    let rig = rig().await;
    rig.forward(4, 95, 5).await.unwrap();
    assert_eq!(rig.traffic.is_in_sync(&effect(5)).await, Err(Route53Error::UnknownChange(effect(5))));
}

#[tokio::test]
async fn an_old_holder_that_waited_for_its_turn_is_refused_before_it_sends() {
    let rig = rig().await;
    // A slow reading; meanwhile a later holder acts.
    rig.aws
        .script(Operation::ListResourceRecordSets, [CallFault::Delay(std::time::Duration::from_millis(300))]);
    let (old_id, new_id) = (effect(1), effect(2));
    let old = rig.traffic.set_weights(&old_id, FencingToken(1), weights(0, 100), Direction::Forward);
    let new = async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        rig.traffic.set_weights(&new_id, FencingToken(2), weights(95, 5), Direction::Forward).await
    };
    let (old, new) = tokio::join!(old, new);
    assert_eq!(old, Err(Route53Error::Fenced { fence: FencingToken(1), seen: FencingToken(2) }));
    new.unwrap();
    assert_eq!(rig.in_zone(), (Some(95), Some(5)));
}
