//! `migrations rehearse` on a real database.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, outside a test function")]

mod common;
#[path = "common/database.rs"]
mod database;

use std::process::{Command, Stdio};

use common::{Folder, Run, text};
use database::{Database, PASSWORD, migrate};

const URL: &str = "REHEARSED_DATABASE_URL";

const BEFORE: &str = "CREATE TABLE payments (id bigint PRIMARY KEY, amount numeric)";

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

fn rehearsing(folder: &Folder, url: &str, more: &[&str]) -> Command {
    let mut command = common::command();
    let project = text(&folder.path(""));
    command.env(URL, url).args(["migrations", "rehearse", &project, "--to", "2"]);
    if !more.contains(&"--command") {
        command.args(["--command", migrate()]);
    }
    command.args(["--database-env", URL, "--scratch-env", URL]).args(more);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn rehearse(folder: &Folder, url: &str, more: &[&str]) -> Run {
    Run::of(rehearsing(folder, url, more).output().unwrap())
}

#[test]
#[ignore = "needs a PostgreSQL server and golang-migrate, or Python for its stand-in: cargo xtask test"]
fn a_rehearsal_that_is_right_answers_for_the_way_back_in_the_checklist() {
    let database = Database::at_version_1(BEFORE);
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
    folder.file("000003_phase_2.up.sql", "ALTER TABLE payments DROP COLUMN amount;");
    folder.file("000003_phase_2.down.sql", "ALTER TABLE payments ADD COLUMN amount numeric;");
    let range = ["--deployed", "1", "--to", "2"];
    let list = checklist(&folder, &file, &range);
    assert_eq!(list.json()["items"][2]["standing"], "passed", "{list:?}");
    assert_eq!(list.json()["items"][7]["standing"], "passed", "{list:?}");

    let other = checklist(&folder, &file, &["--deployed", "1"]);
    let why = "000003_phase_2.down.sql was not in it; 000003_phase_2.up.sql was not in it; rehearse them, or name the range: --deployed 1 --to 2";
    assert!(other.status == 2 && other.json()["error"].as_str().unwrap().ends_with(why), "{other:?}");
    folder.file("000002_total.down.sql", "SELECT 1;");
    let changed = checklist(&folder, &file, &range);
    assert!(
        changed.status == 2 && changed.stderr.contains("000002_total.down.sql has changed since"),
        "{changed:?}"
    );
}

fn checklist(folder: &Folder, rehearsal: &str, more: &[&str]) -> Run {
    let project = text(&folder.path(""));
    let all = ["migrations", "checklist", &project, "--rehearsal", rehearsal, "--json"];
    common::run(&[&all, more].concat())
}

#[test]
#[ignore = "needs a PostgreSQL server and golang-migrate, or Python for its stand-in: cargo xtask test"]
fn whoever_is_interrupted_removes_the_copies_first() {
    let database = Database::at_version_1(BEFORE);
    let folder = project("SELECT 1;");
    folder.file("000002_total.up.sql", "SELECT pg_sleep(60);");
    let child = rehearsing(&folder, &database.url(), &[]).spawn().unwrap();
    let mut client = database.client();
    let copies =
        format!("SELECT count(*) FROM pg_database WHERE datname LIKE 'mpac_rehearse_%{}'", database.name);
    let asleep = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname LIKE 'mpac_rehearse_%{}'",
        database.name
    );
    database.wait_for(&asleep);
    let mut count = |sql: &str| client.query_one(sql, &[]).unwrap().get::<_, i64>(0);
    assert_eq!(count(&copies), 2);
    let interrupt = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupt.success());
    let run = Run::of(child.wait_with_output().unwrap());
    assert!(run.status == 1 && run.stderr.contains("stopped; the copies are removed"), "{run:?}");
    assert_eq!(count(&copies), 0);
}

#[test]
#[ignore = "needs a PostgreSQL server and golang-migrate, or Python for its stand-in: cargo xtask test"]
fn what_the_way_back_leaves_behind_is_wrong_and_fails_the_checklist() {
    let database = Database::at_version_1(BEFORE);
    let folder = project("ALTER TABLE payments DROP COLUMN total; ALTER TABLE audit RENAME TO audit_old;");
    let run = rehearse(&folder, &database.url(), &[]);
    assert_eq!(run.status, 1, "{run:?}");
    let left = "wrong: after the way back, left behind: table public.audit_old of ";
    assert!(run.stdout.contains(left), "{}", run.stdout);
    let json = rehearse(&folder, &database.url(), &["--json"]);
    let file = folder.file("rehearsal.json", &json.stdout);
    let list = common::run(&[
        "migrations",
        "checklist",
        &text(&folder.path("")),
        "--deployed",
        "1",
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
    assert!(!format!("{run:?}{json:?}").contains(PASSWORD));
}

#[test]
#[ignore = "needs a PostgreSQL server: cargo xtask test"]
fn a_tool_does_not_find_the_url_of_the_target_and_one_that_is_not_there_is_said() {
    let database = Database::at_version_1(BEFORE);
    let folder = project("SELECT 1;");
    let tool = folder
        .file("tool", format!("env | grep -q {URL} && echo found >&2 || echo nothing of it >&2; exit 1"));
    let run = rehearse(&folder, &database.url(), &["--command", &format!("sh {tool}")]);
    assert!(run.status == 1 && run.stdout.contains("exit status: 1: nothing of it"), "{run:?}");
    assert!(!format!("{run:?}").contains(PASSWORD), "{run:?}");
    let missing = rehearse(&folder, &database.url(), &["--command", "no-such-program-anywhere"]);
    assert!(missing.status == 3 && missing.stderr.contains("`no-such-program-anywhere`"), "{missing:?}");
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
