//! Fixes as SQL, in the strategy's two phases.

use std::fmt::Write as _;

use crate::facts::{Name, ident};

/// Between the phases lie the rollout and a day (strategy, "Phase 2: Deprecation and Cleanup").
const PHASE_2: &str = "-- Phase 2, 24 hours after green serves everybody and with no blue running:";
const PHASE_1: &str = "-- Phase 1, before green starts:";

/// What is done before green starts, what is deployed, and what is done after the cutover.
pub(super) fn two_phases(first: &[String], deploy: &str, second: &[String]) -> String {
    let mut text = String::new();
    if !first.is_empty() {
        push(&mut text, PHASE_1);
        first.iter().for_each(|line| push(&mut text, line));
    }
    if !deploy.is_empty() {
        push(&mut text, &format!("-- Deploy {deploy}"));
    }
    if !second.is_empty() {
        push(&mut text, PHASE_2);
        second.iter().for_each(|line| push(&mut text, line));
    }
    text.trim_end().to_owned()
}

/// Only after the cutover, as it stands.
pub(super) fn second_phase(deploy: &str, statement: &str) -> String {
    two_phases(&[], deploy, &[statement.to_owned()])
}

fn push(text: &mut String, line: &str) {
    // Writing to a `String` cannot fail.
    let _ = writeln!(text, "{line}");
}

/// Fills a column from an expression, where it is still empty.
pub(super) fn backfill(table: &Name, column: &str, value: &str) -> String {
    let column = ident(column);
    format!("UPDATE {table} SET {column} = {value} WHERE {column} IS NULL;")
}

pub(super) fn add_column(table: &Name, column: &str, ty: &str) -> String {
    format!("ALTER TABLE {table} ADD COLUMN {} {ty};", ident(column))
}

pub(super) fn drop_column(table: &Name, column: &str) -> String {
    format!("ALTER TABLE {table} DROP COLUMN {};", ident(column))
}

/// Makes a column NOT NULL without reading the table under an exclusive lock.
pub(super) fn set_not_null(table: &Name, column: &str) -> Vec<String> {
    let name = ident(&format!("{}_{column}_not_null", table.name));
    let column = ident(column);
    vec![
        format!("ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({column} IS NOT NULL) NOT VALID;"),
        format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name}; -- in a transaction of its own"),
        format!("ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL;"),
        format!("ALTER TABLE {table} DROP CONSTRAINT {name};"),
    ]
}
