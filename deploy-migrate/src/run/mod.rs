//! Runs the real tools: the port `Schema` by Alembic and golang-migrate on PostgreSQL.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use mpac_deploy_core::port::Schema;
//! use mpac_deploy_migrate::run::{Alembic, Database, GolangMigrate, Migrator};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let portal = Database::parse(&std::env::var("PORTAL_DATABASE_URL")?)?;
//! let gateway = Database::parse(&std::env::var("PGW_DATABASE_URL")?)?;
//! let schema = Migrator::new()
//!     .with_service("svc-portal", portal, Alembic::new("svc-portal").with_url_in("DATABASE_URL", "postgresql+psycopg"))
//!     .with_service("mpac-pgw", gateway, GolangMigrate::new("mpac-pgw/db/migrations"));
//! let port: Arc<dyn Schema> = Arc::new(schema);
//! # Ok(())
//! # }
//! ```
//!
//! What every change does, in this order:
//!
//! 1. A lock in the database keeps other controllers out, and sessions that an earlier one has left behind are ended.
//! 2. The version is read from the database. A schema that is there is left alone; one that is neither at the step's first version nor
//!    between is refused.
//! 3. The tool is told to go to an explicit version, never `head` and never a bare `up`: what contracts stands in the same chain. Its
//!    sessions wait for a lock for at most [`Limits::lock_timeout`], and where only a lock was in the way (SQLSTATE 55P03 and 40P01) it
//!    is run again after a pause that grows.
//! 4. The version is read from the database again and compared with what was meant.
//!
//! What the tool prints is traced line by line (`mpac_deploy_migrate::run`) and is the answer, which stands in the journal. The password is in
//! the tool's environment (`PGPASSWORD`) and in no log, answer, error or command line.
//!
//! A driver that is no client of `libpq` and does not read `PGOPTIONS`, such as asyncpg, needs its own `lock_timeout`.

mod catalog;
mod change;
mod database;
mod dirty;
mod files;
mod lines;
mod process;
pub mod rehearse;
mod secret;
mod session;
mod sessions;
mod step;
mod tls;
mod tool;
mod version;
mod written;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use mpac_deploy_core::ids::{EffectId, FencingToken, SchemaVersion, ServiceName};
use mpac_deploy_core::migration::Step;
use mpac_deploy_core::port::{PortError, Schema};

use change::{Changing, Goal};
use files::Way;
use session::Session;

pub use database::{Database, DatabaseError};
pub use step::StepError;
pub use tool::{Alembic, GolangMigrate, MigrationTool};

/// How long things may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long the tool's sessions wait for a lock. Everybody who comes later waits behind them, so it is short: 2 s (ours).
    pub lock_timeout: Duration,
    /// How often a lock may be in the way: 12 times (ours), which with the pauses is about five minutes.
    pub lock_attempts: u32,
    /// The pause after the first of these; each next one is twice as long. 1 s (ours).
    pub first_pause: Duration,
    /// No pause is longer: 30 s (ours).
    pub longest_pause: Duration,
    /// After this a change is stopped. 9 min (ours): a migration takes less than 5 (strategy, pre-deployment checklist), and the rollout
    /// itself gives up after 10.
    pub deadline: Duration,
}

/// The port [`Schema`] on PostgreSQL, by the tool of each service.
#[derive(Debug, Default)]
pub struct Migrator {
    services: BTreeMap<ServiceName, Service>,
    limits: Limits,
    fence: Mutex<Option<FencingToken>>,
}

#[derive(Debug)]
struct Service {
    database: Database,
    tool: MigrationTool,
}

impl Migrator {
    /// No services yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The schema of a service, and the tool that changes it.
    #[must_use]
    pub fn with_service(
        mut self,
        service: impl Into<ServiceName>,
        database: Database,
        tool: impl Into<MigrationTool>,
    ) -> Self {
        self.services.insert(service.into(), Service { database, tool: tool.into() });
        self
    }

    /// Other limits than the default ones.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    fn service(&self, name: &ServiceName) -> Result<&Service, PortError> {
        let none = || PortError::NotFound(format!("no schema is configured for {name}"));
        self.services.get(name).ok_or_else(none)
    }

    /// Whoever held the lease before changes nothing any more.
    fn admit(&self, fence: FencingToken) -> Result<(), PortError> {
        let mut seen = self.fence.lock().unwrap_or_else(PoisonError::into_inner);
        match *seen {
            Some(newer) if fence < newer => Err(PortError::Refused(format!(
                "the fencing token {fence} is older than {newer}: somebody else holds the lease now"
            ))),
            Some(_) | None => {
                *seen = Some(fence);
                Ok(())
            }
        }
    }

    async fn bring(&self, fence: FencingToken, step: &Step, way: Way) -> Result<Vec<String>, PortError> {
        let Service { database, tool } = self.service(&step.service)?;
        self.admit(fence)?;
        let (from, to) = match way {
            Way::There => (&step.from, &step.to),
            Way::Back => (&step.to, &step.from),
        };
        let changing = Changing { service: &step.service, database, tool, limits: &self.limits };
        changing.bring(Goal { from, to, way }).await
    }
}

#[async_trait]
impl Schema for Migrator {
    async fn version(&self, service: &ServiceName) -> Result<SchemaVersion, PortError> {
        let Service { database, tool } = self.service(service)?;
        let found = change::found(&Session::open(database).await?, tool, database).await?;
        // A dirty version is none that a step knows of, and a person reads it as the tool would print it.
        Ok(if found.is_dirty { SchemaVersion::new(found.to_string()) } else { found.version })
    }

    async fn apply(
        &self,
        _id: &EffectId,
        fence: FencingToken,
        step: &Step,
    ) -> Result<Vec<String>, PortError> {
        self.bring(fence, step, Way::There).await
    }

    async fn undo(&self, _id: &EffectId, fence: FencingToken, step: &Step) -> Result<Vec<String>, PortError> {
        self.bring(fence, step, Way::Back).await
    }

    async fn written(&self, step: &Step) -> Result<Vec<String>, PortError> {
        let Service { database, .. } = self.service(&step.service)?;
        written::among(&Session::open(database).await?, &step.adds).await
    }
}
