//! Policy + release -> plan: everything absolute, resolved and valid. Nothing downstream checks it again.

mod check;
mod compile;
mod looser;
mod rule;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

pub use compile::{Recorded, Sought};
pub(crate) use rule::{CountPair, GateKind, GatePlan, StagePlan, Term, Test, Watch, WatchKind, at};

use crate::analysis::Class;
use crate::ids::{CheckName, FlagName, RecordName, Revision};
use crate::machine::ApprovalGate;
use crate::metric::{Metric, Side};
use crate::migration::Migrations;
use crate::policy::{Approval, Policy, percent};
use crate::units::Weights;

/// What is rolled out, and what is known of the world that it is rolled out to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// The service or the set of services, for people.
    pub service: String,
    /// The record whose weights are moved.
    pub record: RecordName,
    /// What serves now.
    pub blue: Revision,
    /// What shall serve next.
    pub green: Revision,
    /// The pre-production checks, in the order in which they run.
    #[serde(default)]
    pub checks: Vec<CheckName>,
    /// The metrics that the metrics port can answer, for either side.
    pub metrics: Vec<Metric>,
    /// The critical services that the probes port can probe, by the name of their `*_up` metric.
    #[serde(default)]
    pub probes: Vec<Metric>,
    /// The environments that play the two sides, where they have names of their own: after a rollout its green is what the next one
    /// calls blue. Whoever resumes a rollout finds here which is which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environments: Option<Environments>,
    /// The feature flags that come with green: for a feature's bug they are switched off, and traffic stays where it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<FlagName>,
    /// The schema changes that green needs.
    #[serde(default, skip_serializing_if = "Migrations::is_empty")]
    pub migrations: Migrations,
}

/// The environments that play the two sides of a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Environments {
    /// The one that serves now.
    pub blue: String,
    /// The one that shall serve next.
    pub green: String,
}

impl Environments {
    /// The environment that plays this side.
    #[must_use]
    pub fn of(&self, side: Side) -> &str {
        match side {
            Side::Blue => &self.blue,
            Side::Green => &self.green,
        }
    }
}

/// A metric of a side that the plan needs in every period.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Whose metric.
    pub side: Side,
    /// Which metric.
    pub metric: Metric,
    pub(crate) class: Class,
    pub(crate) requests: SeriesId,
}

/// The place of a [`Series`] in [`Plan::series`], and of its reading in an observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SeriesId(u16);

impl SeriesId {
    /// The index into [`Plan::series`].
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A valid plan. Made by [`Policy::compile`](crate::policy::Policy::compile) only.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    policy: Policy,
    release: Release,
    series: Vec<Series>,
    stages: Vec<StagePlan>,
    triggers: Vec<Watch>,
    alerts: Vec<Watch>,
    skipped: Vec<String>,
}

impl Plan {
    /// The policy that was compiled.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The release that it was compiled for.
    #[must_use]
    pub const fn release(&self) -> &Release {
        &self.release
    }

    /// The metrics that an observation of a period consists of, in this order.
    #[must_use]
    pub fn series(&self) -> &[Series] {
        &self.series
    }

    /// The ids of the rules that a recording has no rows for (semantics 4); empty for a live rollout.
    #[must_use]
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }

    /// The number of stages, at least one.
    #[must_use]
    pub fn stage_count(&self) -> usize {
        self.stages.len()
    }

    /// The name of a stage; the last one's for any later index.
    #[must_use]
    pub fn stage_name(&self, stage: usize) -> &str {
        self.stage(stage).map_or("", |stage| &stage.name)
    }

    /// The weights of a stage.
    #[must_use]
    pub fn stage_weights(&self, stage: usize) -> Weights {
        self.stage(stage).map_or(Weights::ALL_BLUE, |stage| stage.weights)
    }

    /// The bake of a stage in periods.
    #[must_use]
    pub fn stage_bake(&self, stage: usize) -> u32 {
        self.stage(stage).map_or(u32::MAX, |stage| stage.bake)
    }

    /// Whether a person must approve of a step.
    #[must_use]
    pub fn approval(&self, gate: ApprovalGate) -> Approval {
        match gate {
            ApprovalGate::Stage(stage) => {
                self.policy.stages.get(stage).map_or(Approval::NotRequired, |stage| stage.approval)
            }
            ApprovalGate::Decommission => self.policy.decommission.approval,
        }
    }

    /// The name of a step that a person approves of: a stage's, or `decommission`.
    #[must_use]
    pub fn gate_name(&self, gate: ApprovalGate) -> &str {
        match gate {
            ApprovalGate::Stage(stage) => self.stage_name(stage),
            ApprovalGate::Decommission => "decommission",
        }
    }

    /// The step of this name that a person must approve of; a stage's name goes before `decommission`.
    #[must_use]
    pub fn approval_gate(&self, name: &str) -> Option<ApprovalGate> {
        self.approval_gates().find(|gate| self.gate_name(*gate) == name)
    }

    /// What a person approves of, in words: `half (green 50 %)`, `retiring blue`.
    #[must_use]
    pub fn gate_words(&self, gate: ApprovalGate) -> String {
        match gate {
            ApprovalGate::Stage(stage) => {
                let weights = self.stage_weights(stage);
                let (blue, green) = (f64::from(weights.blue()), f64::from(weights.green()));
                // To a hundredth of a percent: a third is no endless row of digits.
                let share = libm::round(green / (blue + green) * 1e4) / 1e4;
                format!("{} (green {} %)", self.stage_name(stage), percent(share))
            }
            ApprovalGate::Decommission => "retiring blue".into(),
        }
    }

    /// The steps that a person must approve of, in the order in which they come.
    pub fn approval_gates(&self) -> impl Iterator<Item = ApprovalGate> {
        (0..self.stage_count())
            .map(ApprovalGate::Stage)
            .chain(core::iter::once(ApprovalGate::Decommission))
            .filter(|gate| self.approval(*gate).is_required())
    }

    /// Whether this is the last stage.
    #[must_use]
    pub fn is_last(&self, stage: usize) -> bool {
        stage + 1 >= self.stages.len()
    }

    pub(crate) fn stage(&self, stage: usize) -> Option<&StagePlan> {
        self.stages.get(stage).or_else(|| self.stages.last())
    }

    pub(crate) fn stages(&self) -> &[StagePlan] {
        &self.stages
    }

    pub(crate) fn triggers(&self) -> &[Watch] {
        &self.triggers
    }

    pub(crate) fn alerts(&self) -> &[Watch] {
        &self.alerts
    }

    /// The critical services that must be probed, in order: those that a trigger names and no metric shows.
    pub fn probed_services(&self) -> impl Iterator<Item = &Metric> {
        self.triggers.iter().flat_map(|trigger| match &trigger.kind {
            WatchKind::Critical { probes, .. } => probes.as_slice(),
            WatchKind::Consecutive { .. }
            | WatchKind::Period(_)
            | WatchKind::MOfN { .. }
            | WatchKind::Ratio { .. }
            | WatchKind::Trend { .. }
            | WatchKind::Comparison { .. } => &[],
        })
    }
}
