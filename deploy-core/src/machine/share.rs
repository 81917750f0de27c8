//! The fourth fact about weights: the share of the requests that green really gets, measured while a stage bakes.
//!
//! In sync, read back and a TTL speak of answers. Resolvers that ignore the TTL, clients that keep connections and networks behind
//! one resolver make a share of the requests that no authority can know. It is told, and a share that is far from the weights raises
//! an alert; it moves nothing: the rules judge green by what it gets.

use alloc::format;
use alloc::string::String;

use serde::{Deserialize, Serialize};

use super::Rollout;
use crate::analysis::Reading;
use crate::decision::{Decision, DecisionKind};
use crate::effect::Effects;
use crate::metric::{Metric, Side};
use crate::plan::Plan;
use crate::time::Period;
use crate::units::Weights;

/// The rule that the alert about a share names.
pub(crate) const TRAFFIC_SHARE: &str = "traffic-share";

/// A side's share is far off below the half or above the double of what its weight says: 5 % of the answers may well be 4 % or 7 % of the
/// requests, but hardly 12 %.
const FACTOR: f64 = 2.0;

/// What a side may have in any case: some resolvers keep an answer for longer than its TTL, so also one at weight 0 has requests.
const TOLERATED: f64 = 0.05;

/// A share is called far off only where at least so many requests were to be expected on the smaller side: with fewer, half or
/// double of them is luck more than once in 200 looks.
const ENOUGH: f64 = 30.0;

/// The requests of the running stage, as far as those of both sides are known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Share {
    requests: Requests,
    is_told: bool,
    is_far: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Requests {
    green: f64,
    blue: f64,
}

impl Requests {
    fn total(self) -> f64 {
        self.green + self.blue
    }

    fn of(self, side: Side) -> f64 {
        match side {
            Side::Blue => self.blue,
            Side::Green => self.green,
        }
    }

    /// Whether the weights, or what resolvers do to them, do not explain these requests.
    fn is_far_from(self, weights: Weights) -> bool {
        let total = self.total();
        let expected = |side| fraction(weights, side);
        let smaller = expected(Side::Blue).min(expected(Side::Green));
        // With everything on one side it is that side which must have enough.
        let smaller = if smaller > 0.0 { smaller } else { 1.0 };
        let is_far = |side| {
            let (measured, expected) = (self.of(side) / total, expected(side));
            measured < expected / FACTOR || measured > (expected * FACTOR).max(TOLERATED)
        };
        total * smaller >= ENOUGH && (is_far(Side::Blue) || is_far(Side::Green))
    }

    fn describe(self, weights: Weights) -> String {
        format!(
            "green gets {:.1} % of the requests ({} of {}), and {:.1} % by the weights",
            100.0 * self.green / self.total(),
            self.green,
            self.total(),
            100.0 * fraction(weights, Side::Green)
        )
    }
}

impl Share {
    /// A stage begins: what was measured under other weights is over, an alert is not.
    pub(super) fn begin_stage(&mut self) {
        *self = Self { is_far: self.is_far, ..Self::default() };
    }
}

impl Rollout {
    /// Whether an observation holds what it takes to measure the share.
    pub(super) fn measures_share(&self) -> bool {
        place(&self.plan, Side::Green).is_some() && place(&self.plan, Side::Blue).is_some()
    }

    /// Adds a period that counted for the stage.
    pub(super) fn measure_share(&mut self, period: Period, readings: &[Reading], out: &mut Effects) {
        let requests = |side| match place(&self.plan, side).and_then(|place| readings.get(place)) {
            Some(Reading::Number(number)) => Some(number.get()),
            Some(Reading::Gap(_)) | None => None,
        };
        let (Some(green), Some(blue)) = (requests(Side::Green), requests(Side::Blue)) else { return };
        let sums = &mut self.share.requests;
        sums.green += green;
        sums.blue += blue;
        let (sums, weights) = (*sums, self.expected);
        if sums.total() <= 0.0 {
            return;
        }
        let share = sums.describe(weights);
        if !core::mem::replace(&mut self.share.is_told, true) {
            self.tell_share(DecisionKind::Share, None, period, share.clone(), out);
        }
        let is_far = sums.is_far_from(weights);
        match (core::mem::replace(&mut self.share.is_far, is_far), is_far) {
            (false, true) => {
                let why = format!(
                    "{share}: look for clients and resolvers that keep answers past the TTL, or reach a side without the record"
                );
                self.tell_share(DecisionKind::Alert, Some(TRAFFIC_SHARE), period, why, out);
            }
            (true, false) => {
                self.tell_share(DecisionKind::AlertCleared, Some(TRAFFIC_SHARE), period, share, out)
            }
            (false, false) | (true, true) => {}
        }
    }

    fn tell_share(
        &self,
        kind: DecisionKind,
        rule: Option<&str>,
        period: Period,
        reason: String,
        out: &mut Effects,
    ) {
        out.decisions.push(Decision {
            rule: rule.map(String::from),
            evidence_end: Some(period.end()),
            ..Decision::plain(kind, self.stage_name(), self.now, reason)
        });
    }
}

fn fraction(weights: Weights, side: Side) -> f64 {
    f64::from(weights.of(side)) / (f64::from(weights.blue()) + f64::from(weights.green()))
}

/// Where the request count of a side stands in an observation.
fn place(plan: &Plan, side: Side) -> Option<usize> {
    plan.series().iter().position(|series| series.side == side && series.metric == Metric::Requests)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_far(blue: f64, green: f64, weights: (u8, u8)) -> bool {
        Requests { green, blue }.is_far_from(Weights::new(weights.0, weights.1).unwrap())
    }

    #[test]
    fn half_and_double_are_the_limits_of_either_side() {
        assert!(!is_far(970.0, 30.0, (95, 5)));
        assert!(!is_far(901.0, 99.0, (95, 5)));
        assert!(is_far(880.0, 120.0, (95, 5)));
        assert!(is_far(980.0, 20.0, (95, 5)));
        assert!(!is_far(700.0, 300.0, (50, 50)));
        assert!(is_far(800.0, 200.0, (50, 50)));
        assert!(is_far(200.0, 800.0, (50, 50)));
    }

    #[test]
    fn a_side_without_a_weight_may_have_a_few_requests() {
        assert!(!is_far(49.0, 951.0, (0, 100)));
        assert!(is_far(60.0, 940.0, (0, 100)));
    }

    #[test]
    fn too_few_requests_say_nothing() {
        assert!(!is_far(590.0, 0.0, (95, 5)));
        assert!(is_far(600.0, 0.0, (95, 5)));
        assert!(!is_far(29.0, 0.0, (0, 100)));
        assert!(is_far(30.0, 0.0, (0, 100)));
    }
}
