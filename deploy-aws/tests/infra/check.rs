//! Our own documents are clean, and each rule finds what it is for.

use std::collections::BTreeSet;

use mpac_deploy_aws::infra::{
    Format, InfraError, Options, Report, Rule, check, cloudformation, stack_policy, terraform,
};

use crate::described::{full, minimal};

const STRATEGY: &str = include_str!("templates/strategy.yaml");

fn yaml(text: &str) -> Report {
    check(text, Format::CloudFormation, &Options::default()).unwrap()
}

fn tf(text: &str) -> Report {
    check(text, Format::Terraform, &Options::default()).unwrap()
}

fn ids(report: &Report) -> Vec<&'static str> {
    report.findings.iter().map(|finding| finding.id).collect()
}

/// A change to a document, and what is then found, in the order of the lines.
type Spoiled = (&'static str, &'static str, &'static [Rule]);

const YAML: [Spoiled; 24] = [
    ("Weight: !Ref BlueWeight", "Weight: 100", &[Rule::WeightHardCoded]),
    ("Weight: !Ref BlueWeight", "Weight: '100'", &[Rule::WeightHardCoded]),
    ("Weight: !Ref BlueWeight", "Weight: !If [Prod, 100, 50]", &[Rule::WeightHardCoded]),
    ("Weight: !Ref BlueWeight", "Weight: 256", &[Rule::WeightOutOfRange, Rule::WeightHardCoded]),
    ("Default: 100", "Default: 12.5", &[Rule::WeightOutOfRange]),
    ("Default: 100", "Default: 0", &[Rule::BothZero]),
    ("Weight: !Ref BlueWeight", "Region: us-east-1", &[Rule::NotWeighted]),
    ("      Weight: !Ref BlueWeight\n", "", &[Rule::NotWeighted]),
    ("    DeletionPolicy: Retain\n", "", &[Rule::NotKept]),
    ("    DeletionPolicy: Retain\n", "    DeletionPolicy: Delete\n", &[Rule::NotKept]),
    ("EvaluateTargetHealth: true", "EvaluateTargetHealth: false", &[Rule::TargetHealthOff]),
    ("        EvaluateTargetHealth: true\n", "", &[Rule::TargetHealthOff]),
    (
        "!Ref GreenLoadBalancerDnsName\n        HostedZoneId",
        "!Ref BlueLoadBalancerDnsName\n        HostedZoneId",
        &[Rule::SharedBalancer],
    ),
    ("SetIdentifier: green-environment", "SetIdentifier: green", &[Rule::SideMissing, Rule::ThirdRecord]),
    (
        "Type: A\n      SetIdentifier",
        "Type: A\n      HealthCheckId: abc\n      SetIdentifier",
        &[Rule::HealthCheck],
    ),
    ("DeletionProtectionEnabled: true", "DeletionProtectionEnabled: false", &[Rule::TableUnprotected]),
    ("      DeletionProtectionEnabled: true\n", "", &[Rule::TableUnprotected]),
    ("PointInTimeRecoveryEnabled: true", "PointInTimeRecoveryEnabled: false", &[Rule::TableNoRecovery]),
    ("\"route53:GetChange\"", "\"route53:Get*\"", &[Rule::WildcardAction]),
    (
        "Action:\n              - \"route53:GetChange\"",
        "NotAction: iam:*",
        &[Rule::WildcardAction, Rule::AnyRecord],
    ),
    (
        "Resource:\n              - !Sub \"arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/mpac-deploy\"",
        "Resource: '*'",
        &[Rule::WildcardResource],
    ),
    ("\"ecs:cluster\"", "\"aws:SourceIp\"", &[Rule::WildcardResource]),
    ("route53:ChangeResourceRecordSetsNormalizedRecordNames", "aws:SourceIp", &[Rule::AnyRecord]),
    ("iam:PassedToService", "aws:SourceIp", &[Rule::PassRoleAnywhere]),
];

const HCL: [Spoiled; 14] = [
    ("      weighted_routing_policy\n", "      alias\n", &[Rule::WeightNotIgnored]),
    ("    ignore_changes = [\n      weighted_routing_policy\n    ]\n", "    ignore_changes = all\n", &[]),
    ("    prevent_destroy = true\n\n    precondition", "    precondition", &[Rule::NotKept]),
    ("weight = var.blue_initial_weight", "weight = 300", &[Rule::WeightOutOfRange]),
    ("default     = 100", "default     = 0", &[Rule::BothZero]),
    ("evaluate_target_health = true", "evaluate_target_health = false", &[Rule::TargetHealthOff]),
    (
        "var.green_load_balancer_dns_name\n    zone_id",
        "var.blue_load_balancer_dns_name\n    zone_id",
        &[Rule::SharedBalancer],
    ),
    (
        "set_identifier = \"blue-environment\"",
        "set_identifier = \"blue-environment\"\n  health_check_id = \"x\"",
        &[Rule::HealthCheck],
    ),
    (
        "set_identifier = \"blue-environment\"",
        "set_identifier = \"blue-environment\"\n  allow_overwrite = true",
        &[Rule::RecordOverwritten],
    ),
    ("deletion_protection_enabled = true", "deletion_protection_enabled = false", &[Rule::TableUnprotected]),
    ("    enabled = true\n", "    enabled = false\n", &[Rule::TableNoRecovery]),
    ("\"dynamodb:GetItem\"", "\"dynamodb:*\"", &[Rule::WildcardAction]),
    ("variable = \"iam:PassedToService\"", "variable = \"aws:SourceIp\"", &[Rule::PassRoleAnywhere]),
    (
        "    actions = [\n      \"s3:GetObject\",\n      \"s3:PutObject\"\n    ]\n    resources",
        "    effect = \"Deny\"\n    actions = [\"*\"]\n    resources",
        &[],
    ),
];

#[test]
fn our_own_documents_are_clean() {
    for description in [minimal(), full()] {
        for report in [yaml(&cloudformation(&description).unwrap()), tf(&terraform(&description).unwrap())] {
            assert_eq!(ids(&report), Vec::<&str>::new());
            assert_eq!((report.records, report.tables), (if description.ipv6 { 4 } else { 2 }, 1));
            assert!(report.statements >= 4);
        }
    }
}

#[test]
fn each_spoiled_template_is_found_out() {
    let mut description = full();
    description.ipv6 = false;
    spoil(&cloudformation(&description).unwrap(), &YAML, yaml);
    spoil(&terraform(&description).unwrap(), &HCL, tf);
}

fn spoil(clean: &str, cases: &[Spoiled], checked: fn(&str) -> Report) {
    for (instead_of, written, expected) in cases {
        let spoiled = clean.replacen(instead_of, written, 1);
        assert_ne!(spoiled, clean, "there is no `{instead_of}`");
        let found: Vec<&str> = checked(&spoiled).findings.iter().map(|finding| finding.id).collect();
        let expected: Vec<&str> = expected.iter().map(|rule| rule.id()).collect();
        assert_eq!(found, expected, "`{written}`");
    }
}

#[test]
fn the_strategys_own_records_can_be_reset_by_an_update_of_the_balancers() {
    let report = yaml(STRATEGY);
    let of_one = ["target-health-off", "record-follows-resource", "not-kept"];
    assert_eq!(ids(&report), [of_one, of_one].concat());
    let lines: BTreeSet<Option<usize>> = report.findings.iter().map(|finding| finding.line).collect();
    assert_eq!(lines, BTreeSet::from([Some(16), Some(27)]));
    assert_eq!(report.findings[0].place, "Route53RecordBlue");
    assert!(report.findings[1].problem.contains("`ALBBlue`"), "{}", report.findings[1].problem);
}

#[test]
fn json_is_read_with_its_long_calls() {
    let json = r#"{
  "Resources": {
    "Group": {
      "Type": "AWS::Route53::RecordSetGroup",
      "Properties": { "RecordSets": [
        { "Name": "API.mpac-cloud.com.", "Type": "A", "SetIdentifier": "blue-environment", "Weight": 0,
          "AliasTarget": { "DNSName": { "Fn::GetAtt": ["Balancer", "DNSName"] }, "EvaluateTargetHealth": "true" } },
        { "Name": "api.mpac-cloud.com", "Type": "A", "SetIdentifier": "green-environment", "Weight": "0",
          "TTL": "300", "ResourceRecords": ["192.0.2.1"] },
        { "Name": "api.mpac-cloud.com", "Type": "AAAA", "SetIdentifier": "x", "Weight": 1 },
        { "Name": "api.mpac-cloud.com", "Type": "TXT", "ResourceRecords": ["\"spf\""] }
      ] }
    },
    "Balancer": { "Type": "AWS::ElasticLoadBalancingV2::LoadBalancer" }
  }
}"#;
    let report = yaml(json);
    let expected = [
        (6, "weight-hard-coded"),
        (6, "record-follows-resource"),
        (6, "not-kept"),
        (8, "both-zero"),
        (8, "weight-hard-coded"),
        (8, "not-alias"),
        (8, "not-kept"),
        (10, "third-record"),
    ];
    let found: Vec<_> = report.findings.iter().map(|finding| (finding.line.unwrap(), finding.id)).collect();
    assert_eq!(found, expected);
    assert_eq!(report.records, 3);
}

#[test]
fn a_name_that_was_asked_for_and_is_not_there_is_two_missing_sides() {
    let mut options = Options::default();
    options.record = Some("shop.mpac-cloud.com".into());
    let report = check(STRATEGY, Format::CloudFormation, &options).unwrap();
    assert_eq!(ids(&report), ["side-missing", "side-missing"]);
    options.record = Some("API.mpac-cloud.com.".into());
    options.green_set = "green".into();
    let report = check(STRATEGY, Format::CloudFormation, &options).unwrap();
    assert_eq!(ids(&report).iter().filter(|id| **id == "side-missing").count(), 1);
}

#[test]
fn policies_inside_of_resources_are_read() {
    let inline = "resource \"aws_iam_role_policy\" \"x\" {\n  policy = jsonencode({\n    Statement = [{\n      Effect = \"Allow\"\n      Action = \"dynamodb:UpdateItem\"\n      Resource = \"*\"\n    }]\n  })\n}\n";
    let heredoc = "resource \"aws_iam_policy\" \"x\" {\n  policy = <<EOT\n{\"Statement\": [\n{\"Effect\": \"Allow\", \"Action\": \"route53:*\", \"Resource\": \"*\"}\n]}\nEOT\n}\n";
    assert_eq!(ids(&tf(inline)), ["iam-wildcard-resource"]);
    let report = tf(heredoc);
    assert_eq!(ids(&report), ["iam-wildcard-action", "iam-wildcard-resource", "iam-any-record"]);
    assert_eq!(report.findings[0].line, Some(4));
    let role = "Resources:\n  R:\n    Type: AWS::IAM::Role\n    Properties:\n      Policies:\n        - PolicyDocument:\n            Statement: {Effect: Allow, Action: '*', Resource: '*'}\n";
    assert!(ids(&yaml(role)).contains(&"iam-wildcard-action"));
}

#[test]
fn somebody_elses_policy_is_none_of_our_business() {
    let text = "Resources:\n  R:\n    Type: AWS::IAM::Policy\n    Properties:\n      PolicyDocument:\n        Statement: {Effect: Allow, Action: 'sqs:*', Resource: '*'}\n";
    assert_eq!(ids(&yaml(text)), ["nothing-to-check"]);
}

#[test]
fn what_is_no_template_is_an_error_with_its_line() {
    for (text, format, line, says) in [
        ("Resources: [", Format::CloudFormation, 1, ""),
        ("a: 1\n", Format::CloudFormation, 1, "no `Resources`"),
        ("", Format::CloudFormation, 1, "empty"),
        ("resource \"a\" {\n", Format::Terraform, 1, "invalid block body"),
    ] {
        let error = check(text, format, &Options::default()).unwrap_err();
        let InfraError::Unreadable { line: at, problem } = &error else { panic!("{error:?}") };
        assert!(*at == line && problem.contains(says), "{text:?}: {error}");
    }
}

#[test]
fn the_stack_policy_is_for_the_type_of_the_records() {
    let policy: serde_json::Value = serde_json::from_str(stack_policy()).unwrap();
    let kind = policy["Statement"][1]["Condition"]["StringEquals"]["ResourceType"][0].as_str().unwrap();
    let template = cloudformation(&full()).unwrap();
    assert_eq!(template.matches(&format!("    Type: \"{kind}\"\n")).count(), 4);
}

#[test]
fn a_pair_for_ipv6_is_whole_and_has_the_weights_of_the_other() {
    let clean = cloudformation(&full()).unwrap();
    let split = clean.replace(
        "Type: AAAA\n      SetIdentifier: blue-environment\n      Weight: !Ref BlueWeight",
        "Type: AAAA\n      SetIdentifier: blue-environment\n      Weight: !Ref GreenWeight",
    );
    assert_eq!(ids(&yaml(&split)), ["types-differ", "both-zero"]);
    let half = clean.replace(
        "Type: AAAA\n      SetIdentifier: green-environment",
        "Type: AAAA\n      SetIdentifier: other",
    );
    assert_eq!(ids(&yaml(&half)), ["side-missing", "third-record"]);
}

#[test]
fn every_rule_is_in_the_book_with_its_severity() {
    let page = include_str!("../../../docs/src/infrastructure.md");
    for rule in Rule::ALL {
        let row = format!("| `{}` | {} |", rule.id(), rule.severity().as_str());
        assert!(page.contains(&row), "{row}");
    }
}
