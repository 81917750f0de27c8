//! What is known of the schema, followed from statement to statement.

use std::collections::{HashMap, HashSet};

use crate::facts::{
    Action, Column, ColumnChange, Constraint, ConstraintKind, DomainChange, Kind, Name, Type,
};

/// The release in which something came to be. What is older than all that was read has none.
pub(crate) type Origin = Option<usize>;

/// The schema as far as it is known.
#[derive(Debug, Default)]
pub(crate) struct Schema {
    tables: HashMap<String, Table>,
    indexes: HashMap<String, Index>,
    views: HashMap<String, View>,
    others: HashMap<String, usize>,
    dropped: HashMap<String, usize>,
    /// Domains with a constraint.
    narrow: HashSet<String>,
    /// Functions and procedures that change the schema whenever they are called.
    changing: HashSet<String>,
    /// Where a file has said that names without a schema are to be looked up, if not in `public`.
    path: Option<String>,
    has_temporary: bool,
}

/// A table as far as it is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub(crate) origin: Origin,
    pub(crate) temporary: bool,
    pub(crate) columns: HashMap<String, ColumnState>,
    pub(crate) constraints: HashMap<String, ConstraintState>,
    /// Columns that were dropped, and in which release.
    pub(crate) dropped: HashMap<String, usize>,
}

/// A column as far as it is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct ColumnState {
    pub(crate) origin: Origin,
    pub(crate) ty: Option<Type>,
    pub(crate) not_null: bool,
    pub(crate) fills_itself: bool,
}

/// A constraint as far as it is known.
#[derive(Clone, Debug)]
pub(crate) struct ConstraintState {
    pub(crate) origin: usize,
    /// The statement that added it, so that validating it at once can be seen.
    pub(crate) transaction: usize,
    pub(crate) validated: bool,
    /// The column of which it says `IS NOT NULL`.
    pub(crate) not_null: Option<String>,
}

/// An index that was created by itself, so that it is behind no constraint.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    pub(crate) table: Name,
    pub(crate) origin: usize,
}

/// A view and its columns, if they can be told.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) origin: usize,
    pub(crate) columns: Option<Vec<String>>,
}

/// Where in the course of all releases a statement stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) release: usize,
    pub(crate) transaction: usize,
}

/// The search path after `set_config`, which may have set it to anything: no schema has this name.
const UNKNOWN: &str = "?";

impl Schema {
    /// Names are looked up as always. What is temporary, or was set, may go on beyond a transaction or a file, or may not: nobody counts on it,
    /// so that a name is taken for one that released code uses.
    pub(crate) fn forget_the_session(&mut self) {
        self.path = None;
        if std::mem::take(&mut self.has_temporary) {
            self.tables.retain(|key, _| !key.starts_with(Name::TEMPORARY));
        }
    }

    /// What a name means here.
    fn key(&self, name: &Name) -> String {
        if let Some(schema) = &name.schema {
            return format!("{schema}.{}", name.name);
        }
        if self.has_temporary {
            let temporary = format!("{}.{}", Name::TEMPORARY, name.name);
            if self.tables.contains_key(&temporary) {
                return temporary;
            }
        }
        format!("{}.{}", self.path.as_deref().unwrap_or("public"), name.name)
    }

    fn object(&self, kind: Kind, name: &Name) -> String {
        let kind = if kind == Kind::Procedure { Kind::Function } else { kind };
        format!("{} {}", kind.sql(), self.key(name))
    }

    fn on_table_key(&self, kind: Kind, table: &Name, name: &str) -> String {
        format!("{} {name} on {}", kind.sql(), self.key(table))
    }

    /// Whether a function or procedure is known to change the schema whenever it is called.
    pub(crate) fn changes_when_called(&self, name: &Name) -> bool {
        self.changing.contains(&self.key(name))
    }

    pub(crate) fn table(&self, name: &Name) -> Option<&Table> {
        self.tables.get(&self.key(name))
    }

    pub(crate) fn column(&self, table: &Name, column: &str) -> Option<&ColumnState> {
        self.table(table)?.columns.get(column)
    }

    pub(crate) fn index(&self, name: &Name) -> Option<&Index> {
        self.indexes.get(&self.key(name))
    }

    pub(crate) fn view(&self, name: &Name) -> Option<&View> {
        self.views.get(&self.key(name))
    }

    /// The release in which something that is no table, index or view was created.
    pub(crate) fn other(&self, kind: Kind, name: &Name) -> Origin {
        self.others.get(&self.object(kind, name)).copied()
    }

    /// Whether a type is a domain that is known to have a constraint.
    pub(crate) fn is_narrow(&self, ty: &Name) -> bool {
        self.narrow.contains(&self.key(ty))
    }

    /// The tables with a column of this type, as far as they are known.
    pub(crate) fn with_columns_of(&self, ty: &Name) -> Vec<Name> {
        let is_of = |column: &ColumnState| {
            column.ty.as_ref().is_some_and(|it| !it.array && self.key(&it.written()) == self.key(ty))
        };
        let tables = self.tables.iter().filter(|(_, table)| table.columns.values().any(is_of));
        let mut names: Vec<Name> = tables
            .filter_map(|(key, _)| key.split_once('.'))
            .map(|(schema, name)| Name {
                schema: Some(schema.to_owned()).filter(|it| it != "public"),
                name: name.to_owned(),
            })
            .collect();
        names.sort_by(|a, b| a.key().cmp(&b.key()));
        names
    }

    /// Whether a validated constraint says that the column is not null.
    pub(crate) fn is_proven_not_null(&self, table: &Name, column: &str) -> bool {
        self.table(table).is_some_and(|table| {
            table.constraints.values().any(|it| it.validated && it.not_null.as_deref() == Some(column))
        })
    }

    /// What the schema is after this.
    pub(crate) fn apply(&mut self, action: &Action, now: Moment) {
        match action {
            // A table that is there already stays as it is.
            Action::CreateTable { table, if_not_exists: true, .. } if self.table(table).is_some() => {}
            Action::CreateTable { table, temporary, columns, constraints, .. } => {
                self.create_table(table, *temporary, columns, constraints, now);
            }
            Action::CreateTableAs { table, temporary } => self.create_table(table, *temporary, &[], &[], now),
            Action::AddColumn { table, column } => self.add_column(table, column, now),
            Action::DropColumn { table, column, cascade: _ } => {
                let table = self.known(table);
                table.columns.remove(column);
                table.dropped.insert(column.clone(), now.release);
            }
            Action::AlterColumn { table, column, change } => self.alter_column(table, column, change),
            Action::AddConstraint { table, constraint } => self.add_constraint(table, constraint, None, now),
            Action::DropConstraint { table, name } => {
                self.known(table).constraints.remove(name);
            }
            Action::ValidateConstraint { table, name } => {
                if let Some(constraint) = self.known(table).constraints.get_mut(name) {
                    constraint.validated = true;
                }
            }
            Action::Rename { kind, on, from, to } => self.rename(*kind, on.as_ref(), from, to),
            Action::Drop { kind, name, on: _, cascade: _, concurrently: _ } => self.drop(*kind, name, now),
            Action::CreateIndex { name: Some(name), table, .. } => {
                let key = self.key(name);
                self.indexes.insert(key, Index { table: table.clone(), origin: now.release });
            }
            Action::CreateView { name, columns, .. } => {
                let key = self.key(name);
                let origin = self.views.get(&key).map_or(now.release, |view| view.origin);
                self.views.insert(key, View { origin, columns: columns.clone() });
            }
            Action::Create { kind, name: Some(name) } => {
                let key = self.object(*kind, name);
                self.others.insert(key, now.release);
            }
            Action::CreateRoutine { kind, name, body, .. } => {
                let (object, key) = (self.object(*kind, name), self.key(name));
                self.others.entry(object).or_insert(now.release);
                if body.iter().any(|act| act.action.changes_schema()) {
                    self.changing.insert(key);
                } else {
                    self.changing.remove(&key);
                }
            }
            Action::AlterDomain {
                domain,
                change: DomainChange::AddConstraint { .. } | DomainChange::SetNotNull,
            } => {
                self.narrow.insert(self.key(domain));
            }
            Action::Set { name, value } if name == "search_path" => self.path = first_schema(value),
            Action::Runs { calls, .. } if calls.iter().any(|called| called.name == "set_config") => {
                self.path = Some(UNKNOWN.to_owned());
            }
            Action::Discard | Action::Commit | Action::Rollback => self.forget_the_session(),
            Action::CreateTrigger { name, table } => self.on_table(Kind::Trigger, table, name, now),
            Action::CreatePolicy { name, table, .. } => self.on_table(Kind::Policy, table, name, now),
            Action::CreateIndex { name: None, .. }
            | Action::Create { name: None, .. }
            | Action::AlterConstraint { .. }
            | Action::AttachPartition { .. }
            | Action::DetachPartition { .. }
            | Action::Inherit { .. }
            | Action::SetTrigger { .. }
            | Action::SetRowSecurity { .. }
            | Action::ChangeOwner { .. }
            | Action::Rewrite { .. }
            | Action::TableOption { .. }
            | Action::SetSchema { .. }
            | Action::RefreshView { .. }
            | Action::AlterPolicy { .. }
            | Action::CreateRule { .. }
            | Action::AddEnumValue { .. }
            | Action::AlterAttribute { .. }
            | Action::AlterDomain { .. }
            | Action::AlterSequence { .. }
            | Action::Grant
            | Action::Revoke { .. }
            | Action::Insert { .. }
            | Action::Update { .. }
            | Action::Delete { .. }
            | Action::Merge { .. }
            | Action::Truncate { .. }
            | Action::LockTable { .. }
            | Action::Set { .. }
            | Action::Begin
            | Action::Opaque { .. }
            | Action::Reindex { .. }
            | Action::Cluster { .. }
            | Action::Vacuum { .. }
            | Action::Administer(_)
            | Action::Runs { .. }
            | Action::Nothing(_) => {}
        }
    }

    fn known(&mut self, table: &Name) -> &mut Table {
        let key = self.key(table);
        self.tables.entry(key).or_default()
    }

    fn on_table(&mut self, kind: Kind, table: &Name, name: &str, now: Moment) {
        let key = self.on_table_key(kind, table, name);
        self.others.insert(key, now.release);
    }

    /// The release in which a trigger or policy was created.
    pub(crate) fn of_table(&self, kind: Kind, table: &Name, name: &str) -> Origin {
        self.others.get(&self.on_table_key(kind, table, name)).copied()
    }

    fn create_table(
        &mut self,
        name: &Name,
        temporary: bool,
        columns: &[Column],
        constraints: &[Constraint],
        now: Moment,
    ) {
        let table = Table { origin: Some(now.release), temporary, ..Table::default() };
        let key = if temporary { self.key(&name.clone().in_schema(Name::TEMPORARY)) } else { self.key(name) };
        self.has_temporary |= temporary;
        self.tables.insert(key, table);
        for column in columns {
            self.add_column(name, column, now);
        }
        for constraint in constraints {
            self.add_constraint(name, constraint, None, now);
        }
    }

    fn add_column(&mut self, table: &Name, column: &Column, now: Moment) {
        let state = ColumnState {
            origin: Some(now.release),
            ty: column.ty.clone(),
            not_null: column.not_null || column.is_serial(),
            fills_itself: column.fills_itself(),
        };
        self.known(table).columns.insert(column.name.clone(), state);
        for constraint in &column.constraints {
            self.add_constraint(table, constraint, Some(&column.name), now);
        }
    }

    fn alter_column(&mut self, table: &Name, column: &str, change: &ColumnChange) {
        let state = self.known(table).columns.entry(column.to_owned()).or_default();
        match change {
            ColumnChange::SetType { ty, using: _ } => state.ty.clone_from(ty),
            ColumnChange::SetNotNull => state.not_null = true,
            ColumnChange::DropNotNull => state.not_null = false,
            ColumnChange::SetDefault(default) => state.fills_itself = !default.null,
            ColumnChange::SetIdentity { .. } => state.fills_itself = true,
            ColumnChange::DropDefault | ColumnChange::DropIdentity | ColumnChange::DropExpression => {
                state.fills_itself = false;
            }
            ColumnChange::SetExpression | ColumnChange::Physical(_) => {}
        }
    }

    fn add_constraint(&mut self, table: &Name, constraint: &Constraint, column: Option<&str>, now: Moment) {
        let not_null = match &constraint.kind {
            ConstraintKind::Check(Some(expression)) => expression.not_null.clone(),
            ConstraintKind::NotNull { column } => column.clone(),
            ConstraintKind::Check(None)
            | ConstraintKind::Unique { .. }
            | ConstraintKind::PrimaryKey { .. }
            | ConstraintKind::ForeignKey { .. }
            | ConstraintKind::Exclude => None,
        };
        if let (ConstraintKind::PrimaryKey { columns, .. }, false) = (&constraint.kind, constraint.not_valid)
        {
            for column in columns {
                self.known(table).columns.entry(column.clone()).or_default().not_null = true;
            }
        }
        let name = constraint.name.clone().unwrap_or_else(|| default_name(table, constraint, column));
        let state = ConstraintState {
            origin: now.release,
            transaction: now.transaction,
            validated: !constraint.not_valid,
            not_null,
        };
        self.known(table).constraints.insert(name, state);
    }

    fn rename(&mut self, kind: Kind, on: Option<&Name>, from: &Name, to: &str) {
        if let Some(table) = on.map(|table| self.known(table)) {
            if kind == Kind::Column
                && let Some(state) = table.columns.remove(&from.name)
            {
                table.columns.insert(to.to_owned(), state);
            }
            if kind == Kind::Constraint
                && let Some(state) = table.constraints.remove(&from.name)
            {
                table.constraints.insert(to.to_owned(), state);
            }
        } else {
            let (from, to) = (self.key(from), self.key(&from.sibling(to)));
            if kind == Kind::Table {
                moved(&mut self.tables, &from, to);
            } else if kind == Kind::Index {
                moved(&mut self.indexes, &from, to);
            } else if kind.is_view() {
                moved(&mut self.views, &from, to);
            }
        }
    }

    fn drop(&mut self, kind: Kind, name: &Name, now: Moment) {
        if kind.is_table() {
            let key = self.key(name);
            self.tables.remove(&key);
            self.dropped.insert(key, now.release);
        } else if kind == Kind::Index {
            self.indexes.remove(&self.key(name));
        } else if kind.is_view() {
            self.views.remove(&self.key(name));
        } else {
            self.others.remove(&self.object(kind, name));
        }
    }

    /// The release in which a table of this name was dropped.
    pub(crate) fn dropped_table(&self, name: &Name) -> Origin {
        self.dropped.get(&self.key(name)).copied()
    }
}

/// The first schema of a search path, where names are looked up and made; none is said by `"$user", public` or `DEFAULT`.
fn first_schema(value: &str) -> Option<String> {
    let value = value.strip_prefix("TO ").or_else(|| value.strip_prefix("to ")).unwrap_or(value);
    let first = value.split(',').next()?.trim().trim_matches('\'');
    let quoted = first.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let name = quoted.map_or_else(|| first.to_lowercase(), str::to_owned);
    (!matches!(name.as_str(), "$user" | "public" | "default" | "")).then_some(name)
}

fn moved<T>(map: &mut HashMap<String, T>, from: &str, to: String) {
    if let Some(value) = map.remove(from) {
        map.insert(to, value);
    }
}

/// The name that PostgreSQL gives to a constraint without one.
fn default_name(table: &Name, constraint: &Constraint, column: Option<&str>) -> String {
    let (columns, end): (Vec<String>, &str) = match &constraint.kind {
        ConstraintKind::Check(expression) => {
            let columns = expression.as_ref().map_or_else(Vec::new, |it| it.columns.clone());
            (columns.into_iter().take(1).collect(), "check")
        }
        ConstraintKind::NotNull { column } => (column.iter().cloned().collect(), "not_null"),
        ConstraintKind::Unique { columns, .. } => (columns.clone(), "key"),
        ConstraintKind::PrimaryKey { .. } => (Vec::new(), "pkey"),
        ConstraintKind::ForeignKey { columns, .. } => (columns.clone(), "fkey"),
        ConstraintKind::Exclude => (Vec::new(), "excl"),
    };
    let key = matches!(constraint.kind, ConstraintKind::PrimaryKey { .. });
    let alone = columns.is_empty() && !key;
    let columns = if alone { column.map(str::to_owned).into_iter().collect() } else { columns };
    let mut parts = vec![table.name.clone()];
    parts.extend(columns);
    parts.push(end.to_owned());
    parts.join("_")
}
