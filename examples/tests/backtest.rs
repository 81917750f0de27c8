//! `backtest`: the JSON that others compare, the exit status, and what is refused.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

mod common;

use common::{Folder, HEALTHY, preset, recording, row, run, run_with, text};
use serde_json::{Value, json};

/// A JSON document without the reasons, which are for people.
fn without_reasons(mut document: Value) -> Value {
    for decision in document["decisions"].as_array_mut().unwrap() {
        let reason = decision.as_object_mut().unwrap().remove("reason").unwrap();
        assert!(!reason.as_str().unwrap().is_empty());
    }
    document
}

#[test]
fn a_healthy_recording_completes() {
    let folder = Folder::new();
    let mut csv = recording(105, &HEALTHY);
    for minute in 0..45 {
        csv.push_str(&row(minute, "blue", "requests", "1000"));
        csv.push_str(&row(minute, "blue", "transactions", "300"));
    }
    let run = run(&["backtest", "--metrics", &folder.file("a.csv", csv), "--json"]);
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
    let decision =
        |kind, stage, end| json!({ "kind": kind, "stage": stage, "rule": null, "evidence_end": end });
    let expected = json!({
        "outcome": "completed",
        "stage": "full",
        "decisions": [
            decision("promote", "canary", "2026-01-28T09:15:00Z"),
            decision("promote", "half", "2026-01-28T09:45:00Z"),
            decision("complete", "full", "2026-01-28T10:45:00Z"),
        ],
        "skipped": [],
    });
    assert_eq!(without_reasons(run.json()), expected);
}

#[test]
fn the_fifth_minute_above_one_percent_rolls_back() {
    let folder = Folder::new();
    let csv = recording(20, &[("requests", "1000"), ("errors", "11"), ("memory_utilization", "0.9")]);
    let run = run(&["backtest", "--metrics", &folder.file("a.csv", csv), "--json"]);
    assert_eq!((run.status, run.stderr.as_str()), (1, ""));
    let decision =
        |kind, rule, end| json!({ "kind": kind, "stage": "canary", "rule": rule, "evidence_end": end });
    let expected = json!({
        "outcome": "rolled_back",
        "stage": "canary",
        "decisions": [
            decision("alert", "error-rate", "2026-01-28T09:01:00Z"),
            decision("alert", "success-rate", "2026-01-28T09:01:00Z"),
            decision("alert", "memory", "2026-01-28T09:01:00Z"),
            decision("rollback", "error-rate", "2026-01-28T09:05:00Z"),
        ],
        "skipped": [
            "latency-p95", "postgres_up", "redis_up", "db-connection-errors", "canary.latency-p95", "half.latency-p95",
            "half.comparison", "half.transaction-success", "full.latency-p50", "full.latency-p95", "full.latency-p99",
            "full.log-anomalies", "full.business-metrics",
        ],
    });
    assert_eq!(without_reasons(run.json()), expected);
}

#[test]
fn ten_5xx_are_in_progress_and_eleven_roll_back() {
    let csv = |count| recording(3, &[("requests", "100000"), ("http_5xx", count)]);
    let arguments = ["backtest", "--metrics", "-", "--json"];
    let ten = run_with(&arguments, csv("10").as_bytes());
    assert_eq!((ten.status, &ten.json()["outcome"]), (0, &json!("in_progress")));
    let eleven = run_with(&arguments, csv("11").as_bytes());
    assert_eq!((eleven.status, &eleven.json()["outcome"]), (1, &json!("rolled_back")));
    assert_eq!(eleven.json()["decisions"][0]["rule"], "http-5xx");
}

#[test]
fn the_document_has_these_fields_and_no_others_in_this_order() {
    let csv = recording(1, &[("requests", "10"), ("http_5xx", "11")]);
    let run = run_with(&["backtest", "--metrics", "-", "--json"], csv.as_bytes());
    let keys: Vec<&str> = run
        .stdout
        .split('"')
        .filter(|word| ["outcome", "decisions", "kind", "evidence_end", "reason", "skipped"].contains(word))
        .collect();
    let mut expected = vec!["outcome", "decisions"];
    let decisions = run.json()["decisions"].as_array().unwrap().len();
    expected.extend(["kind", "evidence_end", "reason"].repeat(decisions));
    expected.push("skipped");
    assert_eq!(keys, expected);
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&run.json()), ["decisions", "outcome", "skipped", "stage"]);
    for decision in run.json()["decisions"].as_array().unwrap() {
        assert_eq!(names(decision), ["evidence_end", "kind", "reason", "rule", "stage"]);
    }
}

#[test]
fn crlf_a_byte_order_mark_and_offsets_are_read() {
    let csv = "\u{feff}time,side,metric,value\r\n2026-01-28T18:00:00+09:00,green,requests,5\r\n\
               2026-01-28T09:00:00Z,green,http_5xx,11\r\n";
    let run = run_with(&["backtest", "--metrics", "-", "--json"], csv.as_bytes());
    assert_eq!(
        run.json()["decisions"].as_array().unwrap().last().unwrap()["evidence_end"],
        "2026-01-28T09:01:00Z"
    );
}

#[test]
fn people_get_a_sentence_the_decisions_and_what_would_have_changed_the_last() {
    let csv = recording(9, &[("requests", "1000"), ("errors", "20")]);
    let run = run_with(&["backtest", "--metrics", "-"], csv.as_bytes());
    assert_eq!(run.status, 1);
    let first =
        "The release would have been rolled back in `canary` at 2026-01-28T09:05:00Z, by `error-rate`.\n";
    assert!(run.stdout.starts_with(first), "{}", run.stdout);
    assert!(run.stdout.contains("What would have changed the last one"), "{}", run.stdout);
    assert!(!run.stdout.contains('\u{1b}'), "colours where there is no terminal: {}", run.stdout);
}

#[test]
fn a_policy_of_ones_own_decides() {
    let folder = Folder::new();
    let stricter = preset().replace("http_5xx > 10", "http_5xx > 2");
    let policy = folder.file("policy.toml", stricter);
    let csv = recording(2, &[("requests", "1000"), ("http_5xx", "3")]);
    let run = run_with(&["backtest", "--policy", &policy, "--metrics", "-", "--json"], csv.as_bytes());
    assert_eq!((run.status, &run.json()["outcome"]), (1, &json!("rolled_back")));
}

/// A recording that cannot be read, and what the error says.
const MALFORMED: [(&str, &str); 15] = [
    ("", "is empty"),
    ("time,side,metric\n", "line 1: `time,side,metric` is not the header"),
    ("time,side,metric,value\n", "no row of `requests` for green"),
    ("time,side,metric,value\n2026-01-28T09:00:00Z,green,requests\n", "line 2: 3 fields instead of 4"),
    (
        "time,side,metric,value\n2026-01-28T09:00:00Z,green,requests,1\n2026-01-28T09:0",
        "line 3: the file ends in the middle",
    ),
    ("time,side,metric,value\nyesterday,green,requests,1\n", "line 2: `yesterday` is no time"),
    ("time,side,metric,value\n2026-01-28 09:00,green,requests,1\n", "line 2: `2026-01-28 09:00` is no time"),
    (
        "time,side,metric,value\n2026-01-28T09:00:30Z,green,requests,1\n",
        "line 2: `2026-01-28T09:00:30Z` is not on a whole minute",
    ),
    ("time,side,metric,value\n2026-01-28T09:00:00Z,red,requests,1\n", "line 2: `red` is no side"),
    ("time,side,metric,value\n2026-01-28T09:00:00Z,green,requests,many\n", "line 2: `many` is no number"),
    ("time,side,metric,value\n2026-01-28T09:00:00Z,green,requests,-1\n", "line 2: -1 is negative"),
    ("time,side,metric,value\n2026-01-28T09:00:00Z,green,requests,-inf\n", "line 2: -inf is negative"),
    (
        "time,side,metric,value\n2026-01-28T09:00:00Z,green,requests,1\n2026-01-28T18:00:00+09:00,green,requests,1\n",
        "line 3: green already has a value of `requests` at 2026-01-28T09:00:00Z, on line 2",
    ),
    (
        "time,side,metric,value\n2026-01-28T09:00:00Z,green,requests,1\n2096-01-28T09:00:00Z,blue,requests,1\n",
        "line 3: the recording spans more than 10 years",
    ),
    ("time,side,metric,value\n\"2026-01-28T09:00:00Z,green", "line 2: the file ends in the middle"),
];

#[test]
fn each_malformed_recording_gives_one_error_that_names_the_file_and_the_line() {
    let folder = Folder::new();
    for (csv, says) in MALFORMED {
        let file = folder.file("broken.csv", csv);
        let run = run(&["backtest", "--metrics", &file, "--json"]);
        assert_eq!(run.status, 2, "{csv:?}: {run:?}");
        assert!(run.stderr.starts_with(&format!("error: {file}: ")), "{csv:?}: {}", run.stderr);
        assert!(run.stderr.contains(says), "{csv:?}: {}", run.stderr);
        let error = run.json()["error"].as_str().unwrap().to_owned();
        assert_eq!(run.stderr, format!("error: {error}\n"));
        assert_eq!(run.json().as_object().unwrap().len(), 1);
    }
}

#[test]
fn huge_numbers_and_nan_are_evidence_and_no_error() {
    let csv = recording(
        3,
        &[("requests", "1e999"), ("errors", "NaN"), ("latency_p95_ms", "1e308"), ("own", "inf")],
    );
    let run = run_with(&["backtest", "--metrics", "-", "--json"], csv.as_bytes());
    assert_eq!((run.status, &run.json()["outcome"]), (0, &json!("in_progress")), "{run:?}");
    assert_eq!(run.json()["decisions"][0]["kind"], "alert");
}

#[test]
fn what_is_not_there_or_cannot_be_written_is_unusable_input() {
    let folder = Folder::new();
    let missing = text(&folder.path("missing.csv"));
    let run_missing = run(&["backtest", "--metrics", &missing]);
    assert_eq!((run_missing.status, run_missing.stdout.as_str()), (2, ""));
    assert!(
        run_missing.stderr.starts_with(&format!("error: {missing}: No such file")),
        "{}",
        run_missing.stderr
    );

    let good = folder.file("good.csv", recording(1, &[("requests", "1")]));
    let nowhere = text(&folder.path("no/such/folder.html"));
    let unwritable = run(&["backtest", "--metrics", &good, "--report", &nowhere]);
    assert_eq!(unwritable.status, 2, "{unwritable:?}");
    assert!(unwritable.stderr.contains("cannot write the report"), "{}", unwritable.stderr);

    let folder_as_file = run(&["backtest", "--metrics", &text(&folder.path("."))]);
    assert_eq!(folder_as_file.status, 2, "{folder_as_file:?}");
}

#[test]
fn a_refused_policy_is_unusable_input() {
    let folder = Folder::new();
    let policy = folder.file("policy.toml", preset().replace("blue = 0\n", "blue = 1\n"));
    let csv = recording(1, &[("requests", "1")]);
    let run = run_with(&["backtest", "--policy", &policy, "--metrics", "-", "--json"], csv.as_bytes());
    assert_eq!(run.status, 2, "{run:?}");
    let error = run.json()["error"].as_str().unwrap().to_owned();
    assert!(error.starts_with(&format!("{policy}: stages[")), "{error}");
}

/// Ten million rows, minute by minute: both sides, ten metrics of the policy's and ten others.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "takes half a minute"]
fn ten_million_rows_need_less_than_a_gigabyte() {
    use std::io::{BufWriter, Write as _};
    use std::process::{Command, Stdio};

    const KIB: &str = "1048576";
    let mut child = Command::new("sh")
        .args(["-c", "ulimit -v \"$1\" && exec \"$2\" backtest --metrics - --json", "sh", KIB])
        .arg(env!("CARGO_BIN_EXE_mpac-deploy"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut csv = BufWriter::new(child.stdin.take().unwrap());
    writeln!(csv, "time,side,metric,value").unwrap();
    for minute in 0..250_000_u32 {
        let (day, of_day) = (minute / 1440, minute % 1440);
        let (month, day) = (day / 28 + 1, day % 28 + 1);
        for side in ["blue", "green"] {
            for (metric, value) in &HEALTHY[..10] {
                let (hour, minute) = (of_day / 60, of_day % 60);
                writeln!(csv, "2026-{month:02}-{day:02}T{hour:02}:{minute:02}:00Z,{side},{metric},{value}")
                    .unwrap();
                writeln!(
                    csv,
                    "2026-{month:02}-{day:02}T{hour:02}:{minute:02}:00Z,{side},own_{metric},{value}"
                )
                .unwrap();
            }
        }
    }
    drop(csv.into_inner().unwrap());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["outcome"], "completed");
}

/// A misspelt metric is kept as a custom one, as the page says, and pointed out.
#[test]
fn a_name_that_no_rule_looks_at_is_pointed_out() {
    let csv = "time,side,metric,value\n\
               2026-01-28T09:00:00Z,green,requests,3\n\
               2026-01-28T09:00:00Z,green,error,1\n";
    let answer = run_with(&["backtest", "--metrics", "-"], csv.as_bytes());
    assert!(answer.stdout.contains("no rule looks at `error`"), "{}", answer.stdout);
    assert!(answer.stdout.contains("no row of `errors`, `http_5xx`"), "{}", answer.stdout);
}
