//! `cargo xtask bench`: the benchmarks, and where their figures are.

use std::io::Write;

use crate::python;
use crate::repo::Repo;
use crate::step::{Failure, Runner, Stopped};

const PACKAGE: &str = "mpac-deploy-benches";
/// Where criterion leaves its report, and where the figures that we stand by are written down.
const FIGURES: [&str; 2] = ["target/criterion/report/index.html", "docs/src/performance.md"];

/// Runs every benchmark, or those that `args` select.
pub(crate) fn run<W: Write>(repo: &Repo, runner: &mut Runner<W>, args: &[String]) -> Result<(), Stopped> {
    let mut bench = repo.cargo(["bench", "--package", PACKAGE]);
    if python::needed(repo) {
        let path = runner.step("python packages", "cargo xtask bench", || {
            python::prepare(repo, &repo.root().join(python::VENV))
        })?;
        bench = bench.env("PATH", path);
    }
    if !args.is_empty() {
        bench = bench.args(["--"]).args(args);
    }
    runner.step("benchmarks", &bench.line(), || {
        if !repo.has_package(PACKAGE)? {
            return Err(Failure::new(format!("the workspace has no package {PACKAGE}")));
        }
        bench.run()
    })?;
    for path in FIGURES.iter().filter(|path| repo.root().join(path).is_file()) {
        runner.say(&format!("figures: {path}"));
    }
    Ok(())
}
