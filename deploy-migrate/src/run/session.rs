//! A connection of our own to the database: its version, its sessions and its catalog are read through it.

use mpac_deploy_core::port::PortError;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, NoTls, Row};

use super::database::{Database, causes};
use super::tls::Tls;

/// The name of our own sessions.
const NAME: &str = "mpac-deploy";
/// A question to the catalog, or for data in a new column, that takes longer is given up (ours).
const STATEMENT_TIMEOUT: &str = "60s";
/// Our questions wait for nobody's exclusive lock for longer (ours).
const LOCK_TIMEOUT: &str = "5s";

/// A connection. Dropping it ends it.
pub(super) struct Session {
    pub(super) client: Client,
}

impl Session {
    pub(super) async fn open(database: &Database) -> Result<Self, PortError> {
        let mut config = database.config.clone();
        config.application_name(NAME);
        let opened = match &database.tls {
            Tls::Off => config.connect(NoTls).await.map(|(client, connection)| {
                tokio::spawn(connection);
                client
            }),
            Tls::Preferred(tls) | Tls::Required(tls) => {
                config.connect(tls.clone()).await.map(|(client, connection)| {
                    tokio::spawn(connection);
                    client
                })
            }
        };
        let client = opened.map_err(|error| failed(&format!("{database}"), &error))?;
        let session = Self { client };
        session
            .run(&format!(
                "SET statement_timeout = '{STATEMENT_TIMEOUT}'; SET lock_timeout = '{LOCK_TIMEOUT}'"
            ))
            .await?;
        Ok(session)
    }

    /// Statements without an answer.
    pub(super) async fn run(&self, sql: &str) -> Result<(), PortError> {
        self.client.batch_execute(sql).await.map_err(|error| failed(sql, &error))
    }

    pub(super) async fn rows(
        &self,
        sql: &str,
        parameters: &[&(dyn tokio_postgres::types::ToSql + Sync)],
    ) -> Result<Vec<Row>, PortError> {
        self.client.query(sql, parameters).await.map_err(|error| failed(sql, &error))
    }

    /// The first column of the first row, if there is one and it is not null.
    pub(super) async fn value<T>(
        &self,
        sql: &str,
        parameters: &[&(dyn tokio_postgres::types::ToSql + Sync)],
    ) -> Result<Option<T>, PortError>
    where
        T: for<'a> tokio_postgres::types::FromSql<'a>,
    {
        let rows = self.rows(sql, parameters).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        row.try_get(0).map_err(|error| failed(sql, &error))
    }
}

/// How much of a statement is repeated in an error.
const QUOTED_CHARS: usize = 120;

/// An error of the driver by its meaning.
pub(super) fn failed(what: &str, error: &tokio_postgres::Error) -> PortError {
    let what: String =
        what.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(QUOTED_CHARS).collect();
    let Some(said) = error.as_db_error() else {
        return PortError::Unavailable(format!("{what}: {}", causes(error)));
    };
    let code = said.code();
    let text = format!("{what}: {} (SQLSTATE {})", said.message(), code.code());
    if *code == SqlState::INVALID_CATALOG_NAME {
        return PortError::NotFound(text);
    }
    // Classes 08, 40, 53, 55, 57 and 58: the connection, conflicts, resources, locks, operators and the machine.
    let passes = ["08", "40", "53", "55", "57", "58"].iter().any(|class| code.code().starts_with(class));
    if passes { PortError::Unavailable(text) } else { PortError::Refused(text) }
}
