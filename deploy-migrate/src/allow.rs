//! Findings that a person allows: `-- mpac:allow RULE[, RULE] REASON`.

use crate::rule::Rule;

const MARK: &str = "mpac:allow";

/// What a comment allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Allow {
    /// These rules, for this reason.
    Rules { rules: Vec<Rule>, reason: String },
    /// It is meant to allow something, and does not.
    Faulty(String),
}

/// Reads a comment; `None` if it allows nothing.
pub(crate) fn read(comment: &str) -> Option<Allow> {
    let comment = comment.trim_start_matches("--").trim_start_matches("/*").trim_end_matches("*/");
    let rest = comment.trim().strip_prefix(MARK)?;
    if !rest.is_empty() && !rest.starts_with([' ', '\t', ':']) {
        return None;
    }
    let rest = rest.trim_start_matches(':').trim();
    let mut names = Vec::new();
    let mut words = rest;
    loop {
        let end = words.find(|c: char| c.is_whitespace() || c == ',').unwrap_or(words.len());
        let (name, after) = words.split_at(end);
        names.push(name.trim_end_matches(':'));
        let after = after.trim_start();
        match after.strip_prefix(',') {
            Some(next) => words = next.trim_start(),
            None => {
                words = after;
                break;
            }
        }
    }
    let mut rules = Vec::new();
    for name in names {
        match Rule::by_id(name) {
            Some(rule) => rules.push(rule),
            None => return Some(Allow::Faulty(format!("allows `{name}`, which is no rule"))),
        }
    }
    let reason = words.trim().to_owned();
    if reason.is_empty() {
        return Some(Allow::Faulty(format!("allows {} without a reason", list(&rules))));
    }
    Some(Allow::Rules { rules, reason })
}

fn list(rules: &[Rule]) -> String {
    rules.iter().map(|rule| format!("`{rule}`")).collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_names_rules_and_a_reason() {
        let expected = Allow::Rules { rules: vec![Rule::DropColumn], reason: "unread since v1.9".into() };
        assert_eq!(read("-- mpac:allow drop-column unread since v1.9"), Some(expected.clone()));
        assert_eq!(read("/* mpac:allow: drop-column: unread since v1.9 */"), Some(expected));
        let two = read("-- mpac:allow drop-column, drop-table gone").unwrap();
        assert_eq!(
            two,
            Allow::Rules { rules: vec![Rule::DropColumn, Rule::DropTable], reason: "gone".into() }
        );
    }

    #[test]
    fn without_a_reason_or_a_rule_nothing_is_allowed() {
        assert!(
            matches!(read("-- mpac:allow drop-column"), Some(Allow::Faulty(why)) if why.contains("without a reason"))
        );
        assert!(
            matches!(read("-- mpac:allow drop-colum why"), Some(Allow::Faulty(why)) if why.contains("no rule"))
        );
        assert!(matches!(read("-- mpac:allow"), Some(Allow::Faulty(_))));
    }

    #[test]
    fn other_comments_say_nothing() {
        assert_eq!(read("-- allow drop-column"), None);
        assert_eq!(read("-- mpac:allowed drop-column x"), None);
    }
}
