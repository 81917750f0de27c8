//! The judge of a rollout: one observation in, one assessment out (semantics 3.9 gives the order).

use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::blind::{BlindSource, Blindness, HoldChange, LossChange, TrafficLoss};
use super::evidence::{Evidence, Reading};
use super::gate::{BaselineSums, StageWindow, look};
use super::verdict::{Assessment, Measure, Notice, NoticeKind, RuleRef, Ruling, Verdict};
use super::watch::{Said, WatchState};
use crate::plan::{GateKind, Plan};
use crate::time::{Period, Timestamp};

/// Judges a rollout period by period. The same plan must be passed to every call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judge {
    row: Vec<Evidence>,
    triggers: Vec<WatchState>,
    alerts: Vec<(WatchState, bool)>,
    blindness: Blindness,
    traffic: TrafficLoss,
    /// For each stage and gate; only those of baseline gates are used.
    baselines: Vec<Vec<BaselineSums>>,
    window: StageWindow,
    stage: Option<usize>,
    /// When each stage took effect, if it has.
    effective: Vec<Option<Timestamp>>,
    first: Option<Period>,
    next: Option<Period>,
    assessment: Assessment,
}

impl Judge {
    /// A judge that has seen nothing. All memory that it will ever need is allocated here.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let gates = plan.stages().iter().map(|stage| stage.gates.len()).max().unwrap_or(0);
        let watched = plan.triggers().len() + 2;
        Self {
            row: vec![Evidence::Missing; plan.series().len()],
            triggers: plan.triggers().iter().map(WatchState::new).collect(),
            alerts: plan.alerts().iter().map(|alert| (WatchState::new(alert), false)).collect(),
            blindness: Blindness::new(plan),
            traffic: TrafficLoss::new(plan),
            baselines: plan
                .stages()
                .iter()
                .map(|stage| vec![BaselineSums::default(); stage.gates.len()])
                .collect(),
            window: StageWindow::new(plan),
            stage: None,
            effective: vec![None; plan.stage_count()],
            first: None,
            next: None,
            assessment: Assessment {
                period: Period::default(),
                counted: false,
                notices: Vec::with_capacity(plan.alerts().len() + 4),
                firing: Vec::with_capacity(watched),
                gates: Vec::with_capacity(gates),
                ruling: Ruling::Continue,
            },
        }
    }

    /// The stage's weights took effect at `effective`: periods that begin from there on count for it.
    pub fn enter(&mut self, plan: &Plan, stage: usize, effective: Timestamp) {
        if let Some(of_plan) = plan.stage(stage) {
            self.window.restart(of_plan, effective);
            self.stage = Some(stage);
            if let Some(place) = self.effective.get_mut(stage) {
                *place = Some(effective);
            }
        }
    }

    /// The stage is over, or its weights are being moved: triggers and alerts go on, gates do not.
    pub const fn leave(&mut self) {
        self.stage = None;
    }

    /// Takes a period before green had traffic: it only feeds the baselines.
    pub fn take_history(&mut self, plan: &Plan, readings: &[Reading]) {
        self.resolve(plan, readings);
        self.feed_baselines(plan, Period::default());
    }

    /// The first period that has not been evaluated yet, if any has.
    #[must_use]
    pub const fn next(&self) -> Option<Period> {
        self.next
    }

    /// The number of periods that counted for the running stage's bake.
    #[must_use]
    pub const fn counted(&self) -> u32 {
        self.window.counted()
    }

    /// The number of periods that the running stage has taken of its deadline.
    #[must_use]
    pub const fn elapsed(&self) -> u32 {
        self.window.elapsed()
    }

    /// Whether promotion is held because a trigger cannot see.
    #[must_use]
    pub const fn is_holding(&self) -> bool {
        self.blindness.is_holding()
    }

    /// The latest assessment.
    #[must_use]
    pub const fn latest(&self) -> &Assessment {
        &self.assessment
    }

    /// Evaluates a period with the readings of [`Plan::series`], in that order; missing ones are absent. While `suspended`
    /// (a person has paused the rollout) nothing is promoted and the stage's patience does not run.
    ///
    /// Each period is evaluated once and in time order: `None` for one that was evaluated before (semantics 1.2).
    pub fn observe(
        &mut self,
        plan: &Plan,
        period: Period,
        readings: &[Reading],
        suspended: bool,
    ) -> Option<&Assessment> {
        if self.next.is_some_and(|next| period < next) {
            return None;
        }
        self.next = Some(period.next());
        let first = *self.first.get_or_insert(period);
        self.resolve(plan, readings);
        self.assessment.period = period;
        self.assessment.notices.clear();
        self.assessment.firing.clear();
        self.assessment.gates.clear();
        self.watch_triggers(plan, period);
        self.watch_alerts(plan, period);
        self.watch_blindness(plan, period);
        self.watch_traffic(plan, period);
        self.feed_baselines(plan, period);
        let on_stage = self.watch_stage(plan, period, suspended);
        for verdict in self
            .assessment
            .firing
            .iter_mut()
            .chain(self.assessment.notices.iter_mut().map(|n| &mut n.verdict))
        {
            verdict.from = verdict.from.max(first);
        }
        self.assessment.ruling =
            self.assessment.firing.first().map_or(on_stage, |first| Ruling::RollBack(*first));
        Some(&self.assessment)
    }

    fn resolve(&mut self, plan: &Plan, readings: &[Reading]) {
        let reading = |index: usize| readings.get(index).copied().unwrap_or(Reading::ABSENT);
        for (index, (place, series)) in self.row.iter_mut().zip(plan.series()).enumerate() {
            *place = Evidence::of(reading(index), series.class, reading(series.requests.index()));
        }
    }

    fn watch_triggers(&mut self, plan: &Plan, period: Period) {
        for (index, (state, trigger)) in self.triggers.iter_mut().zip(plan.triggers()).enumerate() {
            if let Said::Breach(measure, periods) = state.push(trigger, &self.row) {
                let from = back(period, periods);
                let rule = RuleRef::Trigger(index);
                self.assessment.firing.push(Verdict { rule, holds: true, measure, from, to: period });
            }
        }
    }

    fn watch_alerts(&mut self, plan: &Plan, period: Period) {
        for (index, ((state, raised), alert)) in self.alerts.iter_mut().zip(plan.alerts()).enumerate() {
            let (holds, measure, periods) = match state.push(alert, &self.row) {
                Said::Breach(measure, periods) => (true, measure, periods),
                Said::Fine(measure, periods) => (false, measure, periods),
                Said::Silent => continue,
            };
            if core::mem::replace(raised, holds) != holds {
                let kind = if holds { NoticeKind::AlertRaised } else { NoticeKind::AlertCleared };
                let from = back(period, periods);
                let verdict = Verdict { rule: RuleRef::Alert(index), holds, measure, from, to: period };
                self.assessment.notices.push(Notice { kind, verdict });
            }
        }
    }

    fn watch_blindness(&mut self, plan: &Plan, period: Period) {
        let policy = plan.policy().blindness;
        self.blindness.push(plan, &self.row);
        let verdict = |blind: BlindSource, holds, of| Verdict {
            rule: RuleRef::Blind,
            holds,
            measure: Measure::Blind { source: blind.source, periods: blind.periods },
            from: back(period, of),
            to: period,
        };
        match self.blindness.hold_change(policy) {
            Some((HoldChange::Began, source)) => {
                let verdict = verdict(source, true, policy.hold_after);
                self.assessment.notices.push(Notice { kind: NoticeKind::HoldBegan, verdict });
                self.assessment.notices.push(Notice { kind: NoticeKind::AlertRaised, verdict });
            }
            Some((HoldChange::Ended, source)) => {
                let verdict = verdict(source, false, 1);
                self.assessment.notices.push(Notice { kind: NoticeKind::AlertCleared, verdict });
            }
            None => {}
        }
        if let Some(source) = self.blindness.too_long(policy) {
            self.assessment.firing.push(verdict(source, true, policy.rollback_of));
        }
    }

    fn watch_traffic(&mut self, plan: &Plan, period: Period) {
        let policy = plan.policy().traffic_loss;
        let verdict = |streak: u32, holds| Verdict {
            rule: RuleRef::NoTraffic,
            holds,
            measure: Measure::Silence(streak),
            from: back(period, streak.max(1)),
            to: period,
        };
        match self.traffic.push(policy, &self.row) {
            Some(LossChange::Alert(streak)) => {
                let verdict = verdict(streak, true);
                self.assessment.notices.push(Notice { kind: NoticeKind::AlertRaised, verdict });
            }
            Some(LossChange::Clear) => {
                let verdict = verdict(0, false);
                self.assessment.notices.push(Notice { kind: NoticeKind::AlertCleared, verdict });
            }
            None => {}
        }
        if let Some(streak) = self.traffic.too_long(policy) {
            self.assessment.firing.push(verdict(streak, true));
        }
    }

    /// Blue's ratios in the periods that began before a stage took effect are the baseline of its gates.
    fn feed_baselines(&mut self, plan: &Plan, period: Period) {
        let stages = plan.stages().iter().zip(&mut self.baselines).zip(&self.effective);
        let ahead =
            stages.filter(|(_, effective)| effective.is_none_or(|effective| period.start() < effective));
        for (gate, sums) in ahead.flat_map(|((stage, sums), _)| stage.gates.iter().zip(sums)) {
            if let GateKind::Baseline(pair) = &gate.kind
                && let Some([part, whole]) = pair.blue.counts(&self.row)
            {
                sums.part += part;
                sums.whole += whole;
            }
        }
    }

    fn watch_stage(&mut self, plan: &Plan, period: Period, suspended: bool) -> Ruling {
        self.assessment.counted = false;
        let Some((index, stage)) = self.stage.and_then(|index| Some((index, plan.stage(index)?))) else {
            return Ruling::Continue;
        };
        self.assessment.counted = self.window.push(stage, period, &self.row);
        if suspended {
            return Ruling::Continue;
        }
        let expired = self.window.tick(stage, period);
        let may_look =
            self.assessment.counted && self.window.counted() >= stage.bake && !self.blindness.is_holding();
        if may_look {
            let baselines = self.baselines.get(index).map_or(&[][..], Vec::as_slice);
            look(index, stage, &self.window, baselines, &mut self.assessment.gates);
        }
        match self.assessment.gates.iter().find(|verdict| !verdict.holds) {
            None if may_look => Ruling::Promote,
            Some(failed) if expired => Ruling::RollBack(*failed),
            None if expired => Ruling::RollBack(Verdict {
                rule: RuleRef::StageEvidence(index),
                holds: false,
                measure: Measure::Unlooked {
                    counted: self.window.counted(),
                    needed: stage.bake,
                    held: self.blindness.is_holding(),
                    lacking: self.window.most_lacking(),
                },
                from: back(period, stage.deadline),
                to: period,
            }),
            Some(_) | None => Ruling::Continue,
        }
    }

    /// What every rule says as things stand, for a person who looks: triggers and alerts of the period evaluated last, and the gates
    /// of the running stage over the periods so far. Rules that the period has nothing for are left out. Nothing is decided by it.
    #[must_use]
    pub fn standing(&self, plan: &Plan) -> Vec<Verdict> {
        let Some(first) = self.first else { return Vec::new() };
        let period = self.assessment.period;
        let verdict = |rule, said| {
            let (holds, measure, periods) = match said {
                Said::Breach(measure, periods) => (true, measure, periods),
                Said::Fine(measure, periods) => (false, measure, periods),
                Said::Silent => return None,
            };
            Some(Verdict { rule, holds, measure, from: back(period, periods).max(first), to: period })
        };
        let triggers = self.triggers.iter().zip(plan.triggers()).enumerate();
        let triggers = triggers.filter_map(|(index, (state, rule))| {
            verdict(RuleRef::Trigger(index), state.says(rule, &self.row))
        });
        let alerts = self.alerts.iter().zip(plan.alerts()).enumerate();
        let alerts = alerts.filter_map(|(index, ((state, _), rule))| {
            verdict(RuleRef::Alert(index), state.says(rule, &self.row))
        });
        let mut verdicts: Vec<Verdict> = triggers.chain(alerts).collect();
        if let Some((index, stage)) = self.stage.and_then(|index| Some((index, plan.stage(index)?)))
            && self.window.counted() > 0
        {
            let baselines = self.baselines.get(index).map_or(&[][..], Vec::as_slice);
            look(index, stage, &self.window, baselines, &mut verdicts);
        }
        verdicts
    }

    /// The ids of the alerts that hold.
    pub fn alerts_raised<'a>(&'a self, plan: &'a Plan) -> impl Iterator<Item = &'a str> {
        self.alerts
            .iter()
            .zip(plan.alerts())
            .filter(|((_, raised), _)| *raised)
            .map(|(_, alert)| alert.id.as_str())
    }

    pub(super) fn blind_source(&self, source: usize) -> Option<(usize, Option<usize>)> {
        self.blindness.source(source).map(|source| (source.trigger, source.service))
    }
}

/// The first of the `count` periods that end with `period`.
fn back(period: Period, count: u32) -> Period {
    let minutes = i64::from(count.saturating_sub(1));
    let start = period.start().as_millis().saturating_sub(minutes.saturating_mul(crate::time::PERIOD_MILLIS));
    Period::containing(Timestamp::from_millis(start))
}
