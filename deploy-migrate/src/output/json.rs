//! The JSON forms.

use serde::Serialize;

use crate::class::Class;
use crate::report::Report;
use crate::rule::Rule;

/// The short form: these fields and no others.
#[derive(Serialize)]
struct Document<'a> {
    statements: Vec<Entry<'a>>,
    verdict: Class,
}

#[derive(Serialize)]
struct Entry<'a> {
    file: &'a str,
    line: usize,
    class: Class,
    rule: Option<Rule>,
    message: &'a str,
    fix: Option<&'a str>,
}

/// The full form: everything that a report holds.
#[derive(Serialize)]
struct Full<'a> {
    #[serde(flatten)]
    report: &'a Report,
    verdict: Class,
}

/// `{"statements": [{"file", "line", "class", "rule", "message", "fix"}], "verdict"}`. `rule` and `fix` are those of the
/// weightiest finding that is more than a note, or null.
///
/// # Errors
///
/// None that is known: serialization into a string of plain data.
pub fn json(report: &Report) -> Result<String, serde_json::Error> {
    let statements = report.statements.iter().map(|statement| {
        let finding = statement.main_finding();
        Entry {
            file: &statement.file,
            line: statement.position.line,
            class: statement.class,
            rule: finding.map(|finding| finding.rule),
            message: &statement.message,
            fix: finding.and_then(|finding| finding.fix.as_deref()),
        }
    });
    let document = Document { statements: statements.collect(), verdict: report.verdict() };
    serde_json::to_string_pretty(&document).map(with_newline)
}

/// Everything that a report holds: columns, locks, scans, rewrites, what breaks, all findings, what was allowed.
///
/// # Errors
///
/// None that is known: serialization into a string of plain data.
pub fn json_full(report: &Report) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(&Full { report, verdict: report.verdict() }).map(with_newline)
}

pub(super) fn with_newline(mut text: String) -> String {
    text.push('\n');
    text
}
