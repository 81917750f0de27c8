//! Who is told of a rollout, and that nobody who does not listen holds it up.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use mpac_deploy_testkit::aws_sim::{platform, sns};
use serde_json::Value;

use crate::rig::{Aws, Ran, ran};

const URL: &str = "MPAC_DEPLOY_WEBHOOK_URL";
const SECRET: &str = "MPAC_DEPLOY_WEBHOOK_SECRET";

/// A secret that is nobody's.
const NO_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A simulated AWS whose configuration tells a webhook of everything that is an error, and a topic of all.
fn told() -> Aws {
    let aws = Aws::start(&["--scenario", "error-spike-over"]);
    let arn = sns::topic_arn(platform::TOPIC);
    let notify = format!(
        "[[notify.webhooks]]\nurl_env = \"{URL}\"\nsecret_env = \"{SECRET}\"\nat_least = \"error\"\n\n[[notify.topics]]\narn = \"{arn}\"\n\n[journal.dynamodb]"
    );
    aws.edit("[journal.dynamodb]", &notify);
    aws
}

fn roll_out(aws: &Aws, url: &str) -> Ran {
    let mut command = aws.command(&["run", "--revision", "v2.1.0"]);
    command.env(URL, url).env(SECRET, NO_SECRET);
    ran(command)
}

/// A receiver of webhooks, which takes a whole request, hands its body on and says 204.
fn receiver() -> (String, Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/deploys", listener.local_addr().unwrap());
    let (sender, bodies) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            while let Some(body) = body(&stream) {
                sender.send(body).unwrap();
                (&stream).write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
            }
        }
    });
    (url, bodies)
}

/// The body of the next request on a connection.
fn body(mut stream: &TcpStream) -> Option<Value> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).unwrap();
    Some(serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn a_webhook_and_a_topic_are_told_of_what_they_asked_for() {
    let aws = told();
    let (url, bodies) = receiver();
    let ran = roll_out(&aws, &url);
    assert_eq!((ran.status, ran.json()["outcome"].as_str()), (Some(1), Some("rolled_back")), "{ran:?}");
    let kinds: Vec<String> =
        bodies.try_iter().map(|body| body["type"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds, ["rollout.rollback"], "only what is an error");
    let decisions = ran.json()["decisions"].as_array().unwrap().len();
    let published = aws.calls()["Publish"];
    assert!(published >= 5 && usize::try_from(published).unwrap() <= decisions, "{published} of {decisions}");
    assert!(!ran.stderr.contains("reached nobody"), "{ran:?}");
}

#[tokio::test]
async fn a_webhook_that_hangs_holds_up_no_rollback() {
    let aws = told();
    let deaf = TcpListener::bind("127.0.0.1:0").unwrap();
    let ran = roll_out(&aws, &format!("http://{}/deploys", deaf.local_addr().unwrap()));
    assert_eq!((ran.status, ran.json()["outcome"].as_str()), (Some(1), Some("rolled_back")), "{ran:?}");
    assert_eq!(aws.weights().await, (100, 0));
    assert!(ran.stderr.contains("1 notices reached nobody; the journal has every decision"), "{ran:?}");
}

#[tokio::test]
async fn a_variable_that_is_not_set_is_named_before_anything_begins() {
    let aws = told();
    let ran = aws.roll_out("v2.1.0");
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(
        ran.stderr.contains("notify.webhooks[0].url_env: the variable `MPAC_DEPLOY_WEBHOOK_URL` is not set")
    );
    assert!(!aws.calls().contains_key("CreateService"));
}
