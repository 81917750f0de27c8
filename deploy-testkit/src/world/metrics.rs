//! The numbers of both sides, minute by minute, and when they are published: the metrics port of the world.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use mpac_deploy_core::analysis::Reading;
use mpac_deploy_core::metric::{Metric, Side};
use mpac_deploy_core::plan::Series;
use mpac_deploy_core::port::{Clock, Metrics, PortError};
use mpac_deploy_core::time::{PERIOD_MILLIS, Period, Timestamp};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal, Poisson};
use serde::Serialize;

use super::World;
use super::condition::Condition;
use super::dice::Purpose;
use super::history::History;
use super::share;

/// How long after its end a period is published, in milliseconds.
const PUBLISHED_MILLIS: [u64; 2] = [10_000, 45_000];
/// How much later than others a straggler comes.
const STRAGGLES: Duration = Duration::from_secs(120);
/// The share of the failed requests of good times that have a status of 5xx.
const SERVER_SHARE: f64 = 0.01;
/// The noise of memory, as a standard deviation.
const MEMORY_NOISE: f64 = 0.005;
/// The percentiles: the metric, how many standard deviations above the median, the share above it, and the density there.
const PERCENTILES: [(Metric, f64, f64, f64); 3] = [
    (Metric::LatencyP50, 0.0, 0.5, 0.398_942),
    (Metric::LatencyP95, 1.644_854, 0.05, 0.103_136),
    (Metric::LatencyP99, 2.326_348, 0.01, 0.026_652),
];

/// The numbers of a side in a period: those that are published, some time or other. What is absent is no 0.
pub type SideMetrics = BTreeMap<Metric, f64>;

/// The numbers of both sides in a period.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MinuteRow {
    /// The period.
    pub period: Period,
    /// Blue's numbers.
    pub blue: SideMetrics,
    /// Green's numbers.
    pub green: SideMetrics,
}

impl MinuteRow {
    /// The numbers of a side.
    #[must_use]
    pub const fn of(&self, side: Side) -> &SideMetrics {
        match side {
            Side::Blue => &self.blue,
            Side::Green => &self.green,
        }
    }
}

impl World {
    /// The numbers of both sides in a period that is over.
    pub(super) fn minute(&self, history: &History, period: Period) -> MinuteRow {
        let numbers = |side| self.numbers(history, side, period).0;
        MinuteRow { period, blue: numbers(Side::Blue), green: numbers(Side::Green) }
    }

    /// The numbers of a side in a period, and when they are published.
    pub(super) fn numbers(&self, history: &History, side: Side, period: Period) -> (SideMetrics, Timestamp) {
        let condition = self.condition(history, side, period);
        let mut numbers = self.draw(history, side, period, &condition);
        numbers.extend(condition.pins.iter().cloned());
        numbers.retain(|metric, _| !condition.lost && !condition.lost_metrics.contains(metric));
        let (minute, of_side) = (minute_of(period), u64::from(side == Side::Green));
        let mut delay = self.dice.between(Purpose::Publication, minute, of_side, PUBLISHED_MILLIS);
        if self.dice.share(Purpose::Publication, minute, of_side + 2) < self.setup.stragglers {
            delay += STRAGGLES;
        }
        (numbers, period.end().after(delay).after(condition.late))
    }

    fn draw(&self, history: &History, side: Side, period: Period, condition: &Condition) -> SideMetrics {
        let purpose = if side == Side::Green { Purpose::Green } else { Purpose::Blue };
        let (load, minute) = (&self.setup.load, minute_of(period));
        let draw = |metric: u64, mean: f64| poisson(&mut self.dice.stream(purpose, minute, metric), mean);
        let green = share::green_in(history, period);
        let part = if side == Side::Green { green } else { 1.0 - green };
        let expected = load.requests_in(history.began, period) * part * condition.requests;
        let requests = draw(1, expected);
        let mut numbers = SideMetrics::from([(Metric::Requests, requests)]);
        if requests > 0.0 {
            let server = requests * (condition.server_errors + load.errors * SERVER_SHARE);
            let http_5xx = draw(2, server + condition.server_errors_per_minute).min(requests);
            let others = match condition.exact_errors {
                Some(share) => libm::round(requests * share),
                None => draw(3, requests * (condition.errors + load.errors)),
            };
            let errors = (others + http_5xx).min(requests);
            let transactions = draw(4, requests * load.transactions * condition.transactions);
            let failing = load.transaction_failures + condition.transaction_failures;
            let failures = draw(5, transactions * failing).min(transactions);
            let db_errors = if condition.db_down { requests } else { 0.0 };
            // These two are published only when they are not 0 (semantics 2).
            let sparse = [(Metric::Errors, errors), (Metric::Http5xx, http_5xx)];
            numbers.extend(sparse.into_iter().filter(|(_, count)| *count > 0.0));
            numbers.insert(Metric::Transactions, transactions);
            numbers.insert(Metric::TransactionFailures, failures);
            numbers.insert(Metric::DbConnectionErrors, draw(6, db_errors + condition.db_errors));
            numbers.insert(Metric::LogAnomalies, draw(7, condition.anomalies));
            let mut chance = self.dice.stream(purpose, minute, 8);
            numbers.extend(latencies(
                &mut chance,
                load.latency_ms * condition.latency,
                load.latency_spread,
                requests,
            ));
        }
        if condition.has_tasks {
            let memory = load.memory + condition.memory;
            let noise = normal(&mut self.dice.stream(purpose, minute, 9), MEMORY_NOISE);
            numbers.insert(Metric::MemoryUtilization, (memory + noise).clamp(0.0, 1.0));
            for service in [Metric::PostgresUp, Metric::RedisUp] {
                let up = self.is_up(history, &service, period.start());
                numbers.insert(service, f64::from(u8::from(up)));
            }
        }
        numbers
    }
}

#[async_trait]
impl Metrics for World {
    async fn fetch(&self, series: &[Series], period: Period) -> Result<Vec<Reading>, PortError> {
        self.call().await;
        let (history, now) = (self.history(), self.clock.now());
        let published = |side| {
            let (numbers, at) = self.numbers(&history, side, period);
            if at <= now { numbers } else { SideMetrics::new() }
        };
        let (blue, green) = (published(Side::Blue), published(Side::Green));
        let reading = |series: &Series| {
            let numbers = if series.side == Side::Green { &green } else { &blue };
            numbers.get(&series.metric).map_or(Reading::ABSENT, |number| Reading::from_number(*number))
        };
        Ok(series.iter().map(reading).collect())
    }
}

/// Percentiles of a log-normal latency over so many requests: the fewer they are, the more they scatter.
fn latencies(
    chance: &mut ChaCha8Rng,
    median: f64,
    spread: f64,
    requests: f64,
) -> impl Iterator<Item = (Metric, f64)> {
    let mut least = 0.0_f64;
    PERCENTILES.into_iter().map(move |(metric, deviations, above, density)| {
        let scatter = libm::sqrt(above * (1.0 - above) / requests) / density;
        let deviations = deviations + normal(chance, scatter);
        least = least.max(median * libm::exp(spread * deviations));
        (metric, libm::round(least * 10.0) / 10.0)
    })
}

fn poisson(chance: &mut ChaCha8Rng, mean: f64) -> f64 {
    // A mean that is not above 0 has no distribution, and only one outcome.
    Poisson::new(mean).map_or(0.0, |counts| counts.sample(chance))
}

fn normal(chance: &mut ChaCha8Rng, deviation: f64) -> f64 {
    Normal::new(0.0, deviation).map_or(0.0, |numbers| numbers.sample(chance))
}

fn minute_of(period: Period) -> u64 {
    u64::try_from(period.start().as_millis() / PERIOD_MILLIS).unwrap_or(0)
}
