//! What a change sends, and what comes of each way in which a call can fail.

use std::time::Duration;

use mpac_deploy_aws::{
    CallError, Quota, RecordError, Route53Config, Route53Error, Route53Traffic, ZoneError,
};
use mpac_deploy_core::effect::Direction;
use mpac_deploy_core::ids::{EffectId, FencingToken, RecordName, RolloutId};
use mpac_deploy_core::port::PortError;
use mpac_deploy_testkit::aws_sim::{AliasTarget, CallFault, ChangeAction, Operation, RecordSet, Settings};

use crate::common::{effect, observed, weights};
use crate::rig::{BLUE, GREEN, NAME, Rig, ZONE, rig, rig_with, sdk, zone};

fn change_fails(rig: &Rig, fault: CallFault) {
    rig.aws.script(Operation::ChangeResourceRecordSets, [fault]);
}

fn call_error(result: Result<(), Route53Error>) -> Route53Error {
    let Err(error @ (Route53Error::Call(_) | Route53Error::Zone(_))) = result else { panic!("{result:?}") };
    error
}

fn meaning(error: &Route53Error) -> PortError {
    error.clone().into()
}

/// The error of a change that is struck by the fault; the change did nothing, and the same one succeeds afterwards.
async fn after(fault: CallFault) -> Route53Error {
    let rig = rig().await;
    change_fails(&rig, fault);
    let error = call_error(rig.forward(1, 95, 5).await);
    assert_eq!(rig.in_zone(), (Some(100), Some(0)));
    rig.forward(1, 95, 5).await.unwrap();
    assert_eq!(rig.in_zone(), (Some(95), Some(5)));
    assert_eq!(rig.aws.changes().len(), 1);
    error
}

#[tokio::test]
async fn a_change_is_one_batch_of_two_upserts_that_names_its_effect() {
    let rig = rig().await;
    rig.forward(7, 95, 5).await.unwrap();
    let changes = rig.aws.changes();
    assert_eq!(changes.len(), 1);
    let sent: Vec<_> = changes[0]
        .changes
        .iter()
        .map(|(action, record)| (*action, record.set_identifier.as_deref().unwrap(), record.weight.unwrap()))
        .collect();
    assert_eq!(sent, [(ChangeAction::Upsert, BLUE, 95), (ChangeAction::Upsert, GREEN, 5)]);
    let comment = changes[0].comment.as_deref().unwrap();
    assert!(comment.contains(&effect(7).to_string()), "{comment}");
    assert_eq!(rig.operations(), [Operation::ListResourceRecordSets, Operation::ChangeResourceRecordSets]);
}

#[tokio::test]
async fn everything_but_the_weight_stays_as_it_was() {
    let rig = rig().await;
    let odd = AliasTarget {
        hosted_zone_id: "Z215JYRZR1TBD5".into(),
        dns_name: "dualstack.green-2.eu-central-1.elb.amazonaws.com.".into(),
        evaluate_target_health: false,
    };
    let green = RecordSet { alias_target: Some(odd), ..RecordSet::weighted_alias(NAME, GREEN, 0) };
    rig.aws.put_record(ZONE, green.clone());
    let before = rig.aws.records(ZONE);
    rig.forward(1, 95, 5).await.unwrap();
    let after = rig.aws.records(ZONE);
    assert_ne!(before, after);
    let without_weights = |records: Vec<RecordSet>| {
        records.into_iter().map(|record| RecordSet { weight: None, ..record }).collect::<Vec<_>>()
    };
    assert_eq!(without_weights(before), without_weights(after));
}

#[tokio::test]
async fn a_comment_is_no_longer_than_route_53_takes_it() {
    let rig = rig().await;
    let id = EffectId { rollout: RolloutId::new("ü".repeat(400)), number: 1 };
    rig.traffic.set_weights(&id, FencingToken(1), weights(95, 5), Direction::Forward).await.unwrap();
    assert_eq!(rig.aws.changes()[0].comment.as_deref().unwrap().chars().count(), 256);
}

#[tokio::test]
async fn a_throttled_change_did_nothing_and_can_be_made_again() {
    let error = after(CallFault::Throttle).await;
    assert!(
        matches!(error, Route53Error::Call(CallError::Throttled { .. })) && error.did_nothing(),
        "{error}"
    );
    assert!(matches!(meaning(&error), PortError::Unavailable(_)));
}

#[tokio::test]
async fn a_server_error_leaves_the_outcome_unknown() {
    let error = after(CallFault::ServerError).await;
    assert!(
        matches!(error, Route53Error::Call(CallError::NoAnswer { .. })) && !error.did_nothing(),
        "{error}"
    );
    assert!(matches!(meaning(&error), PortError::Unavailable(_)));
}

#[tokio::test]
async fn a_connection_that_is_cut_before_the_effect_leaves_the_outcome_unknown() {
    let error = after(CallFault::CutBefore).await;
    assert!(matches!(error, Route53Error::Call(CallError::NoAnswer { .. })), "{error}");
}

#[tokio::test]
async fn a_missing_permission_is_refused_for_good() {
    let error = after(CallFault::access_denied()).await;
    assert!(matches!(error, Route53Error::Call(CallError::AccessDenied { .. })), "{error}");
    assert!(matches!(meaning(&error), PortError::Refused(_)));
}

#[tokio::test]
async fn expired_credentials_can_be_renewed() {
    let fault = CallFault::Refuse { status: 403, code: "ExpiredToken".into(), message: "expired".into() };
    let error = after(fault).await;
    assert!(matches!(error, Route53Error::Call(CallError::Expired { .. })), "{error}");
    assert!(matches!(meaning(&error), PortError::Unavailable(_)));
}

#[tokio::test]
async fn an_unknown_code_is_told_as_it_is() {
    let fault = CallFault::Refuse { status: 400, code: "SomethingNew".into(), message: "what now".into() };
    let error = after(fault).await;
    assert_eq!(error.to_string(), "ChangeResourceRecordSets: refused with SomethingNew: what now");
    assert!(matches!(meaning(&error), PortError::Refused(_)));
}

#[tokio::test]
async fn an_invalid_batch_is_refused_with_what_aws_says() {
    let error = after(CallFault::Refuse {
        status: 400,
        code: "InvalidChangeBatch".into(),
        message: "[Tried to do what cannot be done]".into(),
    })
    .await;
    assert!(
        matches!(&error, Route53Error::Zone(ZoneError::InvalidChangeBatch { message, .. }) if message.contains("Tried")),
        "{error}"
    );
    assert!(matches!(meaning(&error), PortError::Refused(_)));
}

#[tokio::test]
async fn an_unknown_zone_is_not_found() {
    let aws = zone(Settings::default()).await;
    let config = Route53Config::new("ZNOWHERE", RecordName::from(NAME));
    let traffic = Route53Traffic::new(&sdk(&aws).await, &Quota::route53(), config);
    let error = traffic.weights().await.unwrap_err();
    assert!(matches!(error, Route53Error::Zone(ZoneError::NoSuchHostedZone { .. })), "{error}");
    assert!(matches!(PortError::from(error), PortError::NotFound(_)));
}

#[tokio::test]
async fn an_unknown_change_is_not_found() {
    let rig = rig().await;
    rig.forward(1, 95, 5).await.unwrap();
    let lost = CallFault::Refuse { status: 404, code: "NoSuchChange".into(), message: "lost".into() };
    rig.aws.script(Operation::GetChange, [lost]);
    let error = rig.traffic.is_in_sync(&effect(1)).await.unwrap_err();
    assert!(matches!(error, Route53Error::Zone(ZoneError::NoSuchChange { .. })), "{error}");
    assert!(matches!(PortError::from(error), PortError::NotFound(_)));
}

#[tokio::test]
async fn a_busy_zone_takes_the_change_a_little_later() {
    let rig = rig_with(Settings::default().with_zone_busy(Duration::from_millis(300))).await;
    rig.forward(1, 95, 5).await.unwrap();
    let error = call_error(rig.forward(2, 50, 50).await);
    assert!(
        matches!(error, Route53Error::Zone(ZoneError::PriorRequestNotComplete { .. })) && error.did_nothing(),
        "{error}"
    );
    assert!(matches!(meaning(&error), PortError::Unavailable(_)));
    assert_eq!(rig.in_zone(), (Some(95), Some(5)));
    tokio::time::sleep(Duration::from_millis(350)).await;
    rig.forward(2, 50, 50).await.unwrap();
    assert_eq!(rig.in_zone(), (Some(50), Some(50)));
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_not_waited_for_without_end() {
    let rig = rig().await;
    change_fails(&rig, CallFault::Delay(Duration::from_secs(60)));
    let began = std::time::Instant::now();
    let error = call_error(rig.forward(1, 95, 5).await);
    assert!(began.elapsed() < Duration::from_secs(10));
    assert!(matches!(error, Route53Error::Call(CallError::NoAnswer { .. })), "{error}");
}

#[tokio::test]
async fn a_change_whose_answer_was_lost_is_made_again_without_harm() {
    let rig = rig().await;
    change_fails(&rig, CallFault::CutAfter);
    let error = call_error(rig.forward(1, 95, 5).await);
    assert!(matches!(error, Route53Error::Call(CallError::NoAnswer { .. })), "{error}");
    assert_eq!(rig.in_zone(), (Some(95), Some(5)));
    rig.forward(1, 95, 5).await.unwrap();
    assert_eq!(rig.in_zone(), (Some(95), Some(5)));
    let changes = rig.aws.changes();
    assert_eq!(changes.len(), 2);
    assert_eq!(changes[0].changes, changes[1].changes, "an idempotent repeat");
    rig.aws.let_sync();
    assert!(rig.traffic.is_in_sync(&effect(1)).await.unwrap());
}

#[tokio::test]
async fn after_an_unknown_outcome_somebody_elses_weights_are_not_overwritten() {
    let rig = rig().await;
    change_fails(&rig, CallFault::CutAfter);
    call_error(rig.forward(1, 95, 5).await);
    rig.by_hand(70, 30);
    let error = rig.forward(1, 95, 5).await.unwrap_err();
    let expected = RecordError::SomebodyElse {
        name: NAME.into(),
        before: observed(100, 0),
        wanted: observed(95, 5),
        found: observed(70, 30),
    };
    assert_eq!(error, Route53Error::Record(expected));
    assert!(matches!(PortError::from(error), PortError::Refused(_)));
    assert_eq!(rig.in_zone(), (Some(70), Some(30)));
}

#[tokio::test]
async fn the_sdk_makes_one_attempt_and_no_more() {
    let rig = rig().await;
    rig.aws.strike(1.0, &[CallFault::ServerError], 1);
    assert!(rig.traffic.weights().await.is_err());
    assert_eq!(rig.operations().len(), 1);
}
