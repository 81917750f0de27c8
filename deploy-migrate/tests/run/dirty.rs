//! golang-migrate's dirty versions.

use mpac_deploy_core::port::PortError;

use crate::place::{Kind, Place, Project, apply, undo, version};

const TABLE: (&str, &str) = ("CREATE TABLE one (a int)", "DROP TABLE one");

async fn at_one(migrations: &[(&str, &str)]) -> (Place, Project, mpac_deploy_migrate::run::Migrator) {
    let (place, project) = (Place::new().await, Project::new(Kind::Golang, migrations));
    let migrator = project.migrator(&place);
    apply(&migrator, &project.step(0, 1, &[])).await.unwrap();
    (place, project, migrator)
}

fn refused(result: Result<Vec<String>, PortError>) -> String {
    match result {
        Err(PortError::Refused(why)) => why,
        Ok(_) | Err(_) => panic!("{result:?}"),
    }
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and golang-migrate, or Python for its stand-in: cargo xtask test"]
async fn a_file_that_was_rolled_back_as_a_whole_leaves_nothing_dirty() {
    let broken =
        ("ALTER TABLE one ADD COLUMN b int; SELECT 1 / 0", "ALTER TABLE one DROP COLUMN b; SELECT 1 / 0");
    let (place, project, migrator) = at_one(&[TABLE, broken]).await;
    let step = project.step(1, 2, &[]);
    let why = refused(apply(&migrator, &step).await);
    assert!(why.contains("division by zero") && why.ends_with("the schema of svc-portal is at 1"), "{why}");
    assert_eq!(version(&migrator).await, project.version(1));
    // Undoing what is not applied changes nothing, and the rollout can be abandoned.
    assert_eq!(undo(&migrator, &step).await, Ok(Vec::new()));
    // The same on the way back, where the dirty version is the one below.
    place.run("ALTER TABLE one ADD COLUMN b int; UPDATE schema_migrations SET version = 2").await;
    let why = refused(undo(&migrator, &step).await);
    assert!(why.ends_with("the schema of svc-portal is at 2"), "{why}");
    assert_eq!(version(&migrator).await, project.version(2));
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and golang-migrate, or Python for its stand-in: cargo xtask test"]
async fn what_is_not_proven_is_left_to_a_person_with_a_plan() {
    let in_parts =
        ("BEGIN; ALTER TABLE one ADD COLUMN b int; COMMIT; SELECT 1 / 0", "ALTER TABLE one DROP COLUMN b");
    let (place, project, migrator) = at_one(&[TABLE, in_parts]).await;
    let why = refused(apply(&migrator, &project.step(1, 2, &[])).await);
    assert!(why.contains("at 2 (dirty)") && why.contains("000002_x.up.sql may be there in part"), "{why}");
    assert!(
        why.contains("force 1`") && why.contains("force 2`") && !why.contains("000002_x.down.sql"),
        "{why}"
    );
    assert_eq!(version(&migrator).await.as_str(), "2 (dirty)");
    // Nor is anything done about what somebody else has left.
    let why = refused(undo(&migrator, &project.step(1, 2, &[])).await);
    assert!(why.contains("A person must look") && why.contains(&place.name), "{why}");
    assert_eq!(version(&migrator).await.as_str(), "2 (dirty)");
    // A person has looked.
    place.run("UPDATE schema_migrations SET dirty = false").await;
    undo(&migrator, &project.step(1, 2, &[])).await.unwrap();
    assert_eq!(version(&migrator).await, project.version(1));
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and golang-migrate, or Python for its stand-in: cargo xtask test"]
async fn a_schema_that_is_not_what_it_was_is_not_set_back() {
    let broken = ("SELECT pg_sleep(1); SELECT 1 / 0", "");
    let (place, project, migrator) = at_one(&[TABLE, broken]).await;
    let step = project.step(1, 2, &[]);
    let somebody_else = async {
        place.until("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()").await;
        place.run("ALTER TABLE one ADD COLUMN b int").await;
    };
    let (result, ()) = tokio::join!(apply(&migrator, &step), somebody_else);
    let why = refused(result);
    assert!(why.contains("is one transaction, so it is there as a whole or not at all"), "{why}");
    assert_eq!(version(&migrator).await.as_str(), "2 (dirty)");
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and golang-migrate, or Python for its stand-in: cargo xtask test"]
async fn a_missing_way_back_is_refused_before_anything_is_noted() {
    let (place, project, migrator) = at_one(&[TABLE, ("ALTER TABLE one ADD COLUMN b int", "")]).await;
    let step = project.step(1, 2, &[]);
    apply(&migrator, &step).await.unwrap();
    std::fs::remove_file(project.half("down")).unwrap();
    let why = refused(undo(&migrator, &step).await);
    assert!(why.contains("no 2_*.down.sql"), "{why}");
    assert_eq!(version(&migrator).await, project.version(2));
    assert_eq!(place.count("SELECT count(*) FROM schema_migrations WHERE NOT dirty").await, 1);
}
