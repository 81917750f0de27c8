//! No text panics or hangs.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

use std::time::{Duration, Instant};

use mpac_deploy_migrate::{Analyzer, Config, Migration, Report, Tool};
use proptest::prelude::*;

fn analyze(text: &str, tool: Tool) -> Report {
    Analyzer::new(Config::default()).analyze(&[Migration::new("a.sql", text).with_tool(tool)])
}

/// Pieces that lead the parser and the rules into every corner.
const PIECES: &[&str] = &[
    "ALTER TABLE ",
    "t ",
    "\"T\" ",
    "s.t ",
    "ADD COLUMN ",
    "a ",
    "int ",
    "varchar(10) ",
    "NOT NULL ",
    "DEFAULT ",
    "now() ",
    "DROP COLUMN ",
    "DROP TABLE ",
    "RENAME ",
    "TO ",
    "ALTER COLUMN ",
    "TYPE ",
    "SET ",
    "CREATE ",
    "UNIQUE ",
    "INDEX ",
    "CONCURRENTLY ",
    "ON ",
    "( ",
    ") ",
    "; ",
    ", ",
    "CHECK ",
    "FOREIGN KEY ",
    "REFERENCES ",
    "NOT VALID ",
    "DO ",
    "$$ ",
    "$x$ ",
    "BEGIN ",
    "END ",
    "IF ",
    "THEN ",
    "EXECUTE ",
    "format('%I', x) ",
    "'",
    "\"",
    "-- ",
    "/* ",
    "*/ ",
    "\n",
    "UPDATE ",
    "WHERE ",
    "= ",
    "DELETE FROM ",
    "TRUNCATE ",
    "CREATE FUNCTION f() ",
    "RETURNS int ",
    "LANGUAGE sql ",
    "LANGUAGE plpgsql ",
    "AS ",
    "BEGIN ATOMIC ",
    "COPY t FROM stdin; ",
    "\\. ",
    "\\c x\n",
    "mpac:allow drop-column ",
    "ENUM ",
    "VALUE ",
    "::",
    "[",
    "]",
    "CASE ",
    "WHEN ",
    "E'\\x28' ",
    "\u{feff}",
    "ä",
    "0",
    "1e9",
    "$1",
    "GRANT ",
    "REVOKE ",
    "PARTITION ",
    "OF ",
    "FOR VALUES ",
    "POLICY ",
    "TRIGGER ",
    "VIEW ",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_judged(text in any::<String>()) {
        let report = analyze(&text, Tool::Plain);
        for statement in &report.statements {
            prop_assert!(statement.span.start <= statement.span.end && statement.span.end <= text.len());
            prop_assert!(text.is_char_boundary(statement.span.start) && text.is_char_boundary(statement.span.end));
        }
    }

    #[test]
    fn any_mix_of_sql_is_judged(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..60), golang: bool) {
        let text = pieces.concat();
        let report = analyze(&text, if golang { Tool::GolangMigrate } else { Tool::Plain });
        for statement in &report.statements {
            prop_assert!(statement.findings.iter().all(|finding| finding.class <= statement.class));
            prop_assert!(!statement.message.is_empty());
            for finding in &statement.findings {
                prop_assert!(finding.span.end <= text.len(), "{finding:?}");
            }
        }
    }

    #[test]
    fn a_statement_is_judged_alike_whatever_harmless_stands_before_it(count in 0_usize..20) {
        let text = format!("{}DROP TABLE t;", "SELECT 1; -- a\n".repeat(count));
        let report = analyze(&text, Tool::Plain);
        let last = report.statements.last().unwrap();
        prop_assert_eq!(last.main_finding().map(|finding| finding.rule.id()), Some("drop-table"));
        prop_assert_eq!(last.position.line, count + 1);
    }
}

/// What this thread has computed so far: a machine that others use makes nothing longer.
#[cfg(unix)]
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap(), time.tv_nsec.try_into().unwrap())
}

/// Twice the text may take about twice the time; a square would take four times.
const FOUR_TIMES: u32 = 4;

#[cfg(unix)]
#[test]
fn the_time_grows_with_the_text_and_not_with_its_square() {
    let shapes: [fn(usize) -> String; 7] = [
        |n| "ALTER TABLE t ADD COLUMN a int; ALTER TABLE t DROP COLUMN b;\n".repeat(n),
        |n| format!("ALTER TABLE t {};", vec!["ADD COLUMN a int"; n].join(", ")),
        |n| {
            (0..n)
                .map(|i| {
                    format!("CREATE TABLE t{i} (a int); ALTER TABLE t{i} ADD CONSTRAINT c CHECK (a > 0);\n")
                })
                .collect()
        },
        |n| format!("DROP TABLE {};", (0..n).map(|i| format!("t{i}")).collect::<Vec<_>>().join(", ")),
        |n| format!("DO $$ BEGIN {} END $$;", "UPDATE t SET a = b WHERE c = 1; ".repeat(n)),
        |n| "-- mpac:allow drop-table x\n".repeat(n) + "DROP TABLE t;",
        |n| format!("INSERT INTO t VALUES {};", vec!["(1, 'x')"; n].join(", ")),
    ];
    for (at, shape) in shapes.iter().enumerate() {
        let time = |n: usize| {
            let text = shape(n);
            let start = cpu_time();
            let report = analyze(&text, Tool::Plain);
            assert!(!report.statements.is_empty());
            cpu_time() - start
        };
        let small = (0..3).map(|_| time(300)).min().unwrap_or_default();
        let large = (0..3).map(|_| time(1200)).min().unwrap_or_default();
        // Small times measure the machine, not the analysis.
        let allowed = (small * FOUR_TIMES * FOUR_TIMES / 2).max(Duration::from_millis(200));
        assert!(large < allowed, "shape {at}: {small:?} for one, {large:?} for four times as much");
    }
}

#[test]
fn the_deepest_nesting_that_is_read_fits_on_a_small_stack() {
    let texts: Vec<String> = vec![
        format!("SELECT {}1{};", "(".repeat(127), ")".repeat(127)),
        format!("SELECT a{};", "::int".repeat(495)),
        format!("SELECT 1{};", " + 1".repeat(990)),
        format!("SELECT {} true;", "NOT ".repeat(990)),
        format!("SELECT {}1;", "- ".repeat(990)),
        format!("SELECT {} 1 {};", "CASE WHEN true THEN ".repeat(126), "END ".repeat(126)),
        format!("DO $$ {} NULL; {} $$;", "BEGIN ".repeat(126), "END; ".repeat(126)),
        format!("DO $$ BEGIN {} NULL; {} END $$;", "IF a THEN ".repeat(126), "END IF; ".repeat(126)),
        format!("SELECT a{};", ".b".repeat(990)),
        format!("SELECT {}1{};", "ARRAY[".repeat(126), "]".repeat(126)),
        format!("SELECT 1{};", " UNION SELECT 1".repeat(5000)),
    ];
    // Two megabytes is what a thread of Rust's standard library gets.
    let run = std::thread::Builder::new().stack_size(2 << 20).spawn(move || {
        for text in texts {
            let report = analyze(&text, Tool::Plain);
            assert_eq!(report.statements.len(), 1);
        }
    });
    run.unwrap().join().unwrap();
}

#[test]
fn deeper_nesting_is_refused_and_not_tried() {
    for text in [
        format!("SELECT {}", "(".repeat(100_000)),
        format!("SELECT {}", "- ".repeat(100_000)),
        format!("SELECT a{}", ".b".repeat(100_000)),
        format!("SELECT {}", "CASE WHEN ".repeat(100_000)),
        format!("DO $$ {} $$;", "BEGIN ".repeat(100_000)),
        format!("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT {} $$;", "(".repeat(100_000)),
        format!("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS E'SELECT {}';", "\\x28".repeat(100_000)),
        format!("DO $$ BEGIN EXECUTE 'SELECT {}'; END $$;", "(".repeat(100_000)),
        format!("SELECT {}", "NOT ".repeat(100_000)),
        format!("SELECT a{}", "[1]".repeat(100_000)),
        format!("CREATE TABLE t (a int{});", "[]".repeat(100_000)),
    ] {
        let start = Instant::now();
        let report = analyze(&text, Tool::Plain);
        assert!(start.elapsed() < Duration::from_secs(10), "{}", &text[..40]);
        assert!(!report.statements.is_empty());
    }
}
