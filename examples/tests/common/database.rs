//! A database of its own for a test, and the tool that changes its schema.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, outside a test function"
)]
#![allow(dead_code, reason = "each test binary uses its part")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use postgres::{Client, Config, NoTls, config::Host};

/// The server takes any password; nobody may see this one.
pub(crate) const PASSWORD: &str = "hush";
const VERSION: &str = "CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL); \
                       INSERT INTO schema_migrations VALUES (1, false)";

/// A look is one small query.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);
/// Whatever a loaded machine takes; a test that works waits for a second or two.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

static NUMBER: AtomicU32 = AtomicU32::new(1);

/// Gone at the end.
pub(crate) struct Database {
    server: Config,
    pub(crate) name: String,
}

impl Database {
    /// At version 1 of golang-migrate, which made this.
    pub(crate) fn at_version_1(sql: &str) -> Self {
        let address = std::env::var("MPAC_POSTGRES").expect("needs a PostgreSQL server: cargo xtask test");
        let name = format!("cli_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let database = Self { server: address.parse().unwrap(), name };
        database.on("postgres").batch_execute(&format!("CREATE DATABASE {}", database.name)).unwrap();
        database.client().batch_execute(&format!("{sql}; {VERSION}")).unwrap();
        database
    }

    pub(crate) fn client(&self) -> Client {
        self.on(&self.name)
    }

    fn on(&self, database: &str) -> Client {
        self.server.clone().dbname(database).connect(NoTls).unwrap()
    }

    /// Waits until a count is not 0: what other sessions do, no server tells by itself.
    pub(crate) fn wait_for(&self, count: &str) {
        let (mut client, began) = (self.client(), Instant::now());
        while client.query_one(count, &[]).unwrap().get::<_, i64>(0) == 0 {
            assert!(began.elapsed() < LONGEST_WAIT, "it has not come: {count}");
            thread::sleep(BETWEEN_LOOKS);
        }
    }

    pub(crate) fn url(&self) -> String {
        let Host::Tcp(host) = &self.server.get_hosts()[0] else { panic!("a socket") };
        let (user, port) = (self.server.get_user().unwrap(), self.server.get_ports()[0]);
        format!("postgres://{user}:{PASSWORD}@{host}:{port}/{}?sslmode=disable", self.name)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        self.on("postgres").batch_execute(&sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
}

/// golang-migrate, where it is on the `PATH`, else its stand-in.
pub(crate) fn migrate() -> &'static str {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = std::env::split_paths(&path).any(|folder| folder.join("migrate").is_file());
    if is_there {
        "migrate"
    } else {
        concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy-migrate/tests/stand-in/migrate")
    }
}
