//! Which metrics show what: named once for each side.

use std::collections::BTreeMap;

use mpac_deploy_core::metric::{Metric, Side, Unit};

use super::catalog::{Catalog, CloudWatchConfigError};
use super::query::{Query, Statistic};

/// Which metrics of CloudWatch show what, for both sides.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct CloudWatchConfig {
    /// What serves now.
    pub blue: SideSources,
    /// What shall serve next.
    pub green: SideSources,
    /// What becomes of a percentile of few values.
    pub low_samples: LowSamples,
}

/// What becomes of a percentile that rests on fewer values than it needs to be stable: 10 / (1 - p), which is 200 for p95 and 1,000 for
/// p99.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LowSamples {
    /// It is evidence like any other, as it is for CloudWatch's alarms if nothing else is said.
    #[default]
    Evaluate,
    /// It is [`Gap::TooFewSamples`](mpac_deploy_core::analysis::Gap::TooFewSamples): the minute does not count for a stage that needs it.
    /// The number of values is asked for besides.
    TooFew,
}

/// The sources of one side.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct SideSources {
    /// Its load balancers.
    pub balancers: Vec<BalancerSource>,
    /// Its ECS services.
    pub services: Vec<ServiceSource>,
    /// What shows a metric in place of load balancers and services, or besides them. Several sources of one metric are added up if they
    /// are counts; of anything else the worst one counts.
    pub metrics: BTreeMap<Metric, Vec<Source>>,
}

/// An application load balancer that a side's requests go through. One that both sides name is shared.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BalancerSource {
    /// Its ARN, or the end of it: `app/NAME/ID`.
    pub load_balancer: String,
    /// The side's target groups behind it, by ARN or by its end, `targetgroup/NAME/ID`. If there are none, everything that the load
    /// balancer serves belongs to the side, and is asked for by load balancer.
    pub target_groups: Vec<String>,
}

/// A service of ECS.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceSource {
    /// The cluster's name.
    pub cluster: String,
    /// The service's name.
    pub service: String,
}

/// A metric of CloudWatch and what is made of it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Source {
    /// The namespace, such as `MPAC/Portal`.
    pub namespace: String,
    /// The metric's name.
    pub name: String,
    /// All of its dimensions: with one more or less it is another metric.
    pub dimensions: BTreeMap<String, String>,
    /// The statistic over a minute.
    pub statistic: Statistic,
    /// What a value is multiplied by: 1000 for seconds that are to be milliseconds, 0.01 for percent that are to be a share.
    pub scale: f64,
}

impl CloudWatchConfig {
    /// These sources, with percentiles evaluated whatever they rest on.
    #[must_use]
    pub const fn new(blue: SideSources, green: SideSources) -> Self {
        Self { blue, green, low_samples: LowSamples::Evaluate }
    }

    /// The same sources, with another answer to percentiles of few values.
    #[must_use]
    pub const fn with_low_samples(mut self, low_samples: LowSamples) -> Self {
        self.low_samples = low_samples;
        self
    }

    /// The metrics that both sides have a source for: what a release can say that it has.
    ///
    /// # Errors
    /// What is wrong with the sources.
    pub fn metrics(&self) -> Result<Vec<Metric>, CloudWatchConfigError> {
        Ok(Catalog::of(self)?.metrics())
    }

    /// The sources of a side.
    #[must_use]
    pub const fn of(&self, side: Side) -> &SideSources {
        match side {
            Side::Blue => &self.blue,
            Side::Green => &self.green,
        }
    }
}

impl SideSources {
    /// No sources yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same sources and a load balancer with the side's target groups behind it; with none, everything behind it is the side's.
    #[must_use]
    pub fn with_balancer<G: Into<String>>(
        mut self,
        load_balancer: impl Into<String>,
        target_groups: impl IntoIterator<Item = G>,
    ) -> Self {
        let target_groups = target_groups.into_iter().map(Into::into).collect();
        self.balancers.push(BalancerSource { load_balancer: load_balancer.into(), target_groups });
        self
    }

    /// The same sources and a service of ECS.
    #[must_use]
    pub fn with_service(mut self, cluster: impl Into<String>, service: impl Into<String>) -> Self {
        self.services.push(ServiceSource { cluster: cluster.into(), service: service.into() });
        self
    }

    /// The same sources, and one for a metric. It is used in place of what load balancers and services show.
    #[must_use]
    pub fn with_metric(mut self, metric: Metric, source: Source) -> Self {
        self.metrics.entry(metric).or_default().push(source);
        self
    }

    /// The same sources, and these metrics from one namespace, where they have the names that they have in a policy, and the statistic
    /// that fits their unit.
    #[must_use]
    pub fn with_namespace(
        self,
        namespace: &str,
        dimensions: &[(&str, &str)],
        metrics: impl IntoIterator<Item = Metric>,
    ) -> Self {
        metrics.into_iter().fold(self, |sources, metric| {
            let source = Source::new(namespace, metric.name(), usual_statistic(&metric));
            let source =
                dimensions.iter().fold(source, |source, (name, value)| source.with_dimension(*name, *value));
            sources.with_metric(metric, source)
        })
    }
}

/// What is asked of a metric that an application publishes under our name and in our unit.
fn usual_statistic(metric: &Metric) -> Statistic {
    match (metric, metric.unit()) {
        (Metric::LatencyP50, _) => Statistic::P50,
        (Metric::LatencyP95, _) => Statistic::P95,
        (Metric::LatencyP99, _) => Statistic::P99,
        (_, Unit::Count) => Statistic::SUM,
        // A service that did not answer once in the minute was not there.
        (_, Unit::Flag) => Statistic::MINIMUM,
        (_, Unit::Ratio | Unit::Millis | Unit::Plain) => Statistic::AVERAGE,
    }
}

impl Source {
    /// A metric without dimensions, as it is.
    #[must_use]
    pub fn new(namespace: impl Into<String>, name: impl Into<String>, statistic: Statistic) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
            dimensions: BTreeMap::new(),
            statistic,
            scale: 1.0,
        }
    }

    /// The CPU of an ECS service, as a share of what it has.
    #[must_use]
    pub fn ecs_cpu(service: &ServiceSource) -> Self {
        service.utilization("CPUUtilization")
    }

    /// The connections to an RDS instance, the most in the minute.
    #[must_use]
    pub fn rds_connections(instance: impl Into<String>) -> Self {
        Self::new("AWS/RDS", "DatabaseConnections", Statistic::MAXIMUM)
            .with_dimension("DBInstanceIdentifier", instance)
    }

    /// The metric of a metric filter of CloudWatch Logs: the number of matches. Give the filter the default value 0, or a minute without
    /// a match has no value.
    #[must_use]
    pub fn log_filter(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self::new(namespace, name, Statistic::SUM)
    }

    /// The same metric with one more dimension.
    #[must_use]
    pub fn with_dimension(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.dimensions.insert(name.into(), value.into());
        self
    }

    /// The same metric in another unit.
    #[must_use]
    pub const fn scaled_by(mut self, scale: f64) -> Self {
        self.scale = scale;
        self
    }

    pub(super) fn query(&self) -> Query {
        Query {
            namespace: self.namespace.clone(),
            name: self.name.clone(),
            dimensions: self.dimensions.clone(),
            statistic: self.statistic.clone(),
        }
    }
}

impl ServiceSource {
    /// A service of this name in this cluster.
    #[must_use]
    pub fn new(cluster: impl Into<String>, service: impl Into<String>) -> Self {
        Self { cluster: cluster.into(), service: service.into() }
    }

    /// A metric of the service that ECS gives in percent.
    pub(super) fn utilization(&self, name: &str) -> Source {
        Source::new("AWS/ECS", name, Statistic::AVERAGE)
            .with_dimension("ClusterName", &self.cluster)
            .with_dimension("ServiceName", &self.service)
            .scaled_by(PERCENT)
    }
}

/// From percent to a share.
const PERCENT: f64 = 0.01;
