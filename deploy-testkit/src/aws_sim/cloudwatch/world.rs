//! The numbers of a simulated world as load balancers, ECS and an application would publish them.

use mpac_deploy_core::metric::{Metric, Side};
use mpac_deploy_core::time::Period;

use super::MetricId;
use super::statistic::Weighted;
use crate::aws_sim::Bound;
use crate::aws_sim::elbv2::Elbv2;

/// How many values stand for the latencies of a minute: one for each percent.
const LATENCIES: u32 = 100;
/// The fastest and the slowest answer, as parts of the median and of the 99th percentile.
const EXTREMES: (f64, f64) = (0.25, 1.5);

/// The values of a metric in a minute, by now; none if nothing is published.
pub(super) fn values(bound: &Bound, elbv2: &Elbv2, metric: &MetricId, period: Period) -> Vec<Weighted> {
    let Some(side) = side_of(metric) else { return Vec::new() };
    let published = |metric: Metric| bound.world.published(side, &metric, period);
    let found = match metric.namespace.as_str() {
        "AWS/ApplicationELB" => balancer(metric, side, elbv2, &published),
        "AWS/ECS" if metric.name == "MemoryUtilization" => {
            published(Metric::MemoryUtilization).map(|share| vec![(share * 100.0, 1.0)])
        }
        namespace if namespace.starts_with("AWS/") => None,
        _ => published(Metric::from(metric.name.as_str())).map(|value| vec![(value, 1.0)]),
    };
    found.unwrap_or_default()
}

/// A metric belongs to the side that one of its dimensions, its namespace or its name has as a word.
fn side_of(metric: &MetricId) -> Option<Side> {
    let mut places = metric.dimensions.values().chain([&metric.namespace, &metric.name]);
    places.find_map(|text| Bound::side_of(text))
}

fn balancer(
    metric: &MetricId,
    side: Side,
    elbv2: &Elbv2,
    published: &impl Fn(Metric) -> Option<f64>,
) -> Option<Vec<Weighted>> {
    let part = |count: f64| share_of(metric, side, elbv2, count);
    // Each request is a value of 1.
    let requests = |count: f64| if count > 0.0 { vec![(1.0, count)] } else { vec![(0.0, 1.0)] };
    match metric.name.as_str() {
        "RequestCount" => published(Metric::Requests).map(part).map(requests),
        "HTTPCode_Target_5XX_Count" => {
            published(Metric::Http5xx).map(part).filter(|count| *count > 0.0).map(requests)
        }
        "TargetResponseTime" => {
            let count = published(Metric::Requests).map(part).filter(|count| *count > 0.0)?;
            let knots = [Metric::LatencyP50, Metric::LatencyP95, Metric::LatencyP99].map(published);
            let [Some(p50), Some(p95), Some(p99)] = knots else { return None };
            Some(latencies([p50, p95, p99].map(|millis| millis / 1000.0), count))
        }
        _ => None,
    }
}

/// The part of a side's count that falls on the target group of the metric: as even as whole numbers can be.
fn share_of(metric: &MetricId, side: Side, elbv2: &Elbv2, count: f64) -> f64 {
    let Some(group) = metric.dimensions.get("TargetGroup") else { return count };
    let groups: Vec<&str> = elbv2.targets.names().filter(|name| Bound::side_of(name) == Some(side)).collect();
    let Some(place) = groups.iter().position(|name| group.split('/').nth(1) == Some(name)) else {
        // A group that nobody has set up stands for all of its side.
        return count;
    };
    let (all, place) = (groups.len() as f64, place as f64);
    let each = (count / all).floor();
    if place < count - each * all { each + 1.0 } else { each }
}

/// So many latencies with these percentiles: 50, 95, 99.
fn latencies([p50, p95, p99]: [f64; 3], count: f64) -> Vec<Weighted> {
    let knots = [(0, p50 * EXTREMES.0), (50, p50), (95, p95), (99, p99), (100, p99 * EXTREMES.1)];
    let at = |percent: u32| {
        let ahead = knots.iter().position(|(knot, _)| percent <= *knot).unwrap_or(0);
        let (Some((to, high)), Some((from, low))) = (knots.get(ahead), knots.get(ahead.wrapping_sub(1)))
        else {
            return knots[0].1;
        };
        if percent == *to {
            return *high;
        }
        let part = f64::from(percent - from) / f64::from(to - from);
        // Latencies spread by factors.
        low * libm::pow(high / low, part)
    };
    (1..=LATENCIES).map(|percent| (at(percent), count / f64::from(LATENCIES))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::statistic::Statistic;
    use super::*;

    #[test]
    fn latencies_have_the_percentiles_of_the_world() {
        let of = |statistic: &str| {
            let values = latencies([0.045, 0.2, 0.4], 600.0);
            statistic.parse::<Statistic>().unwrap().of(values).unwrap()
        };
        assert_eq!(["p50", "p95", "p99"].map(of), [0.045, 0.2, 0.4]);
        assert!((of("SampleCount") - 600.0).abs() < 1e-9);
        assert!((4.9..5.1).contains(&of("PR(0.2:)")), "{}", of("PR(0.2:)"));
    }
}
