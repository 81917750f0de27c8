//! Memory grows with the text, and not faster.

use std::alloc::System;

use mpac_deploy_migrate::{Analyzer, Config, Migration};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// All bytes that are ever asked for: what is held at one time is never more.
fn asked_for(text: &str) -> usize {
    let migration = [Migration::new("a.sql", text)];
    let region = Region::new(ALLOCATOR);
    let report = Analyzer::new(Config::default()).analyze(&migration);
    let change = region.change();
    drop(report);
    change.bytes_allocated + usize::try_from(change.bytes_reallocated.max(0)).unwrap_or(0)
}

/// Tables that double take a little more than the text that fills them.
const SLACK: f64 = 1.25;

/// A text of a certain shape, of so many parts.
type Shape = fn(usize) -> String;

// One test: another one beside it would be counted too.
#[test]
fn four_times_the_text_asks_for_four_times_the_memory() {
    let shapes: [(&str, Shape); 6] = [
        ("statements", |n| "ALTER TABLE t ADD COLUMN a int; ALTER TABLE t DROP COLUMN b;\n".repeat(n)),
        ("tables", |n| (0..n).map(|i| format!("CREATE TABLE t{i} (a int, b text DEFAULT 'x');\n")).collect()),
        ("parts", |n| format!("ALTER TABLE t {};", vec!["ADD COLUMN a int"; n].join(", "))),
        ("rows", |n| format!("INSERT INTO t VALUES {};", vec!["(1, 'x')"; n].join(", "))),
        ("a body", |n| format!("DO $$ BEGIN {} END $$;", "UPDATE t SET a = b WHERE c = 1; ".repeat(n))),
        ("nothing that is SQL", |n| "alter ]] $ ".repeat(n)),
    ];
    for (name, shape) in shapes {
        let (small, large) = (asked_for(&shape(1000)), asked_for(&shape(4000)));
        #[allow(clippy::cast_precision_loss, reason = "a ratio of sizes needs no last digit")]
        let ratio = large as f64 / small as f64;
        assert!(ratio < 4.0 * SLACK, "{name}: {small} bytes, and {large} for four times the text");
    }
}
