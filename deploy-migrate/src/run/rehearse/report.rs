//! What a rehearsal has shown.

use mpac_deploy_core::ids::{SchemaVersion, ServiceName};
use serde::Serialize;

use super::estimate::Estimate;
use crate::checklist::{LONGEST, Rehearsed};
use crate::discover::Source;
use crate::{Class, LockMode};

/// A part of the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Leg {
    /// To the version.
    Up,
    /// Back.
    Down,
    /// To the version again.
    UpAgain,
}

impl Leg {
    /// The words as they stand in a sentence.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "the way there",
            Self::Down => "the way back",
            Self::UpAgain => "the second way there",
        }
    }
}

/// Where the tool did not arrive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Failed {
    /// On which part of the way.
    pub leg: Leg,
    /// What the tool said, or what was refused.
    pub why: String,
}

/// A lock that was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SeenLock {
    /// The table, view or index; with its schema unless that is `public`.
    pub table: String,
    /// How strong.
    pub mode: LockMode,
}

/// What one statement did, run by itself on an empty copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Observed {
    /// The file, and the line in it, from 1.
    pub file: String,
    /// The line in it, from 1.
    pub line: usize,
    /// The statement, on one line and no longer than needed to know it.
    pub statement: String,
    /// What it means for old and new code side by side, as the analysis has it.
    pub class: Class,
    /// The locks of writers and stronger ones, on what was there before the release; `None` where the statement cannot run in a
    /// transaction, in which alone they could be looked at.
    pub locks: Option<Vec<SeenLock>>,
    /// The tables that were there before and were written anew.
    pub rewrites: Vec<String>,
    /// The tables that were there before and were read as a whole; `None` where that could not be seen.
    pub scans: Option<Vec<String>>,
    /// Why it failed; those after it were not run.
    pub failed: Option<String>,
    /// What it did that the analysis of the files has not said.
    pub unexpected: Vec<String>,
}

/// What a rehearsal has shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RehearsalReport {
    /// Whose schema.
    pub service: ServiceName,
    /// Where the target is.
    pub from: SchemaVersion,
    /// Where it went.
    pub to: SchemaVersion,
    /// The files that were run, both ways.
    pub sources: Vec<Source>,
    /// Where the tool did not arrive; nothing after that was tried.
    pub failed: Option<Failed>,
    /// What is other than before after the way back, one line each, `missing: …` or `left behind: …`.
    pub after_down: Vec<String>,
    /// What is other after the second way there than after the first.
    pub after_second_up: Vec<String>,
    /// Scripts whose SQL cannot be read without running them: then the statements are those that all scripts were heard to send on the way
    /// there. What a script does for each row it has not done, since there are none.
    pub captured: Vec<String>,
    /// The same, where they were not heard either: then no statement was seen by itself.
    pub unread: Vec<String>,
    /// What the tool ran, or made, beyond the statements that were judged: then the judgement is not of what runs.
    pub unjudged: Vec<String>,
    /// Statements whose way back cannot be seen on a copy, such as those about rights, which the copies do not have.
    pub unproven: Vec<String>,
    /// Each statement of the way there, as far as they could be run one by one.
    pub statements: Vec<Observed>,
    /// How long it takes on the target; nothing if not every statement could be run by itself.
    pub estimate: Option<Estimate>,
    /// Why there is no estimate although all statements could.
    pub not_estimated: Option<String>,
    /// Copies that could not be removed, and why.
    pub left_behind: Vec<String>,
}

impl RehearsalReport {
    pub(super) fn new(
        service: &ServiceName,
        (from, to): (&SchemaVersion, &SchemaVersion),
        sources: Vec<Source>,
    ) -> Self {
        Self {
            service: service.clone(),
            from: from.clone(),
            to: to.clone(),
            sources,
            failed: None,
            after_down: Vec::new(),
            after_second_up: Vec::new(),
            captured: Vec::new(),
            unread: Vec::new(),
            unjudged: Vec::new(),
            unproven: Vec::new(),
            statements: Vec::new(),
            estimate: None,
            not_estimated: None,
            left_behind: Vec::new(),
        }
    }

    /// Whether the tool went there, back, and there again, left nothing behind, and no statement did more than was said of it.
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.problems().is_empty()
    }

    /// What is wrong, one sentence each.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let statements = self.statements.iter().flat_map(|statement| {
            let place = format!("{}:{}", statement.file, statement.line);
            let all = statement.failed.iter().map(|why| format!("fails by itself: {why}"));
            let all = all.chain(statement.unexpected.iter().cloned());
            all.map(move |what| format!("{place}: {what}")).collect::<Vec<_>>()
        });
        let unread = self.unread.iter().map(|script| format!("its statements were not seen: {script}"));
        let unmeasured = self.not_estimated.iter().map(|why| format!("its time was not estimated: {why}"));
        let copies = self.left_behind.iter().map(|copy| format!("a copy is left behind: {copy}"));
        let statements = statements.chain(self.unjudged.iter().cloned()).chain(unmeasured).chain(copies);
        self.there_and_back().chain(unread).chain(statements).chain(self.too_long()).collect()
    }

    /// What the tool did not do, and what is other than it should be after it.
    fn there_and_back(&self) -> impl Iterator<Item = String> {
        let failed =
            self.failed.iter().map(|failed| format!("{} failed: {}", failed.leg.as_str(), failed.why));
        let down = self.after_down.iter().map(|line| format!("after the way back, {line}"));
        let again = self.after_second_up.iter().map(|line| format!("after the second way there, {line}"));
        failed.chain(down).chain(again)
    }

    /// The strategy's limit is for all migrations of a release together.
    fn too_long(&self) -> Option<String> {
        let estimate = self.estimate.as_ref().filter(|estimate| estimate.runs.longest() >= LONGEST)?;
        let heaviest = estimate.work.iter().max_by(|a, b| a.runs.longest.total_cmp(&b.runs.longest))?;
        Some(format!(
            "may take {:.0} s on the target, {:.0} s of it at {}: the strategy allows {} s; fill in batches outside of the migration, build indexes \
             CONCURRENTLY, and add columns without a rewrite",
            estimate.runs.longest,
            heaviest.runs.longest,
            heaviest.place,
            LONGEST.as_secs()
        ))
    }

    /// What the [checklist](crate::checklist) asks for.
    #[must_use]
    pub fn for_checklist(&self) -> Rehearsed {
        // What is known to be too long is so whatever else is unknown.
        let is_whole = self.unjudged.is_empty() && self.unread.is_empty();
        let known = |estimate: &&Estimate| {
            (is_whole && estimate.unknown.is_empty()) || estimate.runs.longest() >= LONGEST
        };
        let longest = self.estimate.as_ref().filter(known).map(|estimate| estimate.runs.longest);
        Rehearsed {
            from: self.from.to_string(),
            to: self.to.to_string(),
            sources: self.sources.clone(),
            difference: self.there_and_back().collect(),
            unproven: self.unproven.clone(),
            unjudged: self.unjudged.iter().chain(&self.unread).cloned().collect(),
            longest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::estimate::{Range, Work};
    use super::*;

    fn estimated(longest: f64, unknown: &[&str]) -> RehearsalReport {
        let mut report = RehearsalReport::new(&"svc".into(), (&"1".into(), &"2".into()), Vec::new());
        let runs = Range { shortest: 1.0, longest };
        let work = vec![Work { place: "2.sql:7".into(), tables: Vec::new(), runs, locks: runs }];
        let unknown = unknown.iter().map(|&place| place.to_owned()).collect();
        report.estimate = Some(Estimate { runs, locks: runs, work, unknown });
        report
    }

    #[test]
    fn more_than_five_minutes_is_refused_with_the_heaviest_statement() {
        let problems = estimated(300.0, &[]).problems();
        assert!(
            problems[0].starts_with(
                "may take 300 s on the target, 300 s of it at 2.sql:7: the strategy allows 300 s"
            ),
            "{problems:?}"
        );
        assert!(estimated(299.9, &[]).is_right());
    }

    #[test]
    fn the_checklist_gets_a_time_that_is_known() {
        let longest = |report: RehearsalReport| report.for_checklist().longest;
        assert_eq!(longest(estimated(20.0, &[])), Some(20.0));
        assert_eq!(longest(estimated(20.0, &["2.sql:9"])), None);
        assert_eq!(longest(estimated(400.0, &["2.sql:9"])), Some(400.0));
    }
}
