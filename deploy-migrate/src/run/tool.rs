//! The migration tools, and how each is told to go to a version.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use mpac_deploy_core::ids::SchemaVersion;
use mpac_deploy_core::port::PortError;

use super::change::Goal;
use super::database::Database;
use super::files::{self, Files, Way};
use super::process::Program;
use super::version::VersionTable;
use crate::discover::AlembicCommand;

/// A tool that changes schemas.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum MigrationTool {
    /// Alembic.
    Alembic(Alembic),
    /// golang-migrate's `migrate`.
    GolangMigrate(GolangMigrate),
}

/// An Alembic project.
///
/// ```
/// use mpac_deploy_migrate::discover::AlembicCommand;
/// use mpac_deploy_migrate::run::Alembic;
///
/// let command = AlembicCommand::parse("uv run alembic").ok_or("no command")?;
/// let portal = Alembic::new("svc-portal").with_command(command).with_url_in("DATABASE_URL", "postgresql+psycopg");
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Debug)]
pub struct Alembic {
    pub(super) project: PathBuf,
    pub(super) command: Option<AlembicCommand>,
    pub(super) url: Option<UrlVariable>,
    table: VersionTable,
    /// What it finds in its environment besides.
    environment: Vec<(String, OsString)>,
}

/// The variable in which a project looks for its database.
#[derive(Clone, Debug)]
pub(super) struct UrlVariable {
    pub(super) name: String,
    scheme: String,
}

impl UrlVariable {
    /// What the variable holds where no database is needed, only its dialect.
    pub(super) fn dialect_alone(&self) -> (String, OsString) {
        (self.name.clone(), OsString::from(format!("{}://", self.scheme)))
    }
}

impl Alembic {
    /// The project in this directory, the one with `alembic.ini`.
    #[must_use]
    pub fn new(project: impl Into<PathBuf>) -> Self {
        Self {
            project: project.into(),
            command: None,
            url: None,
            table: VersionTable::new("alembic_version"),
            environment: Vec::new(),
        }
    }

    pub(super) fn with_environment(mut self, environment: Vec<(String, OsString)>) -> Self {
        self.environment = environment;
        self
    }

    /// How Alembic is run; found out if nothing is said, as by [`crate::discover::Discovery`].
    #[must_use]
    pub fn with_command(mut self, command: AlembicCommand) -> Self {
        self.command = Some(command);
        self
    }

    /// The variable of the environment in which the project's `env.py` finds its database, and the scheme of the URL there, such as
    /// `postgresql+psycopg`. Without it the project knows its database by itself; the password is in `PGPASSWORD` in either case.
    #[must_use]
    pub fn with_url_in(mut self, variable: impl Into<String>, scheme: impl Into<String>) -> Self {
        self.url = Some(UrlVariable { name: variable.into(), scheme: scheme.into() });
        self
    }

    /// The project's `version_table` and `version_table_schema`, where it has others than Alembic's own.
    #[must_use]
    pub fn with_version_table(mut self, schema: Option<&str>, name: &str) -> Self {
        self.table = VersionTable { schema: schema.map(str::to_owned), name: name.to_owned() };
        self
    }

    fn words(&self) -> Vec<String> {
        self.command.clone().unwrap_or_else(|| AlembicCommand::of(&self.project)).words().to_vec()
    }

    /// An explicit revision: `head` would also apply what contracts, `+1` and `-1` depend on where the schema is.
    fn target(version: &SchemaVersion) -> Result<&str, PortError> {
        let text = version.as_str();
        let is_relative =
            text.contains(['+', '-', '@', ':', ',', ' ']) || matches!(text, "head" | "heads" | "");
        if is_relative {
            return Err(PortError::Refused(format!(
                "`{text}` is no explicit revision of Alembic: name one by its id"
            )));
        }
        Ok(text)
    }
}

/// golang-migrate on a directory of SQL files.
///
/// A schema without any migration has the version `none` here, since golang-migrate has no word for it.
#[derive(Clone, Debug)]
pub struct GolangMigrate {
    words: Vec<String>,
    pub(super) directory: PathBuf,
}

impl GolangMigrate {
    /// The versions above one and up to another.
    pub(super) fn between(
        &self,
        low: &SchemaVersion,
        high: &SchemaVersion,
    ) -> Result<Vec<SchemaVersion>, PortError> {
        let between = Files::read(&self.directory)?.between(files::number(low)?, files::number(high)?);
        Ok(between.into_iter().map(|number| files::version(Some(number))).collect())
    }

    /// The migrations in this directory, by the program `migrate`.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { words: vec!["migrate".to_owned()], directory: directory.into() }
    }

    /// Another program than `migrate`, with its first arguments. The database's URL and the command follow.
    #[must_use]
    pub fn with_command(mut self, words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.words = words.into_iter().map(Into::into).collect();
        self
    }
}

impl From<Alembic> for MigrationTool {
    fn from(tool: Alembic) -> Self {
        Self::Alembic(tool)
    }
}

impl From<GolangMigrate> for MigrationTool {
    fn from(tool: GolangMigrate) -> Self {
        Self::GolangMigrate(tool)
    }
}

/// What every run is told besides its target.
pub(super) struct Setting<'a> {
    pub(super) database: &'a Database,
    /// The name of the tool's sessions, by which they are found again.
    pub(super) application: &'a str,
    pub(super) lock_timeout: Duration,
    /// Whether the server looks by itself whether its client is still there.
    pub(super) notices_dead_clients: bool,
}

impl MigrationTool {
    /// The version to which the tool is told to go next. golang-migrate runs one file at a time, so that it is known of which one
    /// a failure is.
    pub(super) fn next_version(
        &self,
        at: &SchemaVersion,
        goal: Goal<'_>,
    ) -> Result<SchemaVersion, PortError> {
        let Self::GolangMigrate(tool) = self else { return Ok(goal.to.clone()) };
        let (files, number) = (Files::read(&tool.directory)?, files::number(at)?);
        let next = match goal.way {
            Way::There => files.above(number),
            Way::Back => number.and_then(|number| files.below(number)),
        };
        Ok(files::version(next))
    }

    /// Every file on the way must be there.
    pub(super) fn check_files(&self, goal: Goal<'_>) -> Result<(), PortError> {
        let Self::GolangMigrate(tool) = self else { return Ok(()) };
        let (low, high) = goal.low_and_high();
        Files::read(&tool.directory)?.need(files::number(low)?, files::number(high)?, goal.way)
    }

    /// What goes to a version.
    pub(super) fn change(
        &self,
        setting: &Setting<'_>,
        way: Way,
        to: &SchemaVersion,
    ) -> Result<Program, PortError> {
        let arguments = match self {
            Self::Alembic(_) => {
                let command = if way == Way::There { "upgrade" } else { "downgrade" };
                vec![command.to_owned(), Alembic::target(to)?.to_owned()]
            }
            Self::GolangMigrate(_) => match files::number(to)? {
                Some(to) => vec!["goto".to_owned(), to.to_string()],
                // There is no file to go to: down by the one that is left.
                None => vec!["down".to_owned(), "1".to_owned()],
            },
        };
        Ok(self.program(setting, arguments))
    }

    /// The tool with these arguments.
    pub(super) fn program(&self, setting: &Setting<'_>, arguments: Vec<String>) -> Program {
        let mut environment = vec![
            ("PGAPPNAME".to_owned(), OsString::from(setting.application)),
            ("PGOPTIONS".to_owned(), OsString::from(setting.options())),
            ("NO_COLOR".to_owned(), OsString::from("1")),
            ("PYTHONUNBUFFERED".to_owned(), OsString::from("1")),
        ];
        if let Some(password) = setting.database.password() {
            environment.push(("PGPASSWORD".to_owned(), OsString::from(password)));
        }
        let forgotten = setting.database.variables_of_others();
        match self {
            Self::Alembic(tool) => {
                environment.extend(tool.environment.iter().cloned());
                if let Some(url) = &tool.url {
                    let value = setting.database.for_sqlalchemy(&url.scheme);
                    environment.push((url.name.clone(), OsString::from(value)));
                }
                let directory = Some(tool.project.clone());
                Program { words: tool.words(), arguments, directory, environment, forgotten }
            }
            Self::GolangMigrate(tool) => {
                let mut all = vec!["-path".to_owned(), tool.directory.display().to_string()];
                all.extend(["-database".to_owned(), setting.database.for_migrate()]);
                all.extend(arguments);
                Program { words: tool.words.clone(), arguments: all, directory: None, environment, forgotten }
            }
        }
    }

    /// The tool's name, for people.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Alembic(_) => "Alembic",
            Self::GolangMigrate(_) => "golang-migrate",
        }
    }

    /// Where the tool keeps the version.
    pub(super) fn table(&self, database: &Database) -> VersionTable {
        match self {
            Self::Alembic(tool) => tool.table.clone(),
            Self::GolangMigrate(_) => match database.parameter("x-migrations-table") {
                Some(name) if database.parameter("x-migrations-table-quoted").as_deref() == Some("true") => {
                    VersionTable::quoted(&name)
                }
                Some(name) => VersionTable::new(&name),
                None => VersionTable::new("schema_migrations"),
            },
        }
    }
}

impl Setting<'_> {
    /// The options of the tool's sessions, behind those that the environment or the URL has already.
    fn options(&self) -> String {
        let mut options: Vec<String> = std::env::var("PGOPTIONS").into_iter().collect();
        options.extend(self.database.options().map(str::to_owned));
        options.push(format!("-c lock_timeout={}ms", self.lock_timeout.as_millis()));
        if self.notices_dead_clients {
            options.push("-c client_connection_check_interval=1s".to_owned());
        }
        options.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database() -> Database {
        Database::parse("postgres://app:hush@db/shop?sslmode=disable&options=-c%20search_path%3Da").unwrap()
    }

    fn program(tool: &MigrationTool, way: Way, to: &str) -> Result<Program, PortError> {
        let database = database();
        let setting = Setting {
            database: &database,
            application: "mpac-deploy/svc",
            lock_timeout: Duration::from_secs(2),
            notices_dead_clients: true,
        };
        tool.change(&setting, way, &to.into())
    }

    fn alembic() -> MigrationTool {
        let command = AlembicCommand::parse("uv run alembic").unwrap();
        Alembic::new("p").with_command(command).with_url_in("DATABASE_URL", "postgresql").into()
    }

    #[test]
    fn the_target_is_always_explicit() {
        let golang: MigrationTool = GolangMigrate::new("db").into();
        let line = |tool: &MigrationTool, way, to| program(tool, way, to).map(|program| program.line());
        assert_eq!(line(&alembic(), Way::There, "b2").unwrap(), "uv run alembic upgrade b2");
        assert_eq!(line(&alembic(), Way::Back, "base").unwrap(), "uv run alembic downgrade base");
        let url = "postgres://app@db/shop?sslmode=disable";
        assert_eq!(
            line(&golang, Way::There, "8").unwrap(),
            format!("migrate -path db -database {url} goto 8")
        );
        for to in ["head", "heads", "+1", "-1", "a@head", ""] {
            assert!(line(&alembic(), Way::There, to).is_err(), "{to}");
        }
        assert!(line(&golang, Way::There, "head").is_err());
    }

    #[test]
    fn a_password_is_in_the_environment_and_nowhere_else() {
        let golang: MigrationTool = GolangMigrate::new("db").into();
        for tool in [alembic(), golang] {
            let program = program(&tool, Way::There, "8").unwrap();
            assert!(!program.line().contains("hush"), "{}", program.line());
            let value = |name: &str| {
                program.environment.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
            };
            assert_eq!(value("PGPASSWORD").unwrap(), "hush");
            let options = value("PGOPTIONS").unwrap().into_string().unwrap();
            assert!(
                options.ends_with(
                    "-c search_path=a -c lock_timeout=2000ms -c client_connection_check_interval=1s"
                ),
                "{options}"
            );
        }
    }
}
