//! Policies from files: TOML or JSON by the name's end, else by the first character.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use mpac_deploy_core::policy::{Policy, mpac};

use crate::reply::Failure;

/// Far beyond any policy that a person writes, the most that CloudFormation takes, and little enough to read whatever the name leads to.
const MAX_BYTES: u64 = 1 << 20;

/// The policy in a file, or the preset `mpac` without one.
pub(crate) fn load_or_preset(path: Option<&Path>) -> Result<Policy, Failure> {
    path.map_or_else(|| Ok(mpac()), load)
}

/// The policy in a file, unchecked; `-` is standard input.
pub(crate) fn load(path: &Path) -> Result<Policy, Failure> {
    let text = read(path, "policy")?;
    let policy = if is_json(path, &text) { Policy::from_json(&text) } else { Policy::from_toml(&text) };
    policy.map_err(|error| unusable(path, &error))
}

/// An error in a file, with the file's name.
pub(crate) fn unusable(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::Input(format!("{}: {error}", path.display()))
}

/// The text of a file that holds this; `-` is standard input.
pub(crate) fn read(path: &Path, what: &str) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let source: io::Result<Box<dyn Read>> = if path == Path::new("-") {
        Ok(Box::new(io::stdin()))
    } else {
        File::open(path).map(|file| -> Box<dyn Read> { Box::new(file) })
    };
    source
        .and_then(|source| source.take(MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| unusable(path, &error))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(unusable(path, &format!("more than a megabyte: this is no {what}")));
    }
    String::from_utf8(bytes)
        .map_err(|error| unusable(path, &format!("no UTF-8 ({}): save it as UTF-8", error.utf8_error())))
}

fn is_json(path: &Path, text: &str) -> bool {
    let end = path.extension().map(|end| end.to_ascii_lowercase());
    match end.as_deref().and_then(|end| end.to_str()) {
        Some("json") => true,
        Some("toml") => false,
        Some(_) | None => text.trim_start_matches('\u{feff}').trim_start().starts_with('{'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_decides_and_else_the_first_character() {
        assert!(is_json(Path::new("a.JSON"), "name = 1"));
        assert!(!is_json(Path::new("a.toml"), "{}"));
        assert!(is_json(Path::new("-"), "\u{feff}\n {"));
        assert!(!is_json(Path::new("policy"), "name = 1"));
    }
}
