//! Every rule on the statements that it is about, and on those that look like them and are right.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, outside a test function")]

use mpac_deploy_migrate::Class::{self, Breaking, Contract, Expand, Neutral};
use mpac_deploy_migrate::{Analyzer, Config, Migration, Report, Tool};

fn analyze(sql: &str) -> Report {
    analyze_with(Config::default(), sql)
}

fn analyze_with(config: Config, sql: &str) -> Report {
    Analyzer::new(config).analyze(&[Migration::new("a.sql", sql)])
}

/// Class and rule of the last statement.
fn last(report: &Report) -> (Class, Option<&'static str>) {
    let statement = report.statements.last().unwrap();
    (statement.class, statement.main_finding().map(|finding| finding.rule.id()))
}

/// Checks the last statement of each text.
fn check(cases: &[(&str, Class, Option<&str>)]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(sql, class, rule)| {
            let report = analyze(sql);
            let found = last(&report);
            (found != (*class, *rule)).then(|| format!("{sql}\n   is {found:?}, not {:?}", (class, rule)))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_dropped() {
    check(&[
        ("DROP TABLE payments;", Contract, Some("drop-table")),
        ("DROP TABLE IF EXISTS a.payments CASCADE;", Contract, Some("drop-table")),
        ("DROP FOREIGN TABLE f;", Contract, Some("drop-table")),
        ("ALTER TABLE t DROP a;", Contract, Some("drop-column")),
        ("ALTER TABLE t DROP COLUMN IF EXISTS a CASCADE;", Contract, Some("drop-column")),
        ("DROP VIEW v;", Contract, Some("drop-view")),
        ("DROP MATERIALIZED VIEW v;", Contract, Some("drop-view")),
        ("DROP FUNCTION f(int);", Contract, Some("drop-function")),
        ("DROP PROCEDURE p;", Contract, Some("drop-function")),
        ("DROP AGGREGATE a(int);", Contract, Some("drop-function")),
        ("DROP TYPE mood;", Contract, Some("drop-type")),
        ("DROP DOMAIN d;", Contract, Some("drop-type")),
        ("ALTER TABLE t ALTER COLUMN a DROP DEFAULT;", Contract, Some("drop-default")),
        ("ALTER TABLE t DROP CONSTRAINT c;", Contract, Some("drop-constraint")),
        ("DROP INDEX CONCURRENTLY i;", Contract, Some("drop-index")),
        ("DROP INDEX i;", Contract, Some("drop-index")),
        ("DROP TRIGGER g ON t;", Contract, Some("drop-trigger")),
        ("DROP RULE r ON t;", Contract, Some("drop-trigger")),
        ("DROP SCHEMA s CASCADE;", Contract, Some("drop-object")),
        ("DROP SEQUENCE s;", Contract, Some("drop-object")),
        ("DROP EXTENSION pgcrypto;", Contract, Some("drop-object")),
        ("DROP POLICY p ON t;", Contract, Some("drop-object")),
        ("DROP ROLE r;", Contract, Some("drop-object")),
        ("DROP DATABASE d;", Breaking, Some("drop-database")),
    ]);
}

#[test]
fn what_is_new_in_the_file_may_be_dropped_again() {
    check(&[
        ("CREATE TABLE t (a int, b int); ALTER TABLE t DROP COLUMN b;", Neutral, None),
        ("CREATE TABLE t (a int); DROP TABLE public.t;", Neutral, None),
        ("ALTER TABLE t ADD COLUMN a int; ALTER TABLE t DROP COLUMN a;", Neutral, None),
        ("CREATE VIEW v AS SELECT 1 AS a; DROP VIEW v;", Neutral, None),
        ("CREATE TYPE mood AS ENUM ('a'); DROP TYPE mood;", Neutral, None),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; DROP FUNCTION f();", Neutral, None),
        ("CREATE TEMP TABLE t (a int); DROP TABLE t;", Neutral, None),
    ]);
}

#[test]
fn what_is_renamed() {
    check(&[
        ("ALTER TABLE t RENAME a TO b;", Breaking, Some("rename-column")),
        ("ALTER TABLE t RENAME TO u;", Breaking, Some("rename-table")),
        ("BEGIN; CREATE VIEW v AS SELECT 1; ALTER TABLE t RENAME TO u;", Breaking, Some("rename-table")),
        ("ALTER TABLE t RENAME CONSTRAINT a TO b;", Breaking, Some("rename-object")),
        ("ALTER INDEX i RENAME TO j;", Breaking, Some("rename-object")),
        ("CREATE TABLE x (a int); CREATE INDEX i ON x (a); ALTER INDEX i RENAME TO j;", Neutral, None),
        ("ALTER VIEW v RENAME TO w;", Breaking, Some("rename-object")),
        ("ALTER VIEW v RENAME COLUMN a TO b;", Breaking, Some("rename-column")),
        ("ALTER SEQUENCE s RENAME TO r;", Breaking, Some("rename-object")),
        ("ALTER FUNCTION f(int) RENAME TO g;", Breaking, Some("rename-object")),
        ("ALTER TYPE mood RENAME TO feeling;", Breaking, Some("rename-object")),
        ("ALTER TYPE mood RENAME VALUE 'sad' TO 'blue';", Breaking, Some("rename-enum-value")),
        ("ALTER TYPE pair RENAME ATTRIBUTE a TO b;", Breaking, Some("rename-object")),
        ("ALTER SCHEMA s RENAME TO r;", Breaking, Some("rename-object")),
        ("ALTER TRIGGER g ON t RENAME TO h;", Breaking, Some("rename-object")),
        ("ALTER POLICY p ON t RENAME TO q;", Breaking, Some("rename-object")),
        ("ALTER DOMAIN d RENAME TO e;", Breaking, Some("rename-object")),
        ("ALTER TABLE t SET SCHEMA s;", Breaking, Some("set-schema")),
        ("ALTER FUNCTION f(int) SET SCHEMA s;", Breaking, Some("set-schema")),
        ("ALTER TYPE mood SET SCHEMA s;", Breaking, Some("set-schema")),
        ("CREATE TABLE t (a int); ALTER TABLE t RENAME a TO b;", Neutral, None),
        ("DROP TABLE t; ALTER TABLE t_new RENAME TO t;", Contract, Some("rename-swap")),
    ]);
}

#[test]
fn a_drop_beside_an_add_is_a_rename_unless_the_one_was_filled_from_the_other() {
    check(&[
        (
            "ALTER TABLE t ADD COLUMN b text; ALTER TABLE t DROP COLUMN a;",
            Breaking,
            Some("rename-as-drop-add"),
        ),
        ("ALTER TABLE t DROP COLUMN a, ADD COLUMN b text;", Breaking, Some("rename-as-drop-add")),
        (
            "ALTER TABLE t ADD COLUMN b text; UPDATE t SET b = a WHERE b IS NULL; ALTER TABLE t DROP COLUMN a;",
            Contract,
            Some("drop-column"),
        ),
        ("ALTER TABLE u ADD COLUMN b text; ALTER TABLE t DROP COLUMN a;", Contract, Some("drop-column")),
        (
            "ALTER TABLE t ADD COLUMN b text, ADD COLUMN c text; ALTER TABLE t DROP COLUMN a;",
            Contract,
            Some("drop-column"),
        ),
    ]);
    let earlier = Migration::new("1.sql", "CREATE TABLE t (a int);");
    let now = Migration::new("2.sql", "ALTER TABLE t ADD COLUMN b text; ALTER TABLE t DROP COLUMN a;");
    let report = Analyzer::new(Config::default()).analyze(&[earlier, now]);
    assert_eq!(last(&report), (Contract, Some("drop-column")), "an integer is not renamed to a text");
}

#[test]
fn columns_that_are_added() {
    check(&[
        ("ALTER TABLE t ADD COLUMN a text;", Expand, None),
        ("ALTER TABLE t ADD COLUMN a text NULL DEFAULT NULL;", Expand, None),
        ("ALTER TABLE t ADD COLUMN a text NOT NULL DEFAULT 'x';", Expand, None),
        ("ALTER TABLE t ADD COLUMN a timestamptz NOT NULL DEFAULT now();", Expand, None),
        ("ALTER TABLE t ADD COLUMN a timestamptz DEFAULT CURRENT_TIMESTAMP;", Expand, None),
        ("ALTER TABLE t ADD COLUMN a text NOT NULL;", Breaking, Some("add-not-null-column")),
        ("ALTER TABLE t ADD COLUMN a text NOT NULL DEFAULT NULL;", Breaking, Some("add-not-null-column")),
        ("ALTER TABLE t ADD COLUMN a uuid DEFAULT gen_random_uuid();", Breaking, Some("volatile-default")),
        (
            "ALTER TABLE t ADD COLUMN a timestamptz DEFAULT clock_timestamp();",
            Breaking,
            Some("volatile-default"),
        ),
        ("ALTER TABLE t ADD COLUMN a float8 DEFAULT random();", Breaking, Some("volatile-default")),
        ("ALTER TABLE t ADD COLUMN a bigserial;", Breaking, Some("serial-column")),
        ("ALTER TABLE t ADD COLUMN a int GENERATED ALWAYS AS IDENTITY;", Breaking, Some("serial-column")),
        (
            "ALTER TABLE t ADD COLUMN a int GENERATED ALWAYS AS (b * 2) STORED;",
            Breaking,
            Some("stored-generated-column"),
        ),
        ("ALTER TABLE t ADD COLUMN a int UNIQUE;", Expand, Some("add-unique")),
        ("ALTER TABLE t ADD COLUMN a int REFERENCES u (id);", Expand, Some("add-foreign-key")),
        ("ALTER TABLE t ADD COLUMN a int CHECK (a > 0);", Expand, Some("add-check")),
        ("CREATE TABLE t (b int); ALTER TABLE t ADD COLUMN a uuid NOT NULL UNIQUE;", Expand, None),
    ]);
}

#[test]
fn a_renamed_table_may_leave_a_view_in_the_same_transaction() {
    let rename = "ALTER TABLE t RENAME TO u; CREATE VIEW t AS SELECT * FROM u;";
    let of = |sql: &str| {
        let report = analyze(sql);
        let found = report.statements.iter().find(|statement| statement.message.contains("renames"));
        found.map(|statement| (statement.class, statement.main_finding().map(|finding| finding.rule.id())))
    };
    assert_eq!(of(&format!("BEGIN; {rename} COMMIT;")), Some((Expand, Some("rename-table"))));
    assert_eq!(of(rename), Some((Breaking, Some("rename-table"))), "in between there is no t");
}

#[test]
fn identities() {
    check(&[
        ("ALTER TABLE t ALTER a ADD GENERATED ALWAYS AS IDENTITY;", Contract, Some("identity-always")),
        ("ALTER TABLE t ALTER a ADD GENERATED BY DEFAULT AS IDENTITY;", Expand, None),
        ("ALTER TABLE t ALTER a SET GENERATED ALWAYS;", Contract, Some("identity-always")),
        ("ALTER TABLE t ALTER a SET GENERATED BY DEFAULT;", Expand, None),
        ("ALTER TABLE t ALTER a DROP IDENTITY;", Contract, Some("drop-default")),
    ]);
}

#[test]
fn a_table_that_may_be_there_is_not_new_if_it_is_known() {
    let create = Migration::new("1.sql", "CREATE TABLE t (a int);");
    let again = Migration::new("2.sql", "CREATE TABLE IF NOT EXISTS t (a int); ALTER TABLE t DROP COLUMN a;");
    let report = Analyzer::new(Config::default()).analyze(&[create, again]);
    assert_eq!(last(&report), (Contract, Some("drop-column")));
}

#[test]
fn not_null() {
    check(&[
        ("ALTER TABLE t ALTER COLUMN a SET NOT NULL;", Contract, Some("set-not-null")),
        ("ALTER TABLE t ALTER a DROP NOT NULL;", Expand, None),
        ("CREATE TABLE t (a int); ALTER TABLE t ALTER a SET NOT NULL;", Neutral, None),
        (
            "ALTER TABLE t ADD COLUMN a int; ALTER TABLE t ALTER a SET NOT NULL;",
            Breaking,
            Some("not-null-same-release"),
        ),
        (
            "ALTER TABLE t ADD COLUMN a int NOT NULL DEFAULT 0; ALTER TABLE t ALTER a DROP DEFAULT;",
            Breaking,
            Some("not-null-same-release"),
        ),
        (
            "ALTER TABLE t ADD COLUMN a int DEFAULT 0; ALTER TABLE t ALTER a SET NOT NULL;",
            Contract,
            Some("set-not-null"),
        ),
        ("ALTER TABLE t ADD COLUMN a int DEFAULT 0; ALTER TABLE t ALTER a DROP DEFAULT;", Neutral, None),
        ("ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL) NOT VALID;", Contract, Some("add-check")),
    ]);
}

#[test]
fn a_validated_check_spares_set_not_null_the_scan() {
    let steps = "ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL) NOT VALID;";
    let scans = |sql: &str| analyze(sql).statements.last().unwrap().impact.scans;
    let set = "ALTER TABLE t ALTER COLUMN a SET NOT NULL;";
    assert!(scans(set));
    assert!(scans(&format!("{steps}{set}")));
    let proven = format!("{steps} ALTER TABLE t VALIDATE CONSTRAINT c; {set}");
    assert!(!scans(&proven));
    let dropped = analyze(&format!("{proven} ALTER TABLE t DROP CONSTRAINT c;"));
    assert_eq!(last(&dropped), (Neutral, None), "the column says what the constraint said");
}

#[test]
fn a_column_added_in_one_file_and_made_not_null_in_the_next_of_the_same_release() {
    let add = Migration::new("1.sql", "ALTER TABLE t ADD COLUMN a int;").in_release(1);
    let set = Migration::new("2.sql", "ALTER TABLE t ALTER COLUMN a SET NOT NULL;");
    let analyzer = Analyzer::new(Config::default());
    let same = analyzer.analyze(&[add.clone(), set.clone().in_release(1)]);
    assert_eq!(last(&same), (Breaking, Some("not-null-same-release")));
    let next = analyzer.analyze(&[add, set.in_release(2)]);
    assert_eq!(last(&next), (Contract, Some("set-not-null")));
}

#[test]
fn types_that_change() {
    check(&[
        ("ALTER TABLE t ALTER COLUMN a TYPE bigint;", Breaking, Some("change-type")),
        ("ALTER TABLE t ALTER a SET DATA TYPE varchar(20);", Breaking, Some("change-type")),
        ("ALTER TABLE t ALTER a TYPE text;", Expand, Some("widen-type")),
        ("ALTER TABLE t ALTER a TYPE text USING a::text;", Breaking, Some("change-type")),
        ("CREATE TABLE t (a int); ALTER TABLE t ALTER a TYPE bigint;", Neutral, None),
    ]);
    let known = |from: &str, to: &str| {
        let create = Migration::new("1.sql", format!("CREATE TABLE t (a {from});"));
        let alter = Migration::new("2.sql", format!("ALTER TABLE t ALTER COLUMN a TYPE {to};"));
        last(&Analyzer::new(Config::default()).analyze(&[create, alter]))
    };
    for (from, to) in [
        ("varchar(10)", "varchar(20)"),
        ("character varying(10)", "text"),
        ("varchar(10)", "varchar"),
        ("numeric(10, 2)", "decimal(15, 2)"),
        ("timestamp(3)", "timestamp"),
        ("integer", "int4"),
    ] {
        assert_eq!(known(from, to), (Expand, None), "{from} to {to}");
    }
    for (from, to) in
        [("varchar(20)", "varchar(10)"), ("int", "bigint"), ("int", "text"), ("timestamp", "timestamptz")]
    {
        assert_eq!(known(from, to), (Breaking, Some("change-type")), "{from} to {to}");
    }
}

#[test]
fn constraints_that_are_added() {
    check(&[
        ("ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0);", Contract, Some("add-check")),
        ("ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID;", Contract, Some("add-check")),
        ("ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u (id);", Contract, Some("add-foreign-key")),
        ("ALTER TABLE t ADD CONSTRAINT c UNIQUE (a);", Contract, Some("add-unique")),
        ("ALTER TABLE t ADD PRIMARY KEY (a);", Contract, Some("add-unique")),
        ("ALTER TABLE t ADD CONSTRAINT c UNIQUE USING INDEX i;", Expand, None),
        ("ALTER TABLE t ADD EXCLUDE USING gist (a WITH &&);", Contract, Some("add-unique")),
        ("ALTER TABLE t VALIDATE CONSTRAINT c;", Neutral, None),
        (
            "ALTER TABLE t ADD COLUMN a int; ALTER TABLE t ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES u (id) NOT VALID;",
            Expand,
            None,
        ),
        (
            "ALTER TABLE t ADD COLUMN a int; ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL) NOT VALID;",
            Contract,
            Some("add-check"),
        ),
        (
            "BEGIN; ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID; ALTER TABLE t VALIDATE CONSTRAINT c;",
            Neutral,
            Some("validate-constraint"),
        ),
        ("CREATE TABLE t (a int); ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0);", Expand, None),
    ]);
}

#[test]
fn indexes_and_rewrites() {
    check(&[
        ("CREATE INDEX ON t (a);", Expand, Some("index-not-concurrently")),
        ("CREATE INDEX CONCURRENTLY i ON t (a);", Expand, None),
        ("CREATE TABLE t (a int); CREATE INDEX ON t (a);", Expand, None),
        ("CREATE UNIQUE INDEX CONCURRENTLY i ON t (a);", Contract, Some("add-unique")),
        ("CREATE UNIQUE INDEX CONCURRENTLY i ON t (lower(a));", Contract, Some("add-unique")),
        ("BEGIN; CREATE INDEX CONCURRENTLY i ON t (a);", Breaking, Some("concurrently-in-transaction")),
        ("BEGIN; COMMIT; CREATE INDEX CONCURRENTLY i ON t (a);", Expand, None),
        ("BEGIN; VACUUM t;", Breaking, Some("concurrently-in-transaction")),
        ("REINDEX TABLE t;", Neutral, Some("index-not-concurrently")),
        ("REINDEX INDEX CONCURRENTLY i;", Neutral, None),
        ("VACUUM FULL t;", Breaking, Some("table-rewrite")),
        ("VACUUM (ANALYZE) t;", Neutral, None),
        ("CLUSTER t USING i;", Breaking, Some("table-rewrite")),
        ("ALTER TABLE t SET TABLESPACE fast;", Breaking, Some("table-rewrite")),
        ("ALTER TABLE t SET LOGGED;", Breaking, Some("table-rewrite")),
        ("REFRESH MATERIALIZED VIEW v;", Neutral, Some("refresh-not-concurrently")),
        ("REFRESH MATERIALIZED VIEW CONCURRENTLY v;", Neutral, None),
    ]);
}

#[test]
fn golang_migrate_runs_a_file_of_several_statements_as_one_transaction() {
    let run = |sql: &str| {
        let migration = Migration::new("1_a.up.sql", sql).with_tool(Tool::GolangMigrate);
        last(&Analyzer::new(Config::default()).analyze(&[migration]))
    };
    let index = "CREATE INDEX CONCURRENTLY i ON t (a);";
    assert_eq!(run(index), (Expand, None));
    assert_eq!(
        run(&format!("SET lock_timeout = '2s'; {index}")),
        (Breaking, Some("concurrently-in-transaction"))
    );
    let backfill = run("ALTER TABLE t ADD COLUMN a int; UPDATE t SET a = 1 WHERE a IS NULL;");
    assert_eq!(backfill, (Neutral, Some("backfill-with-ddl")));
    let scan = run("ALTER TABLE t ADD COLUMN a int; CREATE INDEX i ON u (a);");
    assert_eq!(scan, (Expand, Some("index-not-concurrently")));
    let held = run("ALTER TABLE t ADD COLUMN a int; ALTER TABLE u VALIDATE CONSTRAINT c;");
    assert_eq!(held, (Neutral, Some("work-under-lock")));
}

#[test]
fn data_and_locks() {
    check(&[
        ("UPDATE t SET a = 1;", Breaking, Some("update-without-where")),
        ("UPDATE t SET a = 1 WHERE a IS NULL;", Neutral, None),
        ("ALTER TABLE t ADD COLUMN a int; UPDATE t SET a = 1;", Neutral, Some("update-without-where")),
        ("DELETE FROM t;", Breaking, Some("delete-without-where")),
        ("DELETE FROM t WHERE a = 1;", Neutral, None),
        ("TRUNCATE t, u;", Breaking, Some("truncate")),
        ("CREATE TABLE t (a int); TRUNCATE t;", Neutral, None),
        ("LOCK TABLE t;", Neutral, Some("lock-table")),
        ("LOCK TABLE t IN ROW SHARE MODE;", Neutral, None),
        ("INSERT INTO t VALUES (1);", Neutral, None),
    ]);
}

#[test]
fn what_is_dynamic() {
    check(&[
        ("DO $$ BEGIN ALTER TABLE t DROP COLUMN a; END $$;", Contract, Some("drop-column")),
        (
            "DO $$ BEGIN IF true THEN ALTER TABLE t RENAME a TO b; END IF; END $$;",
            Breaking,
            Some("rename-column"),
        ),
        ("DO $$ BEGIN EXECUTE 'DROP TABLE t'; END $$;", Contract, Some("drop-table")),
        ("DO $$ BEGIN EXECUTE format('DROP TABLE %I', name); END $$;", Contract, Some("drop-table")),
        ("DO $$ BEGIN EXECUTE 'DROP TABLE ' || name; END $$;", Breaking, Some("opaque-execute")),
        ("DO $$ BEGIN EXECUTE statement; END $$;", Breaking, Some("opaque-execute")),
        ("DO LANGUAGE plpython3u $$ plpy.execute('x') $$;", Breaking, Some("opaque-execute")),
        ("DO $$ BEGIN CREATE TABLE x (a int); ALTER TABLE x DROP COLUMN a; END $$;", Expand, None),
        ("DO $$ BEGIN NULL; END $$;", Neutral, None),
        (
            "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DROP TABLE t; END $$;",
            Expand,
            Some("ddl-in-function"),
        ),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';", Expand, None),
        ("CREATE PROCEDURE p() LANGUAGE sql AS $$ TRUNCATE t $$;", Expand, Some("ddl-in-function")),
    ]);
}

#[test]
fn enums_types_views_triggers_partitions() {
    check(&[
        ("ALTER TYPE mood ADD VALUE 'calm';", Expand, Some("add-enum-value")),
        ("CREATE TYPE mood AS ENUM ('a'); ALTER TYPE mood ADD VALUE 'b';", Expand, None),
        ("ALTER TYPE pair ADD ATTRIBUTE c int;", Breaking, Some("alter-type")),
        ("ALTER DOMAIN d SET NOT NULL;", Contract, Some("alter-type")),
        ("ALTER DOMAIN d DROP NOT NULL;", Expand, None),
        ("CREATE OR REPLACE VIEW v AS SELECT a FROM t;", Expand, None),
        (
            "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();",
            Expand,
            Some("create-trigger"),
        ),
        ("ALTER TABLE t DISABLE TRIGGER g;", Contract, Some("drop-trigger")),
        ("ALTER TABLE t ENABLE TRIGGER g;", Expand, Some("create-trigger")),
        ("CREATE RULE r AS ON INSERT TO t DO NOTHING;", Expand, Some("create-trigger")),
        ("ALTER TABLE t ATTACH PARTITION p FOR VALUES IN (1);", Expand, Some("attach-partition")),
        ("CREATE TABLE p (a int); ALTER TABLE t ATTACH PARTITION p FOR VALUES IN (1);", Expand, None),
        ("CREATE TABLE p PARTITION OF t FOR VALUES IN (1);", Expand, Some("attach-partition")),
        ("ALTER TABLE t DETACH PARTITION p CONCURRENTLY;", Contract, Some("detach-partition")),
        ("ALTER TABLE t NO INHERIT p;", Contract, Some("detach-partition")),
    ]);
}

#[test]
fn a_view_that_loses_a_column() {
    let create = Migration::new("1.sql", "CREATE VIEW v AS SELECT t.a, b AS c FROM t;");
    let replace = |sql: &str| {
        last(&Analyzer::new(Config::default()).analyze(&[create.clone(), Migration::new("2.sql", sql)]))
    };
    let narrower = replace("CREATE OR REPLACE VIEW v AS SELECT a FROM t;");
    assert_eq!(narrower, (Breaking, Some("replace-view-loses-column")));
    assert_eq!(replace("CREATE OR REPLACE VIEW v AS SELECT a, c, d FROM t;"), (Expand, None));
}

#[test]
fn a_function_that_is_replaced() {
    let body = "RETURNS int LANGUAGE sql AS 'SELECT 1';";
    let create = Migration::new("1.sql", format!("CREATE FUNCTION f() {body}"));
    let replace = Migration::new("2.sql", format!("CREATE OR REPLACE FUNCTION f() {body}"));
    let report = Analyzer::new(Config::default()).analyze(&[create, replace]);
    assert_eq!(last(&report), (Expand, Some("replace-function")));
}

#[test]
fn rights() {
    check(&[
        ("GRANT SELECT ON t TO r;", Expand, None),
        ("REVOKE SELECT ON t FROM r;", Contract, Some("revoke")),
        ("ALTER TABLE t OWNER TO r;", Contract, Some("revoke")),
        ("ALTER TABLE t ENABLE ROW LEVEL SECURITY;", Contract, Some("row-security")),
        ("ALTER TABLE t DISABLE ROW LEVEL SECURITY;", Expand, None),
        ("CREATE POLICY p ON t USING (true);", Expand, None),
        ("CREATE POLICY p ON t AS RESTRICTIVE USING (a = 1);", Contract, Some("row-security")),
        ("ALTER POLICY p ON t USING (a = 1);", Contract, Some("row-security")),
    ]);
    let config =
        Config::from_toml("[[services]]\nname = \"svc-portal\"\nroles = [\"portal\"]\npaths = [\"a.sql\"]")
            .unwrap();
    let analyst = analyze_with(config.clone(), "REVOKE SELECT ON t FROM analyst;");
    assert_eq!(last(&analyst), (Neutral, None));
    let portal = analyze_with(config, "REVOKE SELECT ON t FROM portal;");
    assert_eq!(last(&portal), (Contract, Some("revoke")));
    assert!(
        portal.statements[0].message.contains("svc-portal's old code"),
        "{}",
        portal.statements[0].message
    );
}

#[test]
fn small_tables_may_be_locked_but_not_broken() {
    let config = Config::from_toml("small_tables = [\"countries\"]").unwrap();
    let is = |sql: &str| last(&analyze_with(config.clone(), sql));
    assert_eq!(is("CREATE INDEX ON countries (a);"), (Expand, None));
    assert_eq!(is("ALTER TABLE countries ADD COLUMN a uuid DEFAULT gen_random_uuid();"), (Expand, None));
    assert_eq!(is("ALTER TABLE countries RENAME a TO b;"), (Breaking, Some("rename-column")));
}

#[test]
fn a_comment_allows_with_a_reason_and_only_then() {
    check(&[
        ("-- mpac:allow drop-column never read\nALTER TABLE t DROP COLUMN a;", Expand, None),
        ("ALTER TABLE t DROP COLUMN a; -- mpac:allow drop-column never read", Expand, None),
        ("-- mpac:allow drop-column\nALTER TABLE t DROP COLUMN a;", Contract, Some("drop-column")),
        ("-- mpac:allow drop-table never read\nALTER TABLE t DROP COLUMN a;", Contract, Some("drop-column")),
    ]);
    let report = analyze("-- mpac:allow drop-column\nALTER TABLE t DROP COLUMN a;");
    assert!(report.statements[0].findings.iter().any(|finding| finding.rule.id() == "allow-without-reason"));
    let report = analyze("-- mpac:allow drop-column never read\nALTER TABLE t DROP COLUMN a;");
    assert_eq!(report.statements[0].allowed[0].reason, "never read");
}

#[test]
fn a_lock_timeout_is_asked_for_once_and_not_where_there_is_one() {
    let notes = |sql: &str| {
        let report = analyze(sql);
        let all = report.statements.iter().flat_map(|statement| &statement.findings);
        all.filter(|finding| finding.rule.id() == "no-lock-timeout").count()
    };
    assert_eq!(notes("ALTER TABLE t ADD a int; ALTER TABLE t ADD b int;"), 1);
    assert_eq!(notes("SET lock_timeout = '2s'; ALTER TABLE t ADD a int;"), 0);
    assert_eq!(notes("SET LOCAL lock_timeout TO '2s'; ALTER TABLE t ADD a int;"), 0);
    assert_eq!(notes("CREATE TABLE t (a int); ALTER TABLE t ADD b int;"), 0);
}

#[test]
fn an_alter_table_is_the_worst_of_its_parts() {
    let report = analyze("ALTER TABLE t ADD COLUMN c int,\n  DROP COLUMN a,\n  RENAME CONSTRAINT x TO y;");
    assert_eq!(last(&report).0, Breaking);
    let report = analyze("ALTER TABLE t ADD COLUMN b text, ALTER COLUMN a TYPE bigint;");
    assert_eq!(last(&report), (Breaking, Some("change-type")));
    assert_eq!(report.statements[0].findings[0].position.column, 34);
}

#[test]
fn what_cannot_be_read_is_said_and_the_rest_is_read_all_the_same() {
    let report = analyze("SELECT 1;\nALTER TABLE t DROP;\nDROP TABLE u;");
    assert_eq!(report.statements.len(), 3);
    assert_eq!(report.unreadable().count(), 1);
    assert_eq!(last(&report), (Contract, Some("drop-table")));
    let deep = analyze(&format!("SELECT {}1;", "(".repeat(10_000)));
    assert_eq!(deep.unreadable().count(), 1);
}

#[test]
fn history_is_known_and_not_reported() {
    let old = Migration::new("1.sql", "CREATE TABLE t (a varchar(10)); DROP TABLE u;").as_history();
    let new = Migration::new("2.sql", "ALTER TABLE t ALTER COLUMN a TYPE varchar(20);");
    let report = Analyzer::new(Config::default()).analyze(&[old, new]);
    assert_eq!((report.statements.len(), last(&report)), (1, (Expand, None)));
}

#[test]
fn a_name_means_the_table_where_it_is_looked_up() {
    let drop = "ALTER TABLE public.payments DROP COLUMN amount;";
    check(&[
        (&format!("CREATE TABLE payments (amount int); {drop}"), Neutral, None),
        (&format!("CREATE TEMP TABLE payments (amount int); {drop}"), Contract, Some("drop-column")),
        ("CREATE TEMP TABLE payments (amount int); ALTER TABLE payments DROP COLUMN amount;", Neutral, None),
        (
            &format!("SET LOCAL search_path = app; CREATE TABLE payments (amount int); {drop}"),
            Contract,
            Some("drop-column"),
        ),
        (
            "SET search_path TO app, public; CREATE TABLE payments (amount int); ALTER TABLE app.payments DROP COLUMN amount;",
            Neutral,
            None,
        ),
        (
            "SET search_path TO \"$user\", public; CREATE TABLE payments (a int); ALTER TABLE public.payments DROP a;",
            Neutral,
            None,
        ),
    ]);
    let contracts = [
        "SET SCHEMA 'app'; CREATE TABLE payments (amount int); ALTER TABLE public.payments DROP COLUMN amount;",
        "SET search_path = app; CREATE TABLE payments (amount int); RESET search_path; ALTER TABLE payments DROP COLUMN amount;",
        "SET search_path = app; CREATE TABLE payments (amount int); RESET ALL; ALTER TABLE payments DROP COLUMN amount;",
        "SET search_path = app; CREATE TABLE payments (amount int); DISCARD ALL; ALTER TABLE payments DROP COLUMN amount;",
        "SET search_path = app; CREATE TABLE payments (amount int); SET search_path TO DEFAULT; ALTER TABLE payments DROP COLUMN amount;",
        "SELECT set_config('search_path', 'app', false); CREATE TABLE payments (amount int); ALTER TABLE public.payments DROP COLUMN amount;",
        "BEGIN; CREATE TEMP TABLE payments (amount int) ON COMMIT DROP; COMMIT; ALTER TABLE payments DROP COLUMN amount;",
        "CREATE TEMP TABLE payments (amount int); DISCARD TEMP; ALTER TABLE payments DROP COLUMN amount;",
        "SELECT 1 AS amount INTO TEMP payments; ALTER TABLE public.payments DROP COLUMN amount;",
        "CREATE TABLE pg_temp.payments (amount int); ALTER TABLE payments DROP COLUMN amount;",
    ];
    check(&contracts.map(|sql| (sql, Contract, Some("drop-column"))));
    check(&[
        ("CREATE TEMP VIEW v AS SELECT 1; DROP VIEW public.v;", Contract, Some("drop-view")),
        ("CREATE TEMP SEQUENCE s; DROP SEQUENCE public.s;", Contract, Some("drop-object")),
        (
            "SELECT set_config('app.user', 'x', false); CREATE TABLE t (a int); ALTER TABLE public.t DROP a;",
            Neutral,
            None,
        ),
    ]);
}

#[test]
fn a_call_of_what_changes_the_schema_is_no_neutral_query() {
    let routine = "CREATE FUNCTION tidy() RETURNS void LANGUAGE plpgsql AS $$ BEGIN ALTER TABLE t DROP COLUMN a; END $$;";
    for call in
        ["SELECT tidy();", "SELECT public.tidy();", "CALL tidy();", "DO $$ BEGIN PERFORM tidy(); END $$;"]
    {
        check(&[(&format!("{routine} {call}"), Breaking, Some("opaque-execute")), (call, Neutral, None)]);
    }
}

#[test]
fn a_column_of_a_domain_is_checked_while_the_table_is_written_anew() {
    let report = analyze("CREATE DOMAIN posint AS int CHECK (VALUE > 0); ALTER TABLE t ADD COLUMN q posint;");
    assert!(report.statements[1].impact.rewrites, "{report:?}");
    let report = analyze("ALTER DOMAIN posint ADD CONSTRAINT c CHECK (VALUE > 1);");
    assert!(report.statements[0].impact.scans, "{report:?}");
    let report = analyze("ALTER DOMAIN posint ADD CONSTRAINT c CHECK (VALUE > 1) NOT VALID;");
    assert!(!report.statements[0].impact.scans, "{report:?}");
}

#[test]
fn many_files_are_judged_in_their_order_whoever_reads_them() {
    let of = |count: usize| -> Vec<Migration> {
        let text = |at: usize| match at % 2 {
            0 => format!("CREATE TABLE t{at} (a int);"),
            _ => format!("ALTER TABLE t{} DROP COLUMN a; ALTER TABLE u DROP COLUMN c{at};", at - 1),
        };
        (0..count).map(|at| Migration::new(format!("{at}.sql"), text(at)).in_release(1)).collect()
    };
    let analyzer = Analyzer::new(Config::default());
    let (few, many) = (analyzer.analyze(&of(40)), analyzer.analyze(&of(1001)));
    assert_eq!((few.statements.len(), many.statements.len()), (60, 1501));
    let classes =
        |report: &Report| report.statements.iter().map(|it| (it.file.clone(), it.class)).collect::<Vec<_>>();
    assert_eq!(classes(&few)[..], classes(&many)[..60]);
    let drops: Vec<Class> =
        many.statements.iter().map(|it| it.class).filter(|class| *class == Contract).collect();
    assert_eq!(drops.len(), 500, "each file knows the table of the one before it");
}
