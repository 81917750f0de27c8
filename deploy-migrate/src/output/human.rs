//! For people: the statement in its file, what is wrong, what breaks, and how to write it.

use std::collections::HashMap;
use std::fmt::Write as _;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::class::{Class, Severity};
use crate::migration::Migration;
use crate::report::{Finding, Report, StatementReport};

/// As much of a statement is shown.
const MAX_SHOWN: usize = 2000;

/// What was found, with the lines of the files, and the verdict. Notes are left out.
#[must_use]
pub fn human(report: &Report, migrations: &[Migration], coloured: bool) -> String {
    let texts: HashMap<&str, &Migration> =
        migrations.iter().map(|migration| (migration.path(), migration)).collect();
    let renderer = if coloured { Renderer::styled() } else { Renderer::plain() };
    let mut out = String::new();
    for statement in &report.statements {
        for finding in statement.findings.iter().filter(|finding| finding.severity > Severity::Note) {
            let groups = groups(statement, finding, texts.get(statement.file.as_str()).copied());
            // Writing to a `String` cannot fail.
            let _ = writeln!(out, "{}\n", renderer.render(&groups));
        }
    }
    out.push_str(&summary(report, migrations.len()));
    out
}

fn groups<'a>(
    statement: &'a StatementReport,
    finding: &'a Finding,
    migration: Option<&'a Migration>,
) -> Vec<Group<'a>> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level.primary_title(finding.message.as_str()).id(finding.rule.id());
    let place = migration.and_then(|migration| snippet(statement, finding, migration));
    let mut group = match place {
        Some(snippet) => title.element(snippet),
        None => title
            .element(annotate_snippets::Origin::path(statement.file.as_str()).line(finding.position.line)),
    };
    group = group.element(Level::NOTE.message(costs(statement, finding)));
    if let Some(fix) = &finding.fix {
        group = group.element(Level::HELP.message(format!("write it so:\n{fix}")));
    }
    vec![group]
}

/// The lines of the statement, with what the finding is about underlined.
fn snippet<'a>(
    statement: &StatementReport,
    finding: &Finding,
    migration: &'a Migration,
) -> Option<Snippet<'a, annotate_snippets::Annotation<'a>>> {
    let text = migration.text();
    let start = text.get(..statement.span.start)?.rfind('\n').map_or(0, |at| at + 1);
    let end = statement.span.end.min(statement.span.start + MAX_SHOWN);
    let end = (0..=end).rev().find(|at| text.is_char_boundary(*at))?;
    let source = text.get(start..end)?;
    let from = finding.span.start.clamp(start, end) - start;
    let to = finding.span.end.clamp(start, end) - start;
    let (from, to) = if from < to { (from, to) } else { (statement.span.start - start, end - start) };
    Some(
        Snippet::source(source)
            .path(migration.path())
            .line_start(statement.position.line)
            .annotation(AnnotationKind::Primary.span(from..to)),
    )
}

fn costs(statement: &StatementReport, finding: &Finding) -> String {
    let mut parts = vec![format!("{}{}", statement.class, phase(statement.class))];
    if !finding.breaks.is_empty() {
        let broken: Vec<&str> = finding.breaks.iter().map(|broken| broken.as_str()).collect();
        parts.push(format!("breaks {}", broken.join(", ")));
    }
    for lock in &statement.impact.locks {
        parts.push(format!("{} on {}", lock.mode, lock.table));
    }
    if statement.impact.rewrites {
        parts.push("writes the table anew".to_owned());
    } else if statement.impact.scans {
        parts.push("reads the whole table".to_owned());
    }
    parts.join("; ")
}

fn phase(class: Class) -> &'static str {
    match class {
        Class::Neutral => ": either phase",
        Class::Expand => ": phase 1, before green starts",
        Class::Contract => ": phase 2, a day after the cutover",
        Class::Breaking => ": no phase, as written",
    }
}

fn summary(report: &Report, files: usize) -> String {
    let count = |class: Class| report.statements.iter().filter(|statement| statement.class == class).count();
    format!(
        "{} in {}: {} expand, {} contract, {} breaking, {} neutral. Verdict: {}{}.\n",
        plural(report.statements.len(), "statement"),
        plural(files, "migration"),
        count(Class::Expand),
        count(Class::Contract),
        count(Class::Breaking),
        count(Class::Neutral),
        report.verdict(),
        phase(report.verdict())
    )
}

fn plural(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}
