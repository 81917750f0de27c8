//! What each metric of a policy is made of.

use std::collections::{BTreeMap, BTreeSet};

use mpac_deploy_core::metric::{Metric, Side, Unit};

use super::config::{BalancerSource, CloudWatchConfig, LowSamples, SideSources, Source};
use super::formula::{Combine, Formula, Part};
use super::query::Statistic;

const ALB: &str = "AWS/ApplicationELB";
/// CloudWatch's own limits.
const MAX_DIMENSIONS: usize = 30;
const MAX_NAME: usize = 255;
/// From seconds to milliseconds.
const MILLIS: f64 = 1000.0;

/// What is wrong with the sources.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CloudWatchConfigError {
    /// Not a load balancer that has metrics of requests.
    #[error(
        "{side}: `{name}` is no application load balancer: give its ARN, or the end of it, such as app/mpac-green/50dc6c495c0c9188"
    )]
    LoadBalancer {
        /// The side.
        side: Side,
        /// What was given.
        name: String,
    },
    /// Not a target group.
    #[error(
        "{side}: `{name}` is no target group: give its ARN, or the end of it, such as targetgroup/svc-portal-green/73e2d6bc24d8a067"
    )]
    TargetGroup {
        /// The side.
        side: Side,
        /// What was given.
        name: String,
    },
    /// What it serves cannot be told apart.
    #[error("both sides have the load balancer {0}: name the target groups of each side behind it")]
    Shared(String),
    /// It would count for both sides.
    #[error("both sides have the target group {0}: each side needs its own")]
    SharedGroup(String),
    /// CloudWatch would refuse it.
    #[error("{side}, metric {metric}: {reason}")]
    Source {
        /// The side.
        side: Side,
        /// The metric that it is a source of.
        metric: Metric,
        /// What is wrong with it.
        reason: String,
    },
}

/// The formulas of both sides.
#[derive(Clone, Debug)]
pub(super) struct Catalog(BTreeMap<(Side, Metric), Formula>);

impl Catalog {
    pub(super) fn of(config: &CloudWatchConfig) -> Result<Self, CloudWatchConfigError> {
        let (blue, green) = (named(config, Side::Blue)?, named(config, Side::Green)?);
        let groups = |balancers: &[BalancerSource]| {
            balancers.iter().flat_map(|balancer| balancer.target_groups.clone()).collect::<BTreeSet<_>>()
        };
        if let Some(group) = groups(&blue).intersection(&groups(&green)).next() {
            return Err(CloudWatchConfigError::SharedGroup(group.clone()));
        }
        let names = |balancers: &[BalancerSource]| -> BTreeSet<String> {
            balancers.iter().map(|balancer| balancer.load_balancer.clone()).collect()
        };
        let shared: BTreeSet<String> = names(&blue).intersection(&names(&green)).cloned().collect();
        let mut formulas = BTreeMap::new();
        for (side, balancers) in [(Side::Blue, blue), (Side::Green, green)] {
            let whole = balancers.iter().find(|balancer| {
                balancer.target_groups.is_empty() && shared.contains(&balancer.load_balancer)
            });
            if let Some(balancer) = whole {
                return Err(CloudWatchConfigError::Shared(balancer.load_balancer.clone()));
            }
            for (metric, formula) in of_side(config, side, &balancers, &shared)? {
                formulas.insert((side, metric), formula);
            }
        }
        Ok(Self(formulas))
    }

    pub(super) fn formula(&self, side: Side, metric: &Metric) -> Option<&Formula> {
        self.0.get(&(side, metric.clone()))
    }

    pub(super) fn metrics(&self) -> Vec<Metric> {
        let of_blue = self.0.keys().filter(|(side, _)| *side == Side::Blue).map(|(_, metric)| metric);
        of_blue.filter(|metric| self.formula(Side::Green, metric).is_some()).cloned().collect()
    }
}

/// The balancers of a side by the names that they have as dimensions.
fn named(config: &CloudWatchConfig, side: Side) -> Result<Vec<BalancerSource>, CloudWatchConfigError> {
    let one = |balancer: &BalancerSource| {
        let name = &balancer.load_balancer;
        let load_balancer = name.rsplit_once(":loadbalancer/").map_or(name.as_str(), |(_, end)| end);
        if !(load_balancer.starts_with("app/") && load_balancer.split('/').count() == 3) {
            return Err(CloudWatchConfigError::LoadBalancer { side, name: name.clone() });
        }
        let group = |name: &String| {
            let group = name.rsplit(':').next().unwrap_or_default();
            if group.starts_with("targetgroup/") && group.split('/').count() == 3 {
                return Ok(group.to_owned());
            }
            Err(CloudWatchConfigError::TargetGroup { side, name: name.clone() })
        };
        let target_groups = balancer.target_groups.iter().map(group).collect::<Result<Vec<_>, _>>()?;
        Ok(BalancerSource { load_balancer: load_balancer.into(), target_groups })
    };
    config.of(side).balancers.iter().map(one).collect()
}

fn of_side(
    config: &CloudWatchConfig,
    side: Side,
    balancers: &[BalancerSource],
    shared: &BTreeSet<String>,
) -> Result<BTreeMap<Metric, Formula>, CloudWatchConfigError> {
    let sources = config.of(side);
    let mut found: BTreeMap<Metric, Vec<Source>> = usual(sources, balancers, shared);
    found.retain(|_, sources| !sources.is_empty());
    found.extend(sources.metrics.clone());
    let formula = |(metric, sources): (Metric, Vec<Source>)| {
        for source in &sources {
            check(source).map_err(|reason| CloudWatchConfigError::Source {
                side,
                metric: metric.clone(),
                reason,
            })?;
        }
        let formula = formula(&metric, &sources, config.low_samples);
        Ok((metric, formula))
    };
    found.into_iter().map(formula).collect()
}

/// What load balancers and services show without further words.
fn usual(
    sources: &SideSources,
    balancers: &[BalancerSource],
    shared: &BTreeSet<String>,
) -> BTreeMap<Metric, Vec<Source>> {
    let ask = |name: &str, statistic: Statistic| -> Vec<Source> {
        balancers.iter().flat_map(|balancer| scopes(balancer, name, &statistic)).collect()
    };
    let (own, common): (Vec<_>, Vec<_>) =
        balancers.iter().partition(|balancer| !shared.contains(&balancer.load_balancer));
    // What a balancer answers by itself carries no target group: behind a shared one nobody can say whose it was.
    let by_balancer =
        own.iter().map(|balancer| of_balancer(balancer, "HTTPCode_ELB_5XX_Count", Statistic::SUM));
    let http_5xx: Vec<Source> =
        ask("HTTPCode_Target_5XX_Count", Statistic::SUM).into_iter().chain(by_balancer).collect();
    // There the connections that failed stand in for it.
    let unreached =
        common.iter().flat_map(|balancer| scopes(balancer, "TargetConnectionErrorCount", &Statistic::SUM));
    let errors = http_5xx.iter().cloned().chain(unreached).collect();
    let latency = |statistic: Statistic| -> Vec<Source> {
        ask("TargetResponseTime", statistic).into_iter().map(|source| source.scaled_by(MILLIS)).collect()
    };
    let utilization = |name: &str| sources.services.iter().map(|service| service.utilization(name)).collect();
    BTreeMap::from([
        (Metric::Requests, ask("RequestCount", Statistic::SUM)),
        (Metric::Http5xx, http_5xx),
        (Metric::Errors, errors),
        (Metric::LatencyP50, latency(Statistic::P50)),
        (Metric::LatencyP95, latency(Statistic::P95)),
        (Metric::LatencyP99, latency(Statistic::P99)),
        (Metric::MemoryUtilization, utilization("MemoryUtilization")),
        (Metric::from("cpu_utilization"), utilization("CPUUtilization")),
    ])
}

fn of_balancer(balancer: &BalancerSource, name: &str, statistic: Statistic) -> Source {
    Source::new(ALB, name, statistic).with_dimension("LoadBalancer", &balancer.load_balancer)
}

/// A metric of each target group, or of the whole load balancer.
fn scopes(balancer: &BalancerSource, name: &str, statistic: &Statistic) -> Vec<Source> {
    let whole = of_balancer(balancer, name, statistic.clone());
    if balancer.target_groups.is_empty() {
        return vec![whole];
    }
    let groups = balancer.target_groups.iter();
    groups.map(|group| whole.clone().with_dimension("TargetGroup", group)).collect()
}

fn formula(metric: &Metric, sources: &[Source], low_samples: LowSamples) -> Formula {
    let adds_up = sources.iter().all(|source| source.statistic.adds_up());
    let combine = match metric.unit() {
        Unit::Count => Combine::Sum,
        Unit::Plain if adds_up => Combine::Sum,
        Unit::Millis | Unit::Plain => Combine::Highest,
        Unit::Ratio => Combine::HighestOfAll,
        Unit::Flag => Combine::LowestOfAll,
    };
    let part = |source: &Source| {
        let query = source.query();
        let needed = source.statistic.samples_needed().filter(|_| low_samples == LowSamples::TooFew);
        let samples = needed.map(|needed| {
            (super::query::Query { statistic: Statistic::SAMPLE_COUNT, ..query.clone() }, needed)
        });
        Part { query, scale: source.scale, samples }
    };
    Formula { combine, parts: sources.iter().map(part).collect() }
}

/// What CloudWatch would refuse, and with it the queries of everybody else in the same call.
fn check(source: &Source) -> Result<(), String> {
    let mut texts = vec![("namespace", &source.namespace), ("name", &source.name)];
    texts.extend(source.dimensions.keys().map(|name| ("dimension's name", name)));
    texts.extend(source.dimensions.values().map(|value| ("dimension's value", value)));
    for (what, text) in texts {
        if text.is_empty() || text.len() > MAX_NAME || !text.chars().all(|c| c == ' ' || c.is_ascii_graphic())
        {
            return Err(format!(
                "`{text}` is no {what}: CloudWatch takes 1 to {MAX_NAME} characters of ASCII"
            ));
        }
    }
    if source.dimensions.len() > MAX_DIMENSIONS {
        return Err(format!(
            "{} dimensions: CloudWatch takes up to {MAX_DIMENSIONS}",
            source.dimensions.len()
        ));
    }
    if !source.scale.is_finite() {
        return Err(format!("a value cannot be multiplied by {}", source.scale));
    }
    Ok(())
}
