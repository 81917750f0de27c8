//! What a report tells of one rollout, whether it was lived, simulated or replayed.

use mpac_deploy_core::decision::{Decision, DecisionKind};
use mpac_deploy_core::metric::{Metric, Side};
use mpac_deploy_core::policy::Policy;
use mpac_deploy_core::time::{PERIOD_MILLIS, Period, Timestamp};
use mpac_deploy_core::units::Weights;
use mpac_deploy_testkit::backtest::{Backtest, BacktestOutcome};
use mpac_deploy_testkit::recording::{PeriodRows, Recording};

use crate::backtest::headline;
use crate::words;

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Completed,
    RolledBack,
    InProgress,
    /// No traffic ever moved.
    Abandoned,
}

/// A stage from the moment when its weights took effect.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StageSpan {
    pub(crate) name: String,
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
}

/// One side's metrics in a minute.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sample {
    pub(crate) requests: Option<f64>,
    pub(crate) errors: Option<f64>,
    pub(crate) latency_p95: Option<f64>,
    pub(crate) memory: Option<f64>,
}

/// Both sides' metrics in a minute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Minute {
    pub(crate) period: Period,
    pub(crate) blue: Sample,
    pub(crate) green: Sample,
}

impl Minute {
    pub(super) const fn of(&self, side: Side) -> &Sample {
        match side {
            Side::Blue => &self.blue,
            Side::Green => &self.green,
        }
    }
}

/// A rollout.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    pub(crate) title: String,
    /// What happened, in a sentence or two.
    pub(crate) lead: String,
    pub(crate) verdict: Verdict,
    pub(crate) facts: Vec<(&'static str, String)>,
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
    /// The weights from each moment on.
    pub(crate) weights: Vec<(Timestamp, Weights)>,
    pub(crate) stages: Vec<StageSpan>,
    pub(crate) decisions: Vec<Decision>,
    pub(crate) minutes: Vec<Minute>,
    pub(crate) skipped: Vec<String>,
    pub(crate) policy: Policy,
}

/// How much of a recording is shown before and after what was replayed of it.
const MARGIN_MINUTES: i64 = 10;

/// The story of a replay.
pub(crate) fn of_backtest(name: &str, policy: &Policy, recording: &Recording, result: &Backtest) -> [Story; 1] {
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
        .map(|rows| minute(policy, &rows))
        .collect();
    let from = minutes.first().map_or(start, |minute| minute.period.start()).min(start);
    let to = minutes.last().map_or(end, |minute| minute.period.end()).max(end);
    let (stages, mut weights) = course(policy, result, start, end);
    weights.insert(0, (from, Weights::ALL_BLUE));
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
            ("Green's first traffic", start.to_string()),
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

fn minute(policy: &Policy, rows: &PeriodRows<'_>) -> Minute {
    let mut minute = Minute { period: rows.period(), blue: Sample::default(), green: Sample::default() };
    for (side, metric, value) in rows.values().filter(|(_, _, value)| value.is_finite()) {
        let sample = match side {
            Side::Blue => &mut minute.blue,
            Side::Green => &mut minute.green,
        };
        sample.take(metric, value);
    }
    let sparse = policy.evidence.sparse.contains(&Metric::Errors);
    minute.blue.fill(sparse);
    minute.green.fill(sparse);
    minute
}

impl Sample {
    fn take(&mut self, metric: &Metric, value: f64) {
        let place = match metric {
            Metric::Requests => &mut self.requests,
            Metric::Errors => &mut self.errors,
            Metric::LatencyP95 => &mut self.latency_p95,
            Metric::MemoryUtilization => &mut self.memory,
            Metric::Http5xx
            | Metric::LatencyP50
            | Metric::LatencyP99
            | Metric::DbConnectionErrors
            | Metric::Transactions
            | Metric::TransactionFailures
            | Metric::LogAnomalies
            | Metric::PostgresUp
            | Metric::RedisUp
            | Metric::Custom(_) => return,
        };
        *place = Some(value);
    }

    /// Errors that are published only when there are some are 0 where requests are there (semantics 2).
    fn fill(&mut self, sparse: bool) {
        if sparse && self.errors.is_none() && self.requests.is_some_and(|requests| requests > 0.0) {
            self.errors = Some(0.0);
        }
    }
}

/// The stages and weights that a replay's decisions stand for.
fn course(
    policy: &Policy,
    result: &Backtest,
    start: Timestamp,
    end: Timestamp,
) -> (Vec<StageSpan>, Vec<(Timestamp, Weights)>) {
    let promotions = result.decisions.iter().filter(|decision| decision.kind == DecisionKind::Promote);
    let begins: Vec<Timestamp> =
        std::iter::once(start).chain(promotions.filter_map(|promotion| promotion.evidence_end)).collect();
    let ends = begins.iter().skip(1).copied().chain(std::iter::once(end));
    let stages = policy.stages.iter().zip(begins.iter().zip(ends));
    let spans = stages.map(|(stage, (from, to))| StageSpan { name: stage.name.clone(), from: *from, to }).collect();
    let weights = policy.stages.iter().zip(&begins).map(|(stage, from)| (*from, stage.weights));
    let mut weights: Vec<(Timestamp, Weights)> = weights.collect();
    if result.outcome == BacktestOutcome::RolledBack {
        weights.push((end, Weights::ALL_BLUE));
    }
    (spans, weights)
}
