//! What a change sends, and what comes of each way in which a call can fail.

use mpac_deploy_aws::{AlbError, AlbTraffic, CallError, Quota, RuleError};
use mpac_deploy_core::effect::Direction;
use mpac_deploy_core::ids::FencingToken;
use mpac_deploy_core::port::PortError;
use mpac_deploy_testkit::aws_sim::elbv2::Action;
use mpac_deploy_testkit::aws_sim::{CallFault, Operation};

use crate::common::{effect, observed, sdk_at, weights};
use crate::rig::{Rig, config, rig, rig_with, rule};

/// The error of a change that is struck by the fault; the change did nothing, and the same one succeeds afterwards.
async fn after(fault: CallFault) -> PortError {
    let rig = rig().await;
    rig.aws.script(Operation::ModifyRule, [fault]);
    let error = rig.forward(1, 95, 5).await.unwrap_err();
    assert_eq!(rig.in_rule(), (100, 0));
    rig.forward(1, 95, 5).await.unwrap();
    assert_eq!(rig.in_rule(), (95, 5));
    assert_eq!(rig.aws.rule_changes().len(), 1);
    error.into()
}

/// The same rule, and an adapter that has just begun.
async fn restarted(rig: Rig) -> Rig {
    let sdk = sdk_at(&rig.aws.endpoint_url()).await;
    Rig { traffic: AlbTraffic::new(&sdk, &Quota::load_balancing(), config()), ..rig }
}

#[tokio::test]
async fn a_change_is_one_reading_and_one_call() {
    let rig = rig().await;
    rig.forward(1, 95, 5).await.unwrap();
    assert_eq!(rig.operations(), [Operation::DescribeRules, Operation::ModifyRule]);
}

#[tokio::test]
async fn everything_but_the_weights_stays_as_it_was() {
    let oidc = [
        ("Issuer", "https://id.example.com"),
        ("AuthorizationEndpoint", "https://id.example.com/authorize"),
        ("TokenEndpoint", "https://id.example.com/token"),
        ("UserInfoEndpoint", "https://id.example.com/me"),
        ("ClientId", "portal & co"),
        ("ClientSecret", "which AWS never shows"),
        ("SessionTimeout", "3600"),
        ("OnUnauthenticatedRequest", "deny"),
    ];
    let settings = oidc.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let login = Action { kind: "authenticate-oidc".into(), order: Some(1), settings, ..Action::default() };
    let mut before = rule(100, 0);
    before.actions[0].order = Some(2);
    before.actions.insert(0, login);
    before.conditions =
        vec![("host-header".into(), vec!["api.mpac-cloud.com".into(), "*.example.com".into()])];
    let rig = rig_with(before.clone(), config()).await;
    rig.forward(1, 95, 5).await.unwrap();

    let mut expected = before;
    let groups = &mut expected.actions[1].forward.as_mut().unwrap().groups;
    (groups[0].weight, groups[1].weight) = (95, 5);
    assert_eq!(rig.aws.rule(&config().rule_arn), Some(expected));
}

#[tokio::test]
async fn throttling_means_again_later() {
    assert!(matches!(after(CallFault::Throttle).await, PortError::Unavailable(_)));
}

#[tokio::test]
async fn an_error_of_the_server_and_a_cut_mean_again_later() {
    assert!(matches!(after(CallFault::ServerError).await, PortError::Unavailable(_)));
    assert!(matches!(after(CallFault::CutBefore).await, PortError::Unavailable(_)));
}

#[tokio::test]
async fn a_missing_permission_is_refused() {
    assert!(matches!(after(CallFault::access_denied()).await, PortError::Refused(_)));
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_is_made_again_with_the_same_weights() {
    let rig = rig().await;
    rig.aws.script(Operation::ModifyRule, [CallFault::CutAfter]);
    let error = rig.forward(1, 95, 5).await.unwrap_err();
    assert!(matches!(error, AlbError::Call(CallError::NoAnswer { .. })), "{error}");
    assert_eq!(rig.in_rule(), (95, 5));
    rig.forward(1, 95, 5).await.unwrap();
    assert_eq!(rig.in_rule(), (95, 5));
    assert!(rig.traffic.is_in_effect(&effect(1)).await.unwrap());
}

#[tokio::test]
async fn what_somebody_else_has_set_after_an_unknown_outcome_is_not_overwritten() {
    let rig = rig().await;
    rig.aws.script(Operation::ModifyRule, [CallFault::CutBefore]);
    assert!(rig.forward(1, 95, 5).await.is_err());
    rig.aws.put_rule(rule(70, 30));
    let expected = RuleError::SomebodyElse {
        rule: config().rule_arn,
        before: observed(100, 0),
        wanted: observed(95, 5),
        found: observed(70, 30),
    };
    assert_eq!(rig.forward(1, 95, 5).await, Err(expected.into()));
    assert_eq!(rig.in_rule(), (70, 30));
}

#[tokio::test]
async fn an_id_that_is_used_again_for_other_weights_is_a_change_of_its_own() {
    let rig = rig().await;
    rig.forward(1, 95, 5).await.unwrap();
    rig.forward(1, 50, 50).await.unwrap();
    assert_eq!(rig.in_rule(), (50, 50));
}

#[tokio::test]
async fn a_change_is_in_effect_once_the_rule_shows_it() {
    let rig = rig().await;
    rig.forward(1, 95, 5).await.unwrap();
    // What a reading of the time before shows.
    rig.aws.put_rule(rule(100, 0));
    assert!(!rig.traffic.is_in_effect(&effect(1)).await.unwrap());
    rig.aws.put_rule(rule(95, 5));
    assert!(rig.traffic.is_in_effect(&effect(1)).await.unwrap());
}

#[tokio::test]
async fn weights_that_somebody_has_set_since_are_left_to_the_read_back() {
    let rig = rig().await;
    rig.forward(1, 95, 5).await.unwrap();
    rig.aws.put_rule(rule(70, 30));
    assert!(rig.traffic.is_in_effect(&effect(1)).await.unwrap());
    assert_eq!(rig.traffic.weights().await, Ok(observed(70, 30)));
}

#[tokio::test]
async fn a_change_from_before_a_restart_is_in_effect_and_one_after_ours_was_not_made() {
    let rig = rig().await;
    rig.forward(4, 95, 5).await.unwrap();
    let rig = restarted(rig).await;
    assert!(rig.traffic.is_in_effect(&effect(4)).await.unwrap());
    rig.forward(5, 50, 50).await.unwrap();
    assert_eq!(rig.traffic.is_in_effect(&effect(6)).await, Err(AlbError::UnknownChange(effect(6))));
    assert_eq!(rig.aws.rule_changes().len(), 2, "nothing is written to confirm");
}

#[tokio::test]
async fn an_old_holder_that_read_slowly_is_refused_before_it_sends() {
    let rig = rig().await;
    rig.aws.script(Operation::DescribeRules, [CallFault::Delay(std::time::Duration::from_millis(300))]);
    let (old_id, new_id) = (effect(1), effect(2));
    let old = rig.traffic.set_weights(&old_id, FencingToken(1), weights(0, 100), Direction::Forward);
    let new = async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        rig.traffic.set_weights(&new_id, FencingToken(2), weights(95, 5), Direction::Forward).await
    };
    let (old, new) = tokio::join!(old, new);
    assert_eq!(old, Err(AlbError::Fenced { fence: FencingToken(1), seen: FencingToken(2) }));
    new.unwrap();
    assert_eq!(rig.in_rule(), (95, 5));
}
