//! Which metrics of CloudWatch make which metric of a policy.

use mpac_deploy_aws::cloudwatch::{
    CloudWatchConfig, CloudWatchConfigError, LowSamples, ServiceSource, SideSources, Source, Statistic,
};
use mpac_deploy_aws::{CloudWatch, CloudWatchMetrics, Quota};
use mpac_deploy_core::analysis::{Gap, Reading};
use mpac_deploy_core::metric::{Metric, Side};
use mpac_deploy_core::policy::mpac;
use mpac_deploy_testkit::aws_sim::cloudwatch::MetricId;
use mpac_deploy_testkit::scenario::release;

use crate::common::sdk_at;
use crate::rig::{
    Rig, SERVICES, alb, balancer, config, group, of_group, of_service, preset_series, published, rig,
    rig_with, sources,
};

const GREEN: Side = Side::Green;

fn number(number: f64) -> Reading {
    Reading::from_number(number)
}

#[test]
fn the_preset_compiles_with_what_the_sources_show() {
    let metrics = config().metrics().unwrap();
    assert!(Metric::KNOWN.iter().all(|metric| metrics.contains(metric)), "{metrics:?}");
    let mut release = release();
    release.metrics = metrics;
    release.probes.clear();
    assert!(mpac().compile(release).is_ok());
}

#[tokio::test]
async fn requests_are_the_sum_over_the_target_groups() {
    let rig = rig().await;
    assert_eq!(rig.green(Metric::Requests).await, Reading::ABSENT);
    rig.put(&of_group("RequestCount", SERVICES[0], GREEN), &[100.0, 20.0]);
    assert_eq!(rig.green(Metric::Requests).await, number(120.0));
    rig.put(&of_group("RequestCount", SERVICES[1], GREEN), &[3.0]);
    assert_eq!(rig.green(Metric::Requests).await, number(123.0));
}

#[tokio::test]
async fn errors_and_5xx_hold_what_the_balancer_of_the_side_answered_itself() {
    let rig = rig().await;
    rig.put(&of_group("HTTPCode_Target_5XX_Count", SERVICES[0], GREEN), &[2.0]);
    rig.put(&alb("HTTPCode_ELB_5XX_Count", GREEN), &[40.0]);
    rig.put(&of_group("TargetConnectionErrorCount", SERVICES[0], GREEN), &[7.0]);
    assert_eq!(rig.green(Metric::Http5xx).await, number(42.0));
    assert_eq!(rig.green(Metric::Errors).await, number(42.0));
}

#[tokio::test]
async fn behind_a_shared_balancer_failed_connections_are_errors_and_its_own_answers_are_nobodys() {
    let side = |side: Side| {
        SideSources::new().with_balancer(balancer(GREEN), SERVICES.map(|service| group(service, side)))
    };
    let rig = rig_with(&CloudWatchConfig::new(side(Side::Blue), side(GREEN))).await;
    rig.put(&of_group("HTTPCode_Target_5XX_Count", SERVICES[0], GREEN), &[2.0]);
    rig.put(&alb("HTTPCode_ELB_5XX_Count", GREEN), &[40.0]);
    rig.put(&of_group("TargetConnectionErrorCount", SERVICES[1], GREEN), &[7.0]);
    assert_eq!(rig.green(Metric::Http5xx).await, number(2.0));
    assert_eq!(rig.green(Metric::Errors).await, number(9.0));
    assert_eq!(rig.read(Side::Blue, Metric::Errors).await.unwrap(), Reading::ABSENT);
}

#[tokio::test]
async fn a_balancer_that_serves_its_side_alone_is_asked_as_a_whole() {
    let side = |side: Side| SideSources::new().with_balancer(balancer(side), [""; 0]);
    let rig = rig_with(&CloudWatchConfig::new(side(Side::Blue), side(GREEN))).await;
    rig.put(&alb("RequestCount", GREEN), &[77.0]);
    rig.put(&alb("TargetResponseTime", GREEN), &[0.1, 0.2]);
    assert_eq!(rig.green(Metric::Requests).await, number(77.0));
    assert_eq!(rig.green(Metric::LatencyP99).await, number(200.0));
}

#[tokio::test]
async fn latency_is_that_of_the_slowest_target_group_in_milliseconds() {
    let rig = rig().await;
    let fast: Vec<f64> = (1..=100).map(|value| f64::from(value) / 1000.0).collect();
    rig.put(&of_group("TargetResponseTime", SERVICES[0], GREEN), &fast);
    assert_eq!(rig.green(Metric::LatencyP50).await, number(50.0));
    assert_eq!(rig.green(Metric::LatencyP95).await, number(95.0));
    rig.put(&of_group("TargetResponseTime", SERVICES[1], GREEN), &[1.5]);
    assert_eq!(rig.green(Metric::LatencyP95).await, number(1500.0));
}

#[tokio::test]
async fn memory_is_that_of_the_fullest_service_and_needs_all_of_them() {
    let rig = rig().await;
    rig.put(&of_service("MemoryUtilization", SERVICES[0], GREEN), &[60.0, 80.0]);
    assert_eq!(rig.green(Metric::MemoryUtilization).await, Reading::ABSENT);
    rig.put(&of_service("MemoryUtilization", SERVICES[1], GREEN), &[25.0]);
    assert_eq!(
        rig.green(Metric::MemoryUtilization).await,
        number(0.7),
        "divided once, not multiplied by a rounded 0.01"
    );
}

#[tokio::test]
async fn what_an_application_publishes_is_asked_by_its_name_and_unit() {
    let rig = rig().await;
    rig.put(&published(&Metric::Transactions, GREEN), &[10.0, 5.0]);
    rig.put(&published(&Metric::RedisUp, GREEN), &[1.0, 0.0]);
    assert_eq!(rig.green(Metric::Transactions).await, number(15.0));
    assert_eq!(rig.green(Metric::RedisUp).await, number(0.0));
    assert_eq!(rig.green(Metric::TransactionFailures).await, Reading::ABSENT);
}

/// One source for a metric of green, in place of what there is.
async fn with_source(metric: Metric, sources_of: impl IntoIterator<Item = Source>) -> Rig {
    let green = sources_of
        .into_iter()
        .fold(sources(GREEN), |sources, source| sources.with_metric(metric.clone(), source));
    rig_with(&CloudWatchConfig::new(sources(Side::Blue), green)).await
}

#[tokio::test]
async fn a_source_takes_the_place_of_what_balancers_show_and_several_counts_add_up() {
    let own = |name: &str| Source::new("Portal", name, Statistic::SUM);
    let rig = with_source(Metric::Errors, [own("failed"), own("rejected")]).await;
    rig.put(&alb("HTTPCode_ELB_5XX_Count", GREEN), &[40.0]);
    rig.put(&MetricId::new("Portal", "failed"), &[3.0]);
    rig.put(&MetricId::new("Portal", "rejected"), &[4.0]);
    assert_eq!(rig.green(Metric::Errors).await, number(7.0));
    assert_eq!(rig.green(Metric::Http5xx).await, number(40.0));
}

#[tokio::test]
async fn a_rank_gives_the_share_and_the_number_of_slow_requests() {
    let slow = |statistic| {
        Source::new("AWS/ApplicationELB", "TargetResponseTime", statistic)
            .with_dimension("LoadBalancer", balancer(GREEN))
            .with_dimension("TargetGroup", group(SERVICES[0], GREEN))
    };
    let times: Vec<f64> = (0..20).map(|number| if number < 3 { 0.7 } else { 0.1 }).collect();
    for (statistic, scale, expected) in
        [(Statistic::percent_above(0.5), 0.01, 0.15), (Statistic::count_above(0.5), 1.0, 3.0)]
    {
        let rig = with_source(Metric::DbConnectionErrors, [slow(statistic).scaled_by(scale)]).await;
        // The namespace's own source of it is there as well, and shows nothing.
        rig.put(&of_group("TargetResponseTime", SERVICES[0], GREEN), &times);
        assert_eq!(rig.green(Metric::DbConnectionErrors).await, number(expected));
    }
}

#[tokio::test]
async fn a_percentile_of_few_values_is_too_few_samples_if_so_asked() {
    let strict = config().with_low_samples(LowSamples::TooFew);
    for (config, count, expected) in [
        (&strict, 199, Reading::Gap(Gap::TooFewSamples)),
        (&strict, 200, number(100.0)),
        (&config(), 1, number(100.0)),
    ] {
        let rig = rig_with(config).await;
        rig.put(&of_group("TargetResponseTime", SERVICES[0], GREEN), &vec![0.1; count]);
        assert_eq!(rig.green(Metric::LatencyP95).await, expected, "{count}");
        assert_eq!(rig.green(Metric::Requests).await, Reading::ABSENT);
    }
}

#[tokio::test]
async fn a_metric_without_a_source_is_a_source_error() {
    let rig = rig_with(&CloudWatchConfig::new(SideSources::new(), SideSources::new())).await;
    assert_eq!(rig.green(Metric::Requests).await, Reading::Gap(Gap::SourceError));
    assert_eq!(rig.calls(), 0);
}

#[tokio::test]
async fn arns_are_taken_for_what_they_name() {
    let arn = |end: &str| format!("arn:aws:elasticloadbalancing:us-east-1:123456789012:{end}");
    let side = |side: Side| {
        SideSources::new()
            .with_balancer(arn(&format!("loadbalancer/{}", balancer(side))), [arn(&group(SERVICES[0], side))])
    };
    let rig = rig_with(&CloudWatchConfig::new(side(Side::Blue), side(GREEN))).await;
    rig.put(&of_group("RequestCount", SERVICES[0], GREEN), &[5.0]);
    assert_eq!(rig.green(Metric::Requests).await, number(5.0));
}

fn refused(green: SideSources) -> CloudWatchConfigError {
    CloudWatchConfig::new(sources(Side::Blue), green).metrics().unwrap_err()
}

#[test]
fn sources_that_cannot_be_told_apart_or_do_not_exist_are_refused() {
    use CloudWatchConfigError as Error;
    let network = refused(SideSources::new().with_balancer("net/mpac/0123", [""; 0]));
    assert!(matches!(&network, Error::LoadBalancer { side: GREEN, .. }), "{network}");
    let group_name = refused(SideSources::new().with_balancer(balancer(GREEN), ["svc-portal-green"]));
    assert!(matches!(&group_name, Error::TargetGroup { side: GREEN, .. }), "{group_name}");
    let shared = refused(SideSources::new().with_balancer(balancer(Side::Blue), [""; 0]));
    assert_eq!(shared, Error::Shared(balancer(Side::Blue)));
    let same_group = group(SERVICES[0], Side::Blue);
    let shared = refused(SideSources::new().with_balancer(balancer(GREEN), [same_group.clone()]));
    assert_eq!(shared, Error::SharedGroup(same_group));
    for source in [
        Source::new("", "x", Statistic::SUM),
        Source::new("X", "ü", Statistic::SUM),
        Source::new("X", "x".repeat(256), Statistic::SUM),
        Source::new("X", "x", Statistic::SUM).with_dimension("side", ""),
        Source::new("X", "x", Statistic::SUM).scaled_by(f64::NAN),
        (0..31).fold(Source::new("X", "x", Statistic::SUM), |source, n| {
            source.with_dimension(format!("d{n}"), "v")
        }),
    ] {
        let error = refused(SideSources::new().with_metric(Metric::Errors, source));
        assert!(matches!(&error, Error::Source { metric: Metric::Errors, .. }), "{error}");
    }
}

#[tokio::test]
async fn cpu_and_connections_are_there_for_policies_that_want_them() {
    let service = ServiceSource::new("mpac", "svc-portal-green");
    let cpu = Source::ecs_cpu(&service);
    assert_eq!((cpu.name.as_str(), cpu.scale), ("CPUUtilization", 0.01));
    let connections = Source::rds_connections("mpac-db");
    assert_eq!(connections.dimensions["DBInstanceIdentifier"], "mpac-db");
    assert!(config().metrics().unwrap().contains(&Metric::from("cpu_utilization")));
    assert_eq!(Source::log_filter("MPAC", "anomalies").statistic, Statistic::SUM);
}

#[tokio::test]
async fn the_readings_come_in_the_order_of_the_series_for_both_sides() {
    let rig = rig().await;
    rig.put(&of_group("RequestCount", SERVICES[0], Side::Blue), &[1.0]);
    rig.put(&of_group("RequestCount", SERVICES[0], GREEN), &[2.0]);
    let series = preset_series();
    let readings =
        mpac_deploy_core::port::Metrics::fetch(&rig.metrics, &series, crate::rig::minute(0)).await.unwrap();
    let of = |side: Side| {
        series
            .iter()
            .zip(&readings)
            .find(|(series, _)| series.side == side && series.metric == Metric::Requests)
    };
    assert_eq!(*of(Side::Blue).unwrap().1, number(1.0));
    assert_eq!(*of(GREEN).unwrap().1, number(2.0));
    assert_eq!(rig.calls(), 1);
}

#[tokio::test]
async fn an_unreachable_endpoint_is_unavailable() {
    let cloudwatch = CloudWatch::new(&sdk_at("http://127.0.0.1:9").await, &Quota::cloudwatch());
    let metrics = CloudWatchMetrics::new(&cloudwatch, &config()).unwrap();
    let asked =
        mpac_deploy_core::port::Metrics::fetch(&metrics, &preset_series(), crate::rig::minute(0)).await;
    assert!(matches!(asked, Err(mpac_deploy_core::port::PortError::Unavailable(_))), "{asked:?}");
}
