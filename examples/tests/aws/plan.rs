//! What `plan` sees, and that it changes nothing.

use serde_json::Value;

use crate::rig::{Aws, Ran, ran};

fn plan(aws: &Aws) -> Ran {
    ran(aws.command(&["plan", "--revision", "v2.1.0"]))
}

/// The lines of a section, each with its kind.
fn lines(document: &Value, title: &str) -> Vec<(String, String)> {
    let sections = document["sections"].as_array().unwrap();
    let section = sections.iter().find(|section| section["title"] == title).unwrap();
    let text = |line: &Value, name: &str| line[name].as_str().unwrap().to_owned();
    section["lines"].as_array().unwrap().iter().map(|line| (text(line, "kind"), text(line, "text"))).collect()
}

#[tokio::test]
async fn a_plan_names_what_would_be_done_and_changes_nothing() {
    let aws = Aws::start(&[]);
    let shown = plan(&aws);
    assert_eq!(shown.status, Some(0), "{shown:?}");
    let document = shown.json();
    assert_eq!(document["ready"], true);
    let has = |title: &str, part: &str| {
        let lines = lines(&document, title);
        assert!(lines.iter().any(|(_, text)| text.contains(part)), "no `{part}` in {lines:?}");
    };
    has("Release", "v2.1.0 (green) takes the place of v2.0.0 (blue) on api.mpac-cloud.com");
    has("Policy", "canary       blue 95 / green 5, bake 5 min");
    has("Traffic", "shows blue 100 / green 0");
    has("Environments", "svc-portal-blue serves: 4 of 4 tasks run, 4 of 4 targets are healthy");
    has(
        "Environments",
        "mpac-pgw-green is made, from what serves, with 123456789012.dkr.ecr.us-east-1.amazonaws.com/mpac-pgw:v2.1.0",
    );
    has("Metrics", "requests of blue: ");
    has("Checks and probes", "smoke: GET http://");
    has("Journal", "the DynamoDB table mpac-deploy");
    // The minute that is looked at is another one by now.
    let but_metrics = |document: &Value| {
        let sections = document["sections"].as_array().unwrap().iter();
        sections.filter(|section| section["title"] != "Metrics").cloned().collect::<Vec<_>>()
    };
    assert_eq!(
        but_metrics(&plan(&aws).json()),
        but_metrics(&document),
        "the first plan has changed something"
    );
}

#[tokio::test]
async fn a_missing_permission_is_named_by_its_call() {
    let aws = Aws::start(&["--fault", "access-denied=1@DescribeTargetHealth"]);
    let shown = plan(&aws);
    assert_eq!(shown.status, Some(1), "{shown:?}");
    let denied = lines(&shown.json(), "Environments").into_iter().filter(|(kind, _)| kind == "denied");
    let denied: Vec<String> = denied.map(|(_, text)| text).collect();
    assert_eq!(denied.len(), 1, "{denied:?}");
    assert!(denied[0].starts_with("elasticloadbalancing:DescribeTargetHealth: not allowed"), "{denied:?}");
}

#[tokio::test]
async fn an_account_that_does_not_answer_is_not_reached() {
    let aws = Aws::start(&[]);
    let url = aws.url.clone();
    aws.edit(&format!("endpoint_url = \"{url}\""), "endpoint_url = \"http://127.0.0.1:9\"");
    let shown = plan(&aws);
    assert_eq!((shown.status, shown.json()["ready"].as_bool()), (Some(3), Some(false)), "{shown:?}");
    let ran = aws.roll_out("v2.1.0");
    assert_eq!(ran.status, Some(3), "{ran:?}");
}

#[tokio::test]
async fn the_endpoint_comes_from_the_command_line_the_configuration_and_the_environment_in_this_order() {
    let aws = Aws::start(&[]);
    let (url, nowhere) = (aws.url.clone(), "http://127.0.0.1:9");
    aws.edit(&format!("endpoint_url = \"{url}\""), &format!("endpoint_url = \"{nowhere}\""));
    let status = |arguments: &[&str], env: &str| {
        let mut command = aws.command(&[&["plan"], arguments].concat());
        command.env("AWS_ENDPOINT_URL", env);
        ran(command).status
    };
    assert_eq!(status(&["--endpoint-url", &url], nowhere), Some(0));
    assert_eq!(status(&[], &url), Some(3), "the configuration goes before the environment");
    aws.edit(&format!("endpoint_url = \"{nowhere}\"\n"), "");
    assert_eq!(status(&[], &url), Some(0));
}

#[tokio::test]
async fn a_journal_that_may_not_be_read_is_a_missing_permission() {
    let aws = Aws::start(&["--fault", "access-denied=1@Query"]);
    let shown = plan(&aws);
    assert_eq!(shown.status, Some(1), "{shown:?}");
    let lines = lines(&shown.json(), "Journal");
    assert!(lines.iter().any(|(kind, text)| kind == "denied" && text.contains("Query")), "{lines:?}");
}

#[tokio::test]
async fn a_changing_call_that_is_not_allowed_is_named_without_being_made() {
    let folder = tempfile::TempDir::new().unwrap();
    let policy = folder.path().join("policy.json");
    let text = r#"{"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "ecs:UpdateService", "Resource": "*/svc-portal-green"}]}"#;
    std::fs::write(&policy, text).unwrap();
    let aws = Aws::start(&["--policy", policy.to_str().unwrap()]);
    let shown = plan(&aws);
    assert_eq!(shown.status, Some(1), "{shown:?}");
    let (denied, other): (Vec<_>, Vec<_>) =
        lines(&shown.json(), "Permissions").into_iter().partition(|(kind, _)| kind == "denied");
    let denied: Vec<&str> = denied.iter().map(|(_, text)| text.as_str()).collect();
    let green = "arn:aws:ecs:us-east-1:123456789012:service/mpac/svc-portal-green";
    assert_eq!(denied, [format!("ecs:UpdateService on {green}: a policy denies it")], "{other:?}");
    let may = "by IAM, arn:aws:iam::123456789012:role/deploy/mpac-deploy may: ";
    assert!(other.iter().any(|(_, text)| text.starts_with(may) && text.contains("ecs:CreateService")));
}

#[tokio::test]
async fn a_policy_that_allows_no_question_leaves_the_changing_calls_unknown() {
    let folder = tempfile::TempDir::new().unwrap();
    let policy = folder.path().join("policy.json");
    let text = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*", "Action": ["cloudwatch:*",
        "dynamodb:*", "ecs:*", "elasticloadbalancing:*", "application-autoscaling:*", "route53:*"]}]}"#;
    std::fs::write(&policy, text).unwrap();
    let aws = Aws::start(&["--policy", policy.to_str().unwrap()]);
    let shown = plan(&aws);
    assert_eq!(shown.status, Some(0), "{shown:?}");
    let warned =
        lines(&shown.json(), "Permissions").into_iter().find(|(kind, _)| kind == "warning").unwrap().1;
    assert!(
        warned.contains("iam:SimulatePrincipalPolicy: not allowed") && warned.contains("ecs:UpdateService")
    );
}
