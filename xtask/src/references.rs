//! The tests and scenarios that the book names exist: a code span such as
//! `deploy-core/tests/machine.rs::a_refused_change_is_not_tried_again` is a file of the checkout and a function in it, and
//! `scenario:bad-image` is a text in the testkit's scenarios.

use crate::markdown;
use crate::repo::Repo;
use crate::step::Failure;

/// Where scenarios have their names.
const SCENARIOS: &str = "deploy-testkit/src/scenario";

/// What of a page's references is not there, with the page and the line.
pub(crate) fn missing(repo: &Repo, page: &str) -> Result<Vec<String>, Failure> {
    let mut found = Vec::new();
    for (line, span) in markdown::spans(&repo.read(page)?) {
        let why = match (reference(&span), span.strip_prefix("scenario:")) {
            (Some((path, test)), _) => no_test(repo, path, test),
            (None, Some(name)) => no_scenario(repo, name)?,
            (None, None) => None,
        };
        found.extend(why.map(|why| format!("{page}:{line}: `{span}`: {why}")));
    }
    Ok(found)
}

fn no_test(repo: &Repo, path: &str, test: &str) -> Option<String> {
    match repo.read(path) {
        Ok(text) if text.contains(&format!("fn {test}(")) => None,
        Ok(_) => Some(format!("{path} has no `fn {test}`")),
        Err(_) => Some(format!("there is no {path}")),
    }
}

fn no_scenario(repo: &Repo, name: &str) -> Result<Option<String>, Failure> {
    for path in repo.files(SCENARIOS)? {
        if repo.read(&path)?.contains(&format!("\"{name}\"")) {
            return Ok(None);
        }
    }
    Ok(Some(format!("{SCENARIOS} has no \"{name}\"")))
}

/// The file and the function of `path.rs::function`; the path is taken from the root of the checkout.
fn reference(span: &str) -> Option<(&str, &str)> {
    let (path, test) = span.split_once("::")?;
    path.ends_with(".rs").then_some((path, test))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_scenario_is_one_by_its_name() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join(SCENARIOS)).unwrap();
        fs::write(dir.path().join(SCENARIOS).join("a.rs"), "Scenario::new(\"bad-image\", \"…\")").unwrap();
        fs::write(dir.path().join("page.md"), "`scenario:bad-image` `scenario:bad`\n").unwrap();
        assert_eq!(
            missing(&Repo::at(dir.path()), "page.md").unwrap(),
            ["page.md:1: `scenario:bad`: deploy-testkit/src/scenario has no \"bad\""]
        );
    }

    #[test]
    fn a_reference_leads_to_a_function_in_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let page = "| a | `x/a.rs::it_holds` `a::b` `c.rs` |\n\n`x/a.rs::it_hold` `y.rs::it_holds`\n\
                    ```text\n`z.rs::in_a_block`\n```\n";
        fs::create_dir(dir.path().join("x")).unwrap();
        fs::write(dir.path().join("x/a.rs"), "#[test]\nfn it_holds() {}\n").unwrap();
        fs::write(dir.path().join("page.md"), page).unwrap();
        assert_eq!(
            missing(&Repo::at(dir.path()), "page.md").unwrap(),
            [
                "page.md:3: `x/a.rs::it_hold`: x/a.rs has no `fn it_hold`",
                "page.md:3: `y.rs::it_holds`: there is no y.rs"
            ]
        );
    }
}
