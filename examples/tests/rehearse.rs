//! `migrations rehearse` on a real database.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    reason = "helpers of tests, outside a test function"
)]

mod common;

use common::{Folder, Run, text};
use postgres::{Client, NoTls};

const URL: &str = "REHEARSED_DATABASE_URL";

/// A database of its own, at version 1.
struct Database {
    server: postgres::Config,
    name: String,
}

impl Database {
    fn new(name: &str) -> Self {
        let address = std::env::var("MPAC_POSTGRES").expect("needs a PostgreSQL server: cargo xtask test");
        let database =
            Self { server: address.parse().unwrap(), name: format!("cli_{name}_{}", std::process::id()) };
        database.client("postgres").batch_execute(&format!("CREATE DATABASE {}", database.name)).unwrap();
        let before = "CREATE TABLE payments (id bigint PRIMARY KEY, amount numeric); \
                      CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL); \
                      INSERT INTO schema_migrations VALUES (1, false)";
        database.client(&database.name).batch_execute(before).unwrap();
        database
    }

    fn client(&self, database: &str) -> Client {
        self.server.clone().dbname(database).connect(NoTls).unwrap()
    }

    fn url(&self) -> String {
        let postgres::config::Host::Tcp(host) = &self.server.get_hosts()[0] else { panic!("a socket") };
        let (user, port) = (self.server.get_user().unwrap(), self.server.get_ports()[0]);
        format!("postgres://{user}:hush@{host}:{port}/{}?sslmode=disable", self.name)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        self.client("postgres").batch_execute(&sql).ok();
    }
}

fn project(down: &str) -> Folder {
    let folder = Folder::new();
    folder.file("000001_payments.up.sql", "CREATE TABLE payments (id bigint PRIMARY KEY, amount numeric);");
    folder.file("000001_payments.down.sql", "DROP TABLE payments;");
    folder.file(
        "000002_total.up.sql",
        "ALTER TABLE payments ADD COLUMN total numeric;\nCREATE TABLE audit (id bigint);",
    );
    folder.file("000002_total.down.sql", down);
    folder
}

fn rehearse(folder: &Folder, url: &str, more: &[&str]) -> Run {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let stand_in = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy-migrate/tests/stand-in/migrate");
    let is_there = std::env::split_paths(&path).any(|folder| folder.join("migrate").is_file());
    let migrate = if is_there { "migrate" } else { stand_in };
    let mut command = common::command();
    command.env(URL, url).args([
        "migrations",
        "rehearse",
        &text(&folder.path("")),
        "--to",
        "2",
        "--command",
        migrate,
    ]);
    let output = command.args(["--database-env", URL, "--scratch-env", URL]).args(more).output().unwrap();
    Run {
        status: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
#[ignore = "needs a PostgreSQL server and golang-migrate, or Python for its stand-in: cargo xtask test"]
fn a_rehearsal_that_is_right_answers_for_the_way_back_in_the_checklist() {
    let database = Database::new("right");
    let folder = project("DROP TABLE audit; ALTER TABLE payments DROP COLUMN total;");
    let run = rehearse(&folder, &database.url(), &[]);
    assert_eq!(run.status, 0, "{run:?}");
    let first = "000002_total.up.sql:1: ALTER TABLE payments ADD COLUMN total numeric\n    ACCESS EXCLUSIVE on payments\n";
    assert!(run.stdout.contains(first), "{}", run.stdout);
    assert!(
        run.stdout.contains("CREATE TABLE audit (id bigint)\n    nothing that others feel\n"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.ends_with("nothing is left behind, and nothing is missing.\n"), "{}", run.stdout);

    let json = rehearse(&folder, &database.url(), &["--json"]);
    assert_eq!((json.status, json.json()["from"].as_str()), (0, Some("1")));
    let file = folder.file("rehearsal.json", &json.stdout);
    let checklist = |deployed: &str| {
        let path = text(&folder.path(""));
        common::run(&[
            "migrations",
            "checklist",
            &path,
            "--deployed",
            deployed,
            "--rehearsal",
            &file,
            "--json",
        ])
    };
    assert_eq!(checklist("1").json()["items"][2]["standing"], "passed");
    let other = checklist("2");
    assert!(other.status == 2 && other.stderr.contains("began at 1, and --deployed says 2"), "{other:?}");
}

#[test]
#[ignore = "needs a PostgreSQL server and golang-migrate, or Python for its stand-in: cargo xtask test"]
fn what_the_way_back_leaves_behind_is_wrong_and_fails_the_checklist() {
    let database = Database::new("wrong");
    let folder = project("ALTER TABLE payments DROP COLUMN total; ALTER TABLE audit RENAME TO audit_old;");
    let run = rehearse(&folder, &database.url(), &[]);
    assert_eq!(run.status, 1, "{run:?}");
    let left = "wrong: after the way back, left behind: table public.audit_old\n";
    assert!(run.stdout.contains(left), "{}", run.stdout);
    let json = rehearse(&folder, &database.url(), &["--json"]);
    let file = folder.file("rehearsal.json", &json.stdout);
    let list = common::run(&[
        "migrations",
        "checklist",
        &text(&folder.path("")),
        "--rehearsal",
        &file,
        "--confirm",
        "rollback=Ada",
    ]);
    assert!(
        list.stdout.contains("[!] Rollback migration tested and verified: failed, whatever Ada"),
        "{}",
        list.stdout
    );
    assert!(!format!("{run:?}{json:?}").contains("hush"));
}

#[test]
fn what_cannot_be_rehearsed_is_said_in_a_sentence() {
    let folder = project("SELECT 1;");
    let nowhere = rehearse(&folder, "postgres://nobody@127.0.0.1:9/none?sslmode=disable", &[]);
    assert_eq!(nowhere.status, 3, "{nowhere:?}");
    let url = rehearse(&folder, "mysql://nobody:hush@127.0.0.1/none", &[]);
    assert!(
        url.status == 2 && url.stderr.contains("--database-env: the variable `REHEARSED_DATABASE_URL`"),
        "{url:?}"
    );
    assert!(!format!("{url:?}").contains("hush"));
    let project = common::run(&[
        "migrations",
        "rehearse",
        "no/such",
        "--to",
        "2",
        "--database-env",
        "PATH",
        "--scratch-env",
        "PATH",
    ]);
    assert!(
        project.status == 2 && project.stderr.contains("no/such: there is no such directory"),
        "{project:?}"
    );
}
