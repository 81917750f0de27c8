//! Whether data was written to the columns that a step has added.

use mpac_deploy_core::port::PortError;

use super::session::Session;
use super::version::identifier;

/// A column as the catalog has it.
struct Column {
    is_generated: bool,
    kind: String,
    default: Option<String>,
    /// What the rows have that were there before the column.
    missing: Option<String>,
}

const COLUMN: &str = "SELECT a.attgenerated <> '', format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid), \
                      a.attmissingval::text \
                      FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
                      WHERE a.attrelid = to_regclass($1) AND a.attname = $2 AND a.attnum > 0 AND NOT a.attisdropped";

/// Those of these columns, each `table.column`, in which a row has something else than nothing or the column's default: what undoing
/// the step would lose.
///
/// A default that is not the same for every row, such as a number that is counted, counts as written: nobody can tell it from what
/// a program wrote.
pub(super) async fn among(session: &Session, columns: &[String]) -> Result<Vec<String>, PortError> {
    let mut written = Vec::new();
    for name in columns {
        if is_written(session, name).await? {
            written.push(name.clone());
        }
    }
    Ok(written)
}

async fn is_written(session: &Session, name: &str) -> Result<bool, PortError> {
    let Some((table, column)) = split(name) else {
        return Err(PortError::Refused(format!(
            "`{name}` is no column: a step's `adds` are written `table.column`"
        )));
    };
    let Some(found) = column_of(session, &table, &column).await? else { return Ok(false) };
    if found.is_generated {
        return Ok(false);
    }
    let column = identifier(&column);
    let unwritten = match (&found.default, &found.missing) {
        (Some(default), _) if is_constant(default) => format!("({default})::{}::text", found.kind),
        (_, Some(missing)) => format!("(({})::{}[])[1]::text", literal(missing), found.kind),
        (Some(_) | None, None) => "NULL".to_owned(),
    };
    let sql = format!(
        "SELECT EXISTS (SELECT FROM {table} WHERE {column} IS NOT NULL AND {column}::text IS DISTINCT FROM {unwritten})"
    );
    Ok(session.value::<bool>(&sql, &[]).await? == Some(true))
}

async fn column_of(session: &Session, table: &str, column: &str) -> Result<Option<Column>, PortError> {
    let rows = session.rows(COLUMN, &[&table, &column]).await?;
    Ok(rows.first().map(|row| Column {
        is_generated: row.get(0),
        kind: row.get(1),
        default: row.get(2),
        missing: row.get(3),
    }))
}

/// The table as SQL, and the plain name of the column.
fn split(name: &str) -> Option<(String, String)> {
    let mut parts: Vec<String> = vec![String::new()];
    let mut is_quoted = false;
    for c in name.chars() {
        match c {
            '"' => is_quoted = !is_quoted,
            '.' if !is_quoted => parts.push(String::new()),
            _ => parts.last_mut()?.push(c),
        }
    }
    let column = parts.pop()?;
    let table = parts.iter().map(|part| identifier(part)).collect::<Vec<_>>().join(".");
    (!parts.is_empty() && parts.iter().all(|part| !part.is_empty()) && !column.is_empty())
        .then_some((table, column))
}

/// Whether an expression, as PostgreSQL writes it, is a value by itself: a number, a truth value, or a quoted text with its type.
fn is_constant(expression: &str) -> bool {
    if expression.parse::<f64>().is_ok() || matches!(expression, "true" | "false") {
        return true;
    }
    let Some(rest) = expression.strip_prefix('\'') else { return false };
    let mut rest = rest;
    // Two quotes are one that belongs to the text.
    while let Some((_, after)) = rest.split_once('\'') {
        match after.strip_prefix('\'') {
            Some(after) => rest = after,
            None => {
                let is_type = |c: char| c.is_alphanumeric() || " ()\",._[]".contains(c);
                return after.is_empty()
                    || after.strip_prefix("::").is_some_and(|kind| kind.chars().all(is_type));
            }
        }
    }
    false
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_named_with_its_table_and_perhaps_its_schema() {
        let of = |name| split(name).map(|(table, column)| format!("{table} {column}"));
        assert_eq!(of("payments.total").as_deref(), Some("\"payments\" total"));
        assert_eq!(of("billing.payments.total").as_deref(), Some("\"billing\".\"payments\" total"));
        assert_eq!(of("\"Odd.Name\".\"Total\"").as_deref(), Some("\"Odd.Name\" Total"));
        assert_eq!((of("total"), of(".total"), of("payments.")), (None, None, None));
    }

    #[test]
    fn a_constant_is_told_from_what_is_computed() {
        for constant in [
            "1",
            "-1.5",
            "true",
            "'x'::text",
            "'it''s'::character varying(10)",
            "'{}'::jsonb",
            "'a'::public.\"Mood\"",
        ] {
            assert!(is_constant(constant), "{constant}");
        }
        for computed in [
            "now()",
            "nextval('s'::regclass)",
            "'a'::text || 'b'::text",
            "CURRENT_DATE",
            "'x' || lower('Y'::text)",
        ] {
            assert!(!is_constant(computed), "{computed}");
        }
    }
}
