//! The README's first Rust example is one of the examples that `cargo test` compiles and runs.
//!
//! Lines that rustdoc hides (`# use ...`) and blank lines are left out of the comparison.

use crate::step::Failure;

/// Compares the README's first Rust block with the Rust blocks in the module documentation of the library.
pub(super) fn compare(readme: &str, library: &str) -> Result<(), Failure> {
    if library.contains("include_str!(\"../../README.md\")") {
        return Ok(());
    }
    let Some(shown) = blocks(readme).into_iter().find(|block| block.info.starts_with("rust")) else {
        return Err(Failure::new("README.md has no ```rust block: the embedding example belongs there"));
    };
    let documented: Vec<Block> =
        blocks(&module_docs(library)).into_iter().filter(Block::is_compiled).collect();
    let Some(closest) = documented.iter().max_by_key(|block| common_prefix(&block.lines, &shown.lines))
    else {
        return Err(Failure::new(
            "the module documentation of deploy-core/src/lib.rs has no compiled Rust example: \
             README.md's first ```rust block belongs there, word for word",
        ));
    };
    difference(&shown.lines, &closest.lines)
}

fn difference(shown: &[String], documented: &[String]) -> Result<(), Failure> {
    if shown == documented {
        return Ok(());
    }
    let at = common_prefix(shown, documented);
    let line = |lines: &[String]| {
        lines.get(at).map_or_else(|| "(the block ends)".to_owned(), |line| format!("`{line}`"))
    };
    Err(Failure::new(format!(
        "README.md's example is not the one that deploy-core/src/lib.rs compiles; they differ in line {} (blank and \
         hidden lines left out):\n  README.md: {}\n  lib.rs:    {}\nmake the two the same",
        at + 1,
        line(shown),
        line(documented)
    )))
}

fn common_prefix(a: &[String], b: &[String]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// A fenced block: what stands after the fence, and its visible lines.
struct Block {
    info: String,
    lines: Vec<String>,
}

impl Block {
    /// Whether rustdoc compiles it: an empty info string means Rust too.
    fn is_compiled(&self) -> bool {
        let mut words = self.info.split([',', ' ']).filter(|word| !word.is_empty());
        words.all(|word| matches!(word, "rust" | "no_run" | "should_panic") || word.starts_with("edition"))
    }
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in text.lines() {
        match (&mut open, line.trim_start().strip_prefix("```")) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) if is_visible(line) => block.lines.push(line.trim_end().to_owned()),
            (Some(_), None) => {}
            (None, Some(info)) => open = Some(Block { info: info.trim().to_owned(), lines: Vec::new() }),
            (None, None) => {}
        }
    }
    blocks
}

fn is_visible(line: &str) -> bool {
    let line = line.trim();
    !(line.is_empty() || line == "#" || line.starts_with("# "))
}

/// The `//!` lines without their marker.
fn module_docs(library: &str) -> String {
    library
        .lines()
        .filter_map(|line| line.strip_prefix("//!"))
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .fold(String::new(), |text, line| text + line + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const README: &str = "# Name\n```sh\ncargo run\n```\n```rust\nlet a = 1;\n\nassert_eq!(a, 1);\n```\n";

    fn library(block: &str) -> String {
        let doc = format!("Words.\n\n```text\na picture\n```\n```{block}\n```\n");
        doc.lines().map(|line| format!("//! {line}").trim_end().to_owned() + "\n").collect::<String>()
            + "mod a;\n"
    }

    fn refused(readme: &str, library: &str) -> String {
        compare(readme, library).unwrap_err().to_string()
    }

    #[test]
    fn the_same_example_passes_whatever_rustdoc_hides() {
        let block = "\n# use x::y;\n#\nlet a = 1;\n# let b = 2;\nassert_eq!(a, 1);";
        assert_eq!(compare(README, &library(block)), Ok(()));
    }

    #[test]
    fn an_attribute_is_no_hidden_line() {
        let readme = "```rust\n#[derive(Debug)]\nstruct A;\n```\n";
        assert_eq!(compare(readme, &library("\n#[derive(Debug)]\nstruct A;")), Ok(()));
        assert!(refused(readme, &library("\nstruct A;")).contains("differ in line 1"));
    }

    #[test]
    fn the_first_difference_is_shown_from_both_sides() {
        let text = refused(README, &library("rust\nlet a = 1;\nassert_eq!(a, 2);"));
        assert!(text.contains("differ in line 2"), "{text}");
        assert!(text.contains("README.md: `assert_eq!(a, 1);`\n  lib.rs:    `assert_eq!(a, 2);`"), "{text}");
    }

    #[test]
    fn a_shorter_example_is_another_example() {
        assert!(refused(README, &library("\nlet a = 1;")).contains("lib.rs:    (the block ends)"));
    }

    #[test]
    fn an_example_that_nobody_compiles_does_not_count() {
        assert!(
            refused(README, &library("rust,ignore\nlet a = 1;\nassert_eq!(a, 1);")).contains("no compiled")
        );
        assert!(refused("# Name\n", &library("\nlet a = 1;")).contains("no ```rust block"));
    }

    #[test]
    fn a_library_that_includes_the_readme_compiles_it_as_it_stands() {
        assert_eq!(compare("", "#![doc = include_str!(\"../../README.md\")]"), Ok(()));
    }
}
