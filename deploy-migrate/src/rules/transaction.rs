//! Transactions: what shares one, what must not, and what is held meanwhile.

use super::Context;
use crate::class::Break;
use crate::facts::{Action, Statement};
use crate::impact::Impact;
use crate::migration::Tool;
use crate::report::Finding;
use crate::rule::Rule;

/// The transaction that a file is in.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    tool: Tool,
    /// The tool's own transaction, in which every statement is.
    shared: bool,
    /// `BEGIN` was said.
    explicit: bool,
    lock_timeout: bool,
    timeout_told: bool,
    /// The table that this transaction holds under ACCESS EXCLUSIVE.
    exclusive: Option<String>,
    /// Counts transactions, over all files.
    pub(crate) number: usize,
}

impl Session {
    /// The session of a file with these statements. Transactions are counted on from `number`.
    pub(crate) fn new(tool: Tool, statements: &[Statement], number: usize) -> Self {
        let shared = match tool {
            Tool::Plain => false,
            // The server runs what comes in one message as one transaction.
            Tool::GolangMigrate => statements.len() > 1,
            Tool::OneTransaction => true,
        };
        Self {
            tool,
            shared,
            explicit: false,
            lock_timeout: false,
            timeout_told: false,
            exclusive: None,
            number: number + 1,
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.shared || self.explicit
    }

    fn next(&mut self) {
        self.exclusive = None;
        self.number += 1;
    }

    /// What the session is after a statement.
    pub(crate) fn after(&mut self, statement: &Statement, impact: &Impact) {
        for act in &statement.acts {
            if let Action::Set { name, value } = &act.action
                && name == "lock_timeout"
            {
                self.lock_timeout = !["0", "default", "DEFAULT"].contains(&value.as_str());
            }
            if matches!(act.action, Action::Begin) {
                self.explicit = true;
                self.next();
            }
            if matches!(act.action, Action::Commit | Action::Rollback) {
                self.explicit = false;
                self.next();
            }
        }
        if !self.is_open() {
            self.next();
        } else if let Some(lock) = impact.locks.iter().find(|lock| lock.mode.blocks_reads()) {
            self.exclusive.get_or_insert_with(|| lock.table.clone());
        }
    }
}

/// Judges a statement by the transaction that it stands in.
pub(crate) fn judge(
    statement: &Statement,
    impact: &Impact,
    session: &mut Session,
    context: &mut Context<'_>,
) {
    context.span = statement.span;
    if session.is_open() {
        alone(statement, session, context);
        under_lock(statement, impact, session, context);
    }
    nested(statement, session, context);
    timeout(impact, session, context);
}

fn alone(statement: &Statement, session: &Session, context: &mut Context<'_>) {
    if !statement.acts.iter().any(|act| act.action.must_stand_alone()) {
        return;
    }
    let why = match session.tool {
        Tool::GolangMigrate if session.shared => {
            "golang-migrate runs a file of several statements as one transaction, so this fails"
        }
        Tool::Plain | Tool::GolangMigrate | Tool::OneTransaction => "it stands in a transaction, so it fails",
    };
    let fixed = match session.tool {
        Tool::GolangMigrate => "-- Put it into a file of its own.",
        Tool::Plain => {
            "-- COMMIT before it, or leave BEGIN out. Alembic: with op.get_context().autocommit_block():"
        }
        Tool::OneTransaction => "-- Run it outside of the tool's transaction.",
    };
    context.find(
        Finding::breaking(Rule::ConcurrentlyInTransaction, format!("cannot run in a transaction: {why}"))
            .breaks(&[Break::Migration])
            .fix(fixed),
    );
}

fn under_lock(statement: &Statement, impact: &Impact, session: &Session, context: &mut Context<'_>) {
    let Some(held) = &session.exclusive else { return };
    let rows = statement.acts.iter().find(|act| {
        matches!(
            act.action,
            Action::Update { .. } | Action::Delete { .. } | Action::Insert { .. } | Action::Merge { .. }
        ) && act.action.table().is_some_and(|table| !context.is_quick(table))
    });
    if rows.is_some() {
        let message = format!(
            "changes rows in the transaction that changed the schema: {held} stays under ACCESS EXCLUSIVE to the end, and \
             all its reads and writes wait"
        );
        context.find(
            Finding::warning(Rule::BackfillWithDdl, message)
                .breaks(&[Break::Locks])
                .fix("-- Put it into a migration of its own, after this one, in batches that each commit."),
        );
        return;
    }
    let slow = impact.scans || impact.rewrites;
    let on_used = impact.named_locks().any(|(table, _)| !context.is_quick(table));
    if slow && on_used {
        let message = format!(
            "reads or writes a whole table while {held} stays under ACCESS EXCLUSIVE to the end of the transaction"
        );
        context.find(
            Finding::warning(Rule::WorkUnderLock, message)
                .breaks(&[Break::Locks])
                .fix("-- Put it into a migration of its own, before or after this one."),
        );
    }
}

fn nested(statement: &Statement, session: &Session, context: &mut Context<'_>) {
    let controls = statement
        .acts
        .iter()
        .any(|act| matches!(act.action, Action::Begin | Action::Commit | Action::Rollback));
    if controls && session.tool == Tool::OneTransaction {
        context.find(
            Finding::warning(
                Rule::NestedTransaction,
                "begins or ends a transaction inside the one that the tool opens: what follows is not undone with it",
            )
            .breaks(&[Break::Migration])
            .fix("-- Leave it out."),
        );
    }
}

fn timeout(impact: &Impact, session: &mut Session, context: &mut Context<'_>) {
    let waits = impact.named_locks().any(|(table, mode)| mode.blocks_reads() && !context.is_quick(table));
    if !waits || session.lock_timeout || session.timeout_told {
        return;
    }
    session.timeout_told = true;
    context.find(
        Finding::note(
            Rule::NoLockTimeout,
            "takes ACCESS EXCLUSIVE without a lock_timeout: behind one long query, everybody waits. The rollout's own runner \
             sets one through PGOPTIONS",
        )
        .breaks(&[Break::Locks])
        .fix("SET lock_timeout = '2s';"),
    );
}
