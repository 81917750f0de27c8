//! A program and the status that it ends with.

use std::io;
use std::process::{Output, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Command;

use super::Found;

/// How much of what a program says is repeated: its end, where the reason stands.
const QUOTED_CHARS: usize = 400;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Program {
    pub(super) name: String,
    pub(super) arguments: Vec<String>,
}

pub(super) async fn ask(program: &Program, about: &[(&str, &str)]) -> Found {
    match run(program, about).await {
        Ok(output) if output.status.success() => Found::Yes,
        Ok(output) => Found::No(format!("{} ended with {}{}", program.name, output.status, said(&output))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Found::Never(format!("there is no program {}", program.name))
        }
        Err(error) => Found::Nobody(format!("{}: {error}", program.name)),
    }
}

async fn run(program: &Program, about: &[(&str, &str)]) -> io::Result<Output> {
    let child = Command::new(&program.name)
        .args(&program.arguments)
        .envs(about.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    let mut group = Group(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)));
    let output = child.wait_with_output().await?;
    // It has ended by itself, and its number may be another's by now.
    group.0 = None;
    Ok(output)
}

/// The program and all that it has started, stopped when this is dropped.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // Whoever is gone already need not be stopped.
            kill_process_group(group, Signal::KILL).ok();
        }
    }
}

/// The end of what it said, on standard error if there is anything.
fn said(output: &Output) -> String {
    let stream = if output.stderr.is_empty() { &output.stdout } else { &output.stderr };
    let text = String::from_utf8_lossy(stream);
    let text = text.trim();
    let skipped = text.chars().count().saturating_sub(QUOTED_CHARS);
    let end: String = text.chars().skip(skipped).collect();
    if end.is_empty() { end } else { format!(": {end}") }
}
