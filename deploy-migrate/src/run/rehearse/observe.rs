//! Each statement by itself: what it locks, reads and writes.

use std::collections::HashMap;

use mpac_deploy_core::port::PortError;
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;

use super::report::{Observed, SeenLock};
use crate::analyze::only_controls;
use crate::facts::{Action, Statement, read};
use crate::run::database::Database;
use crate::run::secret::Secrets;
use crate::run::session::{Session, failed};
use crate::run::step::shown;
use crate::{LockMode, Migration, Report, StatementReport, Tool};

/// A statement that was run, with what the report does not repeat.
pub(super) struct Seen {
    pub(super) observed: Observed,
    pub(super) actions: Vec<Action>,
    /// In its file it runs in the transaction of the statement before it.
    pub(super) goes_on: bool,
    /// The tables that it reads or writes as a whole, as the files have it.
    pub(super) claimed_scans: Vec<String>,
}

/// A table, view or materialized view that was there before the release.
struct Relation {
    oid: u32,
    name: String,
    file: Option<u32>,
    /// The partitioned table that it is a part of, however deep.
    root: Option<String>,
}

/// Runs the statements of a release one by one, in the transactions in which the tool runs them, until one fails.
pub(super) async fn statements(
    database: &Database,
    migrations: &[Migration],
    claims: &Report,
    secrets: &Secrets,
) -> Result<Vec<Seen>, PortError> {
    let mut running = Running::begin(database).await?;
    let claimed: HashMap<(&str, usize), &StatementReport> =
        claims.statements.iter().map(|claim| ((claim.file.as_str(), claim.span.start), claim)).collect();
    let mut all: Vec<Seen> = Vec::new();
    for migration in migrations.iter().filter(|migration| !migration.is_history()) {
        let statements = read(migration.text());
        let mut transaction = Transaction::of(migration.tool(), statements.len());
        // Alembic runs all revisions of an upgrade in one transaction, unless the project says otherwise.
        transaction.carries = migration.is_generated() && !all.is_empty();
        if migration.tool() == Tool::GolangMigrate {
            // Each file has a session of its own.
            running.end(&mut all).await?;
            running.session = Session::open(database).await?;
        }
        for statement in statements {
            if only_controls(&statement) {
                transaction.control(&statement);
                continue;
            }
            let goes_on = transaction.next();
            let claim = claimed.get(&(migration.path(), statement.span.start));
            let text = migration.text().get(statement.span.start..statement.span.end);
            let (Some(claim), Some(text)) = (claim, text) else {
                let place = format!("{}, byte {}", migration.path(), statement.span.start);
                return Err(PortError::Refused(format!(
                    "the analysis does not know the statement at {place}"
                )));
            };
            if !goes_on {
                running.end(&mut all).await?;
            }
            if has_failed(&all) {
                return Ok(hidden(all, secrets));
            }
            let reads_at_will = statement.acts.iter().any(|act| act.action.unknown_work().is_some());
            let observed = running.observe(text, claim, reads_at_will).await?;
            let actions = statement.acts.into_iter().map(|act| act.action).collect();
            all.push(Seen { observed, actions, goes_on, claimed_scans: whole(claim) });
            if has_failed(&all) {
                return Ok(hidden(all, secrets));
            }
        }
    }
    running.end(&mut all).await?;
    Ok(hidden(all, secrets))
}

fn has_failed(all: &[Seen]) -> bool {
    all.last().is_some_and(|seen| seen.observed.failed.is_some())
}

fn hidden(mut all: Vec<Seen>, secrets: &Secrets) -> Vec<Seen> {
    for Seen { observed, .. } in &mut all {
        observed.statement = secrets.hide(&observed.statement);
        observed.failed = observed.failed.take().map(|why| secrets.hide(&why));
    }
    all
}

/// A session in which statements run, and what it holds.
struct Running {
    session: Session,
    relations: Vec<Relation>,
    /// The strongest lock on each relation in the transaction that is open; nothing if none is.
    held: Option<HashMap<u32, LockMode>>,
}

impl Running {
    async fn begin(database: &Database) -> Result<Self, PortError> {
        let session = Session::open(database).await?;
        let relations = relations(&session).await?;
        Ok(Self { session, relations, held: None })
    }

    /// Ends the transaction that is open. What fails only now, such as a constraint that was deferred, is its last statement's.
    async fn end(&mut self, all: &mut [Seen]) -> Result<(), PortError> {
        if self.held.take().is_none() {
            return Ok(());
        }
        if let Err(error) = self.session.client.batch_execute("COMMIT").await {
            let Some(said) = error.as_db_error() else { return Err(failed("COMMIT", &error)) };
            if let Some(last) = all.last_mut() {
                last.observed.failed = Some(format!("at the end of its transaction: {}", said.message()));
            }
        }
        Ok(())
    }

    /// Runs a statement, which may be known to read whatever its query says.
    async fn observe(
        &mut self,
        text: &str,
        claim: &StatementReport,
        reads_at_will: bool,
    ) -> Result<Observed, PortError> {
        let mut observed = Observed {
            file: claim.file.clone(),
            line: claim.position.line,
            statement: shown(text),
            class: claim.class,
            locks: None,
            rewrites: Vec::new(),
            scans: None,
            failed: None,
            unexpected: Vec::new(),
        };
        let is_first = self.held.is_none();
        if is_first {
            self.session.run("BEGIN").await?;
        }
        let held = self.held.get_or_insert_default().clone();
        let before = scans(&self.session, &self.relations).await?;
        match self.run(text).await {
            Ok(()) => {
                let now = locks(&self.session).await?;
                observed.locks = Some(self.taken(&held, &now, claim));
                let after = scans(&self.session, &self.relations).await?;
                let scanned = self.relations.iter().filter(|it| after.get(&it.oid) > before.get(&it.oid));
                observed.scans = Some(scanned.map(|relation| relation.name.clone()).collect());
                self.held = Some(now);
            }
            Err(error) => {
                self.held = None;
                self.session.run("ROLLBACK").await?;
                // What cannot run in a transaction, or ends one itself, says so with these codes.
                let alone = [SqlState::ACTIVE_SQL_TRANSACTION, SqlState::INVALID_TRANSACTION_TERMINATION];
                let ran = match error.code() {
                    Some(code) if is_first && alone.contains(code) => {
                        self.session.client.batch_execute(text).await
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
        observed.rewrites = rewritten(&self.session, &mut self.relations).await?;
        observed.unexpected = unexpected(&observed, claim, reads_at_will, &self.relations);
        Ok(observed)
    }

    /// Runs a statement in the transaction that is open. A role belongs to the server, so that the other copy has made it already.
    async fn run(&self, text: &str) -> Result<(), tokio_postgres::Error> {
        let client = &self.session.client;
        let mut words = text.split_whitespace().map(str::to_ascii_uppercase);
        let makes = words.next().as_deref() == Some("CREATE");
        let is_role = words.next().is_some_and(|word| matches!(word.as_str(), "ROLE" | "USER" | "GROUP"));
        if !(makes && is_role) {
            return client.batch_execute(text).await;
        }
        client.batch_execute("SAVEPOINT mpac_role").await?;
        match client.batch_execute(text).await {
            Err(error) if error.code() == Some(&SqlState::DUPLICATE_OBJECT) => {
                client.batch_execute("ROLLBACK TO SAVEPOINT mpac_role").await
            }
            ran => ran,
        }
    }

    /// The locks that a statement has taken: those that its transaction did not hold, and those that it is known to take again.
    fn taken(
        &self,
        held: &HashMap<u32, LockMode>,
        now: &HashMap<u32, LockMode>,
        claim: &StatementReport,
    ) -> Vec<SeenLock> {
        let again = |name: &str| {
            claim.impact.locks.iter().filter(|lock| is_same(&lock.table, name)).map(|lock| lock.mode).max()
        };
        let of = |relation: &Relation| {
            let mode = *now.get(&relation.oid)?;
            let is_new = held.get(&relation.oid).is_none_or(|before| *before < mode);
            let mode = if is_new { mode } else { again(&relation.name)?.min(mode) };
            Some(SeenLock { table: relation.name.clone(), mode })
        };
        let mut taken: Vec<SeenLock> = self.relations.iter().filter_map(of).collect();
        taken.sort_by(|a, b| a.table.cmp(&b.table));
        taken
    }
}

/// Which statements of a file share a transaction.
struct Transaction {
    /// All of the file is one, whatever it says.
    is_file: bool,
    is_open: bool,
    has_begun: bool,
    /// The first transaction of the file is the last one of the file before it.
    carries: bool,
}

impl Transaction {
    const fn of(tool: Tool, statements: usize) -> Self {
        let is_file = match tool {
            Tool::GolangMigrate => statements > 1,
            Tool::OneTransaction => true,
            Tool::Plain => false,
        };
        Self { is_file, is_open: is_file, has_begun: false, carries: false }
    }

    fn control(&mut self, statement: &Statement) {
        self.is_open = self.is_file || statement.acts.iter().any(|act| matches!(act.action, Action::Begin));
        self.has_begun = std::mem::take(&mut self.carries) || (self.has_begun && self.is_file);
    }

    /// Whether the next statement runs in the transaction of the one before it.
    const fn next(&mut self) -> bool {
        let goes_on = self.is_open && self.has_begun;
        self.has_begun = true;
        goes_on
    }
}

/// The tables that a statement reads or writes as a whole, as the files have it.
fn whole(claim: &StatementReport) -> Vec<String> {
    let is_whole = claim.impact.scans || claim.impact.rewrites;
    let locks = claim.impact.locks.iter().filter(|_| is_whole);
    locks.map(|lock| plain(&lock.table).to_owned()).collect()
}

async fn relations(session: &Session) -> Result<Vec<Relation>, PortError> {
    let sql = "SELECT c.oid, CASE n.nspname WHEN 'public' THEN quote_ident(c.relname) ELSE format('%I.%I', n.nspname, c.relname) END, \
               pg_relation_filenode(c.oid), CASE WHEN c.relispartition THEN (SELECT CASE m.nspname WHEN 'public' THEN quote_ident(r.relname) \
               ELSE format('%I.%I', m.nspname, r.relname) END FROM pg_class r JOIN pg_namespace m ON m.oid = r.relnamespace \
               WHERE r.oid = pg_partition_root(c.oid)) END FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
               WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relkind IN ('r', 'p', 'v', 'm')";
    let rows = session.rows(sql, &[]).await?;
    let relation =
        |row: &Row| Relation { oid: row.get(0), name: row.get(1), file: row.get(2), root: row.get(3) };
    Ok(rows.iter().map(relation).collect())
}

/// The strongest lock of the open transaction on each relation; weaker ones than those of a write do not count.
async fn locks(session: &Session) -> Result<HashMap<u32, LockMode>, PortError> {
    let sql = "SELECT relation, mode FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' AND granted";
    let mut strongest: HashMap<u32, LockMode> = HashMap::new();
    for row in session.rows(sql, &[]).await? {
        let (oid, mode): (u32, String) = (row.get(0), row.get(1));
        if let Some(mode) = mode_of(&mode).filter(|mode| *mode >= LockMode::RowExclusive) {
            let held = strongest.entry(oid).or_insert(mode);
            *held = mode.max(*held);
        }
    }
    Ok(strongest)
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

/// Scans of this session that it has not reported yet, by relation.
async fn scans(session: &Session, relations: &[Relation]) -> Result<HashMap<u32, i64>, PortError> {
    let oids: Vec<u32> = relations.iter().map(|relation| relation.oid).collect();
    let sql = "SELECT oid, coalesce(pg_stat_get_xact_numscans(oid), 0) FROM unnest($1::oid[]) oid";
    Ok(session.rows(sql, &[&oids]).await?.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// The relations that have another file than before; from here on it is the one that they have now. A dropped one has none.
async fn rewritten(session: &Session, relations: &mut [Relation]) -> Result<Vec<String>, PortError> {
    let oids: Vec<u32> = relations.iter().map(|relation| relation.oid).collect();
    let sql = "SELECT oid, pg_relation_filenode(oid) FROM unnest($1::oid[]) oid";
    let files: HashMap<u32, Option<u32>> =
        session.rows(sql, &[&oids]).await?.iter().map(|row| (row.get(0), row.get(1))).collect();
    let mut rewritten = Vec::new();
    for relation in relations {
        let now = files.get(&relation.oid).copied().flatten();
        if now.is_some() && now != relation.file {
            rewritten.push(relation.name.clone());
        }
        relation.file = now;
    }
    Ok(rewritten)
}

/// What is heavier than what the files let expect. What is lighter harms nobody.
fn unexpected(
    observed: &Observed,
    claim: &StatementReport,
    reads_at_will: bool,
    relations: &[Relation],
) -> Vec<String> {
    let mut all = Vec::new();
    // What is done to a partitioned table is done to its parts.
    let root = |table: &str| relations.iter().find(|it| it.name == table)?.root.as_deref();
    // What no write waits for harms nobody, such as the lock of a comment.
    for lock in observed.locks.iter().flatten().filter(|lock| lock.mode.blocks_writes()) {
        let claimed = claim.impact.locks.iter().filter(|claimed| {
            // What is put together at run time may be about any table.
            claimed.table.contains('?')
                || is_same(&claimed.table, &lock.table)
                || root(&lock.table).is_some_and(|root| is_same(&claimed.table, root))
        });
        if claimed.map(|claimed| claimed.mode).max() < Some(lock.mode) {
            all.push(format!("takes {} on {}", lock.mode, lock.table));
        }
    }
    if !claim.impact.rewrites {
        all.extend(observed.rewrites.iter().map(|table| format!("writes all of {table} anew")));
    }
    if !claim.impact.scans && !claim.impact.rewrites && !reads_at_will {
        all.extend(observed.scans.iter().flatten().map(|table| format!("reads all of {table}")));
    }
    all
}

/// Whether a name in a file is that of a relation; without a schema it is found by the search path.
fn is_same(written: &str, seen: &str) -> bool {
    // The server quotes more words than need it.
    let (written, seen) = (written.replace('"', ""), seen.replace('"', ""));
    plain(&written) == seen || seen.rsplit_once('.').is_some_and(|(_, name)| name == written)
}

/// A name as it may be written without its schema.
fn plain(name: &str) -> &str {
    name.strip_prefix("public.").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which statements of a file go on in the transaction of the one before.
    fn shared(tool: Tool, sql: &str) -> Vec<bool> {
        let statements = read(sql);
        let mut transaction = Transaction::of(tool, statements.len());
        let mut all = Vec::new();
        for statement in &statements {
            if only_controls(statement) {
                transaction.control(statement);
            } else {
                all.push(transaction.next());
            }
        }
        all
    }

    #[test]
    fn statements_share_a_transaction_as_the_tool_and_the_file_say() {
        assert_eq!(shared(Tool::GolangMigrate, "SELECT 1; SELECT 2; SELECT 3"), [false, true, true]);
        assert_eq!(shared(Tool::GolangMigrate, "SELECT 1"), [false]);
        assert_eq!(shared(Tool::Plain, "SELECT 1; SELECT 2"), [false, false]);
        let both = "BEGIN; SELECT 1; SELECT 2; COMMIT; SELECT 3; BEGIN; SELECT 4; SELECT 5; COMMIT";
        assert_eq!(shared(Tool::Plain, both), [false, true, false, false, true]);
    }
}
