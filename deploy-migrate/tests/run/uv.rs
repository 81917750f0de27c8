//! Alembic as the strategy runs it, by `uv run`: a program that starts another one.

use std::path::PathBuf;
use std::time::Duration;

use mpac_deploy_core::port::PortError;
use mpac_deploy_migrate::discover::AlembicCommand;
use mpac_deploy_migrate::run::{Alembic, Limits, Migrator};

use crate::place::{Kind, Place, Project, SERVICE, apply, quick, undo, version};

const TABLE: (&str, &str) = ("CREATE TABLE one (a int)", "DROP TABLE one");
const SLOW: (&str, &str) = ("SELECT pg_sleep(60)", "SELECT 1");
const ASLEEP: &str =
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()";

/// The Python that has Alembic: a project of uv would have one of its own.
fn python() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folder = std::env::split_paths(&path).find(|folder| folder.join("alembic").is_file());
    folder.expect("needs alembic on the PATH: cargo xtask test").join("python3")
}

fn migrator(place: &Place, project: &Project, limits: Limits) -> Migrator {
    let line = format!(
        "env UV_PYTHON_DOWNLOADS=never UV_OFFLINE=1 uv run --no-project --python {} alembic",
        python().display()
    );
    let tool = Alembic::new(project.dir.path())
        .with_command(AlembicCommand::parse(&line).unwrap())
        .with_url_in("DATABASE_URL", "postgresql+psycopg");
    Migrator::new().with_service(SERVICE, place.database(), tool).with_limits(limits)
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server, Alembic and uv: cargo xtask test"]
async fn what_uv_starts_is_run_and_stopped_with_it() {
    let (place, project) = (Place::new().await, Project::new(Kind::Alembic, &[TABLE, SLOW]));
    let usual = migrator(&place, &project, quick());
    apply(&usual, &project.step(0, 1, &[])).await.unwrap();
    undo(&usual, &project.step(0, 1, &[])).await.unwrap();
    apply(&usual, &project.step(0, 1, &[])).await.unwrap();
    assert_eq!(version(&usual).await, project.version(1));
    let hurried = migrator(&place, &project, Limits { deadline: Duration::from_secs(8), ..quick() });
    let error = apply(&hurried, &project.step(1, 2, &[])).await.unwrap_err();
    assert!(matches!(&error, PortError::Refused(why) if why.contains("had not ended after 8 s")), "{error}");
    assert_eq!((place.count(ASLEEP).await, version(&usual).await), (0, project.version(1)));
}
