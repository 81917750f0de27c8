//! A release that changes a schema, by a configuration that names the project, the versions and the database.

use std::fs;
use std::process::Command;

use crate::database::{Database, PASSWORD, migrate};
use crate::rig::{Aws, Ran, ran};

const URL: &str = "MPAC_DEPLOY_TEST_DATABASE_URL";

/// The strategy's rename in two phases, after what was there before.
const FILES: [(&str, &str); 6] = [
    ("000001_payments.up.sql", "CREATE TABLE payments (id bigint PRIMARY KEY, amount numeric);"),
    ("000001_payments.down.sql", "DROP TABLE payments;"),
    (
        "000002_total.up.sql",
        "SET lock_timeout = '2s';\nALTER TABLE payments ADD COLUMN total_amount numeric;",
    ),
    ("000002_total.down.sql", "ALTER TABLE payments DROP COLUMN total_amount;"),
    ("000003_drop.up.sql", "SET lock_timeout = '2s';\nALTER TABLE payments DROP COLUMN amount;"),
    ("000003_drop.down.sql", "ALTER TABLE payments ADD COLUMN amount numeric;"),
];

/// A simulated AWS whose configuration has migrations, to these versions.
fn migrating(versions: &str) -> Aws {
    let aws = Aws::start(&[]);
    fs::create_dir(aws.path("db")).unwrap();
    for (name, text) in FILES {
        fs::write(aws.path("db").join(name), text).unwrap();
    }
    let migrate = migrate();
    let section = format!(
        "[[migrations]]\nservice = \"svc-portal\"\ndatabase_env = \"{URL}\"\ntool.golang-migrate = {{ directory = \"db\", command = \"{migrate}\" }}\n{versions}\n\n[journal.dynamodb]"
    );
    aws.edit("[journal.dynamodb]", &section);
    aws
}

fn with_database(mut command: Command, url: &str) -> Ran {
    command.env(URL, url);
    ran(command)
}

#[tokio::test]
async fn a_statement_in_the_wrong_phase_is_refused_by_plan_and_run_before_anything_begins() {
    let aws = migrating("from = \"1\"\nexpand = \"3\"");
    // No database is asked, since the version before is given.
    let nowhere = "postgres://nobody@127.0.0.1:9/none?sslmode=disable";
    let blamed = "`ALTER TABLE payments DROP COLUMN amount`";
    let shown = with_database(aws.command(&["plan", "--revision", "v2.1.0"]), nowhere);
    assert_eq!(shown.status, Some(1), "{shown:?}");
    assert!(shown.stdout.contains(blamed) && shown.stdout.contains("000003_drop.up.sql:2"), "{shown:?}");
    let ran = with_database(aws.command(&["run", "--revision", "v2.1.0"]), nowhere);
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.stderr.contains(blamed) && ran.stderr.contains("move it to the contract phase"), "{ran:?}");
    assert!(!aws.calls().contains_key("CreateService"));
}

#[tokio::test]
async fn what_a_plan_shows_of_a_schema_is_each_statement_with_its_class_and_what_is_missing() {
    let aws = migrating("from = \"1\"\nexpand = \"2\"\ncontract = \"3\"");
    let nowhere = "postgres://nobody:hush@127.0.0.1:9/none?sslmode=disable";
    let shown = with_database(aws.command(&["plan", "--revision", "v2.1.0"]), nowhere);
    assert_eq!(shown.status, Some(0), "{shown:?}");
    for part in [
        "expand: svc-portal from 1 to 2, before green starts",
        "(expand): ALTER TABLE payments ADD COLUMN total_amount numeric",
        "contract: svc-portal from 2 to 3, 24 h after the cutover",
        "(contract): ALTER TABLE payments DROP COLUMN amount",
    ] {
        assert!(shown.stdout.contains(part), "no `{part}` in {shown:?}");
    }
    assert!(!shown.stdout.contains("hush"));
    let unset = ran(aws.command(&["run", "--revision", "v2.1.0"]));
    assert_eq!(unset.status, Some(2), "{unset:?}");
    assert!(
        unset
            .stderr
            .contains("migrations[0].database_env: the variable `MPAC_DEPLOY_TEST_DATABASE_URL` is not set")
    );
    let aws = migrating("expand = \"2\"");
    let unreached = with_database(aws.command(&["plan", "--revision", "v2.1.0"]), nowhere);
    assert_eq!(unreached.status, Some(3), "{unreached:?}");
}

#[test]
#[ignore = "needs a PostgreSQL server and golang-migrate, or Python for its stand-in: cargo xtask test"]
fn a_release_expands_its_schema_before_green_starts() {
    let database = Database::at_version_1(FILES[0].1);
    let aws = migrating("expand = \"2\"");
    let ran = with_database(aws.command(&["run", "--revision", "v2.1.0"]), &database.url());
    assert_eq!((ran.status, ran.json()["outcome"].as_str()), (Some(0), Some("completed")), "{ran:?}");
    let there = "UPDATE payments SET total_amount = 1; SELECT 1 / (version - 1) FROM schema_migrations";
    database.client().batch_execute(there).unwrap();
    let document = ran.json();
    let kinds: Vec<&str> =
        document["decisions"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect();
    let at =
        |kind: &str| kinds.iter().position(|one| *one == kind).unwrap_or_else(|| panic!("{kind}: {kinds:?}"));
    assert!(at("migrated") < at("prepared"), "{kinds:?}");
    assert!(!format!("{ran:?}").contains(PASSWORD));
}
