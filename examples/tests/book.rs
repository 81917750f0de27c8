//! The book's page "The command line" says what the command line answers.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

fn page() -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/src/operator.md");
    std::fs::read_to_string(path).unwrap()
}

fn section(page: &str, heading: &str) -> String {
    let rest = page.split_once(&format!("\n## {heading}\n")).unwrap().1;
    rest.split("\n## ").next().unwrap_or_default().to_owned()
}

fn block(section: &str, fence: &str) -> String {
    let rest = section.split_once(&format!("```{fence}\n")).unwrap().1;
    rest.split_once("```").unwrap().0.to_owned()
}

fn mpac_deploy(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mpac-deploy")).args(arguments).output().unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

/// The fields of a table: what its first column has in code.
fn fields(section: &str) -> BTreeSet<String> {
    let table = section.lines().skip_while(|line| !line.starts_with("| field")).skip(2);
    let first = table.take_while(|line| line.starts_with('|')).filter_map(|line| line.split('|').nth(1));
    first.flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[test]
fn the_json_of_a_backtest_is_as_printed() {
    let section = section(&page(), "backtest");
    let dir = tempfile::tempdir().unwrap();
    let csv = dir.path().join("incident.csv");
    std::fs::write(&csv, block(&section, "text")).unwrap();
    let output = mpac_deploy(&["backtest", "--metrics", csv.to_str().unwrap(), "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let (mut given, mut printed) =
        (json(&output), serde_json::from_str::<Value>(&block(&section, "json")).unwrap());
    // The page names the first two of what is skipped, and then three dots.
    let skipped = |value: &mut Value| value.as_object_mut().unwrap().remove("skipped").unwrap();
    let (all, first) = (skipped(&mut given), skipped(&mut printed));
    assert_eq!(given, printed);
    assert_eq!(all.as_array().unwrap()[..2], first.as_array().unwrap()[..2]);
}

#[test]
fn the_json_of_a_simulation_has_the_fields_of_the_table() {
    let section = section(&page(), "simulate");
    let given = json(&mpac_deploy(&["simulate", "--scenario", "bad-image", "--json"]));
    assert_eq!(keys(&given), fields(&section));
    for (list, of) in [("weights", &given["weights"][0]), ("decisions", &given["decisions"][0])] {
        let words: Vec<String> = keys(of).into_iter().collect();
        let row = section.lines().find(|line| line.starts_with(&format!("| `{list}`"))).unwrap();
        assert!(words.iter().all(|word| row.contains(&format!("\"{word}\""))), "{words:?} in {row}");
    }
}

#[test]
fn a_policy_is_safe_refused_or_none() {
    let section = section(&page(), "policy");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("mine.toml");
    let preset = String::from_utf8(mpac_deploy(&["policy", "show"]).stdout).unwrap();
    let bakes_not = preset.replacen("bake = \"15 min\"", "bake = \"0 s\"", 1);
    for (text, status, row) in
        [(preset.as_str(), 0, "| safe"), (&bakes_not, 1, "| refused"), ("x", 2, "| no policy")]
    {
        std::fs::write(&file, text).unwrap();
        let output = mpac_deploy(&["policy", "check", file.to_str().unwrap(), "--json"]);
        assert_eq!(output.status.code(), Some(status), "{row}");
        let row = section.lines().find(|line| line.starts_with(row)).unwrap();
        assert!(row.contains(&format!("| {status} |")), "{row}");
        let given = keys(&json(&output));
        assert!(given.iter().all(|key| row.contains(&format!("\"{key}\""))), "{given:?} in {row}");
        assert_eq!(row.matches("\":").count(), given.len(), "{given:?} in {row}");
    }
}
