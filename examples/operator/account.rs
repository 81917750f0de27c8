//! What a simulated rollout came to: the facts that its report, its JSON and its summary share.

use std::time::Duration;

use mpac_deploy_core::decision::{Decision, DecisionKind};
use mpac_deploy_core::effect::Direction;
use mpac_deploy_core::machine::Cause;
use mpac_deploy_core::time::Timestamp;
use mpac_deploy_testkit::sim::{SimOutcome, SimReport};

use crate::words;

/// When a stage's weights were in effect.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StageSpan {
    pub(crate) name: String,
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
}

/// The word for an outcome, as in the JSON of `backtest`.
pub(crate) fn outcome(report: &SimReport) -> String {
    report.outcome.as_str().replace('-', "_")
}

/// The decision that took the release back.
pub(crate) fn rollback(report: &SimReport) -> Option<&Decision> {
    find(report, DecisionKind::Rollback)
}

/// The time from the decision to take the release back until blue served everybody again, read back.
pub(crate) fn rollback_took(report: &SimReport) -> Option<Duration> {
    Some(find(report, DecisionKind::RolledBack)?.at.since(rollback(report)?.at))
}

/// The course of the rollback: when the weights were back, when every name server knew, and when it was confirmed.
fn way_back(report: &SimReport) -> Option<String> {
    let decided = rollback(report)?.at;
    let change = report.history.weights.iter().find(|change| change.direction == Some(Direction::Back))?;
    let after = |time: Timestamp| words::span(time.since(decided));
    Some(format!(
        " The weights were back at blue after {}, on every name server after {}, and confirmed after {}, with the TTL.",
        after(change.at),
        after(change.in_sync_at),
        words::span(rollback_took(report)?)
    ))
}

/// The stage in which it ended.
pub(crate) fn last_stage(report: &SimReport) -> Option<&str> {
    report.decisions.iter().rev().find_map(|decision| decision.stage.as_deref())
}

/// Each bake, up to the decision that ended it.
pub(crate) fn stages(report: &SimReport) -> Vec<StageSpan> {
    let mut spans = Vec::new();
    let mut open: Option<(&str, Timestamp)> = None;
    for decision in &report.decisions {
        match decision.kind {
            DecisionKind::Bake => open = decision.stage.as_deref().map(|stage| (stage, decision.at)),
            DecisionKind::Promote | DecisionKind::Complete | DecisionKind::Rollback => {
                let closed = open.take();
                spans.extend(closed.map(|(name, from)| StageSpan {
                    name: name.into(),
                    from,
                    to: decision.at,
                }));
            }
            DecisionKind::Start
            | DecisionKind::Prepared
            | DecisionKind::Shift
            | DecisionKind::InSync
            | DecisionKind::ReadBack
            | DecisionKind::Share
            | DecisionKind::Decommission
            | DecisionKind::Retired
            | DecisionKind::RolledBack
            | DecisionKind::Abandoned
            | DecisionKind::Alert
            | DecisionKind::AlertCleared
            | DecisionKind::Hold
            | DecisionKind::HoldReleased
            | DecisionKind::Pause
            | DecisionKind::Resume
            | DecisionKind::Retry
            | _ => {}
        }
    }
    spans.extend(open.map(|(name, from)| StageSpan { name: name.into(), from, to: report.ended }));
    spans
}

/// What happened, in a sentence or two.
pub(crate) fn sentence(report: &SimReport) -> String {
    let at = words::clock(report.ended);
    match &report.outcome {
        SimOutcome::Completed => {
            let took = words::span(report.ended.since(report.began));
            format!("Completed at {at}, {took} after the start: green serves everybody, and blue is retired.")
        }
        SimOutcome::RolledBack { cause } => {
            let decided = rollback(report).map_or(report.ended, |decision| decision.at);
            let stage =
                rollback(report).and_then(|decision| decision.stage.as_deref()).unwrap_or("preparation");
            let course = way_back(report).unwrap_or_default();
            format!(
                "Rolled back in `{stage}` at {}, by {}.{course}",
                words::clock(decided),
                self::cause(cause)
            )
        }
        SimOutcome::Abandoned { cause } => {
            format!("Abandoned at {at}, before any traffic moved: {}.", self::cause(cause))
        }
        SimOutcome::Held { why } => format!("Held, until a person decides: {why}."),
        SimOutcome::Unfinished { why } => format!("Not ended within the time of the simulation: {why}."),
        SimOutcome::Stopped { why } => format!("The driver stopped before the end: {why}."),
    }
}

/// What took the release back.
fn cause(cause: &Cause) -> String {
    match cause {
        Cause::Rule(rule) => format!("the rule `{rule}`"),
        Cause::Person { by, .. } => format!("{by}, a person"),
        Cause::Effect(why) => format!("an effect that could not be done ({why})"),
    }
}

fn find(report: &SimReport, kind: DecisionKind) -> Option<&Decision> {
    report.decisions.iter().find(|decision| decision.kind == kind)
}
