//! `ALTER COLUMN … TYPE`.

use super::{Context, fix};
use crate::class::{Break, Class};
use crate::facts::{Name, Type, ident};
use crate::impact::is_conversion;
use crate::report::Finding;
use crate::rule::Rule;
use crate::types::{TypeChange, change};

pub(super) fn judge(
    table: &Name,
    column: &str,
    ty: Option<&Type>,
    using: Option<&str>,
    context: &mut Context<'_>,
) -> Class {
    let Some(ty) = ty else { return Class::Neutral };
    let shown = ident(column);
    let old = context.column(table, column).and_then(|column| column.ty.clone());
    let converted = is_conversion(column, using);
    match change(old.as_ref(), ty, converted) {
        TypeChange::Widens => Class::Expand,
        TypeChange::WidensPerhaps => {
            let message = format!(
                "makes {table}.{shown} text: without a rewrite if it is a varchar, which cannot be told from these files; \
                 if it is anything else, the table is written anew and {} breaks",
                context.old_code()
            );
            context.find(
                Finding::warning(Rule::WidenType, message).fix(in_two_phases(table, column, ty, using)),
            );
            Class::Expand
        }
        TypeChange::Rewrites if context.is_new_column(table, column) => {
            rewritten_anew(table, column, context);
            Class::Neutral
        }
        TypeChange::Rewrites => {
            let from = old.as_ref().map_or_else(String::new, |old| format!(" from {}", old.text));
            let message = format!(
                "changes the type of {table}.{shown}{from} to {} in place: {} sends and expects the old one, and the table \
                 is written anew under ACCESS EXCLUSIVE",
                ty.text,
                context.old_code()
            );
            context.find(
                Finding::breaking(Rule::ChangeType, message)
                    .breaks(&[Break::OldReads, Break::OldWrites, Break::Locks])
                    .fix(in_two_phases(table, column, ty, using)),
            );
            Class::Contract
        }
    }
}

/// Nobody uses the column yet, but the table is there and in use.
fn rewritten_anew(table: &Name, column: &str, context: &mut Context<'_>) {
    if context.is_quick(table) {
        return;
    }
    let message = format!(
        "changes the type of {table}.{}, which this release adds: the whole table is written anew under ACCESS EXCLUSIVE. \
         Add it with the right type instead",
        ident(column)
    );
    context.find(Finding::breaking(Rule::ChangeType, message).breaks(&[Break::Locks]));
}

/// The strategy's second example, word for word but for the names.
fn in_two_phases(table: &Name, column: &str, ty: &Type, using: Option<&str>) -> String {
    let shown = ident(column);
    let name = ty.name.replace(|c: char| !c.is_ascii_alphanumeric() && c != '_', "_");
    let fresh = format!("{column}_{name}");
    let value = using.map_or_else(|| format!("{shown}::{}", ty.text), str::to_owned);
    fix::two_phases(
        &[fix::add_column(table, &fresh, &ty.text), fix::backfill(table, &fresh, &value)],
        &format!("code that uses {}; old code goes on with {shown}.", ident(&fresh)),
        &[
            fix::drop_column(table, column),
            format!(
                "-- Only if what runs finds it under either name: ALTER TABLE {table} RENAME COLUMN {} TO {shown};",
                ident(&fresh)
            ),
        ],
    )
}
