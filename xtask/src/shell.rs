//! Child processes that can also be shown as the line a person would type.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::step::Failure;

/// A command with its arguments and environment.
pub(crate) struct Shell {
    /// How a person calls it; the program that runs may be an absolute path.
    shown: String,
    command: Command,
}

impl Shell {
    /// `program`, run in `dir`.
    pub(crate) fn new(program: impl AsRef<OsStr>, dir: &Path) -> Self {
        let mut command = Command::new(&program);
        command.current_dir(dir);
        Self { shown: quoted(&program.as_ref().to_string_lossy()), command }
    }

    /// Shows the program under another name than the path it runs from.
    pub(crate) fn shown_as(mut self, name: &str) -> Self {
        name.clone_into(&mut self.shown);
        self
    }

    /// Adds arguments.
    pub(crate) fn args<S: AsRef<str>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        for arg in args {
            self.shown.push(' ');
            self.shown.push_str(&quoted(arg.as_ref()));
            self.command.arg(arg.as_ref());
        }
        self
    }

    /// Sets a variable of the child's environment.
    pub(crate) fn env(mut self, key: &str, value: impl AsRef<OsStr>) -> Self {
        let value = value.as_ref();
        self.shown = format!("{key}={} {}", quoted(&value.to_string_lossy()), self.shown);
        self.command.env(key, value);
        self
    }

    /// The line to type to run this again.
    pub(crate) fn line(&self) -> String {
        self.shown.clone()
    }

    /// Runs it with this process's own output, and without standard input.
    pub(crate) fn run(mut self) -> Result<(), Failure> {
        let status = self
            .command
            .stdin(Stdio::null())
            .status()
            .map_err(|e| Failure::new(format!("cannot start `{}`: {e}", self.shown)))?;
        if status.success() {
            Ok(())
        } else {
            Err(Failure::new(format!("`{}` ended with {status}", self.shown)))
        }
    }

    /// Runs it and returns its standard output.
    pub(crate) fn capture(mut self) -> Result<String, Failure> {
        let output = self
            .command
            .stdin(Stdio::null())
            .output()
            .map_err(|e| Failure::new(format!("cannot start `{}`: {e}", self.shown)))?;
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            return Err(Failure::new(format!("`{}` ended with {}\n{stderr}", self.shown, output.status)));
        }
        String::from_utf8(output.stdout)
            .map_err(|e| Failure::new(format!("`{}` printed something that is no UTF-8: {e}", self.shown)))
    }
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here(program: &str) -> Shell {
        Shell::new(program, Path::new("."))
    }

    #[test]
    fn the_line_can_be_typed_as_it_stands() {
        let shell = here("/opt/bin/cargo").shown_as("cargo").args(["doc", "--no-deps"]);
        assert_eq!(
            shell.env("RUSTDOCFLAGS", "-D warnings").line(),
            "RUSTDOCFLAGS='-D warnings' cargo doc --no-deps"
        );
        assert_eq!(here("echo").args(["it's", ""]).line(), r"echo 'it'\''s' ''");
    }

    #[test]
    fn captured_output_is_returned() {
        assert_eq!(here("sh").args(["-c", "echo $X"]).env("X", "7").capture(), Ok("7\n".to_owned()));
    }

    #[test]
    fn a_child_that_fails_is_named_with_its_status_and_words() {
        let text = here("sh").args(["-c", "echo broken >&2; exit 3"]).capture().unwrap_err().to_string();
        assert!(text.contains("exit status: 3") && text.contains("broken"), "{text}");
        assert!(here("sh").args(["-c", "exit 3"]).run().is_err());
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let text = here("no-such-program-anywhere").run().unwrap_err().to_string();
        assert!(text.starts_with("cannot start `no-such-program-anywhere`"), "{text}");
    }
}
