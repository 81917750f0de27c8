//! Who may do and see what.

use super::{Context, fix};
use crate::class::{Break, Class};
use crate::facts::{Kind, Name, RowSecurity, ident};
use crate::report::Finding;
use crate::rule::Rule;

pub(super) fn revoke(what: &str, roles: &[String], context: &mut Context<'_>) -> Class {
    if !roles.is_empty() && !roles.iter().any(|role| context.config.is_used_role(role)) {
        return Class::Neutral;
    }
    let statement = format!("{};", what.trim_end_matches(';'));
    context.find(
        Finding::contract(
            Rule::Revoke,
            format!("takes a right from {}: {} that needs it fails", roles.join(", "), context.old_code()),
        )
        .breaks(&[Break::OldReads, Break::OldWrites])
        .fix(fix::second_phase("code that does not need the right.", &statement)),
    );
    Class::Contract
}

pub(super) fn owner(kind: Kind, name: &Name, context: &mut Context<'_>) -> Class {
    let new = if kind.is_table() {
        context.is_new_table(name)
    } else {
        context.is_new(context.schema.other(kind, name))
    };
    if new {
        return Class::Neutral;
    }
    context.find(
        Finding::contract(
            Rule::Revoke,
            format!(
                "gives the {} {name} another owner: {} that connects as the old one loses its rights",
                kind.word(),
                context.old_code()
            ),
        )
        .breaks(&[Break::OldReads, Break::OldWrites])
        .fix(fix::two_phases(
            &[format!("GRANT ALL ON {} {name} TO <old owner>, <new owner>;", kind.sql())],
            "code that connects as the new owner.",
            &[format!("ALTER {} {name} OWNER TO <new owner>;", kind.sql())],
        )),
    );
    Class::Contract
}

pub(super) fn row_security(table: &Name, change: RowSecurity, context: &mut Context<'_>) -> Class {
    if context.is_new_table(table) {
        return Class::Neutral;
    }
    match change {
        RowSecurity::Disable | RowSecurity::NoForce => return Class::Expand,
        RowSecurity::Enable | RowSecurity::Force => {}
    }
    let message = format!(
        "turns row-level security of {table} on: {} sees and writes only the rows that a policy lets it, and without a policy none",
        context.old_code()
    );
    context.find(
        Finding::contract(Rule::RowSecurity, message).breaks(&[Break::OldReads, Break::OldWrites]).fix(
            fix::two_phases(
                &[format!("CREATE POLICY <name> ON {table} USING (<condition>); -- has no effect yet")],
                "code that satisfies the policy.",
                &[format!("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;")],
            ),
        ),
    );
    Class::Contract
}

pub(super) fn policy(name: &str, table: &Name, restrictive: bool, context: &mut Context<'_>) -> Class {
    if !restrictive || context.is_new_table(table) {
        return Class::Expand;
    }
    let message = format!(
        "adds the restrictive policy {} to {table}: {} no longer sees or writes what it forbids",
        ident(name),
        context.old_code()
    );
    context.find(
        Finding::contract(Rule::RowSecurity, message).breaks(&[Break::OldReads, Break::OldWrites]).fix(
            fix::second_phase(
                "code that satisfies the policy.",
                &format!("CREATE POLICY {} ON {table} AS RESTRICTIVE USING (<condition>);", ident(name)),
            ),
        ),
    );
    Class::Contract
}

pub(super) fn changed_policy(name: &str, table: &Name, context: &mut Context<'_>) -> Class {
    if context.is_new_table(table) || context.is_new(context.schema.of_table(Kind::Policy, table, name)) {
        return Class::Neutral;
    }
    let message = format!(
        "changes the policy {} of {table}: {} may see and write other rows than before",
        ident(name),
        context.old_code()
    );
    context.find(
        Finding::contract(Rule::RowSecurity, message).breaks(&[Break::OldReads, Break::OldWrites]).fix(fix::two_phases(
            &[format!("CREATE POLICY {} ON {table} USING (<new condition>); -- beside the old one: either lets a row through", ident(&format!("{name}_2")))],
            "code that satisfies the new one.",
            &[format!("DROP POLICY {} ON {table};", ident(name))],
        )),
    );
    Class::Contract
}
