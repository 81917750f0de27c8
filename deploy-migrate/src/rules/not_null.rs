//! Columns that must not be empty.

use super::{Context, fix};
use crate::class::{Break, Class};
use crate::facts::{Column, Name, ident};
use crate::report::Finding;
use crate::rule::Rule;

/// `ADD COLUMN … NOT NULL` without a default.
pub(super) fn added(table: &Name, column: &Column, context: &mut Context<'_>) {
    let name = ident(&column.name);
    let ty = column.ty.as_ref().map_or("<type>", |ty| ty.text.as_str());
    let fixed = fix::two_phases(
        &[
            fix::add_column(table, &column.name, &format!("{ty} DEFAULT <value>")),
            fix::backfill(table, &column.name, "<value>"),
        ],
        &format!("code that always writes {name}."),
        &fix::set_not_null(table, &column.name),
    );
    let message = format!(
        "adds {table}.{name} as NOT NULL without a default: it fails if the table has rows, and so does every insert of {}",
        context.old_code()
    );
    context.find(
        Finding::breaking(Rule::AddNotNullColumn, message)
            .breaks(&[Break::OldWrites, Break::Migration])
            .fix(fixed),
    );
}

/// `SET NOT NULL`.
pub(super) fn set(table: &Name, column: &str, context: &mut Context<'_>) -> Class {
    let shown = ident(column);
    let state = context.column(table, column).cloned().unwrap_or_default();
    if state.not_null {
        return Class::Neutral;
    }
    let old = context.old_code();
    if context.is_new_column(table, column) && !state.fills_itself {
        let ty = context.type_of(table, column);
        let fixed = fix::two_phases(
            &[fix::add_column(table, column, &ty), fix::backfill(table, column, "<value>")],
            &format!("code that always writes {shown}."),
            &fix::set_not_null(table, column),
        );
        let message = format!(
            "makes {table}.{shown} NOT NULL in the release that adds it, without a default: inserts of {old}, which do \
             not name it, fail"
        );
        context.find(
            Finding::breaking(Rule::NotNullSameRelease, message).breaks(&[Break::OldWrites]).fix(fixed),
        );
        return Class::Contract;
    }
    let proven = context.schema.is_proven_not_null(table, column);
    let scan = if proven {
        "; a validated CHECK proves it, so the table is not read"
    } else if context.is_quick(table) {
        ""
    } else {
        "; the table is read under ACCESS EXCLUSIVE meanwhile"
    };
    let second = if proven {
        vec![format!("ALTER TABLE {table} ALTER COLUMN {shown} SET NOT NULL;")]
    } else {
        fix::set_not_null(table, column)
    };
    let fixed = fix::two_phases(
        &[fix::backfill(table, column, "<value>")],
        &format!("code that always writes {shown}; wait until no old code runs."),
        &second,
    );
    let breaks: &[Break] = if proven { &[Break::OldWrites] } else { &[Break::OldWrites, Break::Locks] };
    context.find(
        Finding::contract(
            Rule::SetNotNull,
            format!("makes {table}.{shown} NOT NULL: writes of {old} that leave it empty fail{scan}"),
        )
        .breaks(breaks)
        .fix(fixed),
    );
    Class::Contract
}
