//! What a statement does.

use super::{Act, Column, Constraint, Expression, Kind, Name, Type};
use crate::lock::LockMode;

/// A change of one column.
#[derive(Clone, Debug)]
pub(crate) enum ColumnChange {
    SetType {
        ty: Option<Type>,
        using: Option<String>,
    },
    SetNotNull,
    DropNotNull,
    SetDefault(Expression),
    DropDefault,
    /// Numbered by PostgreSQL; `always` means that a value in an insert is refused.
    SetIdentity {
        always: bool,
    },
    DropIdentity,
    DropExpression,
    SetExpression,
    /// Statistics, storage, compression and the like: no code sees it.
    Physical(&'static str),
}

/// A change of row-level security.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowSecurity {
    Enable,
    Disable,
    Force,
    NoForce,
}

/// What a statement does.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    CreateTable {
        table: Name,
        temporary: bool,
        if_not_exists: bool,
        columns: Vec<Column>,
        constraints: Vec<Constraint>,
        partition_of: Option<Name>,
    },
    CreateTableAs {
        table: Name,
        temporary: bool,
    },
    AddColumn {
        table: Name,
        column: Column,
    },
    DropColumn {
        table: Name,
        column: String,
        cascade: bool,
    },
    AlterColumn {
        table: Name,
        column: String,
        change: ColumnChange,
    },
    AddConstraint {
        table: Name,
        constraint: Constraint,
    },
    DropConstraint {
        table: Name,
        name: String,
    },
    ValidateConstraint {
        table: Name,
        name: String,
    },
    AlterConstraint {
        table: Name,
        name: String,
    },
    AttachPartition {
        table: Name,
        partition: Name,
    },
    DetachPartition {
        table: Name,
        partition: Name,
        concurrently: bool,
    },
    Inherit {
        table: Name,
        parent: Name,
        removed: bool,
    },
    SetTrigger {
        table: Name,
        enabled: bool,
    },
    SetRowSecurity {
        table: Name,
        change: RowSecurity,
    },
    ChangeOwner {
        kind: Kind,
        name: Name,
    },
    /// Forms of `ALTER TABLE` that write the whole table anew.
    Rewrite {
        table: Name,
        what: &'static str,
    },
    /// Forms of `ALTER TABLE` that no code sees.
    TableOption {
        table: Name,
        what: &'static str,
    },
    Rename {
        kind: Kind,
        on: Option<Name>,
        from: Name,
        to: String,
    },
    SetSchema {
        kind: Kind,
        name: Name,
        schema: String,
    },
    Drop {
        kind: Kind,
        name: Name,
        on: Option<Name>,
        cascade: bool,
        concurrently: bool,
    },
    CreateIndex {
        name: Option<Name>,
        table: Name,
        unique: bool,
        concurrently: bool,
        columns: Vec<String>,
        text: String,
    },
    CreateView {
        name: Name,
        replace: bool,
        /// It holds the rows of its query, from the beginning.
        fills: bool,
        columns: Option<Vec<String>>,
    },
    RefreshView {
        name: Name,
        concurrently: bool,
    },
    CreateRoutine {
        kind: Kind,
        name: Name,
        replace: bool,
        body: Vec<Act>,
    },
    CreateTrigger {
        name: String,
        table: Name,
    },
    CreatePolicy {
        name: String,
        table: Name,
        restrictive: bool,
    },
    AlterPolicy {
        name: String,
        table: Name,
    },
    CreateRule {
        name: String,
        table: Name,
    },
    /// Something new that nobody uses yet.
    Create {
        kind: Kind,
        name: Option<Name>,
    },
    AddEnumValue {
        ty: Name,
        value: String,
    },
    AlterAttribute {
        ty: Name,
        what: &'static str,
    },
    AlterDomain {
        domain: Name,
        change: DomainChange,
    },
    AlterSequence {
        name: Name,
    },
    Grant,
    Revoke {
        what: String,
        roles: Vec<String>,
    },
    Insert {
        table: Name,
    },
    Update {
        table: Name,
        columns: Vec<String>,
        reads: Vec<String>,
        filtered: bool,
    },
    Delete {
        table: Name,
        filtered: bool,
    },
    Merge {
        table: Name,
    },
    Truncate {
        tables: Vec<Name>,
    },
    LockTable {
        tables: Vec<Name>,
        mode: LockMode,
    },
    Set {
        name: String,
        value: String,
    },
    /// What the session holds is gone: temporary tables, and what was set.
    Discard,
    Begin,
    Commit,
    Rollback,
    /// Something that runs and cannot be read: SQL that is put together at run time, or a block in this language.
    Opaque {
        language: Option<String>,
    },
    Reindex {
        concurrently: bool,
        text: String,
    },
    Cluster {
        table: Option<Name>,
    },
    Vacuum {
        full: bool,
        tables: Vec<Name>,
    },
    /// Changes how the server or a role behaves, not what the data is.
    Administer(&'static str),
    /// Queries, calls and loops: nobody can say how long they take, and what the functions do is not followed.
    Runs {
        what: &'static str,
        calls: Vec<Name>,
    },
    /// Comments, savepoints: nothing that either version sees.
    Nothing(&'static str),
}

impl Action {
    /// Why nobody can say from the file, or from the size of a table, how much it has to do.
    pub(crate) const fn unknown_work(&self) -> Option<&'static str> {
        if matches!(self, Self::Insert { .. } | Self::Merge { .. }) {
            Some("writes rows, and the file does not say how many")
        } else if matches!(
            self,
            Self::CreateTableAs { .. } | Self::RefreshView { .. } | Self::CreateView { fills: true, .. }
        ) {
            Some("writes the rows of a query")
        } else if matches!(self, Self::Reindex { .. } | Self::Cluster { .. } | Self::Vacuum { .. }) {
            Some("works on whole tables")
        } else if matches!(self, Self::Opaque { .. }) {
            Some("runs what cannot be read")
        } else if matches!(self, Self::Runs { .. }) {
            Some("runs a query or a procedure")
        } else {
            None
        }
    }

    /// Whether it writes rows.
    pub(crate) const fn changes_rows(&self) -> bool {
        matches!(self, Self::Insert { .. } | Self::Update { .. } | Self::Delete { .. } | Self::Merge { .. })
    }

    /// Whether the schema is another one afterwards, for all sessions.
    pub(crate) fn changes_schema(&self) -> bool {
        match self {
            Self::CreateTable { temporary, .. } | Self::CreateTableAs { temporary, .. } => !temporary,
            Self::AddColumn { .. }
            | Self::DropColumn { .. }
            | Self::AlterColumn { .. }
            | Self::AddConstraint { .. }
            | Self::DropConstraint { .. }
            | Self::ValidateConstraint { .. }
            | Self::AlterConstraint { .. }
            | Self::AttachPartition { .. }
            | Self::DetachPartition { .. }
            | Self::Inherit { .. }
            | Self::SetTrigger { .. }
            | Self::SetRowSecurity { .. }
            | Self::ChangeOwner { .. }
            | Self::Rewrite { .. }
            | Self::TableOption { .. }
            | Self::Rename { .. }
            | Self::SetSchema { .. }
            | Self::Drop { .. }
            | Self::CreateIndex { .. }
            | Self::CreateView { .. }
            | Self::CreateRoutine { .. }
            | Self::CreateTrigger { .. }
            | Self::CreatePolicy { .. }
            | Self::AlterPolicy { .. }
            | Self::CreateRule { .. }
            | Self::Create { .. }
            | Self::AddEnumValue { .. }
            | Self::AlterAttribute { .. }
            | Self::AlterDomain { .. }
            | Self::AlterSequence { .. }
            | Self::Truncate { .. } => true,
            Self::RefreshView { .. }
            | Self::Grant
            | Self::Revoke { .. }
            | Self::Insert { .. }
            | Self::Update { .. }
            | Self::Delete { .. }
            | Self::Merge { .. }
            | Self::LockTable { .. }
            | Self::Set { .. }
            | Self::Discard
            | Self::Begin
            | Self::Commit
            | Self::Rollback
            | Self::Opaque { .. }
            | Self::Reindex { .. }
            | Self::Cluster { .. }
            | Self::Vacuum { .. }
            | Self::Administer(_)
            | Self::Runs { .. }
            | Self::Nothing(_) => false,
        }
    }

    /// The table that it is about.
    pub(crate) fn table(&self) -> Option<&Name> {
        match self {
            Self::CreateTable { table, .. }
            | Self::CreateTableAs { table, .. }
            | Self::AddColumn { table, .. }
            | Self::DropColumn { table, .. }
            | Self::AlterColumn { table, .. }
            | Self::AddConstraint { table, .. }
            | Self::DropConstraint { table, .. }
            | Self::ValidateConstraint { table, .. }
            | Self::AlterConstraint { table, .. }
            | Self::DetachPartition { table, .. }
            | Self::Inherit { table, .. }
            | Self::SetTrigger { table, .. }
            | Self::SetRowSecurity { table, .. }
            | Self::Rewrite { table, .. }
            | Self::TableOption { table, .. }
            | Self::CreateIndex { table, .. }
            | Self::CreateTrigger { table, .. }
            | Self::CreatePolicy { table, .. }
            | Self::AlterPolicy { table, .. }
            | Self::CreateRule { table, .. }
            | Self::Insert { table }
            | Self::Update { table, .. }
            | Self::Delete { table, .. }
            | Self::Merge { table }
            | Self::Cluster { table: Some(table) } => Some(table),
            Self::AttachPartition { partition, .. } => Some(partition),
            Self::Rename { kind, on: None, from: name, .. }
            | Self::SetSchema { kind, name, .. }
            | Self::ChangeOwner { kind, name }
            | Self::Drop { kind, name, on: None, .. } => kind.is_table().then_some(name),
            Self::Rename { on, .. } | Self::Drop { on, .. } => on.as_ref(),
            Self::Truncate { tables } | Self::LockTable { tables, .. } | Self::Vacuum { tables, .. } => {
                tables.first()
            }
            Self::CreateView { .. }
            | Self::RefreshView { .. }
            | Self::CreateRoutine { .. }
            | Self::Create { .. }
            | Self::AddEnumValue { .. }
            | Self::AlterAttribute { .. }
            | Self::AlterDomain { .. }
            | Self::AlterSequence { .. }
            | Self::Grant
            | Self::Revoke { .. }
            | Self::Set { .. }
            | Self::Discard
            | Self::Begin
            | Self::Commit
            | Self::Rollback
            | Self::Opaque { .. }
            | Self::Reindex { .. }
            | Self::Cluster { table: None }
            | Self::Administer(_)
            | Self::Runs { .. }
            | Self::Nothing(_) => None,
        }
    }

    /// Whether it cannot run in a transaction.
    pub(crate) fn must_stand_alone(&self) -> bool {
        match self {
            Self::CreateIndex { concurrently, .. }
            | Self::DetachPartition { concurrently, .. }
            | Self::Reindex { concurrently, .. } => *concurrently,
            Self::Drop { kind, concurrently, .. } => *concurrently || *kind == Kind::Database,
            Self::Create { kind, .. } => *kind == Kind::Database,
            Self::Vacuum { .. } | Self::Discard => true,
            Self::CreateTable { .. }
            | Self::CreateTableAs { .. }
            | Self::AddColumn { .. }
            | Self::DropColumn { .. }
            | Self::AlterColumn { .. }
            | Self::AddConstraint { .. }
            | Self::DropConstraint { .. }
            | Self::ValidateConstraint { .. }
            | Self::AlterConstraint { .. }
            | Self::AttachPartition { .. }
            | Self::Inherit { .. }
            | Self::SetTrigger { .. }
            | Self::SetRowSecurity { .. }
            | Self::ChangeOwner { .. }
            | Self::Rewrite { .. }
            | Self::TableOption { .. }
            | Self::Rename { .. }
            | Self::SetSchema { .. }
            | Self::CreateView { .. }
            | Self::RefreshView { .. }
            | Self::CreateRoutine { .. }
            | Self::CreateTrigger { .. }
            | Self::CreatePolicy { .. }
            | Self::AlterPolicy { .. }
            | Self::CreateRule { .. }
            | Self::AddEnumValue { .. }
            | Self::AlterAttribute { .. }
            | Self::AlterDomain { .. }
            | Self::AlterSequence { .. }
            | Self::Grant
            | Self::Revoke { .. }
            | Self::Insert { .. }
            | Self::Update { .. }
            | Self::Delete { .. }
            | Self::Merge { .. }
            | Self::Truncate { .. }
            | Self::LockTable { .. }
            | Self::Set { .. }
            | Self::Begin
            | Self::Commit
            | Self::Rollback
            | Self::Opaque { .. }
            | Self::Cluster { .. }
            | Self::Administer(_)
            | Self::Runs { .. }
            | Self::Nothing(_) => false,
        }
    }
}

/// A change of a domain: every column of it feels it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DomainChange {
    AddConstraint { not_valid: bool },
    SetNotNull,
    Validate,
    DropConstraint,
    DropNotNull,
    SetDefault,
    DropDefault,
}
