//! Kinds of things that have names.

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
