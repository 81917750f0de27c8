//! `cargo xtask ci`: everything that a change must pass.

use std::io::Write;

use crate::repo::Repo;
use crate::shell::Shell;
use crate::step::{Runner, Stopped};
use crate::{checks, docs, suite};

/// Runs every step, cheap ones first where the order is free.
pub(crate) fn run<W: Write>(
    repo: &Repo,
    runner: &mut Runner<W>,
    options: &suite::Options,
) -> Result<(), Stopped> {
    command(runner, "format", repo.cargo(["fmt", "--all", "--check"]))?;
    command(runner, "lints", clippy(repo))?;
    command(runner, "documentation", rustdoc(repo))?;
    checks::run(repo, runner, &[])?;
    docs::run(repo, runner)?;
    suite::run(repo, runner, options)
}

/// A step that is one command, repeated by the same command.
pub(crate) fn command<W: Write>(runner: &mut Runner<W>, name: &str, shell: Shell) -> Result<(), Stopped> {
    runner.step(name, &shell.line(), || shell.run())
}

fn clippy(repo: &Repo) -> Shell {
    repo.cargo(["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"])
}

fn rustdoc(repo: &Repo) -> Shell {
    repo.cargo(["doc", "--workspace", "--no-deps", "--all-features"]).env("RUSTDOCFLAGS", "-D warnings")
}
