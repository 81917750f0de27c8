//! The story of a replayed recording.

use mpac_deploy_core::decision::DecisionKind;
use mpac_deploy_core::effect::ObservedWeights;
use mpac_deploy_core::policy::Policy;
use mpac_deploy_core::time::{PERIOD_MILLIS, Timestamp};
use mpac_deploy_core::units::Weights;
use mpac_deploy_testkit::backtest::{Backtest, BacktestOutcome};
use mpac_deploy_testkit::recording::Recording;

use super::story::{Minute, Story, Verdict};
use crate::account::StageSpan;
use crate::backtest::headline;
use crate::words;

/// How much of a recording is shown before and after what was replayed of it.
const MARGIN_MINUTES: i64 = 10;

/// The story of a replay.
pub(crate) fn of_backtest(
    name: &str,
    policy: &Policy,
    recording: &Recording,
    result: &Backtest,
) -> [Story; 1] {
    let start = recording.start().start();
    let last = result.decisions.last().and_then(|decision| decision.evidence_end);
    let end = match result.outcome {
        BacktestOutcome::Completed | BacktestOutcome::RolledBack => last.unwrap_or(start),
        BacktestOutcome::InProgress => recording.end().end(),
    };
    let moved = |time: Timestamp, minutes: i64| {
        Timestamp::from_millis(time.as_millis().saturating_add(minutes.saturating_mul(PERIOD_MILLIS)))
    };
    let (shown_from, shown_to) = (moved(start, -MARGIN_MINUTES), moved(end, MARGIN_MINUTES));
    let minutes: Vec<Minute> = recording
        .periods()
        .skip_while(|rows| rows.period().start() < shown_from)
        .take_while(|rows| rows.period().end() <= shown_to)
        .map(|rows| Minute::of_rows(policy, rows.period(), rows.values()))
        .collect();
    let from = minutes.first().map_or(start, |minute| minute.period.start()).min(start);
    let to = minutes.last().map_or(end, |minute| minute.period.end()).max(end);
    let (stages, mut weights) = course(policy, result, start, end);
    weights.insert(0, (from, Weights::ALL_BLUE.into()));
    [Story {
        title: format!("Backtest of {name}"),
        lead: headline(result),
        verdict: match result.outcome {
            BacktestOutcome::Completed => Verdict::Completed,
            BacktestOutcome::RolledBack => Verdict::RolledBack,
            BacktestOutcome::InProgress => Verdict::InProgress,
        },
        facts: vec![
            ("Policy", policy.name.clone()),
            ("Green's first traffic", words::moment(start)),
            ("Replayed for", words::span(end.since(start))),
            ("Last stage", result.stage.clone()),
            ("Rows read", recording.row_count().to_string()),
        ],
        from,
        to,
        weights,
        stages,
        decisions: result.decisions.clone(),
        minutes,
        skipped: result.skipped.clone(),
        policy: policy.clone(),
    }]
}

/// The stages and weights that a replay's decisions stand for.
fn course(
    policy: &Policy,
    result: &Backtest,
    start: Timestamp,
    end: Timestamp,
) -> (Vec<StageSpan>, Vec<(Timestamp, ObservedWeights)>) {
    let promotions = result.decisions.iter().filter(|decision| decision.kind == DecisionKind::Promote);
    let begins: Vec<Timestamp> =
        std::iter::once(start).chain(promotions.filter_map(|promotion| promotion.evidence_end)).collect();
    let ends = begins.iter().skip(1).copied().chain(std::iter::once(end));
    let stages = policy.stages.iter().zip(begins.iter().zip(ends));
    let spans =
        stages.map(|(stage, (from, to))| StageSpan { name: stage.name.clone(), from: *from, to }).collect();
    let weights = policy.stages.iter().zip(&begins).map(|(stage, from)| (*from, stage.weights.into()));
    let mut weights: Vec<(Timestamp, ObservedWeights)> = weights.collect();
    if result.outcome == BacktestOutcome::RolledBack {
        weights.push((end, Weights::ALL_BLUE.into()));
    }
    (spans, weights)
}
