//! What a statement does, in words of our own: the rules know nothing of the parser.

mod action;
mod kind;
mod name;
mod read;

pub(crate) use action::{Action, ColumnChange, DomainChange, RowSecurity};
pub(crate) use kind::Kind;
pub(crate) use name::{Name, ident};
pub(crate) use read::read;

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

impl Type {
    /// Its name, with the schema if it was written.
    pub(crate) fn written(&self) -> Name {
        match self.name.split_once('.') {
            Some((schema, name)) => Name { schema: Some(schema.to_owned()), name: name.to_owned() },
            None => Name::new(self.name.as_str()),
        }
    }
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
