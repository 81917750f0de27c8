//! The book's page "Recordings" says what the code gives.

use std::path::PathBuf;

use mpac_deploy_core::policy::mpac;
use mpac_deploy_testkit::mapped::{nab, page, survey};

#[test]
#[ignore = "needs the recordings beside the repository (MPAC_SHARED_DATA or ../shared/data); cargo xtask test runs it"]
fn the_tables_of_the_page_are_what_the_code_gives() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let data =
        std::env::var_os("MPAC_SHARED_DATA").map_or_else(|| root.join("../shared/data"), PathBuf::from);
    if !data.is_dir() {
        println!("skipped: there is no folder of recordings at {}", data.display());
        return;
    }
    let survey = survey(&mpac(), &data).unwrap();
    assert_eq!(
        (survey.series.len(), survey.issues.len()),
        (nab::SERIES.len(), 68),
        "every recording is there"
    );
    let written = std::fs::read_to_string(root.join("docs/src/recordings.md")).unwrap();
    let made = page::update(&written, &survey).unwrap();
    let line = written.lines().zip(made.lines()).position(|(written, made)| written != made);
    assert!(
        written == made,
        "docs/src/recordings.md differs from line {:?} on: `cargo run -p mpac-deploy-testkit --example recordings -- --write`",
        line.map(|line| line + 1)
    );
}
