//! What PostgreSQL does with the tables: which locks it takes, and whether it reads or writes all rows.

use serde::Serialize;

use crate::facts::{
    Action, Column, ColumnChange, Constraint, ConstraintKind, DomainChange, Expression, Generated, Kind, Name,
};
use crate::lock::LockMode;
use crate::state::Schema;
use crate::types::{TypeChange, change};

/// A lock that a statement holds to the end of its transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TableLock {
    /// The table, view or index.
    pub table: String,
    #[serde(skip)]
    name: Name,
    /// How strong.
    pub mode: LockMode,
}

/// What a statement costs those who use its tables.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Impact {
    /// The locks on what was there before.
    pub locks: Vec<TableLock>,
    /// All rows of a table are read.
    pub scans: bool,
    /// A table, or an index as large, is written anew.
    pub rewrites: bool,
}

impl Impact {
    fn lock(mut self, name: &Name, mode: LockMode) -> Self {
        self.locks.push(TableLock { table: name.to_string(), name: name.clone(), mode });
        self
    }

    fn scans(mut self, scans: bool) -> Self {
        self.scans |= scans;
        self
    }

    fn rewrites(mut self, rewrites: bool) -> Self {
        self.rewrites |= rewrites;
        self
    }

    /// Both, one after the other.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.locks.extend(other.locks);
        self.scans(other.scans).rewrites(other.rewrites)
    }

    /// Each table once, with its strongest lock.
    pub(crate) fn settled(mut self) -> Self {
        self.locks.sort_by(|a, b| (&a.table, b.mode).cmp(&(&b.table, a.mode)));
        self.locks.dedup_by(|later, first| later.table == first.table);
        self
    }

    /// The tables that are locked, and how.
    pub(crate) fn named_locks(&self) -> impl Iterator<Item = (&Name, LockMode)> {
        self.locks.iter().map(|lock| (&lock.name, lock.mode))
    }

    /// The strongest lock.
    #[must_use]
    pub fn strongest(&self) -> Option<LockMode> {
        self.locks.iter().map(|lock| lock.mode).max()
    }
}

/// What PostgreSQL does for an action to those who use the tables: one that is new in the release has no users.
pub(crate) fn felt(action: &Action, schema: &Schema, release: usize) -> Impact {
    let is_new = |name: &Name| {
        schema.table(name).is_some_and(|table| table.temporary || table.origin == Some(release))
    };
    if let Action::AlterDomain { domain, .. } = action
        && schema.other(Kind::Domain, domain) == Some(release)
    {
        return Impact::default();
    }
    let mut impact = of(action, schema);
    impact.locks.retain(|lock| !is_new(&lock.name));
    if action.table().is_some_and(is_new) {
        impact.scans = false;
        impact.rewrites = false;
    }
    impact
}

/// What PostgreSQL does for an action, given what is known before it.
fn of(action: &Action, schema: &Schema) -> Impact {
    let none = Impact::default;
    let on = |name: &Name, mode| none().lock(name, mode);
    let exclusive = |name: &Name| on(name, LockMode::AccessExclusive);
    match action {
        Action::CreateTable { columns, constraints, partition_of, .. } => {
            let inline = columns.iter().flat_map(|column| &column.constraints);
            let impact = inline
                .chain(constraints)
                .filter_map(referenced)
                .fold(none(), |impact, table| impact.lock(table, LockMode::ShareRowExclusive));
            partition_of.iter().fold(impact, |impact, parent| impact.lock(parent, LockMode::AccessExclusive))
        }
        Action::AddColumn { table, column } => add_column(table, column, schema),
        Action::DropColumn { table, .. } | Action::SetRowSecurity { table, .. } => exclusive(table),
        Action::AlterColumn { table, column, change } => alter_column(table, column, change, schema),
        Action::AddConstraint { table, constraint } => add_constraint(table, constraint, schema),
        Action::DropConstraint { table, .. } => exclusive(table),
        Action::ValidateConstraint { table, .. } => on(table, LockMode::ShareUpdateExclusive).scans(true),
        Action::AlterConstraint { table, .. } => exclusive(table),
        Action::AttachPartition { table, partition } => {
            on(table, LockMode::ShareUpdateExclusive).lock(partition, LockMode::AccessExclusive).scans(true)
        }
        Action::DetachPartition { table, partition, concurrently: true } => {
            on(table, LockMode::ShareUpdateExclusive).lock(partition, LockMode::AccessExclusive)
        }
        Action::DetachPartition { table, partition, concurrently: false } => {
            exclusive(table).lock(partition, LockMode::AccessExclusive)
        }
        Action::Inherit { table, parent, .. } => {
            exclusive(table).lock(parent, LockMode::ShareUpdateExclusive)
        }
        Action::SetTrigger { table, .. } | Action::CreateTrigger { table, .. } => {
            on(table, LockMode::ShareRowExclusive)
        }
        Action::ChangeOwner { kind, name } if kind.is_table() || kind.is_view() => exclusive(name),
        Action::Rewrite { table, .. } => exclusive(table).rewrites(true),
        Action::TableOption { table, what: "options" } => on(table, LockMode::ShareUpdateExclusive),
        Action::TableOption { table, .. } => exclusive(table),
        Action::Rename { kind, on: table, from, .. } => renamed(*kind, table.as_ref(), from),
        Action::SetSchema { kind, name, .. } if kind.is_table() || kind.is_view() => exclusive(name),
        Action::Drop { kind, name, on: table, concurrently, .. } => {
            dropped(*kind, name, table.as_ref(), *concurrently, schema)
        }
        Action::CreateIndex { table, concurrently, .. } => {
            let mode = if *concurrently { LockMode::ShareUpdateExclusive } else { LockMode::Share };
            on(table, mode).scans(true)
        }
        Action::CreateView { name, replace: true, .. } => exclusive(name),
        Action::RefreshView { name, concurrently } => {
            let mode = if *concurrently { LockMode::Exclusive } else { LockMode::AccessExclusive };
            on(name, mode).rewrites(!concurrently)
        }
        Action::CreatePolicy { table, .. }
        | Action::AlterPolicy { table, .. }
        | Action::CreateRule { table, .. } => exclusive(table),
        Action::AlterDomain { domain, change } => match change {
            DomainChange::AddConstraint { not_valid: false }
            | DomainChange::SetNotNull
            | DomainChange::Validate => {
                let tables = schema.with_columns_of(domain);
                // There may be others that are not known.
                tables.iter().fold(none().scans(true), |impact, table| impact.lock(table, LockMode::Share))
            }
            DomainChange::AddConstraint { not_valid: true }
            | DomainChange::DropConstraint
            | DomainChange::DropNotNull
            | DomainChange::SetDefault
            | DomainChange::DropDefault => none(),
        },
        Action::Insert { table } | Action::Merge { table } => on(table, LockMode::RowExclusive),
        Action::Update { table, .. } | Action::Delete { table, .. } => {
            on(table, LockMode::RowExclusive).scans(true)
        }
        Action::Truncate { tables } => tables
            .iter()
            .fold(none(), |impact, table| impact.lock(table, LockMode::AccessExclusive))
            .rewrites(true),
        Action::LockTable { tables, mode } => {
            tables.iter().fold(none(), |impact, table| impact.lock(table, *mode))
        }
        Action::Cluster { table: Some(table) } => exclusive(table).rewrites(true),
        Action::Vacuum { full, tables } => {
            let mode = if *full { LockMode::AccessExclusive } else { LockMode::ShareUpdateExclusive };
            tables.iter().fold(none(), |impact, table| impact.lock(table, mode)).rewrites(*full)
        }
        Action::ChangeOwner { .. }
        | Action::SetSchema { .. }
        | Action::CreateTableAs { .. }
        | Action::CreateView { replace: false, .. }
        | Action::CreateRoutine { .. }
        | Action::Create { .. }
        | Action::AddEnumValue { .. }
        | Action::AlterAttribute { .. }
        | Action::AlterSequence { .. }
        | Action::Grant
        | Action::Revoke { .. }
        | Action::Set { .. }
        | Action::Discard
        | Action::Begin
        | Action::Commit
        | Action::Rollback
        | Action::Opaque { .. }
        | Action::Reindex { .. }
        | Action::Cluster { table: None }
        | Action::Administer(_)
        | Action::Runs { .. }
        | Action::Nothing(_) => none(),
    }
}

fn referenced(constraint: &Constraint) -> Option<&Name> {
    match &constraint.kind {
        ConstraintKind::ForeignKey { references, .. } => references.as_ref(),
        ConstraintKind::Check(_)
        | ConstraintKind::NotNull { .. }
        | ConstraintKind::Unique { .. }
        | ConstraintKind::PrimaryKey { .. }
        | ConstraintKind::Exclude => None,
    }
}

fn add_column(table: &Name, column: &Column, schema: &Schema) -> Impact {
    let impact = Impact::default().lock(table, LockMode::AccessExclusive);
    let impact = column
        .constraints
        .iter()
        .filter_map(referenced)
        .fold(impact, |impact, other| impact.lock(other, LockMode::ShareRowExclusive));
    let rewrites = rewrites_for(column) || is_of_narrow_domain(column, schema);
    let checked = column.constraints.iter().any(|constraint| match constraint.kind {
        ConstraintKind::Check(_)
        | ConstraintKind::Unique { .. }
        | ConstraintKind::PrimaryKey { .. }
        | ConstraintKind::Exclude => true,
        ConstraintKind::ForeignKey { .. } => column.fills_itself(),
        ConstraintKind::NotNull { .. } => false,
    });
    let empty = column.not_null && !column.fills_itself();
    impact.scans(checked || empty || rewrites).rewrites(rewrites)
}

/// Every row is checked against the constraints of a domain, while the table is written anew.
pub(crate) fn is_of_narrow_domain(column: &Column, schema: &Schema) -> bool {
    column.ty.as_ref().is_some_and(|ty| schema.is_narrow(&ty.written()))
}

/// Whether every row gets a value of its own, which must be written.
pub(crate) fn rewrites_for(column: &Column) -> bool {
    let generated = matches!(column.generated, Some(Generated::Stored | Generated::Identity));
    generated || column.is_serial() || column.default.as_ref().is_some_and(is_volatile)
}

/// Functions whose value is the same throughout a statement, or for ever: PostgreSQL computes them once. What is not
/// listed counts as volatile.
const COMPUTED_ONCE: &[&str] = &[
    "now",
    "transaction_timestamp",
    "statement_timestamp",
    "current_timestamp",
    "current_date",
    "current_time",
    "current_user",
    "current_role",
    "current_schema",
    "current_catalog",
    "current_database",
    "current_setting",
    "localtime",
    "localtimestamp",
    "session_user",
    "user",
    "lower",
    "upper",
    "trim",
    "btrim",
    "ltrim",
    "rtrim",
    "coalesce",
    "nullif",
    "greatest",
    "least",
    "concat",
    "length",
    "md5",
    "sha256",
    "encode",
    "decode",
    "to_char",
    "to_date",
    "to_timestamp",
    "to_jsonb",
    "to_json",
    "jsonb_build_object",
    "jsonb_build_array",
    "json_build_object",
    "json_build_array",
    "array_fill",
    "make_date",
    "make_interval",
    "make_timestamp",
    "make_timestamptz",
    "date_trunc",
    "date_part",
    "extract",
    "timezone",
    "age",
    "abs",
    "round",
    "ceil",
    "floor",
    "trunc",
    "mod",
    "power",
    "sqrt",
    "int4range",
    "int8range",
    "numrange",
    "tsrange",
    "tstzrange",
    "daterange",
    "cast",
    "row",
    "array",
    "replace",
    "repeat",
    "left",
    "right",
    "substring",
    "pg_catalog.now",
    "uuid_nil",
    "txid_current",
    "pg_backend_pid",
];

/// Whether an expression may differ from row to row.
pub(crate) fn is_volatile(expression: &Expression) -> bool {
    expression.calls.iter().any(|call| !COMPUTED_ONCE.contains(&call.as_str()))
}

fn alter_column(table: &Name, column: &str, change_of: &ColumnChange, schema: &Schema) -> Impact {
    let exclusive = Impact::default().lock(table, LockMode::AccessExclusive);
    match change_of {
        ColumnChange::SetType { ty, using } => {
            let old = schema.column(table, column).and_then(|state| state.ty.as_ref());
            let rewrites = ty.as_ref().is_none_or(|ty| {
                change(old, ty, is_conversion(column, using.as_deref())) == TypeChange::Rewrites
            });
            exclusive.scans(rewrites).rewrites(rewrites)
        }
        ColumnChange::SetNotNull => {
            let known = schema.is_proven_not_null(table, column)
                || schema.column(table, column).is_some_and(|state| state.not_null);
            exclusive.scans(!known)
        }
        ColumnChange::SetExpression => exclusive.scans(true).rewrites(true),
        ColumnChange::Physical("SET STATISTICS" | "options of the column") => {
            Impact::default().lock(table, LockMode::ShareUpdateExclusive)
        }
        ColumnChange::DropNotNull
        | ColumnChange::SetDefault(_)
        | ColumnChange::DropDefault
        | ColumnChange::SetIdentity { .. }
        | ColumnChange::DropIdentity
        | ColumnChange::DropExpression
        | ColumnChange::Physical(_) => exclusive,
    }
}

/// `USING x` of the column itself converts nothing.
pub(crate) fn is_conversion(column: &str, using: Option<&str>) -> bool {
    using.is_some_and(|using| using.trim_matches('"') != column)
}

fn add_constraint(table: &Name, constraint: &Constraint, schema: &Schema) -> Impact {
    let exclusive = Impact::default().lock(table, LockMode::AccessExclusive);
    match &constraint.kind {
        ConstraintKind::Check(_) => exclusive.scans(!constraint.not_valid),
        ConstraintKind::NotNull { column } => {
            let proven = column.as_deref().is_some_and(|column| schema.is_proven_not_null(table, column));
            exclusive.scans(!constraint.not_valid && !proven)
        }
        ConstraintKind::Unique { using_index, .. } => exclusive.scans(using_index.is_none()),
        ConstraintKind::PrimaryKey { using_index, .. } => exclusive.scans(using_index.is_none()),
        ConstraintKind::ForeignKey { references, .. } => {
            let impact = Impact::default().lock(table, LockMode::ShareRowExclusive);
            let impact = references
                .iter()
                .fold(impact, |impact, other| impact.lock(other, LockMode::ShareRowExclusive));
            impact.scans(!constraint.not_valid)
        }
        ConstraintKind::Exclude => exclusive.scans(true),
    }
}

fn renamed(kind: Kind, on: Option<&Name>, from: &Name) -> Impact {
    let target = match on {
        Some(table)
            if matches!(
                kind,
                Kind::Column | Kind::Constraint | Kind::Trigger | Kind::Policy | Kind::Rule
            ) =>
        {
            table
        }
        None if kind.is_table() || kind.is_view() => from,
        Some(_) | None => return Impact::default(),
    };
    Impact::default().lock(target, LockMode::AccessExclusive)
}

fn dropped(kind: Kind, name: &Name, on: Option<&Name>, concurrently: bool, schema: &Schema) -> Impact {
    let none = Impact::default();
    if kind.is_table() || kind.is_view() {
        return none.lock(name, LockMode::AccessExclusive);
    }
    if kind == Kind::Index {
        let mode = if concurrently { LockMode::ShareUpdateExclusive } else { LockMode::AccessExclusive };
        return match schema.index(name) {
            Some(index) => none.lock(&index.table, mode),
            None => none.lock(name, mode),
        };
    }
    on.map_or_else(Impact::default, |table| Impact::default().lock(table, LockMode::AccessExclusive))
}
