//! Witnesses from outside: another client reads the simulated rule, and the adapter works on another simulation.
//!
//! Both come from `xtask/python-requirements.txt`; `cargo xtask test` installs them and runs these tests.

use aws_sdk_elasticloadbalancingv2::Client;
use aws_sdk_elasticloadbalancingv2::error::ProvideErrorMetadata;
use aws_sdk_elasticloadbalancingv2::types::Action;
use mpac_deploy_aws::{AlbConfig, AlbTraffic, Quota};
use mpac_deploy_core::effect::Direction;
use mpac_deploy_core::ids::{FencingToken, RecordName};
use mpac_deploy_testkit::aws_sim::elbv2::ListenerRule;

use crate::common::{Moto, effect, observed, python, sdk_at, weights};
use crate::rig::{NAME, blue, config, green, rig};

/// Reads the rule of the ARN, and asks for what is not there.
const BOTO3: &str = r#"
rule = client.describe_rules(RuleArns=[sys.argv[2]])["Rules"][0]
print(rule["Priority"], rule["IsDefault"], rule["Conditions"][0]["Field"], rule["Conditions"][0]["PathPatternConfig"]["Values"])
forward = rule["Actions"][0]["ForwardConfig"]
print([(group["TargetGroupArn"].split("/")[1], group["Weight"]) for group in forward["TargetGroups"]])
print(forward["TargetGroupStickinessConfig"], "TargetGroupArn" in rule["Actions"][0])
print([rule["Priority"] for page in client.get_paginator("describe_rules").paginate(
    ListenerArn=sys.argv[3], PaginationConfig={"PageSize": 1}) for rule in page["Rules"]])
try:
    client.describe_rules(RuleArns=[sys.argv[2] + "0"])
except client.exceptions.RuleNotFoundException as error:
    print(error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"])
"#;

#[tokio::test]
#[ignore = "needs boto3 of xtask/python-requirements.txt: run `cargo xtask test`"]
async fn boto3_reads_what_the_adapter_has_set() {
    let rig = rig().await;
    let listener = rig.aws.rule(&config().rule_arn).unwrap().listener;
    rig.aws.put_rule(ListenerRule::weighted(&listener, 9, [(blue(), 1), (green(), 1)]));
    rig.forward(1, 95, 5).await.unwrap();
    let lines = python("elbv2", BOTO3, &[&rig.aws.endpoint_url(), &config().rule_arn, &listener]).await;
    let expected = [
        "10 False path-pattern ['/*']",
        "[('svc-portal-blue', 95), ('svc-portal-green', 5)]",
        "{'Enabled': False} False",
        "['9', '10']",
        "RuleNotFound 400",
    ];
    assert_eq!(lines, expected);
}

/// Makes a load balancer with a rule, and lists the ARNs of the rule and its two target groups.
const MOTO: &str = r#"
ec2 = boto3.client("ec2", endpoint_url=sys.argv[1], region_name="us-east-1",
                   aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="not-a-secret")
subnets = ec2.describe_subnets()["Subnets"][:2]
balancer = client.create_load_balancer(Name="mpac", Subnets=[subnet["SubnetId"] for subnet in subnets])
groups = [client.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=subnets[0]["VpcId"])["TargetGroups"][0]["TargetGroupArn"]
          for name in ("svc-portal-blue", "svc-portal-green")]
default = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]
listener = client.create_listener(LoadBalancerArn=balancer["LoadBalancers"][0]["LoadBalancerArn"], Protocol="HTTP", Port=80, DefaultActions=default)
weighted = [{"TargetGroupArn": group, "Weight": weight} for group, weight in zip(groups, (100, 0))]
rule = client.create_rule(ListenerArn=listener["Listeners"][0]["ListenerArn"], Priority=10,
    Conditions=[{"Field": "path-pattern", "Values": ["/*"]}],
    Actions=[{"Type": "forward", "Order": 1, "ForwardConfig": {"TargetGroups": weighted, "TargetGroupStickinessConfig": {"Enabled": False}}}])
print(rule["Rules"][0]["RuleArn"])
for group in groups:
    print(group)
"#;

/// The weights of the rule's actions as a client sees them, and the code with which an unknown rule is refused.
async fn seen(client: &Client, rule: &str) -> (Vec<Vec<Option<i32>>>, Option<bool>, Option<String>) {
    let answer = client.describe_rules().rule_arns(rule).send().await.unwrap();
    let rule_seen = answer.rules().first().unwrap();
    let of = |action: &Action| {
        let groups = action.forward_config.as_ref().unwrap().target_groups();
        groups.iter().map(|group| group.weight).collect()
    };
    let weights = rule_seen.actions().iter().map(of).collect();
    let unknown = client.describe_rules().rule_arns(format!("{rule}0")).send().await.unwrap_err();
    (weights, rule_seen.is_default, unknown.code().map(str::to_owned))
}

async fn shift(traffic: &AlbTraffic) {
    assert_eq!(traffic.weights().await, Ok(observed(100, 0)));
    traffic.set_weights(&effect(1), FencingToken(1), weights(95, 5), Direction::Forward).await.unwrap();
    assert!(traffic.is_in_effect(&effect(1)).await.unwrap());
    assert_eq!(traffic.weights().await, Ok(observed(95, 5)));
}

#[tokio::test]
#[ignore = "needs moto of xtask/python-requirements.txt: run `cargo xtask test`"]
async fn moto_and_the_simulated_load_balancer_answer_alike() {
    let (rig, moto) = (rig().await, Moto::start().await);
    let arns = python("elbv2", MOTO, &[&moto.url]).await;
    let [rule, blue, green] = arns.as_slice() else { panic!("{arns:?}") };
    let theirs_sdk =
        sdk_at(&moto.url).await.into_builder().region(aws_config::Region::new("us-east-1")).build();
    let config_there = AlbConfig::new(rule, RecordName::from(NAME), blue, green);
    let theirs = AlbTraffic::new(&theirs_sdk, &Quota::load_balancing(), config_there);
    let (our_client, their_client) =
        (Client::new(&sdk_at(&rig.aws.endpoint_url()).await), Client::new(&theirs_sdk));

    let ours_seen = seen(&our_client, &config().rule_arn).await;
    assert_eq!(ours_seen, seen(&their_client, rule).await);
    shift(&rig.traffic).await;
    shift(&theirs).await;
    let ours_seen = seen(&our_client, &config().rule_arn).await;
    assert_eq!(ours_seen, seen(&their_client, rule).await);
    assert_eq!(ours_seen.0, [[Some(95), Some(5)]]);
}
