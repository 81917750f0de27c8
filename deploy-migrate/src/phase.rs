//! What is wrong with a file as a whole.

use crate::analyze::adds_structure;
use crate::class::{Break, Class};
use crate::facts::Statement;
use crate::report::{Finding, StatementReport};
use crate::rule::Rule;

/// A file with both phases can run in neither: it removes too early or adds too late.
pub(crate) fn judge_file(statements: &[Statement], reports: &mut [StatementReport]) {
    let adds = statements
        .iter()
        .zip(reports.iter())
        .any(|(statement, report)| report.class == Class::Expand && adds_structure(statement));
    if !adds {
        return;
    }
    let Some(report) = reports.iter_mut().find(|report| report.class == Class::Contract) else { return };
    let message = "stands in one file with what new code needs before it starts: before the rollout it is too early for this \
                   statement, after it too late for the others";
    let mut finding = Finding::warning(Rule::MixedPhases, message)
        .breaks(&[Break::OldReads, Break::OldWrites])
        .fix("-- Put it into a migration of its own, for phase 2.");
    finding.span = report.span;
    finding.position = report.position;
    report.findings.push(finding);
}
