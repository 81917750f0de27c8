//! What a statement does, in words of our own: the rules know nothing of the parser.

mod name;
mod read;

pub(crate) use name::{Name, ident};
pub(crate) use read::read;

use crate::lock::LockMode;
use crate::text::Span;

/// One statement of a file.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub(crate) span: Span,
    pub(crate) acts: Vec<Act>,
    pub(crate) comments: Vec<Span>,
    pub(crate) problem: Option<Problem>,
}

/// Why a statement cannot be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// It is no SQL that PostgreSQL would run.
    Syntax { message: String, span: Span },
    /// It nests deeper than is read.
    TooDeep,
}

impl Problem {
    /// In words.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::Syntax { message, .. } => format!("cannot be read: {message}"),
            Self::TooDeep => "cannot be read: it nests too deeply".to_owned(),
        }
    }
}

/// One thing that a statement does, and where it says so.
#[derive(Clone, Debug)]
pub(crate) struct Act {
    pub(crate) span: Span,
    pub(crate) action: Action,
}

/// A type as it is written, in a form that can be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Type {
    /// PostgreSQL's own name: `varchar`, `int4`, `timestamptz`.
    pub(crate) name: String,
    /// `(15, 2)`; empty if any number is not a plain one.
    pub(crate) args: Vec<u32>,
    pub(crate) array: bool,
    /// As it stands in the file.
    pub(crate) text: String,
}

/// A column as it is declared.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) ty: Option<Type>,
    pub(crate) not_null: bool,
    pub(crate) default: Option<Expression>,
    pub(crate) generated: Option<Generated>,
    /// Everything else that is declared with it.
    pub(crate) constraints: Vec<Constraint>,
}

impl Column {
    pub(crate) fn is_serial(&self) -> bool {
        self.ty.as_ref().is_some_and(|ty| ["serial", "bigserial", "smallserial"].contains(&ty.name.as_str()))
    }

    /// Whether a row that does not name the column gets a value for it.
    pub(crate) fn fills_itself(&self) -> bool {
        self.default.as_ref().is_some_and(|default| !default.null)
            || self.generated.is_some()
            || self.is_serial()
    }
}

/// How a generated column comes to its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Generated {
    Identity,
    Stored,
    Virtual,
}

/// An expression, and what matters of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expression {
    pub(crate) text: String,
    pub(crate) null: bool,
    /// The functions that it calls, and forms such as `current_timestamp`.
    pub(crate) calls: Vec<String>,
    pub(crate) columns: Vec<String>,
    /// `x IS NOT NULL` and nothing else: the column.
    pub(crate) not_null: Option<String>,
}

/// A constraint, on a column or on a table.
#[derive(Clone, Debug)]
pub(crate) struct Constraint {
    pub(crate) name: Option<String>,
    pub(crate) kind: ConstraintKind,
    pub(crate) not_valid: bool,
    /// The text of the declaration.
    pub(crate) text: String,
}

#[derive(Clone, Debug)]
pub(crate) enum ConstraintKind {
    Check(Option<Expression>),
    NotNull { column: Option<String> },
    Unique { columns: Vec<String>, using_index: Option<Name> },
    PrimaryKey { columns: Vec<String>, using_index: Option<Name> },
    ForeignKey { columns: Vec<String>, references: Option<Name> },
    Exclude,
}

/// Kinds of things that have names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Table,
    View,
    MaterializedView,
    Index,
    Sequence,
    Function,
    Procedure,
    Aggregate,
    Type,
    Domain,
    Schema,
    Trigger,
    Policy,
    Rule,
    Extension,
    Database,
    Role,
    ForeignTable,
    Column,
    Constraint,
    EnumValue,
    Attribute,
    Other(&'static str),
}

impl Kind {
    /// As it stands in SQL.
    pub(crate) const fn sql(self) -> &'static str {
        match self {
            Self::Table => "TABLE",
            Self::View => "VIEW",
            Self::MaterializedView => "MATERIALIZED VIEW",
            Self::Index => "INDEX",
            Self::Sequence => "SEQUENCE",
            Self::Function => "FUNCTION",
            Self::Procedure => "PROCEDURE",
            Self::Aggregate => "AGGREGATE",
            Self::Type => "TYPE",
            Self::Domain => "DOMAIN",
            Self::Schema => "SCHEMA",
            Self::Trigger => "TRIGGER",
            Self::Policy => "POLICY",
            Self::Rule => "RULE",
            Self::Extension => "EXTENSION",
            Self::Database => "DATABASE",
            Self::Role => "ROLE",
            Self::ForeignTable => "FOREIGN TABLE",
            Self::Column => "COLUMN",
            Self::Constraint => "CONSTRAINT",
            Self::EnumValue => "VALUE",
            Self::Attribute => "ATTRIBUTE",
            Self::Other(name) => name,
        }
    }

    pub(crate) fn is_table(self) -> bool {
        matches!(self, Self::Table | Self::ForeignTable)
    }

    pub(crate) fn is_view(self) -> bool {
        matches!(self, Self::View | Self::MaterializedView)
    }

    pub(crate) fn is_routine(self) -> bool {
        matches!(self, Self::Function | Self::Procedure | Self::Aggregate)
    }

    /// As it stands in a sentence.
    pub(crate) fn word(self) -> String {
        self.sql().to_lowercase()
    }
}

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
    /// Queries, comments, savepoints: nothing that either version sees.
    Nothing(&'static str),
}

impl Action {
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
            | Self::Begin
            | Self::Commit
            | Self::Rollback
            | Self::Opaque { .. }
            | Self::Reindex { .. }
            | Self::Cluster { table: None }
            | Self::Administer(_)
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
            Self::Vacuum { .. } => true,
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
