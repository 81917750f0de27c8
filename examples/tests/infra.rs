//! `infra template`, `infra check`.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

mod common;

use common::{Folder, Run, command, run, run_with};
use mpac_deploy_testkit::aws_sim::{AwsSim, RecordSet, Settings};

const RECORD: [&str; 2] = ["--record", "api.mpac-cloud.com"];

fn template(format: &str, more: &[&str]) -> Run {
    run(&[["infra", "template", "--format", format].as_slice(), &RECORD, more].concat())
}

#[test]
fn what_is_printed_is_clean_in_the_eyes_of_the_check() {
    let all = [
        "--zone",
        "Z1",
        "--blue",
        "blue.elb.amazonaws.com,Z2",
        "--green",
        "green.elb.amazonaws.com,Z2",
        "--fence-record",
        "_mpac-deploy.api.mpac-cloud.com",
        "--cluster",
        "mpac-prod",
        "--service",
        "svc-portal-green",
        "--pass-role",
        "arn:aws:iam::123456789012:role/task",
        "--archive",
        "mpac-archive/deploy",
    ];
    let folder = Folder::new();
    for (format, name) in [("cloudformation", "a.yaml"), ("terraform", "a.tf")] {
        for more in [[].as_slice(), &all] {
            let printed = template(format, more);
            assert_eq!((printed.status, printed.stderr.as_str()), (0, ""));
            let checked = run(&["infra", "check", &folder.file(name, &printed.stdout), "--json"]);
            let json = checked.json();
            assert_eq!((checked.status, json["records"].as_u64()), (0, Some(2)), "{json}");
            assert_eq!(json["findings"].as_array().unwrap().len(), 0);
        }
    }
    let services = template("cloudformation", &all).stdout;
    assert!(services.contains("service/mpac-prod/svc-portal-green\""), "{services}");
    assert!(services.contains(":::mpac-archive/deploy/*\""), "{services}");
    assert!(run(&["infra", "template", "--format", "stack-policy"]).json()["Statement"].is_array());
}

#[test]
fn what_hurts_is_told_with_its_place_and_what_to_do() {
    let printed = template("cloudformation", &[]).stdout;
    let spoiled = printed.replacen("Weight: !Ref BlueWeight", "Weight: 100", 1);
    let line = printed.lines().position(|line| line == "  BlueRecord:").unwrap() + 1;
    let folder = Folder::new();
    let file = folder.file("spoiled.yaml", &spoiled);
    let told = run(&["infra", "check", &file]);
    assert_eq!(told.status, 1);
    assert!(
        told.stdout.starts_with(&format!("{file}:{line}: BlueRecord: error weight-hard-coded\n    ")),
        "{}",
        told.stdout
    );
    assert!(told.stdout.ends_with("of a controller's policy: 1 finding\n"), "{}", told.stdout);
    let json = run_with(&["infra", "check", "-", "--json"], spoiled.as_bytes()).json();
    let finding = &json["findings"][0];
    assert_eq!(
        (finding["id"].as_str(), finding["line"].as_u64()),
        (Some("weight-hard-coded"), Some(line as u64))
    );
    assert!(finding["fix"].as_str().unwrap().contains("parameter"));
}

#[test]
fn what_cannot_be_read_is_unusable_input() {
    let folder = Folder::new();
    for (name, text, says) in [
        ("a.yaml", "Resources: [", "line 1: "),
        ("a.tf", "resource {", "line 1: "),
        ("b.yaml", "name: x", "no `Resources`"),
    ] {
        let file = folder.file(name, text);
        let told = run(&["infra", "check", &file]);
        assert_eq!(told.status, 2);
        assert!(
            told.stderr.starts_with(&format!("error: {file}: ")) && told.stderr.contains(says),
            "{}",
            told.stderr
        );
    }
    assert_eq!(run(&["infra", "check", "not-there.yaml"]).status, 2);
    assert_eq!(run(&["infra", "check", "--zone", "Z1"]).status, 2);
    assert_eq!(run(&["infra", "template", "--format", "terraform"]).status, 2);
    let refused = run(&["infra", "template", "--format", "terraform", "--record", "api"]);
    assert_eq!(refused.status, 2);
    assert!(refused.stderr.starts_with("error: the record is named `api`"), "{}", refused.stderr);
}

/// Reads a zone as an operator would, with the standard variables of AWS.
fn check_zone(aws: &AwsSim, zone: &str) -> Run {
    let arguments = ["infra", "check", "--zone", zone, "--json", "--endpoint-url", &aws.endpoint_url()];
    let mut command = command();
    command.args(arguments).args(RECORD);
    command.env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").env("AWS_SECRET_ACCESS_KEY", "not-a-secret");
    let output = command.output().unwrap();
    Run {
        status: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn a_live_zone_is_read() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let aws = runtime.block_on(AwsSim::start(Settings::default())).unwrap();
    aws.add_zone("Z1", "mpac-cloud.com");
    for (set, weight) in [("blue-environment", 100), ("green-environment", 0)] {
        aws.put_record("Z1", RecordSet::weighted_alias("api.mpac-cloud.com", set, weight));
    }
    let clean = check_zone(&aws, "Z1");
    assert_eq!((clean.status, clean.json()["records"].as_u64()), (0, Some(2)), "{clean:?}");
    aws.put_record("Z1", RecordSet::weighted_alias("api.mpac-cloud.com", "third", 1));
    let found = check_zone(&aws, "Z1");
    assert_eq!((found.status, found.json()["findings"][0]["id"].as_str()), (1, Some("third-record")));
    assert_eq!(check_zone(&aws, "Z404").status, 2);
    drop(aws);
}

#[test]
fn a_zone_that_cannot_be_reached_is_the_world() {
    let told = run(&[
        "infra",
        "check",
        "--zone",
        "Z1",
        "--record",
        "a.example.com",
        "--endpoint-url",
        "http://127.0.0.1:9",
    ]);
    assert_eq!(told.status, 3, "{told:?}");
}
