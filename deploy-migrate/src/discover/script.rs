//! Where in a revision script the call stands that made a statement.

use crate::split::{Piece, split};
use crate::text::Position;

/// The SQL of a script with what its comments allow, and the position in the script for every statement, by where in that
/// SQL it begins.
pub(super) fn located(script: &str, sql: &str) -> (String, Vec<(usize, Position)>) {
    let calls = calls(script);
    let start = upgrade_line(script);
    let mut last = 0;
    let mut text = String::new();
    let mut positions = Vec::new();
    for piece in split(sql) {
        let line = best(&calls, &names(sql, &piece), &mut last).unwrap_or(start);
        for comment in allowed_above(script, line) {
            text.push_str(&format!("-- {comment}\n"));
        }
        for comment in &piece.comments {
            text.push_str(sql.get(comment.start..comment.end).unwrap_or(""));
            text.push('\n');
        }
        positions.push((text.len(), Position { line, column: 1 }));
        text.push_str(sql.get(piece.span.start..piece.span.end).unwrap_or(""));
        text.push('\n');
    }
    (text, positions)
}

/// A statement that a script was heard to send.
#[cfg(feature = "run")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    /// The line of the script that sent it.
    pub(crate) line: usize,
    /// The text, which may be of several statements.
    pub(crate) sql: String,
    /// Outside of a transaction.
    pub(crate) alone: bool,
}

/// The same as [`located`], of what a script was heard to send: its lines are known.
#[cfg(feature = "run")]
pub(super) fn placed(script: &str, all: &[Heard]) -> (String, Vec<(usize, Position)>) {
    let (mut text, mut positions) = ("BEGIN;\n".to_owned(), Vec::new());
    for Heard { line, sql, alone } in all {
        let position = Position { line: *line, column: 1 };
        text.push_str(if *alone { "COMMIT;\n" } else { "" });
        for piece in split(sql) {
            for comment in allowed_above(script, *line) {
                text.push_str(&format!("-- {comment}\n"));
            }
            positions.push((text.len(), position));
            let statement = sql.get(piece.span.start..piece.span.end).unwrap_or("").trim_end();
            text.push_str(statement.trim_end_matches(';'));
            text.push_str(";\n");
        }
        text.push_str(if *alone { "BEGIN;\n" } else { "" });
    }
    text.push_str("COMMIT;\n");
    (text, positions)
}

/// What the comments directly above a line allow: `# mpac:allow RULE REASON`.
fn allowed_above(script: &str, line: usize) -> Vec<&str> {
    let lines: Vec<&str> = script.lines().take(line.saturating_sub(1)).map(str::trim).collect();
    let comments = lines.into_iter().rev().map_while(|line| line.strip_prefix('#')).map(str::trim);
    comments.filter(|comment| comment.starts_with("mpac:allow")).collect()
}

/// A call of `op.…` in `upgrade`: its line, and the strings in it.
struct Call {
    line: usize,
    strings: Vec<String>,
}

fn upgrade_line(script: &str) -> usize {
    script.lines().position(|line| line.starts_with("def upgrade")).map_or(1, |at| at + 1)
}

fn calls(script: &str) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    for (at, line) in script.lines().enumerate().skip(upgrade_line(script)) {
        if line.starts_with("def ") {
            break;
        }
        if line.contains("op.") {
            calls.push(Call { line: at + 1, strings: Vec::new() });
        }
        if let Some(call) = calls.last_mut() {
            call.strings.extend(strings(line));
        }
    }
    calls
}

/// The words in the quoted parts of a line: a name, or all of a statement that is written out.
fn strings(line: &str) -> Vec<String> {
    let quoted = line.split(['"', '\'']).skip(1).step_by(2);
    quoted.flat_map(words).collect()
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}

fn names(sql: &str, piece: &Piece) -> Vec<String> {
    words(sql.get(piece.span.start..piece.span.end).unwrap_or("")).collect()
}

/// The call that shares the most words with a statement; of equals the first that is not behind the last one found.
fn best(calls: &[Call], names: &[String], last: &mut usize) -> Option<usize> {
    let shared = |call: &Call| {
        let mut strings: Vec<&String> = call.strings.iter().filter(|word| names.contains(word)).collect();
        strings.sort();
        strings.dedup();
        strings.len()
    };
    let most = calls.iter().map(shared).max().filter(|most| *most > 0)?;
    let mut equals = calls.iter().filter(|call| shared(call) == most).map(|call| call.line);
    let line = equals.clone().find(|line| *line > *last).or_else(|| equals.next())?;
    *last = line;
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = r#"revision = "a2"


def upgrade() -> None:
    op.add_column("payments", sa.Column("note", sa.Text))
    op.alter_column(
        "payments",
        "amount",
        new_column_name="total_amount",
    )
    op.execute("UPDATE payments SET note = 'x'")


def downgrade() -> None:
    op.drop_column("payments", "note")
"#;

    #[test]
    fn a_statement_is_found_by_the_names_in_it() {
        let sql = "ALTER TABLE payments ADD COLUMN note TEXT;\nALTER TABLE payments RENAME amount TO total_amount;\n\
                   UPDATE payments SET note = 'x';\nCOMMIT;";
        let (_, positions) = located(SCRIPT, sql);
        let lines: Vec<usize> = positions.iter().map(|(_, position)| position.line).collect();
        assert_eq!(lines, [5, 6, 11, 4]);
    }

    #[cfg(feature = "run")]
    #[test]
    fn what_was_heard_stands_at_its_line_in_its_transaction() {
        let heard = |line, sql: &str, alone| Heard { line, sql: sql.to_owned(), alone };
        let all =
            [heard(5, "SELECT 1; SELECT 2", false), heard(11, "CREATE INDEX CONCURRENTLY i ON t (a);", true)];
        let (sql, positions) = placed(SCRIPT, &all);
        assert_eq!(
            sql,
            "BEGIN;\nSELECT 1;\nSELECT 2;\nCOMMIT;\nCREATE INDEX CONCURRENTLY i ON t (a);\nBEGIN;\nCOMMIT;\n"
        );
        let at: Vec<(usize, usize)> = positions.iter().map(|(at, position)| (*at, position.line)).collect();
        assert_eq!(at, [(7, 5), (17, 5), (35, 11)]);
    }

    #[test]
    fn a_comment_above_a_call_allows() {
        let script =
            "def upgrade():\n    # first\n    # mpac:allow drop-table unused\n    op.drop_table(\"t\")\n";
        let (sql, positions) = located(script, "DROP TABLE t;");
        assert_eq!(sql, "-- mpac:allow drop-table unused\nDROP TABLE t;\n");
        assert_eq!(positions, [(32, Position { line: 4, column: 1 })]);
    }
}
