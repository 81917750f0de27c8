//! `cargo xtask crashes`: the crash simulation in full, in a release build. It takes about two and a half hours on two cores.

use std::io::Write;

use crate::ci::command;
use crate::repo::Repo;
use crate::shell::Shell;
use crate::step::{Runner, Stopped};

/// The test, and the variables that tell it what to try.
const TEST: &str = "in_every_scenario_a_rollout_may_be_killed_anywhere";
const EVERY: &str = "MPAC_CRASHES_EVERY";
const FIRST: &str = "MPAC_CRASHES_FIRST";

/// Runs it, in every situation or in one of `every`, from the one with the number `first` on.
pub(crate) fn run<W: Write>(
    repo: &Repo,
    runner: &mut Runner<W>,
    every: u32,
    first: u32,
) -> Result<(), Stopped> {
    command(runner, "crashes", crashes(repo, every, first))
}

fn crashes(repo: &Repo, every: u32, first: u32) -> Shell {
    repo.cargo(["test", "--release", "--package", "mpac-deploy-testkit", "--test", "crashes", TEST])
        .args(["--", "--ignored", "--nocapture"])
        .env(FIRST, first.to_string())
        .env(EVERY, every.to_string())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_test_is_told_how_much_to_try() {
        let line = crashes(&Repo::at(Path::new(".")), 7, 3).line();
        assert!(line.starts_with("MPAC_CRASHES_EVERY=7 MPAC_CRASHES_FIRST=3 cargo test --release"), "{line}");
        assert!(line.ends_with("may_be_killed_anywhere -- --ignored --nocapture"), "{line}");
    }
}
