//! Which periods count for a stage, and the window over them (semantics 4).

use mpac_deploy_core::metric::{Metric, Side};
use mpac_deploy_core::time::Period;

use super::evidence;
use super::gate::Gate;
use crate::recording::Recording;

/// The periods of a stage that count for it.
pub(super) struct Counted(Vec<Period>);

impl Counted {
    /// Those of the stage's periods in which green's `requests` is above 0 and every metric that a gate needs has a `Value`.
    pub(super) fn of(recording: &Recording, gates: &[Gate], stage_periods: &[Period]) -> Self {
        let mut needs: Vec<(Side, Metric)> = gates.iter().flat_map(|gate| gate.needs(recording)).collect();
        needs.sort();
        needs.dedup();
        let value = |side, metric: &Metric, period| evidence::of(recording, side, metric, period).value();
        let counts = |period: &Period| {
            value(Side::Green, &Metric::Requests, *period).is_some_and(|requests| requests > 0.0)
                && needs.iter().all(|(side, metric)| value(*side, metric, *period).is_some())
        };
        Self(stage_periods.iter().copied().filter(counts).collect())
    }

    pub(super) fn includes(&self, period: Period) -> bool {
        self.0.contains(&period)
    }

    /// The latest `bake` counted periods; nothing before as many have counted.
    pub(super) fn window(&self, bake: usize, stage_periods: &[Period]) -> Option<Window> {
        let counted = self.0.get(self.0.len().checked_sub(bake)?..)?.to_vec();
        let first = *counted.first()?;
        let span = stage_periods.iter().copied().filter(|period| *period >= first).collect();
        Some(Window { counted, span, stage_began: *stage_periods.first()? })
    }
}

/// What the gates look at.
pub(super) struct Window {
    /// The latest `bake` periods that count.
    pub(super) counted: Vec<Period>,
    /// All periods from the first of them to the one just looked at.
    pub(super) span: Vec<Period>,
    /// The first period of the stage.
    pub(super) stage_began: Period,
}

/// Adds up one or more metrics over those of the periods in which all of them have a `Value`.
pub(super) fn sums<const N: usize>(
    recording: &Recording,
    periods: impl IntoIterator<Item = Period>,
    metrics: [(Side, Metric); N],
) -> [f64; N] {
    let mut sums = [0.0; N];
    for period in periods {
        let values: Vec<f64> = metrics
            .iter()
            .filter_map(|(side, metric)| evidence::of(recording, *side, metric, period).value())
            .collect();
        if values.len() == N {
            sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        }
    }
    sums
}
