//! A database, and the password that stays out of every log, error and process list.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;

use super::secret::Secrets;
use super::tls::Tls;

/// How a URL is to be written, for errors.
const FORM: &str = "write postgres://USER:PASSWORD@HOST:PORT/NAME?sslmode=verify-full, and in the password %40 for @, %2F for /, %3F for \
                    ?, %25 for %";
/// Beyond this a server is not there (ours: `libpq`'s own is none at all).
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A PostgreSQL database, named by a URL.
///
/// The password is taken out of the URL: tools find it in their environment, and it is in no `Debug` output.
///
/// ```
/// use mpac_deploy_migrate::run::Database;
///
/// let database = Database::parse("postgres://portal:s3cret@db.internal:5432/portal?sslmode=disable")?;
/// assert_eq!(database.to_string(), "postgres://portal@db.internal:5432/portal?sslmode=disable");
/// # Ok::<(), mpac_deploy_migrate::run::DatabaseError>(())
/// ```
#[derive(Clone)]
pub struct Database {
    pub(super) config: Config,
    pub(super) tls: Tls,
    /// `USER@HOST:PORT/NAME`.
    place: String,
    parameters: Vec<Parameter>,
    password: Option<Password>,
    /// What must not be repeated although it is another database's.
    others: Secrets,
    /// Variables of our environment that whoever works on this one is not to find.
    forgotten: Vec<OsString>,
}

/// A URL that names no database.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// It is no URL of PostgreSQL.
    #[error("this is no URL of a PostgreSQL database: {0}; {FORM}")]
    Url(String),
    /// The certificates against which the server is to be checked cannot be read.
    #[error("the certificates for sslmode={mode} cannot be read: {why}")]
    Certificates {
        /// The mode.
        mode: String,
        /// Why.
        why: String,
    },
}

/// One `key=value` of the URL, as it stands there.
#[derive(Clone)]
struct Parameter {
    key: String,
    value: String,
}

#[derive(Clone)]
struct Password {
    plain: String,
    /// As it stood in the URL.
    encoded: String,
}

impl Database {
    /// Reads a URL. Nothing is connected to yet.
    ///
    /// Besides what PostgreSQL's own tools know, parameters that begin with `x-` are left to golang-migrate.
    ///
    /// # Errors
    /// [`DatabaseError`], which never repeats the URL.
    pub fn parse(url: &str) -> Result<Self, DatabaseError> {
        let wrong = |why: &str| DatabaseError::Url(why.to_owned());
        let rest = url
            .strip_prefix("postgres://")
            .or_else(|| url.strip_prefix("postgresql://"))
            .ok_or_else(|| wrong("it does not begin with postgres://"))?;
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = place.split_once('/').unwrap_or((place, ""));
        if path.contains('@') || query.contains('@') {
            return Err(wrong("there is an @ behind the host"));
        }
        let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, encoded) = user.split_once(':').unwrap_or((user, ""));
        let mut parameters: Vec<Parameter> =
            query.split('&').filter(|pair| !pair.is_empty()).map(Parameter::read).collect();
        let in_query = parameters.extract_if(.., |parameter| parameter.key == "password").last();
        let encoded = in_query.map_or_else(|| encoded.to_owned(), |parameter| parameter.value);
        let password = (!encoded.is_empty()).then(|| Password { plain: decoded(&encoded), encoded });
        let at = if user.is_empty() { "" } else { "@" };
        let place = format!("{user}{at}{host}/{path}");

        let own = |parameter: &&Parameter| {
            !parameter.key.starts_with("x-") && !matches!(parameter.key.as_str(), "sslmode" | "sslrootcert")
        };
        let text = format!("postgres://{place}{}", query_of(parameters.iter().filter(own)));
        let mut config: Config = text.parse().map_err(|error| wrong(&causes(&error)))?;
        if let Some(password) = &password {
            config.password(&password.plain);
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        let others = Secrets::default();
        let forgotten = Vec::new();
        let mut database = Self { config, tls: Tls::Off, place, parameters, password, others, forgotten };
        database.tls = Tls::of(database.parameter("sslmode"), database.parameter("sslrootcert"))?;
        database.config.ssl_mode(database.tls.mode());
        Ok(database)
    }

    /// The same server, another database: a scratch copy, for instance.
    #[must_use]
    pub fn named(&self, name: &str) -> Self {
        let mut other = self.clone();
        let before = other.place.split_once('/').map_or(other.place.as_str(), |(before, _)| before);
        other.place = format!("{before}/{name}");
        other.config.dbname(name);
        other
    }

    /// A copy of this one on another server: its own name there, and what this one's URL says to sessions and to the tool.
    pub(super) fn on_server(&self, server: &Self, name: &str) -> Self {
        let mut copy = server.named(name);
        let is_own = |it: &&Parameter| it.key == "options" || it.key.starts_with("x-");
        copy.parameters.retain(|it| !is_own(&it));
        copy.parameters.extend(self.parameters.iter().filter(is_own).cloned());
        match self.config.get_options() {
            Some(options) => copy.config.options(options),
            None => copy.config.options(""),
        };
        copy.others = self.secrets();
        copy.forgotten.clone_from(&self.forgotten);
        copy
    }

    /// The name of the database; the user's, where the URL has none.
    #[must_use]
    pub fn name(&self) -> &str {
        self.config.get_dbname().or(self.config.get_user()).unwrap_or("postgres")
    }

    /// A parameter of the URL, decoded.
    pub(super) fn parameter(&self, key: &str) -> Option<String> {
        let found = self.parameters.iter().find(|parameter| parameter.key == key)?;
        Some(decoded(&found.value))
    }

    /// The URL for golang-migrate, without the password and without `options`, which [`Database::options`] carries.
    pub(super) fn for_migrate(&self) -> String {
        format!(
            "postgres://{}{}",
            self.place,
            query_of(self.parameters.iter().filter(|it| it.key != "options"))
        )
    }

    /// The URL for PostgreSQL's own programs, without the password and without `options`.
    pub(super) fn for_libpq(&self) -> String {
        let others = |it: &&Parameter| !it.key.starts_with("x-") && it.key != "options";
        format!("postgres://{}{}", self.place, query_of(self.parameters.iter().filter(others)))
    }

    /// The URL for SQLAlchemy, with the password, under the name of the project's driver: for an environment, never for a command line.
    pub(super) fn for_sqlalchemy(&self, scheme: &str) -> String {
        let (user, rest) =
            self.place.split_once('@').map_or(("", self.place.as_str()), |(u, rest)| (u, rest));
        let password =
            self.password.as_ref().map(|password| format!(":{}", password.encoded)).unwrap_or_default();
        let at = if user.is_empty() && password.is_empty() { "" } else { "@" };
        let others = |it: &&Parameter| !it.key.starts_with("x-") && it.key != "options";
        format!("{scheme}://{user}{password}{at}{rest}{}", query_of(self.parameters.iter().filter(others)))
    }

    /// The password, for an environment.
    pub(super) fn password(&self) -> Option<&str> {
        self.password.as_ref().map(|password| password.plain.as_str())
    }

    /// The server options of the URL.
    pub(super) fn options(&self) -> Option<&str> {
        self.config.get_options()
    }

    /// What must not be repeated.
    pub(super) fn secrets(&self) -> Secrets {
        let own = self.password.iter().flat_map(|password| [&password.plain, &password.encoded]);
        Secrets::new(own.cloned()).and(self.others.clone())
    }

    /// Whoever works on it, or on a copy of it, does not find these variables of our environment.
    pub(super) fn forgetting(mut self, variables: &[String]) -> Self {
        self.forgotten.extend(variables.iter().map(OsString::from));
        self
    }

    /// The variables of our environment by which another database could be found.
    pub(super) fn variables_of_others(&self) -> Vec<OsString> {
        let holds = |value: &OsStr| self.others.is_password_of(&value.to_string_lossy());
        let found = std::env::vars_os().filter(|(_, value)| holds(value)).map(|(name, _)| name);
        found.chain(self.forgotten.iter().cloned()).collect()
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "postgres://{}{}", self.place, query_of(self.parameters.iter()))
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Database").field(&self.to_string()).finish()
    }
}

impl Parameter {
    fn read(pair: &str) -> Self {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        Self { key: key.to_owned(), value: value.to_owned() }
    }
}

fn query_of<'a>(parameters: impl Iterator<Item = &'a Parameter>) -> String {
    let mut text = String::new();
    for parameter in parameters {
        text.push(if text.is_empty() { '?' } else { '&' });
        text.push_str(&parameter.key);
        text.push('=');
        text.push_str(&parameter.value);
    }
    text
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// An error with what caused it.
pub(super) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "postgresql://app:p%40ss%2Fw@db:6432/shop?sslmode=disable&options=-c%20search_path%3Da&x-migrations-table=m";

    #[test]
    fn the_password_is_taken_out_and_kept_aside() {
        let database = Database::parse(URL).unwrap();
        assert_eq!(database.password(), Some("p@ss/w"));
        assert_eq!(database.config.get_password(), Some("p@ss/w".as_bytes()));
        for text in [format!("{database}"), format!("{database:?}"), database.for_migrate()] {
            assert!(!text.contains("ss%2Fw") && !text.contains("ss/w"), "{text}");
        }
        assert_eq!(database.options(), Some("-c search_path=a"));
        assert_eq!(
            database.for_migrate(),
            "postgres://app@db:6432/shop?sslmode=disable&x-migrations-table=m"
        );
        assert_eq!(
            database.for_sqlalchemy("postgresql+psycopg"),
            "postgresql+psycopg://app:p%40ss%2Fw@db:6432/shop?sslmode=disable"
        );
    }

    #[test]
    fn a_password_among_the_parameters_is_one_too() {
        let database = Database::parse("postgres://app@db/shop?sslmode=disable&password=hid%25den").unwrap();
        assert_eq!((database.password(), database.name()), (Some("hid%den"), "shop"));
        assert_eq!(database.to_string(), "postgres://app@db/shop?sslmode=disable");
    }

    #[test]
    fn another_database_of_the_same_server() {
        let database = Database::parse(URL).unwrap().named("scratch");
        assert_eq!(database.name(), "scratch");
        assert!(database.for_migrate().starts_with("postgres://app@db:6432/scratch?"));
    }

    #[test]
    fn what_is_no_url_is_refused_and_not_repeated() {
        for url in [
            "host=db password=hidden",
            "postgres://a:hid/den@db/x",
            "postgres://a:hidden@db:port/x",
            "mysql://a:hidden@b/c",
        ] {
            let error = Database::parse(url).unwrap_err().to_string();
            assert!(!error.contains("hid") && error.contains("write postgres://"), "{error}");
        }
        let mode = Database::parse("postgres://a@db/x?sslmode=maybe").unwrap_err().to_string();
        assert!(mode.contains("sslmode=maybe"), "{mode}");
    }
}
