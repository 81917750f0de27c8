//! Migrations that do not end, and calls that are dropped.

use std::time::Duration;

use mpac_deploy_core::port::PortError;
use mpac_deploy_migrate::run::Limits;

use crate::place::{BOTH, Place, Project, apply, quick, version};

const TABLE: (&str, &str) = ("CREATE TABLE one (a int)", "DROP TABLE one");
const SLOW: (&str, &str) = ("ALTER TABLE one ADD COLUMN b int; SELECT pg_sleep(60)", "");
/// Other tests have sessions of the same name in databases of their own.
const SLEEPERS: &str = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'mpac-deploy/svc-portal' AND datname = current_database()";

async fn until_it_sleeps(place: &Place) {
    let asleep =
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()";
    place.until(asleep).await;
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and Alembic: cargo xtask test"]
async fn at_the_deadline_the_tool_and_what_it_runs_on_the_server_are_stopped() {
    for kind in BOTH {
        let (place, project) = (Place::new().await, Project::new(kind, &[TABLE, SLOW]));
        let migrator =
            project.migrator_within(&place, Limits { deadline: Duration::from_secs(4), ..quick() });
        apply(&migrator, &project.step(0, 1, &[])).await.unwrap();
        let error = apply(&migrator, &project.step(1, 2, &[])).await.unwrap_err();
        assert!(
            matches!(&error, PortError::Refused(why) if why.contains("had not ended after 4 s")),
            "{kind:?}: {error}"
        );
        assert_eq!(place.count(SLEEPERS).await, 0, "{kind:?}");
        assert_eq!(
            version(&migrator).await,
            project.version(1),
            "{kind:?}: nothing was changed, and it is not dirty"
        );
    }
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and Alembic: cargo xtask test"]
async fn a_call_that_is_dropped_stops_what_it_started() {
    for kind in BOTH {
        let (place, project) = (Place::new().await, Project::new(kind, &[TABLE, SLOW]));
        let migrator = project.migrator(&place);
        apply(&migrator, &project.step(0, 1, &[])).await.unwrap();
        let step = project.step(1, 2, &[]);
        tokio::select! {
            result = apply(&migrator, &step) => panic!("{kind:?}: {result:?}"),
            () = until_it_sleeps(&place) => {}
        }
        // The server looks every second whether its client is still there.
        let gone = async {
            while place.count(SLEEPERS).await > 0 {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), gone).await.unwrap();
        assert_eq!(
            place
                .count("SELECT count(*) FROM pg_attribute WHERE attrelid = 'one'::regclass AND attname = 'b'")
                .await,
            0
        );
    }
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and Alembic: cargo xtask test"]
async fn a_session_that_a_killed_controller_left_behind_is_ended_first() {
    for kind in BOTH {
        let (place, project) = (Place::new().await, Project::new(kind, &[TABLE]));
        let left = place.client().await;
        left.batch_execute(
            "SET application_name = 'mpac-deploy/svc-portal'; BEGIN; CREATE TABLE one (b text)",
        )
        .await
        .unwrap();
        let migrator = project.migrator(&place);
        apply(&migrator, &project.step(0, 1, &[])).await.unwrap();
        assert!(left.batch_execute("COMMIT").await.is_err(), "{kind:?}");
        assert_eq!(
            place
                .count("SELECT count(*) FROM pg_attribute WHERE attrelid = 'one'::regclass AND attname = 'a'")
                .await,
            1
        );
    }
}
