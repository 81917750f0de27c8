//! What a policy would have decided on a recording: the same judge as in a live rollout, minute by minute (semantics 6).

use mpac_deploy_core::analysis::{Judge, Reading, Ruling};
use mpac_deploy_core::decision::{Decision, decisions};
use mpac_deploy_core::ids::{RecordName, Revision};
use mpac_deploy_core::migration::Migrations;
use mpac_deploy_core::plan::{Plan, Release, Series, Sought};
use mpac_deploy_core::policy::{Policy, PolicyError};
use mpac_deploy_core::time::{Period, Timestamp};

use crate::recording::{PeriodRows, Recording};

/// How a replay ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BacktestOutcome {
    /// The last stage passed.
    Completed,
    /// The release would have been taken back.
    RolledBack,
    /// The recording ends before either.
    InProgress,
}

impl BacktestOutcome {
    /// The word that stands for it in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::RolledBack => "rolled_back",
            Self::InProgress => "in_progress",
        }
    }
}

/// What a policy would have decided.
#[derive(Clone, Debug, PartialEq)]
pub struct Backtest {
    /// How it ended.
    pub outcome: BacktestOutcome,
    /// The stage in which it ended.
    pub stage: String,
    /// Every decision, in order; the one that ends the replay is the last.
    pub decisions: Vec<Decision>,
    /// The rules that the recording has no rows for.
    pub skipped: Vec<String>,
}

/// Replays a recording under a policy. Every period is visible at its end (settle is 0), and a stage's weights take effect at
/// the end of the period that promoted the one before.
///
/// # Errors
/// [`PolicyError`] when the policy cannot be safe.
///
/// ```
/// use mpac_deploy_core::policy::mpac;
/// use mpac_deploy_testkit::{backtest, recording::Recording};
///
/// let csv = "time,side,metric,value\n\
///            2026-01-28T09:00:00Z,green,requests,1000\n\
///            2026-01-28T09:00:00Z,green,http_5xx,11\n";
/// let result = backtest::backtest(&mpac(), &Recording::read(csv.as_bytes())?)?;
/// assert_eq!(result.decisions.last().and_then(|last| last.rule.as_deref()), Some("http-5xx"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn backtest(policy: &Policy, recording: &Recording) -> Result<Backtest, PolicyError> {
    let plan = plan_for(policy, recording)?;
    Ok(Replay::new(&plan, recording.start().start()).run(recording))
}

/// The plan for a recording: what it has no rows for is skipped.
///
/// # Errors
/// [`PolicyError`] when the policy cannot be safe.
pub fn plan_for(policy: &Policy, recording: &Recording) -> Result<Plan, PolicyError> {
    let release = Release {
        service: "recording".into(),
        record: RecordName::from("recording"),
        blue: Revision::from("blue"),
        green: Revision::from("green"),
        checks: Vec::new(),
        metrics: Vec::new(),
        probes: Vec::new(),
        environments: None,
        flags: Vec::new(),
        migrations: Migrations::default(),
    };
    let start = recording.start();
    policy.compile_for_replay(release, &|sought: Sought<'_>| {
        if sought.with_history {
            recording.has_row(sought.side, sought.metric)
        } else {
            recording.has_row_from(sought.side, sought.metric, start)
        }
    })
}

/// The readings of a plan's series in one period of a recording.
pub fn readings(plan: &Plan, rows: &PeriodRows<'_>, into: &mut Vec<Reading>) {
    into.clear();
    into.extend(plan.series().iter().map(|Series { side, metric, .. }| {
        rows.value(*side, metric).map_or(Reading::ABSENT, Reading::from_number)
    }));
}

struct Replay<'a> {
    plan: &'a Plan,
    judge: Judge,
    stage: usize,
    readings: Vec<Reading>,
    decisions: Vec<Decision>,
}

impl<'a> Replay<'a> {
    fn new(plan: &'a Plan, start: Timestamp) -> Self {
        let mut judge = Judge::new(plan);
        judge.enter(plan, 0, start);
        Self {
            plan,
            judge,
            stage: 0,
            readings: Vec::with_capacity(plan.series().len()),
            decisions: Vec::new(),
        }
    }

    fn run(mut self, recording: &Recording) -> Backtest {
        let start = recording.start();
        for rows in recording.periods().take_while(|rows| rows.period() < start) {
            // Only blue's history is evidence: it is the baseline that green is held against.
            readings(self.plan, &rows, &mut self.readings);
            self.judge.take_history(self.plan, &self.readings);
        }
        let outcome =
            recording.replay().find_map(|rows| self.period(&rows)).unwrap_or(BacktestOutcome::InProgress);
        let stage = self.plan.stage_name(self.stage).to_owned();
        Backtest { outcome, stage, decisions: self.decisions, skipped: self.plan.skipped().to_vec() }
    }

    fn period(&mut self, rows: &PeriodRows<'_>) -> Option<BacktestOutcome> {
        let period: Period = rows.period();
        readings(self.plan, rows, &mut self.readings);
        self.judge.observe(self.plan, period, &self.readings, false)?;
        let ruling = self.judge.latest().ruling;
        if ruling != Ruling::Continue || !self.judge.latest().notices.is_empty() {
            self.decisions.extend(decisions(self.plan, &self.judge, self.stage, period.end()));
        }
        match ruling {
            Ruling::Continue => None,
            Ruling::RollBack(_) => Some(BacktestOutcome::RolledBack),
            Ruling::Promote if self.plan.is_last(self.stage) => Some(BacktestOutcome::Completed),
            Ruling::Promote => {
                self.stage += 1;
                self.judge.enter(self.plan, self.stage, period.end());
                None
            }
        }
    }
}
