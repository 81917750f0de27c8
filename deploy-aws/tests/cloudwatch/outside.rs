//! A witness from outside: boto3, which speaks Smithy RPC v2 CBOR by an implementation of its own.
//!
//! It comes from `xtask/python-requirements.txt`; `cargo xtask test` installs it and runs this test. moto does not speak this protocol,
//! and so cannot be one.

use mpac_deploy_core::metric::{Metric, Side};

use crate::common::python;
use crate::rig::{published, rig};

/// Puts a metric, reads both by pages of one point, and asks what is not taken.
const BOTO3: &str = r#"
from datetime import datetime, timezone
import botocore.model
# It would choose JSON of the protocols that CloudWatch has.
botocore.model.PRIORITY_ORDERED_SUPPORTED_PROTOCOLS = ("smithy-rpc-v2-cbor",)
client = boto3.client("cloudwatch", endpoint_url=sys.argv[1], region_name="us-east-1",
    aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="not-a-secret")
assert client.meta.service_model.resolved_protocol == "smithy-rpc-v2-cbor", client.meta.service_model.resolved_protocol
start = datetime(2026, 1, 28, 9, 0, tzinfo=timezone.utc)
dimensions = [{"Name": "Environment", "Value": "green"}]
client.put_metric_data(Namespace="MPAC", MetricData=[
    {"MetricName": "log_anomalies", "Dimensions": dimensions, "Timestamp": start, "Values": [0.1, 0.25], "Counts": [1, 3]}])
def query(id, name, stat):
    metric = {"Namespace": "MPAC", "MetricName": name, "Dimensions": dimensions}
    return {"Id": id, "MetricStat": {"Metric": metric, "Period": 60, "Stat": stat}}
queries = [query("m1", "transactions", "Sum"), query("m2", "log_anomalies", "Average"), query("m3", "log_anomalies", "p99")]
arguments = {"MetricDataQueries": queries, "StartTime": start, "EndTime": datetime(2026, 1, 28, 9, 5, tzinfo=timezone.utc)}
for page in client.get_paginator("get_metric_data").paginate(**arguments, PaginationConfig={"PageSize": 1}):
    for result in page["MetricDataResults"]:
        print(result["Id"], result["StatusCode"], [time.isoformat() for time in result["Timestamps"]], result["Values"])
try:
    client.get_metric_data(**{**arguments, "MetricDataQueries": [query("5xx", "x", "Sum")]})
except client.exceptions.ClientError as error:
    print(error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"])
try:
    client.get_metric_data(**arguments, NextToken="nonsense")
except client.exceptions.InvalidNextToken as error:
    print(error.response["Error"]["Code"])
"#;

#[tokio::test]
#[ignore = "needs boto3 of xtask/python-requirements.txt: run `cargo xtask test`"]
async fn boto3_reads_and_writes_the_simulated_cloudwatch() {
    let rig = rig().await;
    rig.put(&published(&Metric::Transactions, Side::Green), &[40.0, 2.0]);
    let lines = python("cloudwatch", BOTO3, &[&rig.aws.endpoint_url()]).await;
    let expected = [
        "m1 Complete ['2026-01-28T09:00:00+00:00'] [42.0]",
        "m2 PartialData [] []",
        "m3 PartialData [] []",
        "m2 Complete ['2026-01-28T09:00:00+00:00'] [0.2125]",
        "m3 PartialData [] []",
        "m3 Complete ['2026-01-28T09:00:00+00:00'] [0.25]",
        "ValidationError 400",
        "InvalidNextToken",
    ];
    assert_eq!(lines, expected);
}
