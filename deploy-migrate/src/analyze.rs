//! Follows the schema through the migrations and judges every statement.

use std::collections::HashMap;

use rayon::prelude::*;

use crate::allow::{self, Allow};
use crate::class::{Break, Class, Severity};
use crate::config::Config;
use crate::facts::{Act, Action, Problem, Statement, read};
use crate::impact::{Impact, felt};
use crate::migration::Migration;
use crate::report::{Allowed, Finding, Report, StatementReport};
use crate::rule::Rule;
use crate::rules::{Context, Outline, Session, judge, judge_transaction};
use crate::state::{Moment, Schema};
use crate::text::{Lines, Position};
use crate::{describe, phase};

/// So many files are read before they are judged (ours): enough for many threads, and a small part of what a report holds.
const AT_ONCE: usize = 512;
/// Fewer are read before a second thread has begun (ours: a file of two statements takes some 20 µs).
const WORTH_A_THREAD: usize = 64;

/// Judges migrations.
///
/// ```
/// use mpac_deploy_migrate::{Analyzer, Class, Config, Migration};
///
/// let migration = Migration::new("7.sql", "ALTER TABLE payments RENAME COLUMN amount TO total_amount;");
/// let report = Analyzer::new(Config::default()).analyze(&[migration]);
/// assert_eq!(report.verdict(), Class::Breaking);
/// let finding = report.statements[0].main_finding().unwrap();
/// assert_eq!(finding.rule.id(), "rename-column");
/// assert!(finding.fix.as_ref().unwrap().contains("ADD COLUMN total_amount"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Analyzer {
    config: Config,
}

impl Analyzer {
    /// An analyzer that knows this of the world.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self { config }
    }

    /// Judges every statement of the migrations, in their order. What one creates the next ones know.
    #[must_use]
    pub fn analyze(&self, migrations: &[Migration]) -> Report {
        let mut run = Run::default();
        ahead(migrations, |migration, statements| self.migration(migration, statements, &mut run));
        Report { statements: run.reports }
    }

    fn migration(&self, migration: &Migration, statements: &[Statement], run: &mut Run) {
        let release = run.release(migration.release());
        run.schema.forget_the_session();
        let mut file = File {
            config: &self.config,
            migration,
            statements,
            outline: Outline::of(statements),
            release,
            session: Session::new(migration.tool(), statements, run.transactions),
            lines: Lines::of(migration.text()),
        };
        let mut reports: Vec<StatementReport> =
            (0..statements.len()).map(|at| file.statement(at, &mut run.schema)).collect();
        run.transactions = file.session.number;
        phase::judge_file(statements, &mut reports);
        if migration.is_history() {
            return;
        }
        if migration.is_generated() {
            let mut statements = statements.iter();
            reports.retain(|_| !statements.next().is_some_and(only_controls));
        }
        run.reports.append(&mut reports);
    }
}

/// Reads the statements of each file and hands them on in order. A file is read without knowing the others: while some are judged, the next
/// ones are read, on all processors.
fn ahead(migrations: &[Migration], mut judge: impl FnMut(&Migration, &[Statement]) + Send) {
    if migrations.len() < WORTH_A_THREAD {
        return migrations.iter().for_each(|migration| judge(migration, &read(migration.text())));
    }
    let read_some = |some: &[Migration]| some.par_iter().map(|migration| read(migration.text())).collect();
    let mut waiting = migrations.chunks(AT_ONCE);
    let mut now: Option<(&[Migration], Vec<Vec<Statement>>)> =
        waiting.next().map(|some| (some, read_some(some)));
    while let Some((some, read)) = now {
        let next = waiting.next();
        let judged =
            || some.iter().zip(&read).for_each(|(migration, statements)| judge(migration, statements));
        ((), now) = rayon::join(judged, || next.map(|next| (next, read_some(next))));
    }
}

/// What is carried from file to file.
#[derive(Debug, Default)]
struct Run {
    schema: Schema,
    reports: Vec<StatementReport>,
    releases: HashMap<u64, usize>,
    next_release: usize,
    transactions: usize,
}

impl Run {
    fn release(&mut self, given: Option<u64>) -> usize {
        if let Some(known) = given.and_then(|number| self.releases.get(&number)) {
            return *known;
        }
        let release = self.next_release;
        self.next_release += 1;
        if let Some(number) = given {
            self.releases.insert(number, release);
        }
        release
    }
}

struct File<'a> {
    config: &'a Config,
    migration: &'a Migration,
    statements: &'a [Statement],
    outline: Outline<'a>,
    release: usize,
    session: Session,
    lines: Lines<'a>,
}

impl File<'_> {
    fn statement(&mut self, at: usize, schema: &mut Schema) -> StatementReport {
        let statement = &self.statements[at];
        let moment = Moment { release: self.release, transaction: self.session.number };
        let mut class = Class::Neutral;
        let mut impact = Impact::default();
        let mut findings = Vec::new();
        for act in &statement.acts {
            impact = impact.and(felt(&act.action, schema, self.release));
            let mut context = self.context(at, schema, moment);
            context.span = act.span;
            class = class.max(judge(act, &mut context));
            findings.append(&mut context.findings);
            schema.apply(&act.action, moment);
        }
        let impact = impact.settled();
        let mut session = self.session.clone();
        let mut context = self.context(at, schema, moment);
        judge_transaction(statement, &impact, &mut session, &mut context);
        findings.append(&mut context.findings);
        session.after(statement, &impact);
        self.session = session;
        findings.extend(unreadable(statement));
        self.report(statement, class, impact, findings)
    }

    fn context<'c>(&'c self, at: usize, schema: &'c Schema, now: Moment) -> Context<'c> {
        let service = self.config.service_of(self.migration.path());
        Context {
            schema,
            config: self.config,
            whose: service.map_or_else(String::new, |name| format!("{name}'s ")),
            now,
            file: &self.outline,
            at,
            in_transaction: self.session.is_open(),
            span: self.statements[at].span,
            findings: Vec::new(),
        }
    }

    fn report(
        &self,
        statement: &Statement,
        base: Class,
        impact: Impact,
        mut findings: Vec<Finding>,
    ) -> StatementReport {
        let (allows, faulty) = self.allows(statement);
        let mut allowed = Vec::new();
        findings.retain(|finding| match allows.iter().find(|(rule, _)| *rule == finding.rule) {
            Some((rule, reason)) => {
                allowed.push(Allowed { rule: *rule, reason: reason.clone() });
                false
            }
            None => true,
        });
        findings.extend(faulty);
        // What a person allows is what it would be if nothing had been found.
        let found = findings.iter().map(|finding| finding.class).max().unwrap_or_default();
        let class = if allowed.is_empty() { base.max(found) } else { base.min(Class::Expand).max(found) };
        findings.sort_by_key(|finding| std::cmp::Reverse((finding.class, finding.severity)));
        for finding in &mut findings {
            finding.position = self.position(finding.span.start);
        }
        let main = findings.iter().find(|finding| finding.severity > Severity::Note);
        let message = main.map_or_else(|| describe::statement(statement), |finding| finding.message.clone());
        StatementReport {
            file: self.migration.path().to_owned(),
            position: self.position(statement.span.start),
            span: statement.span,
            class,
            message,
            impact,
            findings,
            allowed,
        }
    }

    fn position(&self, at: usize) -> Position {
        self.migration.position(at).unwrap_or_else(|| self.lines.position(at))
    }

    fn allows(&self, statement: &Statement) -> (Vec<(Rule, String)>, Vec<Finding>) {
        let mut allows = Vec::new();
        let mut faulty = Vec::new();
        for span in &statement.comments {
            let comment = self.migration.text().get(span.start..span.end).unwrap_or("");
            match allow::read(comment) {
                Some(Allow::Rules { rules, reason }) => {
                    allows.extend(rules.into_iter().map(|rule| (rule, reason.clone())));
                }
                Some(Allow::Faulty(why)) => {
                    let mut finding =
                        Finding::warning(Rule::AllowWithoutReason, why).fix("-- mpac:allow <rule> <reason>");
                    finding.span = *span;
                    faulty.push(finding);
                }
                None => {}
            }
        }
        (allows, faulty)
    }
}

fn unreadable(statement: &Statement) -> Option<Finding> {
    let problem = statement.problem.as_ref()?;
    let mut finding = Finding::breaking(Rule::Unreadable, problem.message()).breaks(&[Break::Migration]);
    finding.span = match problem {
        Problem::Syntax { span, .. } => *span,
        Problem::TooDeep => statement.span,
    };
    Some(finding)
}

/// Whether a statement does nothing but begin or end a transaction.
pub(crate) fn only_controls(statement: &Statement) -> bool {
    let controls = |act: &Act| matches!(act.action, Action::Begin | Action::Commit | Action::Rollback);
    !statement.acts.is_empty() && statement.acts.iter().all(controls)
}

/// Whether a statement adds to the schema what new code needs before it starts.
pub(crate) fn adds_structure(statement: &Statement) -> bool {
    statement
        .acts
        .iter()
        .any(|act| matches!(act.action, Action::AddColumn { .. } | Action::CreateTable { .. }))
}
