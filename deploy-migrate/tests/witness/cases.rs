//! Statements, what they are to be judged, and what old code does around them.

/// A statement of a migration.
pub(crate) struct Case {
    /// What is there besides [`BASE`].
    pub(crate) setup: &'static str,
    pub(crate) statement: &'static str,
    /// The rule that is to speak for it.
    pub(crate) rule: Option<&'static str>,
    /// What old code runs; its answer before and after tells whether it breaks.
    pub(crate) old: Option<&'static str>,
    /// Cannot run in a transaction.
    pub(crate) alone: bool,
    /// What holds a statement up that runs alone.
    pub(crate) held_up_by: &'static str,
    /// PostgreSQL refuses it.
    pub(crate) fails: bool,
    /// The first PostgreSQL that has it.
    pub(crate) since: u32,
}

impl Case {
    pub(crate) fn before(&self) -> String {
        format!("{BASE} {}", self.setup)
    }

    const fn setup(mut self, setup: &'static str) -> Self {
        self.setup = setup;
        self
    }

    const fn old(mut self, old: &'static str) -> Self {
        self.old = Some(old);
        self
    }

    const fn alone(mut self, held_up_by: &'static str) -> Self {
        self.alone = true;
        self.held_up_by = held_up_by;
        self
    }

    const fn fails(mut self) -> Self {
        self.fails = true;
        self
    }

    const fn since(mut self, version: u32) -> Self {
        self.since = version;
        self
    }
}

const fn is(rule: &'static str, statement: &'static str) -> Case {
    Case {
        setup: "",
        statement,
        rule: Some(rule),
        old: None,
        alone: false,
        held_up_by: "",
        fails: false,
        since: 12,
    }
}

const fn fine(statement: &'static str) -> Case {
    Case {
        setup: "",
        statement,
        rule: None,
        old: None,
        alone: false,
        held_up_by: "",
        fails: false,
        since: 12,
    }
}

/// A table with rows, and one beside it.
const BASE: &str = "CREATE TABLE t (id bigint PRIMARY KEY, a int, b varchar(10), c numeric(10, 2) DEFAULT 1, n int NOT NULL DEFAULT 0);
INSERT INTO t (id, a, b) SELECT i, i, 'x' FROM generate_series(1, 1000) i;
CREATE TABLE u (id bigint PRIMARY KEY);
INSERT INTO u SELECT i FROM generate_series(1, 1000) i;
GRANT SELECT, INSERT ON t TO old_code;";

const READ: &str = "SELECT count(a) FROM t";
const WRITE: &str = "INSERT INTO t (id, a, b) VALUES (5000, 1, 'y') RETURNING c";
const WRITER: &str = "INSERT INTO t (id) VALUES (9999)";
const READER: &str = "SELECT 1 FROM t LIMIT 1";
const TRIGGER: &str =
    "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.c := 7; RETURN NEW; END';
CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();";
const PARTITIONED: &str =
    "CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
INSERT INTO p VALUES (1); CREATE TABLE loose (a int); INSERT INTO loose VALUES (2);";

pub(crate) const CASES: &[Case] = &[
    // Drops.
    is("drop-table", "DROP TABLE t").old(READ),
    is("drop-column", "ALTER TABLE t DROP COLUMN a").old(READ),
    is("drop-view", "DROP VIEW v").setup("CREATE VIEW v AS SELECT a FROM t;").old("SELECT count(*) FROM v"),
    is("drop-function", "DROP FUNCTION f()").setup("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';").old("SELECT f()"),
    is("drop-type", "DROP TYPE mood").setup("CREATE TYPE mood AS ENUM ('a');").old("SELECT 'a'::mood"),
    is("drop-default", "ALTER TABLE t ALTER COLUMN c DROP DEFAULT").old(WRITE),
    is("drop-constraint", "ALTER TABLE t DROP CONSTRAINT t_pkey").old("INSERT INTO t (id) VALUES (1) ON CONFLICT (id) DO NOTHING"),
    is("drop-index", "DROP INDEX i").setup("CREATE UNIQUE INDEX i ON t (a);").old("INSERT INTO t (id, a) VALUES (5000, 1) ON CONFLICT (a) DO NOTHING"),
    is("drop-index", "DROP INDEX CONCURRENTLY i").setup("CREATE UNIQUE INDEX i ON t (a);").alone(WRITER).old("INSERT INTO t (id, a) VALUES (5000, 1) ON CONFLICT (a) DO NOTHING"),
    is("drop-trigger", "DROP TRIGGER g ON t").setup(TRIGGER).old(WRITE),
    is("drop-trigger", "ALTER TABLE t DISABLE TRIGGER g").setup(TRIGGER).old(WRITE),
    is("drop-object", "DROP SEQUENCE s").setup("CREATE SEQUENCE s;").old("SELECT nextval('s')"),
    // Renames.
    is("rename-column", "ALTER TABLE t RENAME COLUMN a TO z").old(READ),
    is("rename-table", "ALTER TABLE t RENAME TO z").old(READ),
    is("rename-object", "ALTER TABLE t RENAME CONSTRAINT t_pkey TO z").old("INSERT INTO t (id) VALUES (1) ON CONFLICT ON CONSTRAINT t_pkey DO NOTHING"),
    is("rename-object", "ALTER INDEX t_pkey RENAME TO z").old("INSERT INTO t (id) VALUES (1) ON CONFLICT ON CONSTRAINT t_pkey DO NOTHING"),
    is("rename-object", "ALTER VIEW v RENAME TO z").setup("CREATE VIEW v AS SELECT a FROM t;").old("SELECT count(*) FROM v"),
    is("rename-object", "ALTER TYPE mood RENAME TO z").setup("CREATE TYPE mood AS ENUM ('a');").old("SELECT 'a'::mood"),
    is("rename-enum-value", "ALTER TYPE mood RENAME VALUE 'a' TO 'z'").setup("CREATE TYPE mood AS ENUM ('a');").old("SELECT 'a'::mood"),
    is("set-schema", "ALTER TABLE t SET SCHEMA public").old(READ),
    is("rename-as-drop-add", "ALTER TABLE t DROP COLUMN a, ADD COLUMN z int").old(READ),
    // Types.
    is("change-type", "ALTER TABLE t ALTER COLUMN a TYPE bigint").old("SELECT pg_typeof(a) FROM t LIMIT 1"),
    is("change-type", "ALTER TABLE t ALTER COLUMN b TYPE varchar(5)").old("INSERT INTO t (id, b) VALUES (5000, 'sixsix')"),
    is("change-type", "ALTER TABLE t ALTER COLUMN a TYPE text").old("SELECT a + 1 FROM t LIMIT 1"),
    is("change-type", "ALTER TABLE t ALTER COLUMN c TYPE numeric(12, 3)").old("SELECT c FROM t LIMIT 1"),
    fine("ALTER TABLE t ALTER COLUMN b TYPE varchar(20)").old(WRITE),
    fine("ALTER TABLE t ALTER COLUMN b TYPE text").old(WRITE),
    fine("ALTER TABLE t ALTER COLUMN c TYPE numeric(15, 2)").old(WRITE),
    fine("ALTER TABLE t ALTER COLUMN c TYPE numeric").old("SELECT c FROM t LIMIT 1"),
    is("widen-type", "ALTER TABLE w ALTER COLUMN a TYPE text").setup("CREATE TABLE w AS SELECT 'x'::varchar(3) AS a;").old("SELECT a FROM w"),
    // Columns.
    fine("ALTER TABLE t ADD COLUMN z text").old(WRITE),
    fine("ALTER TABLE t ADD COLUMN z text NOT NULL DEFAULT 'x'").old(WRITE),
    fine("ALTER TABLE t ADD COLUMN z timestamptz NOT NULL DEFAULT now()").old(WRITE),
    fine("ALTER TABLE t ADD COLUMN z date DEFAULT CURRENT_DATE").old(WRITE),
    is("add-not-null-column", "ALTER TABLE e ADD COLUMN z int NOT NULL").setup("CREATE TABLE e (a int);").old("INSERT INTO e VALUES (1)"),
    is("add-not-null-column", "ALTER TABLE t ADD COLUMN z int NOT NULL").fails(),
    is("volatile-default", "ALTER TABLE t ADD COLUMN z uuid DEFAULT gen_random_uuid()").since(13).old(WRITE),
    is("volatile-default", "ALTER TABLE t ADD COLUMN z timestamptz DEFAULT clock_timestamp()").old(WRITE),
    is("serial-column", "ALTER TABLE t ADD COLUMN z bigserial").old(WRITE),
    is("serial-column", "ALTER TABLE t ADD COLUMN z int GENERATED BY DEFAULT AS IDENTITY").old(WRITE),
    is("stored-generated-column", "ALTER TABLE t ADD COLUMN z int GENERATED ALWAYS AS (a * 2) STORED").old(WRITE),
    is("add-unique", "ALTER TABLE t ADD COLUMN z int UNIQUE").old(WRITE),
    is("add-check", "ALTER TABLE t ADD COLUMN z int CHECK (z > 0)").old(WRITE),
    is("add-foreign-key", "ALTER TABLE t ADD COLUMN z bigint REFERENCES u").old(WRITE),
    fine("ALTER TABLE t ALTER COLUMN a SET DEFAULT 5").old("SELECT count(*) FROM t"),
    fine("ALTER TABLE t ALTER COLUMN n DROP NOT NULL").old(WRITE),
    fine("ALTER TABLE t ALTER COLUMN a SET STATISTICS 100").old(WRITE),
    fine("ALTER TABLE t ALTER COLUMN b SET STORAGE EXTERNAL").old(WRITE),
    fine("ALTER TABLE t SET (fillfactor = 70)").old(WRITE),
    fine("ALTER TABLE t REPLICA IDENTITY FULL").old(WRITE),
    // NOT NULL.
    is("set-not-null", "ALTER TABLE t ALTER COLUMN a SET NOT NULL").old("INSERT INTO t (id) VALUES (5000)"),
    is("set-not-null", "ALTER TABLE t ALTER COLUMN a SET NOT NULL")
        .setup("ALTER TABLE t ADD CONSTRAINT k CHECK (a IS NOT NULL) NOT VALID; ALTER TABLE t VALIDATE CONSTRAINT k;"),
    is("identity-always", "ALTER TABLE e ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY")
        .setup("CREATE TABLE e (id int NOT NULL);")
        .old("INSERT INTO e (id) VALUES (1)"),
    // Constraints.
    is("add-check", "ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0)").old("INSERT INTO t (id, a) VALUES (5000, -1)"),
    is("add-check", "ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0) NOT VALID").old("INSERT INTO t (id, a) VALUES (5000, -1)"),
    is("add-foreign-key", "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (id) REFERENCES u").old("INSERT INTO t (id) VALUES (5000)"),
    is("add-foreign-key", "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (id) REFERENCES u NOT VALID").old("INSERT INTO t (id) VALUES (5000)"),
    is("add-unique", "ALTER TABLE t ADD CONSTRAINT k UNIQUE (a)").old("INSERT INTO t (id, a) VALUES (5000, 1)"),
    is("add-unique", "ALTER TABLE e ADD PRIMARY KEY (a)").setup("CREATE TABLE e (a int); INSERT INTO e VALUES (1);").old("INSERT INTO e VALUES (1)"),
    is("add-unique", "ALTER TABLE t ADD CONSTRAINT k EXCLUDE (a WITH =)").old("INSERT INTO t (id, a) VALUES (5000, 1)"),
    is("add-unique", "CREATE UNIQUE INDEX k ON t (a)").old("INSERT INTO t (id, a) VALUES (5000, 1)"),
    is("add-unique", "CREATE UNIQUE INDEX CONCURRENTLY k ON t (a)").alone(WRITER).old("INSERT INTO t (id, a) VALUES (5000, 1)"),
    fine("ALTER TABLE t ADD CONSTRAINT i UNIQUE USING INDEX i").setup("CREATE UNIQUE INDEX i ON t (a);").old(WRITE),
    fine("ALTER TABLE t VALIDATE CONSTRAINT k").setup("ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0) NOT VALID;").old(WRITE),
    fine("ALTER TABLE t VALIDATE CONSTRAINT k").setup("ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (id) REFERENCES u NOT VALID;").old(READ),
    // Indexes and rewrites.
    is("index-not-concurrently", "CREATE INDEX ON t (a)").old(WRITE),
    fine("CREATE INDEX CONCURRENTLY i ON t (a)").alone(WRITER).old(WRITE),
    is("table-rewrite", "VACUUM FULL t").alone(READER).old(WRITE),
    is("table-rewrite", "CLUSTER t USING t_pkey").old(WRITE),
    is("table-rewrite", "ALTER TABLE t SET UNLOGGED").old(WRITE),
    is("refresh-not-concurrently", "REFRESH MATERIALIZED VIEW m").setup("CREATE MATERIALIZED VIEW m AS SELECT a FROM t;").old("SELECT count(*) FROM m"),
    fine("VACUUM t").alone("LOCK TABLE t IN SHARE UPDATE EXCLUSIVE MODE").old(WRITE),
    is("concurrently-in-transaction", "BEGIN; CREATE INDEX CONCURRENTLY i ON t (a)").fails(),
    // Rows.
    is("update-without-where", "UPDATE t SET a = 0").old("SELECT sum(a) FROM t"),
    is("delete-without-where", "DELETE FROM t").old(READ),
    is("truncate", "TRUNCATE t").old(READ),
    fine("UPDATE t SET a = 5 WHERE a IS NULL").old(READ),
    is("lock-table", "LOCK TABLE t").old(WRITE),
    // Bodies.
    is("drop-column", "DO $$ BEGIN ALTER TABLE t DROP COLUMN a; END $$").old(READ),
    is("drop-column", "DO $$ BEGIN EXECUTE 'ALTER TABLE t DROP COLUMN a'; END $$").old(READ),
    // Enums, types, triggers, partitions, views.
    is("add-enum-value", "ALTER TYPE mood ADD VALUE 'b'").setup("CREATE TYPE mood AS ENUM ('a');").old("SELECT enum_range(NULL::mood)"),
    is("alter-type", "ALTER TYPE pair DROP ATTRIBUTE b").setup("CREATE TYPE pair AS (a int, b int);").old("SELECT ROW(1, 2)::pair"),
    is("alter-type", "ALTER DOMAIN d ADD CONSTRAINT k CHECK (VALUE > 0)").setup("CREATE DOMAIN d AS int; ALTER TABLE u ADD COLUMN v d;").old("SELECT (-1)::d"),
    is("table-rewrite", "ALTER TABLE t ADD COLUMN q d").setup("CREATE DOMAIN d AS int CHECK (VALUE > 0);"),
    is("create-trigger", "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()")
        .setup("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.c := 7; RETURN NEW; END';").old(WRITE),
    is("attach-partition", "ALTER TABLE p ATTACH PARTITION loose FOR VALUES IN (2)").setup(PARTITIONED).old("SELECT a FROM p WHERE a = 1"),
    is("attach-partition", "CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2)").setup(PARTITIONED).old("SELECT a FROM p"),
    is("detach-partition", "ALTER TABLE p DETACH PARTITION p1").setup(PARTITIONED).old("SELECT a FROM p"),
    is("replace-view-loses-column", "CREATE OR REPLACE VIEW v AS SELECT a FROM t").setup("CREATE VIEW v AS SELECT a, b FROM t;").fails(),
    fine("CREATE OR REPLACE VIEW v AS SELECT a, b FROM t").setup("CREATE VIEW v AS SELECT a FROM t;").old("SELECT count(a) FROM v"),
    is("replace-function", "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2'")
        .setup("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';").old("SELECT f()"),
    fine("CREATE TABLE z (id bigint REFERENCES u)").old(WRITE),
    // Rights.
    is("revoke", "REVOKE SELECT ON t FROM old_code").old("SET LOCAL ROLE old_code; SELECT count(a) FROM t"),
    is("row-security", "ALTER TABLE t ENABLE ROW LEVEL SECURITY").old("SET LOCAL ROLE old_code; SELECT count(a) FROM t"),
    fine("GRANT SELECT ON u TO other_role").old(WRITE),
    fine("CREATE POLICY k ON t USING (true)").old(WRITE),
];

/// Rules that one statement on a server cannot show, and why.
pub(crate) const NOT_SEEN: &[(&str, &str)] = &[
    ("drop-database", "the test runs in the database"),
    ("rename-swap", "needs two statements: tests/strategy.rs"),
    ("not-null-same-release", "needs two statements: tests/rules.rs"),
    ("validate-constraint", "needs two statements in a transaction"),
    ("work-under-lock", "needs two statements in a transaction"),
    ("backfill-with-ddl", "needs two statements in a transaction"),
    ("no-lock-timeout", "a note on what happens behind a long query"),
    ("nested-transaction", "is about the tool"),
    ("opaque-execute", "says that nothing can be said"),
    ("ddl-in-function", "shows only when the function is called"),
    ("mixed-phases", "is about a file"),
    ("duplicate-version", "is about files"),
    ("version-gap", "is about files"),
    ("missing-down", "is about files"),
    ("missing-up", "is about files"),
    ("syntax-error", "is about a text"),
    ("allow-without-reason", "is about a comment"),
];
