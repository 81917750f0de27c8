//! The version of a schema, read from the table in which a tool keeps it.

use std::fmt;

use mpac_deploy_core::ids::SchemaVersion;
use mpac_deploy_core::port::PortError;

use super::session::Session;

/// What Alembic calls a schema without any revision.
pub(super) const ALEMBIC_NOTHING: &str = "base";
/// A schema without any migration of golang-migrate, for which the tool has no word.
pub(super) const MIGRATE_NOTHING: &str = "none";

/// The table in which a tool keeps the version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct VersionTable {
    pub(super) schema: Option<String>,
    pub(super) name: String,
}

impl VersionTable {
    pub(super) fn new(name: &str) -> Self {
        Self { schema: None, name: name.to_owned() }
    }

    /// As golang-migrate takes it: `name`, or `"schema"."name"` with the quotes.
    pub(super) fn quoted(text: &str) -> Self {
        let parts: Vec<&str> = text.split('"').filter(|part| !part.is_empty() && *part != ".").collect();
        match parts[..] {
            [schema, name] => Self { schema: Some(schema.to_owned()), name: name.to_owned() },
            _ => Self::new(text.trim_matches('"')),
        }
    }

    /// As SQL.
    pub(super) fn sql(&self) -> String {
        let schema = self.schema.iter().map(|schema| format!("{}.", identifier(schema))).collect::<String>();
        format!("{schema}{}", identifier(&self.name))
    }
}

/// A name as SQL.
pub(super) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// What the database says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) version: SchemaVersion,
    /// golang-migrate began with this version and has not noted the end.
    pub(super) is_dirty: bool,
}

impl Found {
    pub(super) fn is(&self, version: &SchemaVersion) -> bool {
        !self.is_dirty && self.version == *version
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.version, if self.is_dirty { " (dirty)" } else { "" })
    }
}

async fn is_there(session: &Session, table: &VersionTable) -> Result<bool, PortError> {
    let found: Option<bool> = session.value("SELECT to_regclass($1) IS NOT NULL", &[&table.sql()]).await?;
    Ok(found == Some(true))
}

/// Several heads at once are one version, their names in order and joined by commas.
pub(super) async fn of_alembic(session: &Session, table: &VersionTable) -> Result<Found, PortError> {
    let mut heads: Vec<String> = Vec::new();
    if is_there(session, table).await? {
        let sql = format!("SELECT version_num::text FROM {} ORDER BY 1", table.sql());
        heads.extend(session.rows(&sql, &[]).await?.iter().map(|row| row.get::<_, String>(0)));
    }
    let version = if heads.is_empty() { ALEMBIC_NOTHING.to_owned() } else { heads.join(",") };
    Ok(Found { version: SchemaVersion::new(version), is_dirty: false })
}

pub(super) async fn of_migrate(session: &Session, table: &VersionTable) -> Result<Found, PortError> {
    let nothing = || SchemaVersion::from(MIGRATE_NOTHING);
    if !is_there(session, table).await? {
        return Ok(Found { version: nothing(), is_dirty: false });
    }
    let sql = format!("SELECT version::bigint, dirty FROM {} LIMIT 1", table.sql());
    let rows = session.rows(&sql, &[]).await?;
    Ok(match rows.first().map(|row| (row.get::<_, i64>(0), row.get::<_, bool>(1))) {
        Some((number @ 0.., is_dirty)) => Found { version: SchemaVersion::new(number.to_string()), is_dirty },
        Some((_, is_dirty)) => Found { version: nothing(), is_dirty },
        None => Found { version: nothing(), is_dirty: false },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_named_with_and_without_its_schema() {
        assert_eq!(VersionTable::new("a\"b").sql(), "\"a\"\"b\"");
        assert_eq!(VersionTable::quoted("\"ops\".\"versions\"").sql(), "\"ops\".\"versions\"");
        assert_eq!(VersionTable::quoted("versions").sql(), "\"versions\"");
    }
}
