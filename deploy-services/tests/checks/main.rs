//! Checks and probes against a small server, small programs and closed ports.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, outside a test function")]

use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use mpac_deploy_core::effect::CheckResult;
use mpac_deploy_core::ids::{CheckName, EffectId, RolloutId};
use mpac_deploy_core::metric::Metric;
use mpac_deploy_core::plan::Release;
use mpac_deploy_core::port::{Checks, PortError, Probes};
use mpac_deploy_services::checks::{Ask, AskError, AskedChecks, AskedProbes};
use mpac_deploy_testkit::conformance::{self, ChecksFixture, ProbesFixture};
use mpac_deploy_testkit::scenario;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// Answers every request with the status that its path names.
async fn server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 1024];
                let length = stream.read(&mut request).await.unwrap_or(0);
                let text = String::from_utf8_lossy(&request[..length]).into_owned();
                let status = text.split(' ').nth(1).unwrap_or("/500").trim_start_matches('/').to_owned();
                if status == "silence" {
                    return std::future::pending().await;
                }
                let body = "the token is missing";
                let answer = format!(
                    "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                );
                stream.write_all(answer.as_bytes()).await.ok();
            });
        }
    });
    address
}

struct Fixture {
    checks: AskedChecks,
    probes: AskedProbes,
}

async fn fixture() -> Fixture {
    let address = server().await;
    let ask = |path: &str| Ask::http(&format!("http://{address}/{path}")).unwrap();
    let checks = [(CheckName::from("smoke"), ask("200")), (CheckName::from("auth"), ask("401"))];
    let probes = [(Metric::PostgresUp, Ask::connect(address.to_string())), (Metric::RedisUp, ask("503"))];
    Fixture { checks: AskedChecks::new(checks).unwrap(), probes: AskedProbes::new(probes).unwrap() }
}

#[async_trait]
impl ChecksFixture for Fixture {
    fn checks(&self) -> &dyn Checks {
        &self.checks
    }

    fn release(&self) -> Release {
        scenario::release()
    }

    fn passing(&self) -> CheckName {
        CheckName::from("smoke")
    }

    fn failing(&self) -> CheckName {
        CheckName::from("auth")
    }

    fn unknown(&self) -> CheckName {
        CheckName::from("nothing")
    }
}

#[async_trait]
impl ProbesFixture for Fixture {
    fn probes(&self) -> &dyn Probes {
        &self.probes
    }

    fn up(&self) -> Metric {
        Metric::PostgresUp
    }

    fn down(&self) -> Metric {
        Metric::RedisUp
    }

    fn unknown(&self) -> Metric {
        Metric::from("kafka_up")
    }
}

#[tokio::test]
async fn the_contracts_are_kept() {
    let report = conformance::checks(fixture).await;
    assert!(report.is_ok(), "{report}");
    let report = conformance::probes(fixture).await;
    assert!(report.is_ok(), "{report}");
}

async fn run(ask: Ask) -> Result<CheckResult, PortError> {
    let checks = AskedChecks::new([(CheckName::from("smoke"), ask)]).unwrap();
    let id = EffectId { rollout: RolloutId::from("r1"), number: 1 };
    checks.run(&id, &scenario::release(), &CheckName::from("smoke")).await
}

fn detail(result: Result<CheckResult, PortError>) -> String {
    match result.unwrap() {
        CheckResult::Failed { detail } => detail,
        CheckResult::Passed => panic!("it passed"),
    }
}

#[tokio::test]
async fn another_status_is_said_with_what_the_answer_says() {
    let url = format!("http://{}/401", server().await);
    let said = detail(run(Ask::http(&url).unwrap()).await);
    assert_eq!(
        said,
        format!("GET {url} answered 401 Unauthorized where 200 was expected: the token is missing")
    );
    assert_eq!(run(Ask::http(&url).unwrap().expecting(401)).await, Ok(CheckResult::Passed));
}

#[tokio::test]
async fn who_does_not_answer_in_time_may_be_asked_again() {
    let url = format!("http://{}/silence", server().await);
    let asked = run(Ask::http(&url).unwrap().within(Duration::from_millis(100))).await;
    assert!(
        matches!(&asked, Err(PortError::Unavailable(why)) if why.contains("no answer within 100ms")),
        "{asked:?}"
    );
    // Nobody listens on the port of a server that is gone.
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let asked = run(Ask::connect(gone.to_string())).await;
    assert!(matches!(&asked, Err(PortError::Unavailable(why)) if why.contains("refused")), "{asked:?}");
}

#[tokio::test]
async fn a_command_is_told_what_about_and_heard() {
    let script = "test \"$MPAC_DEPLOY_REVISION $MPAC_DEPLOY_CHECK\" = 'v2.1.0 smoke' || exit 9";
    assert_eq!(run(Ask::command("sh", ["-c", script])).await, Ok(CheckResult::Passed));
    let said = detail(run(Ask::command("sh", ["-c", "echo 3 of 40 failed >&2; exit 3"])).await);
    assert_eq!(said, "sh ended with exit status: 3: 3 of 40 failed");
    let asked = run(Ask::command("no-such-program", [""; 0])).await;
    assert_eq!(asked, Err(PortError::NotFound("there is no program no-such-program".into())));
}

#[tokio::test]
async fn a_command_that_takes_too_long_is_stopped_with_all_that_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("late");
    let script = format!("(sleep 1; touch {}) & wait", file.display());
    let asked = run(Ask::command("sh", ["-c".to_owned(), script]).within(Duration::from_millis(200))).await;
    assert!(matches!(asked, Err(PortError::Unavailable(_))), "{asked:?}");
    tokio::time::sleep(Duration::from_millis(1300)).await;
    assert!(!file.exists(), "what it had started went on");
}

#[test]
fn an_address_that_is_no_url_is_refused_before_anything_is_asked() {
    for url in ["green.example/health", "ftp://green.example/", "http:///health", ""] {
        assert_eq!(Ask::http(url), Err(AskError::Url { url: url.into() }), "{url}");
    }
}
