//! A world that answers the machine's effects at once, as the test sets it.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "part of the tests, outside a test function"
)]
#![allow(clippy::wildcard_enum_match_arm, reason = "the rig fails only the effects that it names")]

use std::collections::BTreeMap;

use mpac_deploy_core::analysis::Reading;
use mpac_deploy_core::decision::{Decision, DecisionKind};
use mpac_deploy_core::effect::{
    Answer, Archive, CheckResult, Direction, Effect, EffectKind, Effects, Failure, Health, ObservedWeights,
    Retry,
};
use mpac_deploy_core::ids::{
    CheckName, EffectId, RecordName, Revision, RolloutId, SchemaVersion, ServiceName,
};
use mpac_deploy_core::journal::Record;
use mpac_deploy_core::machine::{Command, CommandKind, Event, Phase, Rejected, Rollout};
use mpac_deploy_core::metric::{Metric, Side};
use mpac_deploy_core::migration::Migrations;
use mpac_deploy_core::plan::Release;
use mpac_deploy_core::policy::{Policy, mpac};
use mpac_deploy_core::time::Timestamp;

pub fn unavailable(message: &str) -> Failure {
    Failure { message: message.into(), retry: Retry::Worthwhile }
}

pub fn release() -> Release {
    Release {
        service: "svc-portal".into(),
        record: RecordName::from("api.mpac-cloud.com"),
        blue: Revision::from("v2.0.0"),
        green: Revision::from("v2.1.0"),
        checks: vec![CheckName::from("smoke"), CheckName::from("integration")],
        metrics: Metric::KNOWN.to_vec(),
        probes: Vec::new(),
        environments: None,
        flags: Vec::new(),
        migrations: Migrations::default(),
    }
}

pub struct Rig {
    pub rollout: Rollout,
    pub records: Vec<Record>,
    pub clock: Timestamp,
    pub began: Timestamp,
    pub observed: ObservedWeights,
    pub green: Health,
    pub blue: Health,
    pub health_fails: bool,
    pub check: CheckResult,
    pub fail_forward: Option<Failure>,
    pub forward_attempts: u32,
    pub fail_back: u32,
    pub metrics_fail: bool,
    pub probe_answers: Vec<bool>,
    pub weights_set: Vec<(u8, u8)>,
    pub done: Vec<EffectKind>,
    pub done_effects: Vec<Effect>,
    pub decisions: Vec<Decision>,
    pub retired_at: Option<Timestamp>,
    /// What there is to archive of blue.
    pub archive: Option<Archive>,
    /// Green answers with eleven 5xx in periods that begin from here on.
    pub bad_from: Option<Timestamp>,
    /// Green gets this share of the requests, whatever the weights are.
    pub green_share: Option<f64>,
    /// The change of a rollback is not known to the adapter any more, so many times.
    pub forgets_change: u32,
    /// Effects of this name fail for good.
    pub refuse: Option<&'static str>,
    pub versions: BTreeMap<ServiceName, SchemaVersion>,
    pub written: Vec<String>,
    pub flag_stays_on: bool,
    metrics: Vec<(Metric, f64)>,
    lost: Vec<EffectId>,
}

impl Rig {
    pub fn new() -> Self {
        Self::of(release())
    }

    /// The critical services are probed instead of measured.
    pub fn with_probes() -> Self {
        let probed = vec![Metric::PostgresUp, Metric::RedisUp];
        let metrics = Metric::KNOWN.into_iter().filter(|metric| !probed.contains(metric)).collect();
        Self::of(Release { metrics, probes: probed, ..release() })
    }

    pub fn of(release: Release) -> Self {
        Self::by(&mpac(), release)
    }

    pub fn by(policy: &Policy, release: Release) -> Self {
        let began = Timestamp::parse("2026-01-28T09:00:00Z").unwrap();
        let plan = policy.compile(release).unwrap();
        let (rollout, effects) = Rollout::begin(RolloutId::from("r1"), plan, began);
        let records = vec![Record::begun(&rollout, effects.decisions.clone())];
        Self {
            rollout,
            records,
            clock: began,
            began,
            observed: ObservedWeights { blue: 100, green: 0 },
            green: Health::Healthy,
            blue: Health::Healthy,
            health_fails: false,
            check: CheckResult::Passed,
            fail_forward: None,
            forward_attempts: 0,
            fail_back: 0,
            metrics_fail: false,
            probe_answers: Vec::new(),
            weights_set: Vec::new(),
            done: Vec::new(),
            done_effects: Vec::new(),
            decisions: effects.decisions,
            retired_at: None,
            archive: None,
            bad_from: None,
            green_share: None,
            forgets_change: 0,
            refuse: None,
            versions: BTreeMap::new(),
            written: Vec::new(),
            flag_stays_on: false,
            metrics: Vec::new(),
            lost: Vec::new(),
        }
    }

    /// A rig whose rollout bakes a stage.
    pub fn baking(stage: usize) -> Self {
        let mut rig = Self::new();
        rig.run_until(|rig| matches!(rig.rollout.phase(), Phase::Baking(baking) if baking.stage == stage));
        rig
    }

    /// What green's metric is from here on.
    pub fn metric(&mut self, metric: Metric, value: f64) {
        self.metrics.retain(|(known, _)| *known != metric);
        self.metrics.push((metric, value));
    }

    pub fn set_clock_back(&mut self, seconds: i64) {
        self.clock = Timestamp::from_millis(self.clock.as_millis() - seconds * 1000);
    }

    /// The outcome of this effect's latest attempt never comes.
    pub fn lose(&mut self, id: &EffectId) {
        self.lost.push(id.clone());
    }

    pub fn minutes(&self) -> u64 {
        self.rollout.now().since(self.began).as_secs() / 60
    }

    pub fn kinds(&self) -> Vec<DecisionKind> {
        self.decisions.iter().map(|decision| decision.kind).collect()
    }

    pub fn last_reason(&self) -> &str {
        self.decisions.last().map_or("", |decision| &decision.reason)
    }

    pub fn reason_of(&self, kind: DecisionKind) -> &str {
        self.decisions.iter().find(|decision| decision.kind == kind).map_or("", |decision| &decision.reason)
    }

    pub fn did(&self, name: &str) -> bool {
        self.done.iter().any(|kind| kind.name() == name)
    }

    /// The effect that is answered next.
    pub fn pending(&self) -> Option<Effect> {
        self.rollout.outstanding().find(|effect| !self.lost.contains(&effect.id)).cloned()
    }

    pub fn command(&mut self, kind: CommandKind) -> Result<Effects, Rejected> {
        self.command_by("ada", kind)
    }

    pub fn command_by(&mut self, by: &str, kind: CommandKind) -> Result<Effects, Rejected> {
        self.handle(Event::Command(Command { kind, by: by.into(), why: "because".into() }))
    }

    pub fn handle(&mut self, event: Event) -> Result<Effects, Rejected> {
        let effects = self.rollout.handle(self.clock, event.clone())?;
        let number = self.records.len() as u64 + 1;
        self.records.push(Record::happened(number, self.rollout.now(), event, effects.decisions.clone()));
        self.decisions.extend(effects.decisions.iter().cloned());
        Ok(effects)
    }

    /// Answers the next effect, or lets time pass to the machine's deadline. `None` when nothing can happen any more.
    pub fn step(&mut self) -> Option<Effects> {
        if let Some(effect) = self.pending() {
            let result = self.result(&effect);
            self.done.push(effect.kind.clone());
            self.done_effects.push(effect.clone());
            return Some(self.handle(Event::Outcome { effect: effect.id, result }).unwrap());
        }
        let deadline = self.rollout.deadline()?;
        self.clock = self.clock.max(deadline);
        let lost = std::mem::take(&mut self.lost);
        let effects = self.handle(Event::Tick).unwrap();
        let again = |id: &EffectId| effects.run.iter().any(|effect| effect.id == *id);
        self.lost = lost.into_iter().filter(|id| !again(id)).collect();
        Some(effects)
    }

    pub fn run_until(&mut self, reached: impl Fn(&Self) -> bool) {
        for _ in 0..100_000 {
            if reached(self) {
                return;
            }
            assert!(self.step().is_some(), "the rollout stands still: {:?}", self.rollout.phase());
        }
        panic!("never reached: {:?}", self.rollout.phase());
    }

    pub fn run_to_end(&mut self) {
        self.run_until(|rig| rig.rollout.outcome().is_some());
    }

    /// Lets so much time pass, or stops where nothing can happen without a person.
    pub fn run_minutes(&mut self, minutes: u64) {
        let from = self.rollout.now();
        while self.rollout.now().since(from).as_secs() < minutes * 60 && self.step().is_some() {}
    }

    pub fn step_until_decision(&mut self, kind: DecisionKind) -> Effects {
        for _ in 0..100_000 {
            let effects = self.step().expect("the rollout stands still");
            if effects.decisions.iter().any(|decision| decision.kind == kind) {
                return effects;
            }
        }
        panic!("never decided {kind:?}");
    }

    fn result(&mut self, effect: &Effect) -> Result<Answer, Failure> {
        if self.refuse == Some(effect.kind.name()) {
            return Err(Failure { message: "refused by the rig".into(), retry: Retry::Useless });
        }
        match &effect.kind {
            EffectKind::SetWeights { direction: Direction::Forward, .. } => {
                self.forward_attempts += 1;
                if let Some(failure) = &self.fail_forward {
                    return Err(failure.clone());
                }
            }
            EffectKind::SetWeights { direction: Direction::Back, .. } if self.fail_back > 0 => {
                self.fail_back -= 1;
                return Err(unavailable("ServiceUnavailable"));
            }
            EffectKind::ConfirmWeights { .. } if self.forgets_change > 0 => {
                self.forgets_change -= 1;
                return Err(Failure { message: "NoSuchChange".into(), retry: Retry::Useless });
            }
            EffectKind::CheckHealth { .. } if self.health_fails => return Err(unavailable("no answer")),
            EffectKind::Observe { .. } if self.metrics_fail => return Err(unavailable("no answer")),
            _ => {}
        }
        Ok(self.answer(&effect.kind))
    }

    pub fn answer(&mut self, kind: &EffectKind) -> Answer {
        match kind {
            EffectKind::ReadWeights => Answer::Weights(self.observed),
            EffectKind::SetWeights { weights, .. } => {
                self.observed = (*weights).into();
                self.weights_set.push((weights.blue(), weights.green()));
                Answer::Done
            }
            EffectKind::ConfirmWeights { .. } => Answer::InSync(true),
            EffectKind::Provision | EffectKind::ReviveBlue | EffectKind::StopGreen => Answer::Done,
            EffectKind::Migrate { phase, step } => {
                let step = &self.rollout.plan().release().migrations.steps(*phase)[*step];
                self.versions.insert(step.service.clone(), step.to.clone());
                Answer::Done
            }
            EffectKind::UndoMigration { step } => {
                let step = &self.rollout.plan().release().migrations.expand[*step];
                self.versions.insert(step.service.clone(), step.from.clone());
                Answer::Done
            }
            EffectKind::ReadSchema { phase, step } => {
                let step = &self.rollout.plan().release().migrations.steps(*phase)[*step];
                Answer::Schema(self.versions.get(&step.service).unwrap_or(&step.from).clone())
            }
            EffectKind::FindWritten { .. } => Answer::Written(self.written.clone()),
            EffectKind::SwitchOff { .. } => Answer::Done,
            EffectKind::ReadFlag { .. } => Answer::Flag(self.flag_stays_on),
            EffectKind::RetireBlue => {
                self.retired_at = Some(self.rollout.now());
                self.archive.clone().map_or(Answer::Done, Answer::Retired)
            }
            EffectKind::CheckHealth { side: Side::Blue } => Answer::Health(self.blue.clone()),
            EffectKind::CheckHealth { side: Side::Green } => Answer::Health(self.green.clone()),
            EffectKind::RunCheck { .. } => Answer::Check(self.check.clone()),
            EffectKind::Observe { period } => Answer::Readings(self.readings(period.start())),
            EffectKind::Probe { services } => {
                let up = if self.probe_answers.is_empty() { true } else { self.probe_answers.remove(0) };
                Answer::Probes(services.iter().map(|service| *service != Metric::PostgresUp || up).collect())
            }
        }
    }

    fn readings(&self, at: Timestamp) -> Vec<Reading> {
        let series = self.rollout.plan().series();
        let is_bad = self.bad_from.is_some_and(|from| at >= from);
        let value = |side: Side, metric: &Metric| {
            if is_bad && side == Side::Green && *metric == Metric::Http5xx {
                return Some(11.0);
            }
            let set = self.metrics.iter().find(|(known, _)| known == metric && side == Side::Green);
            set.map_or_else(|| healthy(metric, self.requests(side)), |(_, value)| Some(*value))
        };
        series
            .iter()
            .map(|series| value(series.side, &series.metric).map_or(Reading::ABSENT, Reading::from_number))
            .collect()
    }

    /// What a side gets of 20 000 requests by the weights, or of the share that green gets in their place.
    fn requests(&self, side: Side) -> f64 {
        let (blue, green) = (f64::from(self.observed.blue), f64::from(self.observed.green));
        let green = self.green_share.unwrap_or(green / (blue + green));
        20_000.0 * if side == Side::Green { green } else { 1.0 - green }
    }
}

fn healthy(metric: &Metric, requests: f64) -> Option<f64> {
    Some(match metric {
        Metric::Requests => requests,
        Metric::Errors | Metric::Http5xx => return None,
        Metric::LatencyP50 => 40.0,
        Metric::LatencyP95 => 200.0,
        Metric::LatencyP99 => 400.0,
        Metric::MemoryUtilization => 0.5,
        Metric::Transactions => requests / 20.0,
        Metric::DbConnectionErrors | Metric::TransactionFailures | Metric::LogAnomalies => 0.0,
        Metric::PostgresUp | Metric::RedisUp | Metric::Custom(_) => 1.0,
    })
}
