//! A person in a second terminal, while `run` is at work in another process.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::rig::{Aws, Ran, mpac_deploy, ran, told_weights};

/// A command of a person: it names the configuration of `run`, and needs nothing of its clock.
fn person(aws: &Aws, arguments: &[&str]) -> std::process::Command {
    let mut command = mpac_deploy();
    command.args(arguments).arg("--config").arg(aws.path("mpac-deploy.toml")).env("USER", "ada");
    command.env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").env("AWS_SECRET_ACCESS_KEY", "not-a-secret");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub(crate) fn told(aws: &Aws, arguments: &[&str]) -> Ran {
    ran(person(aws, &[arguments, &["--json"]].concat()))
}

fn status(aws: &Aws) -> Value {
    let ran = told(aws, &["status"]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    ran.json()
}

fn begin(aws: &Aws) -> Child {
    aws.command(&["run", "--revision", "v2.1.0"]).spawn().unwrap()
}

fn ended(child: Child) -> Ran {
    Ran::of(child.wait_with_output().unwrap())
}

#[tokio::test]
async fn an_abort_from_another_process_takes_the_rollout_back() {
    let aws = Aws::start(&[]);
    let run = begin(&aws);
    aws.wait_for((95, 5)).await;
    let abort = ["abort", "--because", "customer-reports", "--reason", "wrong receipts", "--id", "a-1"];
    let obeyed = told(&aws, &abort);
    assert_eq!((obeyed.status, &obeyed.json()["obeyed"]), (Some(0), &true.into()), "{obeyed:?}");
    let run = ended(run);
    assert_eq!((run.status, aws.weights().await), (Some(1), (100, 0)), "{run:?}");
    assert_eq!(told_weights(&run.json()), [(100, 0), (95, 5), (100, 0)], "{run:?}");

    let again = told(&aws, &abort);
    assert_eq!((again.status, &again.json()["obeyed"]), (Some(0), &true.into()), "the same one: {again:?}");
    let late = told(&aws, &["abort", "--because", "security", "--reason", "a leak"]);
    assert_eq!(late.status, Some(1), "{late:?}");
    assert_eq!(late.json()["why"], "too late: the rollout is over (rolled back)");

    let why = ran(person(&aws, &["history", "--why"]));
    assert!(why.stdout.contains("customer-reports: wrong receipts") && why.stdout.contains("ada"), "{why:?}");
    assert_eq!(status(&aws)["outcome"], "rolled back");
}

#[tokio::test]
async fn a_step_that_waits_for_a_person_is_approved_of_from_another_process() {
    let aws = Aws::start(&[]);
    let (policy, full) = (aws.path("short.toml"), "name = \"full\"\n");
    let text = std::fs::read_to_string(&policy).unwrap();
    assert!(text.contains(full), "{text}");
    std::fs::write(&policy, text.replace(full, &format!("{full}approval = \"required\"\n"))).unwrap();
    let run = begin(&aws);
    aws.wait_for((50, 50)).await;
    let early = told(&aws, &["approve", "--gate", "full"]);
    assert_eq!(early.status, Some(1), "{early:?}");
    while status(&aws)["awaits_approval"] != "full" {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    // A while, in which nothing moves.
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert_eq!(aws.weights().await, (50, 50));
    let approved = told(&aws, &["approve", "--reason", "the figures look right"]);
    assert_eq!((approved.status, &approved.json()["obeyed"]), (Some(0), &true.into()), "{approved:?}");
    let run = ended(run);
    assert_eq!((run.status, aws.weights().await), (Some(0), (0, 100)), "{run:?}");
    let decisions = run.json()["decisions"].as_array().unwrap().clone();
    let reasons: Vec<&str> = decisions.iter().filter_map(|told| told["reason"].as_str()).collect();
    assert!(reasons.contains(&"ada approves of full (green 100 %): the figures look right"), "{reasons:?}");
}

#[tokio::test]
async fn a_paused_rollout_waits_and_a_promoted_one_does_not() {
    let aws = Aws::start(&[]);
    let run = begin(&aws);
    aws.wait_for((95, 5)).await;
    let mut watch = person(&aws, &["watch", "--json"]).spawn().unwrap();
    let mut watched = BufReader::new(watch.stdout.take().unwrap()).lines().map(Result::unwrap);
    // From its first decision on it tells all of them.
    let first = watched.next().unwrap();
    let paused = told(&aws, &["pause", "--reason", "lunch rush"]);
    assert_eq!(paused.status, Some(0), "{paused:?}");
    let standing = status(&aws);
    assert_eq!(
        (&standing["paused"]["by"], &standing["paused"]["why"]),
        (&"ada".into(), &"lunch rush".into())
    );
    let twice = told(&aws, &["pause", "--reason", "still lunch"]);
    assert_eq!(twice.status, Some(1), "{twice:?}");
    assert!(twice.json()["why"].as_str().unwrap().contains("paused already, by ada"), "{twice:?}");
    // Longer than the whole bake would take.
    tokio::time::sleep(std::time::Duration::from_secs(6)).await;
    assert_eq!(aws.weights().await, (95, 5));

    assert_eq!(told(&aws, &["resume", "--reason", "lunch is over"]).status, Some(0));
    aws.wait_for((50, 50)).await;
    // In the very first minutes there is no bake yet, then one without evidence; neither is promoted by itself.
    let mut promoted = told(&aws, &["promote", "--reason", "known good", "--force"]);
    while promoted.status == Some(1) && promoted.stdout.contains("there is no bake to skip") {
        promoted = told(&aws, &["promote", "--reason", "known good", "--force"]);
    }
    assert_eq!(promoted.status, Some(0), "{promoted:?}");
    let run = ended(run);
    assert_eq!((run.status, aws.weights().await), (Some(0), (0, 100)), "{run:?}");

    let kind =
        |line: String| serde_json::from_str::<Value>(&line).unwrap()["kind"].as_str().unwrap().to_owned();
    let kinds: Vec<String> = [first].into_iter().chain(watched).map(kind).collect();
    assert_eq!(ended(watch).status, Some(0), "{kinds:?}");
    for kind in ["pause", "resume", "promote", "complete", "retired"] {
        assert!(kinds.iter().any(|told| told == kind), "{kind} is not in {kinds:?}");
    }
}
