//! `GetMetricData`: one call, all its pages, and what each query came to.

use std::collections::HashMap;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{
    Dimension, Metric, MetricDataQuery, MetricDataResult, MetricStat, StatusCode,
};
use mpac_deploy_core::time::{Period, Timestamp};

use super::pack::Planned;
use super::query::{Outcome, Query};
use crate::{CallError, Quota};

const CALL: &str = "GetMetricData";
/// A minute, in seconds.
const PERIOD_SECONDS: i32 = 60;
/// More pages than any answer of ours can have (ours): a token without an end must not be followed without end.
const PAGES: usize = 1000;

/// What the queries of a call came to.
#[derive(Debug, Default)]
pub(super) struct Answers(HashMap<Query, Series>);

/// The points of a query.
#[derive(Debug, Default)]
struct Series {
    points: HashMap<Period, f64>,
    status: Status,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Status {
    Complete,
    /// There are points that did not come.
    Partial,
    /// It was not answered.
    #[default]
    Failed,
}

impl Answers {
    /// What a query came to in a period.
    pub(super) fn outcome(&self, query: &Query, period: Period) -> Option<Outcome> {
        let series = self.0.get(query)?;
        Some(match (series.status, series.points.get(&period)) {
            (Status::Complete | Status::Partial, Some(value)) => Outcome::Value(*value),
            (Status::Complete, None) => Outcome::Absent,
            (Status::Partial, None) | (Status::Failed, _) => Outcome::Failed,
        })
    }

    /// Takes these queries for failed.
    pub(super) fn fail(&mut self, query: Query) {
        self.0.insert(query, Series::default());
    }

    pub(super) fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }
}

/// Asks for all pages of a call.
pub(super) async fn ask(client: &Client, quota: &Quota, planned: &Planned) -> Result<Answers, CallError> {
    let first = client
        .get_metric_data()
        .start_time(date(planned.first.start()))
        .end_time(date(planned.last.end()))
        .set_metric_data_queries(Some(queries(planned)));
    let mut series: Vec<Series> = planned.queries.iter().map(|_| Series::default()).collect();
    let mut page = first.clone();
    for _ in 0..PAGES {
        quota.wait().await;
        let answer = page.send().await.map_err(|error| CallError::of(CALL, error))?;
        for message in answer.messages() {
            tracing::warn!(
                code = message.code(),
                message = message.value(),
                "CloudWatch has something to say"
            );
        }
        for result in answer.metric_data_results() {
            let place = result.id().and_then(place_of);
            match place.and_then(|place| Some((planned.queries.get(place)?, series.get_mut(place)?))) {
                Some((query, series)) => series.take(query, result),
                None => tracing::warn!(id = result.id(), "CloudWatch answers what nobody asked"),
            }
        }
        let Some(token) = answer.next_token else {
            return Ok(Answers(planned.queries.iter().cloned().zip(series).collect()));
        };
        page = first.clone().next_token(token);
    }
    Err(CallError::NoAnswer { call: CALL, message: format!("there is no end after {PAGES} pages") })
}

impl Series {
    fn take(&mut self, query: &Query, result: &MetricDataResult) {
        let points = result.timestamps().iter().zip(result.values());
        self.points.extend(
            points.map(|(time, value)| (Period::containing(Timestamp::from_secs(time.secs())), *value)),
        );
        // A later page of the same query knows better.
        self.status = match result.status_code() {
            Some(StatusCode::Complete) => Status::Complete,
            Some(StatusCode::PartialData) => Status::Partial,
            other => {
                let status = other.map(StatusCode::as_str);
                let message = result.messages().first().and_then(|message| message.value());
                tracing::warn!(%query, status, message, "CloudWatch could not answer a query");
                Status::Failed
            }
        };
    }
}

fn queries(planned: &Planned) -> Vec<MetricDataQuery> {
    let one = |(place, query): (usize, &Query)| {
        let dimensions = query.dimensions.iter();
        let dimensions =
            dimensions.map(|(name, value)| Dimension::builder().name(name).value(value).build()).collect();
        let metric = Metric::builder()
            .namespace(&query.namespace)
            .metric_name(&query.name)
            .set_dimensions(Some(dimensions))
            .build();
        let stat = MetricStat::builder().metric(metric).period(PERIOD_SECONDS).stat(query.statistic.as_str());
        MetricDataQuery::builder().id(format!("q{place}")).metric_stat(stat.build()).build()
    };
    planned.queries.iter().enumerate().map(one).collect()
}

fn place_of(id: &str) -> Option<usize> {
    id.strip_prefix('q')?.parse().ok()
}

fn date(time: Timestamp) -> DateTime {
    DateTime::from_millis(time.as_millis())
}
