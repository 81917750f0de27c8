//! `migrations check` on files, directories and what cannot be used.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

mod common;

use common::{Folder, run, text};
use serde_json::{Value, json};

const RENAME: &str = "ALTER TABLE payments\nRENAME COLUMN amount TO total_amount;\n";
const ADD: &str = "ALTER TABLE payments\nADD COLUMN total_amount DECIMAL(15, 2);\n";
const DROP: &str = "ALTER TABLE payments DROP COLUMN amount;\n";

fn check(arguments: &[&str]) -> common::Run {
    run(&[&["migrations", "check"], arguments].concat())
}

fn rules(answer: &Value) -> Vec<&str> {
    answer["statements"].as_array().unwrap().iter().filter_map(|entry| entry["rule"].as_str()).collect()
}

/// A directory as golang-migrate wants it.
fn pairs(folder: &Folder, files: &[(&str, &str)]) -> String {
    for (name, content) in files {
        folder.file(name, content);
    }
    text(&folder.path(""))
}

#[test]
fn the_json_form_has_these_fields_and_no_others() {
    let folder = Folder::new();
    let file = folder.file("7.sql", format!("-- a comment\n{ADD}"));
    let run = check(&[&file, "--json"]);
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
    let expected = json!({
        "statements": [{
            "file": file, "line": 2, "class": "expand", "rule": null,
            "message": "adds payments.total_amount: old code does not see it", "fix": null,
        }],
        "verdict": "expand",
    });
    assert_eq!(run.json(), expected);
}

#[test]
fn what_is_never_safe_is_found_with_its_fix() {
    let folder = Folder::new();
    let file = folder.file("7.sql", RENAME);
    let run = check(&[&file, "--json"]);
    assert_eq!(run.status, 1);
    let answer = run.json();
    assert_eq!((&answer["verdict"], rules(&answer)), (&json!("breaking"), vec!["rename-column"]));
    assert!(answer["statements"][0]["fix"].as_str().unwrap().contains("DROP COLUMN amount"));
}

#[test]
fn phase_2_is_nothing_wrong_unless_phase_1_was_meant() {
    let folder = Folder::new();
    let file = folder.file("8.sql", DROP);
    let run = check(&[&file, "--json"]);
    assert_eq!((run.status, run.json()["verdict"].as_str()), (0, Some("contract")));
    assert_eq!(check(&[&file, "--phase", "contract"]).status, 0);
    assert_eq!(check(&[&file, "--phase", "expand"]).status, 1);
}

#[test]
fn warnings_are_wrong_where_they_are_denied() {
    let folder = Folder::new();
    let file = folder.file("9.sql", "CREATE INDEX i ON payments (amount);");
    assert_eq!(check(&[&file]).status, 0);
    assert_eq!(check(&[&file, "--deny-warnings"]).status, 1);
}

#[test]
fn a_whole_directory_of_golang_migrate_is_read_in_the_order_of_its_versions() {
    let folder = Folder::new();
    let path = pairs(
        &folder,
        &[
            ("000010_drop.up.sql", DROP),
            ("000010_drop.down.sql", "ALTER TABLE payments ADD COLUMN amount DECIMAL(15, 2);"),
            ("000009_add.up.sql", ADD),
            ("000009_add.down.sql", "ALTER TABLE payments DROP COLUMN total_amount;"),
        ],
    );
    let run = check(&[&path, "--json"]);
    let answer = run.json();
    assert_eq!(
        (run.status, &answer["verdict"], rules(&answer)),
        (0, &json!("contract"), vec!["drop-column"])
    );
    let first = answer["statements"][0]["file"].as_str().unwrap();
    assert!(first.ends_with("000009_add.up.sql"), "{first}");
}

#[test]
fn gaps_duplicates_and_missing_halves_are_noticed() {
    let folder = Folder::new();
    let path = pairs(
        &folder,
        &[
            ("000001_a.up.sql", "CREATE TABLE a (id bigint);"),
            ("000001_a.down.sql", "DROP TABLE a;"),
            ("000003_b.up.sql", "CREATE TABLE b (id bigint);"),
            ("000004_c.up.sql", "CREATE TABLE c (id bigint);"),
            ("000004_c.down.sql", "DROP TABLE c;"),
            ("4_d.up.sql", "CREATE TABLE d (id bigint);"),
            ("000005_e.down.sql", "DROP TABLE e;"),
        ],
    );
    let run = check(&[&path, "--json"]);
    let answer = run.json();
    assert_eq!((run.status, &answer["verdict"]), (1, &json!("breaking")));
    let mut found = rules(&answer);
    found.sort_unstable();
    assert_eq!(found, ["duplicate-version", "missing-down", "missing-up", "version-gap"]);
    let gap =
        answer["statements"].as_array().unwrap().iter().find(|entry| entry["rule"] == "version-gap").unwrap();
    assert!(gap["message"].as_str().unwrap().starts_with("version 2 is missing before version 3"));
}

#[test]
fn what_golang_migrate_takes_is_read_whatever_its_name_ends_with_and_nothing_below() {
    let folder = Folder::new();
    let directory = pairs(
        &folder,
        &[
            ("20260101000000_a.up.sql", ADD),
            ("20260101000000_a.down.sql", DROP),
            ("20260102000000_b.up.SQL", DROP),
            ("20260102000000_b.down.pgsql", ADD),
        ],
    );
    std::fs::create_dir(folder.path("archive")).unwrap();
    folder.file("archive/old.sql", "DROP TABLE payments;");
    let run =
        check(&[&directory, "--deployed", "none", "--to", "20260102000000", "--phase", "expand", "--json"]);
    assert_eq!((run.status, rules(&run.json())), (1, vec!["drop-column"]), "{run:?}");
    folder.file("20260103000000_c.up.sql", format!("\u{feff}{ADD}"));
    folder.file("20260103000000_c.down.sql", DROP);
    let run = check(&[&directory]);
    assert!(run.status == 2 && run.stderr.contains("c.up.sql:1:1: begins with a byte order mark"), "{run:?}");
}

#[test]
fn versions_that_are_times_have_no_gaps() {
    let folder = Folder::new();
    let path = pairs(
        &folder,
        &[
            ("20260101120000_a.up.sql", "CREATE TABLE a (id bigint);"),
            ("20260101120000_a.down.sql", "DROP TABLE a;"),
            ("20260301120000_b.up.sql", "CREATE TABLE b (id bigint);"),
            ("20260301120000_b.down.sql", "DROP TABLE b;"),
        ],
    );
    assert_eq!(check(&[&path]).status, 0);
}

#[test]
fn what_is_deployed_is_known_and_what_follows_is_one_release() {
    let folder = Folder::new();
    let path = pairs(
        &folder,
        &[
            ("000001_a.up.sql", "CREATE TABLE a (name varchar(10)); DROP TABLE old;"),
            ("000001_a.down.sql", "DROP TABLE a;"),
            ("000002_b.up.sql", "ALTER TABLE a ADD COLUMN n int;"),
            ("000002_b.down.sql", "ALTER TABLE a DROP COLUMN n;"),
            ("000003_c.up.sql", "ALTER TABLE a ALTER COLUMN n SET NOT NULL;"),
            ("000003_c.down.sql", "ALTER TABLE a ALTER COLUMN n DROP NOT NULL;"),
        ],
    );
    let apart = check(&[&path, "--json"]).json();
    assert_eq!(rules(&apart), ["drop-table", "set-not-null"]);
    let together = check(&[&path, "--json", "--deployed", "1"]).json();
    assert_eq!(rules(&together), ["not-null-same-release"]);
    let unknown = check(&[&path, "--deployed", "7"]);
    assert_eq!(unknown.status, 2);
    assert!(unknown.stderr.contains("no migration has the version 7"), "{}", unknown.stderr);
}

#[test]
fn files_that_are_named_one_by_one_are_one_release_and_a_way_back_is_no_migration() {
    let folder = Folder::new();
    let create = folder.file("000001_a.up.sql", "CREATE TABLE a (id bigint);");
    let back = folder.file("000001_a.down.sql", "DROP TABLE a;");
    let alter = folder.file("000002_b.up.sql", "ALTER TABLE a ADD COLUMN n int NOT NULL;");
    let run = check(&[&create, &back, &alter, "--json"]);
    assert_eq!((run.status, rules(&run.json())), (0, vec![]));
}

#[test]
fn what_cannot_be_read_is_unusable_and_named() {
    let folder = Folder::new();
    let file = folder.file("a.sql", "SELECT 1;\nALTER TABLE t DROP;\n");
    let run = check(&[&file, "--json"]);
    assert_eq!(run.status, 2);
    assert!(run.stderr.contains(&format!("{file}:2:")), "{}", run.stderr);
    assert!(run.json()["error"].is_string());
    let bytes = folder.file("b.sql", [0x53, 0xff, 0xfe]);
    for path in [text(&folder.path("none.sql")), bytes] {
        let run = check(&[&path]);
        assert_eq!((run.status, run.stdout.as_str()), (2, ""), "{}", run.stderr);
        assert!(run.stderr.contains(&path), "{}", run.stderr);
    }
    let empty = Folder::new();
    let run = check(&[&text(&empty.path(""))]);
    assert_eq!(run.status, 2);
    assert!(run.stderr.contains("no migrations"), "{}", run.stderr);
    assert_eq!(check(&[]).status, 2);
}

#[test]
fn an_empty_file_is_right() {
    let folder = Folder::new();
    let file = folder.file("a.sql", "-- nothing yet\n");
    let run = check(&[&file, "--json"]);
    assert_eq!((run.status, run.json()), (0, json!({ "statements": [], "verdict": "expand" })));
}

#[test]
fn people_see_the_line_what_breaks_and_the_fix() {
    let folder = Folder::new();
    let file = folder.file("7.sql", format!("SELECT 1;\n{RENAME}"));
    let run = check(&[&file]);
    assert_eq!(run.status, 1);
    for part in [
        "error[rename-column]: renames payments.amount to total_amount in place",
        ":3:1",
        "3 | RENAME COLUMN amount TO total_amount;",
        "breaks old reads, old writes; ACCESS EXCLUSIVE on payments",
        "ALTER TABLE payments ADD COLUMN total_amount",
        "Verdict: breaking",
    ] {
        assert!(run.stdout.contains(part), "no {part:?} in:\n{}", run.stdout);
    }
}

#[test]
fn other_programs_get_sarif_annotations_and_everything() {
    let folder = Folder::new();
    let file = folder.file("7.sql", RENAME);
    let sarif = check(&[&file, "--format", "sarif"]).json();
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(
        (&sarif["version"], &result["ruleId"], &result["level"]),
        (&json!("2.1.0"), &json!("rename-column"), &json!("error"))
    );
    let github = check(&[&file, "--format", "github"]).stdout;
    assert!(github.starts_with("::error file="), "{github}");
    let full = check(&[&file, "--format", "json-full"]).json();
    let statement = &full["statements"][0];
    assert_eq!(statement["impact"]["locks"][0], json!({ "table": "payments", "mode": "access_exclusive" }));
    assert_eq!(statement["findings"][0]["breaks"], json!(["old_reads", "old_writes"]));
}

#[test]
fn a_configuration_names_small_tables_and_is_refused_with_its_reason() {
    let folder = Folder::new();
    let file = folder.file("7.sql", "CREATE INDEX i ON countries (code);");
    let config = folder.file("check.toml", "small_tables = [\"countries\"]");
    let run = check(&[&file, "--config", &config, "--json"]);
    assert_eq!(rules(&run.json()), Vec::<&str>::new());
    let wrong = folder.file("wrong.toml", "small_table = []");
    let run = check(&[&file, "--config", &wrong]);
    assert_eq!(run.status, 2);
    assert!(run.stderr.contains("unknown field `small_table`"), "{}", run.stderr);
}

#[test]
fn a_checklist_is_complete_when_people_have_confirmed_what_files_cannot_show() {
    let folder = Folder::new();
    let file = folder.file("7.sql", ADD);
    let mut arguments = vec!["migrations", "checklist", &file, "--phase", "expand", "--json"];
    let open = run(&arguments);
    assert_eq!((open.status, open.json()["complete"].as_bool()), (1, Some(false)));
    let standings = |answer: &Value| -> Vec<String> {
        let items = answer["items"].as_array().unwrap().iter();
        items.map(|item| format!("{}: {}", item["item"], item["standing"]).replace('"', "")).collect()
    };
    let expected = [
        "local: needs_person",
        "staging: needs_person",
        "rollback: needs_person",
        "both-versions: needs_person",
        "drops: passed",
        "types: passed",
        "indexes: needs_person",
        "time: passed",
    ];
    assert_eq!(standings(&open.json()), expected);
    for item in ["local=Ada", "staging=Ada", "rollback=Grace", "both-versions=Grace", "indexes=Ada"] {
        arguments.extend(["--confirm", item]);
    }
    let complete = run(&arguments);
    assert_eq!((complete.status, complete.json()["complete"].as_bool()), (0, Some(true)));
    assert_eq!(complete.json()["items"][2]["by"], "Grace");
}

#[test]
fn nobody_confirms_away_what_a_checklist_has_found() {
    let folder = Folder::new();
    let file = folder.file("8.sql", DROP);
    let run = run(&["migrations", "checklist", &file, "--phase", "expand", "--confirm", "drops=Ada"]);
    assert_eq!(run.status, 1);
    assert!(
        run.stdout.contains(
            "[!] No DROP statements for columns still in use: failed, whatever Ada has confirmed\n"
        ),
        "{}",
        run.stdout
    );
}

#[test]
fn a_confirmation_names_an_item_and_a_person() {
    let folder = Folder::new();
    let file = folder.file("7.sql", ADD);
    let refused = |confirm: &str| run(&["migrations", "checklist", &file, "--confirm", confirm]);
    for (confirm, why) in [
        ("stage=Ada", "there is no item `stage`; there are local, staging, rollback"),
        ("staging", "say ITEM=NAME"),
        ("staging= ", "who confirms `staging`?"),
    ] {
        let run = refused(confirm);
        assert_eq!(run.status, 2);
        assert!(run.stderr.contains(why), "{}", run.stderr);
    }
}
