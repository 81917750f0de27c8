//! Views, triggers, enums, types and sequences.

use super::{Context, fix};
use crate::class::{Break, Class};
use crate::facts::{DomainChange, Kind, Name, ident};
use crate::report::Finding;
use crate::rule::Rule;

/// PostgreSQL refuses to take a column from a view, so a migration that tries has dropped the view before, or fails.
pub(super) fn replace_view(name: &Name, columns: Option<&[String]>, context: &mut Context<'_>) -> Class {
    let Some(view) = context.schema.view(name) else { return Class::Expand };
    if context.is_new(Some(view.origin)) {
        return Class::Expand;
    }
    let (Some(before), Some(after)) = (view.columns.as_deref(), columns) else { return Class::Expand };
    let lost: Vec<String> =
        before.iter().filter(|column| !after.contains(column)).map(|column| ident(column)).collect();
    if lost.is_empty() {
        return Class::Expand;
    }
    let second = format!("{}_2", name.name);
    let message = format!(
        "replaces the view {name} by one without {}: PostgreSQL refuses that, and {} still reads it",
        lost.join(", "),
        context.old_code()
    );
    context.find(
        Finding::breaking(Rule::ReplaceView, message).breaks(&[Break::Migration, Break::OldReads]).fix(
            fix::two_phases(
                &[format!("CREATE VIEW {} AS <query>;", name.sibling(&second))],
                &format!("code that reads {}; old code goes on with {name}.", name.sibling(&second)),
                &[format!("DROP VIEW {name};")],
            ),
        ),
    );
    Class::Contract
}

pub(super) fn refresh(name: &Name, concurrently: bool, context: &mut Context<'_>) -> Class {
    let new = context.schema.view(name).is_some_and(|view| context.is_new(Some(view.origin)));
    if !concurrently && !new {
        context.find(
            Finding::warning(
                Rule::RefreshView,
                format!("refreshes {name} under ACCESS EXCLUSIVE: all reads of it wait meanwhile"),
            )
            .breaks(&[Break::Locks])
            .fix(format!("REFRESH MATERIALIZED VIEW CONCURRENTLY {name}; -- needs a unique index on it")),
        );
    }
    Class::Neutral
}

/// A trigger is how old writes fill a new column: it belongs into phase 1, and a person should look at it.
pub(super) fn create_trigger(kind: &str, name: &str, table: &Name, context: &mut Context<'_>) -> Class {
    if !context.is_new_table(table) {
        let message = format!(
            "adds the {kind} {} to {table}: writes of {} run it too, so it must never fail for them",
            ident(name),
            context.old_code()
        );
        context.find(Finding::warning(Rule::CreateTrigger, message).breaks(&[Break::OldWrites]));
    }
    Class::Expand
}

pub(super) fn set_trigger(table: &Name, enabled: bool, context: &mut Context<'_>) -> Class {
    if context.is_new_table(table) {
        return Class::Neutral;
    }
    let old = context.old_code();
    if enabled {
        context.find(
            Finding::warning(
                Rule::CreateTrigger,
                format!("switches triggers or rules of {table} on: writes of {old} run them too"),
            )
            .breaks(&[Break::OldWrites]),
        );
        return Class::Expand;
    }
    context.find(
        Finding::contract(
            Rule::DropTrigger,
            format!("switches triggers or rules of {table} off: what they do for the writes of {old} is not done any more"),
        )
        .breaks(&[Break::OldWrites])
        .fix(fix::second_phase(
            "code that does not need them.",
            &format!("ALTER TABLE {table} DISABLE TRIGGER <name>; -- not ALL or USER: foreign keys are triggers too"),
        )),
    );
    Class::Contract
}

pub(super) fn add_enum_value(ty: &Name, value: &str, context: &mut Context<'_>) -> Class {
    if !context.is_new(context.schema.other(Kind::Type, ty)) {
        let message = format!(
            "adds '{value}' to {ty}: {} that reads a row with it must cope with a value that it does not know, and it \
             cannot be used in the transaction that adds it",
            context.old_code()
        );
        context.find(Finding::warning(Rule::AddEnumValue, message).breaks(&[Break::OldReads]));
    }
    Class::Expand
}

pub(super) fn alter_attribute(ty: &Name, what: &str, context: &mut Context<'_>) -> Class {
    if context.is_new(context.schema.other(Kind::Type, ty)) {
        return Class::Neutral;
    }
    let second = ty.sibling(format!("{}_2", ty.name));
    let message =
        format!("{what} the type {ty} in place: {} sends and expects the old form", context.old_code());
    context.find(
        Finding::breaking(Rule::AlterType, message).breaks(&[Break::OldReads, Break::OldWrites]).fix(
            fix::two_phases(
                &[
                    format!("CREATE TYPE {second} AS (<attributes>);"),
                    "ALTER TABLE <table> ADD COLUMN <column>_2 <type>_2;".to_owned(),
                ],
                &format!("code that uses {second}."),
                &["ALTER TABLE <table> DROP COLUMN <column>;".to_owned(), format!("DROP TYPE {ty};")],
            ),
        ),
    );
    Class::Contract
}

pub(super) fn alter_domain(domain: &Name, change: DomainChange, context: &mut Context<'_>) -> Class {
    if context.is_new(context.schema.other(Kind::Domain, domain)) {
        return Class::Neutral;
    }
    let old = context.old_code();
    match change {
        DomainChange::AddConstraint { .. } | DomainChange::SetNotNull => {
            let scans = match change {
                DomainChange::AddConstraint { not_valid: true } => "",
                DomainChange::AddConstraint { not_valid: false }
                | DomainChange::SetNotNull
                | DomainChange::Validate
                | DomainChange::DropConstraint
                | DomainChange::DropNotNull
                | DomainChange::SetDefault
                | DomainChange::DropDefault => "; every table with a column of it is read meanwhile",
            };
            context.find(
                Finding::contract(
                    Rule::AlterType,
                    format!("narrows the domain {domain}: writes of {old} that violate it fail{scans}"),
                )
                .breaks(&[Break::OldWrites, Break::Locks])
                .fix(fix::two_phases(
                    &[],
                    "code whose writes satisfy it; wait until no old code runs.",
                    &[
                        format!("ALTER DOMAIN {domain} ADD CONSTRAINT <name> CHECK (<condition>) NOT VALID;"),
                        format!("ALTER DOMAIN {domain} VALIDATE CONSTRAINT <name>;"),
                    ],
                )),
            );
            Class::Contract
        }
        DomainChange::DropDefault => {
            context.find(
                Finding::contract(Rule::DropDefault, format!("takes the default from the domain {domain}: inserts of {old} that rely on it leave columns empty"))
                    .breaks(&[Break::OldWrites]),
            );
            Class::Contract
        }
        DomainChange::DropConstraint => {
            context.find(
                Finding::contract(
                    Rule::DropConstraint,
                    format!("drops a constraint of the domain {domain}: {old} may rely on it"),
                )
                .breaks(&[Break::OldReads]),
            );
            Class::Contract
        }
        DomainChange::Validate => Class::Neutral,
        DomainChange::DropNotNull | DomainChange::SetDefault => Class::Expand,
    }
}
