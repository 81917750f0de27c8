//! One change of one schema: looked at before, run, looked at afterwards, and run again where only a lock was in the way.

use std::io;
use std::time::Duration;

use mpac_deploy_core::ids::{SchemaVersion, ServiceName};
use mpac_deploy_core::port::PortError;
use tokio::time::Instant;

use super::Limits;
use super::catalog::Catalog;
use super::database::Database;
use super::files::Way;
use super::lines::Lines;
use super::process::{Ended, Program};
use super::session::Session;
use super::sessions;
use super::tool::{MigrationTool, Setting};
use super::version::{Found, of_alembic, of_migrate};

/// A schema, and what changes it.
pub(super) struct Changing<'a> {
    pub(super) service: &'a ServiceName,
    pub(super) database: &'a Database,
    pub(super) tool: &'a MigrationTool,
    pub(super) limits: &'a Limits,
}

/// From where to where.
#[derive(Clone, Copy)]
pub(super) struct Goal<'a> {
    pub(super) from: &'a SchemaVersion,
    pub(super) to: &'a SchemaVersion,
    pub(super) way: Way,
}

impl<'a> Goal<'a> {
    /// The version with fewer migrations, and the one with more.
    pub(super) const fn low_and_high(self) -> (&'a SchemaVersion, &'a SchemaVersion) {
        match self.way {
            Way::There => (self.from, self.to),
            Way::Back => (self.to, self.from),
        }
    }
}

/// What a failed run leaves to do.
enum Next {
    /// A lock was in the way, and the schema is where it can go on from.
    Again { at: SchemaVersion },
    /// It is no use.
    Failed(PortError),
}

/// The words in which PostgreSQL and its drivers say 55P03 and 40P01; golang-migrate prints no code.
const LOCK_CONFLICTS: [&str; 8] = [
    "55P03",
    "40P01",
    "canceling statement due to lock timeout",
    "could not obtain lock on",
    "deadlock detected",
    "LockNotAvailable",
    "DeadlockDetected",
    "can't acquire database lock",
];

pub(super) async fn found(
    session: &Session,
    tool: &MigrationTool,
    database: &Database,
) -> Result<Found, PortError> {
    let table = tool.table(database);
    match tool {
        MigrationTool::Alembic(_) => of_alembic(session, &table).await,
        MigrationTool::GolangMigrate(_) => of_migrate(session, &table).await,
    }
}

impl Changing<'_> {
    /// Brings the schema from one version to another, unless it is there.
    pub(super) async fn bring(&self, goal: Goal<'_>) -> Result<Vec<String>, PortError> {
        let until = Instant::now() + self.limits.deadline;
        let session = Session::open(self.database).await?;
        let application = sessions::name_of(self.service);
        sessions::claim(&session, self.service).await?;
        sessions::end(&session, &application).await?;
        let found = self.found(&session).await?;
        if found.is(goal.to) {
            return Ok(Vec::new());
        }
        let setting = Setting {
            database: self.database,
            application: &application,
            lock_timeout: self.limits.lock_timeout,
            notices_dead_clients: sessions::server_notices_dead_clients(&session).await,
        };
        let mut lines = Lines::default();
        let at = self.admitted(&found, goal, &setting, &mut lines, until).await?;
        self.run(&session, &setting, goal, at, lines, until).await
    }

    async fn found(&self, session: &Session) -> Result<Found, PortError> {
        found(session, self.tool, self.database).await
    }

    /// A change begins at the version before it, or at one between: where an earlier attempt ended.
    async fn admitted(
        &self,
        found: &Found,
        goal: Goal<'_>,
        setting: &Setting<'_>,
        lines: &mut Lines,
        until: Instant,
    ) -> Result<SchemaVersion, PortError> {
        if found.is_dirty {
            return Err(PortError::Refused(self.plan_for_a_person(found, None)));
        }
        self.tool.check_files(goal)?;
        let is_between = found.version == *goal.from
            || self.between(goal, setting, lines, until).await?.contains(&found.version);
        if is_between {
            return Ok(found.version.clone());
        }
        Err(PortError::Refused(format!(
            "the schema of {} is at {found}, neither at {} nor at {}",
            self.service, goal.from, goal.to
        )))
    }

    async fn between(
        &self,
        goal: Goal<'_>,
        setting: &Setting<'_>,
        lines: &mut Lines,
        until: Instant,
    ) -> Result<Vec<SchemaVersion>, PortError> {
        let (low, high) = goal.low_and_high();
        match self.tool {
            MigrationTool::GolangMigrate(tool) => tool.between(low, high),
            MigrationTool::Alembic(_) => {
                let range = format!("{low}:{high}");
                let arguments = ["history", "--verbose", "-r", &range].map(str::to_owned).to_vec();
                let mut said = Lines::default();
                let ended = self.start(&self.tool.program(setting, arguments), &mut said, until).await?;
                let ids = crate::discover::revisions_of_history(&said.iter().collect::<Vec<_>>().join("\n"));
                if !matches!(ended, Ended::Itself(status) if status.success()) {
                    lines.append(said);
                    return Err(PortError::Refused(format!(
                        "Alembic does not know the way from {low} to {high}: {}",
                        lines.last_words()
                    )));
                }
                Ok(ids.into_iter().map(SchemaVersion::new).collect())
            }
        }
    }

    async fn run(
        &self,
        session: &Session,
        setting: &Setting<'_>,
        goal: Goal<'_>,
        mut at: SchemaVersion,
        mut lines: Lines,
        until: Instant,
    ) -> Result<Vec<String>, PortError> {
        let (mut attempt, mut pause) = (1, self.limits.first_pause);
        loop {
            let before = self.catalog(session).await?;
            let mut said = Lines::default();
            let next = self.tool.next_version(&at, goal)?;
            let ended = self.start(&self.tool.change(setting, goal.way, &next)?, &mut said, until).await?;
            if matches!(ended, Ended::Stopped) {
                sessions::end(session, setting.application).await?;
            }
            let found = self.found(session).await?;
            if found.is(&next) && !matches!(ended, Ended::Itself(status) if !status.success()) {
                lines.append(said);
                if next == *goal.to {
                    return Ok(lines.into_vec());
                }
                (at, attempt, pause) = (next, 1, self.limits.first_pause);
                continue;
            }
            let then =
                self.after_failure(session, setting, goal, (&ended, &said, &found), before, until).await?;
            let last = said.last_words().to_owned();
            lines.append(said);
            at = match then {
                Next::Failed(error) => return Err(error),
                Next::Again { at } => at,
            };
            if attempt >= self.limits.lock_attempts || Instant::now() + pause >= until {
                return Err(PortError::Unavailable(format!(
                    "{} could not get a lock in {attempt} attempts of {} ms ({last}){}; the schema of {} is at {at}",
                    self.tool.name(),
                    self.limits.lock_timeout.as_millis(),
                    sessions::oldest_transaction(session).await,
                    self.service,
                )));
            }
            tracing::warn!(target: "mpac_deploy_migrate::run", service = %self.service, attempt, ?pause, "a lock is in the way");
            tokio::time::sleep(pause).await;
            (attempt, pause) = (attempt + 1, (pause * 2).min(self.limits.longest_pause));
        }
    }

    /// Only golang-migrate leaves a schema of which it must be known whether it was changed.
    async fn catalog(&self, session: &Session) -> Result<Option<Catalog>, PortError> {
        match self.tool {
            MigrationTool::Alembic(_) => Ok(None),
            MigrationTool::GolangMigrate(_) => {
                Catalog::read(session, &self.tool.table(self.database)).await.map(Some)
            }
        }
    }

    async fn after_failure(
        &self,
        session: &Session,
        setting: &Setting<'_>,
        goal: Goal<'_>,
        (ended, said, found): (&Ended, &Lines, &Found),
        before: Option<Catalog>,
        until: Instant,
    ) -> Result<Next, PortError> {
        let why = self.why(ended, said, found);
        let at = if found.is_dirty {
            match self.set_back(session, setting, goal.way, found, before, until).await? {
                Some(at) => at,
                None => {
                    let plan = self.plan_for_a_person(found, Some(goal.way));
                    return Ok(Next::Failed(PortError::Refused(format!("{why}. {plan}"))));
                }
            }
        } else {
            found.version.clone()
        };
        let is_conflict = said.iter().any(|line| LOCK_CONFLICTS.iter().any(|words| line.contains(words)));
        if is_conflict && matches!(ended, Ended::Itself(_)) {
            return Ok(Next::Again { at });
        }
        let where_it_is = format!("the schema of {} is at {at}", self.service);
        Ok(Next::Failed(PortError::Refused(format!("{why}; {where_it_is}"))))
    }

    fn why(&self, ended: &Ended, said: &Lines, found: &Found) -> String {
        let tool = self.tool.name();
        match ended {
            Ended::Stopped => format!(
                "{tool} had not ended after {} s and was stopped, with all that it ran on the server",
                self.limits.deadline.as_secs()
            ),
            Ended::Itself(status) if status.success() => format!(
                "{tool} ended well, but {} is at {found}, not where it was to go: is it the database of the project? (A way back over a merge leaves the other branch)",
                self.database
            ),
            Ended::Itself(status) => format!("{tool} ended with {status}: {}", said.last_words()),
        }
    }

    /// Runs a tool, or says why it cannot be run.
    pub(super) async fn start(
        &self,
        program: &Program,
        lines: &mut Lines,
        until: Instant,
    ) -> Result<Ended, PortError> {
        let secrets = self.database.secrets();
        tracing::info!(target: "mpac_deploy_migrate::run", service = %self.service, command = program.line(), "migration tool starts");
        program.run(&secrets, self.service.as_str(), until, lines).await.map_err(|error| {
            let name = program.words.first().map_or("", String::as_str);
            if error.kind() == io::ErrorKind::NotFound {
                PortError::NotFound(format!("there is no program `{name}`, or no directory for it to run in"))
            } else {
                PortError::Unavailable(format!("{name} cannot be run: {error}"))
            }
        })
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            lock_timeout: Duration::from_secs(2),
            lock_attempts: 12,
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(30),
            deadline: Duration::from_secs(540),
        }
    }
}
