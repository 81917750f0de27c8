//! What IAM is asked about a controller, through the real SDK, over a socket, against the simulated AWS.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, outside a test function")]

#[path = "../common/mod.rs"]
mod common;
mod outside;

use std::collections::BTreeSet;

use mpac_deploy_aws::CallError;
use mpac_deploy_aws::infra::calls::Adapter;
use mpac_deploy_aws::infra::{Description, Fleet};
use mpac_deploy_aws::permissions::{Decision, Permissions, PermissionsError, permissions};
use mpac_deploy_testkit::aws_sim::{AwsSim, Operation, Settings, iam};

use common::sdk_at;

const ADAPTERS: [Adapter; 4] = [Adapter::Route53, Adapter::Fleet, Adapter::Metrics, Adapter::Journal];

fn description() -> Description {
    let mut description = Description::new("api.mpac-cloud.com");
    description.hosted_zone_id = Some("Z1".into());
    description.fence_record = Some("_mpac-deploy.api.mpac-cloud.com".into());
    let names = |prefix: &str| vec![format!("{prefix}-blue"), format!("{prefix}-green")];
    description.fleet = Some(Fleet {
        cluster: "mpac".into(),
        services: names("svc-portal"),
        families: names("svc-portal"),
        roles: vec!["arn:aws:iam::123456789012:role/task".into()],
        suspends_scaling: false,
    });
    description
}

async fn sim(statements: &str) -> AwsSim {
    let aws = AwsSim::start(Settings::default()).await.unwrap();
    aws.put_policy(&format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#)).unwrap();
    aws
}

async fn asked(aws: &AwsSim) -> Result<Permissions, PermissionsError> {
    permissions(&sdk_at(&aws.endpoint_url()).await, &description(), &ADAPTERS).await
}

/// The calls that are not simply allowed, each with its resource's last part.
fn doubtful(permissions: &Permissions) -> BTreeSet<(String, String, Decision)> {
    let doubtful = permissions.verdicts.iter().filter(|verdict| verdict.decision != Decision::Allowed);
    let last = |resource: &str| resource.rsplit(['/', ':']).next().unwrap().to_owned();
    doubtful.map(|one| (one.action.clone(), last(&one.resource), one.decision.clone())).collect()
}

#[tokio::test]
async fn every_call_is_asked_about_on_what_it_acts_on_and_none_of_them_is_made() {
    let aws = sim(r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#).await;
    let asked = asked(&aws).await.unwrap();
    assert_eq!(asked.principal, iam::ROLE_ARN, "the role's path is known");
    assert_eq!(doubtful(&asked), BTreeSet::new());
    let actions: BTreeSet<&str> = asked.verdicts.iter().map(|verdict| verdict.action.as_str()).collect();
    let called: BTreeSet<&str> =
        ADAPTERS.into_iter().flat_map(Adapter::calls).map(|call| call.action).collect();
    assert_eq!(actions, called);
    let on = |action: &str| -> Vec<&str> {
        let of_action = asked.verdicts.iter().filter(|verdict| verdict.action == action);
        of_action.map(|verdict| verdict.resource.as_str()).collect()
    };
    assert_eq!(
        on("ecs:UpdateService"),
        [
            "arn:aws:ecs:eu-central-1:123456789012:service/mpac/svc-portal-blue",
            "arn:aws:ecs:eu-central-1:123456789012:service/mpac/svc-portal-green"
        ]
    );
    assert_eq!(on("route53:ChangeResourceRecordSets"), ["arn:aws:route53:::hostedzone/Z1"]);
    let asks = [Operation::GetCallerIdentity, Operation::GetRole, Operation::SimulatePrincipalPolicy];
    assert!(aws.calls().iter().all(|call| call.operation.is_some_and(|call| asks.contains(&call))));
}

#[tokio::test]
async fn a_role_whose_path_may_not_be_asked_for_is_taken_to_have_none() {
    let aws = sim(r#"{"Effect": "Allow", "Action": "iam:SimulatePrincipalPolicy", "Resource": "*"}"#).await;
    let error = asked(&aws).await.unwrap_err().to_string();
    assert!(error.contains("role/mpac-deploy does not exist"), "{error}");
}

#[tokio::test]
async fn what_is_denied_and_what_hangs_on_the_real_call_are_told_apart() {
    let aws = sim(
        r#"{"Effect": "Allow", "Action": ["cloudwatch:*", "ecs:*", "elasticloadbalancing:Describe*", "iam:GetRole",
            "application-autoscaling:Describe*", "iam:Simulate*", "route53:GetChange", "route53:List*"], "Resource": "*"},
        {"Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:DeleteItem"], "Resource": "*"},
        {"Effect": "Deny", "Action": "ecs:UpdateService", "Resource": "*/svc-portal-green"},
        {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*",
            "Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}},
        {"Effect": "Allow", "Action": "route53:ChangeResourceRecordSets", "Resource": "*",
            "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}}}"#,
    )
    .await;
    let expected = [
        ("dynamodb:UpdateItem", "mpac-deploy", Decision::NotAllowed),
        ("ecs:UpdateService", "svc-portal-green", Decision::Denied),
        ("route53:ChangeResourceRecordSets", "Z1", Decision::Unknown(vec!["aws:SourceVpc".into()])),
    ];
    let expected = expected.map(|(action, resource, decision)| (action.into(), resource.into(), decision));
    assert_eq!(doubtful(&asked(&aws).await.unwrap()), BTreeSet::from(expected));
}

#[tokio::test]
async fn records_are_asked_about_with_all_that_a_change_of_them_says_of_itself() {
    let upserts = |actions: &str| {
        format!(
            r#"{{"Effect": "Allow", "Action": ["iam:*", "route53:*"], "Resource": "*", "Condition": {{"ForAllValues:StringEquals": {{
            "route53:ChangeResourceRecordSetsNormalizedRecordNames": ["api.mpac-cloud.com", "_mpac-deploy.api.mpac-cloud.com"],
            "route53:ChangeResourceRecordSetsRecordTypes": ["A", "TXT"],
            "route53:ChangeResourceRecordSetsActions": [{actions}]}}}}}}"#
        )
    };
    for (actions, allowed) in [(r#""CREATE", "DELETE", "UPSERT""#, true), (r#""UPSERT""#, false)] {
        let aws = sim(&upserts(actions)).await;
        let sdk = sdk_at(&aws.endpoint_url()).await;
        let asked = permissions(&sdk, &description(), &[Adapter::Route53]).await.unwrap();
        assert_eq!(doubtful(&asked).is_empty(), allowed, "{actions}: {asked:?}");
    }
}

#[tokio::test]
async fn whoever_may_not_ask_is_told_by_which_call() {
    let aws = sim(r#"{"Effect": "Allow", "Action": "ecs:*", "Resource": "*"}"#).await;
    let error = asked(&aws).await.unwrap_err();
    let PermissionsError::Call(CallError::AccessDenied { call, .. }) = error else { panic!("{error:?}") };
    assert_eq!(call, "iam:SimulatePrincipalPolicy");
    let sdk = sdk_at(&aws.endpoint_url()).await;
    let nowhere = Description::new("api.mpac-cloud.com");
    let error = permissions(&sdk, &nowhere, &ADAPTERS).await.unwrap_err();
    assert_eq!(error, PermissionsError::NoZone);
}
