//! The numbers of a simulated world, as the adapter reads them through CloudWatch.

use std::sync::Arc;
use std::time::Duration;

use mpac_deploy_aws::cloudwatch::{CloudWatchConfig, SideSources, Source, Statistic};
use mpac_deploy_aws::{CloudWatch, CloudWatchMetrics, Quota};
use mpac_deploy_core::analysis::Reading;
use mpac_deploy_core::effect::ObservedWeights;
use mpac_deploy_core::metric::{Metric, Side};
use mpac_deploy_core::port::Metrics;
use mpac_deploy_core::time::Period;
use mpac_deploy_testkit::aws_sim::elbv2::{TargetGroup, load_balancer_arn};
use mpac_deploy_testkit::aws_sim::{AwsSim, Bound, Settings};
use mpac_deploy_testkit::world::{Setup, SimClock, World, epoch};

use crate::common::sdk_at;
use crate::rig::{PUBLISHED, preset_series};

/// The application publishes its errors itself: those of the world are not all of status 5xx.
fn sources(side: Side) -> SideSources {
    let groups = ["svc-portal", "svc-smarttab", "mpac-pgw"]
        .map(|service| TargetGroup::behind(&format!("{service}-{side}"), "mpac").arn());
    let errors =
        Source::new("MPAC", "errors", Statistic::SUM).with_dimension("Environment", side.to_string());
    SideSources::new()
        .with_balancer(load_balancer_arn(&format!("mpac-{side}")), groups)
        .with_service("mpac", format!("svc-portal-{side}"))
        .with_namespace("MPAC", &[("Environment", &side.to_string())], PUBLISHED)
        .with_metric(Metric::Errors, errors)
}

fn close(one: Reading, other: Reading) -> bool {
    match (one, other) {
        (Reading::Number(one), Reading::Number(other)) => (one.get() - other.get()).abs() < 1e-9,
        _ => one == other,
    }
}

#[tokio::test]
async fn the_adapter_reads_what_the_world_publishes() {
    let clock = SimClock::new(epoch(), 2000);
    let setup = Setup { weights: ObservedWeights { blue: 50, green: 50 }, ..Setup::default() };
    let world = Arc::new(World::new(setup, 3, clock.clone()));
    world.want_tasks(Side::Green, true);
    let bound = Bound::new(Arc::clone(&world), "Z1", "api.mpac-cloud.com");
    let aws = AwsSim::start_with(Settings::default(), 0, bound).await.unwrap();
    for side in [Side::Blue, Side::Green] {
        for service in ["svc-portal", "svc-smarttab", "mpac-pgw"] {
            aws.put_target_group(TargetGroup::behind(&format!("{service}-{side}"), &format!("mpac-{side}")));
        }
    }
    let sdk = sdk_at(&aws.endpoint_url()).await;
    let cloudwatch = CloudWatch::with_window(&sdk, &Quota::cloudwatch(), Duration::from_millis(1));
    let config = CloudWatchConfig::new(sources(Side::Blue), sources(Side::Green));
    let metrics = CloudWatchMetrics::new(&cloudwatch, &config).unwrap();

    let (series, period) = (preset_series(), Period::containing(epoch()).next().next().next());
    let unpublished = metrics.fetch(&series, period).await.unwrap();
    assert!(unpublished.iter().all(|reading| *reading == Reading::ABSENT), "{unpublished:?}");

    clock.sleep(Duration::from_secs(900)).await;
    let through_aws = metrics.fetch(&series, period).await.unwrap();
    let told = Metrics::fetch(world.as_ref(), &series, period).await.unwrap();
    assert!(told.iter().filter(|reading| matches!(reading, Reading::Number(_))).count() > 10, "{told:?}");
    for ((series, found), expected) in series.iter().zip(through_aws).zip(told) {
        assert!(
            close(found, expected),
            "{} {}: {found:?} instead of {expected:?}",
            series.side,
            series.metric
        );
    }
}
