//! `simulate`: a rollout in a simulated world, in virtual time.

use std::fmt::Write as _;

use console::style;
use mpac_deploy_core::decision::Decision;
use mpac_deploy_core::effect::ObservedWeights;
use mpac_deploy_core::policy::{PolicyError, mpac};
use mpac_deploy_core::time::Timestamp;
use mpac_deploy_testkit::scenario::{self, Scenario};
use mpac_deploy_testkit::sim::{self, SimError, SimOutcome, SimReport};
use serde::Serialize;
use serde_json::json;

use crate::cli::SimulateOptions;
use crate::policy_file::{load_or_preset, unusable};
use crate::reply::{Failure, Reply, Status};
use crate::{account, report, words};

pub(crate) fn run(options: &SimulateOptions) -> Result<Reply, Failure> {
    if options.list {
        return list(options.json);
    }
    let name = options.scenario.as_deref().unwrap_or_default();
    let scenario = scenario::by_name(name).map_err(|error| Failure::Input(error.to_string()))?;
    let policy = load_or_preset(options.policy.as_deref())?;
    let refused = |error: PolicyError| match &options.policy {
        Some(path) => unusable(path, &error),
        None => Failure::Input(error.to_string()),
    };
    report::prepare(options.report.as_deref())?;
    let result = sim::run(&scenario, &policy, options.seed).map_err(|error| match error {
        SimError::Policy(error) => refused(error),
        SimError::Runtime(_) | _ => Failure::World(error.to_string()),
    })?;
    if let Some(path) = &options.report {
        let title = format!("Simulation of {}", scenario.name);
        report::write(path, &[report::of_simulation(title, &policy, &scenario, &result)])?;
    }
    let status = status(&result.outcome);
    // How a scenario should end is said for the preset; another policy may rightly see it differently.
    let as_expected = (policy == mpac()).then_some(result.as_expected);
    if options.json {
        Reply::json(status, &Document::of(&result, as_expected))
    } else {
        Ok(Reply { status, text: for_people(&scenario, &result, as_expected) })
    }
}

const fn status(outcome: &SimOutcome) -> Status {
    match outcome {
        SimOutcome::Completed => Status::Done,
        SimOutcome::RolledBack { .. }
        | SimOutcome::Abandoned { .. }
        | SimOutcome::Held { .. }
        | SimOutcome::Unfinished { .. } => Status::Found,
        SimOutcome::Stopped { .. } => Status::Unreachable,
    }
}

fn list(json: bool) -> Result<Reply, Failure> {
    let all = scenario::all();
    if json {
        let entry = |scenario: &Scenario| {
            json!({
                "name": scenario.name,
                "description": scenario.description,
                "expected": scenario.expected.to_string(),
            })
        };
        return Reply::json(Status::Done, &json!({ "scenarios": all.iter().map(entry).collect::<Vec<_>>() }));
    }
    let width = all.iter().map(|scenario| scenario.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for scenario in &all {
        let name = style(format!("{:width$}", scenario.name)).bold();
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "{name}  {}", scenario.description);
        let _ = writeln!(text, "{:width$}  {}", "", style(format!("{}.", scenario.expected)).dim());
    }
    Ok(Reply::done(text))
}

#[derive(Serialize)]
struct Document<'a> {
    scenario: &'a str,
    seed: u64,
    outcome: String,
    stage: Option<&'a str>,
    rule: Option<&'a str>,
    why: String,
    /// Null under another policy than the preset.
    as_expected: Option<bool>,
    began: Timestamp,
    ended: Timestamp,
    weights: Vec<Change>,
    decisions: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Change {
    at: Timestamp,
    #[serde(flatten)]
    weights: ObservedWeights,
}

#[derive(Serialize)]
struct Entry<'a> {
    kind: &'static str,
    stage: Option<&'a str>,
    rule: Option<&'a str>,
    evidence_end: Option<Timestamp>,
    at: Timestamp,
    reason: &'a str,
    counterfactual: &'a str,
}

impl<'a> Document<'a> {
    fn of(report: &'a SimReport, as_expected: Option<bool>) -> Self {
        let changes = report.history.weights.iter().map(|change| (change.at, change.weights));
        Self {
            scenario: &report.scenario,
            seed: report.seed,
            outcome: account::outcome(report),
            stage: account::last_stage(report),
            rule: account::rollback(report).and_then(|decision| decision.rule.as_deref()),
            why: account::sentence(report),
            as_expected,
            began: report.began,
            ended: report.ended,
            weights: std::iter::once((report.history.began, report.history.initial))
                .chain(changes)
                .map(|(at, weights)| Change { at, weights })
                .collect(),
            decisions: report.decisions.iter().map(Entry::of).collect(),
        }
    }
}

impl<'a> Entry<'a> {
    fn of(decision: &'a Decision) -> Self {
        Self {
            kind: decision.kind.as_str(),
            stage: decision.stage.as_deref(),
            rule: decision.rule.as_deref(),
            evidence_end: decision.evidence_end,
            at: decision.at,
            reason: &decision.reason,
            counterfactual: &decision.counterfactual,
        }
    }
}

fn for_people(scenario: &Scenario, report: &SimReport, as_expected: Option<bool>) -> String {
    let mut text = format!("{}\n", scenario.description);
    // Writing to a `String` cannot fail.
    let _ = writeln!(text, "{}\n", style(account::sentence(report)).bold());
    for decision in &report.decisions {
        text.push_str(&words::decision(decision));
    }
    match as_expected {
        Some(true) => {
            let _ = writeln!(text, "\n  As expected of this scenario: {}.", scenario.expected);
        }
        Some(false) => {
            let _ = writeln!(text, "\n  Not as expected of this scenario: {}.", scenario.expected);
        }
        None => {}
    }
    text
}
