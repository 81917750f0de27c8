//! What runs and stands in no file that was judged, and what a way back leaves that few look at.

use std::path::PathBuf;

use mpac_deploy_migrate::discover::Discovery;
use mpac_deploy_migrate::run::rehearse::Rehearsal;
use mpac_deploy_migrate::run::{Database, Migrator};

use crate::place::{Kind, PASSWORD, Place, Project, SERVICE, apply, quick};
use crate::rehearse::{deployed, no_copy_is_left, rehearsal, rehearsed};

const NOTHING: (&str, &str) = ("SELECT 1", "SELECT 1");
const TOTAL: (&str, &str) =
    ("ALTER TABLE orders ADD COLUMN total numeric", "ALTER TABLE orders DROP COLUMN total");

/// Writes a file of a project anew.
fn edited(project: &Project, name: &str, change: impl Fn(&str) -> String) -> PathBuf {
    let path = project.dir.path().join(name);
    let before = std::fs::read_to_string(&path).unwrap();
    let after = change(&before);
    assert_ne!(after, before);
    std::fs::write(&path, after).unwrap();
    path
}

/// A database that a project knows besides, and must not touch.
struct Second(Place);

impl Second {
    async fn new() -> Self {
        Self(Place::new().await)
    }

    /// Statements of Python that make a table there.
    fn touching(&self) -> String {
        let url = self.0.database().to_string().replace("postgres://", "postgresql+psycopg://");
        format!(
            "import sqlalchemy\nwith sqlalchemy.create_engine({:?}).begin() as it:\n    it.exec_driver_sql('CREATE TABLE touched (id int)')\n",
            url
        )
    }

    async fn is_untouched(&self) -> bool {
        self.0.count("SELECT count(*) FROM pg_class WHERE relname = 'touched'").await == 0
    }

    fn refused(&self) -> String {
        format!("it connects to another database, {}", self.0.name)
    }
}

fn indented(text: &str, by: usize) -> String {
    text.lines().map(|line| format!("{}{line}\n", " ".repeat(by))).collect()
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and Alembic: cargo xtask test"]
async fn a_project_that_knows_a_second_database_runs_nothing_there() {
    let (place, project) = deployed(Kind::Alembic, TOTAL).await;
    let second = Second::new().await;
    let online = indented(&second.touching(), 4);
    edited(&project, "migrations/env.py", |text| {
        format!("{text}\nif not context.is_offline_mode():\n{online}")
    });
    let report = rehearsal(&place, &project).run().await.unwrap();
    let why = &report.failed.as_ref().unwrap().why;
    assert!(why.contains(&second.refused()) && second.is_untouched().await, "{why}");
    no_copy_is_left(&place).await;
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and Alembic: cargo xtask test"]
async fn a_script_that_connects_elsewhere_fails_on_the_copy_and_changes_nothing_there() {
    let (place, project) = deployed(Kind::Alembic, TOTAL).await;
    let second = Second::new().await;
    let online = indented(&second.touching(), 8);
    edited(&project, "migrations/versions/r2_x.py", |text| {
        let elsewhere = format!("def upgrade() -> None:\n    if not op.get_context().as_sql:\n{online}");
        text.replacen("def upgrade() -> None:\n", &elsewhere, 1)
    });
    let report = rehearsal(&place, &project).run().await.unwrap();
    let why = &report.failed.as_ref().unwrap().why;
    assert!(why.contains(&second.refused()) && second.is_untouched().await, "{why}");
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and Alembic: cargo xtask test"]
async fn a_project_that_writes_while_it_shows_its_sql_changes_nothing() {
    let (place, project) = deployed(Kind::Alembic, TOTAL).await;
    let second = Second::new().await;
    let env = edited(&project, "migrations/env.py", |text| format!("{}{text}", second.touching()));
    let mut how = Discovery::default();
    how.environment = vec![("DATABASE_URL".to_owned(), "postgresql+psycopg://".into())];
    let found = how.find(&[project.dir.path().join("alembic.ini")]);
    let shown = format!("{found:?}");
    assert!(shown.contains("read-only transaction") && second.is_untouched().await, "{shown}");

    // Options in the URL are in place of those of the environment.
    let text = std::fs::read_to_string(&env).unwrap();
    std::fs::write(
        &env,
        text.replacen("sslmode=disable", "sslmode=disable&options=-csearch_path%3Dpublic", 1),
    )
    .unwrap();
    let refused = format!("{:?}", rehearsal(&place, &project).run().await);
    assert!(refused.contains(&second.refused()) && second.is_untouched().await, "{refused}");
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and Alembic: cargo xtask test"]
async fn names_are_looked_up_where_the_project_says() {
    let next = ("CREATE TABLE things (id int)", "DROP TABLE things");
    let (place, project) = deployed(Kind::Alembic, next).await;
    place.run("CREATE SCHEMA app").await;
    edited(&project, "migrations/env.py", |text| {
        let sets = "connection.exec_driver_sql(\"SET search_path TO app, public\")\n        connection.commit()\n        ";
        text.replacen(
            "context.configure(\n            connection",
            &format!("{sets}context.configure(\n            connection"),
            1,
        )
    });
    let report = rehearsal(&place, &project).run().await.unwrap();
    assert!(report.is_right(), "{:?}", report.problems());
    assert!(
        report.statements.iter().any(|it| it.statement == "SET search_path TO app, public"),
        "{report:?}"
    );
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and golang-migrate, or Python for its stand-in: cargo xtask test"]
async fn a_role_is_made_once_although_there_are_two_copies() {
    let role = format!("mpac_role_{}", std::process::id());
    let up = format!("CREATE ROLE {role}; GRANT SELECT ON orders TO {role}");
    let down = format!("REVOKE ALL ON orders FROM {role}; DROP ROLE {role}");
    let report = rehearsed(Kind::Golang, (&up, &down)).await;
    Place::new().await.run(&format!("DROP ROLE IF EXISTS {role}")).await;
    assert!(report.is_right(), "{:?}", report.problems());
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and Alembic: cargo xtask test"]
async fn what_a_script_hides_while_it_shows_its_sql_is_found() {
    let (place, project) = deployed(Kind::Alembic, TOTAL).await;
    edited(&project, "migrations/versions/r2_x.py", |text| {
        let hidden = "def upgrade() -> None:\n    if not op.get_context().as_sql:\n        \
                      op.execute('UPDATE orders SET amount = 1')\n        op.drop_column('orders', 'code')\n        \
                      op.get_bind().connection.cursor().execute('ALTER TABLE orders ADD COLUMN raw int')\n";
        let back = "def downgrade() -> None:\n    import sqlalchemy as sa\n    op.add_column('orders', sa.Column('code', sa.String(10)))\n    op.execute('ALTER TABLE orders DROP COLUMN IF EXISTS raw')\n";
        text.replacen("def upgrade() -> None:\n", hidden, 1).replacen("def downgrade() -> None:\n", back, 1)
    });
    let report = rehearsal(&place, &project).run().await.unwrap();
    let all = report.unjudged.join("\n");
    for part in [
        "r2_x.py:11 runs `UPDATE orders SET amount = 1`, which it does not show without a connection",
        "r2_x.py:12 runs `ALTER TABLE orders DROP COLUMN code`",
        "only the tool makes this, not the statements that were judged: column public.orders.raw integer",
    ] {
        assert!(all.contains(part), "no `{part}` in {all}");
    }
    let shown = report.for_checklist();
    assert!(!report.is_right() && shown.longest.is_none() && shown.unjudged.len() == 3, "{shown:?}");
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and golang-migrate, or Python for its stand-in: cargo xtask test"]
async fn a_way_back_that_leaves_what_few_look_at_is_found() {
    let up = "CREATE TABLE bare (id int); REVOKE ALL ON bare FROM CURRENT_USER; CREATE SEQUENCE numbers; GRANT SELECT (id) ON orders TO PUBLIC; ALTER TABLE orders REPLICA IDENTITY FULL; \
              ALTER TABLE orders FORCE ROW LEVEL SECURITY; ALTER SEQUENCE numbers MINVALUE -5 OWNED BY orders.id; \
              GRANT USAGE ON SEQUENCE numbers TO PUBLIC; CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; \
              REVOKE EXECUTE ON FUNCTION f() FROM PUBLIC; ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC; \
              ALTER TABLE orders ADD COLUMN other bigint REFERENCES orders (id); ALTER TABLE orders DISABLE TRIGGER ALL; \
              CREATE POLICY p ON orders AS RESTRICTIVE USING (true); CREATE STATISTICS s ON id, amount FROM orders; \
              ALTER TABLE orders ALTER COLUMN code TYPE varchar(10) COLLATE \"C\"; \
              CREATE FUNCTION e() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER t ON ddl_command_end EXECUTE FUNCTION e()";
    let report = rehearsed(Kind::Golang, (up, "SELECT 1")).await;
    let server: tokio_postgres::Config = std::env::var("MPAC_POSTGRES").unwrap().parse().unwrap();
    let left = report.after_down.join("\n").replace(server.get_user().unwrap(), "OWNER");
    for part in [
        "column public.orders.id bigint not null rights =r/OWNER",
        "table public.bare of OWNER rights none",
        "table public.orders that is forced replica identity f",
        "sequence public.numbers bigint from 1 by 1, -5 to",
        "rights =U/OWNER, OWNER=rwU/OWNER owned by orders.id",
        "rights OWNER=X/OWNER",
        "default rights of OWNER in",
        "triggers of constraints of public.orders: 4 not as usual",
        "policy p on public.orders restricts",
        "statistics CREATE STATISTICS public.s ON id, amount",
        "collate C",
        "event trigger t on ddl_command_end",
    ] {
        assert!(left.contains(part), "no `{part}` in {left}");
    }
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and golang-migrate, or Python for its stand-in: cargo xtask test"]
async fn that_a_right_is_given_back_is_a_persons_to_know() {
    let report = rehearsed(Kind::Golang, ("REVOKE SELECT ON orders FROM PUBLIC", "SELECT 1")).await;
    assert!(report.is_right(), "the copy has no rights: {:?}", report.problems());
    let shown = report.for_checklist();
    assert!(shown.unproven.len() == 1 && shown.unproven[0].contains("changes rights"), "{shown:?}");
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and golang-migrate, or Python for its stand-in: cargo xtask test"]
async fn the_password_of_the_target_is_hidden_although_the_tool_works_on_a_copy() {
    let loud = (&*format!("DO $$ BEGIN RAISE EXCEPTION 'it is {PASSWORD}'; END $$"), "SELECT 1");
    let (place, project) = deployed(Kind::Golang, loud).await;
    let scratch = Database::parse(&place.url("another", "")).unwrap();
    let rehearsal = Rehearsal::new(SERVICE, place.database(), scratch, project.tool(), project.version(2))
        .with_limits(quick());
    let report = rehearsal.run().await.unwrap();
    assert!(report.failed.as_ref().unwrap().why.contains("it is ***"), "{report:?}");
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and golang-migrate, or Python for its stand-in: cargo xtask test"]
async fn names_are_looked_up_where_the_database_itself_says() {
    let place = Place::new().await;
    let project = Project::new(
        Kind::Golang,
        &[
            ("CREATE TABLE t (id int)", "DROP TABLE t"),
            ("ALTER TABLE t ADD COLUMN n int", "ALTER TABLE t DROP COLUMN n"),
        ],
    );
    place
        .run(&format!("CREATE SCHEMA app; ALTER DATABASE {} SET search_path = app, public", place.name))
        .await;
    let migrator =
        Migrator::new().with_service(SERVICE, place.database(), project.tool()).with_limits(quick());
    apply(&migrator, &project.step(0, 1, &[])).await.unwrap();
    assert_eq!(place.count("SELECT count(*) FROM app.schema_migrations").await, 1);
    let report = rehearsal(&place, &project).run().await.unwrap();
    assert!(report.is_right(), "{:?}", report.problems());
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and golang-migrate, or Python for its stand-in: cargo xtask test"]
async fn what_is_right_is_not_called_wrong() {
    let before = "CREATE SCHEMA app; CREATE TABLE days (day int) PARTITION BY RANGE (day); CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM (0) TO (9); \
                  CREATE TABLE position (id int); CREATE TABLE \"Mixed Case\" (id int)";
    let up = "SET LOCAL search_path = app; CREATE TABLE t (id int); ALTER TABLE t ADD COLUMN n int; ALTER TABLE public.days ADD COLUMN note text; \
              ALTER TABLE public.position ADD COLUMN n int; ALTER TABLE public.\"Mixed Case\" ADD COLUMN n int; INSERT INTO t SELECT id, 1 FROM public.position";
    let down = "DROP TABLE app.t; ALTER TABLE days DROP COLUMN note; ALTER TABLE position DROP COLUMN n; ALTER TABLE \"Mixed Case\" DROP COLUMN n";
    let (place, project) = deployed(Kind::Golang, NOTHING).await;
    place.run(before).await;
    std::fs::write(project.half("up"), up).unwrap();
    std::fs::write(project.half("down"), down).unwrap();
    let report = rehearsal(&place, &project).run().await.unwrap();
    assert!(report.is_right(), "{:?}", report.problems());
}

/// What people write: types with values of every kind, rows that refer to rows, savepoints, tabs and percent signs.
const ORDINARY: &str = r#"
def upgrade() -> None:
    import datetime, decimal, uuid
    import sqlalchemy as sa
    from sqlalchemy.dialects import postgresql
    connection = op.get_bind()
    sa.inspect(connection).get_table_names()
    things = op.create_table(
        "things",
        sa.Column("id", postgresql.UUID(as_uuid=True), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True)),
        sa.Column("kind", sa.Enum("a", "b", name="kind")),
        sa.Column("list", postgresql.ARRAY(sa.Text)),
        sa.Column("doc", postgresql.JSONB),
        sa.Column("raw", sa.LargeBinary),
        sa.Column("share", sa.Float, server_default="5"),
        sa.Column("double", sa.Numeric, sa.Computed("amount * 2", persisted=True)),
        sa.Column("amount", sa.Numeric),
    )
    parts = op.create_table(
        "parts", sa.Column("id", sa.Integer, primary_key=True), sa.Column("of", sa.Integer, sa.ForeignKey("parts.id"))
    )
    row = dict(id=uuid.uuid4(), at=datetime.datetime.now(datetime.timezone.utc), kind="a", list=["x", "100 %"])
    row.update(doc={"a": ["it's"]}, raw=b"\x00\xff", share=float("inf"), amount=decimal.Decimal("1.5"))
    op.bulk_insert(things, [row])
    op.bulk_insert(parts, [{"id": 1, "of": None}, {"id": 2, "of": 1}, {"id": 3, "of": 2}])
    with connection.begin_nested():
        op.execute("CREATE VIEW percents AS SELECT id FROM things WHERE list @> ARRAY['100 %'] OR kind::text LIKE 'a%'")
    op.execute("CREATE FUNCTION one() RETURNS int LANGUAGE plpgsql AS $$\n\tBEGIN\n\t\tRETURN 1;\n\tEND $$")
    op.execute("DO $$ BEGIN RAISE NOTICE 'it is % %%', 5; END $$")
    with op.batch_alter_table("orders") as batch:
        batch.add_column(sa.Column("note", sa.Text))
    with op.get_context().autocommit_block():
        op.create_index("by_note", "orders", ["note"], postgresql_concurrently=True, postgresql_where=sa.text("note LIKE '%x'"))


def downgrade() -> None:
    op.drop_index("by_note", "orders")
    op.drop_column("orders", "note")
    op.execute("DROP FUNCTION one")
    op.execute("DROP VIEW percents")
    op.drop_table("parts")
    op.drop_table("things")
    op.execute("DROP TYPE kind")
"#;

#[tokio::test]
#[ignore = "needs a PostgreSQL server and Alembic: cargo xtask test"]
async fn an_ordinary_release_of_alembic_is_right() {
    let (place, project) = deployed(Kind::Alembic, NOTHING).await;
    edited(&project, "migrations/versions/r2_x.py", |text| {
        format!("{}{ORDINARY}", text.split("def upgrade").next().unwrap().trim_end())
    });
    let report = rehearsal(&place, &project).run().await.unwrap();
    assert!(report.is_right(), "{:?}", report.problems());
    assert!(report.statements.len() > 12, "{report:?}");
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server and golang-migrate, or Python for its stand-in: cargo xtask test"]
async fn an_ordinary_release_of_golang_migrate_is_right() {
    let up = "CREATE TEMP TABLE tidy (id bigint) ON COMMIT DROP; INSERT INTO tidy SELECT id FROM orders; \
              CREATE TABLE u (id int); CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (a int REFERENCES a DEFERRABLE INITIALLY DEFERRED); \
              INSERT INTO b VALUES (1); INSERT INTO a VALUES (1); \
              CREATE MATERIALIZED VIEW v AS SELECT id FROM orders; SELECT setval(pg_get_serial_sequence('c', 'id'), 7) FROM pg_class WHERE false; \
              DO $$ DECLARE t text; BEGIN FOREACH t IN ARRAY ARRAY['u', 'orders'] LOOP EXECUTE format('ALTER TABLE %I ADD COLUMN touched int', t); END LOOP; END $$; \
              DROP TABLE tidy";
    let down = "DROP MATERIALIZED VIEW v; ALTER TABLE orders DROP COLUMN touched; DROP TABLE u; DROP TABLE b; DROP TABLE a";
    let report = rehearsed(Kind::Golang, (up, down)).await;
    assert!(report.is_right(), "{:?}", report.problems());
    let twice = "ALTER TABLE orders ADD CONSTRAINT o CHECK (id > 0) NOT VALID; CREATE TABLE a (id int PRIMARY KEY); \
                 CREATE TABLE b (a int REFERENCES a DEFERRABLE INITIALLY DEFERRED); INSERT INTO b VALUES (1)";
    let report =
        rehearsed(Kind::Golang, (twice, "DROP TABLE b; DROP TABLE a; ALTER TABLE orders DROP CONSTRAINT o"))
            .await;
    let failed = report.statements.last().unwrap().failed.as_ref().unwrap();
    assert!(failed.starts_with("at the end of its transaction: insert or update on table \"b\""), "{failed}");
}
