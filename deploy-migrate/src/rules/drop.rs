//! What is taken away.

use super::{Context, fix};
use crate::class::{Break, Class};
use crate::facts::{Kind, Name, ident};
use crate::report::Finding;
use crate::rule::Rule;

/// `DROP COLUMN`.
pub(super) fn column(table: &Name, column: &str, cascade: bool, context: &mut Context<'_>) -> Class {
    if context.is_new_column(table, column) {
        return Class::Neutral;
    }
    let shown = ident(column);
    let statement = fix::drop_column(table, column);
    let deploy = format!("code that neither reads nor writes {shown}; wait until no old code runs.");
    if let Some(successor) = renamed_to(table, column, context) {
        let ty = context.type_of(table, column);
        let fixed = fix::two_phases(
            &[fix::add_column(table, &successor, &ty), fix::backfill(table, &successor, &shown)],
            &format!("code that reads and writes {}; old code goes on with {shown}.", ident(&successor)),
            &[statement],
        );
        context.find(
            Finding::breaking(
                Rule::RenameAsDropAdd,
                format!(
                    "drops {table}.{shown} and adds {table}.{} in one release: if that is a rename, its data is lost, \
                     and {} still uses {shown}",
                    ident(&successor),
                    context.old_code()
                ),
            )
            .breaks(&[Break::OldReads, Break::OldWrites, Break::NewReads])
            .fix(fixed),
        );
        return Class::Contract;
    }
    let with_it =
        if cascade { ", and with CASCADE every view, index and constraint that uses it" } else { "" };
    context.find(
        Finding::contract(
            Rule::DropColumn,
            format!(
                "drops {table}.{shown}{with_it}: {} that still selects or writes it fails",
                context.old_code()
            ),
        )
        .breaks(&[Break::OldReads, Break::OldWrites])
        .fix(fix::second_phase(&deploy, &statement)),
    );
    Class::Contract
}

/// The column that takes the place of a dropped one: added in the same release without being filled from it.
fn renamed_to(table: &Name, column: &str, context: &Context<'_>) -> Option<String> {
    if context.file.is_read_before(table, column, context.at) {
        return None;
    }
    let old = context.column(table, column).and_then(|column| column.ty.clone());
    let mut candidates = context.file.added_to(table).iter().filter(|added| added.name != column);
    let candidate = candidates.next()?;
    let alone = candidates.next().is_none();
    let alike = match (&old, &candidate.ty) {
        (Some(old), Some(new)) => old.name == new.name && old.array == new.array,
        (None, _) | (_, None) => true,
    };
    (alone && alike).then(|| candidate.name.clone())
}

/// The words after the name.
#[derive(Clone, Copy, Debug)]
pub(super) struct How {
    pub(super) cascade: bool,
    pub(super) concurrently: bool,
}

/// `DROP` of anything else.
pub(super) fn judge(
    kind: Kind,
    name: &Name,
    on: Option<&Name>,
    how: How,
    context: &mut Context<'_>,
) -> Class {
    let How { cascade, concurrently } = how;
    if is_new(kind, name, on, context) {
        return Class::Neutral;
    }
    if kind == Kind::Index {
        return index(name, concurrently, context);
    }
    let place = on.map_or_else(String::new, |table| format!(" on {table}"));
    let statement = format!("DROP {} {name}{};", kind.sql(), place.replace(" on ", " ON "));
    let old = context.old_code();
    let with_it = if cascade { ", and with CASCADE everything that depends on it" } else { "" };
    let (rule, breaks, why): (Rule, &[Break], String) = if kind.is_table() {
        (Rule::DropTable, &[Break::OldReads, Break::OldWrites], format!("{old} that uses it fails"))
    } else if kind.is_view() {
        (Rule::DropView, &[Break::OldReads], format!("{old} that reads it fails"))
    } else if kind.is_routine() {
        (Rule::DropRoutine, &[Break::OldReads, Break::OldWrites], format!("{old} that calls it fails"))
    } else if matches!(kind, Kind::Type | Kind::Domain) {
        (Rule::DropType, &[Break::OldReads, Break::OldWrites], format!("{old} that casts to it fails"))
    } else if matches!(kind, Kind::Trigger | Kind::Rule) {
        (
            Rule::DropTrigger,
            &[Break::OldWrites],
            format!("what it does for the writes of {old} is no longer done"),
        )
    } else if kind == Kind::Database {
        context.find(
            Finding::breaking(
                Rule::DropDatabase,
                format!("drops the database {name}: both versions lose everything"),
            )
            .breaks(&[Break::OldReads, Break::OldWrites, Break::NewReads, Break::NewWrites]),
        );
        return Class::Contract;
    } else {
        (Rule::DropObject, &[Break::OldReads, Break::OldWrites], format!("{old} that relies on it fails"))
    };
    let deploy = format!("code that does not use {name}; wait until no old code runs.");
    context.find(
        Finding::contract(rule, format!("drops the {} {name}{place}{with_it}: {why}", kind.word()))
            .breaks(breaks)
            .fix(fix::second_phase(&deploy, &statement)),
    );
    Class::Contract
}

fn is_new(kind: Kind, name: &Name, on: Option<&Name>, context: &Context<'_>) -> bool {
    let origin = if kind.is_table() {
        return context.is_new_table(name);
    } else if kind.is_view() {
        context.schema.view(name).map(|view| view.origin)
    } else if kind == Kind::Index {
        context.schema.index(name).map(|index| index.origin)
    } else if let Some(table) = on {
        if context.is_new_table(table) {
            return true;
        }
        context.schema.of_table(kind, table, &name.name)
    } else {
        context.schema.other(kind, name)
    };
    context.is_new(origin)
}

fn index(name: &Name, concurrently: bool, context: &mut Context<'_>) -> Class {
    let table = context.schema.index(name).map(|index| index.table.clone());
    if table.as_ref().is_some_and(|table| context.is_new_table(table)) {
        return Class::Neutral;
    }
    let quick = table.is_some_and(|table| context.is_quick(&table));
    let (locks, breaks): (&str, &[Break]) = if concurrently || quick {
        ("", &[Break::OldReads])
    } else {
        (
            "; without CONCURRENTLY all reads and writes of the table wait meanwhile",
            &[Break::OldReads, Break::Locks],
        )
    };
    let message = format!(
        "drops the index {name}: queries of {} that rely on it become slow, and if it is unique, ON CONFLICT on it fails{locks}",
        context.old_code()
    );
    let statement = format!("DROP INDEX CONCURRENTLY {name}; -- alone in its file: not inside a transaction");
    context.find(
        Finding::contract(Rule::DropIndex, message)
            .breaks(breaks)
            .fix(fix::second_phase("code whose queries do not need it.", &statement)),
    );
    Class::Contract
}
