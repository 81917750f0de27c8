//! `mpac-deploy`, the operator's command line: try the library in a minute, and drive it from scripts.
//!
//! Exit status: 0 done as asked, 1 the rollout rolled back or a check found something, 2 unusable input, 3 the world could not be
//! reached. With `--json` one JSON document goes to standard output and nothing else; of an error it is
//! `{"error": TEXT}`. Messages go to standard error.

mod absent;
mod account;
#[cfg(feature = "aws")]
mod aws;
mod backtest;
mod cli;
#[cfg(feature = "aws")]
mod config;
mod demo;
#[cfg(feature = "aws")]
mod infra;
mod limits;
mod migrations;
mod person;
#[cfg(feature = "aws")]
mod plan;
mod policy;
mod policy_file;
#[cfg(feature = "database")]
mod rehearse;
mod reply;
mod report;
#[cfg(feature = "aws")]
mod run;
mod runtime;
#[cfg(feature = "aws")]
mod sim_aws;
mod simulate;
#[cfg(feature = "live")]
mod status_page;
#[cfg(feature = "database")]
mod stops;
mod words;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command, MigrationsCommand};
use reply::{Failure, Reply, Status};

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    words::respect_no_color();
    let json = arguments.iter().any(|argument| argument == "--json");
    match answer(&arguments) {
        Ok(reply) => say(&reply.text, reply.status),
        Err(failure) => refuse(&failure, json),
    }
    .into()
}

fn answer(arguments: &[OsString]) -> Result<Reply, Failure> {
    if let Some(why) = absent::why_absent(arguments) {
        return Err(Failure::Input(why));
    }
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => return Err(Failure::Usage(error)),
        // Help and version were asked for.
        Err(error) => return Ok(Reply::done(error.render().to_string())),
    };
    match cli.command {
        Command::Demo(options) => demo::run(&options),
        Command::Policy(what) => policy::run(&what),
        Command::Simulate(options) => simulate::run(&options),
        Command::Backtest(options) => backtest::run(&options),
        Command::Migrations(MigrationsCommand::Check(options)) => migrations::check(&options),
        Command::Migrations(MigrationsCommand::Checklist(options)) => migrations::checklist(&options),
        #[cfg(feature = "database")]
        Command::Migrations(MigrationsCommand::Rehearse(options)) => rehearse::rehearse(&options),
        Command::Status(options) => person::status(&options),
        Command::Watch(options) => person::watch(&options),
        Command::Pause(options) => person::pause(&options),
        Command::Resume(options) => person::resume(&options),
        Command::Promote(options) => person::promote(&options),
        Command::Approve(options) => person::approve(&options),
        Command::Abort(options) => person::abort(&options),
        Command::History(options) => person::history(&options),
        #[cfg(feature = "aws")]
        Command::Infra(what) => infra::run(&what),
        #[cfg(feature = "aws")]
        Command::Run(options) => run::run(&options),
        #[cfg(feature = "aws")]
        Command::Plan(options) => plan::run(&options),
        #[cfg(feature = "aws")]
        Command::SimAws(options) => sim_aws::run(&options),
    }
}

/// A reader that has seen enough and closed the pipe is no failure.
fn say(text: &str, status: Status) -> Status {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            complain(&format!("cannot write to standard output: {error}\n"));
            Status::Unusable
        }
        Ok(()) | Err(_) => status,
    }
}

fn refuse(failure: &Failure, json: bool) -> Status {
    complain(&failure.for_people());
    if json { say(&failure.as_json(), failure.status()) } else { failure.status() }
}

/// A line on standard output. Whoever closed it sees no more, and the exit status says the rest.
fn say_line(line: &str) {
    writeln!(io::stdout().lock(), "{line}").ok();
}

/// Nothing is left to be done where even standard error cannot be written.
fn complain(text: &str) {
    io::stderr().lock().write_all(text.as_bytes()).ok();
}
