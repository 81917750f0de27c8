//! The eight items of the strategy's pre-deployment checklist.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

use std::path::Path;

use mpac_deploy_migrate::checklist::{Checklist, Evidence, Item, LONGEST, Rehearsed, Standing};
use mpac_deploy_migrate::discover::{Discovered, Discovery, Source};
use mpac_deploy_migrate::{Analyzer, Config, Migration, Report, output};

fn analyzed(sql: &str) -> (Discovered, Report) {
    let mut found = Discovered::default();
    found.migrations = vec![
        Migration::new(
            "1.sql",
            "CREATE TABLE orders (id bigint PRIMARY KEY, amount numeric, code varchar(10));",
        )
        .as_history(),
        Migration::new("2.sql", sql),
    ];
    found.sources = vec![Source::of(Path::new("2.sql"), sql)];
    let report = Analyzer::new(Config::default()).analyze(&found.migrations);
    (found, report)
}

fn list(sql: &str) -> Checklist {
    let (found, report) = analyzed(sql);
    Checklist::of(&Evidence::new(&found, &report))
}

fn before_green(sql: &str) -> Checklist {
    let (found, report) = analyzed(sql);
    Checklist::of(&Evidence::new(&found, &report).before_green())
}

fn rehearsed(sql: &str, difference: &[&str], longest: Option<f64>) -> Checklist {
    let (found, report) = analyzed(sql);
    let difference = difference.iter().map(|&line| line.to_owned()).collect();
    let sources = found.sources.clone();
    let rehearsed = Rehearsed { difference, longest, sources, ..Rehearsed::default() };
    Checklist::of(&Evidence::new(&found, &report).rehearsed(&rehearsed).unwrap())
}

fn why(list: &Checklist, item: Item) -> String {
    list.entries().iter().find(|entry| entry.item == item).unwrap().why.join("\n")
}

#[test]
fn what_only_people_know_needs_them() {
    let list = list("ALTER TABLE orders ADD COLUMN note text;");
    for item in [Item::Local, Item::Staging, Item::Rollback, Item::BothVersions, Item::Indexes] {
        assert_eq!(list.standing(item), Standing::NeedsPerson, "{item:?}");
    }
    for item in [Item::Drops, Item::Types, Item::Time] {
        assert_eq!(list.standing(item), Standing::Passed, "{item:?}");
    }
}

#[test]
fn a_list_that_everybody_has_confirmed_is_complete() {
    let mut list = list("ALTER TABLE orders ADD COLUMN note text;");
    for item in Item::ALL {
        assert!(!list.is_complete());
        list.confirm(item, "Ada");
        if item == Item::Indexes {
            break;
        }
    }
    assert!(list.is_complete());
    assert_eq!(list.standing(Item::Local), Standing::Confirmed);
    assert_eq!(list.standing(Item::Drops), Standing::Passed, "what the files show needs nobody");
}

#[test]
fn a_dropped_column_is_in_use_before_the_cutover_and_a_persons_to_know_after_it() {
    let drop = "ALTER TABLE orders DROP COLUMN amount;";
    assert_eq!(list(drop).standing(Item::Drops), Standing::NeedsPerson);
    assert!(why(&list(drop), Item::Drops).contains("2.sql:1: drops orders.amount"));
    let mut early = before_green(drop);
    assert_eq!(early.standing(Item::Drops), Standing::Failed);
    early.confirm(Item::Drops, "Ada");
    assert_eq!(early.standing(Item::Drops), Standing::Failed, "nobody confirms away what was found");
    assert!(output::checklist(&early).contains("failed, whatever Ada has confirmed"));
    assert_eq!(before_green("DROP TABLE orders;").standing(Item::Drops), Standing::Failed);
    let renamed = "ALTER TABLE orders DROP COLUMN amount; ALTER TABLE orders ADD COLUMN total numeric;";
    assert_eq!(list(renamed).standing(Item::Drops), Standing::Failed, "no phase makes that right");
}

#[test]
fn what_a_comment_allows_passes_with_its_reason() {
    let list = before_green(
        "-- mpac:allow drop-column nobody has read it since May\nALTER TABLE orders DROP COLUMN amount;",
    );
    assert_eq!(list.standing(Item::Drops), Standing::Passed);
    assert_eq!(
        why(&list, Item::Drops),
        "2.sql:2: drop-column is allowed there: nobody has read it since May"
    );
}

#[test]
fn a_type_that_changes_in_place_fails_and_one_that_may_widen_is_looked_at() {
    let int = list("ALTER TABLE orders ALTER COLUMN amount TYPE text;");
    assert_eq!(int.standing(Item::Types), Standing::Failed, "{}", why(&int, Item::Types));
    assert_eq!(
        list("ALTER TABLE orders ALTER COLUMN code TYPE varchar(20);").standing(Item::Types),
        Standing::Passed
    );
    assert_eq!(
        list("ALTER TABLE other ALTER COLUMN code TYPE text;").standing(Item::Types),
        Standing::NeedsPerson
    );
}

#[test]
fn a_new_column_has_an_index_or_a_person_who_says_that_it_needs_none() {
    let indexed = "ALTER TABLE orders ADD COLUMN buyer bigint; CREATE INDEX ON orders (buyer, id);";
    assert_eq!(list(indexed).standing(Item::Indexes), Standing::Passed);
    let second = "ALTER TABLE orders ADD COLUMN buyer bigint; CREATE INDEX ON orders (id, buyer);";
    assert_eq!(
        list(second).standing(Item::Indexes),
        Standing::NeedsPerson,
        "an index is of use from its first column on"
    );
    let unique = "ALTER TABLE orders ADD COLUMN buyer bigint UNIQUE;";
    assert_eq!(list(unique).standing(Item::Indexes), Standing::Passed);
    let elsewhere = "ALTER TABLE orders ADD COLUMN buyer bigint; CREATE INDEX ON other (buyer);";
    assert_eq!(list(elsewhere).standing(Item::Indexes), Standing::NeedsPerson);
    assert_eq!(list("SELECT 1;").standing(Item::Indexes), Standing::Passed);
}

#[test]
fn a_reference_without_an_index_is_said_also_of_a_new_table() {
    let line = "that nothing looks for rows by these columns\nlines.order_id refers to orders: without an index every deletion there reads all of lines";
    for sql in [
        "CREATE TABLE lines (id bigint PRIMARY KEY, order_id bigint REFERENCES orders);",
        "CREATE TABLE lines (order_id bigint, FOREIGN KEY (order_id) REFERENCES orders);",
        "ALTER TABLE lines ADD COLUMN order_id bigint REFERENCES orders;",
        "ALTER TABLE lines ADD CONSTRAINT c FOREIGN KEY (order_id) REFERENCES orders (id) NOT VALID;",
    ] {
        assert_eq!(why(&list(sql), Item::Indexes), line, "{sql}");
        let with = format!("{sql} CREATE INDEX CONCURRENTLY i ON lines (order_id);");
        assert_eq!(list(&with).standing(Item::Indexes), Standing::Passed, "{with}");
    }
}

#[test]
fn time_needs_no_estimate_where_no_row_is_touched() {
    for quick in
        ["ALTER TABLE orders ADD COLUMN n int DEFAULT 7;", "CREATE TABLE new (id bigint PRIMARY KEY);"]
    {
        assert_eq!(list(quick).standing(Item::Time), Standing::Passed, "{quick}");
    }
    for slow in [
        "UPDATE orders SET amount = 0 WHERE amount IS NULL;",
        "ALTER TABLE orders ADD COLUMN id2 uuid DEFAULT gen_random_uuid();",
        "CREATE INDEX CONCURRENTLY i ON orders (amount);",
        "INSERT INTO archive SELECT * FROM orders;",
        "DO $$ BEGIN EXECUTE 'UPDATE ' || 'orders SET amount = 0'; END $$;",
        "CREATE TABLE copy AS SELECT * FROM orders;",
        "SELECT backfill_orders();",
        "CALL backfill_orders();",
    ] {
        let list = list(slow);
        assert_eq!(list.standing(Item::Time), Standing::NeedsPerson, "{slow}");
        assert!(why(&list, Item::Time).contains("\n2.sql:1 "), "{}", why(&list, Item::Time));
    }
}

#[test]
fn a_rehearsal_answers_for_the_way_back_and_for_the_time() {
    let sql = "UPDATE orders SET amount = 0 WHERE amount IS NULL;";
    let good = rehearsed(sql, &[], Some(LONGEST.as_secs_f64() - 0.001));
    assert_eq!(
        (good.standing(Item::Rollback), good.standing(Item::Time)),
        (Standing::Passed, Standing::Passed)
    );
    let bad = rehearsed(sql, &["index i is left behind"], Some(LONGEST.as_secs_f64()));
    assert_eq!(
        (bad.standing(Item::Rollback), bad.standing(Item::Time)),
        (Standing::Failed, Standing::Failed)
    );
    assert_eq!(why(&bad, Item::Rollback), "index i is left behind");
    let unknown = rehearsed(sql, &[], None);
    assert_eq!(unknown.standing(Item::Time), Standing::NeedsPerson);
}

/// Each of the statements leaves the item so.
fn each(statements: &[&str], list: fn(&str) -> Checklist, item: Item, standing: Standing) {
    for sql in statements {
        let list = list(sql);
        assert_eq!(list.standing(item), standing, "{sql}: {item:?}: {}", why(&list, item));
    }
}

#[test]
fn whatever_takes_a_column_from_old_code_fails_before_green() {
    let taking = [
        "DROP SCHEMA app CASCADE;",
        "DROP TYPE status CASCADE;",
        "DROP DOMAIN posint CASCADE;",
        "DROP EXTENSION hstore CASCADE;",
        "ALTER TABLE orders RENAME COLUMN amount TO total;",
        "ALTER TABLE orders RENAME TO purchases;",
        "ALTER TABLE orders SET SCHEMA app;",
    ];
    each(&taking, before_green, Item::Drops, Standing::Failed);
    each(&taking, before_green, Item::BothVersions, Standing::Failed);
    let in_phase_2 = ["ALTER TABLE orders DROP COLUMN amount;"];
    each(&in_phase_2, before_green, Item::BothVersions, Standing::Failed);
    each(&in_phase_2, list, Item::BothVersions, Standing::NeedsPerson);
}

#[test]
fn what_nobody_follows_is_a_persons_to_know() {
    let unfollowed = [
        "SELECT tidy_up();",
        "CALL tidy_up();",
        "DO $$ BEGIN PERFORM tidy_up(); END $$;",
        "DO $$ DECLARE c text; BEGIN SELECT 'amount' INTO c; EXECUTE 'ALTER TABLE orders DROP COLUMN ' || c; END $$;",
    ];
    for item in [Item::Drops, Item::Types, Item::Indexes, Item::Time] {
        each(&unfollowed, list, item, Standing::NeedsPerson);
    }
    let endless = [
        "DO $$ DECLARE r record; BEGIN FOR r IN SELECT id FROM orders LOOP UPDATE orders SET amount = 1 WHERE id = r.id; END LOOP; END $$;",
        "EXPLAIN ANALYZE UPDATE orders SET amount = 1 WHERE id = 1;",
        "CREATE MATERIALIZED VIEW v AS SELECT id FROM orders;",
    ];
    each(&endless, list, Item::Time, Standing::NeedsPerson);
}

#[test]
fn what_the_server_brings_and_what_is_made_anew_need_nobody() {
    let harmless = [
        "SELECT setval('orders_id_seq', 7);",
        "SELECT pg_catalog.set_config('x.y', '1', false);",
        "DROP POLICY p ON orders; CREATE POLICY p ON orders USING (true);",
    ];
    each(&harmless, before_green, Item::Drops, Standing::Passed);
}

#[test]
fn what_cannot_be_read_is_a_persons_to_know() {
    let unread = |up: &str| {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("1_a.up.sql"), up).unwrap();
        std::fs::write(directory.path().join("1_a.down.sql"), "ALTER TABEL orders DROP note;").unwrap();
        let found = Discovery::default().find(&[directory.path().to_path_buf()]).unwrap();
        let mut report = Analyzer::new(Config::default()).analyze(&found.migrations);
        report.add(&found.problems);
        Checklist::of(&Evidence::new(&found, &report))
    };
    let list = unread("ALTER TABLE orders ADD COLUMN note text;");
    for item in [Item::Rollback, Item::Drops, Item::Types, Item::Indexes, Item::Time] {
        assert_eq!(list.standing(item), Standing::NeedsPerson, "{item:?}");
        assert!(why(&list, item).contains("1_a.down.sql:1: the way back "), "{}", why(&list, item));
    }
    let list = unread("ALTER TABLE orders ALTER COLUMN amount TYPE int USING amount::int;");
    assert_eq!(list.standing(Item::Types), Standing::Failed, "{}", why(&list, Item::Types));
}

#[test]
fn the_forms_say_the_same() {
    let mut list = list("ALTER TABLE orders ADD COLUMN note text;");
    list.confirm(Item::Local, "Ada");
    let text = output::checklist(&list);
    assert!(
        text.starts_with("[x] Migration tested in local development environment: confirmed by Ada\n"),
        "{text}"
    );
    assert!(
        text.contains(
            "[ ] Rollback migration tested and verified: needs a person, who says --confirm rollback=NAME\n"
        ),
        "{text}"
    );
    assert!(text.ends_with("3 passed, 1 confirmed, 4 need a person, 0 failed.\n"), "{text}");
    let json: serde_json::Value = serde_json::from_str(&output::checklist_json(&list).unwrap()).unwrap();
    assert_eq!((json["complete"].as_bool(), json["items"].as_array().map(Vec::len)), (Some(false), Some(8)));
    assert_eq!(
        (&json["items"][0]["by"], &json["items"][0]["standing"]),
        (&"Ada".into(), &"confirmed".into())
    );
    assert_eq!(json["items"][6]["item"], "indexes");
}
