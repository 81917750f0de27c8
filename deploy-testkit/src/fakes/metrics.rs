//! A source of metrics that a test fills.

use std::collections::BTreeMap;

use async_trait::async_trait;
use mpac_deploy_core::analysis::{Gap, Reading};
use mpac_deploy_core::metric::{Metric, Side};
use mpac_deploy_core::plan::Series;
use mpac_deploy_core::port::{Metrics, PortError};
use mpac_deploy_core::time::Period;

use super::failures::Failures;
use super::lock::Lock;

/// A source of metrics that a test fills: what was not set is absent.
#[derive(Debug, Default)]
pub struct FakeMetrics {
    state: Lock<State>,
}

#[derive(Debug, Default)]
struct State {
    always: BTreeMap<(Side, Metric), Reading>,
    periods: BTreeMap<(Period, Side, Metric), Reading>,
    asked: Vec<Period>,
    failures: Failures,
}

impl FakeMetrics {
    /// Sets a number in every period for which no other is set.
    pub fn set_always(&self, side: Side, metric: Metric, number: f64) {
        self.state.get().always.insert((side, metric), Reading::from_number(number));
    }

    /// Sets a number in one period.
    pub fn set(&self, period: Period, side: Side, metric: Metric, number: f64) {
        self.state.get().periods.insert((period, side, metric), Reading::from_number(number));
    }

    /// Makes a metric fail by itself in one period.
    pub fn fail(&self, period: Period, side: Side, metric: Metric) {
        self.state.get().periods.insert((period, side, metric), Reading::Gap(Gap::SourceError));
    }

    /// Makes the next call fail as a whole; several errors wait in line.
    pub fn fail_next(&self, error: PortError) {
        self.state.get().failures.add(error);
    }

    /// The periods that were asked for, in order.
    #[must_use]
    pub fn asked(&self) -> Vec<Period> {
        self.state.get().asked.clone()
    }
}

#[async_trait]
impl Metrics for FakeMetrics {
    async fn fetch(&self, series: &[Series], period: Period) -> Result<Vec<Reading>, PortError> {
        let mut state = self.state.get();
        state.asked.push(period);
        state.failures.next()?;
        let reading = |series: &Series| {
            let (side, metric) = (series.side, series.metric.clone());
            let in_period = state.periods.get(&(period, side, metric.clone()));
            in_period.or_else(|| state.always.get(&(side, metric))).copied().unwrap_or(Reading::ABSENT)
        };
        Ok(series.iter().map(reading).collect())
    }
}
