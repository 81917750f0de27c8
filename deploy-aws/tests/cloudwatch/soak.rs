//! Many rollouts on a CloudWatch that fails in every way: an answer is right, or it is none.

use std::time::Duration;

use mpac_deploy_aws::{CloudWatch, CloudWatchMetrics, Quota};
use mpac_deploy_core::analysis::Reading;
use mpac_deploy_core::metric::{Metric, Side};
use mpac_deploy_core::port::{Metrics, PortError};
use mpac_deploy_testkit::aws_sim::CallFault;

use crate::common::sdk_at;
use crate::rig::{Rig, SERVICES, config, minute, of_group, published, rig, series};

const MINUTES: i64 = 6;
const ROLLOUTS: usize = 12;

fn faults() -> [CallFault; 6] {
    [
        CallFault::Throttle,
        CallFault::ServerError,
        CallFault::CutBefore,
        CallFault::CutAfter,
        CallFault::Delay(Duration::from_millis(5)),
        CallFault::Pass,
    ]
}

/// What is asked, and what is right in a minute. Transactions are published in every second minute only.
fn expected(number: i64) -> [(Metric, Reading); 3] {
    let transactions =
        if number % 2 == 0 { Reading::from_number(number as f64 + 0.5) } else { Reading::ABSENT };
    [
        (Metric::Requests, Reading::from_number(3.0 * number as f64)),
        (Metric::Transactions, transactions),
        (Metric::Errors, Reading::ABSENT),
    ]
}

async fn filled(seed: u64) -> Rig {
    let rig = rig().await;
    for number in 0..MINUTES {
        let start = minute(number).start();
        rig.aws.put_metric(&of_group("RequestCount", SERVICES[0], Side::Green), start, &[number as f64]);
        rig.aws.put_metric(
            &of_group("RequestCount", SERVICES[1], Side::Green),
            start,
            &[2.0 * number as f64],
        );
        if let Reading::Number(transactions) = expected(number)[1].1 {
            rig.aws.put_metric(&published(&Metric::Transactions, Side::Green), start, &[transactions.get()]);
        }
    }
    rig.aws.strike(0.4, &faults(), seed);
    // Some seeds page as well.
    if seed.is_multiple_of(2) {
        rig.aws.limit_metric_page(2);
    }
    rig
}

/// Reads every minute as a rollout does: again after a failure; every third attempt of some is given up.
async fn roll_out(metrics: CloudWatchMetrics, rollout: usize) -> usize {
    let mut failures = 0;
    for number in 0..MINUTES {
        let (asked, right): (Vec<_>, Vec<_>) = expected(number)
            .into_iter()
            .map(|(metric, reading)| (series(Side::Green, &metric), reading))
            .unzip();
        loop {
            let patience = if (failures + rollout) % 3 == 2 {
                Duration::from_millis(12)
            } else {
                Duration::from_secs(20)
            };
            match tokio::time::timeout(patience, metrics.fetch(&asked, minute(number))).await {
                Ok(Ok(readings)) => {
                    assert_eq!(readings, right, "rollout {rollout}, minute {number}");
                    break;
                }
                Ok(Err(error)) => assert!(matches!(error, PortError::Unavailable(_)), "{error}"),
                Err(_) => {}
            }
            failures += 1;
            assert!(failures < 500, "rollout {rollout} gets no answer");
        }
    }
    failures
}

async fn run(seed: u64) {
    let rig = filled(seed).await;
    let sdk = sdk_at(&rig.aws.endpoint_url()).await;
    let cloudwatch = CloudWatch::with_window(&sdk, &Quota::new(10_000, 10_000), Duration::from_millis(10));
    let rollouts = (0..ROLLOUTS).map(|rollout| {
        let metrics = CloudWatchMetrics::new(&cloudwatch, &config()).unwrap();
        tokio::spawn(roll_out(metrics, rollout))
    });
    let mut failures = 0;
    for rollout in rollouts.collect::<Vec<_>>() {
        failures += rollout.await.unwrap();
    }
    assert!(failures > 0, "seed {seed}: nothing has failed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_right_or_none_whatever_fails_and_whoever_goes_away() {
    for seed in 1..=6 {
        run(seed).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "200 rounds take a while: run `cargo xtask test`"]
async fn two_hundred_rounds_of_answers_are_right_or_none() {
    for seed in 1000..1200 {
        run(seed).await;
    }
}
