//! A witness from outside: boto3 reads the zone after a rollout.
//!
//! It comes from `xtask/python-requirements.txt`; `cargo xtask test` installs it and runs this test.

use std::process::Command;

use crate::rig::{Aws, ran};

const READ: &str = r#"
import boto3, sys
client = boto3.client("route53", endpoint_url=sys.argv[1], region_name="us-east-1",
                      aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="not-a-secret")
for record in client.list_resource_record_sets(HostedZoneId="Z1")["ResourceRecordSets"]:
    if "Weight" in record:
        print(record["Name"], record["Type"], record["SetIdentifier"], record["Weight"], record["AliasTarget"]["EvaluateTargetHealth"])
"#;

fn zone(aws: &Aws) -> Vec<String> {
    let mut python = Command::new("python3");
    python.args(["-c", READ, &aws.url]);
    let read = ran(python);
    assert_eq!(read.status, Some(0), "{read:?}");
    read.stdout.lines().map(str::to_owned).collect()
}

#[tokio::test]
#[ignore = "needs boto3 of xtask/python-requirements.txt: run `cargo xtask test`"]
async fn boto3_reads_the_weights_that_a_rollout_has_left() {
    let line = |side: &str, weight: u8| format!("api.mpac-cloud.com. A {side}-environment {weight} True");
    let aws = Aws::start(&[]);
    let before = zone(&aws);
    assert_eq!(before, [line("blue", 100), line("green", 0)]);
    assert_eq!(aws.roll_out("v2.1.0").status, Some(0));
    assert_eq!(zone(&aws), [line("blue", 0), line("green", 100)]);

    let aws = Aws::start(&["--scenario", "green-slower-than-blue"]);
    assert_eq!(aws.roll_out("v2.1.0").status, Some(1));
    assert_eq!(zone(&aws), before, "a rollback leaves what was there before");
}
