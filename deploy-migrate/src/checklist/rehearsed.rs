//! What a rehearsal tells the list, and whether it was one of the same files.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::discover::Source;

/// So many files are named where a rehearsal was of others; more tell a reader nothing new (ours).
const NAMED: usize = 3;

/// What a rehearsal has shown: the part of its result that the list asks for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rehearsed {
    /// The version at which it began.
    pub from: String,
    /// The version to which it went.
    pub to: String,
    /// The files that it ran.
    pub sources: Vec<Source>,
    /// What went wrong on the way there and back, or was other than before afterwards, one line each: nothing if the way back is right.
    pub difference: Vec<String>,
    /// What the way back may leave behind without being seen, one line each: a person has to look at it.
    pub unproven: Vec<String>,
    /// What the tool ran that is not in the files as they were judged, one line each.
    pub unjudged: Vec<String>,
    /// The longest that the migrations may take in production, in seconds; nothing if it was not estimated.
    pub longest: Option<f64>,
}

/// A rehearsal of other files than those that are judged: it shows nothing of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the rehearsal from {from} to {to} was one of other files: {}", .differences.join("; "))]
#[non_exhaustive]
pub struct OtherFiles {
    /// The version at which it began.
    pub from: String,
    /// The version to which it went.
    pub to: String,
    /// The files that differ, and how.
    pub differences: Vec<String>,
}

impl Rehearsed {
    /// Whether it ran these files, byte for byte, and no others.
    pub(super) fn is_of(&self, sources: &[Source]) -> Result<(), OtherFiles> {
        let (ran, judged) = (BTreeSet::from_iter(&self.sources), BTreeSet::from_iter(sources));
        let has = |files: &BTreeSet<&Source>, name: &str| files.iter().any(|file| file.name == name);
        let now = judged.difference(&ran).map(|file| {
            let how = if has(&ran, &file.name) { "has changed since" } else { "was not in it" };
            format!("{file} {how}")
        });
        let then = ran.difference(&judged).filter(|file| !has(&judged, &file.name));
        let all: Vec<String> = now.chain(then.map(|file| format!("{file} was in it"))).collect();
        if all.is_empty() {
            return Ok(());
        }
        let more = all.len().saturating_sub(NAMED);
        let mut differences: Vec<String> = all.into_iter().take(NAMED).collect();
        if more > 0 {
            differences.push(format!("and {more} more"));
        }
        Err(OtherFiles { from: self.from.clone(), to: self.to.clone(), differences })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn sources(files: &[(&str, &str)]) -> Vec<Source> {
        files.iter().map(|(name, text)| Source::of(Path::new(name), text)).collect()
    }

    #[test]
    fn a_rehearsal_is_one_of_the_same_files_or_says_which_differ() {
        let ran = Rehearsed {
            from: "1".into(),
            to: "2".into(),
            sources: sources(&[("a/2.up.sql", "up"), ("a/2.down.sql", "down"), ("a/3.up.sql", "three")]),
            ..Rehearsed::default()
        };
        assert_eq!(
            ran.is_of(&sources(&[("3.up.sql", "three"), ("2.down.sql", "down"), ("2.up.sql", "up")])),
            Ok(())
        );
        let other = ran.is_of(&sources(&[("2.up.sql", "up"), ("2.down.sql", "other"), ("4.up.sql", "")]));
        assert_eq!(
            other.unwrap_err().to_string(),
            "the rehearsal from 1 to 2 was one of other files: 2.down.sql has changed since; 4.up.sql was not in it; 3.up.sql was in it"
        );
        let many: Vec<(String, &str)> = (10..20).map(|at| (format!("{at}.sql"), "")).collect();
        let many: Vec<(&str, &str)> = many.iter().map(|(name, text)| (name.as_str(), *text)).collect();
        let differences = ran.is_of(&sources(&many)).unwrap_err().differences;
        assert_eq!((differences.len(), differences[3].as_str()), (4, "and 10 more"));
    }
}
