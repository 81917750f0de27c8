//! Sessions of the server: ours, the tool's, and others' that are in the way.

use std::time::Duration;

use mpac_deploy_core::ids::ServiceName;
use mpac_deploy_core::port::PortError;
use tokio::time::{Instant, sleep};

use super::session::Session;

/// PostgreSQL keeps as much of a session's name.
const NAME_BYTES: usize = 63;
/// A session that is told to end does so when its statement notices.
const ENDING: Duration = Duration::from_secs(10);
/// The server notices within milliseconds that a client has left; a loaded one takes longer (ours).
const LEAVING: Duration = Duration::from_secs(3);
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// The first half of our advisory locks' key: `mpac` in ASCII.
const LOCK_CLASS: i32 = 0x6d70_6163;

/// The name of the tool's sessions for a service.
pub(super) fn name_of(service: &ServiceName) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    format!("mpac-deploy/{}", service.as_str().chars().map(plain).collect::<String>())
        .chars()
        .take(NAME_BYTES)
        .collect()
}

/// One controller at a time changes a service's schema, also where its lease was lost. The lock is gone with the session, which the server
/// ends a moment after its client has left: a change right after another one waits for that.
pub(super) async fn claim(session: &Session, service: &ServiceName) -> Result<(), PortError> {
    let sql = "SELECT pg_try_advisory_lock($1, hashtext($2))";
    let until = Instant::now() + LEAVING;
    loop {
        let is_ours: Option<bool> = session.value(sql, &[&LOCK_CLASS, &service.as_str()]).await?;
        if is_ours == Some(true) {
            return Ok(());
        }
        if Instant::now() >= until {
            return Err(PortError::Unavailable(format!(
                "somebody else is changing the schema of {service} at this moment"
            )));
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Ends the sessions of a tool that was stopped, or that a controller before this one has left behind.
pub(super) async fn end(session: &Session, application: &str) -> Result<(), PortError> {
    const OTHERS: &str = "FROM pg_stat_activity WHERE application_name = $1 AND datname = current_database() AND pid <> pg_backend_pid()";
    let until = Instant::now() + ENDING;
    loop {
        session.rows(&format!("SELECT pg_terminate_backend(pid) {OTHERS}"), &[&application]).await?;
        let left: Option<i64> = session.value(&format!("SELECT count(*) {OTHERS}"), &[&application]).await?;
        if left.unwrap_or(0) == 0 {
            return Ok(());
        }
        if Instant::now() >= until {
            return Err(PortError::Unavailable(format!(
                "a session `{application}` on the server does not end"
            )));
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Whether sessions can be told to look whether their client is still there: from PostgreSQL 14 on, on most systems.
pub(super) async fn server_notices_dead_clients(session: &Session) -> bool {
    session
        .run("SET client_connection_check_interval = '1s'; RESET client_connection_check_interval")
        .await
        .is_ok()
}

/// Who is the likeliest to hold the lock, in words that continue a sentence.
pub(super) async fn oldest_transaction(session: &Session) -> String {
    let sql = "SELECT format('; the oldest transaction is that of process %s, `%s`, since %s s', pid, application_name, \
               extract(epoch FROM now() - xact_start)::bigint) FROM pg_stat_activity \
               WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL ORDER BY xact_start LIMIT 1";
    session.value(sql, &[]).await.ok().flatten().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_plain_and_short() {
        assert_eq!(name_of(&"svc portal/ü".into()), "mpac-deploy/svc-portal--");
        assert_eq!(name_of(&ServiceName::new("x".repeat(100))).len(), NAME_BYTES);
    }
}
