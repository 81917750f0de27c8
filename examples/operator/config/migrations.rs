//! The schemas that a release changes.

use std::path::PathBuf;

use mpac_deploy_core::ids::{SchemaVersion, ServiceName};
use serde::Deserialize;

/// How a service's schema is changed in the two phases of a release.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Migration {
    /// Whose schema.
    pub(crate) service: ServiceName,
    /// The variable that holds the database's URL, which has a password and so does not stand in the file.
    pub(crate) database_env: String,
    pub(crate) tool: Tool,
    /// The version before the release; the one that the database has when the rollout begins, if not said.
    pub(crate) from: Option<SchemaVersion>,
    /// The last version of phase 1, before green starts; no phase 1 if not said.
    pub(crate) expand: Option<SchemaVersion>,
    /// The last version of phase 2, a day after the cutover; no phase 2 if not said.
    pub(crate) contract: Option<SchemaVersion>,
}

/// What changes the schema.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Tool {
    Alembic(Alembic),
    GolangMigrate(GolangMigrate),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Alembic {
    /// The directory of `alembic.ini`.
    pub(crate) project: PathBuf,
    /// Such as `uv run alembic`; found out if not said.
    pub(crate) command: Option<String>,
    /// The variable in which the project's `env.py` finds its database, if it looks for it in one.
    pub(crate) url_env: Option<String>,
    /// The scheme of the URL there.
    #[serde(default = "psycopg")]
    pub(crate) scheme: String,
}

fn psycopg() -> String {
    "postgresql+psycopg".into()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GolangMigrate {
    pub(crate) directory: PathBuf,
    /// `migrate` if not said.
    pub(crate) command: Option<String>,
}

impl Migration {
    /// What serde cannot see.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.expand.is_none() && self.contract.is_none() {
            return Err(format!(
                "`{}` names neither a version for `expand` nor one for `contract`: name one, or take the entry out",
                self.service
            ));
        }
        let command = match &self.tool {
            Tool::Alembic(Alembic { command, .. }) | Tool::GolangMigrate(GolangMigrate { command, .. }) => {
                command
            }
        };
        if command.as_ref().is_some_and(|command| command.trim().is_empty()) {
            return Err(format!("the tool of `{}` has an empty command", self.service));
        }
        Ok(())
    }
}
