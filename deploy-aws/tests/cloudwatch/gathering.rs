//! Questions of many rollouts in few calls.

use std::time::Duration;

use mpac_deploy_aws::{CloudWatch, CloudWatchMetrics, Quota};
use mpac_deploy_core::analysis::Reading;
use mpac_deploy_core::metric::{Metric, Side};
use mpac_deploy_core::port::{Metrics, PortError};
use tokio::runtime::Builder;

use crate::common::sdk_at;
use crate::rig::{Rig, SERVICES, config, minute, of_group, preset_series, rig, series};

#[tokio::test]
async fn two_rollouts_of_the_same_environments_ask_each_query_once() {
    let rig = rig().await;
    let (one, other) = (rig.metrics.clone(), rig.metrics.clone());
    let series = preset_series();
    let (one, other) = tokio::join!(one.fetch(&series, minute(0)), other.fetch(&series, minute(0)));
    assert_eq!(one.unwrap(), other.unwrap());
    assert_eq!(rig.calls(), 1);
}

#[tokio::test]
async fn different_minutes_share_a_call_and_each_gets_its_own_numbers() {
    let rig = rig().await;
    let requests = of_group("RequestCount", SERVICES[0], Side::Green);
    for number in 0..4 {
        rig.aws.put_metric(&requests, minute(number).start(), &[number as f64]);
    }
    let series = [series(Side::Green, &Metric::Requests)];
    let fetch = |number| rig.metrics.fetch(&series, minute(number));
    let (third, first, fifth) = tokio::join!(fetch(3), fetch(1), fetch(5));
    assert_eq!(third.unwrap(), [Reading::from_number(3.0)]);
    assert_eq!(first.unwrap(), [Reading::from_number(1.0)]);
    assert_eq!(fifth.unwrap(), [Reading::ABSENT]);
    assert_eq!(rig.calls(), 1);
}

#[tokio::test]
async fn questions_that_come_later_are_asked_in_a_call_of_their_own() {
    let rig = rig().await;
    rig.green(Metric::Requests).await;
    rig.green(Metric::Requests).await;
    assert_eq!(rig.calls(), 2);
}

async fn give_up(rig: &Rig) {
    let series = preset_series();
    let asked = tokio::time::timeout(Duration::from_millis(5), rig.metrics.fetch(&series, minute(0))).await;
    assert!(asked.is_err());
}

#[tokio::test]
async fn one_who_asked_first_and_went_away_takes_no_answer_from_the_others() {
    let rig = rig().await;
    rig.put(&of_group("RequestCount", SERVICES[0], Side::Green), &[9.0]);
    let ((), reading) = tokio::join!(give_up(&rig), rig.green(Metric::Requests));
    assert_eq!(reading, Reading::from_number(9.0));
    assert_eq!(rig.calls(), 1);
}

#[tokio::test]
async fn what_nobody_waits_for_any_more_is_not_asked() {
    let rig = rig().await;
    give_up(&rig).await;
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert_eq!(rig.calls(), 0);
}

#[test]
fn a_runtime_that_ends_while_it_gathers_leaves_nobody_waiting() {
    let serves = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (rig, slow) = serves.block_on(async {
        let rig = rig().await;
        let sdk = sdk_at(&rig.aws.endpoint_url()).await;
        let slow = CloudWatch::with_window(&sdk, &Quota::cloudwatch(), Duration::from_millis(300));
        (rig, CloudWatchMetrics::new(&slow, &config()).unwrap())
    });
    let (ends, goes_on) = (
        Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap(),
        Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap(),
    );
    let series = preset_series();
    let (first, its_series) = (slow.clone(), series.clone());
    ends.spawn(async move { first.fetch(&its_series, minute(0)).await });
    std::thread::sleep(Duration::from_millis(50));
    let (second, its_series) = (slow.clone(), series.clone());
    let waits = goes_on.spawn(async move { second.fetch(&its_series, minute(0)).await });
    std::thread::sleep(Duration::from_millis(50));
    ends.shutdown_timeout(Duration::from_secs(5));
    let told = goes_on.block_on(waits).unwrap();
    assert!(matches!(told, Err(PortError::Unavailable(_))), "{told:?}");
    assert!(goes_on.block_on(slow.fetch(&series, minute(0))).is_ok());
    assert_eq!(rig.calls(), 1);
}
