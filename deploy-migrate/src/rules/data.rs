//! Rows.

use super::{Context, fix};
use crate::class::{Break, Class};
use crate::facts::{Name, ident};
use crate::lock::LockMode;
use crate::report::Finding;
use crate::rule::Rule;

pub(super) fn update(table: &Name, columns: &[String], context: &mut Context<'_>) -> Class {
    if context.is_new_table(table) {
        return Class::Neutral;
    }
    let list = columns.iter().map(|column| ident(column)).collect::<Vec<_>>().join(", ");
    let new = !columns.is_empty() && columns.iter().all(|column| context.is_new_column(table, column));
    let column = columns.first().map_or_else(|| "<column>".to_owned(), |column| ident(column));
    let fixed = fix::two_phases(
        &[format!(
            "UPDATE {table} SET {column} = <value> WHERE {column} IS NULL AND <key> BETWEEN <first> AND <last>; -- repeat in batches"
        )],
        "",
        &[],
    );
    if new {
        let message = format!(
            "updates every row of {table}, also those that have a value: run again, it overwrites what new code wrote to {list}"
        );
        context.find(
            Finding::warning(Rule::UpdateWithoutWhere, message)
                .breaks(&[Break::NewWrites, Break::Locks])
                .fix(fixed),
        );
        return Class::Neutral;
    }
    let message = format!(
        "updates every row of {table}: what {} and new code wrote to {list} is overwritten, and every row is locked to the end",
        context.old_code()
    );
    context.find(
        Finding::breaking(Rule::UpdateWithoutWhere, message)
            .breaks(&[Break::OldReads, Break::NewReads, Break::Locks])
            .fix(fixed),
    );
    Class::Neutral
}

pub(super) fn delete(table: &Name, context: &mut Context<'_>) -> Class {
    if context.is_new_table(table) {
        return Class::Neutral;
    }
    context.find(
        Finding::breaking(
            Rule::DeleteWithoutWhere,
            format!(
                "deletes every row of {table}: both versions lose them, and no rollback brings them back"
            ),
        )
        .breaks(&[Break::OldReads, Break::NewReads])
        .fix(format!(
            "DELETE FROM {table} WHERE <condition> AND <key> BETWEEN <first> AND <last>; -- repeat in batches"
        )),
    );
    Class::Neutral
}

pub(super) fn truncate(tables: &[Name], context: &mut Context<'_>) -> Class {
    for table in tables {
        emptied(table, context);
    }
    Class::Neutral
}

fn emptied(table: &Name, context: &mut Context<'_>) {
    if context.is_new_table(table) {
        return;
    }
    context.find(
        Finding::breaking(Rule::Truncate, format!("empties {table} under ACCESS EXCLUSIVE: both versions lose its rows, and no rollback brings them back"))
            .breaks(&[Break::OldReads, Break::NewReads, Break::Locks])
            .fix(format!("DELETE FROM {table} WHERE <condition> AND <key> BETWEEN <first> AND <last>; -- repeat in batches")),
    );
}

pub(super) fn lock(tables: &[Name], mode: LockMode, context: &mut Context<'_>) -> Class {
    let used: Vec<String> =
        tables.iter().filter(|table| !context.is_quick(table)).map(ToString::to_string).collect();
    if used.is_empty() || !mode.blocks_writes() {
        return Class::Neutral;
    }
    let who = if mode.blocks_reads() { "reads and writes" } else { "writes" };
    let message = format!(
        "locks {} in {mode} mode: {who} of old and new code wait to the end of the transaction",
        used.join(", ")
    );
    context.find(Finding::warning(Rule::LockTable, message).breaks(&[Break::Locks]));
    Class::Neutral
}
