//! The strategy's own examples, word for word.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, outside a test function")]

use mpac_deploy_migrate::{Analyzer, Class, Config, Migration, Report, Severity};

fn analyze(sql: &str) -> Report {
    Analyzer::new(Config::default()).analyze(&[Migration::new("example.sql", sql)])
}

fn classes(report: &Report) -> Vec<Class> {
    report.statements.iter().map(|statement| statement.class).collect()
}

fn rule(report: &Report, at: usize) -> Option<&'static str> {
    report.statements[at].main_finding().map(|finding| finding.rule.id())
}

fn fix(report: &Report, at: usize) -> String {
    report.statements[at].main_finding().unwrap().fix.clone().unwrap()
}

#[test]
fn migration_001_adds_a_column_and_its_index() {
    let report = analyze(
        "-- Migration 001: Add new column
ALTER TABLE merchants ADD COLUMN external_id TEXT NULL;
-- Add index for new column
CREATE INDEX idx_merchants_external_id ON merchants(external_id);",
    );
    assert_eq!(classes(&report), [Class::Expand, Class::Expand]);
    assert_eq!((report.verdict(), rule(&report, 0)), (Class::Expand, None));
    // The strategy's index is right in its phase; that writes wait while it is built is said all the same.
    assert_eq!(rule(&report, 1), Some("index-not-concurrently"));
    assert!(
        fix(&report, 1)
            .contains("CREATE INDEX CONCURRENTLY idx_merchants_external_id ON merchants(external_id)")
    );
    assert_eq!(report.severity(), Some(Severity::Warning));
}

#[test]
fn migration_002_drops_a_column_in_phase_2() {
    let report = analyze(
        "-- Migration 002: Remove deprecated column (after v2.1.0 rollout)
ALTER TABLE merchants DROP COLUMN old_column_name;",
    );
    assert_eq!((classes(&report), rule(&report, 0)), (vec![Class::Contract], Some("drop-column")));
}

#[test]
fn a_rename_in_place_breaks_old_code_and_its_fix_is_the_strategys() {
    let report = analyze(
        "-- BAD: Old code will break
ALTER TABLE payments
RENAME COLUMN amount TO total_amount;",
    );
    assert_eq!((classes(&report), rule(&report, 0)), (vec![Class::Breaking], Some("rename-column")));
    assert_eq!(report.statements[0].position.line, 2);
    let fix = fix(&report, 0);
    let steps = [
        "Phase 1",
        "ALTER TABLE payments ADD COLUMN total_amount",
        "UPDATE payments SET total_amount = amount WHERE total_amount IS NULL;",
        "Phase 2, 24 hours",
        "ALTER TABLE payments DROP COLUMN amount;",
    ];
    assert_in_order(&fix, &steps);
}

#[test]
fn a_rename_in_two_phases_is_right() {
    let first = analyze(
        "-- Phase 1: Add new column, populate from old column
ALTER TABLE payments
ADD COLUMN total_amount DECIMAL(15, 2);
UPDATE payments
SET total_amount = amount
WHERE total_amount IS NULL;",
    );
    assert_eq!((first.verdict(), first.severity()), (Class::Expand, Some(Severity::Note)));
    assert_eq!((rule(&first, 0), rule(&first, 1)), (None, None));
    let second = analyze(
        "-- Phase 2: After full cutover (24h later)
ALTER TABLE payments
DROP COLUMN amount;",
    );
    assert_eq!(second.verdict(), Class::Contract);
}

#[test]
fn both_phases_in_one_file_are_told_apart_and_the_mix_is_said() {
    let report = analyze(
        "ALTER TABLE payments
ADD COLUMN total_amount DECIMAL(15, 2);
UPDATE payments
SET total_amount = amount
WHERE total_amount IS NULL;
-- Phase 2: After full cutover (24h later)
ALTER TABLE payments
DROP COLUMN amount;",
    );
    assert_eq!(classes(&report), [Class::Expand, Class::Neutral, Class::Contract]);
    assert_eq!(rule(&report, 2), Some("drop-column"));
    assert!(report.statements[2].findings.iter().any(|finding| finding.rule.id() == "mixed-phases"));
}

#[test]
fn a_type_change_in_place_breaks_old_code_and_its_fix_is_the_strategys() {
    let report = analyze(
        "-- BAD: Type change breaks old code
ALTER TABLE devices
ALTER COLUMN device_id TYPE UUID USING device_id::UUID;",
    );
    assert_eq!((classes(&report), rule(&report, 0)), (vec![Class::Breaking], Some("change-type")));
    assert!(report.statements[0].impact.rewrites);
    let steps = [
        "Phase 1",
        "ALTER TABLE devices ADD COLUMN device_id_uuid UUID;",
        "UPDATE devices SET device_id_uuid = device_id::UUID WHERE device_id_uuid IS NULL;",
        "Phase 2, 24 hours",
        "ALTER TABLE devices DROP COLUMN device_id;",
        "RENAME COLUMN device_id_uuid TO device_id;",
    ];
    assert_in_order(&fix(&report, 0), &steps);
}

#[test]
fn a_type_change_in_two_phases_is_right() {
    let first = analyze(
        "-- Phase 1: Add new column with new type
ALTER TABLE devices
ADD COLUMN device_uuid UUID;
-- Populate new column
UPDATE devices
SET device_uuid = device_id::UUID
WHERE device_uuid IS NULL;",
    );
    assert_eq!((first.verdict(), first.severity()), (Class::Expand, Some(Severity::Note)));
    let second = analyze(
        "-- Phase 2: After full cutover (24h later)
ALTER TABLE devices
DROP COLUMN device_id;
ALTER TABLE devices
RENAME COLUMN device_uuid TO device_id;",
    );
    assert_eq!(classes(&second), [Class::Contract, Class::Contract]);
    assert_eq!(rule(&second, 1), Some("rename-swap"));
}

#[test]
fn not_null_in_two_phases_is_right() {
    let first = analyze(
        "-- Phase 1: Add column as nullable with default
ALTER TABLE stores
ADD COLUMN timezone TEXT DEFAULT 'Asia/Tokyo';
-- Backfill existing rows
UPDATE stores
SET timezone = 'Asia/Tokyo'
WHERE timezone IS NULL;",
    );
    assert_eq!((first.verdict(), first.severity()), (Class::Expand, Some(Severity::Note)));
    let second = analyze(
        "-- Phase 2: After verification (24h later)
ALTER TABLE stores
ALTER COLUMN timezone SET NOT NULL;",
    );
    assert_eq!((second.verdict(), rule(&second, 0)), (Class::Contract, Some("set-not-null")));
    assert_in_order(
        &fix(&second, 0),
        &["Phase 2", "NOT VALID;", "VALIDATE CONSTRAINT", "SET NOT NULL;", "DROP CONSTRAINT"],
    );
}

#[test]
fn not_null_at_once_breaks_old_inserts() {
    let report = analyze("ALTER TABLE stores ADD COLUMN timezone TEXT NOT NULL;");
    assert_eq!((classes(&report), rule(&report, 0)), (vec![Class::Breaking], Some("add-not-null-column")));
    assert_in_order(
        &fix(&report, 0),
        &["Phase 1", "ADD COLUMN timezone TEXT DEFAULT", "Phase 2", "SET NOT NULL"],
    );
}

fn assert_in_order(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        let at = rest.find(part).unwrap_or_else(|| panic!("no {part:?} in its place in:\n{text}"));
        rest = &rest[at + part.len()..];
    }
}
