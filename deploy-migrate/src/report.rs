//! What comes out.

use serde::Serialize;

use crate::class::{Break, Class, Severity};
use crate::impact::Impact;
use crate::rule::Rule;
use crate::text::{Position, Span};

/// What was found in migrations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// One entry for each statement, in the order of files and lines, and one for each problem of a file as a whole.
    pub statements: Vec<StatementReport>,
}

/// What is to be said of one statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StatementReport {
    /// The file, as it was named.
    pub file: String,
    /// Where it begins.
    pub position: Position,
    /// Where it stands in the file.
    pub span: Span,
    /// What it means for old and new code side by side.
    pub class: Class,
    /// What it does, or what is wrong with it, in a sentence.
    pub message: String,
    /// What it costs those who use the tables.
    pub impact: Impact,
    /// What was found, the weightiest first.
    pub findings: Vec<Finding>,
    /// What would have been found, had it not been allowed.
    pub allowed: Vec<Allowed>,
}

/// A rule that a statement meets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// What it makes of the statement.
    pub class: Class,
    /// How much it weighs.
    pub severity: Severity,
    /// Where exactly.
    pub span: Span,
    /// Where exactly, for people.
    pub position: Position,
    /// What is wrong, in a sentence or two.
    pub message: String,
    /// What stops working.
    pub breaks: Vec<Break>,
    /// How to write it, as SQL in two phases where it takes two.
    pub fix: Option<String>,
}

/// A finding that a comment allows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Allowed {
    /// The rule.
    pub rule: Rule,
    /// Why a person holds it to be right.
    pub reason: String,
}

/// What is wrong with a file as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The file, as it was named.
    pub file: String,
    /// Where in it.
    pub position: Position,
    /// The rule.
    pub rule: Rule,
    /// What is wrong, in a sentence.
    pub message: String,
    /// What to do.
    pub fix: Option<String>,
}

impl Problem {
    pub(crate) fn new(file: String, rule: Rule, message: String, fix: Option<String>) -> Self {
        Self { file, position: Position { line: 1, column: 1 }, rule, message, fix }
    }

    pub(crate) fn at(mut self, position: Position) -> Self {
        self.position = position;
        self
    }

    /// A missing or second file changes nothing for running code; one that cannot be run or read is never safe.
    fn class(&self) -> Class {
        let stops = matches!(self.rule, Rule::DuplicateVersion | Rule::Unreadable);
        if stops { Class::Breaking } else { Class::Neutral }
    }
}

impl StatementReport {
    /// The finding that speaks for the statement: the weightiest that is more than a note.
    #[must_use]
    pub fn main_finding(&self) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.severity > Severity::Note)
    }

    /// The heaviest weight of its findings.
    #[must_use]
    pub fn severity(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }
}

impl Report {
    /// Adds what is wrong with files as a whole.
    pub fn add(&mut self, problems: &[Problem]) {
        self.statements.extend(problems.iter().map(|problem| {
            let class = problem.class();
            let mut finding = Finding::new(problem.rule, class, Severity::Error, problem.message.clone());
            finding.position = problem.position;
            finding.breaks = vec![Break::Migration];
            finding.fix.clone_from(&problem.fix);
            StatementReport {
                file: problem.file.clone(),
                position: problem.position,
                span: Span::default(),
                class,
                message: problem.message.clone(),
                impact: Impact::default(),
                findings: vec![finding],
                allowed: Vec::new(),
            }
        }));
    }

    /// What all of it is together: `expand`, `contract` or `breaking`. What changes nothing may run in phase 1.
    #[must_use]
    pub fn verdict(&self) -> Class {
        self.statements.iter().map(|statement| statement.class).fold(Class::Expand, Class::max)
    }

    /// The heaviest weight of all findings.
    #[must_use]
    pub fn severity(&self) -> Option<Severity> {
        self.statements.iter().filter_map(StatementReport::severity).max()
    }

    /// The statements that cannot be read, which makes everything else that is said of their files doubtful.
    pub fn unreadable(&self) -> impl Iterator<Item = &StatementReport> {
        self.statements
            .iter()
            .filter(|statement| statement.findings.iter().any(|finding| finding.rule == Rule::Unreadable))
    }
}

impl Finding {
    pub(crate) fn new(rule: Rule, class: Class, severity: Severity, message: impl Into<String>) -> Self {
        Self {
            rule,
            class,
            severity,
            span: Span::default(),
            position: Position { line: 1, column: 1 },
            message: message.into(),
            breaks: Vec::new(),
            fix: None,
        }
    }

    /// Never safe as written.
    pub(crate) fn breaking(rule: Rule, message: impl Into<String>) -> Self {
        Self::new(rule, Class::Breaking, Severity::Error, message)
    }

    /// Right, in phase 2.
    pub(crate) fn contract(rule: Rule, message: impl Into<String>) -> Self {
        Self::new(rule, Class::Contract, Severity::Warning, message)
    }

    /// Right in any phase, but a person should look.
    pub(crate) fn warning(rule: Rule, message: impl Into<String>) -> Self {
        Self::new(rule, Class::Neutral, Severity::Warning, message)
    }

    pub(crate) fn note(rule: Rule, message: impl Into<String>) -> Self {
        Self::new(rule, Class::Neutral, Severity::Note, message)
    }

    pub(crate) fn breaks(mut self, breaks: &[Break]) -> Self {
        self.breaks = breaks.to_vec();
        self
    }

    pub(crate) fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}
