//! A rollout whose steps are those of a real Alembic project on a real PostgreSQL, in a simulated world: expand, rollout, and a day later contract.
//!
//! Time is virtual and the database is not: each change of the schema, and each statement of the services' code, happens at one instant of the
//! rollout, however long it takes.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mpac_deploy_core::decision::{Decision, DecisionKind};
use mpac_deploy_core::driver::{Driver, DriverHandle, Options, Ports};
use mpac_deploy_core::effect::EffectKind;
use mpac_deploy_core::ids::{EffectId, FencingToken, SchemaVersion, ServiceName};
use mpac_deploy_core::journal::rollout_id;
use mpac_deploy_core::machine::{Command, CommandKind, Event, Outcome, Rollout};
use mpac_deploy_core::migration::{Migrations, Phase, SchemaFit, Step};
use mpac_deploy_core::policy::{IssueKind, mpac};
use mpac_deploy_core::port::{Journal as _, NoFlags, PortError, Schema};
use mpac_deploy_core::units::Weights;
use mpac_deploy_migrate::Config;
use mpac_deploy_migrate::run::Migrator;
use mpac_deploy_testkit::fakes::{FakeNotify, MemoryJournal};
use mpac_deploy_testkit::invariant::check_all;
use mpac_deploy_testkit::scenario;
use mpac_deploy_testkit::trace::Trace;
use mpac_deploy_testkit::world::{Setup, SimClock, World, epoch};

use crate::place::{Kind, Place, Project, SERVICE};

/// The strategy's first example, a column that is renamed in two phases, after what was there before.
const MIGRATIONS: [(&str, &str); 3] = [
    ("CREATE TABLE payments (id bigserial PRIMARY KEY, amount numeric(15, 2))", "DROP TABLE payments"),
    (
        "SET LOCAL lock_timeout = '2s'; ALTER TABLE payments ADD COLUMN total_amount numeric(15, 2)",
        "ALTER TABLE payments DROP COLUMN total_amount",
    ),
    (
        "SET LOCAL lock_timeout = '2s'; ALTER TABLE payments DROP COLUMN amount",
        "ALTER TABLE payments ADD COLUMN amount numeric(15, 2)",
    ),
];

/// What blue's code does, which knows nothing of the new column.
const OLD: [&str; 2] =
    ["INSERT INTO payments (amount) VALUES (12.50)", "SELECT id, amount FROM payments LIMIT 1"];
/// What green's code reads and writes, which does without the old one.
const NEW: [&str; 2] =
    ["SELECT id, total_amount FROM payments LIMIT 1", "INSERT INTO payments (total_amount) VALUES (12.50)"];

const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// A rollout of some hours, and the day until its schema is contracted.
const LONGEST: Duration = Duration::from_secs(36 * 60 * 60);

/// Does something in real time, while virtual time stands still.
fn really<T: Send>(what: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| {
        let doing = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(what)
        });
        doing.join().unwrap()
    })
}

/// A schema that is changed in no virtual time.
struct AtOnce(Migrator);

#[async_trait]
impl Schema for AtOnce {
    async fn version(&self, service: &ServiceName) -> Result<SchemaVersion, PortError> {
        really(self.0.version(service))
    }

    async fn apply(&self, id: &EffectId, fence: FencingToken, step: &Step) -> Result<Vec<String>, PortError> {
        really(self.0.apply(id, fence, step))
    }

    async fn undo(&self, id: &EffectId, fence: FencingToken, step: &Step) -> Result<Vec<String>, PortError> {
        really(self.0.undo(id, fence, step))
    }

    async fn written(&self, step: &Step) -> Result<Vec<String>, PortError> {
        really(self.0.written(step))
    }
}

/// The database at the version before the release, and the project that changes it.
struct Deployment {
    place: Place,
    project: Project,
    migrations: Migrations,
}

impl Deployment {
    fn new() -> Self {
        let place = really(Place::new());
        let project = Project::new(Kind::Alembic, &MIGRATIONS);
        let service = ServiceName::from(SERVICE);
        let step = |phase, from, to| {
            let (from, to) = (project.version(from), project.version(to));
            project.tool().step(&service, phase, (&from, &to), &Config::default()).unwrap()
        };
        let (expand, contract) = (step(Phase::Expand, 1, 2), step(Phase::Contract, 2, 3));
        let first = project.step(0, 1, &[]);
        really(async {
            crate::place::apply(&project.migrator(&place), &first).await.unwrap();
        });
        let migrations = Migrations { expand: vec![expand], contract: vec![contract] };
        Self { place, project, migrations }
    }

    /// Runs these statements as one of the services' code would.
    fn run(&self, code: &[&str]) {
        really(async {
            for sql in code {
                self.place.run(sql).await;
            }
        });
    }

    fn columns(&self) -> i64 {
        really(self.place.count(
            "SELECT count(*) FROM information_schema.columns WHERE table_name = 'payments' AND column_name IN ('amount', 'total_amount')",
        ))
    }

    fn version(&self) -> SchemaVersion {
        really(crate::place::version(&self.project.migrator(&self.place)))
    }

    /// Rolls the release out, and shows every state of it.
    fn roll_out(&self, seen: impl AsyncFnMut(&Rollout, &DriverHandle)) -> Ended {
        roll_out(self.project.migrator(&self.place), &self.migrations, seen)
    }
}

/// Rolls a release out that changes these schemas, and shows every state of it.
fn roll_out(
    migrator: Migrator,
    migrations: &Migrations,
    mut seen: impl AsyncFnMut(&Rollout, &DriverHandle),
) -> Ended {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let clock = SimClock::new(epoch(), 1);
        let world = Arc::new(World::new(Setup::default(), 1, clock.clone()));
        let journal = Arc::new(MemoryJournal::new(Arc::new(clock.clone())));
        let ports = Ports {
            traffic: Arc::clone(&world) as _,
            fleet: Arc::clone(&world) as _,
            metrics: Arc::clone(&world) as _,
            checks: Arc::clone(&world) as _,
            probes: Arc::clone(&world) as _,
            schema: Arc::new(AtOnce(migrator)),
            flags: Arc::new(NoFlags),
            journal: Arc::clone(&journal) as _,
            notify: Arc::new(FakeNotify::default()),
            clock: Arc::new(clock),
        };
        let mut release = scenario::release();
        release.migrations = migrations.clone();
        let id = rollout_id(&release, epoch());
        let plan = mpac().compile(release).unwrap();
        let (driver, mut handle) =
            Driver::start(ports, id.clone(), plan, Options::new("test")).await.unwrap();
        let stopper = handle.clone();
        let watching = async {
            loop {
                seen(&handle.status(), &handle.clone()).await;
                if !handle.changed().await {
                    return;
                }
            }
        };
        // Whoever waits for a person, who does not come, is stopped.
        let stopping = async {
            tokio::time::sleep(LONGEST).await;
            stopper.stop();
            std::future::pending::<()>().await;
        };
        let (rollout, ()) = tokio::select! {
            ended = async { tokio::join!(driver.run(), watching) } => ended,
            () = stopping => panic!("it goes on for ever"),
        };
        let trace = Trace::from_journal(journal.load(&id, 0).await.unwrap()).unwrap();
        check_all(&trace).unwrap_or_else(|violation| panic!("{violation}"));
        Ended { rollout: rollout.unwrap(), trace, world }
    })
}

struct Ended {
    rollout: Rollout,
    trace: Trace,
    world: Arc<World>,
}

impl Ended {
    fn decisions(&self, kind: DecisionKind) -> Vec<&Decision> {
        let all = self.trace.decisions().map(|(_, decision)| decision);
        all.filter(|decision| decision.kind == kind).collect()
    }

    /// The effects that were asked for, in their order.
    fn effects(&self) -> Vec<&EffectKind> {
        self.trace.steps.iter().flat_map(|step| &step.effects.run).map(|effect| &effect.kind).collect()
    }

    fn weights(&self) -> Weights {
        let history = self.world.history();
        let last = history.weights.last().map_or(history.initial, |change| change.weights);
        Weights::new(last.blue, last.green).unwrap()
    }
}

fn abort(issue: IssueKind) -> Command {
    let kind = CommandKind::Abort { issue, force: false };
    Command { kind, by: "ada".into(), why: "the books do not add up".into() }
}

#[test]
#[ignore = "needs a PostgreSQL server and Alembic: cargo xtask test"]
fn expand_then_the_rollout_then_a_day_later_contract() {
    let deployment = Deployment::new();
    deployment.run(&OLD);
    let (mut old, mut new, mut both) = (0, 0, 0);
    let mut latest = None;
    let ended = deployment.roll_out(async |rollout, _| {
        let weights = rollout.expected_weights();
        // Whenever something changes, every version that serves does its work.
        let now = Some((weights, rollout.schema().clone()));
        if now == latest {
            return;
        }
        latest = now;
        let (serves_old, serves_new) = (weights.blue() > 0, weights.green() > 0);
        if serves_old {
            deployment.run(&OLD);
            old += 1;
        }
        if serves_new {
            deployment.run(&NEW);
            new += 1;
        }
        both += u32::from(serves_old && serves_new);
    });
    assert!(matches!(ended.rollout.outcome(), Some(Outcome::Completed)), "{:?}", ended.rollout.outcome());
    assert!(old >= 3 && new >= 3 && both >= 2, "{old} old, {new} new, {both} both");
    assert_eq!((deployment.version(), deployment.columns()), (deployment.project.version(3), 1));
    assert!(matches!(ended.rollout.schema(), SchemaFit::GreenOnly { .. }));
    let migrated = ended.decisions(DecisionKind::Migrated);
    let [expanded, contracted] = migrated.as_slice() else { panic!("{migrated:?}") };
    let started = ended.decisions(DecisionKind::Prepared)[0].at;
    let cutover = ended.world.history().weights.last().unwrap().at;
    assert!(expanded.at < started, "the schema is expanded before green is up");
    assert!(contracted.at.since(cutover) >= A_DAY, "contracted at {}, cut over at {cutover}", contracted.at);
    deployment.run(&NEW);
    let broken = really(async { deployment.place.client().await.batch_execute(OLD[0]).await });
    assert!(broken.is_err(), "blue's code no longer fits");
    let mut rollout = ended.rollout;
    let refused = rollout.handle(rollout.now(), Event::Command(abort(IssueKind::HighErrorRate))).unwrap_err();
    let why = refused.to_string();
    assert!(why.contains("contracted") && why.contains("repair forward"), "{why}");
}

#[test]
#[ignore = "needs a PostgreSQL server and Alembic: cargo xtask test"]
fn a_rollback_of_the_database_stops_green_and_undoes_what_nobody_has_written_to() {
    let deployment = Deployment::new();
    deployment.run(&OLD);
    let mut is_told = false;
    let ended = deployment.roll_out(async |rollout, handle| {
        if rollout.expected_weights().green() == 50 && !is_told {
            // Green has only read so far.
            deployment.run(&NEW[..1]);
            is_told = true;
            handle.command(abort(IssueKind::DatabaseCorruption)).await.unwrap();
        }
    });
    assert!(
        matches!(ended.rollout.outcome(), Some(Outcome::RolledBack { .. })),
        "{:?}",
        ended.rollout.outcome()
    );
    assert_eq!((deployment.version(), deployment.columns()), (deployment.project.version(1), 1));
    assert_eq!((ended.weights().blue(), ended.weights().green()), (100, 0));
    let order: Vec<usize> = {
        let effects = ended.effects();
        let at = |wanted: fn(&EffectKind) -> bool| effects.iter().position(|kind| wanted(kind)).unwrap();
        vec![
            at(|kind| matches!(kind, EffectKind::StopGreen)),
            at(|kind| matches!(kind, EffectKind::FindWritten { .. })),
            at(|kind| matches!(kind, EffectKind::UndoMigration { .. })),
        ]
    };
    assert!(
        order.is_sorted(),
        "green stops, then the columns are looked at, then the schema goes back: {order:?}"
    );
    deployment.run(&OLD);
}

#[test]
#[ignore = "needs a PostgreSQL server and Alembic: cargo xtask test"]
fn a_column_that_green_has_written_to_is_not_dropped() {
    let deployment = Deployment::new();
    let mut is_told = false;
    let ended = deployment.roll_out(async |rollout, handle| {
        if rollout.expected_weights().green() == 50 && !is_told {
            deployment.run(&NEW);
            is_told = true;
            handle.command(abort(IssueKind::DatabaseCorruption)).await.unwrap();
        }
    });
    assert_eq!(
        (deployment.version(), deployment.columns()),
        (deployment.project.version(2), 2),
        "nothing is lost"
    );
    assert_eq!((ended.weights().blue(), ended.weights().green()), (100, 0));
    let told = ended.trace.decisions().any(|(_, decision)| decision.reason.contains("payments.total_amount"));
    assert!(told, "the column is named");
}

#[test]
#[ignore = "needs a PostgreSQL server, Alembic and golang-migrate, or Python for its stand-in: cargo xtask test"]
fn of_several_services_one_that_cannot_be_expanded_takes_those_before_it_back() {
    let portal = Deployment::new();
    let gateway_place = really(Place::new());
    // Nothing in the files says that there is no such table.
    let fails = ("ALTER TABLE elsewhere ADD COLUMN note text", "ALTER TABLE elsewhere DROP COLUMN note");
    let gateway =
        Project::new(Kind::Golang, &[("CREATE TABLE sessions (id int)", "DROP TABLE sessions"), fails]);
    let service = ServiceName::from("mpac-pgw");
    let mut first = gateway.step(0, 1, &[]);
    first.service = service.clone();
    let migrator = || {
        let both = portal.project.migrator(&portal.place);
        both.with_service("mpac-pgw", gateway_place.database(), gateway.tool())
    };
    really(async { crate::place::apply(&migrator(), &first).await.unwrap() });
    let mut migrations = portal.migrations.clone();
    let (from, to) = (gateway.version(1), gateway.version(2));
    migrations
        .expand
        .push(gateway.tool().step(&service, Phase::Expand, (&from, &to), &Config::default()).unwrap());
    let ended = roll_out(migrator(), &migrations, async |_, _| {});
    assert!(
        matches!(ended.rollout.outcome(), Some(Outcome::Abandoned { .. })),
        "{:?}",
        ended.rollout.outcome()
    );
    assert_eq!((portal.version(), portal.columns()), (portal.project.version(1), 1), "taken back");
    assert_eq!(really(migrator().version(&service)).unwrap(), gateway.version(1));
    assert!(
        ended.world.history().weights.is_empty() && ended.world.history().fleet.is_empty(),
        "green was not started"
    );
    let said = ended.trace.decisions().any(|(_, decision)| decision.reason.contains("elsewhere"));
    assert!(said, "what PostgreSQL said is in the journal");
}
