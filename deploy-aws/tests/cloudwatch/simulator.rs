//! The simulated CloudWatch is as strict as AWS, through the SDK's own client.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::error::ProvideErrorMetadata;
use aws_sdk_cloudwatch::operation::get_metric_data::builders::GetMetricDataFluentBuilder;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Metric, MetricDataQuery, MetricDatum, MetricStat, ScanBy, StatusCode};
use mpac_deploy_testkit::aws_sim::cloudwatch::MetricId;

use crate::common::sdk_at;
use crate::rig::{Rig, minute, rig};

async fn client(rig: &Rig) -> Client {
    Client::new(&sdk_at(&rig.aws.endpoint_url()).await)
}

fn date(number: i64) -> DateTime {
    DateTime::from_millis(minute(number).start().as_millis())
}

fn query(id: &str, name: &str, period: i32, stat: &str) -> MetricDataQuery {
    let metric = Metric::builder().namespace("MPAC").metric_name(name).build();
    let stat = MetricStat::builder().metric(metric).period(period).stat(stat).build();
    MetricDataQuery::builder().id(id).metric_stat(stat).build()
}

fn ask(client: &Client, queries: Vec<MetricDataQuery>) -> GetMetricDataFluentBuilder {
    client.get_metric_data().start_time(date(0)).end_time(date(5)).set_metric_data_queries(Some(queries))
}

/// Each value in a minute of its own.
fn fill(rig: &Rig, name: &str, values: &[f64]) {
    for (number, value) in (0..).zip(values) {
        rig.aws.put_metric(&MetricId::new("MPAC", name), minute(number).start(), &[*value]);
    }
}

async fn refusal(call: GetMetricDataFluentBuilder) -> (String, String) {
    let error = call.send().await.unwrap_err();
    (error.code().unwrap().to_owned(), error.message().unwrap().to_owned())
}

#[tokio::test]
async fn what_is_no_request_is_refused_with_the_code_of_aws() {
    let rig = rig().await;
    let client = client(&rig).await;
    let one = || vec![query("m1", "x", 60, "Sum")];
    let many = (0..501).map(|number| query(&format!("m{number}"), "x", 60, "Sum")).collect();
    let both = MetricDataQuery::builder().id("m1").expression("m2*2").metric_stat(
        MetricStat::builder()
            .metric(Metric::builder().namespace("X").metric_name("x").build())
            .period(60)
            .stat("Sum")
            .build(),
    );
    let cases = [
        (ask(&client, many), "must not have a size greater than 500"),
        (ask(&client, Vec::new()), "must not have a size less than 1"),
        (
            ask(&client, vec![query("5xx", "x", 60, "Sum")]),
            "is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$",
        ),
        (ask(&client, vec![query("m1", "x", 60, "Sum"), query("m1", "y", 60, "Sum")]), "are not unique"),
        (ask(&client, vec![query("m1", "x", 90, "Sum")]), "multiple of 60"),
        (ask(&client, vec![query("m1", "x", 60, "sum")]), "MetricStat.Stat"),
        (ask(&client, vec![query("m1", "", 60, "Sum")]), "MetricName is required"),
        (ask(&client, vec![both.build()]), "either MetricStat or Expression"),
        (ask(&client, one()).end_time(date(0)), "StartTime must be less than"),
        (ask(&client, one()).max_datapoints(100_801), "MaxDatapoints"),
    ];
    for (call, expected) in cases {
        let (code, message) = refusal(call).await;
        assert_eq!(code, "ValidationError", "{message}");
        assert!(message.contains(expected), "{message}");
    }
}

#[tokio::test]
async fn points_come_newest_first_unless_asked_otherwise() {
    let rig = rig().await;
    fill(&rig, "x", &[1.0, 2.0, 3.0]);
    let client = client(&rig).await;
    for (order, expected) in
        [(ScanBy::TimestampDescending, [3.0, 2.0, 1.0]), (ScanBy::TimestampAscending, [1.0, 2.0, 3.0])]
    {
        let answer = ask(&client, vec![query("m1", "x", 60, "Sum")]).scan_by(order).send().await.unwrap();
        let result = &answer.metric_data_results()[0];
        assert_eq!((result.id(), result.values()), (Some("m1"), expected.as_slice()));
        assert_eq!(result.status_code(), Some(&StatusCode::Complete));
    }
}

#[tokio::test]
async fn a_longer_period_takes_its_minutes_together_and_the_end_is_not_in_it() {
    let rig = rig().await;
    fill(&rig, "x", &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let client = client(&rig).await;
    let answer = ask(&client, vec![query("m1", "x", 300, "Sum")]).send().await.unwrap();
    assert_eq!(answer.metric_data_results()[0].values(), [15.0]);
    assert_eq!(answer.metric_data_results()[0].timestamps(), [date(0)]);
}

#[tokio::test]
async fn a_page_says_that_there_is_more_and_its_token_is_good_for_its_request_only() {
    let rig = rig().await;
    fill(&rig, "x", &[1.0, 2.0, 3.0]);
    fill(&rig, "y", &[4.0]);
    let client = client(&rig).await;
    let queries = || vec![query("m1", "x", 60, "Sum"), query("m2", "y", 60, "Sum")];
    let call = || ask(&client, queries()).max_datapoints(2).scan_by(ScanBy::TimestampAscending);
    let first = call().send().await.unwrap();
    let token = first.next_token().unwrap();
    assert_eq!(first.metric_data_results()[0].status_code(), Some(&StatusCode::PartialData));
    assert_eq!(first.metric_data_results()[0].values(), [1.0, 2.0]);
    let second = call().next_token(token).send().await.unwrap();
    let values: Vec<f64> =
        second.metric_data_results().iter().flat_map(|result| result.values().to_vec()).collect();
    assert_eq!((values, second.next_token()), (vec![3.0, 4.0], None));
    let (code, _) = refusal(ask(&client, queries()).next_token(token)).await;
    assert_eq!(code, "InvalidNextToken");
}

#[tokio::test]
async fn what_was_put_by_the_api_is_read_by_the_api() {
    let rig = rig().await;
    let client = client(&rig).await;
    let datum = MetricDatum::builder()
        .metric_name("x")
        .timestamp(date(2))
        .values(0.1)
        .values(0.9)
        .counts(9.0)
        .counts(1.0);
    client.put_metric_data().namespace("MPAC").metric_data(datum.build()).send().await.unwrap();
    let statistics = ["SampleCount", "p90", "p99", "PR(0.5:)", "Average"];
    let queries =
        (0..).zip(statistics).map(|(number, stat)| query(&format!("m{number}"), "x", 60, stat)).collect();
    let answer = ask(&client, queries).send().await.unwrap();
    let values: Vec<f64> = answer.metric_data_results().iter().map(|result| result.values()[0]).collect();
    assert_eq!(values, [10.0, 0.1, 0.9, 10.0, 0.18]);
    let own = client
        .put_metric_data()
        .namespace("AWS/ECS")
        .metric_data(MetricDatum::builder().metric_name("x").value(1.0).build());
    assert_eq!(own.send().await.unwrap_err().code(), Some("InvalidParameterValue"));
}
