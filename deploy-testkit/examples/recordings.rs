//! Makes the tables of the book's page "Recordings" anew, or checks that they are what the code gives.
//!
//! `cargo run -p mpac-deploy-testkit --example recordings -- --write|--check`; the recordings are those that the variable
//! `MPAC_SHARED_DATA` names, or `../shared/data` beside the checkout. Exit status 1: the page is not up to date; 2: wrong usage,
//! or a file cannot be read or written.
#![allow(clippy::print_stdout, reason = "a command-line tool reports on standard output")]

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use mpac_deploy_core::policy::mpac;
use mpac_deploy_testkit::mapped::{page, survey};

fn main() -> ExitCode {
    let arg = std::env::args().nth(1);
    let result = match arg.as_deref() {
        Some("--write") => run(true),
        Some("--check") => run(false),
        Some(_) | None => Err("usage: recordings --write|--check".into()),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn run(write: bool) -> Result<bool, Box<dyn Error>> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let data =
        std::env::var_os("MPAC_SHARED_DATA").map_or_else(|| root.join("../shared/data"), PathBuf::from);
    let path = root.join("docs/src/recordings.md");
    let old = std::fs::read_to_string(&path)?;
    let new = page::update(&old, &survey(&mpac(), &data)?)?;
    if old == new {
        println!("docs/src/recordings.md is up to date");
        return Ok(true);
    }
    if write {
        std::fs::write(&path, new)?;
        println!("docs/src/recordings.md written");
    } else {
        println!("docs/src/recordings.md is not what the code gives: write it anew with --write");
    }
    Ok(write)
}
