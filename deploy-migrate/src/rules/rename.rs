//! What gets another name.

use super::{Context, fix};
use crate::class::{Break, Class};
use crate::facts::{Kind, Name, ident};
use crate::report::Finding;
use crate::rule::Rule;

pub(super) fn judge(
    kind: Kind,
    on: Option<&Name>,
    from: &Name,
    to: &str,
    context: &mut Context<'_>,
) -> Class {
    match on {
        Some(on) if kind == Kind::Column => column(on, &from.name, to, context),
        Some(on) if kind == Kind::EnumValue => enum_value(on, &from.name, to, context),
        None if kind.is_table() => table(from, to, context),
        None if kind == Kind::Index => index(from, to, context),
        Some(_) | None => object(kind, on, from, to, context),
    }
}

fn column(table: &Name, from: &str, to: &str, context: &mut Context<'_>) -> Class {
    let freed = context.schema.table(table).and_then(|table| table.dropped.get(to).copied());
    if context.is_new(freed) {
        return swap(&format!("{table}.{}", ident(from)), &ident(to), context);
    }
    if context.is_new_column(table, from) {
        return Class::Neutral;
    }
    let (old, new) = (ident(from), ident(to));
    let ty = context.type_of(table, from);
    let fixed = fix::two_phases(
        &[fix::add_column(table, to, &ty), fix::backfill(table, to, &old)],
        &format!("code that reads and writes {new}; old code goes on with {old}."),
        &[fix::drop_column(table, from)],
    );
    context.find(
        Finding::breaking(
            Rule::RenameColumn,
            format!(
                "renames {table}.{old} to {new} in place: {} that names {old} fails at once",
                context.old_code()
            ),
        )
        .breaks(&[Break::OldReads, Break::OldWrites])
        .fix(fixed),
    );
    Class::Contract
}

/// Phase 2 of the strategy's type change: the old one is gone, and the new one takes its name.
fn swap(from: &str, to: &str, context: &mut Context<'_>) -> Class {
    context.find(
        Finding::contract(
            Rule::RenameSwap,
            format!(
                "gives {from} the name {to}, which was freed in this release: phase 2 of a change in two phases. Code that \
                 still says {from} fails from here on, so what runs must already find it under either name"
            ),
        )
        .breaks(&[Break::OldReads, Break::OldWrites, Break::NewReads, Break::NewWrites])
        .fix(fix::second_phase(
            &format!("code that works with both names, or keep the new name for good and leave {to} out."),
            "-- as it stands, in one transaction with the drop",
        )),
    );
    Class::Contract
}

fn table(from: &Name, to: &str, context: &mut Context<'_>) -> Class {
    let target = from.sibling(to);
    if context.is_new(context.schema.dropped_table(&target)) {
        return swap(&from.to_string(), &target.to_string(), context);
    }
    if context.is_new_table(from) {
        return Class::Neutral;
    }
    if context.in_transaction && context.file.gets_view_after(from, context.at) {
        let message = format!(
            "renames the table {from} to {}, and {} goes on through the view that takes its name: if that view is simple, it \
             can be written to as well, but not truncated or copied into",
            ident(to),
            context.old_code()
        );
        context.find(Finding::warning(Rule::RenameTable, message));
        return Class::Expand;
    }
    let fixed = fix::two_phases(
        &[format!(
            "CREATE VIEW {target} AS SELECT * FROM {from}; -- simple, so it can be written to as well"
        )],
        &format!("code that uses {target}; old code goes on with {from}."),
        &[
            "BEGIN;".to_owned(),
            format!("DROP VIEW {target};"),
            format!("ALTER TABLE {from} RENAME TO {};", ident(to)),
            "COMMIT;".to_owned(),
        ],
    );
    context.find(
        Finding::breaking(
            Rule::RenameTable,
            format!(
                "renames the table {from} to {} in place: {} that names {from} fails at once",
                ident(to),
                context.old_code()
            ),
        )
        .breaks(&[Break::OldReads, Break::OldWrites])
        .fix(fixed),
    );
    Class::Contract
}

fn enum_value(ty: &Name, from: &str, to: &str, context: &mut Context<'_>) -> Class {
    if context.is_new(context.schema.other(Kind::Type, ty)) {
        return Class::Neutral;
    }
    let (old, new) = (literal(from), literal(to));
    let fixed = fix::two_phases(
        &[format!("ALTER TYPE {ty} ADD VALUE {new};")],
        &format!("code that writes {new} and reads both."),
        &[
            format!("UPDATE <table> SET <column> = {new} WHERE <column> = {old};"),
            format!("-- {old} stays in the type, unused: PostgreSQL cannot drop a value."),
        ],
    );
    context.find(
        Finding::breaking(
            Rule::RenameEnumValue,
            format!(
                "renames the value {old} of {ty} in place: {} that sends or expects it fails at once",
                context.old_code()
            ),
        )
        .breaks(&[Break::OldReads, Break::OldWrites])
        .fix(fixed),
    );
    Class::Contract
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Code never names an index, but the name of one behind a constraint is the constraint's.
fn index(from: &Name, to: &str, context: &mut Context<'_>) -> Class {
    if context.schema.index(from).is_some() {
        return Class::Neutral;
    }
    object(Kind::Index, None, from, to, context)
}

fn object(kind: Kind, on: Option<&Name>, from: &Name, to: &str, context: &mut Context<'_>) -> Class {
    let new = match on {
        Some(table) if context.is_new_table(table) => true,
        Some(table) if kind == Kind::Constraint => context
            .schema
            .table(table)
            .and_then(|table| table.constraints.get(&from.name))
            .is_some_and(|constraint| context.is_new(Some(constraint.origin))),
        Some(table) => context.is_new(context.schema.of_table(kind, table, &from.name)),
        None if kind.is_view() => {
            context.schema.view(from).is_some_and(|view| context.is_new(Some(view.origin)))
        }
        None => context.is_new(context.schema.other(kind, from)),
    };
    if new {
        return Class::Neutral;
    }
    let place = on.map_or_else(String::new, |table| format!(" of {table}"));
    let word = kind.word();
    let constraint = matches!(kind, Kind::Constraint | Kind::Index);
    let named = if constraint { "names it in ON CONFLICT or looks for it in errors" } else { "names it" };
    let fixed = fix::two_phases(
        &[format!(
            "-- Create {} beside {from}: a copy, or a view, a function or a synonym that leads to it.",
            from.sibling(to)
        )],
        &format!("code that uses {}; old code goes on with {from}.", from.sibling(to)),
        &[format!("-- Drop {from}.")],
    );
    context.find(
        Finding::breaking(
            Rule::RenameObject,
            format!(
                "renames the {word} {from}{place} to {} in place: {} that {named} fails at once",
                ident(to),
                context.old_code()
            ),
        )
        .breaks(&[Break::OldReads, Break::OldWrites])
        .fix(fixed),
    );
    Class::Contract
}

pub(super) fn set_schema(kind: Kind, name: &Name, schema: &str, context: &mut Context<'_>) -> Class {
    let new = if kind.is_table() {
        context.is_new_table(name)
    } else if kind.is_view() {
        context.schema.view(name).is_some_and(|view| context.is_new(Some(view.origin)))
    } else {
        context.is_new(context.schema.other(kind, name))
    };
    if new {
        return Class::Neutral;
    }
    let target = Name { schema: Some(schema.to_owned()), name: name.name.clone() };
    let first = if kind.is_table() || kind.is_view() {
        format!("CREATE VIEW {target} AS SELECT * FROM {name};")
    } else {
        format!("-- Create a copy of {name} as {target}.")
    };
    let mut second = vec!["BEGIN;".to_owned()];
    if kind.is_table() {
        second.push(format!("DROP VIEW {target};"));
        second.push(format!("ALTER TABLE {name} SET SCHEMA {};", ident(schema)));
    } else {
        second.push(format!("DROP {} {name};", kind.sql()));
    }
    second.push("COMMIT;".to_owned());
    context.find(
        Finding::breaking(
            Rule::SetSchema,
            format!(
                "moves the {} {name} to the schema {} in place: {} does not find it any more",
                kind.word(),
                ident(schema),
                context.old_code()
            ),
        )
        .breaks(&[Break::OldReads, Break::OldWrites])
        .fix(fix::two_phases(&[first], &format!("code that uses {target}."), &second)),
    );
    Class::Contract
}
