//! A live zone, read through the adapter.

use mpac_deploy_aws::balancer::{Balancer, Group};
use mpac_deploy_aws::infra::check_zone;
use mpac_deploy_aws::{Quota, Route53Traffic};
use mpac_deploy_testkit::aws_sim::{AwsSim, RecordSet, Settings};

use crate::rig::{BLUE, GREEN, NAME, ZONE, config, sdk, zone};

async fn found(aws: &AwsSim) -> Vec<(&'static str, String)> {
    found_with(aws, &[]).await
}

async fn found_with(aws: &AwsSim, balancers: &[Balancer]) -> Vec<(&'static str, String)> {
    let traffic = Route53Traffic::new(&sdk(aws).await, &Quota::route53(), config());
    let report = check_zone(&traffic, &Ok(balancers.to_vec())).await.unwrap();
    report.findings.into_iter().map(|finding| (finding.id, finding.place)).collect()
}

fn balancer(set: &str, targets: usize, healthy: usize) -> Balancer {
    Balancer::new(format!("{set}.us-east-1.elb.amazonaws.com"), vec![Group::new(set, targets, healthy)])
}

fn ids(found: &[(&'static str, String)]) -> Vec<&'static str> {
    found.iter().map(|(id, _)| *id).collect()
}

#[tokio::test]
async fn a_pair_as_it_should_be_is_clean() {
    assert_eq!(found(&zone(Settings::default()).await).await, []);
}

#[tokio::test]
async fn a_green_that_is_empty_between_rollouts_is_as_it_should_be() {
    let aws = zone(Settings::default()).await;
    assert_eq!(found_with(&aws, &[balancer(BLUE, 3, 3), balancer(GREEN, 0, 0)]).await, []);
}

#[tokio::test]
async fn a_failed_blue_that_green_answers_for_is_found() {
    let aws = zone(Settings::default()).await;
    let found = found_with(&aws, &[balancer(BLUE, 3, 0), balancer(GREEN, 3, 3)]).await;
    assert_eq!(ids(&found), ["unhealthy-alias", "zero-weight-answers"]);
}

#[tokio::test]
async fn what_hurts_is_found_with_the_record() {
    let aws = zone(Settings::default()).await;
    let alias = |set: &str, weight| RecordSet::weighted_alias(NAME, set, weight);
    let mut blue = alias(BLUE, 0);
    blue.health_check_id = Some("abcdef".into());
    let mut green = alias(GREEN, 0);
    green.alias_target = blue.alias_target.clone().map(|mut target| {
        target.evaluate_target_health = false;
        target
    });
    for record in [blue, green, alias("third", 10)] {
        aws.put_record(ZONE, record);
    }
    let found = found(&aws).await;
    assert_eq!(
        ids(&found),
        ["shared-balancer", "both-zero", "health-check", "target-health-off", "third-record"]
    );
    assert_eq!(found[2].1, format!("{NAME}. A {BLUE}"));
}

#[tokio::test]
async fn an_empty_name_is_two_missing_sides() {
    let aws = AwsSim::start(Settings::default()).await.unwrap();
    aws.add_zone(ZONE, "mpac-cloud.com");
    assert_eq!(ids(&found(&aws).await), ["side-missing", "side-missing"]);
}

#[tokio::test]
async fn a_zone_that_cannot_be_read_is_an_error() {
    let aws = AwsSim::start(Settings::default()).await.unwrap();
    let traffic = Route53Traffic::new(&sdk(&aws).await, &Quota::route53(), config());
    assert!(check_zone(&traffic, &Ok(Vec::new())).await.is_err());
}
