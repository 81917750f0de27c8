//! How many calls rollouts cost.
//!
//! The table of the book's page: `cargo test -p mpac-deploy-aws --test cloudwatch counted -- --nocapture`.

use std::time::Duration;

use mpac_deploy_aws::cloudwatch::{CloudWatchConfig, SideSources};
use mpac_deploy_aws::{CloudWatch, CloudWatchMetrics, Quota};
use mpac_deploy_core::metric::{Metric, Signal};
use mpac_deploy_core::plan::Series;
use mpac_deploy_core::policy::{Alert, Quantity, mpac, period};
use mpac_deploy_core::port::Metrics;
use mpac_deploy_core::time::Period;
use mpac_deploy_testkit::scenario::release;

use crate::common::sdk_at;
use crate::rig::{PUBLISHED, Rig, minute, preset_series, rig_with};

/// The bakes of the strategy.
const MINUTES_OF_A_ROLLOUT: usize = 15 + 30 + 60;

/// Environments of their own for each rollout, each with a load balancer and three services.
fn environments(rollout: usize) -> CloudWatchConfig {
    let side = |side: &str| {
        let sources = SideSources::new()
            .with_balancer(format!("app/r{rollout}-{side}/0123456789abcdef"), [""; 0])
            .with_namespace("MPAC", &[("Rollout", &rollout.to_string()), ("Environment", side)], PUBLISHED);
        ["portal", "smarttab", "pgw"].iter().fold(sources, |sources, service| {
            sources.with_service("mpac", format!("r{rollout}-{service}-{side}"))
        })
    };
    CloudWatchConfig::new(side("blue"), side("green"))
}

/// Asks for a minute as rollouts do: all when it has settled, a little spread.
async fn one_minute(rig: &Rig, adapters: &[CloudWatchMetrics], series: &[Series], period: Period) -> usize {
    let before = rig.calls();
    let fetches = adapters.iter().enumerate().map(|(number, adapter)| {
        let (adapter, series) = (adapter.clone(), series.to_vec());
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(number as u64 * 37 % 100)).await;
            adapter.fetch(&series, period).await.unwrap()
        })
    });
    for fetch in fetches.collect::<Vec<_>>() {
        assert_eq!(fetch.await.unwrap().len(), series.len());
    }
    rig.calls() - before
}

/// The calls of the cheaper of two minutes, by the usual window.
async fn calls(rollouts: usize, series: &[Series], config: impl Fn(usize) -> CloudWatchConfig) -> usize {
    let rig = rig_with(&config(0)).await;
    let cloudwatch = CloudWatch::new(&sdk_at(&rig.aws.endpoint_url()).await, &Quota::cloudwatch());
    let adapters: Vec<_> =
        (0..rollouts).map(|rollout| CloudWatchMetrics::new(&cloudwatch, &config(rollout)).unwrap()).collect();
    let first = one_minute(&rig, &adapters, series, minute(0)).await;
    let second = one_minute(&rig, &adapters, series, minute(1)).await;
    // A machine that is busy may be late for the window in which questions share a call.
    first.min(second)
}

/// Twenty metrics of green that need a query each.
fn twenty() -> (Vec<Metric>, Vec<Series>) {
    let metrics: Vec<Metric> =
        (0..20).map(|number| Metric::from(format!("business_{number}").as_str())).collect();
    let mut policy = mpac();
    policy.alerts = metrics
        .iter()
        .map(|metric| Alert {
            id: metric.name().into(),
            rule: period(Signal::Metric(metric.clone()).above(Quantity::Number(1.0))),
        })
        .collect();
    let mut release = release();
    release.metrics.extend(metrics.clone());
    let plan = policy.compile(release).unwrap();
    let series = plan.series().iter().filter(|series| metrics.contains(&series.metric)).cloned().collect();
    (metrics, series)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_rollouts_of_twenty_metrics_need_at_most_five_calls_a_minute() {
    let (metrics, series) = twenty();
    assert_eq!(series.len(), 20);
    let config = |rollout: usize| {
        let side = |side: &str| {
            let dimensions = [("Rollout", rollout.to_string()), ("Environment", side.to_string())];
            let dimensions = dimensions.each_ref().map(|(name, value)| (*name, value.as_str()));
            SideSources::new().with_namespace("MPAC", &dimensions, metrics.clone())
        };
        CloudWatchConfig::new(side("blue"), side("green"))
    };
    let calls = calls(100, &series, config).await;
    assert!((4..=5).contains(&calls), "{calls}: four calls of 500 queries each, if none is late");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_are_counted_for_1_10_100_and_1000_rollouts() {
    let series = preset_series();
    println!(
        "\n| rollouts | series | calls a minute | calls per rollout-minute | calls per rollout |\n|---|---|---|---|---|"
    );
    let mut counted = Vec::new();
    for rollouts in [1, 10, 100, 1000] {
        let calls = calls(rollouts, &series, environments).await;
        let each = calls as f64 / rollouts as f64;
        println!(
            "| {rollouts} | {} | {calls} | {each:.3} | {:.1} |",
            rollouts * series.len(),
            each * MINUTES_OF_A_ROLLOUT as f64
        );
        counted.push(calls);
    }
    assert_eq!(counted[..2], [1, 1], "the queries of ten rollouts fit into one call");
    assert!(counted[2] <= 5 && counted[3] <= 50, "{counted:?}");
}
