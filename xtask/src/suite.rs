//! `cargo xtask test`: every test, with what the ignored ones need.
//!
//! A test that needs something from outside the checkout is `#[ignore]`d with the reason, and finds it by a variable:
//!
//! | variable | what it names | set when |
//! |---|---|---|
//! | `CHROMIUM` | a browser that runs headless | one is found or can be installed |
//! | `DYNALITE` | an independent DynamoDB, which the tests start themselves | Node is on the search path |
//! | `MPAC_POSTGRES` | how to connect to a PostgreSQL server of the tests' own | always, for the ignored ones |
//! | `MPAC_SHARED_DATA` | the folder of real recordings | `../shared/data` exists beside the checkout |

use std::ffi::OsString;
use std::io::Write;

use clap::Args;

use crate::browser::{self, Browser};
use crate::ci::command;
use crate::golang::{self, Migrate};
use crate::node::{self, Packages};
use crate::postgres::{self, Server};
use crate::python;
use crate::repo::Repo;
use crate::shell::Shell;
use crate::step::{Runner, Stopped};

/// Relative to the checkout.
const RECORDINGS: &str = "../shared/data";

/// What the tests may do to the machine.
#[derive(Args)]
pub(crate) struct Options {
    /// Install no Debian package; tests that need a missing one are skipped and say so.
    #[arg(long)]
    no_install: bool,
}

/// Runs the ordinary tests, then the ignored ones.
pub(crate) fn run<W: Write>(repo: &Repo, runner: &mut Runner<W>, options: &Options) -> Result<(), Stopped> {
    let mut variables = Vec::new();
    if python::needed(repo) {
        let path = runner.step("python packages", "cargo xtask test", || {
            python::prepare(repo, &repo.root().join(python::VENV))
        })?;
        variables.push(("PATH", path));
    }
    match runner.step("node packages", "cargo xtask test", || node::find(repo))? {
        Packages::Installed(dynalite) => variables.push(("DYNALITE", dynalite.into_os_string())),
        Packages::Missing(why) => runner.say(&format!("    the tests on dynalite are skipped: {why}")),
    }
    match repo.root().join(RECORDINGS).canonicalize() {
        Ok(path) => variables.push(("MPAC_SHARED_DATA", path.into_os_string())),
        Err(_) => runner.say(&format!("    no {RECORDINGS}: tests on real recordings are skipped")),
    }
    command(runner, "tests", tests(repo, &variables))?;

    match runner.step("browser", "cargo xtask test", || browser::find(repo, !options.no_install))? {
        Browser::Found(path) => variables.push(("CHROMIUM", path.into_os_string())),
        Browser::Missing(why) => runner.say(&format!("    the browser test is skipped: {why}")),
    }
    let server = runner.step("postgresql", "cargo xtask test", || Server::start(repo))?;
    variables.push((postgres::VARIABLE, server.address()));
    let path = variables.iter().find(|(name, _)| *name == "PATH").map(|(_, path)| path.clone());
    let mut path = runner.step("postgresql programs", "cargo xtask test", || server.with_programs(path))?;
    match golang::find(repo, Some(path.clone())) {
        Migrate::Found => {}
        Migrate::Built(home) => path = golang::extended(&path, home),
        Migrate::Missing(why) => {
            runner.say(&format!("    golang-migrate: the tests run on the stand-in, since {why}"));
        }
    }
    variables.retain(|(name, _)| *name != "PATH");
    variables.push(("PATH", path));
    command(runner, "ignored tests", ignored_tests(repo, &variables))
}

/// All of what is wrong is worth knowing after so long a build: the first failure stops nothing.
fn tests(repo: &Repo, variables: &[(&str, OsString)]) -> Shell {
    with(repo.cargo(["test", "--workspace", "--all-features", "--no-fail-fast"]), variables)
}

/// `--tests` leaves documentation out: an `ignore`d code block is one that is not meant to compile.
fn ignored_tests(repo: &Repo, variables: &[(&str, OsString)]) -> Shell {
    with(
        repo.cargo(["test", "--workspace", "--all-features", "--tests", "--no-fail-fast", "--", "--ignored"]),
        variables,
    )
}

fn with(shell: Shell, variables: &[(&str, OsString)]) -> Shell {
    variables.iter().fold(shell, |shell, (key, value)| shell.env(key, value))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_repeat_line_carries_what_the_tests_were_told() {
        let variables = [("CHROMIUM", OsString::from("/usr/bin/chromium"))];
        let line = ignored_tests(&Repo::at(Path::new(".")), &variables).line();
        assert_eq!(
            line,
            "CHROMIUM=/usr/bin/chromium cargo test --workspace --all-features --tests --no-fail-fast -- --ignored"
        );
    }
}
