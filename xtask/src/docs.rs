//! `cargo xtask docs`: every page is in the table of contents, every relative link leads somewhere, every test that a page
//! names exists.

use std::io::Write;
use std::path::{Component, Path, PathBuf};

use crate::ci::command;
use crate::markdown;
use crate::references;
use crate::repo::{Repo, which};
use crate::shell::Shell;
use crate::step::{Failure, Runner, Stopped};

const BOOK: &str = "docs/src";
const SUMMARY: &str = "docs/src/SUMMARY.md";
/// Pages outside the book whose links are checked too.
const TOP: [&str; 4] = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"];

/// Checks the pages, and builds the book if mdbook is installed.
pub(crate) fn run<W: Write>(repo: &Repo, runner: &mut Runner<W>) -> Result<(), Stopped> {
    runner.step("book contents", "cargo xtask docs", || contents(repo))?;
    runner.step("links", "cargo xtask docs", || links(repo))?;
    runner.step("named tests", "cargo xtask docs", || named_tests(repo))?;
    match which(&["mdbook"]) {
        Some(mdbook) => {
            let build = Shell::new(mdbook, repo.root()).shown_as("mdbook").args(["build", "docs"]);
            command(runner, "book", build)
        }
        None => {
            runner.say("    the book is not built: mdbook is not on the PATH");
            Ok(())
        }
    }
}

/// The table of contents lists every page of the book, once, and nothing else.
fn contents(repo: &Repo) -> Result<(), Failure> {
    let pages: Vec<String> = pages(repo)?.into_iter().filter(|page| page != SUMMARY).collect();
    Failure::unless_empty(compare(&pages, &repo.read(SUMMARY)?))
}

fn compare(pages: &[String], summary: &str) -> Vec<String> {
    let listed: Vec<String> =
        markdown::links(summary).iter().map(|link| beside(SUMMARY, &link.target)).collect();
    let mut found = Vec::new();
    for page in pages {
        match listed.iter().filter(|listed| *listed == page).count() {
            0 => found.push(format!("{SUMMARY} does not list {page}")),
            1 => {}
            _ => found.push(format!("{SUMMARY} lists {page} more than once")),
        }
    }
    found.extend(
        listed
            .iter()
            .filter(|listed| !pages.contains(listed))
            .map(|listed| format!("{SUMMARY} lists {listed}, which is not there")),
    );
    found
}

fn links(repo: &Repo) -> Result<(), Failure> {
    let mut found = Vec::new();
    let top = TOP.iter().filter(|path| repo.root().join(path).is_file()).map(ToString::to_string);
    for page in pages(repo)?.into_iter().chain(top) {
        let text = repo.read(&page)?;
        for link in markdown::links(&text).iter().filter(|link| is_relative(&link.target)) {
            if let Err(why) = resolve(repo, &page, &text, &link.target) {
                found.push(format!("{page}:{}: `{}`: {why}", link.line, link.target));
            }
        }
    }
    Failure::unless_empty(found)
}

fn named_tests(repo: &Repo) -> Result<(), Failure> {
    let mut found = Vec::new();
    for page in pages(repo)? {
        found.extend(references::missing(repo, &page)?);
    }
    Failure::unless_empty(found)
}

fn pages(repo: &Repo) -> Result<Vec<String>, Failure> {
    Ok(repo.files(BOOK)?.into_iter().filter(|path| path.ends_with(".md")).collect())
}

/// Not a URL with a scheme.
fn is_relative(target: &str) -> bool {
    let scheme = target.split_once(':').map(|(scheme, _)| scheme);
    !scheme.is_some_and(|scheme| scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c)))
}

fn resolve(repo: &Repo, page: &str, text: &str, target: &str) -> Result<(), String> {
    let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    if path.starts_with('/') {
        return Err("write it relative to the page".to_owned());
    }
    let other = if path.is_empty() { page.to_owned() } else { beside(page, path) };
    if !repo.root().join(&other).exists() {
        return Err(format!("there is no {other}"));
    }
    let Some(anchor) = anchor.filter(|_| other.ends_with(".md")) else { return Ok(()) };
    let read = if other == page { Ok(text.to_owned()) } else { repo.read(&other) };
    let anchors = markdown::anchors(&read.map_err(|failure| failure.to_string())?);
    if anchors.iter().any(|known| known == anchor) {
        Ok(())
    } else {
        Err(format!("{other} has no heading #{anchor}"))
    }
}

/// `target` as seen from `page`, relative to the root, without `.` and `..` where they can be resolved.
fn beside(page: &str, target: &str) -> String {
    let mut path = Path::new(page).parent().map(Path::to_path_buf).unwrap_or_default();
    for component in Path::new(target).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if path.file_name().is_some() => {
                path.pop();
            }
            Component::ParentDir | Component::Normal(_) | Component::RootDir | Component::Prefix(_) => {
                path.push(component);
            }
        }
    }
    PathBuf::into_os_string(path).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn checkout(files: &[(&str, &str)]) -> (tempfile::TempDir, Repo) {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let repo = Repo::at(dir.path());
        (dir, repo)
    }

    #[test]
    fn a_page_that_nobody_lists_and_a_listed_page_that_is_not_there_are_named() {
        let (_dir, repo) = checkout(&[
            ("docs/src/SUMMARY.md", "- [A](a.md)\n- [B](b.md)\n- [A](./a.md)\n"),
            ("docs/src/a.md", ""),
            ("docs/src/x/c.md", ""),
        ]);
        let text = contents(&repo).unwrap_err().to_string();
        assert_eq!(
            text,
            "docs/src/SUMMARY.md lists docs/src/a.md more than once\n\
             docs/src/SUMMARY.md does not list docs/src/x/c.md\n\
             docs/src/SUMMARY.md lists docs/src/b.md, which is not there"
        );
    }

    #[test]
    fn links_lead_to_files_and_headings() {
        let page = "# Here\n[a](b.md#there) [b](../../README.md) [c](#here) [d](https://x.example/y) [e](mailto:a@b.example)\n";
        let (_dir, repo) = checkout(&[
            ("docs/src/a.md", page),
            ("docs/src/b.md", "## There\n"),
            ("README.md", "[book](docs/src/a.md)\n"),
        ]);
        assert_eq!(links(&repo), Ok(()));
    }

    #[test]
    fn a_broken_link_is_named_with_its_page_and_line() {
        let (_dir, repo) = checkout(&[
            ("docs/src/a.md", "\n[a](gone.md) [b](a.md#nowhere) [c](/etc/x)\n"),
            ("README.md", "[x](docs/gone)\n"),
        ]);
        let text = links(&repo).unwrap_err().to_string();
        assert_eq!(
            text,
            "docs/src/a.md:2: `gone.md`: there is no docs/src/gone.md\n\
             docs/src/a.md:2: `a.md#nowhere`: docs/src/a.md has no heading #nowhere\n\
             docs/src/a.md:2: `/etc/x`: write it relative to the page\n\
             README.md:1: `docs/gone`: there is no docs/gone"
        );
    }

    #[test]
    fn a_path_is_taken_from_the_page_it_stands_in() {
        assert_eq!(beside("docs/src/a.md", "../../README.md"), "README.md");
        assert_eq!(beside("README.md", "./docs/src"), "docs/src");
        assert_eq!(beside("README.md", "../beside"), "../beside");
    }
}
