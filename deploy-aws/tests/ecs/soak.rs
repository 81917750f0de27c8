//! Whatever fails: an environment ends as the last effect says, and nothing is made twice.

use std::time::Duration;

use mpac_deploy_aws::EcsError;
use mpac_deploy_core::effect::Health;
use mpac_deploy_core::ids::FencingToken;
use mpac_deploy_core::metric::Side;
use mpac_deploy_core::port::PortError;
use mpac_deploy_testkit::aws_sim::CallFault;

use crate::common::effect;
use crate::rig::{BLUE, GREEN, NEW, OLD, OTHER_BLUE, OTHER_GREEN, Rig, config, fleet, release, rig};

/// An effect is tried until it is done, by a new process each third time, as after a crash.
async fn until_done<T>(
    rig: &mut Rig,
    token: &mut u64,
    attempt: impl AsyncFn(&Rig, FencingToken) -> Result<T, EcsError>,
) -> T {
    for number in 1..200 {
        match attempt(rig, FencingToken(*token)).await {
            Ok(done) => return done,
            Err(error) => {
                let text = error.to_string();
                assert!(matches!(PortError::from(error), PortError::Unavailable(_)), "{text}");
            }
        }
        if number % 3 == 0 {
            *token += 1;
            rig.fleet = fleet(&rig.aws, config()).await;
        }
    }
    panic!("it is never done");
}

async fn run(seed: u64) {
    let mut rig = rig().await;
    let faults = [
        CallFault::Throttle,
        CallFault::ServerError,
        CallFault::CutBefore,
        CallFault::CutAfter,
        CallFault::Delay(Duration::from_millis(20)),
    ];
    rig.aws.strike(0.25, &faults, seed);
    let mut token = 1;
    let release = release();
    until_done(&mut rig, &mut token, async |rig, fence| {
        rig.fleet.provision_green(&effect(1), fence, &release).await
    })
    .await;
    rig.aws.let_tasks_settle();
    let green =
        until_done(&mut rig, &mut token, async |rig, _| rig.fleet.side_health(&release, Side::Green).await)
            .await;
    assert_eq!(green, Health::Healthy, "seed {seed}");
    let archive = until_done(&mut rig, &mut token, async |rig, fence| {
        rig.fleet.retire_blue(&effect(2), fence, &release).await
    })
    .await;
    assert!(archive.unwrap().as_str().contains(r#""desiredCount":4"#), "seed {seed}");
    for (name, image) in [(BLUE, OLD), (OTHER_BLUE, "v2.0.0")] {
        let service = rig.service(name);
        assert_eq!((service.desired, service.running), (0, 0), "seed {seed}");
        assert!(service.image.ends_with(image), "seed {seed}");
    }
    until_done(&mut rig, &mut token, async |rig, fence| {
        rig.fleet.revive_blue(&effect(3), fence, &release).await
    })
    .await;
    rig.aws.let_tasks_settle();
    let running = [BLUE, OTHER_BLUE, GREEN, OTHER_GREEN].map(|name| rig.service(name).running);
    assert_eq!(running, [4, 2, 4, 2], "seed {seed}");
    assert_eq!(rig.service(GREEN).image, NEW, "seed {seed}");
    // Blue's revision and one of the release's, however often it was tried.
    assert_eq!((rig.aws.revisions("svc-portal"), rig.aws.revisions("svc-smarttab")), (2, 2), "seed {seed}");
}

#[tokio::test]
async fn a_few_runs_end_right_whatever_fails() {
    for seed in 0..10 {
        run(seed).await;
    }
}

#[tokio::test]
#[ignore = "200 runs take a minute: run `cargo xtask test`"]
async fn two_hundred_runs_end_right_whatever_fails() {
    for seed in 1000..1200 {
        run(seed).await;
    }
}
