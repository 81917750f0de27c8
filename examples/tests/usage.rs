//! Arguments, exit status, and standard output.

mod common;

use std::process::Stdio;

use common::{command, run};

#[test]
fn without_a_command_the_help_says_what_there_is() {
    let run = run(&[]);
    assert_eq!(run.status, 2);
    for name in ["demo", "policy", "simulate", "backtest", "migrations"] {
        assert!(run.stderr.contains(name), "{}", run.stderr);
    }
}

#[test]
fn help_and_version_that_were_asked_for_are_no_error() {
    for arguments in
        [["--help"].as_slice(), &["--version"], &["backtest", "--help"], &["policy", "check", "--help"]]
    {
        let run = run(arguments);
        assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{arguments:?}");
        assert!(!run.stdout.is_empty());
    }
}

#[test]
fn a_wrong_argument_is_unusable_input_also_as_json() {
    let people = run(&["backtest", "--metrics", "a.csv", "--frobnicate"]);
    assert_eq!((people.status, people.stdout.as_str()), (2, ""));
    assert!(people.stderr.starts_with("error: unexpected argument '--frobnicate'"), "{}", people.stderr);
    let json = run(&["backtest", "--frobnicate", "--json"]);
    assert_eq!(json.status, 2);
    assert!(json.json()["error"].as_str().unwrap().starts_with("unexpected argument '--frobnicate'"));
    let misspelt = run(&["backtes"]);
    assert!(misspelt.stderr.contains("a similar subcommand exists: 'backtest'"), "{}", misspelt.stderr);
}

#[test]
fn a_reader_that_closes_the_pipe_is_no_failure() {
    let mut child =
        command().args(["simulate", "--list"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), b"".as_slice()));
}
