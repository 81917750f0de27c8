//! Whether anything was written to new columns: the database is asked.

use mpac_deploy_core::port::Schema;

use crate::place::{Kind, Place, Project};

/// Each: the new column, what is done with it, and whether that is data that a rollback would lose.
const CASES: [(&str, &str, bool); 14] = [
    ("z int", "INSERT INTO t (id) VALUES (9)", false),
    ("z int", "UPDATE t SET z = 1 WHERE id = 1", true),
    ("z int", "UPDATE t SET z = 1; UPDATE t SET z = NULL", false),
    ("z text NOT NULL DEFAULT 'Asia/Tokyo'", "INSERT INTO t (id) VALUES (9)", false),
    ("z text NOT NULL DEFAULT 'it''s'", "INSERT INTO t (id, z) VALUES (9, 'other')", true),
    ("z numeric(10, 2) DEFAULT 1.5", "INSERT INTO t (id) VALUES (9)", false),
    ("z boolean DEFAULT false", "UPDATE t SET z = true WHERE id = 2", true),
    ("z json DEFAULT '{}'", "INSERT INTO t (id) VALUES (9)", false),
    ("z jsonb DEFAULT '{}'", "UPDATE t SET z = '{\"a\": 1}' WHERE id = 1", true),
    ("z timestamptz DEFAULT now()", "SELECT 1", false),
    ("z timestamptz DEFAULT now()", "UPDATE t SET z = '2020-01-01' WHERE id = 1", true),
    ("z int GENERATED ALWAYS AS (id * 2) STORED", "INSERT INTO t (id) VALUES (9)", false),
    ("\"Z z\" int", "UPDATE t SET \"Z z\" = 1", true),
    ("other int", "UPDATE t SET other = 1", false),
];

#[tokio::test]
#[ignore = "needs a PostgreSQL server: cargo xtask test"]
async fn data_in_a_new_column_is_told_from_its_default() {
    let place = Place::new().await;
    let project = Project::new(Kind::Golang, &[]);
    let migrator = project.migrator(&place);
    for (column, done, expected) in CASES {
        place.run(&format!("DROP TABLE IF EXISTS t; CREATE TABLE t (id int); INSERT INTO t VALUES (1), (2); ALTER TABLE t ADD COLUMN {column}")).await;
        place.run(done).await;
        let name = if column.starts_with('"') { "t.\"Z z\"" } else { "t.z" };
        let found = migrator.written(&project.step(0, 1, &[name])).await.unwrap();
        assert_eq!(!found.is_empty(), expected, "{column}, {done}: {found:?}");
    }
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server: cargo xtask test"]
async fn a_table_that_is_gone_holds_nothing_and_one_in_a_schema_is_found() {
    let place = Place::new().await;
    let project = Project::new(Kind::Golang, &[]);
    let migrator = project.migrator(&place);
    assert_eq!(migrator.written(&project.step(0, 1, &["gone.z"])).await, Ok(Vec::new()));
    place
        .run("CREATE SCHEMA billing; CREATE TABLE billing.t (z int); INSERT INTO billing.t VALUES (1)")
        .await;
    assert_eq!(
        migrator.written(&project.step(0, 1, &["billing.t.z"])).await,
        Ok(vec!["billing.t.z".to_owned()])
    );
    assert!(migrator.written(&project.step(0, 1, &["z"])).await.is_err());
}
