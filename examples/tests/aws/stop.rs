//! Signals, a second controller, and going on.

use std::process::Child;
use std::time::Duration;

use crate::rig::{Aws, Ran, told_weights};

fn start(aws: &Aws, arguments: &[&str]) -> Child {
    aws.command(arguments).spawn().unwrap()
}

fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args([name, &id]).status().unwrap().success());
}

fn ended(child: Child) -> Ran {
    Ran::of(child.wait_with_output().unwrap())
}

#[tokio::test]
async fn a_rollout_that_is_stopped_says_where_it_stands_and_the_next_run_goes_on() {
    let aws = Aws::start(&[]);
    let first = start(&aws, &["run", "--revision", "v2.1.0"]);
    aws.wait_for((50, 50)).await;
    signal(&first, "-TERM");
    let stopped = ended(first);
    let document = stopped.json();
    assert_eq!((stopped.status, document["outcome"].as_str()), (Some(1), Some("stopped")), "{stopped:?}");
    assert!(document["why"].as_str().unwrap().contains("weights blue 50 / green 50"), "{document}");

    let ran = ended(start(&aws, &["run"]));
    assert_eq!((ran.status, aws.weights().await), (Some(0), (0, 100)), "{ran:?}");
    assert_eq!(ran.json()["rollout"], document["rollout"]);
    assert_eq!(told_weights(&ran.json()), [(100, 0), (95, 5), (50, 50), (0, 100)]);
}

#[tokio::test]
async fn a_second_controller_is_refused_and_another_revision_too() {
    let aws = Aws::start(&[]);
    let mut first = start(&aws, &["run", "--revision", "v2.1.0"]);
    aws.wait_for((95, 5)).await;
    let second = ended(start(&aws, &["run"]));
    assert_eq!(second.status, Some(1), "{second:?}");
    assert!(second.stderr.contains("one rollout per record name at a time"), "{second:?}");
    let other = ended(start(&aws, &["run", "--revision", "v3.0.0"]));
    assert_eq!(other.status, Some(2), "{other:?}");
    assert!(other.stderr.contains("is unfinished, and it rolls out v2.1.0"), "{other:?}");
    first.kill().unwrap();
    first.wait().unwrap();
}

#[tokio::test]
async fn what_a_killed_process_began_is_ended_by_the_next_one() {
    let aws = Aws::start(&[]);
    aws.edit(
        "[journal.dynamodb]\ntable = \"mpac-deploy\"",
        "[journal.sqlite]\nfile = \"journal.db\"\n[lease]\nttl = \"1 s\"",
    );
    let mut first = start(&aws, &["run", "--revision", "v2.1.0"]);
    aws.wait_for((95, 5)).await;
    first.kill().unwrap();
    first.wait().unwrap();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let ran = ended(start(&aws, &["run"]));
    assert_eq!((ran.status, aws.weights().await), (Some(0), (0, 100)), "{ran:?}");
}
