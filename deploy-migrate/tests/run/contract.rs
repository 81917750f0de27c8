//! What the port asks of every adapter, and what both tools are held to.

use std::process::Command;

use mpac_deploy_core::ids::SchemaVersion;
use mpac_deploy_core::migration::Step;
use mpac_deploy_core::port::{PortError, Schema};
use mpac_deploy_migrate::run::Migrator;
use mpac_deploy_testkit::conformance::{self, SchemaFixture};

use crate::place::{BOTH, Kind, Place, Project, apply, migrate_program, undo, version};

const CREATE: (&str, &str) =
    ("CREATE TABLE payments (id bigint PRIMARY KEY, amount int)", "DROP TABLE payments");
const EXPAND: (&str, &str) =
    ("ALTER TABLE payments ADD COLUMN total int", "ALTER TABLE payments DROP COLUMN total");
const CONTRACT: (&str, &str) =
    ("ALTER TABLE payments DROP COLUMN amount", "ALTER TABLE payments ADD COLUMN amount int");

fn project(kind: Kind) -> Project {
    Project::new(kind, &[CREATE, EXPAND, CONTRACT])
}

struct Fixture {
    place: Place,
    project: Project,
    migrator: Migrator,
}

#[async_trait::async_trait]
impl SchemaFixture for Fixture {
    fn schema(&self) -> &dyn Schema {
        &self.migrator
    }

    fn step(&self) -> Step {
        self.project.step(1, 2, &["payments.total"])
    }

    async fn bring_elsewhere(&self) {
        apply(&self.migrator, &self.project.step(1, 3, &[])).await.unwrap();
    }

    async fn write(&self) -> String {
        self.place.run("INSERT INTO payments (id, total) VALUES (1, 5)").await;
        "payments.total".into()
    }
}

async fn fixture(kind: Kind) -> Fixture {
    let (place, project) = (Place::new().await, project(kind));
    let migrator = project.migrator(&place);
    apply(&migrator, &project.step(0, 1, &[])).await.unwrap();
    Fixture { place, project, migrator }
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and Alembic: cargo xtask test"]
async fn alembic_keeps_the_contract_of_the_port() {
    let report = conformance::schema(|| fixture(Kind::Alembic)).await;
    assert!(report.is_ok(), "{report}");
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and golang-migrate, or Python for its stand-in: cargo xtask test"]
async fn golang_migrate_keeps_the_contract_of_the_port() {
    let report = conformance::schema(|| fixture(Kind::Golang)).await;
    assert!(report.is_ok(), "{report}");
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and Alembic: cargo xtask test"]
async fn a_schema_goes_from_nothing_to_a_version_and_back_to_nothing() {
    for kind in BOTH {
        let (place, project) = (Place::new().await, project(kind));
        let migrator = project.migrator(&place);
        let step = project.step(0, 2, &[]);
        assert_eq!(version(&migrator).await, project.version(0), "{kind:?}");
        apply(&migrator, &step).await.unwrap();
        assert_eq!(version(&migrator).await, project.version(2), "{kind:?}");
        undo(&migrator, &step).await.unwrap();
        assert_eq!(version(&migrator).await, project.version(0), "{kind:?}");
        assert_eq!(place.count("SELECT count(*) FROM pg_class WHERE relname = 'payments'").await, 0);
    }
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and Alembic: cargo xtask test"]
async fn a_change_that_was_cut_off_between_two_versions_goes_on_either_way() {
    for kind in BOTH {
        let (place, project) = (Place::new().await, project(kind));
        let migrator = project.migrator(&place);
        let whole = project.step(0, 3, &[]);
        apply(&migrator, &project.step(0, 2, &[])).await.unwrap();
        apply(&migrator, &whole).await.unwrap();
        assert_eq!(version(&migrator).await, project.version(3), "{kind:?}");
        undo(&migrator, &project.step(2, 3, &[])).await.unwrap();
        undo(&migrator, &whole).await.unwrap();
        assert_eq!(version(&migrator).await, project.version(0), "{kind:?}");
    }
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and Alembic: cargo xtask test"]
async fn a_version_that_is_not_explicit_or_not_known_is_refused() {
    let (place, project) = (Place::new().await, project(Kind::Alembic));
    let migrator = project.migrator(&place);
    for to in ["head", "+1", "zz99"] {
        let step = Step { to: SchemaVersion::from(to), ..project.step(0, 1, &[]) };
        let error = apply(&migrator, &step).await.unwrap_err();
        assert!(matches!(&error, PortError::Refused(why) if why.contains(to)), "{error}");
        assert_eq!(version(&migrator).await, project.version(0));
    }
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and Alembic: cargo xtask test"]
async fn a_project_on_another_database_is_noticed() {
    let (place, other, project) = (Place::new().await, Place::new().await, project(Kind::Alembic));
    let tool = mpac_deploy_migrate::run::Alembic::new(project.dir.path());
    let env = project.dir.path().join("migrations/env.py");
    let text = std::fs::read_to_string(&env)
        .unwrap()
        .replace("os.environ[\"DATABASE_URL\"]", "os.environ[\"OTHER\"]");
    std::fs::write(env, text).unwrap();
    let command = mpac_deploy_migrate::discover::AlembicCommand::parse(&format!(
        "env OTHER={} alembic",
        other.database().to_string().replace("postgres://", "postgresql+psycopg://")
    ));
    let migrator = Migrator::new().with_service(
        crate::place::SERVICE,
        place.database(),
        tool.with_command(command.unwrap()),
    );
    let error = apply(&migrator, &project.step(0, 1, &[])).await.unwrap_err().to_string();
    assert!(error.contains("is it the database of the project?") && error.contains(&place.name), "{error}");
}

/// What the issue says of golang-migrate, of whichever program answers to its name here.
#[tokio::test]
#[ignore = "needs a PostgreSQL server and golang-migrate, or Python for its stand-in: cargo xtask test"]
async fn the_program_migrate_is_as_it_was_seen() {
    let (place, mut project) = (Place::new().await, project(Kind::Golang));
    let url = place.database().to_string();
    let run = |directory: &std::path::Path, arguments: &[&str]| {
        let mut command = Command::new(migrate_program());
        command.args(["-path", directory.to_str().unwrap(), "-database", &url]).args(arguments);
        let output = command.stdin(std::process::Stdio::null()).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{arguments:?}");
        let said = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
        (output.status.code().unwrap(), said)
    };
    let dir = project.dir.path().to_path_buf();
    assert_eq!(run(&dir, &["version"]), (1, "error: no migration".to_owned()));
    let (status, said) = run(&dir, &["goto", "2"]);
    let lines: Vec<&str> = said.lines().collect();
    assert!(status == 0 && lines[0].starts_with("1/u x (") && lines[1].starts_with("2/u x ("), "{said}");
    assert_eq!(run(&dir, &["version"]), (0, "2".to_owned()));
    assert_eq!(run(&dir, &["goto", "2"]), (0, "no change".to_owned()));
    let (status, said) = run(&dir, &["down"]);
    assert!(status == 1 && said.contains("[y/N]"), "{said}");
    let (status, said) = run(&dir, &["down", "9"]);
    assert!(status == 1 && said.ends_with("limit 7 short"), "{said}");
    // Two statements are one transaction, and the version stays dirty although all of it was rolled back.
    project.add("CREATE TABLE one (a int); SELECT 1 / 0;", "");
    run(&dir, &["goto", "3"]);
    let (status, said) = run(&dir, &["up"]);
    assert!(status == 1 && said.starts_with("error: migration failed: division by zero"), "{said}");
    assert_eq!(place.count("SELECT count(*) FROM pg_class WHERE relname = 'one'").await, 0);
    assert_eq!(run(&dir, &["version"]), (0, "4 (dirty)".to_owned()));
    let dirty = (1, "error: Dirty database version 4. Fix and force version.".to_owned());
    assert_eq!((run(&dir, &["up"]), run(&dir, &["goto", "3"])), (dirty.clone(), dirty));
    assert_eq!(run(&dir, &["force", "3"]), (0, String::new()));
    // A file that is missing is noted, and changes nothing.
    std::fs::remove_file(dir.join("000003_x.down.sql")).unwrap();
    assert_eq!(run(&dir, &["goto", "2"]).0, 0);
    assert_eq!(run(&dir, &["version"]), (0, "2".to_owned()));
    let amount =
        "SELECT count(*) FROM pg_attribute WHERE attrelid = 'payments'::regclass AND attname = 'amount'";
    assert_eq!(place.count(amount).await, 0);
}
