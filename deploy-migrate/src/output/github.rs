//! GitHub's workflow commands: annotations on the lines of a pull request.

use std::fmt::Write as _;

use crate::class::Severity;
use crate::report::Report;

/// One line for each finding that is more than a note.
#[must_use]
pub fn github(report: &Report) -> String {
    let mut text = String::new();
    for statement in &report.statements {
        for finding in statement.findings.iter().filter(|finding| finding.severity > Severity::Note) {
            let message = match &finding.fix {
                Some(fix) => format!("{}\n\n{fix}", finding.message),
                None => finding.message.clone(),
            };
            // Writing to a `String` cannot fail.
            let _ = writeln!(
                text,
                "::{} file={},line={},col={},title={}::{}",
                finding.severity.as_str(),
                property(&statement.file),
                finding.position.line,
                finding.position.column,
                property(&format!("{} ({})", finding.rule, statement.class)),
                data(&message)
            );
        }
    }
    text
}

/// As GitHub's own toolkit escapes the text of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// As it escapes a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Analyzer, Config, Migration};

    #[test]
    fn a_finding_is_one_line_that_github_can_read() {
        let migration = Migration::new("a,b.sql", "SELECT 1;\n  DROP TABLE t;");
        let text = github(&Analyzer::new(Config::default()).analyze(&[migration]));
        assert!(
            text.starts_with(
                "::warning file=a%2Cb.sql,line=2,col=3,title=drop-table (contract)::drops the table t"
            ),
            "{text}"
        );
        assert_eq!(text.lines().count(), 1);
    }
}
