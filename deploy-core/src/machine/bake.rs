//! A stage's bake: observations are judged, and the judge's ruling is carried out.

use alloc::string::String;
use alloc::vec;

use super::state::Baking;
use super::{Cause, Phase, Rollout};
use crate::analysis::{Gap, Reading, Ruling};
use crate::decision::decisions;
use crate::effect::Effects;
use crate::time::Period;

impl Rollout {
    pub(super) fn observed(&mut self, period: Period, readings: &[Reading], out: &mut Effects) {
        self.observation_done(period);
        let suspended = self.is_paused();
        let stage = self.stage().unwrap_or_default();
        if self.judge.observe(&self.plan, period, readings, suspended).is_none() {
            return;
        }
        if !suspended && self.judge.latest().counted {
            self.measure_share(period, readings, out);
        }
        out.decisions.extend(decisions(&self.plan, &self.judge, stage, self.now));
        match self.judge.latest().ruling {
            Ruling::Continue => {}
            Ruling::Promote => {
                if let Phase::Baking(Baking { stage, .. }) = self.phase {
                    self.stage_passed(stage, out);
                }
            }
            Ruling::RollBack(verdict) => {
                let id = verdict.rule_id(&self.plan);
                let why = verdict.reason(&self.plan, &self.judge);
                self.take_back(Cause::Rule(id), &why, out);
            }
        }
    }

    /// The source gave no answer for a period: that is evidence too, of kind `SourceError`.
    pub(super) fn not_observed(&mut self, period: Period, out: &mut Effects) {
        let readings = vec![Reading::Gap(Gap::SourceError); self.plan.series().len()];
        self.observed(period, &readings, out);
    }

    /// The gates of a stage have let it pass, or a person has.
    pub(super) fn stage_passed(&mut self, stage: usize, out: &mut Effects) {
        self.judge.leave();
        if self.plan.is_last(stage) {
            self.begin_decommission(out);
        } else {
            self.begin_shift(stage + 1, out);
        }
    }

    /// A rule that rolls back, found outside an observation.
    pub(super) fn rule_fired(&mut self, id: String, why: &str, out: &mut Effects) {
        self.take_back(Cause::Rule(id), why, out);
    }
}
