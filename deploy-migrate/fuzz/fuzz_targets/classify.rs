//! Any bytes as a migration: no panic, no hang, every span inside the text.
//!
//! `cargo fuzz run classify -- -dict=sql.dict -timeout=10`, or without nightly Rust: see README.md beside this file's folder.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mpac_deploy_migrate::{Analyzer, Config, Migration, Tool, output};

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let tool = match first % 3 {
        0 => Tool::Plain,
        1 => Tool::GolangMigrate,
        _ => Tool::OneTransaction,
    };
    // Two files: what the first creates the second knows.
    let (before, now) = text.split_once("\n--\n").unwrap_or(("", text));
    let migrations = [Migration::new("1.sql", before), Migration::new("2.sql", now).with_tool(tool)];
    let report = Analyzer::new(Config::default()).analyze(&migrations);
    for statement in &report.statements {
        let text = if statement.file == "1.sql" { before } else { now };
        assert!(text.get(statement.span.start..statement.span.end).is_some(), "{statement:?}");
        for finding in &statement.findings {
            assert!(text.get(finding.span.start..finding.span.end).is_some(), "{finding:?}");
            assert!(finding.class <= statement.class);
        }
    }
    let _ = output::human(&report, &migrations, false);
    let _ = output::github(&report);
    assert!(output::json(&report).is_ok() && output::json_full(&report).is_ok() && output::sarif(&report).is_ok());
});
