//! The book's page "The policy file" says what the code does.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, outside a test function")]

use std::path::PathBuf;

use mpac_deploy_core::policy::{Policy, mpac};
use mpac_deploy_testkit::script;

fn page() -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/src/policy.md");
    std::fs::read_to_string(path).unwrap()
}

/// The fenced blocks of a language, in order.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    page.split(&fence).skip(1).filter_map(|rest| Some(rest.split_once("```")?.0.to_owned())).collect()
}

fn preset() -> String {
    mpac().to_toml().unwrap()
}

fn is_whole(block: &str) -> bool {
    block.starts_with("name = ")
}

/// What is wrong with the text of a policy.
fn problem(toml: &str) -> Option<String> {
    match Policy::from_toml(toml) {
        Ok(policy) => policy.check().err().map(|error| error.to_string()),
        Err(error) => Some(error.to_string()),
    }
}

/// A row of the table of what is refused: a change to the preset, and the error.
struct Row {
    from: String,
    to: String,
    error: String,
}

fn rows(page: &str) -> Vec<Row> {
    let section = page.split_once("## What is refused").unwrap().1;
    let table = section.lines().skip_while(|line| !line.starts_with("|---")).skip(1);
    table.take_while(|line| line.starts_with('|')).map(row).collect()
}

fn row(line: &str) -> Row {
    let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
    let code = |cell: &str| {
        let double = cell.strip_prefix("`` ").and_then(|cell| cell.strip_suffix(" ``"));
        double.unwrap_or_else(|| cell.trim_matches('`')).to_owned()
    };
    let [from, to, error, _why] = cells[..] else { panic!("four cells: {line}") };
    Row { from: code(from), to: code(to), error: code(error) }
}

#[test]
fn the_preset_is_printed_as_it_is() {
    let printed: Vec<String> = blocks(&page(), "toml").into_iter().filter(|block| is_whole(block)).collect();
    assert_eq!(printed, [preset()]);
}

#[test]
fn every_example_of_a_rule_is_a_policy_with_the_preset_before_it() {
    let examples: Vec<String> =
        blocks(&page(), "toml").into_iter().filter(|block| !is_whole(block)).collect();
    // Seven kinds of rule that watch and six of gate.
    assert_eq!(examples.len(), 13);
    for example in examples {
        assert_eq!(problem(&format!("{}\n{example}", preset())), None, "{example}");
    }
}

/// What stands under a heading goes where the preset has that heading.
#[test]
fn the_examples_of_approvals_are_lines_of_a_policy() {
    let examples = blocks(&page(), "toml,approvals");
    let lines =
        examples[0].lines().map(|line| line.trim_start_matches("# ").split("  #").next().unwrap().trim());
    let mut place = "";
    let mut tried = 0;
    for line in lines {
        if line.starts_with("approval = ") {
            let policy = preset().replacen(place, &format!("{place}\n{line}"), 1);
            assert_eq!(problem(&policy), None, "{line}");
            assert_ne!(Policy::from_toml(&policy).unwrap(), mpac(), "{line}");
            let again = Policy::from_toml(&policy).unwrap().to_toml().unwrap();
            assert_eq!(Policy::from_toml(&again).unwrap(), Policy::from_toml(&policy).unwrap());
            tried += 1;
        } else if !line.is_empty() && line != "[[stages]]" {
            place = line;
        }
    }
    assert_eq!(tried, 3);
}

#[test]
fn the_json_is_a_safe_policy() {
    for json in blocks(&page(), "json") {
        assert_eq!(Policy::from_json(&json).unwrap().check(), Ok(()));
    }
}

#[test]
fn every_refused_change_gives_its_error() {
    let (page, preset) = (page(), preset());
    let mut wrong = Vec::new();
    for Row { from, to, error } in rows(&page) {
        assert!(preset.contains(&from), "the preset has no {from}");
        let given = problem(&preset.replacen(&from, &to, 1));
        if given.as_deref() != Some(&error) {
            wrong.push(format!("{from} -> {to}: {}", given.unwrap_or_else(|| "accepted".into())));
        }
    }
    assert!(wrong.is_empty(), "the page says otherwise:\n{}", wrong.join("\n"));
}

#[test]
fn more_than_a_thousand_rules_are_refused() {
    let mut policy = mpac();
    policy.alerts = vec![policy.alerts[0].clone(); 1000];
    assert_eq!(policy.check().unwrap_err().path, "the policy");
}

#[test]
fn a_live_rollout_skips_nothing() {
    let mut release = script::release(false, false);
    release.metrics.retain(|metric| metric.name() != "log_anomalies");
    let error = mpac().compile(release).unwrap_err();
    assert_eq!(error.path, "stages[2].gates[5].rule");
    assert!(error.problem.contains("green's `log_anomalies`"), "{error}");
}
