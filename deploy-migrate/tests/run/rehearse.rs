//! Rehearsals on copies of a real database.

use std::time::Duration;

use mpac_deploy_migrate::run::Migrator;
use mpac_deploy_migrate::run::rehearse::{Leg, Observed, Range, Rehearsal, RehearsalReport, RehearseError};
use mpac_deploy_migrate::{Class, LockMode};

use crate::place::{BOTH, Kind, PASSWORD, Place, Project, SERVICE, apply, quick};

const TABLES: (&str, &str) = (
    "CREATE TABLE orders (id bigint PRIMARY KEY, amount numeric, code varchar(10)); INSERT INTO orders VALUES (1, 2, 'x')",
    "DROP TABLE orders",
);
const COPIES: &str =
    "SELECT count(*) FROM pg_database WHERE datname ~ ('^mpac_rehearse_.*_' || current_database() || '$')";

/// A database at the first version of a project that has one more.
pub(crate) async fn deployed(kind: Kind, next: (&str, &str)) -> (Place, Project) {
    let (place, project) = (Place::new().await, Project::new(kind, &[TABLES, next]));
    apply(&project.migrator(&place), &project.step(0, 1, &[])).await.unwrap();
    (place, project)
}

pub(crate) fn rehearsal(place: &Place, project: &Project) -> Rehearsal {
    Rehearsal::new(SERVICE, place.database(), place.database(), project.tool(), project.version(2))
        .with_limits(quick())
}

pub(crate) async fn rehearsed(kind: Kind, next: (&str, &str)) -> RehearsalReport {
    let (place, project) = deployed(kind, next).await;
    rehearsal(&place, &project).run().await.unwrap()
}

/// A call that was dropped leaves them to a task of the runtime.
pub(crate) async fn no_copy_is_left(place: &Place) {
    let gone = async {
        while place.count(COPIES).await > 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), gone).await.unwrap();
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and Alembic: cargo xtask test"]
async fn there_and_back_and_there_again_leaves_nothing_behind() {
    for kind in BOTH {
        let next = ("ALTER TABLE orders ADD COLUMN total numeric", "ALTER TABLE orders DROP COLUMN total");
        let (place, project) = deployed(kind, next).await;
        let report = rehearsal(&place, &project).run().await.unwrap();
        assert!(report.is_right(), "{kind:?}: {:?}", report.problems());
        assert_eq!((&report.from, &report.to), (&project.version(1), &project.version(2)));
        let shown = report.for_checklist();
        assert!(shown.difference.is_empty() && shown.longest == Some(0.0), "{kind:?}: {shown:?}");
        let files = if kind == Kind::Golang { 2 } else { 1 };
        assert_eq!(shown.sources.len(), files, "{kind:?}: the ways back too, and no history: {shown:?}");
        // The target is where it was, with its row, and without the column.
        assert_eq!(place.count("SELECT count(*) FROM orders WHERE amount = 2").await, 1);
        let columns = "SELECT count(*) FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attnum > 0";
        assert_eq!(place.count(columns).await, 3, "{kind:?}");
        assert_eq!(place.count("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'mpac%' AND datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'").await, 0);
        no_copy_is_left(&place).await;
    }
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and Alembic: cargo xtask test"]
async fn what_the_way_back_leaves_behind_or_loses_is_found() {
    for kind in BOTH {
        let next = (
            "CREATE INDEX by_code ON orders (code); ALTER TABLE orders ADD COLUMN total numeric",
            "ALTER TABLE orders DROP COLUMN total; ALTER TABLE orders ALTER COLUMN amount TYPE bigint",
        );
        let report = rehearsed(kind, next).await;
        let failed = report.failed.as_ref().unwrap();
        assert!(failed.leg == Leg::UpAgain && failed.why.contains("by_code"), "{kind:?}: {failed:?}");
        assert_eq!(
            report.after_down,
            [
                "missing: column public.orders.amount numeric",
                "left behind: column public.orders.amount bigint",
                "left behind: index CREATE INDEX by_code ON public.orders USING btree (code)",
            ],
            "{kind:?}"
        );
        assert!(!report.is_right());
        assert_eq!(report.for_checklist().difference.len(), 4);
    }
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and Alembic: cargo xtask test"]
async fn a_way_back_that_fails_is_found_with_what_the_tool_said() {
    for kind in BOTH {
        let next = ("ALTER TABLE orders ADD COLUMN total numeric", "ALTER TABLE orders DROP COLUMN totals_x");
        let report = rehearsed(kind, next).await;
        let failed = report.failed.as_ref().unwrap();
        assert!(failed.leg == Leg::Down && failed.why.contains("totals_x"), "{kind:?}: {failed:?}");
        assert!(report.problems()[0].starts_with("the way back failed: "), "{:?}", report.problems());
    }
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and Alembic: cargo xtask test"]
async fn the_second_way_there_ends_where_the_first_did() {
    for kind in BOTH {
        // What the way back does not undo decides what the second way there does.
        let next = (
            "CREATE TABLE IF NOT EXISTS notes (id int); ALTER TABLE notes ADD COLUMN IF NOT EXISTS at date",
            "ALTER TABLE notes DROP COLUMN at; ALTER TABLE notes ADD COLUMN at text",
        );
        let report = rehearsed(kind, next).await;
        assert_eq!(report.failed, None);
        assert_eq!(
            report.after_second_up,
            ["missing: column public.notes.at date", "left behind: column public.notes.at text",],
            "{kind:?}"
        );
    }
}

fn seen<'a>(report: &'a RehearsalReport, start: &str) -> &'a Observed {
    let statement = report.statements.iter().find(|statement| statement.statement.starts_with(start));
    statement.unwrap_or_else(|| panic!("{start} is not in {report:?}"))
}

fn lock(observed: &Observed) -> Option<LockMode> {
    observed.locks.as_ref()?.iter().find(|lock| lock.table == "orders").map(|lock| lock.mode)
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and Alembic: cargo xtask test"]
async fn what_each_statement_locks_reads_and_writes_is_seen_on_an_empty_copy() {
    for kind in BOTH {
        let up = "ALTER TABLE orders ADD COLUMN plain int; ALTER TABLE orders ADD COLUMN id2 uuid DEFAULT gen_random_uuid(); \
                  ALTER TABLE orders ALTER COLUMN amount TYPE bigint; CREATE INDEX by_code ON orders (code); \
                  ALTER TABLE orders ALTER COLUMN code SET NOT NULL; UPDATE orders SET plain = 1 WHERE plain IS NULL";
        let report = rehearsed(kind, (up, "SELECT 1")).await;
        let exclusive = Some(LockMode::AccessExclusive);
        for (start, mode, rewrites, scans) in [
            ("ALTER TABLE orders ADD COLUMN plain", exclusive, false, false),
            ("ALTER TABLE orders ADD COLUMN id2", exclusive, true, true),
            ("ALTER TABLE orders ALTER COLUMN amount", exclusive, true, true),
            ("CREATE INDEX", Some(LockMode::Share), false, true),
            ("ALTER TABLE orders ALTER COLUMN code", exclusive, false, true),
            ("UPDATE", Some(LockMode::RowExclusive), false, true),
        ] {
            let observed = seen(&report, start);
            let seen = (
                lock(observed),
                !observed.rewrites.is_empty(),
                observed.scans.as_ref().map(|it| !it.is_empty()),
            );
            assert_eq!(seen, (mode, rewrites, Some(scans)), "{kind:?}: {start}");
            assert_eq!(observed.unexpected, Vec::<String>::new(), "{kind:?}: {start}");
        }
    }
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and golang-migrate, or Python for its stand-in: cargo xtask test"]
async fn what_cannot_run_in_a_transaction_runs_outside_of_one() {
    let next = ("CREATE INDEX CONCURRENTLY by_code ON orders (code)", "DROP INDEX CONCURRENTLY by_code");
    let report = rehearsed(Kind::Golang, next).await;
    assert!(report.is_right(), "{:?}", report.problems());
    let observed = seen(&report, "CREATE INDEX CONCURRENTLY");
    assert_eq!((&observed.locks, &observed.scans, &observed.rewrites), (&None, &None, &Vec::new()));
    let work = &report.estimate.as_ref().unwrap().work[0];
    assert!(
        work.tables[0].table == "orders" && work.locks == Range::default(),
        "writers do not wait: {work:?}"
    );
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and golang-migrate, or Python for its stand-in: cargo xtask test"]
async fn what_the_files_did_not_let_expect_is_a_problem() {
    // The files know of no view of this table, and nothing of the event that the server reacts to.
    let hidden = "CREATE FUNCTION heavy() RETURNS event_trigger LANGUAGE plpgsql AS \
                  $$ BEGIN EXECUTE 'LOCK TABLE ' || 'orders'; END $$; \
                  CREATE EVENT TRIGGER heavy ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION heavy()";
    let (place, project) = deployed(Kind::Golang, ("CREATE TABLE notes (id int)", "DROP TABLE notes")).await;
    place.run(hidden).await;
    let report = rehearsal(&place, &project).run().await.unwrap();
    assert_eq!(seen(&report, "CREATE TABLE notes").unexpected, ["takes ACCESS EXCLUSIVE on orders"]);
    assert!(
        report.problems()[0].ends_with("000002_x.up.sql:1: takes ACCESS EXCLUSIVE on orders"),
        "{report:?}"
    );
}

/// A script that asks the database what to do: `alembic upgrade --sql` cannot print it.
const ASKS: &str = r#"
def upgrade() -> None:
    connection = op.get_bind()
    if connection.exec_driver_sql("SELECT to_regclass('orders')").scalar_one() is None:
        raise RuntimeError("no orders")
    op.add_column("orders", sa.Column("note", sa.Text))
    # mpac:allow drop-column nobody reads it
    op.drop_column("orders", "code")
    connection.execute(sa.text("UPDATE orders SET note = :note WHERE note IS NULL"), {"note": "it's"})
    values = {"raw": bytes([222, 173]), "several": ["x", "y"]}
    connection.execute(sa.text("UPDATE orders SET note = encode(:raw, 'hex') WHERE note = ANY (:several) OR id < 5 % 3"), values)
    op.execute("DO $$ BEGIN EXECUTE format('COMMENT ON TABLE %I IS %L', 'orders', '100 %'); END $$")
    with op.get_context().autocommit_block():
        op.create_index("by_note", "orders", ["note"], postgresql_concurrently=True)


def downgrade() -> None:
    op.drop_column("orders", "note")
    op.add_column("orders", sa.Column("code", sa.String(10)))
"#;

#[tokio::test]
#[ignore = "needs a PostgreSQL server and Alembic: cargo xtask test"]
async fn what_a_script_sends_that_needs_a_connection_is_captured_while_it_runs() {
    let (place, project) = deployed(Kind::Alembic, ("SELECT 1", "SELECT 1")).await;
    let script = project.dir.path().join("migrations/versions/r2_x.py");
    let text = std::fs::read_to_string(&script).unwrap();
    let head = text.split("def upgrade").next().unwrap().replacen(
        "from alembic",
        "import sqlalchemy as sa\nfrom alembic",
        1,
    );
    let text = format!("{}{ASKS}", head.trim_end());
    std::fs::write(&script, &text).unwrap();
    let report = rehearsal(&place, &project).run().await.unwrap();
    assert!(report.is_right(), "{:?}", report.problems());
    assert!(report.captured.len() == 1 && report.captured[0].contains("r2_x.py"), "{report:?}");
    assert_eq!(report.unread, Vec::<String>::new());
    let line = |words: &str| text.lines().position(|line| line.contains(words)).unwrap() + 1;
    for (start, class, at) in [
        ("ALTER TABLE orders ADD COLUMN note TEXT", Class::Expand, line("sa.Column(\"note\"")),
        ("ALTER TABLE orders DROP COLUMN code", Class::Expand, line("op.drop_column(\"orders\", \"code\"")),
        ("UPDATE orders SET note = 'it''s' WHERE note IS NULL", Class::Neutral, line("it's")),
        ("UPDATE orders SET note = encode('\\xdead'", Class::Neutral, line("encode")),
        ("CREATE INDEX CONCURRENTLY by_note ON orders (note)", Class::Expand, line("by_note")),
    ] {
        let observed = seen(&report, start);
        assert_eq!((observed.class, observed.line), (class, at), "{start}: {observed:?}");
        assert!(observed.file.ends_with("migrations/versions/r2_x.py"), "{observed:?}");
    }
    assert_eq!(seen(&report, "CREATE INDEX").locks, None, "outside of a transaction, as in the script");
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and Alembic: cargo xtask test"]
async fn a_script_that_fails_and_cannot_be_read_is_named() {
    let (place, project) = deployed(Kind::Alembic, ("SELECT 1", "SELECT 1")).await;
    let script = project.dir.path().join("migrations/versions/r2_x.py");
    let text = std::fs::read_to_string(&script).unwrap();
    let asks = "def upgrade() -> None:\n    op.get_bind().exec_driver_sql('SELECT 1 / 0').scalar_one() + 1\n";
    std::fs::write(&script, text.replacen("def upgrade() -> None:\n", asks, 1)).unwrap();
    let report = rehearsal(&place, &project).run().await.unwrap();
    assert!(
        report
            .failed
            .as_ref()
            .is_some_and(|failed| failed.leg == Leg::Up && failed.why.contains("division by zero")),
        "{report:?}"
    );
    assert!(report.unread.len() == 1 && report.unread[0].contains("r2_x.py"), "{report:?}");
    assert_eq!((report.statements, report.estimate), (Vec::new(), None));
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and golang-migrate, or Python for its stand-in: cargo xtask test"]
async fn copies_are_gone_after_an_error_and_after_a_dropped_call() {
    let slow = ("SELECT pg_sleep(60)", "SELECT 1");
    let (place, project) = deployed(Kind::Golang, slow).await;
    let running = rehearsal(&place, &project);
    let asleep = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname LIKE 'mpac_rehearse_%' AND right(datname, length(current_database())) = current_database()";
    tokio::select! {
        report = running.run() => panic!("{report:?}"),
        () = place.until(asleep) => {}
    }
    no_copy_is_left(&place).await;
    let none = rehearsal(&place, &project).with_programs("no-such-pg_dump", "psql").run().await.unwrap_err();
    assert!(none.to_string().contains("there is no program `no-such-pg_dump`"), "{none}");
    no_copy_is_left(&place).await;
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and golang-migrate, or Python for its stand-in: cargo xtask test"]
async fn nothing_to_rehearse_is_said_before_anything_is_made() {
    let (place, project) = deployed(Kind::Golang, ("SELECT 1", "SELECT 1")).await;
    let there =
        Rehearsal::new(SERVICE, place.database(), place.database(), project.tool(), project.version(1));
    let error = there.run().await.unwrap_err();
    assert!(matches!(error, RehearseError::Files(_)), "{error:?}");
    assert!(error.to_string().starts_with("no migration of svc-portal is between 1 and 1"), "{error}");
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and golang-migrate, or Python for its stand-in: cargo xtask test"]
async fn a_rehearsal_shows_no_password() {
    let loud = (&*format!("DO $$ BEGIN RAISE EXCEPTION 'the password is {PASSWORD}'; END $$"), "SELECT 1");
    let report = rehearsed(Kind::Golang, loud).await;
    let failed = report.failed.as_ref().unwrap();
    assert!(failed.why.contains("the password is ***"), "{failed:?}");
    let json = serde_json::to_string(&report).unwrap();
    assert!(!json.contains(PASSWORD) && json.contains("***"), "{json}");
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and golang-migrate, or Python for its stand-in: cargo xtask test"]
async fn an_estimate_is_a_range_around_the_time_that_the_target_takes() {
    let slow = "ALTER TABLE orders ALTER COLUMN id TYPE numeric; UPDATE orders SET amount = 3 WHERE amount IS NOT NULL; CREATE INDEX by_code ON orders (code)";
    let (place, project) = deployed(Kind::Golang, (slow, "SELECT 1")).await;
    place.run("INSERT INTO orders SELECT id, 2, 'x' || id % 1000 FROM generate_series(2, 1000000) id; ANALYZE orders").await;
    let report = rehearsal(&place, &project).run().await.unwrap();
    let estimate = report.estimate.as_ref().unwrap();
    assert_eq!(estimate.work.len(), 3, "{estimate:?}");
    let rows = estimate.work[0].tables[0].rows.unwrap();
    assert!((900_000.0..1_100_000.0).contains(&rows), "{rows}");
    assert_eq!(
        estimate.locks, estimate.runs,
        "all of the file is one transaction, whose first statement locks everybody out"
    );
    let began = std::time::Instant::now();
    place.run(slow).await;
    let took = began.elapsed().as_secs_f64();
    assert!(estimate.runs.shortest <= took && took <= estimate.runs.longest, "{took} s: {estimate:?}");
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and golang-migrate, or Python for its stand-in: cargo xtask test"]
async fn a_table_that_was_never_analyzed_is_as_large_as_its_file_and_a_query_is_unknown() {
    let next = (
        "CREATE INDEX by_code ON orders (code); INSERT INTO orders SELECT id + 10, amount FROM orders",
        "SELECT 1",
    );
    let (place, project) = deployed(Kind::Golang, next).await;
    let report = rehearsal(&place, &project).run().await.unwrap();
    let estimate = report.estimate.as_ref().unwrap();
    let table = &estimate.work[0].tables[0];
    assert!(table.rows.is_none() && table.bytes >= 8192.0, "{table:?}");
    assert!(
        estimate.unknown.len() == 1 && estimate.unknown[0].ends_with("000002_x.up.sql:1"),
        "{estimate:?}"
    );
    assert_eq!(report.for_checklist().longest, None);
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and Alembic: cargo xtask test"]
async fn a_project_that_knows_another_database_by_itself_is_refused_and_runs_nothing_there() {
    let next = ("ALTER TABLE orders ADD COLUMN total numeric", "ALTER TABLE orders DROP COLUMN total");
    let (place, project) = deployed(Kind::Alembic, next).await;
    // Whatever it is told, it goes to the target.
    let env = project.dir.path().join("migrations/env.py");
    let text = std::fs::read_to_string(&env).unwrap();
    let server: tokio_postgres::Config = std::env::var("MPAC_POSTGRES").unwrap().parse().unwrap();
    let tokio_postgres::config::Host::Tcp(host) = &server.get_hosts()[0] else { panic!("a socket") };
    let url = format!(
        "postgresql+psycopg://{}@{host}:{}/{}",
        server.get_user().unwrap(),
        server.get_ports()[0],
        place.name
    );
    let fixed = text.replace("os.environ[\"DATABASE_URL\"]", &format!("\"{url}\""));
    assert_ne!(fixed, text);
    std::fs::write(&env, fixed).unwrap();
    let error = rehearsal(&place, &project).run().await.unwrap_err().to_string();
    assert!(error.contains("does not look at the copy") && error.contains("--url-env"), "{error}");
    let columns =
        "SELECT count(*) FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attname = 'total'";
    assert_eq!(place.count(columns).await, 0, "nothing was run there");
    no_copy_is_left(&place).await;
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and golang-migrate, or Python for its stand-in: cargo xtask test"]
async fn rows_that_are_found_by_an_index_are_work_all_the_same() {
    let next = (
        "CREATE INDEX by_code ON orders (code); UPDATE orders SET amount = 1 WHERE code IS NULL; UPDATE orders SET amount = 1 WHERE id = 7",
        "DROP INDEX by_code",
    );
    let report = rehearsed(Kind::Golang, next).await;
    let estimate = report.estimate.as_ref().unwrap();
    assert_eq!(estimate.work.len(), 3, "{estimate:?}");
    assert!(
        estimate.work.iter().all(|work| work.runs.longest > 0.0 && work.tables[0].table == "orders"),
        "{estimate:?}"
    );
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and golang-migrate, or Python for its stand-in: cargo xtask test"]
async fn whoever_says_stop_gets_the_answer_after_the_copies_are_gone() {
    let (place, project) = deployed(Kind::Golang, ("SELECT pg_sleep(60)", "SELECT 1")).await;
    let asleep = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname LIKE 'mpac_rehearse_%' AND right(datname, length(current_database())) = current_database()";
    let both_are_there = async {
        place.until(asleep).await;
        assert_eq!(place.count(COPIES).await, 2);
    };
    let stopped = rehearsal(&place, &project).run_until(both_are_there).await.unwrap_err();
    assert!(
        matches!(&stopped, RehearseError::Stopped { left_behind } if left_behind.is_empty()),
        "{stopped}"
    );
    assert_eq!(place.count(COPIES).await, 0);
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and golang-migrate, or Python for its stand-in: cargo xtask test"]
async fn names_are_found_by_the_search_path_and_sized_where_they_are() {
    let (place, project) = (
        Place::new().await,
        Project::new(
            Kind::Golang,
            &[TABLES, ("UPDATE orders SET amount = 1 WHERE amount IS NULL", "SELECT 1")],
        ),
    );
    let database = place.database_with("options=-c%20search_path%3Dapp");
    place.run("CREATE SCHEMA app").await;
    let migrator =
        Migrator::new().with_service(SERVICE, database.clone(), project.tool()).with_limits(quick());
    apply(&migrator, &project.step(0, 1, &[])).await.unwrap();
    place.run("CREATE TABLE public.orders (note text); INSERT INTO app.orders SELECT id, 2, 'x' FROM generate_series(2, 5000) id").await;
    let rehearsal = Rehearsal::new(SERVICE, database, place.database(), project.tool(), project.version(2))
        .with_limits(quick());
    let report = rehearsal.run().await.unwrap();
    assert!(report.is_right(), "{:?}", report.problems());
    let work = &report.estimate.as_ref().unwrap().work[0];
    let sizes: Vec<(&str, bool)> =
        work.tables.iter().map(|it| (it.table.as_str(), it.bytes > 100_000.0)).collect();
    assert!(sizes.contains(&("app.orders", true)), "{sizes:?}");
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and golang-migrate, or Python for its stand-in: cargo xtask test"]
async fn a_partitioned_table_is_as_large_as_its_partitions() {
    let parts = "CREATE TABLE days (day int, note text) PARTITION BY RANGE (day); CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM (0) TO (9); \
                 INSERT INTO days SELECT 1, repeat('x', 100) FROM generate_series(1, 5000)";
    let (place, project) =
        deployed(Kind::Golang, ("UPDATE days SET note = 'y' WHERE day = 1", "SELECT 1")).await;
    place.run(parts).await;
    let report = rehearsal(&place, &project).run().await.unwrap();
    let work = &report.estimate.as_ref().unwrap().work;
    assert!(work[0].tables.iter().any(|it| it.table == "days" && it.bytes > 100_000.0), "{work:?}");
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and Alembic: cargo xtask test"]
async fn a_lock_of_one_revision_is_held_through_the_next_ones() {
    let (place, mut project) = deployed(
        Kind::Alembic,
        ("ALTER TABLE orders ADD COLUMN total numeric", "ALTER TABLE orders DROP COLUMN total"),
    )
    .await;
    project.add("UPDATE orders SET total = amount WHERE total IS NULL", "SELECT 1");
    place.run("INSERT INTO orders SELECT id, 2, 'x' FROM generate_series(2, 5000) id").await;
    let report =
        Rehearsal::new(SERVICE, place.database(), place.database(), project.tool(), project.version(3))
            .with_limits(quick())
            .run()
            .await
            .unwrap();
    let estimate = report.estimate.unwrap();
    assert!(
        estimate.locks == estimate.runs && estimate.locks.longest > 0.0,
        "all of an upgrade is one transaction: {estimate:?}"
    );
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and golang-migrate, or Python for its stand-in: cargo xtask test"]
async fn a_right_that_is_given_and_taken_is_no_difference() {
    let report =
        rehearsed(Kind::Golang, ("GRANT SELECT ON orders TO PUBLIC", "REVOKE SELECT ON orders FROM PUBLIC"))
            .await;
    assert!(report.is_right(), "{:?}", report.problems());
    let function = "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'";
    let (place, project) = deployed(
        Kind::Golang,
        ("REVOKE EXECUTE ON FUNCTION f() FROM PUBLIC", "GRANT EXECUTE ON FUNCTION f() TO PUBLIC"),
    )
    .await;
    place.run(function).await;
    let report = rehearsal(&place, &project).run().await.unwrap();
    assert!(report.is_right(), "in another order: {:?}", report.problems());
    let kept = rehearsed(Kind::Golang, ("GRANT SELECT ON orders TO PUBLIC", "SELECT 1")).await;
    assert!(
        kept.after_down
            .iter()
            .any(|line| line.contains("table public.orders") && line.contains("rights =r/")),
        "{kept:?}"
    );
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and golang-migrate, or Python for its stand-in: cargo xtask test"]
async fn an_index_of_another_method_and_a_block_take_nobody_knows_how_long() {
    let report =
        rehearsed(Kind::Golang, ("CREATE INDEX by_code ON orders USING hash (code)", "DROP INDEX by_code"))
            .await;
    let estimate = report.estimate.as_ref().unwrap();
    assert!(estimate.unknown.len() == 1 && report.for_checklist().longest.is_none(), "{estimate:?}");
    let block = "DO $$ BEGIN UPDATE orders SET amount = 1 WHERE id = 1; END $$";
    let report = rehearsed(Kind::Golang, (block, "SELECT 1")).await;
    let estimate = report.estimate.as_ref().unwrap();
    assert!(estimate.unknown.len() == 1 && report.for_checklist().longest.is_none(), "{estimate:?}");
}
