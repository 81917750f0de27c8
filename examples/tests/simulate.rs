//! `simulate`: scenarios by name, and rollouts that are the same byte for byte.

mod common;

use common::{Folder, preset, run, text};
use serde_json::json;

#[test]
fn at_least_twenty_scenarios_are_listed_with_their_end() {
    let json = run(&["simulate", "--list", "--json"]);
    assert_eq!((json.status, json.stderr.as_str()), (0, ""));
    let document = json.json();
    let scenarios = document["scenarios"].as_array().unwrap();
    assert!(scenarios.len() >= 20, "{}", scenarios.len());
    let people = run(&["simulate", "--list"]).stdout;
    for scenario in scenarios {
        for field in ["name", "description", "expected"] {
            let value = scenario[field].as_str().unwrap();
            assert!(people.contains(value), "{value}");
        }
    }
}

#[test]
fn a_healthy_release_completes() {
    let run = run(&["simulate", "--scenario", "healthy", "--json"]);
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
    let document = run.json();
    assert_eq!(document["outcome"], "completed");
    assert_eq!(document["as_expected"], true);
    let weights: Vec<_> = document["weights"]
        .as_array()
        .unwrap()
        .iter()
        .map(|w| (w["blue"].clone(), w["green"].clone()))
        .collect();
    assert_eq!(
        weights,
        [(100, 0), (95, 5), (50, 50), (0, 100)].map(|(blue, green)| (json!(blue), json!(green)))
    );
    assert_eq!(document["decisions"].as_array().unwrap().last().unwrap()["kind"], "retired");
}

#[test]
fn five_bad_minutes_roll_back_and_four_do_not() {
    let four = run(&["simulate", "--scenario", "incident-4-minutes", "--seed", "7", "--json"]);
    assert_eq!((four.status, &four.json()["outcome"]), (0, &json!("completed")));
    let five = run(&["simulate", "--scenario", "incident-5-minutes", "--seed", "7", "--json"]);
    assert_eq!((five.status, &five.json()["outcome"]), (1, &json!("rolled_back")));
    assert_eq!((&five.json()["rule"], &five.json()["stage"]), (&json!("error-rate"), &json!("half")));
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let of_seed =
        |seed| run(&["simulate", "--scenario", "error-spike-over", "--seed", seed, "--json"]).stdout;
    assert_eq!(of_seed("3"), of_seed("3"));
    assert_ne!(of_seed("3"), of_seed("4"));
}

#[test]
fn under_another_policy_nothing_is_expected() {
    let folder = Folder::new();
    let policy =
        folder.file("patient.toml", preset().replace("errors / requests > 1 %", "errors / requests > 90 %"));
    let run = run(&["simulate", "--scenario", "incident-5-minutes", "--policy", &policy, "--json"]);
    assert!(run.json()["as_expected"].is_null(), "{run:?}");
    assert_ne!(run.json()["rule"], "error-rate");
}

#[test]
fn an_unknown_scenario_is_unusable_input_and_the_names_are_told() {
    let run = run(&["simulate", "--scenario", "sunny", "--json"]);
    assert_eq!(run.status, 2);
    let error = run.json()["error"].as_str().unwrap().to_owned();
    assert!(error.starts_with("there is no scenario `sunny`: choose one of healthy, "), "{error}");
}

#[test]
fn a_report_is_written() {
    let folder = Folder::new();
    let file = text(&folder.path("report.html"));
    let run = run(&["simulate", "--scenario", "bad-image", "--report", &file]);
    assert_eq!(run.status, 1);
    let html = std::fs::read_to_string(file).unwrap();
    assert!(html.contains("abandoned</span>"), "{html}");
}
