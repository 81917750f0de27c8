//! What Route 53 does that the weights do not say, found before it hurts.

use mpac_deploy_aws::balancer::{Balancer, Group};
use mpac_deploy_aws::route53::traps;
use mpac_deploy_aws::{Finding, Severity};
use mpac_deploy_testkit::aws_sim::RecordSet;

use crate::dual::dual;
use crate::rig::{BLUE, GREEN, NAME, Rig, ZONE, rig};

const WARNING: Severity = Severity::Warning;
const ERROR: Severity = Severity::Error;

fn balancer(set: &str, groups: &[(&str, usize, usize)]) -> Balancer {
    let groups = groups.iter().map(|(name, targets, healthy)| Group::new(*name, *targets, *healthy));
    // As the load balancer itself is called, where the record asks for IPv6 too.
    Balancer::new(format!("{set}.us-east-1.elb.amazonaws.com"), groups.collect())
}

async fn found(rig: &Rig, balancers: &[Balancer]) -> Vec<Finding> {
    traps(&rig.traffic.pair_records().await.unwrap(), balancers)
}

fn ids(findings: &[Finding]) -> Vec<(&'static str, Severity)> {
    findings.iter().map(|finding| (finding.id, finding.severity)).collect()
}

#[tokio::test]
async fn before_a_rollout_green_is_empty_and_that_is_told() {
    let (blue, green) = (balancer(BLUE, &[("blue", 3, 3)]), balancer(GREEN, &[("green", 0, 0)]));
    let findings = found(&rig().await, &[blue, green]).await;
    assert_eq!(ids(&findings), [("empty-target-group", WARNING)]);
    let text = findings[0].to_string();
    assert!(
        text.contains("api.mpac-cloud.com. A `green-environment`") && text.contains("`green` is empty"),
        "{text}"
    );
}

#[tokio::test]
async fn after_a_rollback_a_healthy_green_stands_by_at_weight_0() {
    let (blue, green) = (balancer(BLUE, &[("blue", 3, 3)]), balancer(GREEN, &[("green", 3, 2)]));
    let findings = found(&rig().await, &[blue, green]).await;
    assert_eq!(ids(&findings), [("zero-weight-answers", WARNING)]);
    assert!(findings[0].problem.contains("whenever blue has nobody healthy"), "{}", findings[0]);
}

#[tokio::test]
async fn a_failed_blue_is_silently_served_by_green() {
    let (blue, green) = (balancer(BLUE, &[("blue", 3, 0)]), balancer(GREEN, &[("green", 3, 3)]));
    let findings = found(&rig().await, &[blue, green]).await;
    assert_eq!(ids(&findings), [("unhealthy-alias", ERROR), ("zero-weight-answers", ERROR)]);
    assert!(findings[1].problem.contains("green has the weight 0 and serves everybody"), "{}", findings[1]);
}

#[tokio::test]
async fn one_empty_group_of_several_makes_the_whole_balancer_unhealthy() {
    let blue = balancer(BLUE, &[("portal", 3, 3), ("smarttab", 0, 0)]);
    let findings = found(&rig().await, &[blue, balancer(GREEN, &[("green", 0, 0)])]).await;
    assert_eq!(ids(&findings), [("unhealthy-alias", ERROR), ("empty-target-group", WARNING)]);
    assert!(findings[0].problem.contains("`smarttab` is empty"), "{}", findings[0]);
}

#[tokio::test]
async fn one_balancer_for_both_sides_is_no_pair() {
    let rig = rig().await;
    let mut green = RecordSet::weighted_alias(NAME, GREEN, 0);
    green.alias_target = RecordSet::weighted_alias(NAME, BLUE, 0).alias_target;
    rig.aws.put_record(ZONE, green);
    let findings = found(&rig, &[balancer(BLUE, &[("blue", 3, 3), ("green", 0, 0)])]).await;
    assert_eq!(ids(&findings), [("shared-balancer", ERROR)]);
    assert!(findings[0].problem.contains("`green` is empty"), "{}", findings[0]);
}

#[tokio::test]
async fn without_evaluate_target_health_route_53_does_not_look() {
    let rig = rig().await;
    for (set, weight) in [(BLUE, 100), (GREEN, 0)] {
        let mut record = RecordSet::weighted_alias(NAME, set, weight);
        record.alias_target.as_mut().unwrap().evaluate_target_health = false;
        rig.aws.put_record(ZONE, record);
    }
    let sick = [balancer(BLUE, &[("blue", 3, 0)]), balancer(GREEN, &[("green", 3, 3)])];
    assert_eq!(found(&rig, &sick).await, []);
}

#[tokio::test]
async fn what_is_not_known_of_a_balancer_is_said_and_both_types_are_looked_at() {
    let findings = found(&dual(100, 0).await, &[]).await;
    assert_eq!(ids(&findings), [("zero-weight-answers", WARNING), ("zero-weight-answers", WARNING)]);
    assert!(findings[0].problem.contains("its health is not known"), "{}", findings[0]);
    assert!(findings[1].place.contains("AAAA"), "{}", findings[1]);
}

#[tokio::test]
async fn in_the_middle_of_a_rollout_with_both_healthy_there_is_none() {
    let rig = rig().await;
    rig.forward(1, 50, 50).await.unwrap();
    let both = [balancer(BLUE, &[("blue", 3, 3)]), balancer(GREEN, &[("green", 3, 3)])];
    assert_eq!(found(&rig, &both).await, []);
}
