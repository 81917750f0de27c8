//! The tables of the book's page "Recordings", made from a [`Survey`].
//!
//! A table stands in the page between `<!-- NAME -->` and `<!-- end of NAME -->`; [`update`] replaces what is between.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::petshop::{Issue, ServicePeriod};
use super::survey::{Ending, IssueResult, NormalResult, SeriesResult, Survey};
use crate::backtest::BacktestOutcome;

/// A page that lacks the place of a table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the page has no `{0}`: each table stands between two such comments")]
pub struct NoPlace(String);

/// The page with its tables made anew.
///
/// # Errors
/// [`NoPlace`] when the page lacks the place of a table.
pub fn update(page: &str, survey: &Survey) -> Result<String, NoPlace> {
    let tables = [
        ("nab", nab(&survey.series)),
        ("petshop-summary", petshop_summary(&survey.issues)),
        ("petshop-normal", petshop_normal(&survey.normal)),
        ("petshop", petshop(&survey.issues)),
        ("petshop-other-rules", other_rules(&survey.issues)),
    ];
    tables.iter().try_fold(page.to_owned(), |page, (name, table)| replace(&page, name, table))
}

fn replace(page: &str, name: &str, table: &str) -> Result<String, NoPlace> {
    let (start, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
    let (before, rest) = page.split_once(&start).ok_or_else(|| NoPlace(start.trim_end().to_owned()))?;
    let (_, after) = rest.split_once(&end).ok_or_else(|| NoPlace(end.clone()))?;
    Ok(format!("{before}{start}\n{table}\n{end}{after}"))
}

fn nab(series: &[SeriesResult]) -> String {
    let header = [
        "series",
        "read as",
        "minutes a value",
        "on each labelled anomaly",
        "throughout",
        "alerts throughout",
    ];
    let rows = series.iter().map(|series| {
        let labelled = series.labelled.iter().map(with_alerts).collect::<Vec<_>>();
        [
            stem(series.file).to_owned(),
            format!("`{}`", series.stands_for.metric()).replace("`a custom metric`", "a custom metric"),
            series.step.to_string(),
            if labelled.is_empty() { "no label".to_owned() } else { repeated(&labelled) },
            tally(&series.throughout),
            alerts(&series.throughout),
        ]
    });
    table(&header, rows)
}

fn petshop(issues: &[IssueResult]) -> String {
    let header = [
        "recording",
        "fault in",
        "p95 in ms",
        "errors made from availability",
        "as recorded",
        "had it lasted",
    ];
    let rows = issues.iter().map(|result| {
        let (before, during) = (result.issue.before(), result.issue.during());
        let change = |show: &dyn Fn(&ServicePeriod) -> String| {
            format!("{} → {}, {}", show(before), show(&during[0]), show(&during[1]))
        };
        [
            result.name.replace("_traffic", "").replace("issue_", "").replace('/', " "),
            format!("{}: {}", result.issue.target.metric, component(&result.issue)),
            change(&|period| format!("{:.0}", period.latency_p95)),
            change(&|period| format!("{:.2} %", 100.0 * (1.0 - period.availability))),
            ending(&result.as_recorded),
            ending(&result.had_it_lasted),
        ]
    });
    table(&header, rows)
}

fn petshop_summary(issues: &[IssueResult]) -> String {
    let header = ["fault", "recordings", "as recorded", "had it lasted"];
    let rows = ["latency", "availability"].map(|fault| {
        let of_fault: Vec<&IssueResult> =
            issues.iter().filter(|result| result.issue.target.metric == fault).collect();
        let tally_of = |pick: fn(&IssueResult) -> &Ending| {
            tally(&of_fault.iter().map(|result| pick(result).clone()).collect::<Vec<_>>())
        };
        [
            fault.to_owned(),
            of_fault.len().to_string(),
            tally_of(|result| &result.as_recorded),
            tally_of(|result| &result.had_it_lasted),
        ]
    });
    table(&header, rows)
}

fn petshop_normal(normal: &[NormalResult]) -> String {
    let header = ["recording", "rollouts", "what would have become of them", "alerts"];
    let rows = normal.iter().map(|normal| {
        let rollouts = &normal.rollouts;
        [normal.name.replace('_', " "), rollouts.len().to_string(), tally(rollouts), alerts(rollouts)]
    });
    table(&header, rows)
}

/// What single numbers say of a fault, in any period after the one before it.
fn other_rules(issues: &[IssueResult]) -> String {
    type Finds = fn(&Issue, &ServicePeriod) -> bool;
    let rules: [(&str, &str, Finds); 4] = [
        ("p95 > 2000 ms, the preset's trigger", "latency", |_, period| period.latency_p95 > 2000.0),
        ("p95 ≥ 500 ms, the preset's gates", "latency", |_, period| period.latency_p95 >= 500.0),
        ("p95 > 1.3 x the period before", "latency", |issue, period| {
            period.latency_p95 > 1.3 * issue.before().latency_p95
        }),
        ("availability < 99 %, the preset's trigger", "availability", |_, period| period.availability < 0.99),
    ];
    let header = ["in any period after the one before the fault", "faults", "finds"];
    let rows = rules.map(|(rule, fault, finds)| {
        let of_fault = issues.iter().map(|result| &result.issue).filter(|issue| issue.target.metric == fault);
        let found = of_fault.clone().filter(|issue| issue.from_onset().any(|period| finds(issue, period)));
        let (found, all) = (found.count(), of_fault.count());
        [rule.to_owned(), fault.to_owned(), format!("{found} of {all}")]
    });
    table(&header, rows)
}

/// A file's name without its folder and its ending.
fn stem(file: &str) -> &str {
    let name = file.rsplit('/').next().unwrap_or(file);
    name.trim_end_matches(".csv")
}

/// The component in which a fault was injected, without its type.
fn component(issue: &Issue) -> String {
    let name = issue.target.root_cause.split("_AWS").next().unwrap_or_default();
    name.to_owned()
}

/// How one rollout would have gone, in a cell.
fn ending(ending: &Ending) -> String {
    let Ending { outcome, stage, rule, minute, .. } = ending;
    let rule = rule.as_deref().unwrap_or_default();
    match outcome {
        BacktestOutcome::Completed => format!("completed, minute {minute}"),
        BacktestOutcome::RolledBack => format!("rolled back in {stage} by `{rule}`, minute {minute}"),
        BacktestOutcome::InProgress => format!("still in {stage} at its end, minute {minute}"),
    }
}

fn with_alerts(result: &Ending) -> String {
    let alerts = result.alerts.iter().map(|rule| format!("`{rule}`")).collect::<Vec<_>>();
    let text = ending(result);
    if alerts.is_empty() { text } else { format!("{text} (alert: {})", alerts.join(", ")) }
}

/// How many rollouts went how, in a cell.
fn tally(endings: &[Ending]) -> String {
    let mut counts: BTreeMap<(u8, String), usize> = BTreeMap::new();
    for Ending { outcome, stage, rule, .. } in endings {
        let rule = rule.as_deref().unwrap_or_default();
        let kind = match outcome {
            BacktestOutcome::Completed => (0, "completed".to_owned()),
            BacktestOutcome::RolledBack => (1, format!("rolled back in {stage} by `{rule}`")),
            BacktestOutcome::InProgress => (2, format!("still in {stage} at its end")),
        };
        *counts.entry(kind).or_default() += 1;
    }
    let parts = counts.iter().map(|((_, kind), count)| format!("{count} {kind}")).collect::<Vec<_>>();
    parts.join(", ")
}

/// In how many rollouts each alert was raised, in a cell.
fn alerts(endings: &[Ending]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for rule in endings.iter().flat_map(|ending| &ending.alerts) {
        *counts.entry(rule).or_default() += 1;
    }
    let parts = counts.iter().map(|(rule, count)| format!("`{rule}` in {count}")).collect::<Vec<_>>();
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}

/// Equal cells in a row are written once, with their number.
fn repeated(cells: &[String]) -> String {
    let parts = cells.chunk_by(|one, next| one == next).filter_map(|equal| {
        let cell = equal.first()?;
        Some(if equal.len() == 1 { cell.clone() } else { format!("{} x {cell}", equal.len()) })
    });
    parts.collect::<Vec<_>>().join("; ")
}

fn table<const N: usize>(header: &[&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "| {} |\n|{}", header.join(" | "), "---|".repeat(N));
    for row in rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    text
}
