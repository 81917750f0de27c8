//! `policy check`, `policy show`, `policy schema`.

mod common;

use common::{Folder, preset, run, run_with};
use serde_json::Value;

/// A change to the preset (or `ALL`, which stands for the whole text), the exit status, and what the error says after the
/// name of the file.
const MALFORMED: [(&str, &str, i32, &str); 42] = [
    // Text that cannot be read as a policy.
    ("ALL", "", 2, "the policy: missing field `name`"),
    ("ALL", "name = \"a\"\nname = \"b\"\n", 2, "duplicate key"),
    ("ALL", "name = \"a", 2, "invalid basic string"),
    ("ALL", "just words", 2, "the policy is no TOML"),
    ("ALL", "stages = 5", 2, "stages: invalid type: integer `5`, expected a sequence"),
    ("name = \"mpac\"", "name = \"mpac\"\nnmae = \"x\"", 2, "nmae: unknown field `nmae`"),
    ("deadline_in_bakes", "deadline", 2, "stages[0].deadline: unknown field"),
    ("bake = \"15 min\"\n", "", 2, "stages[0]: missing field `bake`"),
    ("bake = \"15 min\"", "bake = \"15 minutes\"", 2, "stages[0].bake: `15 minutes` is no duration"),
    ("bake = \"15 min\"", "bake = \"-15 min\"", 2, "stages[0].bake: `-15 min` is no duration"),
    ("bake = \"15 min\"", "bake = 15", 2, "stages[0].bake: invalid type: integer `15`, expected a duration"),
    ("bake = \"15 min\"", "bake = \"99999999999999999999 min\"", 2, "is no duration"),
    (
        "blue = 95\ngreen = 5",
        "blue = 0\ngreen = 0",
        2,
        "stages[0].weights: blue and green are both at weight 0",
    ),
    ("blue = 95", "blue = 256", 2, "stages[0].weights.blue: invalid value: integer `256`"),
    ("blue = 95", "blue = -1", 2, "expected a whole number from 0 to 255"),
    ("blue = 95", "blue = 95.5", 2, "stages[0].weights.blue: invalid type: floating point `95.5`"),
    ("share = \"95 %\"", "share = nan", 2, "stages[0].gates[1].rule.periods.share: `NaN` is no limit"),
    ("share = \"95 %\"", "share = -inf", 2, "`-inf` is no limit"),
    ("share = \"95 %\"", "share = \"NaN %\"", 2, "`NaN %` is no quantity"),
    ("< 0.1 %", "< 1e400 %", 2, "`1e400 %` is no quantity"),
    ("< 0.1 %", "<= 0.1 %", 2, "there is no `<=`"),
    ("errors / requests < 0.1 %", "errors requests < 0.1 %", 2, "is no signal"),
    (
        "periods = 5",
        "periods = 99999999999999999999",
        2,
        "triggers[0].rule.consecutive.periods: invalid type",
    ),
    ("rule.periods]", "rule.period]", 2, "stages[0].gates[1].rule: unknown variant `period`"),
    // Policies that can be read and are refused.
    ("name = \"mpac\"", "name = \"\"", 1, "name: the policy has no name"),
    ("bake = \"15 min\"", "bake = \"0 min\"", 1, "stages[0].bake: a stage without a bake"),
    ("bake = \"15 min\"", "bake = \"90 s\"", 1, "stages[0].bake: 90 s is no whole number of minutes"),
    ("blue = 50\ngreen = 50", "blue = 96\ngreen = 4", 1, "stages[1].weights: green's share does not rise"),
    (
        "blue = 0\ngreen = 100",
        "blue = 1\ngreen = 100",
        1,
        "stages[2].weights: the last stage keeps traffic on blue",
    ),
    (
        "< 0.1 %",
        "< 2 %",
        1,
        "stages[0].gates[0].rule: the gate `errors / requests < 2 %` is looser than the trigger",
    ),
    ("< 0.1 %", "< 0.1", 1, "is written in percent"),
    ("< 0.1 %", "< 5 ms", 1, "is written in percent"),
    ("< 500 ms", "< 500", 1, "is written as a time"),
    ("< 500 ms", "< 5 %", 1, "is written as a time"),
    ("share = \"95 %\"", "share = \"101 %\"", 1, "stages[0].gates[1].rule: `101 %` is out of range"),
    (
        "periods = 5",
        "periods = 16",
        1,
        "triggers[0].rule: a window of 16 min is longer than the bake of `canary`",
    ),
    ("periods = 5", "periods = 0", 1, "triggers[0].rule: a window of 0 periods is too short"),
    (
        "errors / requests > 1 %",
        "errors / requests > 100 %",
        1,
        "triggers[0].rule: `errors / requests > 100 %` can never be",
    ),
    ("id = \"http-5xx\"", "id = \"error-rate\"", 1, "stages[0].gates[2]: `error-rate` stands twice"),
    ("name = \"half\"", "name = \"canary\"", 1, "stages[1]: `canary` stands twice"),
    ("id = \"http-5xx\"", "id = \"http 5xx\"", 1, "stages[0].gates[2].id: `http 5xx` is no id"),
    ("\"postgres_up\"", "\"postgres\"", 1, "`postgres` is no critical service"),
];

#[test]
fn each_malformed_policy_gives_one_error_that_names_the_file_and_the_place() {
    let (folder, preset) = (Folder::new(), preset());
    for (instead_of, written, status, says) in MALFORMED {
        let spoiled =
            if instead_of == "ALL" { written.to_owned() } else { preset.replacen(instead_of, written, 1) };
        assert_ne!(spoiled, preset, "the preset has no `{instead_of}`");
        let file = folder.file("spoiled.toml", spoiled);
        let run = run(&["policy", "check", &file]);
        assert_eq!(run.status, status, "`{written}`: {run:?}");
        let (said, silent, word) = match status {
            1 => (&run.stdout, &run.stderr, "refused"),
            _ => (&run.stderr, &run.stdout, "error"),
        };
        assert!(said.starts_with(&format!("{word}: {file}: ")), "`{written}`: {said}");
        assert!(said.contains(says), "`{written}`: {said}");
        assert_eq!(silent, "", "`{written}`");
    }
}

#[test]
fn a_truncated_policy_never_passes_as_another_one() {
    let (folder, preset) = (Folder::new(), preset());
    // Up to the tables at the end, which all have defaults.
    let needed = preset.find("[[alerts]]").unwrap();
    for cut in (0..needed).step_by(97) {
        let file = folder.file("cut.toml", &preset[..cut]);
        let run = run(&["policy", "check", &file]);
        assert!(matches!(run.status, 1 | 2), "cut at {cut}: {run:?}");
    }
}

#[test]
fn json_policies_are_read_and_their_errors_named() {
    let folder = Folder::new();
    let json = run(&["policy", "show", "--json"]).stdout;
    assert_eq!(run(&["policy", "check", &folder.file("a.json", &json)]).status, 0);
    for (text, says) in [
        ("", "the policy is no JSON: EOF"),
        ("{\"name\": \"x\", \"stages\": [", "the policy is no JSON: EOF"),
        ("{\"name\": NaN}", "the policy is no JSON: expected value at line 1 column 10"),
        ("{\"name\": \"x\", \"stages\": null}", "stages: invalid type: null"),
        ("{\"name\": \"x\", \"stages\": []} more", "the policy is no JSON: trailing characters"),
        ("{\"name\": \"x\", \"stages\": [], \"extra\": 1}", "extra: unknown field `extra`"),
    ] {
        let file = folder.file("b.json", text);
        let run = run(&["policy", "check", &file]);
        assert_eq!(run.status, 2, "{text}: {run:?}");
        assert!(run.stderr.starts_with(&format!("error: {file}: {says}")), "{text}: {}", run.stderr);
    }
}

#[test]
fn deep_nesting_and_other_bytes_are_errors_and_no_crash() {
    let folder = Folder::new();
    let deep_toml = format!("a = {}", "[".repeat(200_000));
    let deep_json = format!("{{\"name\": \"x\", \"stages\": {}", "[".repeat(200_000));
    for (name, content) in [
        ("deep.toml", deep_toml.as_bytes()),
        ("deep.json", deep_json.as_bytes()),
        ("binary.toml", b"\xff\xfe\x00\x01".as_slice()),
        ("large.toml", vec![b'#'; 2 << 20].as_slice()),
    ] {
        let run = run(&["policy", "check", &folder.file(name, content)]);
        assert_eq!(run.status, 2, "{name}: {run:?}");
        assert!(run.stderr.len() < 2000, "{name}: an error of {} bytes", run.stderr.len());
    }
}

#[test]
fn a_byte_order_mark_and_crlf_are_read_from_a_file_and_from_standard_input() {
    let text = format!("\u{feff}{}", preset().replace('\n', "\r\n"));
    let folder = Folder::new();
    assert_eq!(run(&["policy", "check", &folder.file("a.toml", &text)]).status, 0);
    assert_eq!(run(&["policy", "check", &folder.file("no-extension", &text)]).status, 0);
    assert_eq!(run_with(&["policy", "check", "-"], text.as_bytes()).status, 0);
}

#[test]
fn with_json_the_verdict_is_one_document() {
    let good = run_with(&["policy", "check", "-", "--json"], preset().as_bytes());
    assert_eq!((good.status, good.json()["valid"].as_bool()), (0, Some(true)));
    assert_eq!(good.json()["stages"], serde_json::json!(["canary", "half", "full"]));
    let spoiled = preset().replace("periods = 5", "periods = 0");
    let refused = run_with(&["policy", "check", "-", "--json"], spoiled.as_bytes());
    assert_eq!((refused.status, refused.json()["valid"].as_bool()), (1, Some(false)));
    assert_eq!(refused.json()["path"], "triggers[0].rule");
    let unreadable = run_with(&["policy", "check", "-", "--json"], b"name");
    assert_eq!(unreadable.status, 2);
    assert!(unreadable.json()["error"].as_str().unwrap().starts_with("-: the policy is no TOML"));
}

#[test]
fn a_metric_that_nobody_knows_is_pointed_out() {
    let text = preset().replacen("errors / requests < 0.1 %", "eroors / requests < 0.1 %", 1);
    let run = run_with(&["policy", "check", "-"], text.as_bytes());
    assert_eq!(run.status, 0);
    assert!(run.stdout.contains("of your own  eroors"), "{}", run.stdout);
}

#[test]
fn the_preset_fits_its_own_schema_and_a_spoiled_one_does_not() {
    let schema: Value = run(&["policy", "schema"]).json();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let preset: Value = run(&["policy", "show", "--json"]).json();
    let errors: Vec<String> = validator.iter_errors(&preset).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());
    for (pointer, value) in [
        ("/stages/0/bake", serde_json::json!("15 minutes")),
        ("/stages/0/weights/blue", serde_json::json!(256)),
        ("/stages/0/gates/0/rule", serde_json::json!({ "rat": "errors / requests < 1 %" })),
        ("/name", serde_json::json!(1)),
        ("/probes", serde_json::json!({ "failure": 1 })),
    ] {
        let mut spoiled = preset.clone();
        *spoiled.pointer_mut(pointer).unwrap() = value;
        assert!(!validator.is_valid(&spoiled), "{pointer}");
    }
}
