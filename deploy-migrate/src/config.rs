//! What an analysis must be told about the world.

use serde::Deserialize;

/// The oldest PostgreSQL whose behaviour is known here: from 12 on a validated CHECK spares `SET NOT NULL` the scan.
pub const OLDEST_POSTGRES: u32 = 12;
/// The PostgreSQL that is assumed when none is named (ours: what the platform runs).
pub const DEFAULT_POSTGRES: u32 = 15;

/// What an analysis must be told about the world.
///
/// ```
/// use mpac_deploy_migrate::Config;
///
/// let config = Config::from_toml(r#"
///     postgres = 16
///     small_tables = ["countries", "billing.currencies"]
///
///     [[services]]
///     name = "svc-portal"
///     paths = ["svc-portal/"]
///     roles = ["svc_portal"]
/// "#)?;
/// assert_eq!(config.postgres, 16);
/// # Ok::<(), mpac_deploy_migrate::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Config {
    /// PostgreSQL's major version.
    pub postgres: u32,
    /// Tables so small that a scan, a rewrite or a lock on them is over at once.
    pub small_tables: Vec<String>,
    /// Who runs against the database.
    pub services: Vec<Service>,
}

/// A service that runs against the database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Service {
    /// Its name, as reports say it.
    pub name: String,
    /// Its migrations: files whose path contains one of these.
    pub paths: Vec<String>,
    /// The roles it connects as. If any service names its roles, rights taken from others count as harmless.
    pub roles: Vec<String>,
}

/// A configuration that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// It is no TOML, or has a field that is not known.
    #[error("{0}")]
    Text(String),
    /// A PostgreSQL that is too old to say anything about.
    #[error("postgres = {0}: only {OLDEST_POSTGRES} and newer are known")]
    Postgres(u32),
    /// A service without a name.
    #[error("services: every service needs a name")]
    Service,
}

impl Default for Config {
    fn default() -> Self {
        Self { postgres: DEFAULT_POSTGRES, small_tables: Vec::new(), services: Vec::new() }
    }
}

impl Config {
    /// Reads a configuration.
    ///
    /// # Errors
    ///
    /// What is no TOML, a field that is not known, a PostgreSQL that is too old, or a service without a name.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|error| ConfigError::Text(error.to_string()))?;
        if config.postgres < OLDEST_POSTGRES {
            return Err(ConfigError::Postgres(config.postgres));
        }
        if config.services.iter().any(|service| service.name.is_empty()) {
            return Err(ConfigError::Service);
        }
        Ok(config)
    }

    /// The service whose migrations stand under this path.
    pub(crate) fn service_of(&self, path: &str) -> Option<&str> {
        let owns = |service: &&Service| service.paths.iter().any(|part| path.contains(part.as_str()));
        self.services.iter().find(owns).map(|service| service.name.as_str())
    }

    /// Whether a service connects as this role, as far as is known.
    pub(crate) fn is_used_role(&self, role: &str) -> bool {
        let mut roles = self.services.iter().flat_map(|service| &service.roles).peekable();
        roles.peek().is_none() || role == "public" || roles.any(|used| used == role)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_used_is_refused_with_its_reason() {
        assert_eq!(Config::from_toml("postgres = 9"), Err(ConfigError::Postgres(9)));
        assert_eq!(Config::from_toml("[[services]]\npaths = [\"a\"]"), Err(ConfigError::Service));
        let unknown = Config::from_toml("postgre = 15").unwrap_err().to_string();
        assert!(unknown.contains("unknown field `postgre`"), "{unknown}");
    }

    #[test]
    fn a_role_counts_as_used_unless_services_name_theirs() {
        assert!(Config::default().is_used_role("analyst"));
        let config = Config::from_toml("[[services]]\nname = \"a\"\nroles = [\"a_role\"]").unwrap();
        assert!(
            config.is_used_role("a_role") && config.is_used_role("public") && !config.is_used_role("analyst")
        );
    }
}
