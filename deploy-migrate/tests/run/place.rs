//! A database of its own for each test, and a project of either tool in a directory of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use mpac_deploy_core::ids::{EffectId, FencingToken, SchemaVersion};
use mpac_deploy_core::migration::{Class, Statement, Step};
use mpac_deploy_core::port::{PortError, Schema};
use mpac_deploy_migrate::discover::AlembicCommand;
use mpac_deploy_migrate::run::{Alembic, Database, GolangMigrate, Limits, MigrationTool, Migrator};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

/// The server takes any password; nobody may see this one.
pub(crate) const PASSWORD: &str = "never/to-be-seen";
pub(crate) const SERVICE: &str = "svc-portal";

static NUMBER: AtomicU32 = AtomicU32::new(1);

/// A database of its own, gone at the end.
pub(crate) struct Place {
    pub(crate) name: String,
    server: tokio_postgres::Config,
}

impl Place {
    pub(crate) async fn new() -> Self {
        let address = std::env::var("MPAC_POSTGRES").expect("needs a PostgreSQL server: cargo xtask test");
        let server: tokio_postgres::Config = address.parse().unwrap();
        let name = format!("run{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        connect(&server).await.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
        Self { name, server }
    }

    pub(crate) async fn client(&self) -> Client {
        connect(self.server.clone().dbname(&self.name)).await
    }

    pub(crate) async fn run(&self, sql: &str) {
        self.client().await.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    pub(crate) async fn count(&self, sql: &str) -> i64 {
        self.client().await.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// Waits until a count is not 0.
    pub(crate) async fn until(&self, sql: &str) {
        while self.count(sql).await == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) fn database(&self) -> Database {
        self.database_with("")
    }

    /// With these parameters in its URL.
    pub(crate) fn database_with(&self, parameters: &str) -> Database {
        Database::parse(&self.url(PASSWORD, parameters)).unwrap()
    }

    /// With this password, which the server does not ask for; without TLS.
    pub(crate) fn url(&self, password: &str, parameters: &str) -> String {
        let tokio_postgres::config::Host::Tcp(host) = &self.server.get_hosts()[0] else { panic!("a socket") };
        let (user, port) = (self.server.get_user().unwrap(), self.server.get_ports()[0]);
        let password = password.replace('/', "%2F");
        format!("postgres://{user}:{password}@{host}:{port}/{}?sslmode=disable&{parameters}", self.name)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut config = postgres::Config::from(self.server.clone());
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // The blocking client must not be driven by a thread of an asynchronous runtime.
        let dropping = std::thread::spawn(move || {
            config.dbname("postgres").connect(NoTls).and_then(|mut client| client.batch_execute(&sql))
        });
        dropping.join().ok();
    }
}

async fn connect(config: &tokio_postgres::Config) -> Client {
    let (client, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Alembic,
    Golang,
}

pub(crate) const BOTH: [Kind; 2] = [Kind::Alembic, Kind::Golang];

/// Migrations, each the SQL of its way there and back, in a project of one of the tools.
pub(crate) struct Project {
    pub(crate) kind: Kind,
    pub(crate) dir: TempDir,
    versions: usize,
}

impl Project {
    pub(crate) fn new(kind: Kind, migrations: &[(&str, &str)]) -> Self {
        let dir = TempDir::new().unwrap();
        if kind == Kind::Alembic {
            alembic_init(dir.path());
        }
        let mut project = Self { kind, dir, versions: 0 };
        for (up, down) in migrations {
            project.add(up, down);
        }
        project
    }

    pub(crate) fn add(&mut self, up: &str, down: &str) {
        self.versions += 1;
        let (number, version) = (self.versions, self.version(self.versions));
        match self.kind {
            Kind::Golang => {
                fs::write(self.half("up"), up).unwrap();
                fs::write(self.half("down"), down).unwrap();
            }
            Kind::Alembic => {
                let before =
                    if number == 1 { "None".to_owned() } else { format!("\"{}\"", self.version(number - 1)) };
                let script = format!(
                    "\"\"\"{version}\n\"\"\"\nfrom alembic import op\n\nrevision = \"{version}\"\ndown_revision = {before}\n\n\n\
                     def upgrade() -> None:\n    op.execute(\"\"\"{up}\"\"\")\n\n\ndef downgrade() -> None:\n    op.execute(\"\"\"{down}\"\"\")\n"
                );
                fs::write(self.dir.path().join(format!("migrations/versions/{version}_x.py")), script)
                    .unwrap();
            }
        }
    }

    /// A half of the latest migration.
    pub(crate) fn half(&self, half: &str) -> PathBuf {
        self.dir.path().join(format!("{:06}_x.{half}.sql", self.versions))
    }

    pub(crate) fn version(&self, number: usize) -> SchemaVersion {
        match (self.kind, number) {
            (Kind::Alembic, 0) => "base".into(),
            (Kind::Golang, 0) => "none".into(),
            (Kind::Alembic, number) => SchemaVersion::new(format!("r{number}")),
            (Kind::Golang, number) => SchemaVersion::new(number.to_string()),
        }
    }

    pub(crate) fn tool(&self) -> MigrationTool {
        match self.kind {
            Kind::Alembic => Alembic::new(self.dir.path())
                .with_command(AlembicCommand::parse("alembic").unwrap())
                .with_url_in("DATABASE_URL", "postgresql+psycopg")
                .into(),
            Kind::Golang => GolangMigrate::new(self.dir.path()).with_command([migrate_program()]).into(),
        }
    }

    pub(crate) fn step(&self, from: usize, to: usize, adds: &[&str]) -> Step {
        Step {
            service: SERVICE.into(),
            from: self.version(from),
            to: self.version(to),
            statements: vec![Statement { place: "x:1".into(), text: "…".into(), class: Class::Expand }],
            adds: adds.iter().map(|column| (*column).to_owned()).collect(),
        }
    }

    pub(crate) fn migrator(&self, place: &Place) -> Migrator {
        self.migrator_within(place, quick())
    }

    pub(crate) fn migrator_within(&self, place: &Place, limits: Limits) -> Migrator {
        Migrator::new().with_service(SERVICE, place.database(), self.tool()).with_limits(limits)
    }
}

/// Limits for tests, which wait for real.
pub(crate) fn quick() -> Limits {
    Limits {
        lock_timeout: Duration::from_millis(300),
        lock_attempts: 40,
        first_pause: Duration::from_millis(100),
        longest_pause: Duration::from_millis(200),
        deadline: Duration::from_secs(120),
    }
}

/// The real one, wherever there is one.
pub(crate) fn migrate_program() -> String {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = std::env::split_paths(&path).any(|folder| folder.join("migrate").is_file());
    if is_there {
        "migrate".to_owned()
    } else {
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/stand-in/migrate").to_owned()
    }
}

pub(crate) fn alembic_init(directory: &Path) {
    let output = Command::new("alembic").args(["init", "migrations"]).current_dir(directory).output();
    let output =
        output.unwrap_or_else(|error| panic!("needs alembic on the PATH (cargo xtask test): {error}"));
    assert!(output.status.success(), "{output:?}");
    let env = directory.join("migrations/env.py");
    let text = fs::read_to_string(&env).unwrap();
    let own = "config = context.config\nimport os\nconfig.set_main_option(\"sqlalchemy.url\", os.environ[\"DATABASE_URL\"].replace(\"%\", \"%%\"))";
    let text = text.replacen("config = context.config", own, 1);
    fs::write(env, text).unwrap();
}

pub(crate) fn effect(number: u64) -> EffectId {
    EffectId { rollout: "run".into(), number }
}

pub(crate) async fn apply(schema: &Migrator, step: &Step) -> Result<Vec<String>, PortError> {
    schema.apply(&effect(1), FencingToken(1), step).await
}

pub(crate) async fn undo(schema: &Migrator, step: &Step) -> Result<Vec<String>, PortError> {
    schema.undo(&effect(2), FencingToken(1), step).await
}

pub(crate) async fn version(schema: &Migrator) -> SchemaVersion {
    schema.version(&SERVICE.into()).await.unwrap()
}
