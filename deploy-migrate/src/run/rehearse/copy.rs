//! The schema of a database, without its rows, in another one: by PostgreSQL's own programs.

use std::ffi::OsString;
use std::io;
use std::time::Duration;

use mpac_deploy_core::ids::{SchemaVersion, ServiceName};
use mpac_deploy_core::port::PortError;
use tempfile::NamedTempFile;
use tokio::time::Instant;

use crate::run::database::Database;
use crate::run::lines::Lines;
use crate::run::process::{Ended, Program};
use crate::run::session::Session;
use crate::run::tool::MigrationTool;
use crate::run::version::{ALEMBIC_NOTHING, MIGRATE_NOTHING};

/// A schema is dumped and restored within this (ours: ten thousand tables take a minute or two).
const DEADLINE: Duration = Duration::from_secs(600);
/// So long `pg_dump` waits for somebody's exclusive lock. It holds ACCESS SHARE on every table while it reads, so that whoever wants an exclusive
/// lock waits for the dump.
const LOCK_WAIT: &str = "--lock-wait-timeout=5s";

/// PostgreSQL's client programs.
#[derive(Clone, Debug)]
pub(super) struct Programs {
    pub(super) pg_dump: String,
    pub(super) psql: String,
}

impl Default for Programs {
    fn default() -> Self {
        Self { pg_dump: "pg_dump".to_owned(), psql: "psql".to_owned() }
    }
}

impl Programs {
    /// Roles and tablespaces may be missing where the copy is, so owners and rights stay behind.
    pub(super) async fn copy_schema(
        &self,
        from: &Database,
        to: &Database,
        service: &ServiceName,
    ) -> Result<(), PortError> {
        let file = NamedTempFile::new()
            .map_err(|error| PortError::Unavailable(format!("no file for the dump of a schema: {error}")))?;
        let path = file.path().display().to_string();
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        let dump = words(&[
            "--schema-only",
            "--no-owner",
            "--no-privileges",
            "--no-tablespaces",
            "--no-security-labels",
            // A copy that follows somebody's changes would take a slot there, and could not be dropped.
            "--no-subscriptions",
            "--no-publications",
            LOCK_WAIT,
            "--file",
            &path,
            "--dbname",
        ]);
        run(&self.pg_dump, dump, from, service).await?;
        let restore =
            words(&["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--file", &path, "--dbname"]);
        run(&self.psql, restore, to, service).await
    }
}

async fn run(
    program: &str,
    mut arguments: Vec<String>,
    database: &Database,
    service: &ServiceName,
) -> Result<(), PortError> {
    arguments.push(database.for_libpq());
    let password = database.password().map(|password| ("PGPASSWORD".to_owned(), OsString::from(password)));
    let options = database.options().map(|options| ("PGOPTIONS".to_owned(), OsString::from(options)));
    let program = Program {
        words: vec![program.to_owned()],
        arguments,
        directory: None,
        environment: password.into_iter().chain(options).collect(),
        forgotten: Vec::new(),
    };
    let (mut lines, name) = (Lines::default(), &program.words[0]);
    let until = Instant::now() + DEADLINE;
    match program.run(&database.secrets(), service.as_str(), until, &mut lines).await {
        Ok(Ended::Itself(status)) if status.success() => Ok(()),
        Ok(Ended::Itself(status)) => {
            Err(PortError::Refused(format!("{name} ended with {status}: {}", lines.last_words())))
        }
        Ok(Ended::Stopped) => {
            Err(PortError::Unavailable(format!("{name} had not ended after {} s", DEADLINE.as_secs())))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(PortError::NotFound(format!(
            "there is no program `{name}`: a rehearsal copies the schema with PostgreSQL's own client programs; install them (on Debian \
             postgresql-client), as new as the server or newer"
        ))),
        Err(error) => Err(PortError::Unavailable(format!("{name} cannot be run: {error}"))),
    }
}

/// The table of the version came without its row.
pub(super) async fn note_version(
    session: &Session,
    tool: &MigrationTool,
    database: &Database,
    version: &SchemaVersion,
) -> Result<(), PortError> {
    let table = tool.table(database).sql();
    match tool {
        MigrationTool::Alembic(_) => {
            let heads = version.as_str().split(',').filter(|head| *head != ALEMBIC_NOTHING);
            for head in heads {
                session.rows(&format!("INSERT INTO {table} VALUES ($1)"), &[&head]).await?;
            }
        }
        MigrationTool::GolangMigrate(_) if version.as_str() != MIGRATE_NOTHING => {
            // The version was read as a number.
            session.run(&format!("INSERT INTO {table} (version, dirty) VALUES ({version}, false)")).await?;
        }
        MigrationTool::GolangMigrate(_) => {}
    }
    Ok(())
}
