//! The world of a scenario, its ports, and what people do there.

use std::convert::Infallible;
use std::sync::Arc;

use mpac_deploy_core::driver::{DriverHandle, Ports};
use mpac_deploy_core::ids::RolloutId;
use mpac_deploy_core::journal::rollout_id;
use mpac_deploy_core::port::Clock as _;

use crate::fakes::{FakeFlags, FakeNotify, FakeSchema, MemoryJournal};
use crate::fault::{CrashPoint, Faults, wrap};
use crate::scenario::{Action, Planned, Scenario};
use crate::world::{SimClock, Timeline, World, epoch};

/// What becomes of the points at which a driver can be killed.
#[derive(Clone, Copy)]
pub(super) enum Crashing<'a> {
    /// It is killed at these.
    At(&'a [CrashPoint]),
    /// It lives, and they are noted.
    Noted,
}

/// A world with everything around it that a driver needs.
pub(super) struct Setting {
    pub(super) id: RolloutId,
    pub(super) world: Arc<World>,
    pub(super) journal: Arc<MemoryJournal>,
    pub(super) schema: Arc<FakeSchema>,
    pub(super) faults: Arc<Faults>,
    pub(super) ports: Ports,
}

impl Setting {
    pub(super) fn new(scenario: &Scenario, seed: u64, speed: u32, crashes: Crashing<'_>) -> Self {
        let id = rollout_id(&scenario.release, epoch());
        let clock = SimClock::new(epoch(), speed);
        let world = Arc::new(World::new(scenario.setup.clone(), seed, clock.clone()));
        // A store's leases run by its own clock, which does not jump with the driver's.
        let journal = Arc::new(MemoryJournal::new(Arc::new(clock.clone())));
        let timeline: Arc<dyn Timeline> = Arc::clone(&world) as _;
        let schema = Arc::new(FakeSchema::before(&scenario.release.migrations));
        let faults = Faults::new(scenario.rules.clone(), seed, clock.clone(), timeline);
        let faults = Arc::new(match crashes {
            Crashing::At(points) => faults.with_crashes(points),
            Crashing::Noted => faults.with_passed({
                let (world, schema) = (world.changes(), Arc::clone(&schema));
                let (journal, id) = (Arc::clone(&journal), id.clone());
                move || (*world.borrow() + schema.done().len() as u64, journal.count(&id))
            }),
        });
        let ports = Ports {
            traffic: Arc::clone(&world) as _,
            fleet: Arc::clone(&world) as _,
            metrics: Arc::clone(&world) as _,
            checks: Arc::clone(&world) as _,
            probes: Arc::clone(&world) as _,
            schema: Arc::clone(&schema) as _,
            flags: Arc::new(FakeFlags::on(&scenario.release.flags)),
            journal: Arc::clone(&journal) as _,
            notify: Arc::new(FakeNotify::default()),
            clock: Arc::new(clock.with_jumps(&scenario.jumps)),
        };
        Self { id, ports: wrap(ports, &faults), world, journal, schema, faults }
    }

    /// Does what people do in the scenario, each at its moment. Never returns.
    pub(super) async fn act(&self, actions: &mut Vec<Planned>, handle: &DriverHandle) -> Infallible {
        let mut changes = self.world.changes();
        loop {
            let due = |planned: &Planned| self.world.moment(planned.at);
            let next = actions.iter().enumerate().filter_map(|(index, planned)| Some((due(planned)?, index)));
            let Some((at, index)) = next.min() else {
                // The world lives as long as we do, so that this wakes.
                if changes.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
                continue;
            };
            tokio::select! {
                biased;
                () = self.world.clock().sleep_until(at) => {
                    // A person who got no answer, since the driver died, says it again to the next one.
                    if let Some(planned) = actions.get(index) {
                        self.carry_out(planned.action.clone(), handle).await;
                    }
                    drop(actions.remove(index));
                }
                Ok(()) = changes.changed() => {}
            }
        }
    }

    async fn carry_out(&self, action: Action, handle: &DriverHandle) {
        match action {
            // Whether it is obeyed shows in the journal.
            Action::Command(command) => drop(handle.command(command).await),
            Action::SetWeights(weights) => self.world.set_by_hand(weights),
        }
    }
}
