//! The status page of `run`: read only without a token, and a way to take the rollout back with one.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Child;

use crate::rig::{Aws, Ran};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// Starts `run` with a page, and waits until it says where that is.
fn start(aws: &Aws, token: Option<&str>) -> (Child, String) {
    let mut command = aws.command(&["run", "--revision", "v2.1.0", "--status-addr", "0"]);
    command.envs(token.map(|token| ("MPAC_DEPLOY_STATUS_TOKEN", token)));
    let mut child = command.spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    let host = line.trim().trim_start_matches("status page: http://").trim_end_matches('/').to_owned();
    assert!(host.starts_with("127.0.0.1:"), "{line}");
    // Read on, so that it can write on.
    std::thread::spawn(move || stderr.read_to_end(&mut Vec::new()));
    (child, host)
}

fn ask(host: &str, request: &str, headers: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(host).unwrap();
    let length = body.len();
    write!(stream, "{request} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer.split_once("\r\n\r\n").unwrap().1.into())
}

fn abort(host: &str) -> (u16, String) {
    let list: serde_json::Value = serde_json::from_str(&ask(host, "GET /api/rollouts", "", "").1).unwrap();
    let id = list["rollouts"][0]["id"].as_str().unwrap();
    let headers = format!(
        "authorization: Bearer {TOKEN}\r\nmpac-deploy: command\r\ncontent-type: application/json\r\n"
    );
    let body = r#"{"command": "abort", "because": "customer-reports", "by": "ada", "why": "customers call"}"#;
    ask(host, &format!("POST /api/rollouts/{id}/commands"), &headers, body)
}

#[tokio::test]
async fn a_rollout_is_taken_back_on_its_page() {
    let aws = Aws::start(&[]);
    let (child, host) = start(&aws, Some(TOKEN));
    aws.wait_for((50, 50)).await;
    let (status, reply) = abort(&host);
    assert_eq!(status, 200, "{reply}");
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!((ran.status, ran.json()["outcome"].as_str()), (Some(1), Some("rolled_back")), "{ran:?}");
    assert_eq!(aws.weights().await, (100, 0));
}

#[tokio::test]
async fn without_a_token_the_page_only_shows_and_a_weak_one_is_refused() {
    let aws = Aws::start(&[]);
    let mut command = aws.command(&["run", "--revision", "v2.1.0", "--status-addr", "0"]);
    command.env("MPAC_DEPLOY_STATUS_TOKEN", "short");
    let refused = Ran::of(command.output().unwrap());
    assert_eq!((refused.status, aws.weights().await), (Some(2), (100, 0)));
    assert!(refused.stderr.contains("MPAC_DEPLOY_STATUS_TOKEN: a token must have"), "{refused:?}");

    let (mut child, host) = start(&aws, None);
    aws.wait_for((50, 50)).await;
    let (status, said) = abort(&host);
    assert_eq!((status, said.contains("read only")), (403, true), "{said}");
    child.kill().unwrap();
    child.wait().unwrap();
}
