//! Columns that are added or altered.

use super::{Context, constraint, fix, not_null, type_change};
use crate::class::{Break, Class};
use crate::facts::{Column, ColumnChange, Generated, Name, ident};
use crate::impact::{is_of_narrow_domain, is_volatile};
use crate::report::Finding;
use crate::rule::Rule;

/// `ADD COLUMN`.
pub(super) fn add(table: &Name, column: &Column, context: &mut Context<'_>) -> Class {
    if context.is_new_table(table) {
        return Class::Expand;
    }
    if column.not_null && !column.fills_itself() {
        not_null::added(table, column, context);
    }
    if !context.is_quick(table) {
        computed(table, column, context);
    }
    for inline in &column.constraints {
        constraint::inline(table, column, inline, context);
    }
    Class::Expand
}

/// A value that every row gets for itself makes PostgreSQL write all rows anew.
fn computed(table: &Name, column: &Column, context: &mut Context<'_>) {
    let name = ident(&column.name);
    let ty = column.ty.as_ref().map_or("<type>", |ty| ty.text.as_str());
    let waits = "the table is written anew under ACCESS EXCLUSIVE, and all reads and writes wait meanwhile";
    if column.is_serial() || column.generated == Some(Generated::Identity) {
        let integer = if ty.to_lowercase().contains("big") || ty.to_lowercase().contains('8') {
            "bigint"
        } else {
            "integer"
        };
        let sequence = table.sibling(format!("{}_{}_seq", table.name, column.name));
        let fixed = fix::two_phases(
            &[
                format!("CREATE SEQUENCE {sequence};"),
                fix::add_column(table, &column.name, integer),
                format!("ALTER TABLE {table} ALTER COLUMN {name} SET DEFAULT nextval('{sequence}');"),
                format!("ALTER SEQUENCE {sequence} OWNED BY {table}.{name};"),
                fix::backfill(table, &column.name, &format!("nextval('{sequence}')")),
            ],
            &format!("code that uses {name}."),
            &fix::set_not_null(table, &column.name),
        );
        found(
            Rule::SerialColumn,
            format!("adds {table}.{name}, which numbers every row: {waits}"),
            fixed,
            context,
        );
    } else if column.generated == Some(Generated::Stored) {
        let fixed = fix::two_phases(
            &[
                fix::add_column(table, &column.name, ty),
                format!(
                    "-- Fill it in a BEFORE INSERT OR UPDATE trigger on {table}, so that old writes fill it too."
                ),
                fix::backfill(table, &column.name, "<expression>"),
            ],
            &format!("code that reads {name}."),
            &[],
        );
        found(
            Rule::StoredGenerated,
            format!("adds {table}.{name} as a stored generated column: {waits}"),
            fixed,
            context,
        );
    } else if let Some(default) = column.default.as_ref().filter(|default| is_volatile(default)) {
        let fixed = fix::two_phases(
            &[
                fix::add_column(table, &column.name, ty),
                format!(
                    "ALTER TABLE {table} ALTER COLUMN {name} SET DEFAULT {}; -- for new rows only",
                    default.text
                ),
                fix::backfill(table, &column.name, &default.text),
            ],
            &format!("code that uses {name}."),
            &if column.not_null { fix::set_not_null(table, &column.name) } else { Vec::new() },
        );
        let message =
            format!("adds {table}.{name} with the default {}, computed for every row: {waits}", default.text);
        found(Rule::VolatileDefault, message, fixed, context);
    } else if is_of_narrow_domain(column, context.schema) {
        let fixed = fix::two_phases(
            &[fix::add_column(table, &column.name, "<type of the domain>")],
            &format!("code that uses {name}, and checks what it writes there."),
            &[],
        );
        let message = format!(
            "adds {table}.{name} of the domain {ty}, whose constraint every row is checked for: {waits}"
        );
        found(Rule::TableRewrite, message, fixed, context);
    }
}

fn found(rule: Rule, message: String, fixed: String, context: &mut Context<'_>) {
    context.find(Finding::breaking(rule, message).breaks(&[Break::Locks]).fix(fixed));
}

/// `ALTER COLUMN`.
pub(super) fn alter(table: &Name, column: &str, change: &ColumnChange, context: &mut Context<'_>) -> Class {
    if context.is_new_table(table) {
        return Class::Neutral;
    }
    match change {
        ColumnChange::SetType { ty, using } => {
            type_change::judge(table, column, ty.as_ref(), using.as_deref(), context)
        }
        ColumnChange::SetNotNull => not_null::set(table, column, context),
        ColumnChange::DropDefault => drop_default(table, column, "DROP DEFAULT", context),
        ColumnChange::DropIdentity => drop_default(table, column, "DROP IDENTITY", context),
        ColumnChange::DropExpression => drop_default(table, column, "DROP EXPRESSION", context),
        ColumnChange::SetExpression => set_expression(table, column, context),
        ColumnChange::DropNotNull => {
            context.find(
                Finding::note(
                    Rule::SetNotNull,
                    format!(
                        "lets {table}.{} be empty: {} must cope with NULL before new code writes it",
                        ident(column),
                        context.old_code()
                    ),
                )
                .breaks(&[Break::OldReads]),
            );
            Class::Expand
        }
        ColumnChange::SetIdentity { always: true } => identity_always(table, column, context),
        ColumnChange::SetDefault(_) | ColumnChange::SetIdentity { always: false } => Class::Expand,
        ColumnChange::Physical(_) => Class::Neutral,
    }
}

fn drop_default(table: &Name, column: &str, form: &str, context: &mut Context<'_>) -> Class {
    let shown = ident(column);
    let state = context.column(table, column).cloned().unwrap_or_default();
    let statement = format!("ALTER TABLE {table} ALTER COLUMN {shown} {form};");
    let deploy = format!("code that always writes {shown}.");
    if context.file.gets_default_after(table, column, context.at) {
        return Class::Neutral;
    }
    if context.is_new_column(table, column) {
        if !state.not_null {
            return Class::Neutral;
        }
        let message = format!(
            "takes the default from {table}.{shown}, which is NOT NULL and was added in this release: inserts of {}, \
             which do not name it, fail",
            context.old_code()
        );
        context.find(
            Finding::breaking(Rule::NotNullSameRelease, message)
                .breaks(&[Break::OldWrites])
                .fix(fix::second_phase(&deploy, &statement)),
        );
        return Class::Contract;
    }
    context.find(
        Finding::contract(
            Rule::DropDefault,
            format!("takes the default from {table}.{shown}: inserts of {} that leave it out fail, or leave it empty", context.old_code()),
        )
        .breaks(&[Break::OldWrites])
        .fix(fix::second_phase(&deploy, &statement)),
    );
    Class::Contract
}

fn identity_always(table: &Name, column: &str, context: &mut Context<'_>) -> Class {
    if context.is_new_column(table, column) {
        return Class::Expand;
    }
    let shown = ident(column);
    let message = format!(
        "numbers {table}.{shown} ALWAYS: inserts of {} that give it a value fail",
        context.old_code()
    );
    let kind = "GENERATED BY DEFAULT AS IDENTITY";
    context.find(Finding::contract(Rule::IdentityAlways, message).breaks(&[Break::OldWrites]).fix(fix::two_phases(
        &[format!("ALTER TABLE {table} ALTER COLUMN {shown} ADD {kind}; -- takes a value, and gives one where there is none")],
        &format!("code that never gives {shown} a value."),
        &[format!("ALTER TABLE {table} ALTER COLUMN {shown} SET GENERATED ALWAYS;")],
    )));
    Class::Contract
}

fn set_expression(table: &Name, column: &str, context: &mut Context<'_>) -> Class {
    let shown = ident(column);
    context.find(
        Finding::breaking(
            Rule::StoredGenerated,
            format!("changes how {table}.{shown} is computed: the table is written anew under ACCESS EXCLUSIVE, and {} reads other values", context.old_code()),
        )
        .breaks(&[Break::Locks, Break::OldReads])
        .fix(fix::two_phases(
            &[format!("-- Add a second column beside {shown}, filled by a trigger with the new expression.")],
            "code that reads the second column.",
            &[fix::drop_column(table, column)],
        )),
    );
    Class::Contract
}
