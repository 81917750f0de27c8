//! Runs a tool to its end, or to a deadline, and hears what it says line by line.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

use super::lines::Lines;
use super::secret::Secrets;

/// A tool may leave a process behind that holds its pipes open; it is not waited for longer than this (ours).
const AFTER_THE_END: Duration = Duration::from_secs(1);
/// What comes without a line break is a line by itself from this length on.
const CHUNK: usize = 4096;

/// A program with its arguments and what it finds in its environment.
pub(super) struct Program {
    pub(super) words: Vec<String>,
    pub(super) arguments: Vec<String>,
    pub(super) directory: Option<PathBuf>,
    pub(super) environment: Vec<(String, OsString)>,
    /// Variables of ours that it does not find.
    pub(super) forgotten: Vec<OsString>,
}

/// How a run ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// By itself.
    Itself(ExitStatus),
    /// It had not by the deadline, and was stopped.
    Stopped,
}

impl Program {
    /// As a person would type it.
    pub(super) fn line(&self) -> String {
        self.words.iter().chain(&self.arguments).map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    /// Runs it. When this is dropped, the program and all that it has started are stopped.
    pub(super) async fn run(
        &self,
        secrets: &Secrets,
        service: &str,
        until: Instant,
        lines: &mut Lines,
    ) -> io::Result<Ended> {
        let (mut child, _group) = self.start()?;
        let mut heard = listen(&mut child, secrets);
        let mut keep = |line: String| {
            tracing::info!(target: "mpac_deploy_migrate::run", service, line, "migration tool");
            lines.add(&line);
        };
        let end = timeout_at(until, async {
            loop {
                tokio::select! {
                    biased;
                    Some(line) = heard.lines.recv() => keep(line),
                    status = child.wait() => return status,
                }
            }
        });
        let Ok(status) = end.await else { return Ok(Ended::Stopped) };
        let rest = async {
            while let Some(line) = heard.lines.recv().await {
                keep(line);
            }
        };
        // What a process that was left behind still says is not the tool's.
        timeout(AFTER_THE_END, rest).await.ok();
        status.map(Ended::Itself)
    }

    fn start(&self) -> io::Result<(Child, Group)> {
        let (program, first) =
            self.words.split_first().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        let mut command = Command::new(program);
        for variable in &self.forgotten {
            command.env_remove(variable);
        }
        command
            .args(first)
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(key, value)| (key, value)));
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let group = Group(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)));
        Ok((child, group))
    }
}

/// The program and all that it has started, stopped when this is dropped. `uv run` starts what it runs.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // Whoever is gone already need not be stopped.
            kill_process_group(group, Signal::KILL).ok();
        }
    }
}

struct Heard {
    lines: UnboundedReceiver<String>,
    _listeners: JoinSet<()>,
}

fn listen(child: &mut Child, secrets: &Secrets) -> Heard {
    let (said, lines) = unbounded_channel();
    let mut listeners = JoinSet::new();
    if let Some(stdout) = child.stdout.take() {
        listeners.spawn(hear(stdout, secrets.clone(), said.clone()));
    }
    if let Some(stderr) = child.stderr.take() {
        listeners.spawn(hear(stderr, secrets.clone(), said));
    }
    Heard { lines, _listeners: listeners }
}

async fn hear(mut pipe: impl AsyncRead + Unpin, secrets: Secrets, said: UnboundedSender<String>) {
    let mut line = Vec::new();
    let mut chunk = [0; CHUNK];
    // A pipe that cannot be read says no more than one that is closed: the status tells how it ended.
    while let Ok(count @ 1..) = pipe.read(&mut chunk).await {
        for byte in chunk.iter().take(count) {
            if *byte != b'\n' {
                line.push(*byte);
            }
            let kept = if *byte == b'\n' { 0 } else { secrets.longest().min(CHUNK / 2) };
            if (*byte == b'\n' || line.len() >= CHUNK) && !tell(&mut line, kept, &secrets, &said) {
                return;
            }
        }
    }
    if !line.is_empty() {
        tell(&mut line, 0, &secrets, &said);
    }
}

/// Tells the line without its last bytes, with which a secret may begin. Whether anybody listens.
fn tell(line: &mut Vec<u8>, kept: usize, secrets: &Secrets, said: &UnboundedSender<String>) -> bool {
    let hidden = secrets.hide(String::from_utf8_lossy(line).trim_end_matches('\r'));
    line.clear();
    let mut cut = hidden.len().saturating_sub(kept);
    while !hidden.is_char_boundary(cut) {
        cut -= 1;
    }
    let (told, rest) = hidden.split_at(cut);
    line.extend_from_slice(rest.as_bytes());
    said.send(told.to_owned()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Program {
        let words = ["sh", "-c", script].map(str::to_owned).to_vec();
        let environment = vec![("SECRET".to_owned(), OsString::from("hush"))];
        Program { words, arguments: Vec::new(), directory: None, environment, forgotten: Vec::new() }
    }

    async fn run(script: &str, within: Duration) -> (io::Result<Ended>, Vec<String>) {
        let secrets = Secrets::new(["hush".to_owned()].into_iter());
        let mut lines = Lines::default();
        let ended = shell(script).run(&secrets, "svc", Instant::now() + within, &mut lines).await;
        (ended, lines.into_vec())
    }

    #[tokio::test]
    async fn both_voices_are_heard_without_secrets() {
        let (ended, mut lines) =
            run("echo one; echo \"two $SECRET\" >&2; exit 3", Duration::from_secs(60)).await;
        assert!(matches!(ended.unwrap(), Ended::Itself(status) if status.code() == Some(3)));
        lines.sort();
        assert_eq!(lines, ["one", "two ***"]);
    }

    #[tokio::test]
    async fn a_secret_is_hidden_wherever_a_long_line_is_cut() {
        for before in [4090, 4092, 4094, 4095, 4096, 4100] {
            let script = format!("head -c {before} /dev/zero | tr '\\0' x; echo \"${{SECRET}}end\"");
            let (_, lines) = run(&script, Duration::from_secs(60)).await;
            let all = lines.concat();
            let is_hidden = !["hus", "ush"].iter().any(|part| all.contains(part));
            assert!(is_hidden && all.ends_with("*end"), "{before}: {}", all.trim_start_matches('x'));
        }
    }

    #[tokio::test]
    async fn at_the_deadline_all_that_was_started_is_stopped() {
        let file = tempfile::NamedTempFile::new().unwrap();
        // The grandchild would write after its parent is gone.
        let script = format!("(sleep 1; echo late > {}) & echo begun; sleep 60", file.path().display());
        let (ended, lines) = run(&script, Duration::from_millis(300)).await;
        assert!(matches!(ended.unwrap(), Ended::Stopped));
        assert_eq!(lines, ["begun"]);
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert_eq!(std::fs::read_to_string(file.path()).unwrap(), "");
    }

    #[tokio::test]
    async fn a_process_that_is_left_behind_is_not_waited_for() {
        let began = Instant::now();
        let (ended, lines) = run("sleep 30 & echo done", Duration::from_secs(60)).await;
        assert!(matches!(ended.unwrap(), Ended::Itself(status) if status.success()));
        assert_eq!(lines, ["done"]);
        assert!(began.elapsed() < Duration::from_secs(20));
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_not_found() {
        let program = Program { words: vec!["no-such-program-anywhere".into()], ..shell("") };
        let ended = program.run(&Secrets::default(), "svc", Instant::now(), &mut Lines::default()).await;
        assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
