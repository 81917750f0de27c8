//! Whether a project's Alembic works on the copy, before it may change anything.
//!
//! A project may know its database by itself, from a file or another variable than the one that was named. Then every command would go to
//! that database, which may be production. It may also know a second one besides: the hook of [`super::capture`] lets it connect to the copy
//! only, and a Python that does not load the hook runs nothing here.

use mpac_deploy_core::ids::{SchemaVersion, ServiceName};
use mpac_deploy_core::port::PortError;
use tokio::time::Instant;

use super::capture::Capture;
use super::copy;
use crate::run::Limits;
use crate::run::change::Changing;
use crate::run::database::Database;
use crate::run::lines::Lines;
use crate::run::session::Session;
use crate::run::tool::{MigrationTool, Setting};

/// A revision that no project has; Alembic's column holds 32 characters.
const SENTINEL: &str = "mpac_rehearsal_of_this_copy";

/// Asks the project's Alembic where its database is, while the copy has a revision that no project knows: only who reads the copy can name it.
/// golang-migrate is told its database on the command line.
pub(super) async fn prove(
    service: &ServiceName,
    database: &Database,
    tool: &MigrationTool,
    limits: &Limits,
    from: &SchemaVersion,
    capture: Option<&Capture>,
) -> Result<(), PortError> {
    if matches!(tool, MigrationTool::GolangMigrate(_)) {
        return Ok(());
    }
    let session = Session::open(database).await?;
    let table = tool.table(database).sql();
    let is_there: Option<bool> = session.value("SELECT to_regclass($1) IS NOT NULL", &[&table]).await?;
    if is_there == Some(true) {
        session.run(&format!("DELETE FROM {table}")).await?;
    } else {
        session.run(&format!("CREATE TABLE {table} (version_num varchar(32) NOT NULL)")).await?;
    }
    session.run(&format!("INSERT INTO {table} VALUES ('{SENTINEL}')")).await?;
    let setting = Setting {
        database,
        application: "mpac-deploy/rehearsal",
        lock_timeout: limits.lock_timeout,
        notices_dead_clients: false,
    };
    let mut lines = Lines::default();
    let program = tool.program(&setting, vec!["current".to_owned()]);
    let changing = Changing { service, database, tool, limits };
    changing.start(&program, &mut lines, Instant::now() + limits.deadline).await?;
    if capture.is_some_and(|capture| !capture.is_heard()) {
        return Err(PortError::Refused(format!(
            "the Python of {service} does not load what keeps it from other databases than the copy, a sitecustomize on PYTHONPATH ({}), so nothing \
             was run: run Alembic on this machine, with SQLAlchemy, and without -I, -E or -S",
            lines.last_words()
        )));
    }
    if !lines.iter().any(|line| line.contains(SENTINEL)) {
        return Err(PortError::Refused(format!(
            "the Alembic of {service} does not look at the copy but at another database, or at none ({}), so nothing was run: name the variable in \
             which its env.py finds the URL (--url-env, or `with_url_in`)",
            lines.last_words()
        )));
    }
    if is_there == Some(true) {
        session.run(&format!("DELETE FROM {table}")).await?;
        copy::note_version(&session, tool, database, from).await
    } else {
        session.run(&format!("DROP TABLE {table}")).await
    }
}
