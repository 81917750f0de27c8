//! The preset `mpac` and the readings of a healthy minute.

use mpac_deploy_core::analysis::{Assessment, Judge, Reading};
use mpac_deploy_core::plan::{Plan, Series};
use mpac_deploy_core::policy::{PolicyError, mpac};
use mpac_deploy_core::time::{Period, Timestamp};
use mpac_deploy_testkit::recording::Draft;

use crate::world::release;

/// What the judge is in while it is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Between two stages: triggers, alerts, `blind` and `no-traffic`, no gates.
    Between,
    /// In the last stage with its bake done: every gate is looked at over its 60 periods too, in every period.
    LastLooking,
}

/// A judge of the preset with the readings of a healthy minute.
pub struct Preset {
    plan: Plan,
    judge: Judge,
    readings: Vec<Reading>,
    next: Period,
}

impl Preset {
    /// A judge in a stage.
    ///
    /// # Errors
    /// [`PolicyError`] when the preset is refused, which is a bug of the preset.
    pub fn new(stage: Stage) -> Result<Self, PolicyError> {
        let plan = mpac().compile(release())?;
        let readings = plan.series().iter().map(healthy).collect();
        let mut judge = Judge::new(&plan);
        let next = Draft::period(0);
        if stage == Stage::LastLooking {
            judge.enter(&plan, plan.stage_count() - 1, Timestamp::MIN);
        }
        let mut preset = Self { plan, judge, readings, next };
        if stage == Stage::LastLooking {
            for _ in 0..preset.plan.stage_bake(preset.plan.stage_count() - 1) {
                preset.observe();
            }
        }
        Ok(preset)
    }

    /// One sample: the next minute through every rule.
    pub fn observe(&mut self) -> Option<&Assessment> {
        let period = self.next;
        self.next = period.next();
        self.judge.observe(&self.plan, period, &self.readings, false)
    }

    /// The number of rules that look at a sample.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }
}

/// A healthy minute's reading; a sparse count is absent, as in a real minute without an error.
fn healthy(series: &Series) -> Reading {
    let known = Draft::HEALTHY.iter().find(|(metric, _)| *metric == series.metric);
    known.map_or(Reading::ABSENT, |(_, value)| Reading::from_number(*value))
}
