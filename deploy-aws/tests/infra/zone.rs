//! A live zone, read through the adapter.

use mpac_deploy_aws::infra::check_zone;
use mpac_deploy_aws::{Quota, Route53Traffic};
use mpac_deploy_testkit::aws_sim::{AwsSim, RecordSet, Settings};

use crate::rig::{BLUE, GREEN, NAME, ZONE, config, sdk, zone};

async fn found(aws: &AwsSim) -> Vec<(&'static str, String)> {
    let traffic = Route53Traffic::new(&sdk(aws).await, &Quota::route53(), config());
    let report = check_zone(&traffic).await.unwrap();
    report.findings.into_iter().map(|finding| (finding.rule.id(), finding.place.subject)).collect()
}

fn ids(found: &[(&'static str, String)]) -> Vec<&'static str> {
    found.iter().map(|(id, _)| *id).collect()
}

#[tokio::test]
async fn a_pair_as_it_should_be_is_clean() {
    assert_eq!(found(&zone(Settings::default()).await).await, []);
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
    assert!(check_zone(&traffic).await.is_err());
}
