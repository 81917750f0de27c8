//! No file names an absolute path of somebody's machine: it would be wrong on every other one.

use crate::repo::Repo;
use crate::step::Failure;

/// Put together so that this file does not find itself.
const HOMES: [&str; 5] = [
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
    concat!("/ro", "ot/"),
    concat!("/wo", "rk/"),
    concat!("C:\\Us", "ers\\"),
];

/// Looks at every text file of the checkout.
pub(super) fn check(repo: &Repo) -> Result<(), Failure> {
    let mut found = Vec::new();
    for path in repo.files("")? {
        let bytes = std::fs::read(repo.root().join(&path))
            .map_err(|e| Failure::new(format!("cannot read {path}: {e}")))?;
        if let Ok(text) = std::str::from_utf8(&bytes) {
            found.extend(violations(&path, text));
        }
    }
    Failure::unless_empty(found)
}

fn violations(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for home in HOMES.iter().filter(|home| starts_a_path(line, home)) {
            found.push(format!(
                "{path}:{}: names a path under `{home}`; write it relative to the checkout",
                number + 1
            ));
        }
    }
    found
}

/// Whether `home` begins a path with something under it, not the middle of a longer one or of a URL.
fn starts_a_path(line: &str, home: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || "._-~/".contains(c);
    line.match_indices(home).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let after = line.get(at + home.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(part) && after.is_some_and(|c| c.is_alphanumeric() || c == '.' || c == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(parts: &[&str]) -> Vec<String> {
        violations("a.md", &parts.concat())
    }

    #[test]
    fn a_path_of_a_machine_is_named_with_its_line() {
        let found = violations("a.md", &["first\nsee (", "/ho", "me/ann/x)"].concat());
        assert_eq!(found.len(), 1);
        assert!(found.concat().starts_with("a.md:2: names a path under"), "{found:?}");
        assert_eq!(line(&["\"C:", "\\Users\\ann\""]).len(), 1);
        assert_eq!(line(&["/ro", "ot/.cargo"]).len(), 1);
    }

    #[test]
    fn urls_relative_paths_and_bare_names_are_no_machine_paths() {
        for parts in [
            ["https://a.example/ho", "me/x"],
            ["../wo", "rk/x"],
            ["target/ro", "ot/x"],
            ["in `/wo", "rk/` itself"],
        ] {
            assert_eq!(line(&parts), Vec::<String>::new(), "{parts:?}");
        }
    }
}
