//! `demo`: what a person sees first.

mod common;

use common::{Folder, run, text};

#[test]
fn a_good_release_completes_and_a_bad_one_is_taken_back() {
    let folder = Folder::new();
    let file = text(&folder.path("demo.html"));
    let run = run(&["demo", "--speed", "1000000", "--report", &file]);
    assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{}", run.stdout);
    let order = [
        "A good release",
        "promote",
        "complete",
        "retired",
        "A bad release",
        "rollback",
        "rolled back",
        "A good release.\n  Completed at",
        "A bad release.\n  Rolled back in `half` at",
        "Why: ",
        "What would have changed it: ",
    ];
    let mut rest = run.stdout.as_str();
    for step in order {
        let at = rest.find(step).unwrap_or_else(|| panic!("no `{step}` in: {rest}"));
        rest = &rest[at + step.len()..];
    }
    assert!(!run.stdout.contains('\u{1b}'), "no terminal, no colours: {}", run.stdout);
    let html = std::fs::read_to_string(file).unwrap();
    assert!(html.contains("id=\"rollout-1\"") && html.contains("id=\"rollout-2\""));
}

#[test]
fn what_happens_does_not_depend_on_the_speed() {
    let decisions = |speed| {
        let run = run(&["demo", "--speed", speed]);
        run.stdout
            .lines()
            .filter(|line| !line.contains("The whole demo took"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(decisions("1000000"), decisions("20000"));
}

#[test]
fn a_speed_of_zero_is_refused() {
    assert_eq!(run(&["demo", "--speed", "0"]).status, 2);
}

#[test]
fn a_report_that_cannot_be_written_is_said_before_anything_is_played() {
    let refused = run(&["demo", "--report", "/nowhere/report.html"]);
    assert_eq!((refused.status, refused.stdout.as_str()), (2, ""));
    assert!(refused.stderr.contains("cannot write the report /nowhere/report.html"), "{}", refused.stderr);
}
