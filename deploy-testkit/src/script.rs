//! A rollout by hand: a script says what the world does and when a person speaks, step by step. No driver, no clock.

use std::collections::BTreeMap;

use mpac_deploy_core::analysis::{Gap, Reading};
use mpac_deploy_core::effect::{
    Answer, CheckResult, Effect, EffectKind, Failure, Health, ObservedWeights, Retry,
};
use mpac_deploy_core::ids::{
    CheckName, FlagName, RecordName, Revision, RolloutId, SchemaVersion, ServiceName,
};
use mpac_deploy_core::journal::{Record, ReplayError};
use mpac_deploy_core::machine::{Command, CommandKind, Event, Rollout};
use mpac_deploy_core::metric::{Metric, Side};
use mpac_deploy_core::migration::{Migrations, Phase, Step};
use mpac_deploy_core::plan::{Plan, Release};
use mpac_deploy_core::policy::{Policy, PolicyError};
use mpac_deploy_core::time::Timestamp;

use crate::scenario;
use crate::trace::Trace;

/// What the world does from one step on.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// The next effects are answered as the world is, so many of them.
    Answer(u16),
    /// The next effects are answered as the world is, until one that moves the rollout towards green is wanted.
    AnswerUntilForward,
    /// The next effect fails.
    Fail(Retry),
    /// The next effect is done, and its answer is lost.
    LoseAnswer,
    /// The latest outcome comes again.
    Repeat,
    /// Time passes, so many seconds, and more until the machine's deadline if that is later.
    Wait(u32),
    /// The clock jumps back by so many seconds.
    JumpBack(u32),
    /// Somebody else sets the weights.
    SetWeights(ObservedWeights),
    /// A side's health changes.
    Health(Side, Health),
    /// The metrics change.
    Weather(Weather),
    /// A check finds something from here on.
    FailChecks,
    /// Data is written to the new columns.
    WriteData,
    /// A person speaks.
    Command(CommandKind),
    /// A person approves of what waits for that, if anything does.
    Approve {
        /// Whatever speaks against it.
        force: bool,
    },
}

/// What green's metrics look like; blue's are healthy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Weather {
    /// As they should be.
    Healthy,
    /// A share of requests fails, in parts per thousand.
    Errors(u16),
    /// So many responses with a 5xx status.
    Http5xx(u16),
    /// A 95th percentile in milliseconds.
    Latency(u16),
    /// Nothing is published.
    Dark,
    /// The source fails.
    Broken,
    /// No request comes.
    Silent,
    /// PostgreSQL does not answer.
    DatabaseDown,
    /// Nobody can say whether the critical services answer.
    ServicesDark,
}

/// A script: acts in order. After the last one the world answers well, and a person approves of what waits for that, until the rollout
/// ends or stands still.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    /// The acts.
    pub acts: Vec<Act>,
    /// Whether critical services are probed rather than measured.
    pub probed: bool,
    /// Whether the release changes schemas and has a flag.
    pub migrates: bool,
}

/// A script that could not be played.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ScriptError {
    /// The policy is refused.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The journal of the run gives another state than the run had: a bug.
    #[error("the journal gives another state than the run ended in")]
    NotTheFold,
    /// The journal of the run cannot be replayed: a bug.
    #[error(transparent)]
    Replay(#[from] ReplayError),
}

/// So many steps after the script are more than any rollout of a day takes; one that goes on is cut off there.
const LAST_STEPS: usize = 6_000;

/// A stage of the preset and the shift after it take fewer steps than this.
const STEPS_OF_AN_ACT: usize = 2_000;

/// Plays a script and returns everything that happened.
///
/// # Errors
/// [`ScriptError`] when the policy is refused.
pub fn run(policy: &Policy, script: &Script) -> Result<Trace, ScriptError> {
    let plan = policy.compile(release(script.probed, script.migrates))?;
    let mut stage = Stage::new(plan);
    for act in &script.acts {
        stage.play(act);
    }
    stage.weather = Weather::Healthy;
    stage.play_to_end();
    let trace = Trace::from_journal(stage.records)?;
    if trace.last() == Some(&stage.rollout) { Ok(trace) } else { Err(ScriptError::NotTheFold) }
}

/// The release that scripts roll out: every metric is there, critical services are measured or probed, and schemas are changed or not.
#[must_use]
pub fn release(probed: bool, migrates: bool) -> Release {
    let services = [Metric::PostgresUp, Metric::RedisUp];
    let measured = |metric: &Metric| !probed || !services.contains(metric);
    Release {
        service: "svc-portal".into(),
        record: RecordName::from("api.mpac-cloud.com"),
        blue: Revision::from("v2.0.0"),
        green: Revision::from("v2.1.0"),
        checks: vec![CheckName::from("smoke"), CheckName::from("integration")],
        metrics: Metric::KNOWN.into_iter().filter(measured).collect(),
        probes: if probed { services.to_vec() } else { Vec::new() },
        environments: None,
        flags: if migrates { vec![FlagName::from("new-payment-flow")] } else { Vec::new() },
        migrations: if migrates { scenario::migrations() } else { Migrations::default() },
    }
}

struct Stage {
    rollout: Rollout,
    records: Vec<Record>,
    clock: Timestamp,
    weights: ObservedWeights,
    blue: Health,
    green: Health,
    weather: Weather,
    checks_fail: bool,
    /// The versions that are not those from before the release.
    versions: BTreeMap<ServiceName, SchemaVersion>,
    is_written: bool,
    is_flag_on: bool,
    latest: Option<Event>,
    lost: Vec<Effect>,
}

impl Stage {
    fn new(plan: Plan) -> Self {
        let clock = Timestamp::from_secs(1_769_590_800);
        let (rollout, effects) = Rollout::begin(RolloutId::from("scripted"), plan, clock);
        let records = vec![Record::begun(&rollout, effects.decisions)];
        Self {
            rollout,
            records,
            clock,
            weights: ObservedWeights { blue: 100, green: 0 },
            blue: Health::Healthy,
            green: Health::Healthy,
            weather: Weather::Healthy,
            checks_fail: false,
            versions: BTreeMap::new(),
            is_written: false,
            is_flag_on: true,
            latest: None,
            lost: Vec::new(),
        }
    }

    fn play(&mut self, act: &Act) {
        match act {
            Act::Answer(count) => {
                for _ in 0..*count {
                    if !self.answer_next() {
                        self.wait(0);
                    }
                }
            }
            Act::AnswerUntilForward => {
                for _ in 0..STEPS_OF_AN_ACT {
                    if self.pending().is_some_and(|effect| effect.kind.moves_towards_green()) {
                        break;
                    }
                    if !self.answer_next() {
                        self.wait(0);
                    }
                }
            }
            Act::Fail(retry) => {
                self.with_next(|_, _| Err(Failure { message: "scripted".into(), retry: *retry }))
            }
            Act::LoseAnswer => {
                if let Some(effect) = self.pending() {
                    self.do_it(&effect.kind);
                    self.lost.push(effect);
                }
            }
            Act::Repeat => {
                if let Some(event) = self.latest.clone() {
                    self.handle(event);
                }
            }
            Act::Wait(seconds) => self.wait(*seconds),
            Act::JumpBack(seconds) => {
                let millis = i64::from(*seconds).saturating_mul(1000);
                self.clock = Timestamp::from_millis(self.clock.as_millis().saturating_sub(millis));
            }
            Act::SetWeights(weights) => self.weights = *weights,
            Act::Health(Side::Blue, health) => self.blue = health.clone(),
            Act::Health(Side::Green, health) => self.green = health.clone(),
            Act::Weather(weather) => self.weather = *weather,
            Act::FailChecks => self.checks_fail = true,
            Act::WriteData => self.is_written = true,
            Act::Command(kind) => self.command(*kind),
            Act::Approve { force } => self.approve(*force),
        }
    }

    fn command(&mut self, kind: CommandKind) {
        let command = Command { kind, by: "ada".into(), why: "the script says so".into() };
        self.handle(Event::Command(command));
    }

    fn approve(&mut self, force: bool) {
        if let Some(gate) = self.rollout.awaited_approval() {
            self.command(CommandKind::Approve { gate, force });
        }
    }

    fn play_to_end(&mut self) {
        for _ in 0..LAST_STEPS {
            if self.rollout.outcome().is_some() {
                return;
            }
            self.approve(false);
            if !self.answer_next() {
                if self.rollout.deadline().is_none() {
                    return;
                }
                self.wait(0);
            }
        }
    }

    fn pending(&self) -> Option<Effect> {
        self.rollout.outstanding().find(|effect| !self.lost.contains(effect)).cloned()
    }

    fn answer_next(&mut self) -> bool {
        let Some(effect) = self.pending() else { return false };
        let answer = self.do_it(&effect.kind);
        self.handle(Event::Outcome { effect: effect.id, result: Ok(answer) });
        true
    }

    fn with_next(&mut self, result: impl Fn(&mut Self, &EffectKind) -> Result<Answer, Failure>) {
        if let Some(effect) = self.pending() {
            let result = result(self, &effect.kind);
            self.handle(Event::Outcome { effect: effect.id, result });
        }
    }

    fn wait(&mut self, seconds: u32) {
        self.clock = self.clock.after(core::time::Duration::from_secs(u64::from(seconds)));
        if let Some(deadline) = self.rollout.deadline() {
            self.clock = self.clock.max(deadline);
            self.handle(Event::Tick);
        }
    }

    /// A rejected event is not recorded, as the driver does it.
    fn handle(&mut self, event: Event) {
        if let Ok(effects) = self.rollout.handle(self.clock, event.clone()) {
            self.clock = self.clock.max(self.rollout.now());
            let number = self.records.len() as u64 + 1;
            self.records.push(Record::happened(number, self.rollout.now(), event.clone(), effects.decisions));
        }
        if matches!(event, Event::Outcome { .. }) {
            self.latest = Some(event);
        }
    }

    fn migrate(&mut self, phase: Phase, step: usize, to: impl Fn(&Step) -> &SchemaVersion) -> Answer {
        if let Some(step) = self.rollout.plan().release().migrations.steps(phase).get(step) {
            self.versions.insert(step.service.clone(), to(step).clone());
        }
        Answer::Done
    }

    /// Does an effect in the scripted world and answers as it is there.
    fn do_it(&mut self, kind: &EffectKind) -> Answer {
        match kind {
            EffectKind::ReadWeights => Answer::Weights(self.weights),
            EffectKind::SetWeights { weights, .. } => {
                self.weights = (*weights).into();
                Answer::Done
            }
            EffectKind::ConfirmWeights { .. } => Answer::InSync(true),
            EffectKind::Provision
            | EffectKind::RetireBlue
            | EffectKind::ReviveBlue
            | EffectKind::StopGreen => Answer::Done,
            EffectKind::Migrate { phase, step } => self.migrate(*phase, *step, |step| &step.to),
            EffectKind::UndoMigration { step } => self.migrate(Phase::Expand, *step, |step| &step.from),
            EffectKind::ReadSchema { phase, step } => {
                let found = self.rollout.plan().release().migrations.steps(*phase).get(*step);
                let version = found.map(|step| self.versions.get(&step.service).unwrap_or(&step.from));
                Answer::Schema(version.cloned().unwrap_or_else(|| SchemaVersion::from("")))
            }
            EffectKind::FindWritten { step } => {
                let found = self.rollout.plan().release().migrations.expand.get(*step);
                let written = found.filter(|_| self.is_written).map(|step| step.adds.clone());
                Answer::Written(written.unwrap_or_default())
            }
            EffectKind::SwitchOff { .. } => {
                self.is_flag_on = false;
                Answer::Done
            }
            EffectKind::ReadFlag { .. } => Answer::Flag(self.is_flag_on),
            EffectKind::CheckHealth { side: Side::Blue } => Answer::Health(self.blue.clone()),
            EffectKind::CheckHealth { side: Side::Green } => Answer::Health(self.green.clone()),
            EffectKind::RunCheck { .. } if self.checks_fail => {
                Answer::Check(CheckResult::Failed { detail: "scripted".into() })
            }
            EffectKind::RunCheck { .. } => Answer::Check(CheckResult::Passed),
            EffectKind::Observe { .. } => Answer::Readings(
                self.rollout
                    .plan()
                    .series()
                    .iter()
                    .map(|s| self.weather.reading(s.side, &s.metric))
                    .collect(),
            ),
            EffectKind::Probe { services } => {
                let up = |service: &Metric| {
                    self.weather != Weather::DatabaseDown || *service != Metric::PostgresUp
                };
                Answer::Probes(services.iter().map(up).collect())
            }
        }
    }
}

/// Requests of a side in a minute.
const REQUESTS: f64 = 10_000.0;

impl Weather {
    /// A side's reading of a metric in this weather.
    #[must_use]
    pub fn reading(self, side: Side, metric: &Metric) -> Reading {
        let number = Reading::from_number;
        match (self, side, metric) {
            (Self::Dark, Side::Green, _) => Reading::ABSENT,
            (Self::Broken, Side::Green, _) => Reading::Gap(Gap::SourceError),
            (Self::Silent, Side::Green, Metric::Requests) => number(0.0),
            (Self::Silent, Side::Green, _) if !metric.is_independent_of_traffic() => Reading::ABSENT,
            (Self::Errors(share), Side::Green, Metric::Errors) => {
                number(f64::from(share) * REQUESTS / 1000.0)
            }
            (Self::Http5xx(count), Side::Green, Metric::Http5xx) => number(f64::from(count)),
            (Self::Latency(millis), Side::Green, Metric::LatencyP95) => number(f64::from(millis)),
            (Self::DatabaseDown, Side::Green, Metric::PostgresUp) => number(0.0),
            (Self::ServicesDark, Side::Green, Metric::PostgresUp | Metric::RedisUp) => Reading::ABSENT,
            (_, _, metric) => healthy(metric),
        }
    }
}

fn healthy(metric: &Metric) -> Reading {
    Reading::from_number(match metric {
        Metric::Requests => REQUESTS,
        // Published only when they are not zero.
        Metric::Errors | Metric::Http5xx => return Reading::ABSENT,
        Metric::LatencyP50 => 40.0,
        Metric::LatencyP95 => 200.0,
        Metric::LatencyP99 => 400.0,
        Metric::MemoryUtilization => 0.5,
        Metric::Transactions => 500.0,
        Metric::DbConnectionErrors | Metric::TransactionFailures | Metric::LogAnomalies => 0.0,
        Metric::PostgresUp | Metric::RedisUp | Metric::Custom(_) => 1.0,
    })
}
