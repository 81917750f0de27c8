//! The story of a simulated rollout.

use mpac_deploy_core::metric::Side;
use mpac_deploy_core::policy::Policy;
use mpac_deploy_testkit::scenario::Scenario;
use mpac_deploy_testkit::sim::{SimOutcome, SimReport};
use mpac_deploy_testkit::world::MinuteRow;

use super::story::{Minute, Story, Verdict};
use crate::{account, words};

/// The story of a simulation.
pub(crate) fn of_simulation(
    title: String,
    policy: &Policy,
    scenario: &Scenario,
    report: &SimReport,
) -> Story {
    let release = &scenario.release;
    let mut facts = vec![
        ("Service", release.service.clone()),
        ("Record", release.record.to_string()),
        ("Release", format!("{} replaces {}", release.green, release.blue)),
        ("Policy", policy.name.clone()),
        ("Began", words::moment(report.began)),
        ("Lasted", words::span(report.ended.since(report.began))),
    ];
    if let Some(decision) = account::rollback(report) {
        facts.extend(decision.rule.clone().map(|rule| ("Rule", rule)));
    }
    if let Some(took) = account::rollback_took(report) {
        facts.push(("Rollback took", words::span(took)));
    }
    facts.push(("Scenario and seed", format!("{}, {}", report.scenario, report.seed)));
    let minutes: Vec<Minute> = report.minutes.iter().map(|row| minute(policy, row)).collect();
    let first = (report.history.began, report.history.initial);
    Story {
        title,
        lead: format!("{} {}", scenario.description, account::sentence(report)),
        verdict: verdict(&report.outcome),
        facts,
        from: report.began,
        to: minutes.last().map_or(report.ended, |last| last.period.end().max(report.ended)),
        weights: std::iter::once(first)
            .chain(report.history.weights.iter().map(|change| (change.at, change.weights)))
            .collect(),
        stages: account::stages(report),
        decisions: report.decisions.clone(),
        minutes,
        skipped: Vec::new(),
        policy: policy.clone(),
    }
}

const fn verdict(outcome: &SimOutcome) -> Verdict {
    match outcome {
        SimOutcome::Completed => Verdict::Completed,
        SimOutcome::RolledBack { .. } => Verdict::RolledBack,
        SimOutcome::Abandoned { .. } => Verdict::Abandoned,
        SimOutcome::Held { .. } => Verdict::Held,
        SimOutcome::Unfinished { .. } | SimOutcome::Stopped { .. } => Verdict::InProgress,
    }
}

fn minute(policy: &Policy, row: &MinuteRow) -> Minute {
    let sides = [(Side::Blue, &row.blue), (Side::Green, &row.green)];
    let rows = sides
        .into_iter()
        .flat_map(|(side, numbers)| numbers.iter().map(move |(metric, value)| (side, metric, *value)));
    Minute::of_rows(policy, row.period, rows)
}
