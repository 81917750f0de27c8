//! The schemas that a release changes, and what changes them.

use std::env;
use std::sync::Arc;

use mpac_deploy_core::ids::SchemaVersion;
use mpac_deploy_core::migration::{Migrations, Phase, Step};
use mpac_deploy_core::port::{NoSchema, Schema};
use mpac_deploy_migrate::discover::AlembicCommand;
use mpac_deploy_migrate::run::{Alembic, Database, GolangMigrate, MigrationTool, Migrator};

use super::Account;
use super::call::Unread;
use crate::config::{Migration, Tool};
use crate::reply::Failure;

impl Account {
    /// The databases of the configuration, each behind its tool.
    pub(crate) fn schema(&self) -> Result<Arc<dyn Schema>, Failure> {
        if self.config.migrations.is_empty() {
            return Ok(Arc::new(NoSchema));
        }
        let mut migrator = Migrator::new();
        for (number, migration) in self.config.migrations.iter().enumerate() {
            let unfit = |what: &str| Failure::Input(format!("migrations[{number}].database_env: {what}"));
            let name = &migration.database_env;
            let url = env::var(name)
                .map_err(|_| unfit(&format!("the variable `{name}` is not set, or is no text")))?;
            let database =
                Database::parse(&url).map_err(|error| unfit(&format!("the variable `{name}`: {error}")))?;
            migrator = migrator.with_service(migration.service.clone(), database, self.tool(migration));
        }
        Ok(Arc::new(migrator))
    }

    /// What the release changes, from the projects' own files and the databases as they are.
    pub(crate) async fn migrations(&self) -> Result<Migrations, Failure> {
        let (schema, mut all) = (self.schema()?, Migrations::default());
        for migration in &self.config.migrations {
            let mut at = match &migration.from {
                Some(from) => from.clone(),
                None => schema.version(&migration.service).await.map_err(Unread::from)?,
            };
            let phases = [(Phase::Expand, &migration.expand), (Phase::Contract, &migration.contract)];
            for (phase, to) in phases {
                let Some(to) = to else { continue };
                let step = self.step(migration, phase, &at, to).await?;
                at = to.clone();
                match phase {
                    Phase::Expand => all.expand.push(step),
                    Phase::Contract => all.contract.push(step),
                }
            }
        }
        Ok(all)
    }

    /// Alembic is asked for the SQL of each revision, which takes a while.
    async fn step(
        &self,
        migration: &Migration,
        phase: Phase,
        from: &SchemaVersion,
        to: &SchemaVersion,
    ) -> Result<Step, Failure> {
        let (tool, service) = (self.tool(migration), migration.service.clone());
        let (from, to) = (from.clone(), to.clone());
        let read = tokio::task::spawn_blocking(move || {
            tool.step(&service, phase, (&from, &to), &mpac_deploy_migrate::Config::default())
        });
        match read.await {
            Ok(step) => step.map_err(|error| Failure::Input(format!("migrations, {phase}: {error}"))),
            Err(error) => Err(Failure::World(format!("the migrations could not be read: {error}"))),
        }
    }

    fn tool(&self, migration: &Migration) -> MigrationTool {
        match &migration.tool {
            Tool::Alembic(said) => {
                let mut tool = Alembic::new(self.config.beside(&said.project));
                if let Some(command) = said.command.as_deref().and_then(AlembicCommand::parse) {
                    tool = tool.with_command(command);
                }
                if let Some(variable) = &said.url_env {
                    tool = tool.with_url_in(variable, &said.scheme);
                }
                tool.into()
            }
            Tool::GolangMigrate(said) => {
                let tool = GolangMigrate::new(self.config.beside(&said.directory));
                match &said.command {
                    Some(command) => tool.with_command(command.split_whitespace()).into(),
                    None => tool.into(),
                }
            }
        }
    }
}
