//! `demo --live` as a real process: its status page shows the rollout, and its buttons' commands are obeyed.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, outside a test function")]

mod common;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::command;
use serde_json::Value;

/// A demo that ends with the test.
struct Demo {
    child: Child,
    host: String,
    token: String,
}

impl Demo {
    fn start(arguments: &[&str]) -> Self {
        let mut child = command()
            .args(["demo", "--live", "--speed", "600"])
            .args(arguments)
            .env("NO_COLOR", "1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut after = |start: &str| lines.next().unwrap().strip_prefix(start).unwrap().to_owned();
        let host = after("Status page: http://").trim_end_matches('/').to_owned();
        let token = after("Token of its buttons: ");
        // Read on, so that it can write on.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, host, token }
    }

    fn ask(&self, request: &str, headers: &str, body: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        let host = &self.host;
        let length = body.len();
        write!(stream, "{request} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap_or_default())
    }

    fn command(&self, id: &str, token: &str, body: &str) -> (u16, Value) {
        let headers = format!(
            "authorization: Bearer {token}\r\nmpac-deploy: command\r\ncontent-type: application/json\r\n"
        );
        self.ask(&format!("POST /api/rollouts/{id}/commands"), &headers, body)
    }

    /// Waits until the rollout is in this phase, and says its id.
    fn wait_for(&self, phase: &str) -> String {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let (_, list) = self.ask("GET /api/rollouts", "", "");
            let rollout = &list["rollouts"][0];
            if rollout["phase"] == phase {
                return rollout["id"].as_str().unwrap().to_owned();
            }
            assert!(Instant::now() < until, "never {phase}: {list}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // It has ended already, unless the test has failed.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn a_person_takes_the_demo_back_on_its_page() {
    let mut demo = Demo::start(&[]);
    assert!(demo.host.starts_with("127.0.0.1:"), "{}", demo.host);
    let id = demo.wait_for("baking");
    let abort =
        r#"{"command": "abort", "because": "customer-reports", "by": "ada", "why": "customers call"}"#;
    assert_eq!(demo.command(&id, "not-the-token-of-it", abort).0, 401);
    let (status, answer) = demo.command(&id, &demo.token, abort);
    assert_eq!((status, &answer["reply"]), (200, &"obeyed".into()));
    demo.wait_for("rolled-back");
    let page = demo.ask("GET /api/rollouts", "x: y\r\n", "");
    assert_eq!(page.0, 200, "the page stays");
    let stopped = Command::new("kill").args(["-INT", &demo.child.id().to_string()]).status().unwrap();
    assert!(stopped.success());
    assert_eq!(demo.child.wait().unwrap().code(), Some(1), "it was taken back");
}

/// Every command from a second terminal, as processes of their own, while the demo runs.
#[test]
fn a_second_terminal_commands_the_demo_through_its_journal() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("journal.db").display().to_string();
    let demo = Demo::start(&["--journal", &file]);
    demo.wait_for("baking");
    let ask = |arguments: &[&str]| {
        let told = common::run(&[arguments, &["--journal", &file, "--json"]].concat());
        (told.status, told.json())
    };
    let say = |arguments: &[&str]| ask(&[arguments, &["--by", "ada", "--reason", "a look"]].concat());
    let (status, paused) = say(&["pause"]);
    assert_eq!((status, &paused["obeyed"]), (0, &true.into()), "{paused}");
    let (status, twice) = say(&["pause"]);
    assert_eq!((status, &twice["obeyed"]), (1, &false.into()), "{twice}");
    let (_, standing) = ask(&["status"]);
    assert_eq!(standing["paused"]["by"], "ada", "{standing}");
    assert_eq!(say(&["resume"]).0, 0);
    let (status, promoted) = say(&["promote", "--force"]);
    assert_eq!(status, 0, "{promoted}");
    let (status, aborted) = say(&["abort", "--because", "security"]);
    assert_eq!(status, 0, "{aborted}");
    let (status, late) = say(&["promote"]);
    assert_eq!(status, 1, "{late}");
    demo.wait_for("rolled-back");
    assert_eq!(ask(&["status"]).1["outcome"], "rolled back");
    let why = common::run(&["history", "--why", "--journal", &file]).stdout;
    assert!(why.contains("ada: security: a look"), "{why}");
    assert_eq!(common::run(&["watch", "--journal", &file]).status, 1);
}

/// By a policy of one's own: half waits for a person, who approves from a second terminal, twice under one id.
#[test]
fn a_second_terminal_approves_of_a_step_that_waits_for_it() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (policy, file) = (path("policy.toml"), path("journal.db"));
    let half = "name = \"half\"\n";
    let text = common::run(&["policy", "show"]).stdout;
    std::fs::write(&policy, text.replace(half, &format!("{half}approval = \"required\"\n"))).unwrap();
    let demo = Demo::start(&["--journal", &file, "--policy", &policy]);
    let ask = |arguments: &[&str]| {
        let told = common::run(&[arguments, &["--journal", &file, "--json"]].concat());
        (told.status, told.json())
    };
    demo.wait_for("baking");
    let until = Instant::now() + Duration::from_secs(60);
    while ask(&["status"]).1["awaits_approval"] != "half" {
        assert!(Instant::now() < until, "never asked: {}", ask(&["status"]).1);
        std::thread::sleep(Duration::from_millis(100));
    }
    let other = ask(&["promote", "--by", "ada", "--reason", "in a hurry"]);
    assert_eq!(other.0, 1, "{}", other.1);
    assert!(other.1["why"].as_str().unwrap().contains("waits for an approval"), "{}", other.1);
    for _ in 0..2 {
        let (status, approved) = ask(&["approve", "--by", "ada", "--id", "a-1"]);
        assert_eq!((status, &approved["obeyed"]), (0, &true.into()), "{approved}");
    }
    let (status, again) = ask(&["approve", "--by", "bob", "--gate", "half"]);
    assert_eq!(status, 1, "{again}");
    assert_eq!(again["why"], "half (green 50 %) was approved already, by ada");
    while ask(&["status"]).1["weights"]["green"] != 50 {
        assert!(Instant::now() < until, "never at half: {}", ask(&["status"]).1);
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// On a terminal of its own, which `script` makes: it is drawn on, and given back when the person leaves; the rollout goes on.
#[test]
#[cfg(target_os = "linux")]
fn watch_draws_on_a_terminal_and_gives_it_back() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("journal.db").display().to_string();
    let demo = Demo::start(&["--journal", &file]);
    demo.wait_for("baking");
    let line =
        format!("stty cols 120 rows 40; exec {} watch --journal {file}", env!("CARGO_BIN_EXE_mpac-deploy"));
    let begun = Command::new("script")
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .env("TERM", "xterm-256color")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut script) = begun else {
        println!("skipped: there is no program `script`");
        return;
    };
    let mut out = script.stdout.take().unwrap();
    let (to, pieces) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut piece = [0; 4096];
        while let Ok(read @ 1..) = out.read(&mut piece) {
            if to.send(String::from_utf8_lossy(&piece[..read]).into_owned()).is_err() {
                return;
            }
        }
    });
    let mut shown = String::new();
    let mut wait_for = |what: &str| {
        let until = Instant::now() + Duration::from_secs(60);
        while !shown.contains(what) {
            let left = until.saturating_duration_since(Instant::now());
            shown.push_str(&pieces.recv_timeout(left).unwrap_or_else(|_| panic!("never {what}: {shown}")));
        }
    };
    let (entered, left) = ("\u{1b}[?1049h", "\u{1b}[?1049l");
    wait_for(entered);
    wait_for("leaves");
    script.stdin.as_mut().unwrap().write_all(b"q").unwrap();
    wait_for(left);
    wait_for("Left; the rollout goes on.");
    assert_eq!(script.wait().unwrap().code(), Some(1), "it is not out");
    assert!(demo.ask("GET /api/rollouts", "", "").1["rollouts"][0]["phase"] != "rolled-back");
}

#[test]
fn an_address_that_cannot_be_had_is_said() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let run = common::run(&["demo", "--live", "--status-addr", &address]);
    assert_eq!(run.status, 3);
    assert!(run.stderr.contains(&format!("the status page cannot be served on {address}")), "{}", run.stderr);
    let run = common::run(&["demo", "--live", "--status-addr", "here"]);
    assert_eq!((run.status, run.stderr.contains("write a port")), (2, true), "{}", run.stderr);
}
