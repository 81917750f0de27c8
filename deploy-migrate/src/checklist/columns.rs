//! Columns that are added, and the indexes that come with them.

use std::collections::{HashMap, HashSet};

use crate::facts::{Action, Column, Constraint, ConstraintKind, Name, ident, read};
use crate::migration::Migration;

/// What is added, and what is indexed, by the first column.
#[derive(Default)]
struct Found {
    /// In the order of the files; with the table that it refers to.
    columns: Vec<(Name, String, Option<Name>)>,
    /// By the table's key.
    indexed: HashMap<Name, HashSet<String>>,
}

/// Columns added to tables, and references of new tables, of which no index of the release begins with them: one line each.
pub(super) fn unindexed<'a>(migrations: impl Iterator<Item = &'a Migration>) -> Vec<String> {
    let mut found = Found::default();
    for act in migrations.flat_map(|migration| read(migration.text())).flat_map(|statement| statement.acts) {
        found.note(&act.action);
    }
    let is_indexed =
        |table: &Name, column: &str| found.indexed.get(table).is_some_and(|columns| columns.contains(column));
    let mut seen = HashSet::new();
    found
        .columns
        .iter()
        .filter(|(table, column, _)| !is_indexed(table, column) && seen.insert((table, column)))
        .map(|(table, column, refers_to)| {
            let shown = format!("{table}.{}", ident(column));
            match refers_to {
                Some(other) => format!(
                    "{shown} refers to {other}: without an index every deletion there reads all of {table}"
                ),
                None => shown,
            }
        })
        .collect()
}

impl Found {
    fn note(&mut self, action: &Action) {
        if let Action::AddColumn { table, column } = action {
            self.columns.push((table.clone(), column.name.clone(), None));
            self.declared(table, column);
        } else if let Action::CreateTable { table, temporary: false, columns, constraints, .. } = action {
            columns.iter().for_each(|column| self.declared(table, column));
            constraints.iter().for_each(|constraint| self.constraint(table, None, constraint));
        } else if let Action::AddConstraint { table, constraint } = action {
            self.constraint(table, None, constraint);
        } else if let Action::CreateIndex { table, columns, .. } = action {
            self.index(table, columns.first());
        }
    }

    fn declared(&mut self, table: &Name, column: &Column) {
        for constraint in &column.constraints {
            self.constraint(table, Some(&column.name), constraint);
        }
    }

    /// `of` is the column that the constraint is declared with, if it is.
    fn constraint(&mut self, table: &Name, of: Option<&String>, constraint: &Constraint) {
        match &constraint.kind {
            ConstraintKind::Unique { columns, .. } | ConstraintKind::PrimaryKey { columns, .. } => {
                self.index(table, of.or(columns.first()));
            }
            ConstraintKind::ForeignKey { columns, references } => {
                let column = of.or(columns.first());
                self.columns.retain(|(known, name, _)| known != table || Some(name) != column);
                self.columns.extend(column.map(|column| (table.clone(), column.clone(), references.clone())));
            }
            ConstraintKind::Check(_) | ConstraintKind::NotNull { .. } | ConstraintKind::Exclude => {}
        }
    }

    fn index(&mut self, table: &Name, column: Option<&String>) {
        self.indexed.entry(table.clone()).or_default().extend(column.cloned());
    }
}
