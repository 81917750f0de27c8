//! A rollout as one HTML file: it needs no network, no script and no fonts, and is light or dark as the reader is.

mod chart;
mod limits;
mod page;
mod palette;
mod series;
mod story;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::Path;

pub(crate) use story::{Minute, Sample, StageSpan, Story, Verdict, of_backtest};

use crate::reply::Failure;

/// Writes a report with a story for each rollout.
pub(crate) fn write(path: &Path, stories: &[Story]) -> Result<(), Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::Input(format!("cannot write the report {}: {error}", path.display()))
    };
    let html = page::render(stories).map_err(|error| failed(&error))?;
    fs::write(path, html).map_err(|error| failed(&error))
}
