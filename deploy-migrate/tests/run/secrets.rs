//! The password is seen nowhere.

use std::fs;

use crate::place::{BOTH, Kind, PASSWORD, Place, Project, apply};

/// The command lines of all processes.
fn command_lines() -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    processes
        .filter_map(|process| fs::read(process.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .collect()
}

#[cfg(target_os = "linux")]
#[tokio::test]
#[ignore = "needs a PostgreSQL server and Alembic: cargo xtask test"]
async fn no_process_shows_the_password() {
    let encoded = PASSWORD.replace('/', "%2F");
    for kind in BOTH {
        let (place, project) = (Place::new().await, Project::new(kind, &[("SELECT pg_sleep(2)", "")]));
        let migrator = project.migrator(&place);
        let step = project.step(0, 1, &[]);
        let looking = async {
            place.until("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()").await;
            command_lines()
        };
        let (lines, processes) = tokio::join!(apply(&migrator, &step), looking);
        lines.unwrap();
        let tool = if kind == Kind::Alembic { "alembic upgrade" } else { "-database" };
        assert!(
            processes.iter().any(|line| line.contains(tool)),
            "{kind:?}: the tool is not among {processes:?}"
        );
        let shown: Vec<_> =
            processes.iter().filter(|line| line.contains(PASSWORD) || line.contains(&encoded)).collect();
        assert!(shown.is_empty(), "{kind:?}: {shown:?}");
    }
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and Alembic: cargo xtask test"]
async fn what_a_script_prints_of_it_is_hidden() {
    let place = Place::new().await;
    let mut project = Project::new(Kind::Alembic, &[]);
    project.add("SELECT 1\"\"\")\n    import os\n    print(os.environ[\"DATABASE_URL\"], os.environ[\"PGPASSWORD\"])\n    op.execute(\"\"\"SELECT 1", "");
    let lines = apply(&project.migrator(&place), &project.step(0, 1, &[])).await.unwrap().join("\n");
    assert!(lines.contains(":***@") && lines.contains(" ***"), "{lines}");
    assert!(!lines.contains(PASSWORD) && !lines.contains("never"), "{lines}");

    let mut project = Project::new(Kind::Alembic, &[]);
    project.add("SELECT 1\"\"\")\n    import os\n    raise RuntimeError(os.environ[\"DATABASE_URL\"])\n    op.execute(\"\"\"SELECT 1", "");
    let place = Place::new().await;
    let error = apply(&project.migrator(&place), &project.step(0, 1, &[])).await.unwrap_err().to_string();
    assert!(error.contains("RuntimeError") && !error.contains("never"), "{error}");
}
