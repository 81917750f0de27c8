//! The sources that decide name nothing that acts.
//!
//! The `no_std` build proves it for what is compiled without features; this also covers what is behind `std` and `text`.

use crate::repo::Repo;
use crate::step::Failure;

const SOURCES: &str = "deploy-core/src";
/// The two places that may name time and tasks: the ports' contracts, and the loop that connects them.
const ACTING: [&str; 4] = ["driver/", "driver.rs", "port/", "port.rs"];
const FORBIDDEN: [&str; 10] = [
    "std::time",
    "std::thread",
    "std::net",
    "std::fs",
    "std::process",
    "std::env",
    "SystemTime",
    "Instant",
    "tokio",
    "async_std",
];

/// Looks at every Rust file of the core outside the acting ones.
pub(super) fn check(repo: &Repo) -> Result<(), Failure> {
    let mut found = Vec::new();
    let files = repo.files(SOURCES)?;
    for path in files.iter().filter(|path| decides(path)) {
        found.extend(violations(path, &repo.read(path)?));
    }
    Failure::unless_empty(found)
}

fn decides(path: &str) -> bool {
    let inside = path.strip_prefix(SOURCES).unwrap_or(path).trim_start_matches('/');
    inside.ends_with(".rs") && !ACTING.iter().any(|acting| inside.starts_with(acting))
}

fn violations(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let code = without_text(line);
        for name in FORBIDDEN.iter().filter(|name| names(&code, name)) {
            found.push(format!(
                "{path}:{}: names `{name}`; what decides takes time as an argument and reaches nothing",
                number + 1
            ));
        }
    }
    found
}

/// The line without its comment and without what stands between quotes.
fn without_text(line: &str) -> String {
    let mut code = String::new();
    let mut quoted = false;
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' if quoted => {
                rest.next();
            }
            '"' => quoted = !quoted,
            '/' if !quoted && rest.peek() == Some(&'/') => break,
            c if !quoted => code.push(c),
            _ => {}
        }
    }
    code
}

/// Whether `name` stands in `code` as whole words.
fn names(code: &str, name: &str) -> bool {
    let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    code.match_indices(name).any(|(at, _)| {
        let before = code.get(..at).and_then(|text| text.chars().next_back());
        let after = code.get(at + name.len()..).and_then(|text| text.chars().next());
        !word(before) && !word(after)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_driver_and_the_ports_may_act_and_nothing_else() {
        assert!(decides("deploy-core/src/machine/mod.rs"));
        assert!(decides("deploy-core/src/report.rs"));
        assert!(!decides("deploy-core/src/driver/mod.rs"));
        assert!(!decides("deploy-core/src/port.rs"));
        assert!(!decides("deploy-core/src/fixture.json"));
    }

    #[test]
    fn a_clock_is_named_with_its_line() {
        let found = violations("a.rs", "use core::fmt;\nuse std::time::Instant;\n");
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found.concat().starts_with("a.rs:2: names `std::time`"), "{found:?}");
    }

    #[test]
    fn prose_and_longer_words_name_no_clock() {
        for line in [
            "// an Instant of std::time",
            "//! Works under tokio's paused clock.",
            "let text = \"tokio \\\" Instant\"; // tokio",
            "struct InstantRollback;",
            "my_std::times()",
        ] {
            assert_eq!(violations("a.rs", line), Vec::<String>::new(), "{line}");
        }
    }

    #[test]
    fn code_before_a_comment_and_after_a_string_is_seen() {
        assert_eq!(violations("a.rs", "let a = tokio::spawn(b); // c").len(), 1);
        assert_eq!(violations("a.rs", "call(\"http://x\", Instant::now())").len(), 1);
    }
}
