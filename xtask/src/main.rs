//! The repository's own commands. `.ci/run` and a person at a desk run the same ones.
//!
//! * `cargo xtask ci`: everything that a change must pass, ending with the tests.
//! * `cargo xtask test`: the tests, with what the ignored ones need (a browser, recordings).
//! * `cargo xtask check [NAME...]`: the purity checks by themselves.
//! * `cargo xtask docs`: the book's table of contents, every relative link, and every test that a page names.
//! * `cargo xtask bench`: the benchmarks, and where their figures are.
//! * `cargo xtask crashes`: a controller killed before and after every single effect and store write of every scenario.
//! * `cargo xtask recordings`: the tables of the page on real recordings, checked or written anew.
//!
//! The first step that fails ends the run with exit status 1 and says what to run to repeat it.
#![allow(clippy::print_stdout, reason = "a command-line tool reports on standard output")]

mod bench;
mod browser;
mod checks;
mod ci;
mod crashes;
mod docs;
mod golang;
mod markdown;
mod node;
mod postgres;
mod python;
mod recordings;
mod references;
mod repo;
mod shell;
mod step;
mod suite;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::repo::Repo;
use crate::step::{Runner, Stopped};

/// The repository's own commands.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Everything that a change must pass: format, lints, documentation, purity, links, tests.
    Ci(suite::Options),
    /// All tests, the ignored ones too, with what they need.
    Test(suite::Options),
    /// The purity checks, all of them or those named.
    Check {
        /// Names of checks; none means all.
        #[arg(value_enum)]
        names: Vec<checks::Name>,
    },
    /// The book's table of contents, its relative links, the tests that it names, and the book itself if mdbook is installed.
    Docs,
    /// The benchmarks, and where their figures are.
    Bench {
        /// Passed on to the benchmarks, for example a filter.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// A controller killed before and after every single effect and every single write to the store, in every scenario.
    Crashes {
        /// Only every so many of the situations.
        #[arg(long, default_value = "1", value_parser = clap::value_parser!(u32).range(1..))]
        every: u32,
        /// From which on: with `--every 21`, `--first 0` to `--first 20` are all of them, on as many machines or days.
        #[arg(long, default_value = "0")]
        first: u32,
    },
    /// The tables of the page "Recordings" are what the code gives; needs the recordings beside the checkout.
    Recordings {
        /// Write them anew instead.
        #[arg(long)]
        write: bool,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let repo = Repo::locate();
    let mut runner = Runner::new(std::io::stdout());
    let result = dispatch(&cli.command, &repo, &mut runner);
    runner.summary();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stopped) => ExitCode::FAILURE,
    }
}

fn dispatch(command: &Command, repo: &Repo, runner: &mut Runner<std::io::Stdout>) -> Result<(), Stopped> {
    match command {
        Command::Ci(options) => ci::run(repo, runner, options),
        Command::Test(options) => suite::run(repo, runner, options),
        Command::Check { names } => checks::run(repo, runner, names),
        Command::Docs => docs::run(repo, runner),
        Command::Bench { args } => bench::run(repo, runner, args),
        Command::Crashes { every, first } => crashes::run(repo, runner, *every, *first),
        Command::Recordings { write } => recordings::run(repo, runner, *write),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
