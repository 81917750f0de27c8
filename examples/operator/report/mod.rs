//! A rollout as one HTML file: it needs no network, no script and no fonts, and is light or dark as the reader is.

mod chart;
mod page;
mod palette;
mod replayed;
mod series;
mod simulated;
mod story;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::Path;

pub(crate) use replayed::of_backtest;
pub(crate) use simulated::of_simulation;
pub(crate) use story::Story;

use crate::reply::Failure;

/// Writes a report with a story for each rollout.
pub(crate) fn write(path: &Path, stories: &[Story]) -> Result<(), Failure> {
    let html = page::render(stories).map_err(|error| unwritable(path, &error))?;
    fs::write(path, html).map_err(|error| unwritable(path, &error))
}

/// Finds out whether a report can be written before anything is done that it would tell of.
///
/// # Errors
/// [`Failure::Input`] when it cannot.
pub(crate) fn prepare(path: Option<&Path>) -> Result<(), Failure> {
    let Some(path) = path else { return Ok(()) };
    let opened = fs::OpenOptions::new().append(true).create(true).open(path);
    opened.map(drop).map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::Input(format!("cannot write the report {}: {error}", path.display()))
}
