//! What a report tells of one rollout, whether it was lived, simulated or replayed.

use mpac_deploy_core::decision::Decision;
use mpac_deploy_core::effect::ObservedWeights;
use mpac_deploy_core::metric::{Metric, Side};
use mpac_deploy_core::policy::Policy;
use mpac_deploy_core::time::{Period, Timestamp};

use crate::account::StageSpan;

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Completed,
    RolledBack,
    InProgress,
    /// No traffic ever moved.
    Abandoned,
    /// A person must decide.
    Held,
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
    /// A minute from both sides' rows. Values that are no numbers are left out, as they are no evidence.
    pub(super) fn of_rows<'a>(
        policy: &Policy,
        period: Period,
        rows: impl Iterator<Item = (Side, &'a Metric, f64)>,
    ) -> Self {
        let mut minute = Self { period, blue: Sample::default(), green: Sample::default() };
        for (side, metric, value) in rows.filter(|(_, _, value)| value.is_finite()) {
            match side {
                Side::Blue => minute.blue.take(metric, value),
                Side::Green => minute.green.take(metric, value),
            }
        }
        let sparse = policy.evidence.sparse.contains(&Metric::Errors);
        minute.blue.fill(sparse);
        minute.green.fill(sparse);
        minute
    }

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
    pub(crate) weights: Vec<(Timestamp, ObservedWeights)>,
    pub(crate) stages: Vec<StageSpan>,
    pub(crate) decisions: Vec<Decision>,
    pub(crate) minutes: Vec<Minute>,
    pub(crate) skipped: Vec<String>,
    pub(crate) policy: Policy,
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
