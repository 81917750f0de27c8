//! A simulated AWS in a process of its own.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use aws_sdk_route53::config::{BehaviorVersion, Credentials, Region};
use serde_json::Value;
use tempfile::TempDir;

/// The credentials of every process here. None of it may be in anything that one says.
const CREDENTIALS: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "AKIDNEVERTOBESEEN"),
    ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI-never-to-be-seen"),
    ("AWS_SESSION_TOKEN", "FwoGZXIvYXdzE-never-to-be-seen"),
];

/// Fast, and slow enough for two cores that have other things to do: a probe has 130 ms until the next one is due.
const SPEED: &str = "75";

/// The simulated AWS, and a folder with a configuration that leads there. It ends with the test.
pub(crate) struct Aws {
    child: Child,
    pub(crate) url: String,
    clock: String,
    folder: TempDir,
}

/// What a process came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// What a process has said, and that it has kept its credentials to itself.
    pub(crate) fn of(output: Output) -> Self {
        let ran = Self {
            status: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        for (name, value) in CREDENTIALS {
            assert!(!format!("{ran:?}").contains(value), "{name} was said: {ran:?}");
        }
        ran
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

pub(crate) fn mpac_deploy() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mpac-deploy"));
    command.env("NO_COLOR", "1").stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("AWS_") {
            command.env_remove(name);
        }
    }
    command
}

/// What a command came to.
pub(crate) fn ran(mut command: Command) -> Ran {
    Ran::of(command.output().unwrap())
}

impl Aws {
    /// Starts it with these arguments besides.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let config = folder.path().join("mpac-deploy.toml");
        let mut command = mpac_deploy();
        command.args(["sim-aws", "--json", "--speed", SPEED, "--write-config"]).arg(&config).args(arguments);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        let text = |name: &str| said[name].as_str().unwrap().to_owned();
        let aws = Self { child, url: text("endpoint_url"), clock: text("clock"), folder };
        std::fs::write(aws.path("short.toml"), short_policy()).unwrap();
        aws.edit("preset = \"mpac\"", "file = \"short.toml\"");
        aws
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Changes the configuration.
    pub(crate) fn edit(&self, from: &str, to: &str) {
        let path = self.path("mpac-deploy.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "`{from}` is not in {text}");
        std::fs::write(path, text.replacen(from, to, 1)).unwrap();
    }

    /// A command that acts on this AWS.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = mpac_deploy();
        command.args(arguments).arg("--config").arg(self.path("mpac-deploy.toml"));
        command.args(["--clock", &self.clock, "--json"]);
        command.envs(CREDENTIALS);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Rolls this revision out, to the end.
    pub(crate) fn roll_out(&self, revision: &str) -> Ran {
        ran(self.command(&["run", "--revision", revision]))
    }

    /// The weights of the two records, read by a client that is none of ours.
    pub(crate) async fn weights(&self) -> (i64, i64) {
        let credentials = Credentials::new("AKIDEXAMPLE", "not-a-secret", None, None, "test");
        let config = aws_sdk_route53::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(&self.url)
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .credentials_provider(credentials)
            .build();
        let client = aws_sdk_route53::Client::from_conf(config);
        let mut tries = 0;
        let records = loop {
            match client.list_resource_record_sets().hosted_zone_id("Z1").send().await {
                Ok(records) => break records.resource_record_sets,
                // A fault of the test's own strikes everybody.
                Err(error) if tries == 20 => panic!("{error:?}"),
                Err(_) => tries += 1,
            }
        };
        let weight = |set: &str| {
            let found = records.iter().find(|record| record.set_identifier.as_deref() == Some(set));
            found.unwrap().weight.unwrap()
        };
        (weight("blue-environment"), weight("green-environment"))
    }

    /// How often it was asked for what, by all processes together.
    pub(crate) fn calls(&self) -> BTreeMap<String, u64> {
        let host = self.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).unwrap();
        write!(stream, "GET /world/calls HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    }

    /// Waits until the records show this.
    pub(crate) async fn wait_for(&self, weights: (i64, i64)) {
        let began = Instant::now();
        while self.weights().await != weights {
            assert!(began.elapsed() < Duration::from_secs(60), "the weights are {:?}", self.weights().await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Aws {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The strategy with bakes of a few minutes.
fn short_policy() -> String {
    let shown = mpac_deploy().args(["policy", "show"]).output().unwrap();
    let mut policy = String::from_utf8(shown.stdout).unwrap();
    for (from, to) in [
        ("name = \"mpac\"", "name = \"short\""),
        ("bake = \"15 min\"", "bake = \"5 min\""),
        ("bake = \"30 min\"", "bake = \"6 min\""),
        ("bake = \"60 min\"", "bake = \"7 min\""),
        ("wait = \"60 min\"", "wait = \"9 min\""),
        ("deadline_in_bakes = 2", "deadline_in_bakes = 6"),
    ] {
        assert!(policy.contains(from), "`{from}` is not in {policy}");
        policy = policy.replace(from, to);
    }
    policy
}

/// The weights that a rollout says it had.
pub(crate) fn told_weights(document: &Value) -> Vec<(i64, i64)> {
    let of = |change: &Value| (change["blue"].as_i64().unwrap(), change["green"].as_i64().unwrap());
    document["weights"].as_array().unwrap().iter().map(of).collect()
}
