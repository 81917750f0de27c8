//! Databases that are made for a rehearsal and are gone after it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mpac_deploy_core::port::PortError;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::run::database::Database;
use crate::run::session::Session;
use crate::run::version::identifier;

/// What the names of all of them begin with; the second of their making follows, and of what they are a copy.
const PREFIX: &str = "mpac_rehearse_";
/// PostgreSQL keeps as much of a name.
const NAME_BYTES: usize = 63;
/// What is as old and has no session is left of a process that was killed (ours: no rehearsal takes a day).
const LEFT_BEHIND: Duration = Duration::from_secs(24 * 60 * 60);

/// A database of our own, removed with [`Scratch::remove`], or at the latest when it is dropped while a runtime is there to do it.
pub(super) struct Scratch {
    database: Database,
    server: Database,
    is_there: bool,
    /// Goes on although nobody waits for it: a server makes a database to its end.
    making: Option<JoinHandle<Result<(), PortError>>>,
}

impl Scratch {
    /// A new one for the copy of a database, which is not there yet.
    pub(super) fn of(server: &Database, target: &Database) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let own = (std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let database = target.on_server(server, &name_of(now(), own, target.name()));
        Self { database, server: server.clone(), is_there: false, making: None }
    }

    /// Makes it: empty, or the same as another to which nobody is connected. Names are looked up as in the target.
    pub(super) async fn make(&mut self, like: Option<&Self>, search_path: &str) -> Result<(), PortError> {
        let template = like.map_or("template0", |like| like.database.name());
        let session = Session::open(&self.server).await?;
        let sql =
            format!("CREATE DATABASE {} TEMPLATE {}", identifier(self.database.name()), identifier(template));
        // From here on it may be there, also if this call is dropped or its answer lost.
        self.is_there = true;
        let making = self.making.insert(tokio::spawn(async move { session.run(&sql).await }));
        let made = making.await.map_err(|error| PortError::Unavailable(error.to_string()));
        self.making = None;
        made??;
        let session = Session::open(&self.database).await?;
        session.rows("SELECT set_config('search_path', $1, false)", &[&search_path]).await?;
        session
            .run(&format!("ALTER DATABASE {} SET search_path FROM CURRENT", identifier(self.database.name())))
            .await
    }

    pub(super) const fn database(&self) -> &Database {
        &self.database
    }

    /// Removes it, whoever is connected.
    pub(super) async fn remove(mut self) -> Result<(), PortError> {
        if let Some(making) = self.making.take() {
            making.await.ok();
        }
        if !self.is_there {
            return Ok(());
        }
        let removed = remove(&self.server, self.database.name()).await;
        self.is_there = removed.is_err();
        removed
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let Ok(runtime) = Handle::try_current() else { return };
        if self.is_there {
            let (server, name) = (self.server.clone(), self.database.name().to_owned());
            let making = self.making.take();
            runtime.spawn(async move {
                if let Some(making) = making {
                    making.await.ok();
                }
                if let Err(error) = remove(&server, &name).await {
                    tracing::warn!(target: "mpac_deploy_migrate::run", name, %error, "a scratch database is left behind");
                }
            });
        }
    }
}

async fn remove(server: &Database, name: &str) -> Result<(), PortError> {
    let session = Session::open(server).await?;
    session.run(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", identifier(name))).await
}

/// Removes what killed processes have left behind long ago.
pub(super) async fn sweep(server: &Database) -> Result<(), PortError> {
    let session = Session::open(server).await?;
    let sql = "SELECT datname::text FROM pg_database d WHERE starts_with(datname, $1) \
               AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = d.oid)";
    for row in session.rows(sql, &[&PREFIX]).await? {
        let name: String = row.get(0);
        if is_left_behind(&name, now()) {
            // Somebody else's may not be ours to remove: that is no reason against a rehearsal.
            session.run(&format!("DROP DATABASE IF EXISTS {}", identifier(&name))).await.ok();
        }
    }
    Ok(())
}

/// No two are the same: of a process by their number, of several by a moment and the process, down to the nanosecond.
fn name_of(now: Duration, (process, number): (u32, u32), of: &str) -> String {
    let mut name = format!("{PREFIX}{}_{:x}_{process:x}_{number:x}_", now.as_secs(), now.subsec_nanos());
    let plain = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    name.extend(of.chars().filter(plain).take(NAME_BYTES.saturating_sub(name.len())));
    name
}

fn is_left_behind(name: &str, now: Duration) -> bool {
    let made = name.strip_prefix(PREFIX).and_then(|rest| rest.split('_').next()?.parse().ok());
    made.is_some_and(|made| now.saturating_sub(Duration::from_secs(made)) > LEFT_BEHIND)
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_old_and_ours_is_left_behind() {
        let now = Duration::from_secs(1_000_000);
        assert!(is_left_behind("mpac_rehearse_900000_1f_3a", now));
        assert!(!is_left_behind("mpac_rehearse_999000_1f_3a", now));
        assert!(!is_left_behind("mpac_rehearse_x", now));
        assert!(!is_left_behind("rehearse_900000_1f_3a", now));
    }

    #[test]
    fn a_copy_says_of_what_it_is_one() {
        let now = Duration::new(1_764_100_000, 255);
        let name = |of: &str| name_of(now, (16, 3), of);
        assert_eq!(name("portal"), "mpac_rehearse_1764100000_ff_10_3_portal");
        assert_eq!(name(&"ü".repeat(80)), "mpac_rehearse_1764100000_ff_10_3_");
        assert_eq!(name("a b/c%41?"), "mpac_rehearse_1764100000_ff_10_3_abc41");
        assert_eq!(name(&"x".repeat(80)).len(), NAME_BYTES);
        let server = Database::parse("postgres://a@b/c?sslmode=disable").unwrap();
        let (one, other) = (Scratch::of(&server, &server), Scratch::of(&server, &server));
        assert_ne!(one.database().name(), other.database().name());
    }
}
