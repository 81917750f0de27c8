//! The description as a CloudFormation template, and the stack policy that goes with it.

use super::description::RecordType;
use super::policy::{self, Condition, Statement};
use super::yaml::{Node, call, entries_of, list, map, number, reference, sub, text, version, write, yes};
use super::{Balancer, Description, InfraError, Side};

const HEADER: &str = "\
# The weighted records of a blue-green pair, the journal's table, and what a controller may do. Made by `mpac-deploy infra template`.
#
# A stack of its own: it shares no stack with the load balancers, whose replacement would rewrite the records. CloudFormation writes a
# record, weight and all, whenever one of its properties changes in the template or in a parameter. So deploy it together with its stack
# policy (`mpac-deploy infra template --format stack-policy`), which refuses every update of a record:
#
#   aws cloudformation create-stack --stack-name NAME --template-body file://THIS --capabilities CAPABILITY_IAM \\
#     --enable-termination-protection --stack-policy-body file://stack-policy.json --parameters ...
#
# To change a record all the same: between rollouts, with BlueWeight and GreenWeight set to what the zone has.
";

const STACK_POLICY: &str = r#"{
  "Statement": [
    { "Effect": "Allow", "Principal": "*", "Action": "Update:*", "Resource": "*" },
    {
      "Effect": "Deny",
      "Principal": "*",
      "Action": "Update:*",
      "Resource": "*",
      "Condition": { "StringEquals": { "ResourceType": ["AWS::Route53::RecordSet"] } }
    }
  ]
}
"#;

/// The template, in YAML.
///
/// # Errors
/// [`InfraError`] if the description is one for which there is no right template.
pub fn cloudformation(description: &Description) -> Result<String, InfraError> {
    description.check()?;
    let document = map([
        ("AWSTemplateFormatVersion", version("2010-09-09")),
        ("Description", text(format!("mpac-deploy: blue and green of {}", description.record))),
        ("Parameters", parameters(description)),
        ("Rules", rules()),
        ("Resources", resources(description)?),
        ("Outputs", outputs()),
    ]);
    Ok(format!("{HEADER}{}", write(&document)?))
}

/// The stack policy for a stack of that template, in JSON: whatever a later update brings, it leaves the records alone.
#[must_use]
pub const fn stack_policy() -> &'static str {
    STACK_POLICY
}

fn parameters(description: &Description) -> Node {
    let zone = parameter(
        "AWS::Route53::HostedZone::Id",
        "The hosted zone of the records.",
        description.hosted_zone_id.as_deref(),
    );
    let mut all = vec![("HostedZoneId".to_owned(), zone)];
    for (name, side) in [("Blue", &description.blue), ("Green", &description.green)] {
        let balancer = side.balancer.as_ref();
        let dns = balancer.map(|balancer: &Balancer| balancer.dns_name.as_str());
        let zone = balancer.map(|balancer| balancer.zone_id.as_str());
        let word = name.to_ascii_lowercase();
        all.push((
            format!("{name}LoadBalancerDnsName"),
            parameter("String", &format!("DNSName of the load balancer of {word}."), dns),
        ));
        all.push((
            format!("{name}LoadBalancerZoneId"),
            parameter("String", &format!("CanonicalHostedZoneID of the load balancer of {word}."), zone),
        ));
    }
    for (name, initial) in [("BlueWeight", 100), ("GreenWeight", 0)] {
        all.push((name.into(), weight(initial)));
    }
    entries_of(all)
}

fn parameter(kind: &str, says: &str, default: Option<&str>) -> Node {
    let mut entries = vec![("Type".to_owned(), text(kind)), ("Description".into(), text(says))];
    entries.extend(default.map(|default| ("Default".into(), text(default))));
    entries_of(entries)
}

fn weight(initial: i64) -> Node {
    map([
        ("Type", text("Number")),
        (
            "Description",
            text("The weight when the record is created; when it is updated, the one that the zone has."),
        ),
        ("Default", number(initial)),
        ("MinValue", number(0)),
        ("MaxValue", number(255)),
    ])
}

/// What no parameter may be set to.
fn rules() -> Node {
    let zero = |name| call("Equals", list([reference(name), text("0")]));
    let same = ["BlueLoadBalancerDnsName", "GreenLoadBalancerDnsName"].map(reference);
    map([
        (
            "TwoLoadBalancers",
            assertion(
                call("Equals", list(same)),
                "Blue and green need a load balancer each: on one, an empty green fails blue too.",
            ),
        ),
        (
            "NotBothZero",
            assertion(
                call("And", list([zero("BlueWeight"), zero("GreenWeight")])),
                "Two weights of 0 are an equal split, not off.",
            ),
        ),
    ])
}

fn assertion(must_not_be: Node, says: &str) -> Node {
    let assertion = map([("Assert", call("Not", list([must_not_be]))), ("AssertDescription", text(says))]);
    map([("Assertions", list([assertion]))])
}

fn resources(description: &Description) -> Result<Node, InfraError> {
    let mut all = Vec::new();
    for kind in description.types() {
        for (name, side) in [("Blue", &description.blue), ("Green", &description.green)] {
            let id = format!("{name}{}", kind.pick("Record", "RecordIpv6"));
            all.push((id, record(description, name, side, *kind)));
        }
    }
    all.extend(description.journal_table.iter().map(|name| ("JournalTable".to_owned(), table(name))));
    all.push(("ControllerPolicy".into(), managed_policy(&policy::statements(description)?)));
    Ok(entries_of(all))
}

fn record(description: &Description, name: &str, side: &Side, kind: RecordType) -> Node {
    let target = map([
        ("DNSName", reference(&format!("{name}LoadBalancerDnsName"))),
        ("HostedZoneId", reference(&format!("{name}LoadBalancerZoneId"))),
        ("EvaluateTargetHealth", yes()),
    ]);
    let properties = map([
        ("HostedZoneId", reference("HostedZoneId")),
        ("Name", text(&*description.record)),
        ("Type", text(kind.as_str())),
        ("SetIdentifier", text(&*side.set)),
        ("Weight", reference(&format!("{name}Weight"))),
        ("AliasTarget", target),
    ]);
    kept("AWS::Route53::RecordSet", properties)
}

/// A resource that outlives its stack: without the records nobody finds the service, and without the journal no rollout goes on.
fn kept(kind: &str, properties: Node) -> Node {
    map([
        ("Type", text(kind)),
        ("DeletionPolicy", text("Retain")),
        ("UpdateReplacePolicy", text("Retain")),
        ("Properties", properties),
    ])
}

fn table(name: &str) -> Node {
    let attribute = |name| map([("AttributeName", text(name)), ("AttributeType", text("S"))]);
    let key = |name, kind| map([("AttributeName", text(name)), ("KeyType", text(kind))]);
    let properties = map([
        ("TableName", text(name)),
        ("BillingMode", text("PAY_PER_REQUEST")),
        ("AttributeDefinitions", list([attribute("pk"), attribute("sk")])),
        ("KeySchema", list([key("pk", "HASH"), key("sk", "RANGE")])),
        ("PointInTimeRecoverySpecification", map([("PointInTimeRecoveryEnabled", yes())])),
        ("DeletionProtectionEnabled", yes()),
    ]);
    kept("AWS::DynamoDB::Table", properties)
}

fn managed_policy(statements: &[Statement]) -> Node {
    let document =
        map([("Version", version("2012-10-17")), ("Statement", list(statements.iter().map(statement)))]);
    let properties = map([
        ("Description", text("What a controller of mpac-deploy calls, and nothing else")),
        ("PolicyDocument", document),
    ]);
    map([("Type", text("AWS::IAM::ManagedPolicy")), ("Properties", properties)])
}

fn statement(statement: &Statement) -> Node {
    let mut entries = vec![
        ("Sid".to_owned(), text(statement.sid)),
        ("Effect".into(), text("Allow")),
        ("Action".into(), list(statement.actions.iter().map(|action| text(*action)))),
        ("Resource".into(), list(statement.resources.iter().map(sub))),
    ];
    entries.extend(statement.condition.as_ref().map(|by| ("Condition".into(), condition(by))));
    entries_of(entries)
}

fn condition(condition: &Condition) -> Node {
    let keys = condition.keys.iter();
    let keys = keys.map(|(key, values)| ((*key).to_owned(), list(values.iter().map(sub))));
    entries_of([(condition.operator.to_owned(), entries_of(keys))])
}

fn outputs() -> Node {
    let policy = map([
        ("Description", text("Attach it to the role that a controller runs with.")),
        ("Value", reference("ControllerPolicy")),
    ]);
    map([("ControllerPolicyArn", policy)])
}
