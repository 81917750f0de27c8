//! A rollout ends as the records say, whatever AWS does.

use crate::rig::{Aws, Ran, told_weights};

const FORWARD: [(i64, i64); 4] = [(100, 0), (95, 5), (50, 50), (0, 100)];

/// However it ended, the records show what it says, and it went no other way than the policy's.
async fn ends_right(aws: &Aws, ran: &Ran) {
    let document = ran.json();
    let mut steps = told_weights(&document);
    match ran.status {
        Some(0) => {
            assert_eq!(document["outcome"], "completed", "{ran:?}");
            assert_eq!((aws.weights().await, steps.as_slice()), ((0, 100), FORWARD.as_slice()), "{ran:?}");
        }
        Some(1) => {
            assert!(matches!(document["outcome"].as_str(), Some("rolled_back" | "abandoned")), "{ran:?}");
            assert_eq!(aws.weights().await, (100, 0), "{ran:?}");
            if steps.len() > 1 {
                assert_eq!(steps.pop(), Some((100, 0)), "{ran:?}");
            }
            assert!(FORWARD.starts_with(&steps), "{ran:?}");
        }
        _ => panic!("{ran:?}"),
    }
}

#[tokio::test]
async fn a_good_release_completes_and_the_next_one_goes_the_other_way() {
    let aws = Aws::start(&[]);
    let ran = aws.roll_out("v2.1.0");
    assert_eq!(ran.status, Some(0), "{ran:?}");
    ends_right(&aws, &ran).await;
    let document = ran.json();
    assert_eq!((&document["from"], &document["revision"]), (&"v2.0.0".into(), &"v2.1.0".into()));
    assert_eq!(document["environments"]["green"], "green");
    let calls = aws.calls();
    assert!(calls.contains_key("PutObject") && calls.contains_key("DescribeScalableTargets"), "{calls:?}");

    let next = aws.roll_out("v2.2.0");
    let document = next.json();
    assert_eq!(document["from"], "v2.1.0", "{next:?}");
    assert_eq!(document["environments"]["green"], "blue", "{next:?}");
    assert_eq!((next.status, aws.weights().await), (Some(0), (100, 0)), "{next:?}");
}

#[tokio::test]
async fn without_metrics_nothing_is_promoted() {
    let aws = Aws::start(&["--fault", "server-error=1@cloudwatch"]);
    let ran = aws.roll_out("v2.1.0");
    ends_right(&aws, &ran).await;
    assert_eq!((ran.status, ran.json()["stage"].as_str()), (Some(1), Some("canary")), "{ran:?}");
    assert_eq!(told_weights(&ran.json()), [(100, 0), (95, 5), (100, 0)]);
}

#[tokio::test]
async fn a_throttled_route_53_ends_the_rollout_one_way_or_the_other() {
    for seed in ["1", "2"] {
        let aws = Aws::start(&["--fault", "throttle=0.5@route53", "--seed", seed]);
        ends_right(&aws, &aws.roll_out("v2.1.0")).await;
    }
}

#[tokio::test]
async fn a_connection_that_is_cut_after_a_change_does_no_harm() {
    let aws = Aws::start(&["--fault", "cut-after=0.5@ChangeResourceRecordSets"]);
    ends_right(&aws, &aws.roll_out("v2.1.0")).await;
}

#[tokio::test]
async fn a_release_that_cannot_start_is_abandoned() {
    let aws = Aws::start(&["--scenario", "bad-image"]);
    let ran = aws.roll_out("v2.1.0");
    ends_right(&aws, &ran).await;
    assert_eq!(ran.json()["outcome"], "abandoned");
    assert!(ran.json()["why"].as_str().unwrap().contains("CannotPullContainer"), "{ran:?}");
}

#[tokio::test]
async fn a_bad_release_is_taken_back() {
    let aws = Aws::start(&["--scenario", "green-slower-than-blue"]);
    let ran = aws.roll_out("v2.1.0");
    ends_right(&aws, &ran).await;
    assert_eq!(ran.json()["rule"], "half.comparison", "{ran:?}");
}
