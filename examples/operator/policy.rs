//! `policy check`, `policy show`, `policy schema`.

use std::fmt::Write as _;
use std::path::Path;

use mpac_deploy_core::policy::{Policy, PolicyError, mpac};
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
    let checked = policy.check();
    let status = if checked.is_ok() { Status::Done } else { Status::Found };
    if json {
        return Reply::json(status, &verdict(&policy, checked.as_ref().err()));
    }
    let text = match checked {
        Ok(()) => summary(&policy),
        Err(error) => format!("refused: {}\n", unusable(file, &error)),
    };
    Ok(Reply { status, text })
}

fn verdict(policy: &Policy, error: Option<&PolicyError>) -> Value {
    match error {
        Some(error) => json!({ "valid": false, "path": error.path, "problem": error.problem }),
        None => json!({
            "valid": true,
            "name": policy.name,
            "stages": policy.stages.iter().map(|stage| &stage.name).collect::<Vec<_>>(),
        }),
    }
}

fn summary(policy: &Policy) -> String {
    let mut text = format!("`{}` is safe to use:\n", policy.name);
    for stage in &policy.stages {
        let gates: Vec<&str> = stage.gates.iter().map(|gate| gate.id.as_str()).collect();
        // Writing to a `String` cannot fail.
        let _ = writeln!(
            text,
            "  {:<12} {}, bake {}, gates {}",
            stage.name,
            stage.weights,
            stage.bake,
            gates.join(", ")
        );
    }
    let triggers: Vec<&str> = policy.triggers.iter().map(|trigger| trigger.id.as_str()).collect();
    let alerts: Vec<&str> = policy.alerts.iter().map(|alert| alert.id.as_str()).collect();
    let _ = writeln!(text, "  triggers     {}", triggers.join(", "));
    let _ = writeln!(
        text,
        "  alerts       {}",
        if alerts.is_empty() { "none".into() } else { alerts.join(", ") }
    );
    text
}

fn show(policy: &Policy, json: bool) -> Result<Reply, Failure> {
    if json {
        return Reply::json(Status::Done, policy);
    }
    policy.to_toml().map(Reply::done).map_err(|error| Failure::Input(error.to_string()))
}
