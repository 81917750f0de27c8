//! The book's page on migrations knows every rule.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

use std::collections::BTreeSet;
use std::path::Path;

use mpac_deploy_migrate::Rule;

#[test]
fn every_rule_has_a_row_and_every_row_a_rule() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src/migrations.md");
    let page = std::fs::read_to_string(page).unwrap();
    let table = page.split("\n## Rules\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows: BTreeSet<&str> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|line| line.split('`').next())
        .collect();
    let rules: BTreeSet<&str> = Rule::ALL.iter().map(|rule| rule.id()).collect();
    assert_eq!(rows, rules);
}
