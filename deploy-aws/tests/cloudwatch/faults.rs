//! What comes of each way in which CloudWatch can fail.

use std::time::Duration;

use mpac_deploy_aws::CloudWatchMetrics;
use mpac_deploy_aws::cloudwatch::{CloudWatchConfig, Source, Statistic};
use mpac_deploy_core::analysis::{Gap, Reading};
use mpac_deploy_core::metric::{Metric, Side};
use mpac_deploy_core::port::{Metrics, PortError};
use mpac_deploy_testkit::aws_sim::cloudwatch::MetricStatus;
use mpac_deploy_testkit::aws_sim::{CallFault, Operation};

use crate::rig::{Rig, SERVICES, minute, of_group, preset_series, published, rig, series, sources};

const FAILED: Reading = Reading::Gap(Gap::SourceError);

fn next_call(rig: &Rig, fault: CallFault) {
    rig.aws.script(Operation::GetMetricData, [fault]);
}

async fn after(fault: CallFault) -> PortError {
    let rig = rig().await;
    next_call(&rig, fault);
    let error = rig.read(Side::Green, Metric::Requests).await.unwrap_err();
    assert_eq!(rig.calls(), 1, "the SDK makes one attempt");
    assert_eq!(rig.green(Metric::Requests).await, Reading::ABSENT);
    error
}

#[tokio::test]
async fn a_call_that_gets_no_answer_is_unavailable() {
    for fault in [
        CallFault::Throttle,
        CallFault::ServerError,
        CallFault::CutBefore,
        CallFault::CutAfter,
        CallFault::Delay(Duration::from_secs(60)),
        CallFault::Refuse { status: 403, code: "ExpiredToken".into(), message: "expired".into() },
    ] {
        let error = after(fault.clone()).await;
        assert!(matches!(error, PortError::Unavailable(_)), "{fault:?}: {error}");
    }
}

#[tokio::test]
async fn a_missing_permission_is_refused_for_good_and_not_asked_in_halves() {
    let error = after(CallFault::access_denied()).await;
    assert!(matches!(error, PortError::Refused(_)), "{error}");
}

#[tokio::test]
async fn a_query_that_fails_is_a_source_error_and_the_others_are_read() {
    for status in [MetricStatus::InternalError, MetricStatus::Forbidden, MetricStatus::Partial] {
        let rig = rig().await;
        rig.put(&of_group("RequestCount", SERVICES[0], Side::Green), &[5.0]);
        rig.put(&published(&Metric::Transactions, Side::Green), &[3.0]);
        rig.aws.set_metric_status(&published(&Metric::Transactions, Side::Green), status);
        let asked = [Metric::Requests, Metric::Transactions, Metric::LogAnomalies]
            .map(|metric| series(Side::Green, &metric));
        let readings = rig.metrics.fetch(&asked, minute(0)).await.unwrap();
        assert_eq!(readings, [Reading::from_number(5.0), FAILED, Reading::ABSENT], "{status:?}");
    }
}

#[tokio::test]
async fn a_sum_without_one_of_its_parts_is_no_number() {
    let rig = rig().await;
    rig.put(&of_group("RequestCount", SERVICES[0], Side::Green), &[5.0]);
    rig.aws
        .set_metric_status(&of_group("RequestCount", SERVICES[1], Side::Green), MetricStatus::InternalError);
    assert_eq!(rig.green(Metric::Requests).await, FAILED);
}

#[tokio::test]
async fn pages_are_followed_to_the_last() {
    let rig = rig().await;
    rig.aws.limit_metric_page(2);
    let metrics =
        [Metric::Transactions, Metric::TransactionFailures, Metric::LogAnomalies, Metric::DbConnectionErrors];
    for (metric, number) in metrics.iter().zip([1.0, 2.0, 3.0, 4.0]) {
        rig.put(&published(metric, Side::Green), &[number]);
    }
    let asked = metrics.map(|metric| series(Side::Green, &metric));
    let readings = rig.metrics.fetch(&asked, minute(0)).await.unwrap();
    assert_eq!(readings, [1.0, 2.0, 3.0, 4.0].map(Reading::from_number));
    assert_eq!(rig.calls(), 2);
}

#[tokio::test]
async fn a_page_that_fails_leaves_no_half_answer() {
    let rig = rig().await;
    rig.aws.limit_metric_page(1);
    rig.put(&published(&Metric::Transactions, Side::Green), &[1.0]);
    rig.put(&published(&Metric::LogAnomalies, Side::Green), &[2.0]);
    rig.aws.script(Operation::GetMetricData, [CallFault::Pass, CallFault::Throttle]);
    let asked = [Metric::Transactions, Metric::LogAnomalies].map(|metric| series(Side::Green, &metric));
    let error = rig.metrics.fetch(&asked, minute(0)).await.unwrap_err();
    assert!(matches!(error, PortError::Unavailable(_)), "{error}");
}

#[tokio::test]
async fn late_points_are_absent_until_they_are_there() {
    let rig = rig().await;
    let soon = std::time::SystemTime::now() + Duration::from_millis(700);
    let soon = soon.duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let visible_at = mpac_deploy_core::time::Timestamp::from_millis(i64::try_from(soon).unwrap());
    let requests = of_group("RequestCount", SERVICES[0], Side::Green);
    rig.aws.put_metric_late(&requests, minute(0).start(), &[5.0], visible_at);
    assert_eq!(rig.green(Metric::Requests).await, Reading::ABSENT);
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert_eq!(rig.green(Metric::Requests).await, Reading::from_number(5.0));
}

/// An adapter that shares the calls of the rig's, with a statistic that the simulated AWS refuses.
fn with_a_refused_query(rig: &Rig) -> CloudWatchMetrics {
    let refused = Source::new("MPAC", "x", "TM(10%:90%)".parse::<Statistic>().unwrap());
    let green = sources(Side::Green).with_metric(Metric::Errors, refused);
    CloudWatchMetrics::new(&rig.cloudwatch, &CloudWatchConfig::new(sources(Side::Blue), green)).unwrap()
}

#[tokio::test]
async fn a_query_that_is_refused_takes_no_other_with_it_and_is_not_asked_again_at_once() {
    let rig = rig().await;
    rig.put(&of_group("RequestCount", SERVICES[0], Side::Green), &[5.0]);
    let culprit = with_a_refused_query(&rig);
    let asked = [Metric::Requests, Metric::Errors].map(|metric| series(Side::Green, &metric));
    let series = preset_series();
    let (its, others) = tokio::join!(culprit.fetch(&asked, minute(0)), rig.metrics.fetch(&series, minute(0)));
    assert_eq!(its.unwrap(), [Reading::from_number(5.0), FAILED]);
    assert!(!others.unwrap().contains(&FAILED));
    let before = rig.calls();
    assert!((3..=12).contains(&before), "{before} calls to find one of some thirty");
    assert_eq!(culprit.fetch(&asked, minute(1)).await.unwrap(), [Reading::ABSENT, FAILED]);
    assert_eq!(rig.calls(), before + 1);
}
