//! Who is healthy behind the balancers that records lead to.

use mpac_deploy_aws::balancer::{Balancer, Group, balancers};
use mpac_deploy_aws::{CallError, Quota};
use mpac_deploy_testkit::aws_sim::elbv2::TargetGroup;
use mpac_deploy_testkit::aws_sim::{AwsSim, CallFault, Operation, Settings};

use crate::common::sdk_at;

const BLUE: &str = "svc-portal-blue";
const GREEN: &str = "svc-portal-green";

fn dns(name: &str) -> String {
    format!("{name}-123.us-east-1.elb.amazonaws.com")
}

/// Blue with three tasks, green without a service, each behind a balancer of its own, and a hundred others.
async fn aws() -> AwsSim {
    let aws = AwsSim::start(Settings::default()).await.unwrap();
    for (service, tasks) in [(BLUE, 3), (GREEN, 0)] {
        aws.put_environment("mpac", service, "portal:1", tasks).unwrap();
        aws.put_load_balancer(service, &dns(service));
    }
    for number in 0..100 {
        aws.put_load_balancer(&format!("other-{number}"), &dns(&format!("other-{number}")));
    }
    aws
}

async fn read(aws: &AwsSim, names: &[&str]) -> Result<Vec<Balancer>, CallError> {
    balancers(&sdk_at(&aws.endpoint_url()).await, &Quota::load_balancing(), names).await
}

#[tokio::test]
async fn the_balancers_of_the_records_are_found_with_their_groups() {
    let aws = aws().await;
    let names = [format!("dualstack.{}.", dns(BLUE)), dns(GREEN).to_uppercase(), dns("gone")];
    let found = read(&aws, &names.each_ref().map(String::as_str)).await.unwrap();
    let expected = [
        Balancer::new(dns(BLUE), vec![Group::new(BLUE, 3, 3)]),
        Balancer::new(dns(GREEN), vec![Group::new(GREEN, 0, 0)]),
    ];
    assert_eq!(found, expected);
    assert_eq!(aws.calls().len(), 5, "one listing, and two calls for each");
}

#[tokio::test]
async fn a_sick_target_and_a_second_group_are_counted() {
    let aws = aws().await;
    aws.put_target_group(TargetGroup::behind("svc-smarttab-blue", BLUE));
    aws.break_targets(BLUE, 2);
    let found = read(&aws, &[&dns(BLUE)]).await.unwrap();
    let groups = [Group::new(BLUE, 3, 1), Group::new("svc-smarttab-blue", 0, 0)];
    assert_eq!(found[0].groups.len(), 2);
    assert!(groups.iter().all(|group| found[0].groups.contains(group)), "{found:?}");
}

#[tokio::test]
async fn a_permission_that_is_missing_is_named() {
    let aws = aws().await;
    aws.script(Operation::DescribeTargetHealth, [CallFault::access_denied()]);
    let error = read(&aws, &[&dns(BLUE)]).await.unwrap_err();
    assert!(matches!(error, CallError::AccessDenied { call: "DescribeTargetHealth", .. }), "{error}");
}
