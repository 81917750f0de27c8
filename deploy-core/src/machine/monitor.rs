//! What is looked at while green may have traffic: metrics, critical services, both sides' health, and the weights.

use alloc::format;
use alloc::vec::Vec;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::state::KnownHealth;
use super::{Decommissioning, Phase, Rollout, ShiftStep, Shifting};
use crate::analysis::{Measure, RuleRef, Verdict};
use crate::decision::{Decision, DecisionKind};
use crate::effect::{EffectKind, Effects};
use crate::metric::{Metric, Side};
use crate::plan::{Plan, WatchKind};
use crate::time::{Period, Timestamp};

/// Health and weights are looked at once a period: often enough to know before a rollback whether blue can take the traffic,
/// rarely enough for the control plane's shared limits.
const LOOK_INTERVAL: Duration = Duration::from_secs(60);

/// The looks that go on beside the phases, while green may have traffic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Monitor {
    Off { probes: Vec<ProbeRun> },
    On { next_period: Period, next_probe: Timestamp, next_look: Timestamp, probes: Vec<ProbeRun> },
}

/// Failures in a row of one probed service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ProbeRun {
    service: Metric,
    trigger: usize,
    /// The service's place in the trigger's list: metrics first, probes after them.
    place: usize,
    failures: u32,
}

impl Monitor {
    pub(super) fn new(plan: &Plan) -> Self {
        let mut probes = Vec::new();
        for (trigger, watch) in plan.triggers().iter().enumerate() {
            if let WatchKind::Critical { metrics, probes: services } = &watch.kind {
                probes.extend(services.iter().enumerate().map(|(index, service)| ProbeRun {
                    service: service.clone(),
                    trigger,
                    place: metrics.len() + index,
                    failures: 0,
                }));
            }
        }
        Self::Off { probes }
    }

    pub(super) const fn is_on(&self) -> bool {
        matches!(self, Self::On { .. })
    }

    const fn probes(&self) -> &Vec<ProbeRun> {
        match self {
            Self::Off { probes } | Self::On { probes, .. } => probes,
        }
    }
}

impl Rollout {
    /// Green gets traffic from here on.
    pub(super) fn start_monitor(&mut self) {
        if let Monitor::Off { probes } = &mut self.monitor {
            let probes = core::mem::take(probes);
            let next_period = Period::from_or_after(self.now);
            self.monitor = Monitor::On { next_period, next_probe: self.now, next_look: self.now, probes };
        }
    }

    pub(super) fn stop_monitor(&mut self) {
        self.monitor = Monitor::new(&self.plan);
    }

    /// Issues what is due.
    pub(super) fn run_monitors(&mut self, out: &mut Effects) {
        let Monitor::On { next_period, next_probe, next_look, .. } = self.monitor else { return };
        if !self.is_observing() && self.visible_at(next_period) <= self.now {
            self.issue(EffectKind::Observe { period: next_period }, out);
        }
        if !self.is_probing() && next_probe <= self.now && !self.monitor.probes().is_empty() {
            let mut services: Vec<Metric> =
                self.monitor.probes().iter().map(|probe| probe.service.clone()).collect();
            services.sort();
            services.dedup();
            let next = self.now.after(self.plan.policy().probes.interval.duration());
            if let Monitor::On { next_probe, .. } = &mut self.monitor {
                *next_probe = next;
            }
            self.issue(EffectKind::Probe { services }, out);
        }
        if self.looks_are_due(next_look) {
            let next = self.now.after(LOOK_INTERVAL);
            if let Monitor::On { next_look, .. } = &mut self.monitor {
                *next_look = next;
            }
            self.look_at(Side::Blue, out);
            self.look_at(Side::Green, out);
            if !self.is_outstanding(|kind| *kind == EffectKind::ReadWeights) {
                self.issue(EffectKind::ReadWeights, out);
            }
        }
    }

    /// While weights are on their way, the shift does its own looking.
    const fn looks_at_weights(&self) -> bool {
        matches!(
            self.phase,
            Phase::Baking(_)
                | Phase::Decommissioning(Decommissioning::Waiting { .. } | Decommissioning::AwaitingApproval)
                | Phase::Shifting(Shifting {
                    step: ShiftStep::Waiting | ShiftStep::AwaitingApproval { .. },
                    ..
                })
        )
    }

    /// Whether every period that is visible has been judged. After a restart there is more to read than the gates have
    /// seen, and nothing moves towards green on the older part of it.
    pub(super) fn is_caught_up(&self) -> bool {
        match &self.monitor {
            Monitor::Off { .. } => true,
            Monitor::On { next_period, .. } => {
                !self.is_observing() && self.visible_at(*next_period) > self.now
            }
        }
    }

    fn looks_are_due(&self, next_look: Timestamp) -> bool {
        self.looks_at_weights() && next_look <= self.now
    }

    pub(super) fn monitor_deadline(&self) -> Option<Timestamp> {
        let Monitor::On { next_period, next_probe, next_look, probes } = &self.monitor else { return None };
        let observe = (!self.is_observing()).then(|| self.visible_at(*next_period));
        let probe = (!self.is_probing() && !probes.is_empty()).then_some(*next_probe);
        let look = self.looks_at_weights().then_some(*next_look);
        observe.into_iter().chain(probe).chain(look).min()
    }

    pub(super) fn visible_at(&self, period: Period) -> Timestamp {
        period.end().after(self.plan.policy().evidence.settle.duration())
    }

    fn is_observing(&self) -> bool {
        self.is_outstanding(|kind| matches!(kind, EffectKind::Observe { .. }))
    }

    fn is_probing(&self) -> bool {
        self.is_outstanding(|kind| matches!(kind, EffectKind::Probe { .. }))
    }

    pub(super) fn observation_done(&mut self, period: Period) {
        if let Monitor::On { next_period, .. } = &mut self.monitor {
            *next_period = period.next();
        }
    }

    /// Looks that were issued for an earlier step answer nothing that is asked now.
    pub(super) fn forget_looks(&mut self, out: &mut Effects) {
        let is_look =
            |kind: &EffectKind| matches!(kind, EffectKind::ReadWeights | EffectKind::CheckHealth { .. });
        self.outstanding.retain(|outstanding| !is_look(&outstanding.effect.kind));
        out.run.retain(|effect| !is_look(&effect.kind));
        self.health.green = KnownHealth::Unknown;
    }

    /// Counts the failures in a row of each service; the limit fires the trigger that names it (semantics 3.6).
    pub(super) fn probed(&mut self, services: &[Metric], answers: &[bool], out: &mut Effects) {
        let limit = self.plan.policy().probes.failures;
        let Monitor::On { probes, .. } = &mut self.monitor else { return };
        let mut fired = None;
        for (service, up) in services.iter().zip(answers) {
            for probe in probes.iter_mut().filter(|probe| probe.service == *service) {
                probe.failures = if *up { 0 } else { probe.failures.saturating_add(1) };
                if probe.failures >= limit && fired.is_none() {
                    fired = Some((probe.trigger, probe.place, probe.failures));
                }
            }
        }
        if let Some((trigger, place, failures)) = fired {
            let period = Period::containing(self.now);
            let rule = RuleRef::Trigger(trigger);
            let verdict =
                Verdict { rule, holds: true, measure: Measure::Service(place), from: period, to: period };
            let why = format!(
                "{} in {failures} probes in a row, {} apart",
                verdict.reason(&self.plan, &self.judge),
                self.plan.policy().probes.interval
            );
            let id = verdict.rule_id(&self.plan);
            out.decisions.push(Decision {
                rule: Some(id.clone()),
                evidence_end: Some(self.now),
                ..Decision::plain(DecisionKind::Rollback, self.stage_name(), self.now, why.clone())
            });
            self.rule_fired(id, &why, out);
        }
    }
}
