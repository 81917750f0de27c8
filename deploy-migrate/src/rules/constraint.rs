//! Constraints.

use super::{Context, fix};
use crate::class::{Break, Class};
use crate::facts::{Column, Constraint, ConstraintKind, Name, ident};
use crate::report::Finding;
use crate::rule::Rule;

/// A constraint that is declared with a new column: old writes leave the column empty, so only the reading of the table counts.
pub(super) fn inline(table: &Name, column: &Column, constraint: &Constraint, context: &mut Context<'_>) {
    if context.is_quick(table) {
        return;
    }
    let name = constraint_name(table, constraint, Some(&column.name));
    let ty = column.ty.as_ref().map_or("<type>", |ty| ty.text.as_str());
    let added = fix::add_column(table, &column.name, ty);
    let rule = match &constraint.kind {
        ConstraintKind::Check(_) => Rule::AddCheck,
        ConstraintKind::Unique { .. } | ConstraintKind::PrimaryKey { .. } | ConstraintKind::Exclude => {
            Rule::AddUnique
        }
        ConstraintKind::ForeignKey { .. } => Rule::AddForeignKey,
        ConstraintKind::NotNull { .. } => return,
    };
    let steps = if rule == Rule::AddUnique {
        unique_steps(table, &name, constraint, std::slice::from_ref(&column.name))
    } else {
        not_valid_steps(table, &name, &table_form(constraint, &column.name))
    };
    let first: Vec<String> = std::iter::once(added).chain(steps).collect();
    let message = format!(
        "adds {table}.{} together with {}: {}",
        ident(&column.name),
        kind_words(&constraint.kind),
        cost(&constraint.kind)
    );
    context.find(Finding::warning(rule, message).breaks(&[Break::Locks]).fix(fix::two_phases(
        &first,
        "",
        &[],
    )));
}

pub(super) fn add(table: &Name, constraint: &Constraint, context: &mut Context<'_>) -> Class {
    if context.is_new_table(table) {
        return Class::Expand;
    }
    match &constraint.kind {
        ConstraintKind::Check(expression) => {
            let columns = expression.as_ref().map_or_else(Vec::new, |it| it.columns.clone());
            let not_null = expression.as_ref().and_then(|it| it.not_null.as_deref());
            narrows(Rule::AddCheck, table, constraint, &columns, not_null, context)
        }
        ConstraintKind::NotNull { column } => {
            let columns: Vec<String> = column.iter().cloned().collect();
            narrows(Rule::SetNotNull, table, constraint, &columns, column.as_deref(), context)
        }
        ConstraintKind::ForeignKey { columns, .. } => {
            narrows(Rule::AddForeignKey, table, constraint, columns, None, context)
        }
        ConstraintKind::Unique { columns, using_index }
        | ConstraintKind::PrimaryKey { columns, using_index } => {
            unique(table, constraint, columns, using_index.as_ref(), context)
        }
        ConstraintKind::Exclude => {
            let message = format!(
                "adds {} to {table}: writes of {} that conflict fail, and all reads and writes wait while its index is built. \
                 PostgreSQL has no other way to add one",
                kind_words(&constraint.kind),
                context.old_code()
            );
            context
                .find(Finding::contract(Rule::AddUnique, message).breaks(&[Break::OldWrites, Break::Locks]));
            Class::Contract
        }
    }
}

/// A constraint that can be added NOT VALID and validated later.
fn narrows(
    rule: Rule,
    table: &Name,
    constraint: &Constraint,
    columns: &[String],
    not_null: Option<&str>,
    context: &mut Context<'_>,
) -> Class {
    let unknown_to_old =
        !columns.is_empty() && columns.iter().all(|column| context.is_new_column(table, column));
    // Old code leaves a new column empty: that breaks no constraint but one that forbids it.
    let fills =
        not_null.is_none_or(|column| context.column(table, column).is_some_and(|column| column.fills_itself));
    let harmless = unknown_to_old && fills;
    let costs = !constraint.not_valid && !context.is_quick(table);
    if harmless && !costs {
        return Class::Expand;
    }
    let name = constraint_name(table, constraint, columns.first().map(String::as_str));
    let steps = not_valid_steps(table, &name, &constraint.text);
    let words = kind_words(&constraint.kind);
    let waits = if costs { format!("; {}", cost(&constraint.kind)) } else { String::new() };
    if harmless {
        let message = format!("adds {words} to {table}{waits}");
        context.find(Finding::warning(rule, message).breaks(&[Break::Locks]).fix(fix::two_phases(
            &steps,
            "",
            &[],
        )));
        return Class::Expand;
    }
    let message =
        format!("adds {words} to {table}: writes of {} that violate it fail{waits}", context.old_code());
    let breaks: &[Break] = if costs { &[Break::OldWrites, Break::Locks] } else { &[Break::OldWrites] };
    let deploy =
        "code whose writes satisfy it; wait until no old code runs, and repair the rows that violate it.";
    context.find(Finding::contract(rule, message).breaks(breaks).fix(fix::two_phases(&[], deploy, &steps)));
    Class::Contract
}

fn unique(
    table: &Name,
    constraint: &Constraint,
    columns: &[String],
    using_index: Option<&Name>,
    context: &mut Context<'_>,
) -> Class {
    if using_index.is_some() {
        // The index narrowed already when it was built; this only gives it a name.
        return Class::Expand;
    }
    let unknown_to_old =
        !columns.is_empty() && columns.iter().all(|column| context.is_new_column(table, column));
    let quick = context.is_quick(table);
    if unknown_to_old && quick {
        return Class::Expand;
    }
    let words = kind_words(&constraint.kind);
    let name = constraint_name(table, constraint, columns.first().map(String::as_str));
    let steps = unique_steps(table, &name, constraint, columns);
    let waits = if quick { String::new() } else { format!("; {}", cost(&constraint.kind)) };
    if unknown_to_old {
        let message = format!("adds {words} to {table}{waits}");
        context.find(
            Finding::warning(Rule::AddUnique, message).breaks(&[Break::Locks]).fix(fix::two_phases(
                &steps,
                "",
                &[],
            )),
        );
        return Class::Expand;
    }
    let message =
        format!("adds {words} to {table}: writes of {} that repeat a value fail{waits}", context.old_code());
    context.find(
        Finding::contract(Rule::AddUnique, message)
            .breaks(if quick { &[Break::OldWrites] } else { &[Break::OldWrites, Break::Locks] })
            .fix(fix::two_phases(
                &[],
                "code that never repeats a value; wait until no old code runs.",
                &steps,
            )),
    );
    Class::Contract
}

fn not_valid_steps(table: &Name, name: &str, text: &str) -> Vec<String> {
    let shown = ident(name);
    let declared = match text.to_uppercase().strip_prefix("CONSTRAINT ") {
        Some(_) => text.to_owned(),
        None => format!("CONSTRAINT {shown} {text}"),
    };
    let declared = declared.trim_end().trim_end_matches("NOT VALID").trim_end().to_owned();
    vec![
        format!("ALTER TABLE {table} ADD {declared} NOT VALID;"),
        format!("ALTER TABLE {table} VALIDATE CONSTRAINT {shown}; -- in a transaction of its own"),
    ]
}

fn unique_steps(table: &Name, name: &str, constraint: &Constraint, columns: &[String]) -> Vec<String> {
    let list = columns.iter().map(|column| ident(column)).collect::<Vec<_>>().join(", ");
    let shown = ident(name);
    let form = match constraint.kind {
        ConstraintKind::PrimaryKey { .. } => "PRIMARY KEY",
        ConstraintKind::Check(_)
        | ConstraintKind::NotNull { .. }
        | ConstraintKind::Unique { .. }
        | ConstraintKind::ForeignKey { .. }
        | ConstraintKind::Exclude => "UNIQUE",
    };
    vec![
        format!(
            "CREATE UNIQUE INDEX CONCURRENTLY {shown} ON {table} ({list}); -- alone in its file: not inside a transaction"
        ),
        format!("ALTER TABLE {table} ADD CONSTRAINT {shown} {form} USING INDEX {shown};"),
    ]
}

fn constraint_name(table: &Name, constraint: &Constraint, column: Option<&str>) -> String {
    let end = match &constraint.kind {
        ConstraintKind::Check(_) => "check",
        ConstraintKind::NotNull { .. } => "not_null",
        ConstraintKind::Unique { .. } => "key",
        ConstraintKind::PrimaryKey { .. } => "pkey",
        ConstraintKind::ForeignKey { .. } => "fkey",
        ConstraintKind::Exclude => "excl",
    };
    let generated = || match column {
        Some(column) if end != "pkey" => format!("{}_{column}_{end}", table.name),
        Some(_) | None => format!("{}_{end}", table.name),
    };
    constraint.name.clone().unwrap_or_else(generated)
}

/// A column's constraint as one of the table.
fn table_form(constraint: &Constraint, column: &str) -> String {
    match &constraint.kind {
        ConstraintKind::ForeignKey { .. } => match constraint.text.to_uppercase().find("REFERENCES") {
            Some(at) => {
                let (before, after) = constraint.text.split_at(at);
                format!("{before}FOREIGN KEY ({}) {after}", ident(column))
            }
            None => constraint.text.clone(),
        },
        ConstraintKind::Check(_)
        | ConstraintKind::NotNull { .. }
        | ConstraintKind::Unique { .. }
        | ConstraintKind::PrimaryKey { .. }
        | ConstraintKind::Exclude => constraint.text.clone(),
    }
}

fn kind_words(kind: &ConstraintKind) -> String {
    match kind {
        ConstraintKind::Check(_) => "a CHECK constraint".into(),
        ConstraintKind::NotNull { .. } => "a NOT NULL constraint".into(),
        ConstraintKind::Unique { .. } => "a UNIQUE constraint".into(),
        ConstraintKind::PrimaryKey { .. } => "a primary key".into(),
        ConstraintKind::ForeignKey { references: Some(table), .. } => format!("a foreign key to {table}"),
        ConstraintKind::ForeignKey { references: None, .. } => "a foreign key".into(),
        ConstraintKind::Exclude => "an EXCLUDE constraint".into(),
    }
}

fn cost(kind: &ConstraintKind) -> &'static str {
    match kind {
        ConstraintKind::Check(_) | ConstraintKind::NotNull { .. } => {
            "without NOT VALID the table is read under ACCESS EXCLUSIVE, and all reads and writes wait meanwhile"
        }
        ConstraintKind::ForeignKey { .. } => {
            "without NOT VALID the table is read under SHARE ROW EXCLUSIVE, and writes of both tables wait meanwhile"
        }
        ConstraintKind::Unique { .. } | ConstraintKind::PrimaryKey { .. } | ConstraintKind::Exclude => {
            "its index is built under ACCESS EXCLUSIVE, and all reads and writes wait meanwhile"
        }
    }
}

pub(super) fn drop(table: &Name, name: &str, context: &mut Context<'_>) -> Class {
    let state = context.schema.table(table).and_then(|table| table.constraints.get(name));
    let new = state.is_some_and(|state| context.is_new(Some(state.origin)));
    // A CHECK that only helped SET NOT NULL along says nothing that the column does not say.
    let redundant = state
        .and_then(|state| state.not_null.as_deref())
        .is_some_and(|column| context.column(table, column).is_some_and(|column| column.not_null));
    if context.is_new_table(table) || new || redundant {
        return Class::Neutral;
    }
    let shown = ident(name);
    let message = format!(
        "drops the constraint {shown} of {table}: {} may rely on it, ON CONFLICT on it fails, and rows that violate it \
         keep it from ever coming back",
        context.old_code()
    );
    let statement = format!("ALTER TABLE {table} DROP CONSTRAINT {shown};");
    context.find(
        Finding::contract(Rule::DropConstraint, message)
            .breaks(&[Break::OldReads, Break::OldWrites])
            .fix(fix::second_phase("code that does not rely on it.", &statement)),
    );
    Class::Contract
}

pub(super) fn validate(table: &Name, name: &str, context: &mut Context<'_>) -> Class {
    let state = context.schema.table(table).and_then(|table| table.constraints.get(name));
    let at_once = state.is_some_and(|state| state.transaction == context.now.transaction);
    if at_once && context.in_transaction && !context.is_quick(table) {
        let shown = ident(name);
        let message = format!(
            "validates {shown} in the transaction that added it: the lock of that is held while the table is read, so NOT VALID gains nothing"
        );
        context.find(
            Finding::warning(Rule::ValidateConstraint, message)
                .breaks(&[Break::Locks])
                .fix(format!("-- In a file of its own, after the other is committed:\nALTER TABLE {table} VALIDATE CONSTRAINT {shown};")),
        );
    }
    Class::Neutral
}
