//! Named steps: each prints its name and how long it took; the first that fails stops the run.

use std::fmt;
use std::io::Write;
use std::time::{Duration, Instant};

/// A step failed and has been reported; nothing after it runs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stopped;

/// Why a step failed, one finding a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure(Vec<String>);

impl Failure {
    /// A failure with one finding.
    pub(crate) fn new(finding: impl Into<String>) -> Self {
        Self(vec![finding.into()])
    }

    /// `Ok` if nothing was found.
    pub(crate) fn unless_empty(findings: Vec<String>) -> Result<(), Self> {
        if findings.is_empty() { Ok(()) } else { Err(Self(findings)) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

/// Runs steps one after the other and reports on each.
pub(crate) struct Runner<W> {
    out: W,
    done: Vec<(String, Duration)>,
}

impl<W: Write> Runner<W> {
    /// A runner that reports to `out`.
    pub(crate) fn new(out: W) -> Self {
        Self { out, done: Vec::new() }
    }

    /// Runs one step. `repeat` is the command that a person runs to see a failure again.
    pub(crate) fn step<T>(
        &mut self,
        name: &str,
        repeat: &str,
        action: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, Stopped> {
        self.say(&format!("==> {name}"));
        let start = Instant::now();
        let result = action();
        let took = start.elapsed();
        match result {
            Ok(value) => {
                self.say(&format!("    {name}: ok in {}", seconds(took)));
                self.done.push((name.to_owned(), took));
                Ok(value)
            }
            Err(failure) => {
                self.say(&format!("{failure}\n    {name}: FAILED after {}", seconds(took)));
                self.say(&format!("    repeat it with: {repeat}"));
                Err(Stopped)
            }
        }
    }

    /// Prints a line that belongs to no step's outcome, such as what is left out and why.
    pub(crate) fn say(&mut self, line: &str) {
        // A report that nobody reads any more (a closed pipe) is no reason to stop the steps.
        let _ = writeln!(self.out, "{line}");
        let _ = self.out.flush();
    }

    /// Lists the steps that passed, with their durations.
    pub(crate) fn summary(&mut self) {
        if self.done.len() < 2 {
            return;
        }
        let total: Duration = self.done.iter().map(|(_, took)| *took).sum();
        self.say(&format!("==> {} steps passed in {}", self.done.len(), seconds(total)));
        for (name, took) in std::mem::take(&mut self.done) {
            self.say(&format!("{:>9}  {name}", seconds(took)));
        }
    }
}

fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(action: impl FnOnce() -> Result<u8, Failure>) -> (Result<u8, Stopped>, String) {
        let mut out = Vec::new();
        let result = Runner::new(&mut out).step("lint", "cargo lint", action);
        (result, String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_passed_step_hands_its_value_on_and_says_how_long_it_took() {
        let (result, text) = report(|| Ok(7));
        assert_eq!(result, Ok(7));
        assert!(text.starts_with("==> lint\n    lint: ok in 0."), "{text}");
        assert!(!text.contains("repeat"), "{text}");
    }

    #[test]
    fn a_failed_step_names_its_findings_and_the_command_that_repeats_it() {
        let (result, text) =
            report(|| Failure::unless_empty(vec!["a is wrong".into(), "b too".into()]).map(|()| 1));
        assert_eq!(result, Err(Stopped));
        assert!(text.contains("a is wrong\nb too\n    lint: FAILED after "), "{text}");
        assert!(text.ends_with("repeat it with: cargo lint\n"), "{text}");
    }

    #[test]
    fn no_findings_are_no_failure() {
        assert_eq!(Failure::unless_empty(Vec::new()), Ok(()));
    }

    #[test]
    fn the_summary_lists_what_passed() {
        let mut out = Vec::new();
        let mut runner = Runner::new(&mut out);
        runner.step("one", "", || Ok(())).unwrap();
        runner.step("two", "", || Ok(())).unwrap();
        runner.summary();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("==> 2 steps passed in "), "{text}");
        assert!(text.ends_with("  two\n"), "{text}");
    }
}
