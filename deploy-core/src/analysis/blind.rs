//! Rules `blind` and `no-traffic`: what it means when evidence or traffic stays away (semantics 3.7 and 3.8).

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::evidence::Evidence;
use super::window::BitWindow;
use crate::plan::{Plan, SeriesId, Term, Watch, WatchKind, at};
use crate::policy::{BlindnessPolicy, TrafficLossPolicy};

/// Something that a trigger must be able to see: the trigger's place in the plan, and the service's in a critical one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Source {
    pub(super) trigger: usize,
    pub(super) service: Option<usize>,
    history: BitWindow,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Blindness {
    sources: Vec<Source>,
    holding: bool,
}

/// What the latest period did to the hold on promotions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HoldChange {
    Began,
    Ended,
}

/// A source by its place, and its blind periods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BlindSource {
    pub(super) source: usize,
    pub(super) periods: u32,
}

impl Blindness {
    pub(super) fn new(plan: &Plan) -> Self {
        let mut sources = Vec::new();
        for (trigger, watch) in plan.triggers().iter().enumerate() {
            let history = BitWindow::default();
            match &watch.kind {
                WatchKind::Critical { metrics, .. } => {
                    sources.extend((0..metrics.len()).map(|at| Source {
                        trigger,
                        service: Some(at),
                        history,
                    }));
                }
                WatchKind::Consecutive { .. }
                | WatchKind::Period(_)
                | WatchKind::MOfN { .. }
                | WatchKind::Ratio { .. }
                | WatchKind::Trend { .. }
                | WatchKind::Comparison { .. } => sources.push(Source { trigger, service: None, history }),
            }
        }
        Self { sources, holding: false }
    }

    pub(super) fn push(&mut self, plan: &Plan, row: &[Evidence]) {
        for source in &mut self.sources {
            let watch = plan.triggers().get(source.trigger);
            source.history.push(watch.is_some_and(|watch| is_blind(watch, source.service, row)));
        }
    }

    /// Whether promotion began or ceased to be held with the latest period, and the source that says so.
    pub(super) fn hold_change(&mut self, policy: BlindnessPolicy) -> Option<(HoldChange, BlindSource)> {
        let blind = self.sources.iter().position(|source| source.history.all_of(policy.hold_after));
        let before = core::mem::replace(&mut self.holding, blind.is_some());
        match (before, blind) {
            (false, Some(source)) => {
                Some((HoldChange::Began, BlindSource { source, periods: policy.hold_after }))
            }
            (true, None) => Some((HoldChange::Ended, BlindSource { source: 0, periods: 0 })),
            (true, Some(_)) | (false, None) => None,
        }
    }

    pub(super) const fn is_holding(&self) -> bool {
        self.holding
    }

    /// The first source that has been blind for too long.
    pub(super) fn too_long(&self, policy: BlindnessPolicy) -> Option<BlindSource> {
        self.sources.iter().enumerate().find_map(|(source, state)| {
            let periods = state.history.count_of(policy.rollback_of);
            (periods >= policy.rollback_after).then_some(BlindSource { source, periods })
        })
    }

    pub(super) fn source(&self, index: usize) -> Option<&Source> {
        self.sources.get(index)
    }
}

fn is_blind(watch: &Watch, service: Option<usize>, row: &[Evidence]) -> bool {
    let blind = |term: Term| term.evidence(row).is_blind();
    match &watch.kind {
        WatchKind::Consecutive { test, .. }
        | WatchKind::Period(test)
        | WatchKind::MOfN { test, .. }
        | WatchKind::Ratio { test, .. } => blind(test.term),
        WatchKind::Trend { term, .. } => blind(*term),
        WatchKind::Comparison { pair, .. } => pair.series().any(|id| at(row, id).is_blind()),
        WatchKind::Critical { metrics, .. } => {
            service.and_then(|service| metrics.get(service)).is_some_and(|id| blind(Term::Series(*id)))
        }
    }
}

/// Rule `no-traffic`: the streak of periods in which green's requests are known to be 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct TrafficLoss {
    requests: Option<SeriesId>,
    had_traffic: bool,
    streak: u32,
    alerting: bool,
}

/// What the latest period did to the alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LossChange {
    Alert(u32),
    Clear,
}

impl TrafficLoss {
    pub(super) fn new(plan: &Plan) -> Self {
        let requests = plan.stage(0).and_then(|stage| stage.needed.first()).copied();
        Self { requests, had_traffic: false, streak: 0, alerting: false }
    }

    pub(super) fn push(&mut self, policy: TrafficLossPolicy, row: &[Evidence]) -> Option<LossChange> {
        let requests = self.requests.and_then(|id| at(row, id).value())?;
        if requests > 0.0 {
            self.had_traffic = true;
            self.streak = 0;
            return core::mem::take(&mut self.alerting).then_some(LossChange::Clear);
        }
        if self.had_traffic {
            self.streak = self.streak.saturating_add(1);
        }
        if self.streak >= policy.alert_after
            && !core::mem::replace(&mut self.alerting, self.streak >= policy.alert_after)
        {
            return Some(LossChange::Alert(self.streak));
        }
        None
    }

    /// The length of a streak that is too long.
    pub(super) fn too_long(&self, policy: TrafficLossPolicy) -> Option<u32> {
        (self.streak >= policy.rollback_after).then_some(self.streak)
    }
}
