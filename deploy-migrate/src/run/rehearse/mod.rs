//! Proof before production: a release's migrations there, back, and there again, by the real tool on a copy of the real schema.
//!
//! The copy has the target's schema and none of its rows. The target itself is only read (`pg_dump --schema-only`, ACCESS SHARE); on a second
//! copy each statement is run by itself, and what it does to others is seen: its locks, and whether it reads or writes a table as a whole,
//! which an empty table shows as well as a full one. With the sizes of the target's tables, and the speed of the copies' server on a sample, that
//! makes an [`Estimate`] of the time.
//!
//! ```no_run
//! use mpac_deploy_migrate::run::rehearse::Rehearsal;
//! use mpac_deploy_migrate::run::{Database, GolangMigrate};
//!
//! # async fn rehearse() -> Result<(), Box<dyn std::error::Error>> {
//! let portal = Database::parse(&std::env::var("PORTAL_DATABASE_URL")?)?;
//! let scratch = Database::parse(&std::env::var("SCRATCH_URL")?)?;
//! let report = Rehearsal::new("svc-portal", portal, scratch, GolangMigrate::new("db/migrations"), "42").run().await?;
//! assert!(report.is_right(), "{:?}", report.problems());
//! # Ok(())
//! # }
//! ```

mod capture;
mod copy;
mod estimate;
mod observe;
mod own_copy;
mod rates;
mod report;
mod scratch;
mod unjudged;

use mpac_deploy_core::ids::{SchemaVersion, ServiceName};
use mpac_deploy_core::port::PortError;

use super::catalog::Catalog;
use super::change::{Changing, Goal, found};
use super::database::Database;
use super::files::Way;
use super::session::Session;
use super::tool::MigrationTool;
use super::{Limits, StepError};
use crate::discover::{Discovery, Source};
use crate::{Analyzer, Config, Migration, Report, Rule};

pub use estimate::{Estimate, Range, TableSize, Work};
pub use report::{Failed, Leg, Observed, RehearsalReport, SeenLock};

use capture::Capture;
use copy::Programs;
use rates::Rates;
use scratch::Scratch;

/// The project's files, and what the analyzer claims of them.
struct Files {
    migrations: Vec<Migration>,
    claims: Report,
    /// Scripts whose SQL cannot be read without running them, and why.
    unread: Vec<String>,
    sources: Vec<Source>,
}

/// The schema before the way there, and after it.
struct There {
    before: Catalog,
    after: Catalog,
}

/// The tool, where it may connect to the copy of this name and to nothing else.
fn watched(tool: &MigrationTool, capture: Option<&Capture>, copy: &str) -> MigrationTool {
    match (tool, capture) {
        (MigrationTool::Alembic(tool), Some(capture)) => {
            tool.clone().with_environment(capture.environment(copy)).into()
        }
        (tool, _) => tool.clone(),
    }
}

/// Why there was no rehearsal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RehearseError {
    /// The project's files cannot be read, or there is nothing between the two versions.
    #[error(transparent)]
    Files(#[from] StepError),
    /// A server does not answer, or refuses; or a program is not there.
    #[error(transparent)]
    Database(#[from] PortError),
    /// Somebody said stop.
    #[error("stopped; {}", if .left_behind.is_empty() { "the copies are removed".to_owned() } else { format!("left behind: {}", .left_behind.join(", ")) })]
    Stopped {
        /// Copies that could not be removed, and why.
        left_behind: Vec<String>,
    },
}

/// What is to be rehearsed, and where.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    service: ServiceName,
    database: Database,
    tool: MigrationTool,
    to: SchemaVersion,
    server: Database,
    config: Config,
    limits: Limits,
    programs: Programs,
    forgotten: Vec<String>,
}

impl Rehearsal {
    /// The migrations of a service from where its database is to a version, on copies that are made on a server.
    ///
    /// The server is named by any database of it, and its role must be allowed to create databases. Let it not be production's: the copies are
    /// work for it, and what a migration does to a server as a whole, such as to its roles and settings, it does there for real.
    #[must_use]
    pub fn new(
        service: impl Into<ServiceName>,
        database: Database,
        server: Database,
        tool: impl Into<MigrationTool>,
        to: impl Into<SchemaVersion>,
    ) -> Self {
        Self {
            service: service.into(),
            database,
            tool: tool.into(),
            to: to.into(),
            server,
            config: Config::default(),
            limits: Limits::default(),
            programs: Programs::default(),
            forgotten: Vec::new(),
        }
    }

    /// What the analyzer knows of the world: what it claims of each statement is compared with what is seen.
    #[must_use]
    pub fn with_config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Other limits than the default ones.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The tool does not find these variables of our environment, in which the URL of the target stands, for instance.
    #[must_use]
    pub fn without_variables(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.forgotten.extend(names.into_iter().map(Into::into));
        self
    }

    /// Where PostgreSQL's client programs are, if not on the `PATH`: as new as the target's server, or newer.
    #[must_use]
    pub fn with_programs(mut self, pg_dump: impl Into<String>, psql: impl Into<String>) -> Self {
        self.programs = Programs { pg_dump: pg_dump.into(), psql: psql.into() };
        self
    }

    /// Rehearses. The copies are gone afterwards, whatever happens; those that a killed process leaves behind are removed by a later
    /// rehearsal, once they are a day old.
    ///
    /// # Errors
    /// [`RehearseError`]: nothing to rehearse, files that cannot be read, a server that refuses, no `pg_dump` or `psql`. That a migration
    /// fails is no error but a finding.
    pub async fn run(&self) -> Result<RehearsalReport, RehearseError> {
        self.run_until(std::future::pending()).await
    }

    /// The same, until somebody says stop: then what runs is stopped, and the copies are removed before this answers.
    ///
    /// # Errors
    /// As [`Rehearsal::run`], and [`RehearseError::Stopped`].
    pub async fn run_until(&self, stop: impl Future<Output = ()>) -> Result<RehearsalReport, RehearseError> {
        let target = self.database.clone().forgetting(&self.forgotten);
        let mut whole = Scratch::of(&self.server, &target);
        let mut single = Scratch::of(&self.server, &target);
        let rehearsed = tokio::select! {
            rehearsed = self.with_copies(&mut whole, &mut single) => Some(rehearsed),
            () = stop => None,
        };
        // Both are removed before anything is said.
        let mut left_behind = Vec::new();
        for scratch in [whole, single] {
            let name = scratch.database().name().to_owned();
            if let Err(error) = scratch.remove().await {
                left_behind.push(format!("{name} ({error})"));
            }
        }
        let Some(rehearsed) = rehearsed else { return Err(RehearseError::Stopped { left_behind }) };
        Ok(RehearsalReport { left_behind, ..rehearsed? })
    }

    async fn with_copies(
        &self,
        whole: &mut Scratch,
        single: &mut Scratch,
    ) -> Result<RehearsalReport, RehearseError> {
        let search_path = self.search_path().await?;
        let from = self.from().await?;
        let files = self.files(&from).await?;
        scratch::sweep(&self.server).await?;
        whole.make(None, &search_path).await?;
        let capture = match &self.tool {
            MigrationTool::Alembic(_) => Some(Capture::new()?),
            MigrationTool::GolangMigrate(_) => None,
        };
        let tool = watched(&self.tool, capture.as_ref(), whole.database().name());
        self.fill(whole, &tool, &from, capture.as_ref()).await?;
        single.make(Some(whole), &search_path).await?;
        self.both((whole, single), &tool, &from, &files, (capture.as_ref(), &search_path)).await
    }

    /// How the sessions of the target look names up.
    async fn search_path(&self) -> Result<String, PortError> {
        let session = Session::open(&self.database).await?;
        Ok(session.value("SHOW search_path", &[]).await?.unwrap_or_default())
    }

    /// Where the target is.
    async fn from(&self) -> Result<SchemaVersion, PortError> {
        let session = Session::open(&self.database).await?;
        let found = found(&session, &self.tool, &self.database).await?;
        if found.is_dirty {
            return Err(PortError::Refused(format!(
                "the schema of {} is at {found}: mend that before a rehearsal",
                self.service
            )));
        }
        Ok(found.version)
    }

    /// The files, and what the analyzer claims of them. Alembic is asked for the SQL of each revision, which takes a while.
    async fn files(&self, from: &SchemaVersion) -> Result<Files, RehearseError> {
        let (config, service) = (self.config.clone(), self.service.clone());
        let (from, to) = (from.clone(), self.to.clone());
        // Whoever only shows its SQL connects to nothing.
        let capture = Capture::new()?;
        let tool = self.tool.clone();
        let (environment, forgotten) = (capture.environment(""), self.forgotten.clone());
        let how = Discovery { environment, forgotten, ..Discovery::default() };
        let secrets = self.database.secrets().and(self.server.secrets());
        let read = tokio::task::spawn_blocking(move || {
            let _capture = capture;
            let found = tool.found(how, &from, &to).map_err(StepError::from)?;
            let unread: Vec<String> = found
                .problems
                .iter()
                .filter(|problem| problem.rule == Rule::Unreadable)
                .map(|problem| {
                    let why = secrets.hide(&problem.message);
                    format!("{}:{}: {why}", problem.file, problem.position.line)
                })
                .collect();
            if unread.is_empty() && found.migrations.iter().all(Migration::is_history) {
                return Err(StepError::Nothing { service, from, to });
            }
            let claims = Analyzer::new(config).analyze(&found.migrations);
            Ok(Files { migrations: found.migrations, claims, unread, sources: found.sources })
        });
        let read = read.await.map_err(|error| PortError::Unavailable(error.to_string()))?;
        Ok(read?)
    }

    /// The schema of the target, at its version, where nobody but this rehearsal works.
    async fn fill(
        &self,
        whole: &Scratch,
        tool: &MigrationTool,
        from: &SchemaVersion,
        capture: Option<&Capture>,
    ) -> Result<(), PortError> {
        self.programs.copy_schema(&self.database, whole.database(), &self.service).await?;
        let now = self.from().await?;
        if now != *from {
            return Err(PortError::Unavailable(format!(
                "the schema of {} went from {from} to {now} while it was copied: rehearse again",
                self.service
            )));
        }
        let session = Session::open(whole.database()).await?;
        copy::note_version(&session, tool, whole.database(), from).await?;
        own_copy::prove(&self.service, whole.database(), tool, &self.limits, from, capture).await
    }

    async fn both(
        &self,
        (whole, single): (&Scratch, &Scratch),
        tool: &MigrationTool,
        from: &SchemaVersion,
        files: &Files,
        (capture, search_path): (Option<&Capture>, &str),
    ) -> Result<RehearsalReport, RehearseError> {
        let mut report = RehearsalReport::new(&self.service, (from, &self.to), files.sources.clone());
        let there = self.up(whole.database(), tool, from, &mut report).await?;
        let heard = match (&there, capture) {
            (Some(_), Some(capture)) => self.heard(files, capture, search_path)?,
            (Some(_) | None, _) => None,
        };
        if let Some(there) = &there {
            self.back_and_again(whole.database(), tool, from, there, &mut report).await?;
        }
        match &heard {
            Some(heard) => {
                report.captured = files.unread.clone();
                report.unjudged = unjudged::hidden(&files.migrations, &heard.migrations, &files.unread);
            }
            None => report.unread = files.unread.clone(),
        }
        if report.unread.is_empty() {
            // What was heard is what runs; what a script shows may have other values in it, and other white space.
            self.one_by_one(
                single,
                heard.as_ref().unwrap_or(files),
                there.as_ref().map(|there| &there.after),
                &mut report,
            )
            .await?;
        }
        Ok(report)
    }

    /// Each statement by itself, and with what they show the estimate.
    async fn one_by_one(
        &self,
        single: &Scratch,
        judged: &Files,
        there: Option<&Catalog>,
        report: &mut RehearsalReport,
    ) -> Result<(), PortError> {
        let secrets = self.database.secrets().and(self.server.secrets());
        let seen =
            observe::statements(single.database(), &judged.migrations, &judged.claims, &secrets).await?;
        report.unproven = seen.iter().filter_map(unjudged::unproven).collect();
        if seen.iter().all(|seen| seen.observed.failed.is_none()) {
            if let Some(there) = there {
                let made = self.catalog(single.database()).await?;
                report.unjudged.extend(unjudged::otherwise_made(there, &made));
            }
            match self.estimate(single.database(), &seen).await {
                Ok(estimate) => report.estimate = Some(estimate),
                Err(error) => report.not_estimated = Some(error.to_string()),
            }
        }
        report.statements = seen.into_iter().map(|seen| seen.observed).collect();
        // What a script does for each row nobody has heard.
        if let Some(estimate) = &mut report.estimate {
            estimate.unknown.extend(report.captured.iter().cloned());
        }
        Ok(())
    }

    async fn estimate(&self, sample: &Database, seen: &[observe::Seen]) -> Result<Estimate, PortError> {
        let rates = Rates::measure(sample).await?;
        estimate::estimate(&Session::open(&self.database).await?, rates, seen).await
    }

    /// The release as its scripts were heard to run it on the way there.
    fn heard(&self, files: &Files, capture: &Capture, search_path: &str) -> Result<Option<Files>, PortError> {
        let MigrationTool::Alembic(tool) = &self.tool else { return Ok(None) };
        let Some(captured) = capture.migrations(&tool.project, search_path)? else { return Ok(None) };
        let history = files.migrations.iter().filter(|migration| migration.is_history());
        let migrations: Vec<Migration> = history.cloned().chain(captured).collect();
        let claims = Analyzer::new(self.config.clone()).analyze(&migrations);
        Ok(Some(Files { migrations, claims, unread: Vec::new(), sources: files.sources.clone() }))
    }

    /// The schema after the way there; nothing if the tool did not arrive.
    async fn up(
        &self,
        database: &Database,
        tool: &MigrationTool,
        from: &SchemaVersion,
        report: &mut RehearsalReport,
    ) -> Result<Option<There>, PortError> {
        let before = self.catalog(database).await?;
        if !self.leg(tool, database, (from, &self.to), Leg::Up, report).await? {
            return Ok(None);
        }
        Ok(Some(There { before, after: self.catalog(database).await? }))
    }

    async fn back_and_again(
        &self,
        database: &Database,
        tool: &MigrationTool,
        from: &SchemaVersion,
        there: &There,
        report: &mut RehearsalReport,
    ) -> Result<(), PortError> {
        if !self.leg(tool, database, (&self.to, from), Leg::Down, report).await? {
            return Ok(());
        }
        report.after_down = there.before.changes_to(&self.catalog(database).await?);
        if self.leg(tool, database, (from, &self.to), Leg::UpAgain, report).await? {
            report.after_second_up = there.after.changes_to(&self.catalog(database).await?);
        }
        Ok(())
    }

    /// Runs the tool one way; whether it came there.
    async fn leg(
        &self,
        tool: &MigrationTool,
        database: &Database,
        (from, to): (&SchemaVersion, &SchemaVersion),
        leg: Leg,
        report: &mut RehearsalReport,
    ) -> Result<bool, PortError> {
        let way = if leg == Leg::Down { Way::Back } else { Way::There };
        let (service, limits) = (&self.service, &self.limits);
        let changing = Changing { service, database, tool, limits };
        match changing.bring(Goal { from, to, way }).await {
            Ok(_) => Ok(true),
            Err(PortError::Refused(why)) => {
                report.failed = Some(Failed { leg, why });
                Ok(false)
            }
            // What the way there has shown is not lost for a server that does not answer later.
            Err(error) if leg != Leg::Up => {
                report.failed = Some(Failed { leg, why: error.to_string() });
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    async fn catalog(&self, database: &Database) -> Result<Catalog, PortError> {
        Catalog::read(&Session::open(database).await?, &self.tool.table(database)).await
    }
}
