//! `policy check`, `policy show`, `policy schema`.

use std::fmt::Write as _;
use std::path::Path;

use mpac_deploy_core::metric::Metric;
use mpac_deploy_core::migration::Migrations;
use mpac_deploy_core::plan::Release;
use mpac_deploy_core::policy::{Approval, DecommissionPolicy as Decommission, Policy, PolicyError, mpac};
use serde_json::{Value, json};

use crate::cli::{PolicyCommand, Preset};
use crate::policy_file::{load, unusable};
use crate::reply::{Failure, Reply, Status};

pub(crate) fn run(command: &PolicyCommand) -> Result<Reply, Failure> {
    match command {
        PolicyCommand::Check { file, json } => check(file, *json),
        PolicyCommand::Show { preset: Preset::Mpac, json } => show(&mpac(), *json),
        PolicyCommand::Schema { json: _ } => Reply::json(Status::Done, &schemars::schema_for!(Policy)),
    }
}

fn check(file: &Path, json: bool) -> Result<Reply, Failure> {
    let policy = load(file)?;
    let checked = needed_metrics(&policy);
    let status = if checked.is_ok() { Status::Done } else { Status::Found };
    if json {
        return Reply::json(status, &verdict(&policy, &checked));
    }
    let text = match checked {
        Ok(metrics) => summary(&policy, &metrics),
        Err(error) => format!("refused: {}\n", unusable(file, &error)),
    };
    Ok(Reply { status, text })
}

/// Checks the policy, and says which metrics it would look at: a world that has them all is assumed.
fn needed_metrics(policy: &Policy) -> Result<Vec<Metric>, PolicyError> {
    let release = Release {
        service: String::new(),
        record: "".into(),
        blue: "".into(),
        green: "".into(),
        checks: Vec::new(),
        metrics: Vec::new(),
        probes: Vec::new(),
        environments: None,
        flags: Vec::new(),
        migrations: Migrations::default(),
    };
    let plan = policy.compile_for_replay(release, &|_| true)?;
    let mut metrics: Vec<Metric> = plan.series().iter().map(|series| series.metric.clone()).collect();
    metrics.sort();
    metrics.dedup();
    Ok(metrics)
}

fn verdict(policy: &Policy, checked: &Result<Vec<Metric>, PolicyError>) -> Value {
    match checked {
        Err(error) => json!({ "valid": false, "path": error.path, "problem": error.problem }),
        Ok(metrics) => json!({
            "valid": true,
            "name": policy.name,
            "stages": policy.stages.iter().map(|stage| &stage.name).collect::<Vec<_>>(),
            "metrics": metrics,
        }),
    }
}

fn summary(policy: &Policy, metrics: &[Metric]) -> String {
    let mut text = format!("`{}` is safe to use:\n", policy.name);
    for line in rules(policy) {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "  {line}");
    }
    let names = |own: bool| {
        let chosen = metrics.iter().filter(move |metric| matches!(metric, Metric::Custom(_)) == own);
        chosen.map(Metric::name).collect::<Vec<_>>().join(", ")
    };
    let _ = writeln!(text, "  looks at     {}", names(false));
    if metrics.iter().any(|metric| matches!(metric, Metric::Custom(_))) {
        let _ = writeln!(
            text,
            "  of your own  {} (a name that mpac-deploy does not know: is it spelt right?)",
            names(true)
        );
    }
    text
}

/// The stages, and the rules by their ids.
pub(crate) fn rules(policy: &Policy) -> Vec<String> {
    let mut lines = Vec::new();
    for stage in &policy.stages {
        let gates: Vec<&str> = stage.gates.iter().map(|gate| gate.id.as_str()).collect();
        let (name, weights, bake) = (&stage.name, stage.weights, stage.bake);
        let approval = approval(stage.approval);
        lines.push(format!("{name:<12} {weights}, {approval}bake {bake}, gates {}", gates.join(", ")));
    }
    let Decommission { wait, approval: needed } = policy.decommission;
    lines.push(format!("retires blue {}not before {wait} after the cutover", approval(needed)));
    let triggers: Vec<&str> = policy.triggers.iter().map(|trigger| trigger.id.as_str()).collect();
    lines.push(format!("triggers     {}", triggers.join(", ")));
    let alerts: Vec<&str> = policy.alerts.iter().map(|alert| alert.id.as_str()).collect();
    lines.push(format!("alerts       {}", if alerts.is_empty() { "none".into() } else { alerts.join(", ") }));
    lines
}

fn approval(approval: Approval) -> String {
    match approval {
        Approval::NotRequired => String::new(),
        Approval::Required => "after an approval, ".into(),
        Approval::Within(limit) => format!("after an approval within {limit}, "),
    }
}

fn show(policy: &Policy, json: bool) -> Result<Reply, Failure> {
    if json {
        return Reply::json(Status::Done, policy);
    }
    policy.to_toml().map(Reply::done).map_err(|error| Failure::Input(error.to_string()))
}
