//! The state as plain data, for a snapshot. The plan is made anew from the policy and the release, like everywhere.

use alloc::boxed::Box;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::monitor::Monitor;
use super::share::Share;
use super::state::{Outstanding, Sides, SwitchingOff};
use super::{Approved, Control, Phase, Rollout};
use crate::analysis::Judge;
use crate::ids::{CommandId, RolloutId};
use crate::migration::SchemaFit;
use crate::plan::Release;
use crate::policy::{Policy, PolicyError};
use crate::time::Timestamp;
use crate::units::Weights;

/// A [`Rollout`] without its plan.
#[derive(Serialize, Deserialize)]
pub(crate) struct Frozen {
    id: RolloutId,
    policy: Box<Policy>,
    release: Box<Release>,
    now: Timestamp,
    phase: Phase,
    control: Control,
    obeyed: Vec<CommandId>,
    approvals: Vec<Approved>,
    judge: Judge,
    health: Sides,
    expected: Weights,
    cutover: Option<Timestamp>,
    schema: SchemaFit,
    switching_off: Option<SwitchingOff>,
    share: Share,
    monitor: Monitor,
    outstanding: Vec<Outstanding>,
    effects_issued: u64,
}

impl From<Rollout> for Frozen {
    fn from(rollout: Rollout) -> Self {
        let Rollout {
            id,
            plan,
            now,
            phase,
            control,
            obeyed,
            approvals,
            judge,
            health,
            expected,
            cutover,
            schema,
            switching_off,
            share,
            monitor,
            outstanding,
            effects_issued,
        } = rollout;
        let (policy, release) = (Box::new(plan.policy().clone()), Box::new(plan.release().clone()));
        Self {
            id,
            policy,
            release,
            now,
            phase,
            control,
            obeyed,
            approvals,
            judge,
            health,
            expected,
            cutover,
            schema,
            switching_off,
            share,
            monitor,
            outstanding,
            effects_issued,
        }
    }
}

impl Frozen {
    /// The rollout again.
    pub(crate) fn thaw(self) -> Result<Rollout, PolicyError> {
        let Self {
            id,
            policy,
            release,
            now,
            phase,
            control,
            obeyed,
            approvals,
            judge,
            health,
            expected,
            cutover,
            schema,
            switching_off,
            share,
            monitor,
            outstanding,
            effects_issued,
        } = self;
        let plan = policy.compile(*release)?.into();
        Ok(Rollout {
            id,
            plan,
            now,
            phase,
            control,
            obeyed,
            approvals,
            judge,
            health,
            expected,
            cutover,
            schema,
            switching_off,
            share,
            monitor,
            outstanding,
            effects_issued,
        })
    }
}
