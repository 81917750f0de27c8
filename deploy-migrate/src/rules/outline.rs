//! What a file does elsewhere, found once for all its statements.

use std::collections::HashMap;

use crate::facts::{Action, Column, ColumnChange, Name, Statement};

/// As many added columns of a table are kept: more than one other than the dropped one is no rename.
const KEPT: usize = 3;

/// The actions of a file to which rules look back or ahead.
#[derive(Debug, Default)]
pub(crate) struct Outline<'a> {
    added: HashMap<(&'a str, &'a str), Vec<&'a Column>>,
    /// The first statement that fills something from a column.
    read_by_update: HashMap<(&'a Name, &'a str), usize>,
    /// The last statement that sets a column's default.
    default_set: HashMap<(&'a Name, &'a str), usize>,
    /// The last statement that creates a view.
    view_created: HashMap<&'a Name, usize>,
}

impl<'a> Outline<'a> {
    pub(crate) fn of(statements: &'a [Statement]) -> Self {
        let mut outline = Self::default();
        for (at, statement) in statements.iter().enumerate() {
            for act in &statement.acts {
                outline.see(at, &act.action);
            }
        }
        outline
    }

    fn see(&mut self, at: usize, action: &'a Action) {
        if let Action::AddColumn { table, column } = action {
            let columns = self.added.entry(table.key()).or_default();
            if columns.len() < KEPT {
                columns.push(column);
            }
        }
        if let Action::CreateView { name, .. } = action {
            self.view_created.insert(name, at);
        }
        if let Action::Update { table, reads, .. } = action {
            for column in reads {
                self.read_by_update.entry((table, column)).or_insert(at);
            }
        }
        if let Action::AlterColumn { table, column, change: ColumnChange::SetDefault(_) } = action {
            self.default_set.insert((table, column), at);
        }
    }

    /// The columns that the file adds to a table, or some of many.
    pub(crate) fn added_to<'b>(&'b self, table: &'b Name) -> &'b [&'b Column] {
        self.added.get(&table.key()).map_or(&[], Vec::as_slice)
    }

    /// Whether something was filled from a column before this statement.
    pub(crate) fn is_read_before(&self, table: &Name, column: &str, at: usize) -> bool {
        self.read_by_update.get(&(table, column)).is_some_and(|first| *first < at)
    }

    /// Whether a view is created after this statement.
    pub(crate) fn gets_view_after(&self, name: &Name, at: usize) -> bool {
        self.view_created.get(name).is_some_and(|last| *last > at)
    }

    /// Whether a column gets a default after this statement.
    pub(crate) fn gets_default_after(&self, table: &Name, column: &str, at: usize) -> bool {
        self.default_set.get(&(table, column)).is_some_and(|last| *last > at)
    }
}
