//! Witnesses from outside: another client reads the simulated services, and the adapter works on another simulation.
//!
//! Both come from `xtask/python-requirements.txt`; `cargo xtask test` installs them and runs these tests.

use aws_config::Region;
use mpac_deploy_aws::{EcsConfig, EcsFleet, EcsService, Quota};
use mpac_deploy_core::ids::FencingToken;
use serde_json::Value;

use crate::common::{Moto, effect, python, sdk_at};
use crate::rig::{BLUE, CLUSTER, GREEN, NEW, OLD, release, rig};

/// Reads the services of both sides, but for their deployment configuration, which moto does not show, and their task definitions; asks for
/// what is not there.
const READ: &str = r#"
import json
elb = boto3.client("elbv2", endpoint_url=sys.argv[1], region_name="us-east-1",
                   aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="not-a-secret")
def show(value):
    print(json.dumps(value, sort_keys=True, default=str))
for service in client.describe_services(cluster="mpac", services=sys.argv[2:4], include=["TAGS"])["services"]:
    primary = service["deployments"][0]
    show([service["serviceName"], service["status"], service["desiredCount"], service["launchType"], service["schedulingStrategy"],
          primary["status"], primary["taskDefinition"] == service["taskDefinition"], len(service["loadBalancers"]),
          len(service["networkConfiguration"]["awsvpcConfiguration"]["subnets"])])
    show(sorted(tag["key"] for tag in service["tags"]))
    definition = client.describe_task_definition(taskDefinition=service["taskDefinition"], include=["TAGS"])
    shown = definition["taskDefinition"]
    for member in ("registeredAt", "registeredBy", "requiresAttributes", "taskDefinitionArn", "compatibilities"):
        shown.pop(member, None)
    container = shown["containerDefinitions"][0]
    show([shown["family"], shown["revision"], shown["status"], shown["cpu"], shown["memory"], shown["networkMode"],
          container["name"], container["image"], container["portMappings"][0]["containerPort"], container["secrets"]])
def code(call, **arguments):
    try:
        call(**arguments)
    except Exception as error:
        show([error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]])
code(client.describe_services, cluster="nowhere", services=["x"])
code(client.update_service, cluster="mpac", service="nothing", desiredCount=1)
code(client.describe_task_definition, taskDefinition="nothing")
code(elb.describe_target_health, TargetGroupArn=sys.argv[4] + "0")
show([failure["reason"] for failure in client.describe_services(cluster="mpac", services=["nothing"])["failures"]])
"#;

/// Makes at moto what the simulated AWS of a test has, and prints the ARN of both target groups.
const MAKE: &str = r#"
import json
setup = json.loads(sys.argv[2])
def other(service):
    return boto3.client(service, endpoint_url=sys.argv[1], region_name="us-east-1",
                        aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="not-a-secret")
subnets = other("ec2").describe_subnets()["Subnets"][:2]
elb = other("elbv2")
balancer = elb.create_load_balancer(Name="mpac", Subnets=[subnet["SubnetId"] for subnet in subnets])["LoadBalancers"][0]
groups = {name: elb.create_target_group(Name=name, Protocol="HTTP", Port=8080, VpcId=subnets[0]["VpcId"], TargetType="ip")["TargetGroups"][0]["TargetGroupArn"]
          for name in setup["groups"]}
elb.create_listener(LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTP", Port=80,
                    DefaultActions=[{"Type": "forward", "TargetGroupArn": groups[setup["groups"][0]]}])
client.create_cluster(clusterName="mpac")
definition = setup["definition"]
for member in ("registeredAt", "registeredBy", "requiresAttributes", "taskDefinitionArn", "compatibilities", "revision", "status"):
    definition.pop(member, None)
arn = client.register_task_definition(tags=[{"key": "team", "value": "mpac"}], **definition)["taskDefinition"]["taskDefinitionArn"]
service = setup["service"]
service["loadBalancers"][0]["targetGroupArn"] = groups[setup["groups"][0]]
network = service["networkConfiguration"]["awsvpcConfiguration"]
network["subnets"] = [subnet["SubnetId"] for subnet in subnets]
network["securityGroups"] = [group["GroupId"] for group in other("ec2").describe_security_groups()["SecurityGroups"][:1]]
client.create_service(cluster="mpac", serviceName=setup["groups"][0], taskDefinition=arn, desiredCount=4,
                      tags=[{"key": "team", "value": "mpac"}], **service)
for name in setup["groups"]:
    print(groups[name])
"#;

#[tokio::test]
#[ignore = "needs boto3 of xtask/python-requirements.txt: run `cargo xtask test`"]
async fn boto3_reads_what_the_adapter_has_made() {
    let rig = rig().await;
    rig.provision(1).await.unwrap();
    let group = mpac_deploy_testkit::aws_sim::elbv2::target_group_arn(BLUE);
    let lines = python("ecs", READ, &[&rig.aws.endpoint_url(), BLUE, GREEN, &group]).await;
    assert!(
        lines[0].starts_with(r#"["svc-portal-blue", "ACTIVE", 4, "FARGATE", "REPLICA", "PRIMARY", true, 1"#),
        "{lines:?}"
    );
    assert!(lines[2].contains(OLD) && lines[5].contains(NEW), "{lines:?}");
    assert_eq!(
        lines[2].replace(OLD, NEW).replace(r#"1, "ACTIVE""#, r#"2, "ACTIVE""#),
        lines[5],
        "only image and revision"
    );
    assert!(lines[4].contains("mpac-deploy:effect"), "{lines:?}");
    let codes = [
        r#"["ClusterNotFoundException", 400]"#,
        r#"["ServiceNotFoundException", 400]"#,
        r#"["ClientException", 400]"#,
        r#"["TargetGroupNotFound", 400]"#,
        r#"["MISSING"]"#,
    ];
    assert_eq!(lines[6..], codes);
}

/// What a service was told when it was made, out of what the API shows.
fn told(shown: &Value) -> Value {
    let members = [
        "deploymentConfiguration",
        "healthCheckGracePeriodSeconds",
        "launchType",
        "loadBalancers",
        "networkConfiguration",
        "propagateTags",
    ];
    members
        .iter()
        .map(|member| ((*member).to_owned(), shown[*member].clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

#[tokio::test]
#[ignore = "needs moto and boto3 of xtask/python-requirements.txt: run `cargo xtask test`"]
async fn moto_and_the_simulated_ecs_answer_alike() {
    let (rig, moto) = (rig().await, Moto::start().await);
    let definition = rig.aws.task_definition(&rig.service(BLUE).task_definition).unwrap();
    let service = told(&rig.aws.described_service(CLUSTER, BLUE).unwrap());
    let setup = serde_json::json!({ "groups": [BLUE, GREEN], "definition": definition, "service": service });
    let groups = python("ecs", MAKE, &[&moto.url, &setup.to_string()]).await;

    let config = EcsConfig::new(CLUSTER).with_service(
        EcsService::new(BLUE, GREEN)
            .with_target_groups(groups[0].as_str(), groups[1].as_str())
            .with_image("app", OLD.replace("v2.0.0", "{revision}")),
    );
    let quota = Quota::new(1000, 1000);
    // Where the other client has made them.
    let sdk = sdk_at(&moto.url).await.into_builder().region(Region::new("us-east-1")).build();
    let theirs = EcsFleet::new(&sdk, &quota, &quota, config);
    theirs.provision_green(&effect(1), FencingToken(1), &release()).await.unwrap();
    // A second process finds the same, and changes nothing.
    rig.provision(1).await.unwrap();

    let read = async |url: &str, group: &str| python("ecs", READ, &[url, BLUE, GREEN, group]).await;
    let (ours, theirs) = (read(&rig.aws.endpoint_url(), &groups[0]).await, read(&moto.url, &groups[0]).await);
    assert_eq!(ours, theirs);
}
