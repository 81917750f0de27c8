//! The server, and what can be seen of a statement on it.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use mpac_deploy_migrate::LockMode;
use postgres::{Client, NoTls, SimpleQueryMessage};

use crate::cases::Case;

/// What a statement did.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The strongest lock on each table, view or index that was there before; weaker ones than those of a write do not count.
    pub(crate) locks: BTreeMap<String, LockMode>,
    pub(crate) rewritten: bool,
    pub(crate) scanned: bool,
    /// Why it failed.
    pub(crate) failed: Option<String>,
    /// What the old statement answered before and after.
    pub(crate) old: Option<(Answer, Answer)>,
}

/// The rows of a statement, or its error.
type Answer = Result<Vec<Vec<Option<String>>>, String>;

pub(crate) struct Server {
    address: String,
    client: Client,
    pub(crate) version: u32,
    schemas: u32,
}

/// A deadlock of the test itself must not stop everything.
const LIMIT: Duration = Duration::from_secs(30);

/// Another session's counters are reported once a second at most; without a scan there is nothing that would come.
const COUNTERS_COME_LATER: Duration = Duration::from_secs(3);

/// A lock may be held for a moment only.
const LOOK_EVERY: Duration = Duration::from_millis(5);

impl Server {
    pub(crate) fn connect(without: &str) -> Self {
        let address = std::env::var("MPAC_POSTGRES").unwrap_or_else(|_| panic!("{without}"));
        let mut client = Client::connect(&address, NoTls).unwrap();
        let row = client.query_one("SELECT current_setting('server_version_num')::int / 10000", &[]).unwrap();
        let version = u32::try_from(row.get::<_, i32>(0)).unwrap();
        assert!(version >= 15, "PostgreSQL {version} is too old: the witness is written for 15 and newer");
        // A server that is used twice has the roles already.
        for role in ["old_code", "other_role"] {
            client.batch_execute(&format!("DROP ROLE IF EXISTS {role}")).ok();
            client.batch_execute(&format!("CREATE ROLE {role}")).ok();
        }
        Self { address, client, version, schemas: 0 }
    }

    /// Runs a case in a schema of its own.
    pub(crate) fn run(&mut self, case: &Case) -> Seen {
        self.schemas += 1;
        let schema = format!("w{}_{}", std::process::id(), self.schemas);
        let before = case.before();
        self.client
            .batch_execute(&format!(
                "CREATE SCHEMA {schema}; GRANT USAGE ON SCHEMA {schema} TO old_code; SET search_path TO {schema}; {before}"
            ))
            .unwrap_or_else(|error| panic!("{before}: {error:?}"));
        let old = case.old.map(|old| self.undone(old));
        let tables = self.tables(&schema);
        let mut seen =
            if case.alone { self.alone(case, &schema, &tables) } else { self.shared(case, &tables) };
        if let Some((old, before)) = case.old.zip(old) {
            let after = if case.alone { self.undone(old) } else { answer(&mut self.client, old) };
            seen.old = Some((before, after));
        }
        self.client.batch_execute("ROLLBACK").unwrap();
        self.client
            .batch_execute(&format!("SET search_path TO public; DROP SCHEMA {schema} CASCADE"))
            .unwrap();
        seen
    }

    fn undone(&mut self, sql: &str) -> Answer {
        self.client.batch_execute("BEGIN").unwrap();
        let answer = answer(&mut self.client, sql);
        self.client.batch_execute("ROLLBACK").unwrap();
        answer
    }

    /// The tables, views and indexes of a schema: their object id, name and file.
    fn tables(&mut self, schema: &str) -> Vec<(u32, String, Option<u32>)> {
        let rows = self
            .client
            .query(
                "SELECT c.oid, c.relname::text, pg_relation_filenode(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = \
                 c.relnamespace WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm')",
                &[&schema],
            )
            .unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
    }

    /// In a transaction that stays open, so that its locks can be looked at.
    fn shared(&mut self, case: &Case, tables: &[(u32, String, Option<u32>)]) -> Seen {
        self.client.batch_execute("BEGIN").unwrap();
        let scans = self.own_scans(tables);
        let mut seen = Seen::default();
        if let Err(error) = self.client.batch_execute(case.statement) {
            seen.failed = Some(error.to_string());
            return seen;
        }
        let pid: i32 = self.client.query_one("SELECT pg_backend_pid()", &[]).unwrap().get(0);
        seen.locks = locks(&mut self.client, pid, tables);
        for (oid, _, file) in tables {
            seen.rewritten |= self.is_rewritten(*oid, *file);
        }
        seen.scanned = self.own_scans(tables) > scans;
        seen
    }

    /// Whether a table's file is another one than before; a dropped table has none.
    fn is_rewritten(&mut self, oid: u32, before: Option<u32>) -> bool {
        let row = self.client.query_one("SELECT pg_relation_filenode($1::oid)", &[&oid]).unwrap();
        let now: Option<u32> = row.get(0);
        now.is_some() && now != before
    }

    /// Scans of this session that it has not reported yet.
    fn own_scans(&mut self, tables: &[(u32, String, Option<u32>)]) -> i64 {
        self.sum("pg_stat_get_xact_numscans", tables)
    }

    /// Outside of a transaction, held up by a reader or writer of the table, so that its locks can be looked at.
    fn alone(&mut self, case: &Case, schema: &str, tables: &[(u32, String, Option<u32>)]) -> Seen {
        let mut holder = Client::connect(&self.address, NoTls).unwrap();
        holder.batch_execute(&format!("SET search_path TO {schema}; BEGIN; {}", case.held_up_by)).unwrap();
        let mut runner = Client::connect(&self.address, NoTls).unwrap();
        runner.batch_execute(&format!("SET search_path TO {schema}")).unwrap();
        let pid: i32 = runner.query_one("SELECT pg_backend_pid()", &[]).unwrap().get(0);
        self.report_own_scans();
        let scans = self.scans(tables);
        let statement = case.statement;
        let running =
            thread::spawn(move || runner.batch_execute(statement).map_err(|error| error.to_string()));
        let mut seen = Seen::default();
        until(LIMIT, || {
            seen.locks = locks(&mut self.client, pid, tables);
            !seen.locks.is_empty() || running.is_finished()
        });
        holder.batch_execute("ROLLBACK").unwrap();
        seen.failed = running.join().unwrap().err();
        until(COUNTERS_COME_LATER, || self.scans(tables) != scans);
        seen.scanned = self.scans(tables) > scans;
        for (oid, _, file) in tables {
            seen.rewritten |= self.is_rewritten(*oid, *file);
        }
        seen
    }

    /// What this session itself has scanned is counted from here on.
    fn report_own_scans(&mut self) {
        self.client.batch_execute("SELECT pg_stat_force_next_flush()").unwrap();
    }

    /// Scans of all sessions.
    fn scans(&mut self, tables: &[(u32, String, Option<u32>)]) -> i64 {
        self.client.batch_execute("SELECT pg_stat_clear_snapshot()").unwrap();
        self.sum("pg_stat_get_numscans", tables)
    }

    fn sum(&mut self, function: &str, tables: &[(u32, String, Option<u32>)]) -> i64 {
        let oids: Vec<u32> = tables.iter().map(|(oid, _, _)| *oid).collect();
        let sql = format!("SELECT coalesce(sum({function}(oid)), 0)::bigint FROM unnest($1::oid[]) oid");
        self.client.query_one(&sql, &[&oids]).unwrap().get(0)
    }
}

/// Looks again and again until it is so, or the limit is over: PostgreSQL tells nobody when it is.
fn until(limit: Duration, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() && start.elapsed() < limit {
        thread::sleep(LOOK_EVERY);
    }
}

/// All locks of a session, held or waited for.
fn locks(client: &mut Client, pid: i32, tables: &[(u32, String, Option<u32>)]) -> BTreeMap<String, LockMode> {
    let rows = client
        .query("SELECT relation, mode::text FROM pg_locks WHERE pid = $1 AND locktype = 'relation'", &[&pid])
        .unwrap();
    let mut locks = BTreeMap::new();
    for row in rows {
        let oid: u32 = row.get(0);
        let Some(mode) = mode(row.get(1)).filter(|mode| *mode >= LockMode::RowExclusive) else { continue };
        if let Some((_, name, _)) = tables.iter().find(|(table, _, _)| *table == oid) {
            let strongest = locks.entry(name.clone()).or_insert(mode);
            *strongest = mode.max(*strongest);
        }
    }
    locks
}

fn mode(name: &str) -> Option<LockMode> {
    Some(match name {
        "AccessShareLock" => LockMode::AccessShare,
        "RowShareLock" => LockMode::RowShare,
        "RowExclusiveLock" => LockMode::RowExclusive,
        "ShareUpdateExclusiveLock" => LockMode::ShareUpdateExclusive,
        "ShareLock" => LockMode::Share,
        "ShareRowExclusiveLock" => LockMode::ShareRowExclusive,
        "ExclusiveLock" => LockMode::Exclusive,
        "AccessExclusiveLock" => LockMode::AccessExclusive,
        _ => return None,
    })
}

fn answer(client: &mut Client, sql: &str) -> Answer {
    let messages = client.simple_query(sql).map_err(|error| {
        error.as_db_error().map_or_else(|| error.to_string(), |error| error.message().to_owned())
    })?;
    let mut rows = Vec::new();
    for message in messages {
        if let SimpleQueryMessage::Row(row) = message {
            rows.push((0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect());
        }
    }
    Ok(rows)
}
