//! The traffic of a world before anything is wrong with it.

use std::time::Duration;

use mpac_deploy_core::time::{Period, Timestamp};

/// Requests as a healthy world has them, and what each of them costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// Requests of both sides together in a minute.
    pub requests_per_minute: f64,
    /// How far the traffic swings up and down from that, as a share.
    pub swing: f64,
    /// The share of requests that fail even in good times, almost none of them with a status of 5xx.
    pub errors: f64,
    /// The median of the latency in milliseconds.
    pub latency_ms: f64,
    /// The spread of the latency's logarithm: a long tail.
    pub latency_spread: f64,
    /// Transactions for each request.
    pub transactions: f64,
    /// The share of transactions that fail even in good times.
    pub transaction_failures: f64,
    /// The share of memory in use.
    pub memory: f64,
}

impl Default for Load {
    /// A point-of-sale platform on a quiet working day. The gates of the strategy pass with a wide margin.
    fn default() -> Self {
        Self {
            requests_per_minute: 6000.0,
            swing: 0.08,
            errors: 1e-4,
            latency_ms: 45.0,
            latency_spread: 0.9,
            transactions: 0.3,
            transaction_failures: 2e-4,
            memory: 0.55,
        }
    }
}

/// From one high to the next.
const SWING: Duration = Duration::from_secs(3 * 60 * 60);

impl Load {
    /// The requests of both sides together that are expected in a period.
    pub(super) fn requests_in(&self, began: Timestamp, period: Period) -> f64 {
        let turns = period.start().since(began).as_secs_f64() / SWING.as_secs_f64();
        self.requests_per_minute * self.swing.mul_add(libm::sin(turns * std::f64::consts::TAU), 1.0)
    }
}
