//! The purity checks: what the compiler cannot say about the shape of the workspace.

mod direction;
mod machine_paths;
mod readme;
mod sources;
mod tree;

use std::io::Write;

use clap::ValueEnum;

use crate::repo::Repo;
use crate::shell::Shell;
use crate::step::{Failure, Runner, Stopped};

const CORE: &str = "mpac-deploy-core";
const OPERATOR: &str = "mpac-deploy-examples";

/// A check, as named on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Name {
    /// The core builds without the standard library.
    NoStd,
    /// Nothing that does I/O, and nothing with `std` switched on, is below that build.
    PureTree,
    /// The default builds of the core and of the operator's command line hold no AWS crate.
    AwsFree,
    /// The operator's command line has no warning without its features, and with its default ones alone.
    OperatorFeatures,
    /// Our crates depend on each other only in the allowed directions.
    Direction,
    /// The deciding sources name no clock, thread, file or socket.
    CoreSources,
    /// The README's example is the one that the documentation test compiles.
    ReadmeExample,
    /// No file names an absolute path of somebody's machine.
    MachinePaths,
}

/// Runs the named checks, or all of them if none is named.
pub(crate) fn run<W: Write>(repo: &Repo, runner: &mut Runner<W>, names: &[Name]) -> Result<(), Stopped> {
    let names = if names.is_empty() { Name::value_variants() } else { names };
    for name in names {
        let word = name.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
        let repeat = format!("cargo xtask check {word}");
        runner.step(&word, &repeat, || check(repo, *name))?;
    }
    Ok(())
}

fn check(repo: &Repo, name: Name) -> Result<(), Failure> {
    match name {
        Name::NoStd => no_std(repo).run(),
        Name::PureTree => {
            let text = cargo_tree(repo, CORE, &["--no-default-features"]).capture()?;
            Failure::unless_empty(tree::impure(&tree::parse(&text)))
        }
        Name::AwsFree => aws_free(repo),
        Name::OperatorFeatures => {
            operator(repo, &["--no-default-features"]).and_then(|()| operator(repo, &[]))
        }
        Name::Direction => Failure::unless_empty(direction::violations(&repo.packages()?)),
        Name::CoreSources => sources::check(repo),
        Name::ReadmeExample => {
            readme::compare(&repo.read("README.md")?, &repo.read("deploy-core/src/lib.rs")?)
        }
        Name::MachinePaths => machine_paths::check(repo),
    }
}

/// `cargo rustc` refuses warnings in the core alone; `RUSTFLAGS` would build everything below it anew.
fn no_std(repo: &Repo) -> Shell {
    repo.cargo(["rustc", "--package", CORE, "--lib", "--no-default-features", "--", "-D", "warnings"])
}

/// With all features it is built by every other step.
fn operator(repo: &Repo, features: &[&str]) -> Result<(), Failure> {
    let clippy = ["clippy", "--package", OPERATOR, "--all-targets"];
    repo.cargo([&clippy[..], features, &["--", "-D", "warnings"]].concat()).run()
}

fn aws_free(repo: &Repo) -> Result<(), Failure> {
    let mut found = Vec::new();
    for package in [CORE, OPERATOR] {
        if repo.has_package(package)? {
            let text = cargo_tree(repo, package, &[]).capture()?;
            found.extend(tree::aws(package, &tree::parse(&text)));
        }
    }
    Failure::unless_empty(found)
}

/// One `NAME vVERSION|FEATURES` a line; procedural macros are left out, since they run in the compiler.
fn cargo_tree(repo: &Repo, package: &str, flags: &[&str]) -> Shell {
    repo.cargo(["tree", "--package", package]).args(flags).args([
        "--edges",
        "normal,no-proc-macro",
        "--prefix",
        "none",
        "--format",
        "{p}|{f}",
    ])
}
