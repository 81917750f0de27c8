//! `cargo xtask recordings`: the tables of the book's page "Recordings".

use std::io::Write;

use crate::ci::command;
use crate::repo::Repo;
use crate::step::{Runner, Stopped};

/// Checks that the tables are what the code gives, or writes them anew.
pub(crate) fn run<W: Write>(repo: &Repo, runner: &mut Runner<W>, write: bool) -> Result<(), Stopped> {
    let flag = if write { "--write" } else { "--check" };
    let example =
        ["run", "--quiet", "--package", "mpac-deploy-testkit", "--example", "recordings", "--", flag];
    command(runner, "recordings", repo.cargo(example))
}
