//! New tables, partitions and inheritance.

use super::{Context, fix};
use crate::class::{Break, Class};
use crate::facts::{Column, Constraint, ConstraintKind, Name};
use crate::report::Finding;
use crate::rule::Rule;

/// A new table, and what it says of others.
pub(super) fn create(
    table: &Name,
    columns: &[Column],
    constraints: &[Constraint],
    partition_of: Option<&Name>,
    context: &mut Context<'_>,
) -> Class {
    if let Some(parent) = partition_of {
        create_partition(table, parent, context);
    }
    for constraint in columns.iter().flat_map(|column| &column.constraints).chain(constraints) {
        if let ConstraintKind::ForeignKey { references: Some(other), .. } = &constraint.kind {
            references(table, other, context);
        }
    }
    Class::Expand
}

fn create_partition(table: &Name, parent: &Name, context: &mut Context<'_>) {
    if context.is_quick(parent) {
        return;
    }
    context.find(
        Finding::warning(
            Rule::AttachPartition,
            format!("creates {table} as a partition of {parent}: that takes ACCESS EXCLUSIVE on {parent}, and everybody waits for it"),
        )
        .breaks(&[Break::Locks])
        .fix(format!(
            "CREATE TABLE {table} (LIKE {parent} INCLUDING ALL);\nALTER TABLE {table} ADD CONSTRAINT {}_bounds CHECK (<bounds>);\n\
             ALTER TABLE {parent} ATTACH PARTITION {table} FOR VALUES <bounds>;",
            table.name
        )),
    );
}

/// A foreign key locks the table that it refers to, if only for a moment.
fn references(table: &Name, other: &Name, context: &mut Context<'_>) {
    if table == other || context.is_quick(other) {
        return;
    }
    context.find(
        Finding::note(
            Rule::AddForeignKey,
            format!("the foreign key to {other} takes SHARE ROW EXCLUSIVE on it for a moment, and rows that it refers to can no longer be deleted"),
        )
        .breaks(&[Break::Locks, Break::OldWrites]),
    );
}

pub(super) fn attach(table: &Name, partition: &Name, context: &mut Context<'_>) -> Class {
    if context.is_quick(partition) {
        return Class::Expand;
    }
    context.find(
        Finding::warning(
            Rule::AttachPartition,
            format!("attaches {partition} to {table}: without a validated CHECK of the same bounds {partition} is read under ACCESS EXCLUSIVE, and so is a default partition"),
        )
        .breaks(&[Break::Locks])
        .fix(format!(
            "ALTER TABLE {partition} ADD CONSTRAINT {0}_bounds CHECK (<bounds>) NOT VALID;\n\
             ALTER TABLE {partition} VALIDATE CONSTRAINT {0}_bounds; -- in a transaction of its own\n\
             ALTER TABLE {table} ATTACH PARTITION {partition} FOR VALUES <bounds>;\n\
             ALTER TABLE {partition} DROP CONSTRAINT {0}_bounds;",
            partition.name
        )),
    );
    Class::Expand
}

pub(super) fn detach(table: &Name, partition: &Name, concurrently: bool, context: &mut Context<'_>) -> Class {
    if context.is_new_table(partition) {
        return Class::Neutral;
    }
    let locks = if concurrently || context.is_quick(table) {
        ""
    } else {
        "; without CONCURRENTLY everybody who uses the table waits"
    };
    let message = format!(
        "detaches {partition} from {table}: reads of {} do not find its rows any more{locks}",
        context.old_code()
    );
    let how = if context.config.postgres >= DETACH_CONCURRENTLY { " CONCURRENTLY" } else { "" };
    context.find(
        Finding::contract(Rule::DetachPartition, message)
            .breaks(if locks.is_empty() { &[Break::OldReads] } else { &[Break::OldReads, Break::Locks] })
            .fix(fix::second_phase(
                "code that does not need these rows.",
                &format!("ALTER TABLE {table} DETACH PARTITION {partition}{how};"),
            )),
    );
    Class::Contract
}

/// The first PostgreSQL that knows `DETACH PARTITION … CONCURRENTLY`.
const DETACH_CONCURRENTLY: u32 = 14;

pub(super) fn inherit(table: &Name, parent: &Name, removed: bool, context: &mut Context<'_>) -> Class {
    if context.is_new_table(table) {
        return Class::Expand;
    }
    if !removed {
        return Class::Expand;
    }
    context.find(
        Finding::contract(
            Rule::DetachPartition,
            format!(
                "takes {table} out of {parent}: reads of {} do not find its rows any more",
                context.old_code()
            ),
        )
        .breaks(&[Break::OldReads])
        .fix(fix::second_phase(
            "code that does not need these rows.",
            &format!("ALTER TABLE {table} NO INHERIT {parent};"),
        )),
    );
    Class::Contract
}
