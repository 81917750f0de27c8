//! Each statement by itself: what it locks, reads and writes.

use std::collections::HashMap;

use mpac_deploy_core::port::PortError;
use tokio_postgres::error::SqlState;

use super::report::{Observed, SeenLock};
use crate::analyze::only_controls;
use crate::facts::read;
use crate::run::database::Database;
use crate::run::session::{Session, failed};
use crate::run::step::shown;
use crate::{LockMode, Migration, Report, StatementReport};

/// A table, view or materialized view that was there before the release.
struct Relation {
    oid: u32,
    name: String,
    file: Option<u32>,
}

/// Runs the statements of a release one by one, each in a transaction of its own, until one fails.
pub(super) async fn statements(
    database: &Database,
    migrations: &[Migration],
    claims: &Report,
) -> Result<Vec<Observed>, PortError> {
    let session = Session::open(database).await?;
    let mut relations = relations(&session).await?;
    let claimed: HashMap<(&str, usize), &StatementReport> =
        claims.statements.iter().map(|claim| ((claim.file.as_str(), claim.span.start), claim)).collect();
    let mut all = Vec::new();
    for migration in migrations.iter().filter(|migration| !migration.is_history()) {
        for statement in read(migration.text()) {
            let Some(claim) = claimed.get(&(migration.path(), statement.span.start)) else { continue };
            let Some(text) = migration.text().get(statement.span.start..statement.span.end) else { continue };
            if only_controls(&statement) {
                continue;
            }
            let mut observed = observe(&session, text, claim, &mut relations).await?;
            observed.unexpected = unexpected(&observed, claim);
            let has_failed = observed.failed.is_some();
            all.push(observed);
            if has_failed {
                return Ok(all);
            }
        }
    }
    Ok(all)
}

async fn relations(session: &Session) -> Result<Vec<Relation>, PortError> {
    let sql = "SELECT c.oid, CASE n.nspname WHEN 'public' THEN quote_ident(c.relname) ELSE format('%I.%I', n.nspname, c.relname) END, \
               pg_relation_filenode(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
               WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relkind IN ('r', 'p', 'v', 'm')";
    let rows = session.rows(sql, &[]).await?;
    Ok(rows.iter().map(|row| Relation { oid: row.get(0), name: row.get(1), file: row.get(2) }).collect())
}

async fn observe(
    session: &Session,
    text: &str,
    claim: &StatementReport,
    relations: &mut [Relation],
) -> Result<Observed, PortError> {
    let mut observed = Observed {
        file: claim.file.clone(),
        line: claim.position.line,
        statement: shown(text),
        locks: None,
        rewrites: false,
        scans: None,
        failed: None,
        unexpected: Vec::new(),
    };
    session.run("BEGIN").await?;
    let before = scans(session, relations).await?;
    match session.client.batch_execute(text).await {
        Ok(()) => {
            observed.locks = Some(locks(session, relations).await?);
            observed.scans = Some(scans(session, relations).await? > before);
            session.run("COMMIT").await?;
        }
        Err(error) => {
            session.run("ROLLBACK").await?;
            // What cannot run in a transaction says so with this code.
            let ran = match error.code() {
                Some(code) if *code == SqlState::ACTIVE_SQL_TRANSACTION => {
                    session.client.batch_execute(text).await
                }
                Some(_) | None => Err(error),
            };
            if let Err(error) = ran {
                match error.as_db_error() {
                    Some(said) => observed.failed = Some(said.message().to_owned()),
                    None => return Err(failed(text, &error)),
                }
            }
        }
    }
    observed.rewrites = rewritten(session, relations).await?;
    Ok(observed)
}

/// The strongest lock of the open transaction on each relation; weaker ones than those of a write do not count.
async fn locks(session: &Session, relations: &[Relation]) -> Result<Vec<SeenLock>, PortError> {
    let sql = "SELECT relation, mode FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' AND granted";
    let mut strongest: HashMap<u32, LockMode> = HashMap::new();
    for row in session.rows(sql, &[]).await? {
        let (oid, mode): (u32, String) = (row.get(0), row.get(1));
        if let Some(mode) = mode_of(&mode).filter(|mode| *mode >= LockMode::RowExclusive) {
            let held = strongest.entry(oid).or_insert(mode);
            *held = mode.max(*held);
        }
    }
    let held = relations.iter().filter_map(|relation| {
        Some(SeenLock { table: relation.name.clone(), mode: *strongest.get(&relation.oid)? })
    });
    let mut held: Vec<SeenLock> = held.collect();
    held.sort_by(|a, b| a.table.cmp(&b.table));
    Ok(held)
}

fn mode_of(name: &str) -> Option<LockMode> {
    const MODES: [(&str, LockMode); 8] = [
        ("AccessShareLock", LockMode::AccessShare),
        ("RowShareLock", LockMode::RowShare),
        ("RowExclusiveLock", LockMode::RowExclusive),
        ("ShareUpdateExclusiveLock", LockMode::ShareUpdateExclusive),
        ("ShareLock", LockMode::Share),
        ("ShareRowExclusiveLock", LockMode::ShareRowExclusive),
        ("ExclusiveLock", LockMode::Exclusive),
        ("AccessExclusiveLock", LockMode::AccessExclusive),
    ];
    MODES.iter().find(|(known, _)| *known == name).map(|(_, mode)| *mode)
}

/// Scans of this session that it has not reported yet.
async fn scans(session: &Session, relations: &[Relation]) -> Result<i64, PortError> {
    let oids: Vec<u32> = relations.iter().map(|relation| relation.oid).collect();
    let sql = "SELECT coalesce(sum(pg_stat_get_xact_numscans(oid)), 0)::bigint FROM unnest($1::oid[]) oid";
    Ok(session.value::<i64>(sql, &[&oids]).await?.unwrap_or(0))
}

/// Whether a relation has another file than before; from here on it is the one that it has now. A dropped one has none.
async fn rewritten(session: &Session, relations: &mut [Relation]) -> Result<bool, PortError> {
    let oids: Vec<u32> = relations.iter().map(|relation| relation.oid).collect();
    let sql = "SELECT oid, pg_relation_filenode(oid) FROM unnest($1::oid[]) oid";
    let files: HashMap<u32, Option<u32>> =
        session.rows(sql, &[&oids]).await?.iter().map(|row| (row.get(0), row.get(1))).collect();
    let mut rewritten = false;
    for relation in relations {
        let now = files.get(&relation.oid).copied().flatten();
        rewritten |= now.is_some() && now != relation.file;
        relation.file = now;
    }
    Ok(rewritten)
}

/// What is heavier than what the files let expect. What is lighter harms nobody.
fn unexpected(observed: &Observed, claim: &StatementReport) -> Vec<String> {
    let mut all = Vec::new();
    for lock in observed.locks.iter().flatten() {
        let claimed = claim.impact.locks.iter().filter(|claimed| plain(&claimed.table) == plain(&lock.table));
        if claimed.map(|claimed| claimed.mode).max() < Some(lock.mode) {
            all.push(format!("takes {} on {}", lock.mode, lock.table));
        }
    }
    if observed.rewrites && !claim.impact.rewrites {
        all.push("writes a table anew".to_owned());
    }
    if observed.scans == Some(true) && !claim.impact.scans && !claim.impact.rewrites {
        all.push("reads a table as a whole".to_owned());
    }
    all
}

/// A name as it may be written without its schema.
fn plain(name: &str) -> &str {
    name.strip_prefix("public.").unwrap_or(name)
}
