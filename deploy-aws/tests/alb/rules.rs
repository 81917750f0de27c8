//! Rules that are no blue-green pair: each by its own error, and none is changed.

use std::time::Duration;

use mpac_deploy_aws::{AlbError, RuleError, Severity};
use mpac_deploy_core::port::PortError;
use mpac_deploy_testkit::aws_sim::elbv2::{
    Action, GroupStickiness, ListenerRule, WeightedGroup, rule_arn, target_group_arn,
};

use crate::common::observed;
use crate::rig::{Rig, blue, config, green, rig, rig_with, rule};

/// The error of reading, which is that of a change, too; a change changes nothing.
async fn error_of(rig: &Rig) -> (RuleError, PortError) {
    let read = rig.traffic.weights().await.unwrap_err();
    assert_eq!(rig.forward(1, 95, 5).await, Err(read.clone()));
    assert!(rig.aws.rule_changes().is_empty());
    let AlbError::Rule(error) = read.clone() else { panic!("{read:?}") };
    (error, read.into())
}

async fn error(rule: ListenerRule) -> (RuleError, PortError) {
    error_of(&rig_with(rule, config()).await).await
}

fn groups(change: impl FnOnce(&mut Vec<WeightedGroup>)) -> ListenerRule {
    let mut rule = rule(100, 0);
    change(&mut rule.actions[0].forward.as_mut().unwrap().groups);
    rule
}

fn sticky(seconds: u32) -> ListenerRule {
    let mut rule = rule(100, 0);
    let forward = rule.actions[0].forward.as_mut().unwrap();
    forward.stickiness = GroupStickiness { enabled: true, duration_seconds: Some(seconds) };
    rule
}

#[tokio::test]
async fn a_rule_that_is_gone_is_not_found() {
    let rig = rig().await;
    rig.aws.remove_rule(&config().rule_arn);
    let (error, meaning) = error_of(&rig).await;
    assert_eq!(error, RuleError::Missing { rule: config().rule_arn });
    assert!(matches!(meaning, PortError::NotFound(_)));
}

#[tokio::test]
async fn a_default_rule_belongs_to_its_listener() {
    let default = ListenerRule { priority: "default".into(), conditions: Vec::new(), ..rule(100, 0) };
    let mut config = config();
    config.rule_arn = rule_arn(&default.listener, "default");
    let (error, meaning) = error_of(&rig_with(default, config).await).await;
    assert!(matches!(error, RuleError::Default { .. }), "{error}");
    assert!(matches!(meaning, PortError::Refused(_)));
}

#[tokio::test]
async fn a_rule_that_does_not_forward_has_no_weight() {
    let settings = [("StatusCode".to_owned(), "503".to_owned())].into();
    let fixed = Action { kind: "fixed-response".into(), order: Some(1), settings, ..Action::default() };
    let (error, _) = error(ListenerRule { actions: vec![fixed], ..rule(100, 0) }).await;
    let RuleError::NoForward { actions, .. } = error else { panic!("{error}") };
    assert_eq!(actions, "fixed-response");
}

#[tokio::test]
async fn one_group_in_place_of_two_is_named() {
    let (error, meaning) = error(groups(|groups| drop(groups.pop()))).await;
    let RuleError::MissingGroup { group, found, .. } = error else { panic!("{error}") };
    assert_eq!((group, found), (green(), blue()));
    assert!(matches!(meaning, PortError::NotFound(_)));
}

#[tokio::test]
async fn a_third_group_is_refused_also_at_weight_0() {
    let third = target_group_arn("svc-portal-purple");
    let tuple = WeightedGroup { target_group_arn: third.clone(), weight: 0 };
    let (error, meaning) = error(groups(|groups| groups.push(tuple))).await;
    assert_eq!(error, RuleError::Third { rule: config().rule_arn, third });
    assert!(matches!(meaning, PortError::Refused(_)));
}

#[tokio::test]
async fn a_weight_that_a_rollout_does_not_have_is_not_cut_to_size() {
    let (error, _) = error(rule(999, 0)).await;
    let expected = RuleError::Weight { rule: config().rule_arn, group: blue(), weight: 999 };
    assert_eq!(error, expected);
}

#[tokio::test]
async fn one_group_on_both_sides_is_no_pair() {
    let mut config = config();
    config.green_group = blue();
    let (error, _) = error_of(&rig_with(rule(100, 0), config).await).await;
    assert_eq!(error, RuleError::OneGroup { group: blue() });
}

#[tokio::test]
async fn long_stickiness_stops_the_way_forward_and_not_the_way_back() {
    let rig = rig_with(sticky(3600), config()).await;
    // A reading is none of its business: a rollback is read back as well.
    assert_eq!(rig.traffic.weights().await, Ok(observed(100, 0)));
    assert_eq!(rig.traffic.stickiness().await, Ok(Some(Duration::from_secs(3600))));
    let traps = rig.traffic.traps().await.unwrap();
    assert_eq!((traps.len(), traps[0].id, traps[0].severity), (1, "sticky-groups", Severity::Error));
    let error = rig.forward(1, 95, 5).await.unwrap_err();
    assert!(error.to_string().contains("a rollback leaves the others with green for as long"), "{error}");
    let (sticky, limit) = (Duration::from_secs(3600), Duration::from_secs(60));
    assert_eq!(error, AlbError::Rule(RuleError::Sticky { rule: config().rule_arn, sticky, limit }));
    rig.back(2).await.unwrap();
    assert_eq!(rig.aws.rule_changes().len(), 1);
}

#[tokio::test]
async fn stickiness_as_short_as_a_ttl_is_kept_as_it_is() {
    let rig = rig_with(sticky(60), config()).await;
    assert_eq!(rig.traffic.traps().await.unwrap()[0].severity, Severity::Warning);
    rig.forward(1, 95, 5).await.unwrap();
    let forward = rig.aws.rule(&config().rule_arn).unwrap().forward().unwrap().clone();
    assert_eq!(forward.stickiness, GroupStickiness { enabled: true, duration_seconds: Some(60) });
    let longer = config().with_stickiness_up_to(Duration::from_secs(3600));
    rig_with(sticky(3600), longer).await.forward(1, 95, 5).await.unwrap();
}
