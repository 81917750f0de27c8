//! Locks in the way: waited for briefly, again and again.

use std::time::Duration;

use mpac_deploy_core::port::PortError;
use mpac_deploy_migrate::run::Limits;

use crate::place::{BOTH, Kind, Place, Project, SERVICE, apply, quick, version};

const TABLES: (&str, &str) =
    ("CREATE TABLE one (a int); CREATE TABLE two (a int)", "DROP TABLE one; DROP TABLE two");
const ALTER: (&str, &str) = ("ALTER TABLE one ADD COLUMN b int", "ALTER TABLE one DROP COLUMN b");

#[tokio::test]
#[ignore = "needs a PostgreSQL server and Alembic: cargo xtask test"]
async fn a_lock_that_is_let_go_of_only_costs_some_attempts() {
    for kind in BOTH {
        let (place, project) = (Place::new().await, Project::new(kind, &[TABLES, ALTER]));
        let migrator = project.migrator(&place);
        apply(&migrator, &project.step(0, 1, &[])).await.unwrap();
        let holder = place.client().await;
        holder.batch_execute("BEGIN; SELECT * FROM one").await.unwrap();
        let step = project.step(1, 2, &[]);
        let applying = apply(&migrator, &step);
        let letting_go = async {
            tokio::time::sleep(Duration::from_secs(3)).await;
            holder.batch_execute("COMMIT").await.unwrap();
        };
        let (lines, ()) = tokio::join!(applying, letting_go);
        let lines = lines.unwrap();
        let conflicts = lines.iter().filter(|line| line.contains("lock timeout")).count();
        assert!(conflicts >= 1, "{kind:?}: {lines:?}");
        assert_eq!(version(&migrator).await, project.version(2), "{kind:?}");
    }
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and Alembic: cargo xtask test"]
async fn a_lock_that_is_kept_is_named_with_whoever_is_likeliest_to_hold_it() {
    for kind in BOTH {
        let (place, project) = (Place::new().await, Project::new(kind, &[TABLES, ALTER]));
        let migrator = project.migrator_within(&place, Limits { lock_attempts: 2, ..quick() });
        apply(&migrator, &project.step(0, 1, &[])).await.unwrap();
        let holder = place.client().await;
        holder
            .batch_execute("SET application_name = 'nightly report'; BEGIN; SELECT * FROM one")
            .await
            .unwrap();
        let error = apply(&migrator, &project.step(1, 2, &[])).await.unwrap_err();
        let PortError::Unavailable(why) = &error else { panic!("{kind:?}: {error:?}") };
        assert!(why.contains("2 attempts") && why.contains("nightly report"), "{kind:?}: {why}");
        assert_eq!(version(&migrator).await, project.version(1), "{kind:?}");
    }
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and golang-migrate, or Python for its stand-in: cargo xtask test"]
async fn a_deadlock_is_tried_again() {
    let both = ("ALTER TABLE one ADD COLUMN b int; ALTER TABLE two ADD COLUMN b int", "");
    let (place, project) = (Place::new().await, Project::new(Kind::Golang, &[TABLES, both]));
    let migrator =
        project.migrator_within(&place, Limits { lock_timeout: Duration::from_secs(30), ..quick() });
    apply(&migrator, &project.step(0, 1, &[])).await.unwrap();
    let holder = place.client().await;
    holder.batch_execute("BEGIN; LOCK TABLE two").await.unwrap();
    let step = project.step(1, 2, &[]);
    let crossing = async {
        // The migration has `one` and waits for `two`; it has waited for longer, so it is the one that notices.
        let waits = "SELECT count(*) FROM pg_locks WHERE relation = 'two'::regclass AND NOT granted";
        place.until(waits).await;
        holder.batch_execute("LOCK TABLE one").await.unwrap();
        holder.batch_execute("COMMIT").await.unwrap();
    };
    let (lines, ()) = tokio::join!(apply(&migrator, &step), crossing);
    let lines = lines.unwrap();
    assert!(lines.iter().any(|line| line.contains("deadlock detected")), "{lines:?}");
    assert_eq!(version(&migrator).await, project.version(2));
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and Alembic: cargo xtask test"]
async fn two_controllers_do_not_change_one_schema_at_once() {
    let slow = ("SELECT pg_sleep(8)", "");
    let (place, project) = (Place::new().await, Project::new(Kind::Alembic, &[slow]));
    let (one, two) = (project.migrator(&place), project.migrator(&place));
    let step = project.step(0, 1, &[]);
    let later = async {
        place.until("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(8)%' AND pid <> pg_backend_pid()").await;
        apply(&two, &step).await
    };
    let (first, second) = tokio::join!(apply(&one, &step), later);
    first.unwrap();
    assert!(
        matches!(&second, Err(PortError::Unavailable(why)) if why.contains("somebody else")),
        "{second:?}"
    );
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and golang-migrate, or Python for its stand-in: cargo xtask test"]
async fn a_session_that_the_server_has_yet_to_end_is_waited_for() {
    let (place, project) = (Place::new().await, Project::new(Kind::Golang, &[TABLES]));
    let migrator = project.migrator(&place);
    let leaving = place.client().await;
    let lock = format!("SELECT pg_advisory_lock(1836081507, hashtext('{SERVICE}'))");
    leaving.batch_execute(&lock).await.unwrap();
    let step = project.step(0, 1, &[]);
    let leaves = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        drop(leaving);
    };
    let (lines, ()) = tokio::join!(apply(&migrator, &step), leaves);
    lines.unwrap();
    assert_eq!(version(&migrator).await, project.version(1));
}
