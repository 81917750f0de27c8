//! Notices over real sockets, and rollouts whose notifiers hang.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, outside a test function")]

mod hang;
mod receiver;

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use mpac_deploy_core::decision::{Decision, DecisionKind};
use mpac_deploy_core::driver::{Outbox, OutboxLimits};
use mpac_deploy_core::ids::RolloutId;
use mpac_deploy_core::port::{Notify, PortError, SystemClock};
use mpac_deploy_core::time::Timestamp;
use mpac_deploy_services::notify::{Lines, Webhook, WebhookError};
use mpac_deploy_testkit::conformance::{self, NotifyFixture};
use receiver::{Answer, Receiver, SECRET};

struct Posted {
    webhook: Webhook,
    receiver: Receiver,
}

#[async_trait]
impl NotifyFixture for Posted {
    fn notify(&self) -> &dyn Notify {
        &self.webhook
    }

    async fn told(&self) -> usize {
        self.receiver.bodies().len()
    }

    async fn break_it(&self) {
        self.receiver.answer(Answer::Status(500));
    }
}

/// A writer that others can read.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<(Vec<u8>, bool)>>);

impl Paper {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().0.clone()).unwrap()
    }
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut paper = self.0.lock().unwrap();
        if paper.1 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        paper.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Written {
    lines: Lines,
    paper: Paper,
}

#[async_trait]
impl NotifyFixture for Written {
    fn notify(&self) -> &dyn Notify {
        &self.lines
    }

    async fn told(&self) -> usize {
        self.paper.text().lines().count()
    }

    async fn break_it(&self) {
        self.paper.0.lock().unwrap().1 = true;
    }
}

#[tokio::test]
async fn the_contracts_are_kept() {
    let report = conformance::notify(|| async {
        let receiver = Receiver::start().await;
        Posted { webhook: receiver.webhook(), receiver }
    })
    .await;
    assert!(report.is_ok(), "{report}");
    let report = conformance::notify(|| async {
        let paper = Paper::default();
        Written { lines: Lines::to(paper.clone()).unwrap(), paper }
    })
    .await;
    assert!(report.is_ok(), "{report}");
}

fn decision() -> Decision {
    let at = Timestamp::parse("2026-01-28T10:05:00Z").unwrap();
    Decision {
        rule: Some("error-rate".into()),
        ..Decision::plain(DecisionKind::Rollback, Some("half"), at, "3 % \u{1b}[2J\n<b>")
    }
}

async fn tell(notify: &dyn Notify) -> Result<(), PortError> {
    notify.notify(&RolloutId::from("r1"), &decision()).await
}

#[tokio::test]
async fn a_notice_is_signed_and_says_everything() {
    let receiver = Receiver::start().await;
    let webhook = receiver.webhook();
    tell(&webhook).await.unwrap();
    tell(&webhook).await.unwrap();
    let posted = receiver.posted();
    for post in &posted {
        assert_eq!(post.signature, receiver::sign(&post.id, &post.timestamp, &post.body));
        let sent: i64 = post.timestamp.parse().unwrap();
        let now = mpac_deploy_core::port::Clock::now(&SystemClock).as_millis() / 1000;
        assert!((now - 60..=now).contains(&sent), "{sent} at {now}");
    }
    assert_eq!(posted[0].id, posted[1].id, "the same notice, the same id");
    let body: serde_json::Value = serde_json::from_str(&posted[0].body).unwrap();
    assert_eq!(body["type"], "rollout.rollback");
    assert_eq!(body["timestamp"], "2026-01-28T10:05:00Z");
    let data = &body["data"];
    assert_eq!((&data["rollout"], &data["severity"]), (&"r1".into(), &"error".into()));
    assert_eq!((&data["stage"], &data["rule"]), (&"half".into(), &"error-rate".into()));
    assert_eq!(data["reason"], "3 % \u{1b}[2J\n<b>");
}

/// The vector of the specification's own libraries: so the signature above is compared with the right one.
#[test]
fn the_signature_is_that_of_the_specification() {
    let signed = receiver::sign("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", "{\"test\": 2432232314}");
    assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

#[tokio::test]
async fn only_what_may_pass_is_worth_another_attempt() {
    let receiver = Receiver::start().await;
    let webhook = receiver.webhook().within(Duration::from_millis(200));
    for status in [500, 503, 408, 429] {
        receiver.answer(Answer::Status(status));
        assert!(matches!(tell(&webhook).await, Err(PortError::Unavailable(_))), "{status}");
    }
    for status in [301, 400, 401, 404, 410] {
        receiver.answer(Answer::Status(status));
        let told = tell(&webhook).await;
        assert!(matches!(&told, Err(PortError::Refused(why)) if why.contains("no such hook")), "{told:?}");
        assert!(!format!("{told:?} {webhook:?}").contains("path"), "the path is a secret: {told:?}");
    }
    for answer in [Answer::Nothing, Answer::Trickle] {
        receiver.answer(answer);
        let told = tell(&webhook).await;
        assert!(
            matches!(&told, Err(PortError::Unavailable(why)) if why.contains("no answer within 200ms")),
            "{told:?}"
        );
    }
}

#[tokio::test]
async fn behind_an_outbox_a_receiver_that_comes_back_is_told_once_and_in_order() {
    let receiver = Receiver::start().await;
    receiver.answer(Answer::Status(503));
    let limits = OutboxLimits { backoff: Duration::from_millis(20), ..OutboxLimits::default() };
    let outbox = Arc::new(Outbox::new(Arc::new(receiver.webhook()), Arc::new(SystemClock), limits));
    let postman = Arc::clone(&outbox);
    tokio::spawn(async move { postman.deliver().await });
    for reason in ["one", "two"] {
        let decision = Decision { reason: reason.into(), ..decision() };
        outbox.notify(&RolloutId::from("r1"), &decision).await.unwrap();
    }
    while receiver.refused() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    receiver.answer(Answer::Status(204));
    assert_eq!(outbox.finish(Duration::from_secs(30)).await, 0);
    let reasons: Vec<String> =
        receiver.bodies().iter().map(|body| body["data"]["reason"].to_string()).collect();
    assert_eq!(reasons, ["\"one\"", "\"two\""]);
}

#[tokio::test]
async fn a_line_says_what_and_cannot_drive_the_terminal() {
    let paper = Paper::default();
    tell(&Lines::to(paper.clone()).unwrap()).await.unwrap();
    assert_eq!(
        paper.text(),
        "2026-01-28T10:05:00Z ERROR r1 rollback half error-rate: 3 % \\u{1b}[2J\\n<b>\n"
    );
}

#[test]
fn what_cannot_be_a_webhook_is_refused_and_its_secret_not_repeated() {
    for url in ["hooks.example", "ftp://hooks.example/", "http:///path"] {
        assert_eq!(Webhook::new(url, SECRET).unwrap_err(), WebhookError::Url { url: url.into() });
    }
    for secret in ["", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_c2hvcnQ=", "whsec_???"] {
        let error = Webhook::new("https://hooks.example/", secret).unwrap_err();
        assert_eq!(error, WebhookError::Secret, "{secret}");
        assert!(secret.len() < 10 || !error.to_string().contains(secret));
    }
}
