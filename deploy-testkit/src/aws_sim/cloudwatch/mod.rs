//! CloudWatch's metrics, as its Smithy RPC v2 CBOR API answers.
//!
//! Points are put in by a test, by `PutMetricData`, or come from the simulated world. Nothing is rolled up or forgotten.

mod check;
mod page;
mod statistic;
mod wire;
mod world;

use std::collections::BTreeMap;

use mpac_deploy_core::port::Clock;
use mpac_deploy_core::time::{Period, Timestamp};

use super::wire::{Call, Refusal};
use super::{AwsSim, Shared};
use check::refuse;
use page::Tokens;
use statistic::Weighted;
use wire::{Datum, GetRequest, PutRequest};

/// How many data `PutMetricData` takes.
const DATA: usize = 1000;
/// How many values a datum may have.
const VALUES: usize = 150;

/// What a metric is known by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct MetricId {
    /// The namespace, such as `AWS/ApplicationELB`.
    pub namespace: String,
    /// The name, such as `RequestCount`.
    pub name: String,
    /// The dimensions: all of them, or it is another metric.
    pub dimensions: BTreeMap<String, String>,
}

impl MetricId {
    /// A metric without dimensions.
    #[must_use]
    pub fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.into(), name: name.into(), dimensions: BTreeMap::new() }
    }

    /// The same metric with one more dimension.
    #[must_use]
    pub fn with(mut self, dimension: &str, value: &str) -> Self {
        self.dimensions.insert(dimension.into(), value.into());
        self
    }
}

/// How CloudWatch fares with a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricStatus {
    /// It answers.
    Complete,
    /// It fails.
    InternalError,
    /// The caller may not see it.
    Forbidden,
    /// It gives no points and no token for more.
    Partial,
}

/// What the account has of this service.
#[derive(Debug, Default)]
pub(super) struct CloudWatch {
    /// The values of each metric, by the second in which their minute begins.
    points: BTreeMap<MetricId, BTreeMap<i64, Vec<Sample>>>,
    statuses: BTreeMap<MetricId, MetricStatus>,
    tokens: Tokens,
    page: Option<usize>,
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    value: Weighted,
    visible_at: Timestamp,
}

impl CloudWatch {
    fn put(&mut self, metric: MetricId, time: Timestamp, values: impl IntoIterator<Item = Sample>) {
        let minutes = self.points.entry(metric).or_default();
        minutes.entry(second_of(Period::containing(time))).or_default().extend(values);
    }

    /// The values of a metric in a minute, as they can be seen now.
    fn values(&self, metric: &MetricId, period: Period, now: Timestamp) -> Vec<Weighted> {
        let minute = self.points.get(metric).and_then(|minutes| minutes.get(&second_of(period)));
        let seen = minute.into_iter().flatten().filter(|sample| sample.visible_at <= now);
        seen.map(|sample| sample.value).collect()
    }
}

fn second_of(period: Period) -> i64 {
    period.start().as_millis() / 1000
}

impl AwsSim {
    /// Publishes values of a metric for the minute of this time, seen at once.
    pub fn put_metric(&self, metric: &MetricId, time: Timestamp, values: &[f64]) {
        self.put_metric_late(metric, time, values, Timestamp::MIN);
    }

    /// Publishes values of a metric for the minute of this time, seen from another time on.
    pub fn put_metric_late(&self, metric: &MetricId, time: Timestamp, values: &[f64], visible_at: Timestamp) {
        let samples = values.iter().map(|value| Sample { value: (*value, 1.0), visible_at });
        self.shared.account.get().cloudwatch.put(metric.clone(), time, samples);
    }

    /// From here on CloudWatch fares so with this metric.
    pub fn set_metric_status(&self, metric: &MetricId, status: MetricStatus) {
        self.shared.account.get().cloudwatch.statuses.insert(metric.clone(), status);
    }

    /// From here on a page of `GetMetricData` holds no more points than this.
    pub fn limit_metric_page(&self, points: usize) {
        self.shared.account.get().cloudwatch.page = Some(points.max(1));
    }
}

pub(super) fn get_metric_data(shared: &Shared, call: &Call) -> Result<Vec<u8>, Refusal> {
    let request: GetRequest = wire::parse(&call.body)?;
    let asked = check::asked(&request)?;
    wire::document(&page::answer(shared, &request, &asked)?)
}

pub(super) fn put_metric_data(shared: &Shared, call: &Call) -> Result<Vec<u8>, Refusal> {
    let request: PutRequest = wire::parse(&call.body)?;
    if request.metric_data.len() > DATA {
        return Err(refuse(format!("The collection MetricData must not have a size greater than {DATA}.")));
    }
    if request.namespace.starts_with("AWS/") {
        return Err(Refusal::new(
            400,
            "InvalidParameterValue",
            "The value AWS/ for parameter Namespace is invalid.",
        ));
    }
    let now = shared.clock.now();
    let mut points = Vec::new();
    for datum in request.metric_data {
        let time = datum.timestamp.as_ref().map_or(Ok(now), |time| wire::time("Timestamp", time))?;
        let dimensions = check::dimensions(&datum.dimensions)?;
        let samples = samples(&datum)?;
        let metric = MetricId { namespace: request.namespace.clone(), name: datum.metric_name, dimensions };
        points.push((metric, time, samples));
    }
    let mut account = shared.account.get();
    for (metric, time, samples) in points {
        account.cloudwatch.put(metric, time, samples);
    }
    Ok(Vec::new())
}

fn samples(datum: &Datum) -> Result<Vec<Sample>, Refusal> {
    if datum.statistic_values.is_some() {
        return Err(refuse("StatisticValues: the simulated AWS takes values only."));
    }
    if datum.values.len() > VALUES || datum.value.is_some() != datum.values.is_empty() {
        return Err(refuse(format!("A datum has either Value or up to {VALUES} Values.")));
    }
    if !datum.counts.is_empty() && datum.counts.len() != datum.values.len() {
        return Err(refuse("The parameters Values and Counts must be of the same size."));
    }
    let counts = datum.counts.iter().copied().chain(std::iter::repeat(1.0));
    let values = datum.value.iter().chain(&datum.values).copied().zip(counts);
    Ok(values.map(|value| Sample { value, visible_at: Timestamp::MIN }).collect())
}
