//! The whole strategy by the driver: Route 53 over the socket in real time, everything else in the simulated world.
//!
//! The world's time is virtual, and stands still while a call to Route 53 is under way: tokio does not move a paused clock on
//! while a blocking task runs.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mpac_deploy_aws::{Quota, Route53Traffic};
use mpac_deploy_core::driver::{Driver, Options, Ports};
use mpac_deploy_core::effect::{Direction, ObservedWeights};
use mpac_deploy_core::ids::{EffectId, FencingToken, RecordName};
use mpac_deploy_core::journal::rollout_id;
use mpac_deploy_core::machine::Outcome;
use mpac_deploy_core::plan::Release;
use mpac_deploy_core::policy::mpac;
use mpac_deploy_core::port::{PortError, Traffic};
use mpac_deploy_core::units::Weights;
use mpac_deploy_testkit::aws_sim::{AwsSim, CallFault, Operation, Settings};
use mpac_deploy_testkit::fakes::{FakeNotify, MemoryJournal};
use mpac_deploy_testkit::scenario::{Scenario, by_name};
use mpac_deploy_testkit::world::{SimClock, World, epoch};
use tokio::runtime::{Builder, Handle, Runtime};

use crate::rig::{BLUE, GREEN, NAME, ZONE, config, sdk, zone};

/// The record is at Route 53; the simulated world follows it, so that its metrics do.
struct Followed {
    route53: Arc<Route53Traffic>,
    real: Handle,
    world: Arc<World>,
}

impl Followed {
    async fn in_real_time<T: Send + 'static>(&self, call: impl AsyncFnOnceSend<T>) -> Result<T, PortError> {
        let (route53, real) = (Arc::clone(&self.route53), self.real.clone());
        let done = tokio::task::spawn_blocking(move || real.block_on(call.call(route53))).await;
        done.unwrap_or_else(|error| Err(PortError::Unavailable(error.to_string())))
    }
}

/// A call on the adapter, as a value.
trait AsyncFnOnceSend<T>: Send + 'static {
    fn call(self, route53: Arc<Route53Traffic>) -> impl Future<Output = Result<T, PortError>> + Send;
}

impl<T, F, Made> AsyncFnOnceSend<T> for F
where
    F: FnOnce(Arc<Route53Traffic>) -> Made + Send + 'static,
    Made: Future<Output = Result<T, PortError>> + Send,
{
    fn call(self, route53: Arc<Route53Traffic>) -> impl Future<Output = Result<T, PortError>> + Send {
        self(route53)
    }
}

#[async_trait]
impl Traffic for Followed {
    async fn read(&self, record: &RecordName) -> Result<ObservedWeights, PortError> {
        let record = record.clone();
        self.in_real_time(|route53: Arc<Route53Traffic>| async move { route53.read(&record).await }).await
    }

    async fn set(
        &self,
        id: &EffectId,
        fence: FencingToken,
        record: &RecordName,
        weights: Weights,
        direction: Direction,
    ) -> Result<(), PortError> {
        let (its, name) = (id.clone(), record.clone());
        self.in_real_time(move |route53: Arc<Route53Traffic>| async move {
            route53.set(&its, fence, &name, weights, direction).await
        })
        .await?;
        self.world.set(id, fence, record, weights, direction).await
    }

    async fn confirm(&self, change: &EffectId) -> Result<bool, PortError> {
        let its = change.clone();
        let at_route53 = self
            .in_real_time(|route53: Arc<Route53Traffic>| async move { route53.confirm(&its).await })
            .await?;
        Ok(at_route53 && self.world.confirm(change).await?)
    }
}

/// What a rollout came to.
struct Ended {
    outcome: Outcome,
    aws: AwsSim,
    _real: Runtime,
}

impl Ended {
    fn weights(&self) -> (Option<i64>, Option<i64>) {
        (self.aws.weight(ZONE, NAME, BLUE), self.aws.weight(ZONE, NAME, GREEN))
    }

    /// The weights of each change that Route 53 has taken; a repeat of the one before is left out.
    fn steps(&self) -> Vec<(i64, i64)> {
        let weight = |change: &[(_, mpac_deploy_testkit::aws_sim::RecordSet)], set: &str| {
            let found = change.iter().find(|(_, record)| record.set_identifier.as_deref() == Some(set));
            found.and_then(|(_, record)| record.weight).unwrap()
        };
        let changes = self.aws.changes();
        let mut steps: Vec<_> = changes
            .iter()
            .map(|change| (weight(&change.changes, BLUE), weight(&change.changes, GREEN)))
            .collect();
        steps.dedup();
        steps
    }
}

fn roll_out(scenario: &Scenario, seed: u64, prepare: impl FnOnce(&AwsSim)) -> Ended {
    let real = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (aws, route53) = real.block_on(async {
        let aws = zone(Settings::default().with_pending(Duration::from_millis(20))).await;
        let route53 = Route53Traffic::new(&sdk(&aws).await, &Quota::new(10_000, 10_000), config());
        (aws, Arc::new(route53))
    });
    prepare(&aws);
    let virtually = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let outcome = virtually.block_on(drive(scenario, seed, route53, real.handle().clone()));
    Ended { outcome, aws, _real: real }
}

async fn drive(scenario: &Scenario, seed: u64, route53: Arc<Route53Traffic>, real: Handle) -> Outcome {
    let clock = SimClock::new(epoch(), 1);
    let world = Arc::new(World::new(scenario.setup.clone(), seed, clock.clone()));
    let release = Release { record: RecordName::from(NAME), ..scenario.release.clone() };
    let ports = Ports {
        traffic: Arc::new(Followed { route53, real, world: Arc::clone(&world) }),
        fleet: Arc::clone(&world) as _,
        metrics: Arc::clone(&world) as _,
        checks: Arc::clone(&world) as _,
        probes: Arc::clone(&world) as _,
        journal: Arc::new(MemoryJournal::new(Arc::new(clock.clone()))),
        notify: Arc::new(FakeNotify::default()),
        clock: Arc::new(clock),
    };
    let (id, plan) = (rollout_id(&release, epoch()), mpac().compile(release).unwrap());
    let (driver, _handle) = Driver::start(ports, id, plan, Options::new("test")).await.unwrap();
    driver.run().await.unwrap().outcome().unwrap().clone()
}

#[test]
fn a_good_release_goes_through_every_stage_to_green() {
    let ended = roll_out(&by_name("healthy").unwrap(), 1, |_| {});
    assert_eq!(ended.outcome, Outcome::Completed);
    assert_eq!(ended.weights(), (Some(0), Some(100)));
    assert_eq!(ended.steps(), [(95, 5), (50, 50), (0, 100)]);
    assert_eq!(ended.aws.changes().len(), 3, "one batch for each stage");
}

#[test]
fn a_bad_release_goes_back_to_blue() {
    let ended = roll_out(&by_name("error-spike-over").unwrap(), 1, |_| {});
    assert!(matches!(ended.outcome, Outcome::RolledBack { .. }), "{:?}", ended.outcome);
    assert_eq!(ended.weights(), (Some(100), Some(0)));
    assert_eq!(ended.steps(), [(95, 5), (50, 50), (100, 0)]);
}

#[test]
fn answers_that_are_lost_after_the_change_do_no_harm() {
    let ended = roll_out(&by_name("healthy").unwrap(), 2, |aws| {
        let cut_each_first = [CallFault::CutAfter, CallFault::Pass].into_iter().cycle().take(6);
        aws.script(Operation::ChangeResourceRecordSets, cut_each_first);
    });
    assert_eq!(ended.outcome, Outcome::Completed);
    assert_eq!(ended.steps(), [(95, 5), (50, 50), (0, 100)]);
    assert_eq!(ended.aws.changes().len(), 6, "each batch and its idempotent repeat");
}

/// Ends as the records say, whichever way it ends.
fn ends_right(ended: &Ended) {
    match &ended.outcome {
        Outcome::Completed => assert_eq!(ended.weights(), (Some(0), Some(100))),
        Outcome::RolledBack { .. } | Outcome::Abandoned { .. } => {
            assert_eq!(ended.weights(), (Some(100), Some(0)))
        }
    }
}

#[test]
fn a_rollback_gets_through_although_half_of_all_calls_are_throttled() {
    for seed in 1..=5 {
        let ended = roll_out(&by_name("error-spike-over").unwrap(), seed, |aws| {
            aws.strike(0.5, CallFault::Throttle, seed);
        });
        ends_right(&ended);
        assert!(!matches!(ended.outcome, Outcome::Completed), "{:?}", ended.outcome);
    }
}

#[test]
fn a_good_release_ends_right_although_a_fifth_of_all_calls_is_cut_off_after_its_effect() {
    for seed in 1..=5 {
        let ended = roll_out(&by_name("healthy").unwrap(), seed, |aws| {
            aws.strike(0.2, CallFault::CutAfter, seed);
        });
        ends_right(&ended);
    }
}
