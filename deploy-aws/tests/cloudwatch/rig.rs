//! Two environments of two services each, and the adapter for them.

use std::time::Duration;

use mpac_deploy_aws::cloudwatch::{CloudWatchConfig, SideSources};
use mpac_deploy_aws::{CloudWatch, CloudWatchMetrics, Quota};
use mpac_deploy_core::analysis::Reading;
use mpac_deploy_core::metric::{Metric, Side};
use mpac_deploy_core::plan::Series;
use mpac_deploy_core::policy::mpac;
use mpac_deploy_core::port::{Metrics, PortError};
use mpac_deploy_core::time::{Period, Timestamp};
use mpac_deploy_testkit::aws_sim::cloudwatch::MetricId;
use mpac_deploy_testkit::aws_sim::{AwsSim, Operation, Settings};
use mpac_deploy_testkit::scenario::release;

use crate::common::sdk_at;

/// Long enough for questions that are asked at once, and short enough for a test.
pub(crate) const WINDOW: Duration = Duration::from_millis(50);

pub(crate) const SERVICES: [&str; 2] = ["svc-portal", "svc-smarttab"];

/// What the application publishes itself.
pub(crate) const PUBLISHED: [Metric; 6] = [
    Metric::DbConnectionErrors,
    Metric::Transactions,
    Metric::TransactionFailures,
    Metric::LogAnomalies,
    Metric::PostgresUp,
    Metric::RedisUp,
];

pub(crate) struct Rig {
    pub(crate) aws: AwsSim,
    pub(crate) cloudwatch: CloudWatch,
    pub(crate) metrics: CloudWatchMetrics,
}

/// A minute, counted from 2026-01-28T09:00:00Z.
pub(crate) fn minute(number: i64) -> Period {
    Period::containing(Timestamp::from_secs(1_769_590_800 + 60 * number))
}

pub(crate) fn balancer(side: Side) -> String {
    format!("app/mpac-{side}/50dc6c495c0c9188")
}

pub(crate) fn group(service: &str, side: Side) -> String {
    format!("targetgroup/{service}-{side}/73e2d6bc24d8a067")
}

/// A side with a load balancer of its own and a target group for each service.
pub(crate) fn sources(side: Side) -> SideSources {
    let sources = SideSources::new()
        .with_balancer(balancer(side), SERVICES.map(|service| group(service, side)))
        .with_namespace("MPAC", &[("Environment", &side.to_string())], PUBLISHED);
    SERVICES
        .iter()
        .fold(sources, |sources, service| sources.with_service("mpac", format!("{service}-{side}")))
}

pub(crate) fn config() -> CloudWatchConfig {
    CloudWatchConfig::new(sources(Side::Blue), sources(Side::Green))
}

pub(crate) async fn rig() -> Rig {
    rig_with(&config()).await
}

pub(crate) async fn rig_with(config: &CloudWatchConfig) -> Rig {
    let aws = AwsSim::start(Settings::default()).await.unwrap();
    let cloudwatch =
        CloudWatch::with_window(&sdk_at(&aws.endpoint_url()).await, &Quota::cloudwatch(), WINDOW);
    let metrics = CloudWatchMetrics::new(&cloudwatch, config).unwrap();
    Rig { aws, cloudwatch, metrics }
}

/// A metric of the load balancer of a side.
pub(crate) fn alb(name: &str, side: Side) -> MetricId {
    MetricId::new("AWS/ApplicationELB", name).with("LoadBalancer", &balancer(side))
}

/// A metric of the target group of a service.
pub(crate) fn of_group(name: &str, service: &str, side: Side) -> MetricId {
    alb(name, side).with("TargetGroup", &group(service, side))
}

pub(crate) fn of_service(name: &str, service: &str, side: Side) -> MetricId {
    MetricId::new("AWS/ECS", name)
        .with("ClusterName", "mpac")
        .with("ServiceName", &format!("{service}-{side}"))
}

pub(crate) fn published(metric: &Metric, side: Side) -> MetricId {
    MetricId::new("MPAC", metric.name()).with("Environment", &side.to_string())
}

/// The series that the preset needs, critical services among them.
pub(crate) fn preset_series() -> Vec<Series> {
    let mut release = release();
    release.metrics.append(&mut release.probes);
    mpac().compile(release).unwrap().series().to_vec()
}

pub(crate) fn series(side: Side, metric: &Metric) -> Series {
    let all = preset_series();
    all.into_iter().find(|series| series.side == side && series.metric == *metric).unwrap()
}

impl Rig {
    pub(crate) fn put(&self, metric: &MetricId, values: &[f64]) {
        self.aws.put_metric(metric, minute(0).start(), values);
    }

    /// The reading of one metric of green in minute 0.
    pub(crate) async fn green(&self, metric: Metric) -> Reading {
        self.read(Side::Green, metric).await.unwrap()
    }

    pub(crate) async fn read(&self, side: Side, metric: Metric) -> Result<Reading, PortError> {
        let readings = self.metrics.fetch(&[series(side, &metric)], minute(0)).await?;
        assert_eq!(readings.len(), 1);
        Ok(readings[0])
    }

    /// How many calls there were.
    pub(crate) fn calls(&self) -> usize {
        let calls = self.aws.calls();
        assert!(calls.iter().all(|call| call.operation == Some(Operation::GetMetricData)), "{calls:?}");
        calls.len()
    }
}
