//! Witnesses from outside: what others make of the documents.
//!
//! cfn-lint, moto and boto3 come from `xtask/python-requirements.txt`; `cargo xtask test` installs them and runs these tests.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use mpac_deploy_aws::infra::calls::{Adapter, Call, Scope};
use mpac_deploy_aws::infra::{Description, check_zone, cloudformation, terraform};
use mpac_deploy_aws::{Quota, Route53Config, Route53Traffic};
use mpac_deploy_core::ids::RecordName;

use crate::common::{Moto, observed, sdk_at};
use crate::described::{balancer, full, minimal};
use crate::rig::NAME;

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
#[ignore = "needs cfn-lint of xtask/python-requirements.txt: run `cargo xtask test`"]
fn cfn_lint_has_nothing_to_say() {
    let folder = tempfile::tempdir().unwrap();
    for (name, description) in [("minimal.yaml", minimal()), ("full.yaml", full())] {
        let path = folder.path().join(name);
        std::fs::write(&path, cloudformation(&description).unwrap()).unwrap();
        let output = Command::new("cfn-lint").arg(&path).output().unwrap();
        assert!(output.status.success() && output.stdout.is_empty(), "{name}: {}", text(&output));
    }
}

/// Prints, for each action that is given, the kinds of resource that it can be limited to.
const RESOURCES: &str = r#"
import json, sys, cfnlint, pathlib
services = json.loads((pathlib.Path(cfnlint.__file__).parent / "data/AdditionalSpecs/Policies.json").read_text())
for action in sys.argv[1:]:
    service, name = action.split(":")
    actions = {known.lower(): what for known, what in services[service]["Actions"].items()}
    print(action, *(actions[name.lower()] or {}).get("Resources", ["-"]))
"#;

/// What IAM's reference calls the resource of a scope.
fn resource(scope: Scope) -> &'static str {
    match scope {
        Scope::Records | Scope::HostedZone => "hostedzone",
        Scope::Change => "change",
        Scope::Services => "service",
        Scope::TaskDefinitions => "task-definition",
        // The cluster is a condition, since Fargate has no container instances.
        Scope::TaskList => "container-instance",
        Scope::Tasks => "task",
        Scope::Roles => "role",
        Scope::ScalableTargets => "ScalableTarget",
        Scope::ListenerRules => "listener-rule/app",
        Scope::Table => "table",
        Scope::Archive => "object",
        Scope::Topics => "topic",
        Scope::Anything => "-",
        other => panic!("{other:?} has no resource here"),
    }
}

#[test]
#[ignore = "needs cfn-lint of xtask/python-requirements.txt: run `cargo xtask test`"]
fn each_action_exists_and_is_limited_as_far_as_iam_can() {
    let calls: Vec<Call> = Adapter::ALL.into_iter().flat_map(|adapter| adapter.calls()).copied().collect();
    let mut python = Command::new("python3");
    let output = python.args(["-c", RESOURCES]).args(calls.iter().map(|call| call.action)).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(told.lines().count(), calls.len());
    for (call, line) in calls.iter().zip(told.lines()) {
        // A dataset of CloudWatch is not what an alarm's or a balancer's metrics are in.
        let kinds: Vec<&str> =
            line.split(' ').skip(1).map(|kind| if kind == "dataset" { "-" } else { kind }).collect();
        assert!(kinds.contains(&resource(call.scope)), "{line}, and it is limited to {:?}", call.scope);
    }
}

/// Makes a zone and the stack, and tells the zone's id, what the table is, and how long the policy is.
const STACK: &str = r#"
import json, sys, boto3
arguments = dict(endpoint_url=sys.argv[1], region_name="us-east-1", aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="not-a-secret")
zone = boto3.client("route53", **arguments).create_hosted_zone(Name="mpac-cloud.com", CallerReference="1")["HostedZone"]["Id"].split("/")[-1]
boto3.client("cloudformation", **arguments).create_stack(
    StackName="mpac-deploy", TemplateBody=sys.stdin.read(), Capabilities=["CAPABILITY_IAM"],
    Parameters=[{"ParameterKey": "HostedZoneId", "ParameterValue": zone}])
print(zone)
table = boto3.client("dynamodb", **arguments).describe_table(TableName="mpac-deploy")["Table"]
print(*(f'{key["AttributeName"]}:{key["KeyType"]}' for key in table["KeySchema"]), table["BillingModeSummary"]["BillingMode"],
      table["DeletionProtectionEnabled"])
iam = boto3.client("iam", **arguments)
(policy,) = iam.list_policies(Scope="Local")["Policies"]
document = iam.get_policy_version(PolicyArn=policy["Arn"], VersionId=policy["DefaultVersionId"])["PolicyVersion"]["Document"]
print(len(json.dumps(document, separators=(",", ":"))))
"#;

async fn stack(moto: &Moto, description: &Description) -> Vec<String> {
    let (url, template) = (moto.url.clone(), cloudformation(description).unwrap());
    let made = tokio::task::spawn_blocking(move || {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("template.yaml");
        std::fs::write(&path, template).unwrap();
        let input = std::fs::File::open(&path).unwrap();
        Command::new("python3").args(["-c", STACK, &url]).stdin(input).output().unwrap()
    });
    let output = made.await.unwrap();
    assert!(output.status.success(), "{}", text(&output));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[tokio::test]
#[ignore = "needs moto of xtask/python-requirements.txt: run `cargo xtask test`"]
async fn moto_makes_of_the_template_what_a_rollout_needs() {
    let moto = Moto::start().await;
    let mut description = full();
    // moto has no such zone before it is made.
    description.hosted_zone_id = None;
    let told = stack(&moto, &description).await;
    assert_eq!(told[1], "pk:HASH sk:RANGE PAY_PER_REQUEST True");
    let characters: usize = told[2].parse().unwrap();
    assert!((1000..=6144).contains(&characters), "{characters}");
    let config = Route53Config::new(&told[0], RecordName::from(NAME));
    let traffic = Route53Traffic::new(&sdk_at(&moto.url).await, &Quota::route53(), config);
    assert_eq!(traffic.weights().await, Ok(observed(100, 0)));
    let report = check_zone(&traffic, &Ok(Vec::new())).await.unwrap();
    assert_eq!((report.records, report.findings), (4, vec![]));
}

/// Past the test harness, which keeps what a test prints to itself unless it fails.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn terraform_says(folder: &Path, arguments: &[&str]) -> Option<Output> {
    // Without a configuration of its own, so that a plug-in cache or a mirror of the machine counts.
    let mut command = Command::new("terraform");
    match command.args(arguments).current_dir(folder).env("CHECKPOINT_DISABLE", "1").output() {
        Ok(output) => Some(output),
        Err(error) => {
            say(&format!("the Terraform module is not looked at: terraform cannot be started ({error})"));
            None
        }
    }
}

#[test]
#[ignore = "needs a terraform on the PATH, and its provider from the registry: run `cargo xtask test`"]
fn terraform_finds_the_module_well_laid_out_and_valid() {
    for (name, description) in [("minimal", minimal()), ("full", full())] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("main.tf"), terraform(&description).unwrap()).unwrap();
        let Some(format) = terraform_says(folder.path(), &["fmt", "-check", "-diff"]) else { return };
        assert!(format.status.success(), "{name}: {}", text(&format));
        let init =
            terraform_says(folder.path(), &["init", "-backend=false", "-input=false", "-no-color"]).unwrap();
        if !init.status.success() {
            let why = text(&init);
            let why = why.lines().find(|line| line.contains("Error:")).unwrap_or("no reason given").trim();
            say(&format!("{name}.tf is not validated, since the provider cannot be had here: {why}"));
            continue;
        }
        let valid = terraform_says(folder.path(), &["validate", "-no-color"]).unwrap();
        assert!(valid.status.success(), "{name}: {}", text(&valid));
    }
}

/// The description that a deployment without parameters needs.
#[test]
fn a_description_with_everything_has_no_parameter_without_a_default() {
    let mut all = minimal();
    all.hosted_zone_id = Some("Z1".into());
    all.blue.balancer = Some(balancer("blue"));
    all.green.balancer = Some(balancer("green"));
    let template = cloudformation(&all).unwrap();
    let section = template.split("\nParameters:\n").nth(1).unwrap().split("\nRules:\n").next().unwrap();
    let count = |what: &str| section.lines().filter(|line| line.starts_with(what)).count();
    assert_eq!(count("    Type:"), count("    Default:"));
}
