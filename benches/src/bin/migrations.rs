//! What `mpac-deploy migrations check PATH... --json` does with files, and nothing else: for a comparison of whole processes.
//!
//! `migrations write DIRECTORY COUNT` makes the files; `migrations check PATH...` judges them.
#![allow(clippy::print_stdout, reason = "a command writes its answer")]

use std::error::Error;
use std::path::PathBuf;

use mpac_deploy_benches::migrations::migrations;
use mpac_deploy_migrate::discover::Discovery;
use mpac_deploy_migrate::{Analyzer, Config, output};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["write", directory, count] => {
            std::fs::create_dir_all(directory)?;
            for (name, text) in migrations(count.parse()?) {
                std::fs::write(PathBuf::from(directory).join(name), text)?;
            }
            Ok(())
        }
        ["check", paths @ ..] => {
            let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
            let found = Discovery::default().find(&paths)?;
            let mut report = Analyzer::new(Config::default()).analyze(&found.migrations);
            report.add(&found.problems);
            print!("{}", output::json(&report)?);
            Ok(())
        }
        _ => Err("migrations write DIRECTORY COUNT | migrations check PATH...".into()),
    }
}
