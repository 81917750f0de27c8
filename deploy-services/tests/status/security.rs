//! Who must not command does not, and what must not run does not.

use std::time::{Duration, Instant};

use mpac_deploy_core::ids::RolloutId;
use mpac_deploy_core::port::Inbox as _;
use mpac_deploy_services::status::{Token, TokenError};
use mpac_deploy_testkit::scenario;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::PAUSE;
use super::rig::{ID, Rig, TOKEN, token};

async fn nothing_was_posted(rig: &Rig) {
    assert!(rig.inbox.waiting(&RolloutId::from(ID)).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_the_page_is_read_only() {
    let rig = Rig::of(1, scenario::release(), |page, _| page).await;
    assert_eq!(rig.get("/api").await.json()["commands"], "none");
    let answer = rig.command(PAUSE).await;
    assert_eq!(answer.status, 403, "{answer:?}");
    nothing_was_posted(&rig).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_token_commands() {
    let rig = Rig::start(1).await;
    let long = "x".repeat(5000);
    let wrong = [
        None,
        Some(String::new()),
        Some("Bearer".into()),
        Some("Bearer ".into()),
        Some(format!("Bearer {}", &TOKEN[..TOKEN.len() - 1])),
        Some(format!("Bearer {TOKEN}x")),
        Some(format!("Bearer {long}")),
        Some(format!("Basic {TOKEN}")),
        Some(TOKEN.into()),
    ];
    for sent in wrong {
        let mut headers: Vec<_> =
            rig.headers().into_iter().filter(|(name, _)| *name != "authorization").collect();
        headers.extend(sent.clone().map(|sent| ("authorization", sent)));
        let answer = rig.post(&headers, PAUSE).await;
        assert_eq!(answer.status, 401, "{sent:?}: {answer:?}");
        assert!(answer.head.contains("www-authenticate: bearer"), "{answer:?}");
    }
    nothing_was_posted(&rig).await;
    assert_eq!(Token::new("short").unwrap_err(), TokenError::Unfit);
    assert_eq!(Token::new("has a blank in its middle").unwrap_err(), TokenError::Unfit);
    assert!(!format!("{:?}", token()).contains(TOKEN));
    let (drawn, text) = Token::draw().unwrap();
    assert_eq!((text.len(), format!("{drawn:?}").contains(&text)), (32, false));
}

/// With a cookie of the embedder's in place of a token a browser would send it along: what another site can make it send must not do.
#[tokio::test(flavor = "multi_thread")]
async fn another_sites_page_cannot_command() {
    let rig =
        Rig::of(1, scenario::release(), |page, inbox| page.with_commands_behind_middleware(inbox)).await;
    let with = |name: &'static str, value: Option<&str>| {
        let mut headers: Vec<_> = rig.headers().into_iter().filter(|(header, _)| *header != name).collect();
        headers.extend(value.map(|value| (name, value.to_owned())));
        headers
    };
    for (name, value, status) in [
        // A form can set none of these, a script of another origin not without being asked first.
        ("mpac-deploy", None, 403),
        ("mpac-deploy", Some("something"), 403),
        ("origin", Some("https://evil.example"), 403),
        ("origin", Some("null"), 403),
        ("sec-fetch-site", Some("cross-site"), 403),
        ("sec-fetch-site", Some("same-site"), 403),
        ("content-type", Some("text/plain"), 415),
        ("content-type", Some("application/x-www-form-urlencoded"), 415),
        ("content-type", None, 415),
    ] {
        let answer = rig.post(&with(name, value), PAUSE).await;
        assert_eq!(answer.status, status, "{name}: {value:?}: {answer:?}");
    }
    let asked = rig
        .ask(
            "OPTIONS",
            &format!("/api/rollouts/{ID}/commands"),
            &[("origin", "https://evil.example".into())],
            "",
        )
        .await;
    assert_eq!(asked.status, 405, "{asked:?}");
    for answer in [asked, rig.get("/api/rollouts").await, rig.get("/").await] {
        assert!(!answer.head.contains("access-control-allow"), "no other site may read: {answer:?}");
        for header in [
            "x-content-type-options: nosniff",
            "x-frame-options: deny",
            "referrer-policy: no-referrer",
            "cross-origin-resource-policy: same-origin",
            "cache-control: no-store",
        ] {
            assert!(answer.head.contains(header), "{header}: {}", answer.head);
        }
    }
    nothing_was_posted(&rig).await;
    assert_eq!(rig.post(&with("origin", None), PAUSE).await.status, 200, "a program sends no origin");
}

#[tokio::test(flavor = "multi_thread")]
async fn under_a_foreign_name_there_is_nothing() {
    let rig =
        Rig::of(1, scenario::release(), |page, _| page.at_hosts(["127.0.0.1", "LOCALHOST", "::1"])).await;
    for (host, status) in [
        ("127.0.0.1:8080", 200),
        ("localhost", 200),
        ("LocalHost:1", 200),
        ("[::1]:8080", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example:80", 421),
    ] {
        let answer = rig.ask("GET", "/api/rollouts", &[("host", host.into())], "").await;
        assert_eq!(answer.status, status, "{host}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_reasons_are_never_markup() {
    let evil = "</script><script>document.title='owned'</script><img src=x onerror=document.title='owned'>";
    let mut release = scenario::release();
    release.service = evil.into();
    release.green = evil.into();
    let rig = Rig::of(1, release, |page, inbox| page.with_commands_by(token(), inbox)).await;
    let why = serde_json::json!({ "command": "pause", "by": evil, "why": evil }).to_string();
    assert_eq!(rig.command(&why).await.status, 200);
    let page = rig.get("/").await;
    // The page has no data in it, whoever is called what; the browser's test says what becomes of the data.
    assert!(!page.body.contains("owned"), "the page itself");
    let answer = rig.get(&format!("/api/rollouts/{ID}")).await;
    assert!(answer.head.contains("content-type: application/json"), "{}", answer.head);
    assert!(
        answer.head.contains("content-security-policy: default-src 'none'; frame-ancestors 'none'; sandbox")
    );
    assert_eq!(answer.json()["paused_by"]["why"], evil, "it is told as it is, as text");
    let missing = rig.get("/api/rollouts/%3Cscript%3Ealert(1)%3C%2Fscript%3E").await;
    assert!(missing.status == 404 && missing.head.contains("content-type: application/json"), "{missing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_needs_nothing_from_elsewhere_and_runs_nothing_but_its_own() {
    let rig = Rig::start(1).await;
    let (page, another) = (rig.get("/").await, rig.get("/").await);
    let nonce = |head: &str| head.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
    assert_ne!(nonce(&page.head), nonce(&another.head), "a nonce is used once");
    let policy = page.head.lines().find(|line| line.starts_with("content-security-policy")).unwrap();
    for part in [
        "default-src 'none'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(part), "{part}: {policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    for tag in ["<script", "<style"] {
        let tags: Vec<&str> = page.body.match_indices(tag).map(|(at, _)| &page.body[at..at + 60]).collect();
        assert!(tags.iter().all(|of| of.contains(&format!("nonce=\"{}\"", nonce(&page.head)))), "{tags:?}");
        assert_eq!(tags.len(), 1);
    }
    for sign in [
        "https:",
        "src=",
        "@import",
        "url(",
        "innerHTML",
        "insertAdjacent",
        "document.write",
        "eval(",
        " style=",
    ] {
        assert!(!page.body.contains(sign), "{sign}");
    }
    let http: Vec<&str> = page.body.match_indices("http:").map(|(at, _)| &page.body[at..at + 26]).collect();
    assert_eq!(http, ["http://www.w3.org/2000/svg"], "the name of SVG is no address");
    assert!(!page.body.contains("{{"), "something was not filled in");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_too_long_is_refused() {
    let rig = Rig::start(1).await;
    let long = format!("{{\"command\": \"pause\", \"by\": \"ada\", \"why\": \"{}\"}}", "x".repeat(20_000));
    assert_eq!(rig.command(&long).await.status, 413);
    let why = format!("{{\"command\": \"pause\", \"by\": \"ada\", \"why\": \"{}\"}}", "x".repeat(3000));
    assert_eq!(rig.command(&why).await.status, 400);
    let head = format!("GET /api HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "x".repeat(64 * 1024));
    let answer = rig.raw(&head).await;
    assert!(answer.status == 431 || answer.status == 0, "{answer:?}");
    nothing_was_posted(&rig).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_clients_are_let_go_and_hold_nobody_up() {
    let rig = Rig::start(1).await;
    let began = Instant::now();
    let headers: String = rig.headers().iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let slow_body = format!(
        "POST /api/rollouts/{ID}/commands HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: 60\r\n{headers}\r\n{{",
        rig.address
    );
    let slow_head = async {
        let mut stream = TcpStream::connect(rig.address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n").await.unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.ok();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let meanwhile = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let asked = Instant::now();
        assert_eq!(rig.get("/api/rollouts").await.status, 200);
        asked.elapsed()
    };
    let (body, head, other) = tokio::join!(rig.raw(&slow_body), slow_head, meanwhile);
    assert_eq!(body.status, 408, "{body:?}");
    assert!(head.is_empty() || head.contains(" 408 "), "{head}");
    assert!(other < Duration::from_secs(2), "others wait: {other:?}");
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    nothing_was_posted(&rig).await;
}
