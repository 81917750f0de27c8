//! The status page over real sockets, beside a rollout that goes on.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, outside a test function")]

#[cfg(unix)]
mod browser;
mod rig;
mod security;

use std::time::Duration;

use mpac_deploy_core::ids::{CommandId, RolloutId};
use mpac_deploy_core::machine::Phase;
use mpac_deploy_core::port::{Inbox as _, Reply};
use mpac_deploy_testkit::scenario;
use rig::{ID, Rig};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A minute of the world in a fifth of a second: canary bakes for three seconds.
const SPEED: u32 = 300;

const PAUSE: &str = r#"{"command": "pause", "by": "ada", "why": "a look"}"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_rollout_is_listed_shown_and_told_with_its_numbers() {
    let rig = Rig::start(SPEED).await;
    rig.wait_for("baking").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let list = rig.get("/api/rollouts").await;
    assert_eq!(list.status, 200);
    let brief = &list.json()["rollouts"][0];
    assert_eq!((&brief["id"], &brief["phase"]), (&json!(ID), &json!("baking")), "{brief}");

    let view = rig.get(&format!("/api/rollouts/{ID}")).await.json();
    assert_eq!(view["weights"], json!({ "blue": 95, "green": 5 }));
    assert_eq!(view["stages"][0]["state"], "running");
    assert_eq!(view["stages"][1]["state"], "ahead");
    assert_eq!(view["health"]["green"], "healthy");
    let minutes = view["times"].as_array().unwrap().len();
    assert!(minutes >= 2, "{minutes} minutes of metrics");
    let plots = view["plots"].as_array().unwrap();
    let plot = |signal: &str| plots.iter().find(|plot| plot["signal"] == signal).unwrap();
    let requests: Vec<f64> =
        plot("requests")["green"].as_array().unwrap().iter().filter_map(Value::as_f64).collect();
    assert!(requests.iter().any(|requests| *requests > 0.0), "{requests:?}");
    let errors = plot("errors / requests");
    assert_eq!(errors["green"].as_array().unwrap().len(), minutes);
    let limits: Vec<&str> =
        errors["limits"].as_array().unwrap().iter().map(|limit| limit["text"].as_str().unwrap()).collect();
    assert_eq!(limits, ["trigger > 1 %", "alert > 0.5 %", "gate < 0.1 %"]);
    let kinds: Vec<&str> = view["decisions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|decision| decision["kind"].as_str().unwrap())
        .collect();
    assert_eq!(&kinds[..3], ["start", "prepared", "shift"]);
    let offered = |command: &str| {
        let offers = view["can"].as_array().unwrap();
        offers.iter().find(|offer| offer["command"] == command).unwrap()["offered"].clone()
    };
    assert_eq!(
        (offered("pause"), offered("resume"), offered("abort")),
        (json!(true), json!(false), json!(true))
    );

    let history = rig.get(&format!("/api/rollouts/{ID}/history")).await.json();
    let entries = history["entries"].as_array().unwrap();
    assert_eq!(entries[0]["decisions"][0]["kind"], "start");
    let after = rig.get(&format!("/api/rollouts/{ID}/history?after={}", history["next"])).await.json();
    assert!(after["entries"].as_array().unwrap().len() < entries.len(), "{after}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_obeyed_recorded_and_safe_to_repeat() {
    let rig = Rig::start(SPEED).await;
    rig.wait_for("baking").await;
    let paused = r#"{"command": "pause", "by": "ada", "why": "a look", "id": "c1"}"#;
    for _ in 0..2 {
        let answer = rig.command(paused).await;
        assert_eq!((answer.status, answer.json()), (200, json!({ "id": "c1", "reply": "obeyed" })));
    }
    let view = rig.get(&format!("/api/rollouts/{ID}")).await.json();
    assert_eq!(view["paused_by"], json!({ "by": "ada", "why": "a look" }));
    assert_eq!(rig.get(&format!("/api/rollouts/{ID}/commands/c1")).await.json()["reply"], "obeyed");

    let again = rig.command(r#"{"command": "pause", "by": "bob", "why": "me too"}"#).await;
    assert_eq!(again.status, 409);
    assert_eq!(again.json()["why"], "the rollout is paused already, by ada");

    assert_eq!(rig.command(r#"{"command": "resume", "by": "ada", "why": "seen"}"#).await.status, 200);
    let abort =
        r#"{"command": "abort", "by": "ada", "why": "customers call", "because": "customer-reports"}"#;
    assert_eq!(rig.command(abort).await.status, 200);
    let view = rig.wait_for("rolled-back").await;
    assert_eq!(view["why"], "ada: customer-reports: customers call");
    assert_eq!(view["weights"], json!({ "blue": 100, "green": 0 }));
    // On a busy machine canary may have passed by then.
    let stages = view["stages"].as_array().unwrap();
    assert_eq!(stages.iter().filter(|stage| stage["state"] == "taken-back").count(), 1, "{stages:?}");
    let history = rig.get(&format!("/api/rollouts/{ID}/history")).await.json();
    let by: Vec<&str> = history["entries"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|entry| entry["command"]["by"].as_str())
        .collect();
    assert_eq!(by, ["ada", "ada", "ada"], "pause once, resume, abort");

    // Whoever attends takes a last look; after that nobody does.
    let late = rig.command(abort).await;
    match late.status {
        409 => assert!(late.json()["why"].as_str().unwrap().starts_with("too late"), "{late:?}"),
        202 => assert_eq!(late.json()["reply"], "waiting"),
        _ => panic!("neither rejected nor waiting: {late:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_waits_for_a_person_is_shown_and_approved_of() {
    let rig = Rig::with_approval(SPEED).await;
    let baking = rig.wait_for("baking").await;
    let offers = |view: &Value| view["can"].as_array().unwrap().clone();
    assert_eq!(baking["awaits_approval"], Value::Null);
    assert!(offers(&baking).iter().all(|offer| offer["command"] != "approve"), "{baking}");
    let early = rig.command(r#"{"command": "approve", "by": "ada", "gate": "half"}"#).await;
    assert_eq!(early.status, 409, "{early:?}");
    assert_eq!(early.json()["why"], "there is nothing to approve: no step waits for an approval now");
    let unknown = rig.command(r#"{"command": "approve", "by": "ada", "gate": "full"}"#).await;
    assert_eq!(unknown.status, 404, "{unknown:?}");
    assert!(unknown.body.contains("those that do: half"), "{unknown:?}");

    let waiting = loop {
        let view = rig.wait_for("shifting").await;
        if view["awaits_approval"] != Value::Null {
            break view;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!((&waiting["awaits_approval"]["gate"], &waiting["stage"]), (&json!("half"), &json!("half")));
    assert_eq!(waiting["awaits_approval"]["what"], "half (green 50 %)");
    assert!(waiting["awaits_approval"]["deadline"].is_string(), "{waiting}");
    assert_eq!(waiting["weights"], json!({ "blue": 95, "green": 5 }));
    assert_eq!(
        (&offers(&waiting)[0]["command"], &offers(&waiting)[0]["offered"]),
        (&json!("approve"), &json!(true))
    );
    for _ in 0..2 {
        let approve = r#"{"command": "approve", "by": "ada", "gate": "half", "id": "a1"}"#;
        assert_eq!(rig.command(approve).await.json(), json!({ "id": "a1", "reply": "obeyed" }));
    }
    let view = loop {
        let view = rig.wait_for("baking").await;
        if view["stage"] == "half" {
            break view;
        }
    };
    assert_eq!(view["weights"], json!({ "blue": 50, "green": 50 }));
    let approved =
        view["decisions"].as_array().unwrap().iter().find(|told| told["kind"] == "approve").unwrap();
    assert_eq!(approved["reason"], "ada approves of half (green 50 %)");
    let again = rig.command(r#"{"command": "approve", "by": "bob", "gate": "half"}"#).await;
    assert_eq!(again.json()["why"], "half (green 50 %) was approved already, by ada");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abort_offers_the_reasons_of_the_strategy_and_what_each_leads_to() {
    let rig = Rig::start(1).await;
    let about = rig.get("/api").await.json();
    let reasons = about["reasons"].as_array().unwrap();
    let named: Vec<(&str, &str)> = reasons
        .iter()
        .map(|of| (of["because"].as_str().unwrap(), of["way_back"]["method"].as_str().unwrap()))
        .collect();
    assert_eq!(
        named,
        [
            ("business-anomaly", "traffic-shift"),
            ("customer-reports", "traffic-shift"),
            ("security", "immediate-traffic-shift"),
            ("data-integrity", "database-rollback"),
            ("feature-bug", "feature-flag"),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn events_tell_how_it_goes_on() {
    let rig = Rig::start(SPEED).await;
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    let request = format!("GET /api/rollouts/{ID}/events HTTP/1.1\r\nhost: {}\r\n\r\n", rig.address);
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    let mut piece = [0; 64 * 1024];
    while !text.contains("\"phase\":\"baking\"") {
        let read =
            tokio::time::timeout(Duration::from_secs(20), stream.read(&mut piece)).await.unwrap().unwrap();
        assert!(read > 0, "the stream ended: {text}");
        text.push_str(&String::from_utf8_lossy(&piece[..read]));
    }
    assert!(text.to_lowercase().contains("content-type: text/event-stream"), "{text}");
    assert!(text.contains("event: rollout"), "{text}");
    assert!(text.contains("\"phase\":\"preparing\""), "it was shown before: {text}");
    assert_eq!(rig.get("/api/rollouts/none/events").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_or_no_command_is_one_clear_error() {
    let rig = Rig::start(1).await;
    assert_eq!(rig.get("/api/rollouts/none").await.status, 404);
    assert_eq!(rig.get("/nothing").await.json()["error"], "there is nothing here");
    for (body, says) in [
        ("{", "this is no command"),
        (r#"{"command": "explode", "by": "ada", "why": "x"}"#, "unknown variant `explode`"),
        (r#"{"command": "pause", "by": " ", "why": "x"}"#, "say who you are"),
        (r#"{"command": "pause", "by": "ada", "why": ""}"#, "say who you are"),
        (r#"{"command": "pause", "by": "a\u0007", "why": "x"}"#, "printable"),
        (r#"{"command": "abort", "by": "ada", "why": "x"}"#, "`because`"),
        (r#"{"command": "pause", "by": "ada", "why": "x", "because": "feature-bug"}"#, "for `abort` only"),
        (r#"{"command": "abort", "by": "ada", "why": "x", "because": "a whim"}"#, "this is no command"),
        (r#"{"command": "approve", "by": "ada"}"#, "an approval needs its `gate`"),
        (r#"{"command": "pause", "by": "ada", "why": "x", "id": "../x"}"#, "1 to 64 letters"),
        (r#"{"command": "pause", "by": "ada", "why": "x", "and": 1}"#, "unknown field `and`"),
    ] {
        let answer = rig.command(body).await;
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(answer.status == 400 && error.contains(says), "{body}: {answer:?}");
    }
    assert!(rig.inbox.waiting(&RolloutId::from(ID)).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_or_an_inbox_that_is_away_is_said() {
    let rig = Rig::start(1).await;
    rig.inbox.set_unavailable(Some("disk full"));
    let answer = rig.command(PAUSE).await;
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.body.contains("disk full"), "{answer:?}");
    rig.journal.set_unavailable(Some("disk full"));
    for path in ["/api/rollouts", "/api/rollouts/r1", "/api/rollouts/r1/history"] {
        let answer = rig.get(path).await;
        assert!(answer.status == 503 && answer.body.contains("disk full"), "{path}: {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn middleware_of_the_embedder_says_who_commands() {
    use axum::Extension;
    use mpac_deploy_services::status::Person;

    let mut release = scenario::release();
    release.service = "shop".into();
    let rig = Rig::of(1, release, |page, inbox| page.with_commands_behind_middleware(inbox)).await;
    assert_eq!(rig.get("/api").await.json()["commands"], "open");
    let headers: Vec<_> = rig.headers().into_iter().filter(|(name, _)| *name != "authorization").collect();
    assert_eq!(rig.post(&headers, PAUSE).await.status, 200);
    assert!(matches!(rig.handle.status().phase(), Phase::Preparing(_) | Phase::Shifting(_)));

    // The same page behind a layer that knows the person, and under a path.
    let page = mpac_deploy_services::status::StatusPage::new(rig.journal.clone());
    let page = page.with_commands_behind_middleware(rig.inbox.clone()).router();
    let app = axum::Router::new().nest_service("/deploys", page.layer(Extension(Person("grace".into()))));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let under = Rig { address: listener.local_addr().unwrap(), ..rig };
    tokio::spawn(mpac_deploy_services::status::serve(listener, app));
    let resume = r#"{"command": "resume", "by": "somebody else", "why": "seen", "id": "c2"}"#;
    let headers: Vec<_> = under.headers().into_iter().filter(|(name, _)| *name != "authorization").collect();
    let answer = under.ask("POST", &format!("/deploys/api/rollouts/{ID}/commands"), &headers, resume).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let reply = under.inbox.reply_to(&RolloutId::from(ID), &CommandId::from("c2")).await.unwrap();
    assert_eq!(reply, Some(Reply::Obeyed));
    let history = under.get(&format!("/deploys/api/rollouts/{ID}/history")).await.json();
    let by: Vec<&str> = history["entries"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|entry| entry["command"]["by"].as_str())
        .collect();
    assert_eq!(by, ["ada", "grace"]);
}
