//! Names as PostgreSQL understands them.

use std::fmt;
use std::hash::{Hash, Hasher};

/// A name, with its schema if it was written. Unquoted parts are in lower case.
#[derive(Clone, Debug, Eq)]
pub(crate) struct Name {
    pub(crate) schema: Option<String>,
    pub(crate) name: String,
}

impl Name {
    /// The schema of what is temporary, which hides all others of its name.
    pub(crate) const TEMPORARY: &str = "pg_temp";

    pub(crate) fn new(name: impl Into<String>) -> Self {
        Self { schema: None, name: name.into() }
    }

    /// The same schema, another name.
    pub(crate) fn sibling(&self, name: impl Into<String>) -> Self {
        Self { schema: self.schema.clone(), name: name.into() }
    }

    /// The same name there.
    pub(crate) fn in_schema(self, schema: &str) -> Self {
        Self { schema: Some(schema.to_owned()), ..self }
    }

    /// `public` is where unqualified names are looked up.
    pub(crate) fn key(&self) -> (&str, &str) {
        (self.schema.as_deref().unwrap_or("public"), &self.name)
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{}.", ident(schema))?;
        }
        f.write_str(&ident(&self.name))
    }
}

/// An identifier as it must be written: quoted if it is no plain word.
pub(crate) fn ident(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !RESERVED.contains(&name);
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// Reserved in PostgreSQL 15: cannot be a column's name unquoted.
const RESERVED: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "column",
    "constraint",
    "create",
    "current_catalog",
    "current_date",
    "current_role",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "false",
    "fetch",
    "for",
    "foreign",
    "from",
    "grant",
    "group",
    "having",
    "in",
    "initially",
    "intersect",
    "into",
    "lateral",
    "leading",
    "limit",
    "localtime",
    "localtimestamp",
    "not",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "placing",
    "primary",
    "references",
    "returning",
    "select",
    "session_user",
    "some",
    "symmetric",
    "table",
    "then",
    "to",
    "trailing",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "variadic",
    "when",
    "where",
    "window",
    "with",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_is_where_a_bare_name_is_looked_up() {
        let bare = Name::new("t");
        let qualified = Name { schema: Some("public".into()), name: "t".into() };
        assert_eq!(bare, qualified);
        assert_ne!(bare, Name { schema: Some("s".into()), name: "t".into() });
    }

    #[test]
    fn what_is_no_plain_word_is_quoted() {
        assert_eq!(ident("amount"), "amount");
        assert_eq!(ident("Order"), "\"Order\"");
        assert_eq!(ident("user"), "\"user\"");
        assert_eq!(ident("a\"b"), "\"a\"\"b\"");
    }
}
