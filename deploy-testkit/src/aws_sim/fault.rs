//! What goes wrong with a call.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use mpac_deploy_core::time::Timestamp;
use rand::RngExt;

use super::operation::{Operation, Service};
use crate::world::dice::{Dice, Purpose};

/// What happens to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallFault {
    /// Nothing.
    Pass,
    /// It is answered late; it takes effect when it comes in.
    Delay(Duration),
    /// It is refused: the account's limit is used up.
    Throttle,
    /// The server fails before the effect.
    ServerError,
    /// The connection is cut before the effect.
    CutBefore,
    /// The call takes effect, and the connection is cut before the answer.
    CutAfter,
    /// It is refused with this status and code.
    Refuse {
        /// The HTTP status.
        status: u16,
        /// AWS's code.
        code: String,
        /// The message.
        message: String,
    },
}

impl CallFault {
    /// What a missing permission looks like.
    #[must_use]
    pub fn access_denied() -> Self {
        Self::Refuse {
            status: 403,
            code: "AccessDenied".into(),
            message: "User is not authorized to perform this action".into(),
        }
    }
}

/// A call that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRecord {
    /// The call; `None` if there is no such one.
    pub operation: Option<Operation>,
    /// The status of the answer; `None` if the connection was cut.
    pub status: Option<u16>,
    /// AWS's error code, if it was refused.
    pub code: Option<String>,
}

/// Which call is struck by what.
#[derive(Debug)]
pub(super) struct Script {
    lines: BTreeMap<Operation, VecDeque<CallFault>>,
    /// By the service that it strikes; all of them if `None`.
    strikes: BTreeMap<Option<Service>, Strike>,
    bucket: Option<Bucket>,
    calls: u64,
}

impl Script {
    pub(super) fn new(limit: Option<(u32, u32)>, now: Timestamp) -> Self {
        let bucket = limit.map(|(per_second, burst)| Bucket {
            per_second: f64::from(per_second),
            burst: f64::from(burst),
            tokens: f64::from(burst),
            filled: now,
        });
        Self { lines: BTreeMap::new(), strikes: BTreeMap::new(), bucket, calls: 0 }
    }

    pub(super) fn add(&mut self, operation: Operation, faults: impl IntoIterator<Item = CallFault>) {
        self.lines.entry(operation).or_default().extend(faults);
    }

    pub(super) fn strike(&mut self, share: f64, faults: &[CallFault], seed: u64) {
        self.strikes.insert(None, Strike { share, faults: faults.to_vec(), dice: Dice::new(seed) });
    }

    pub(super) fn strike_service(&mut self, service: Service, share: f64, faults: &[CallFault], seed: u64) {
        self.strikes.insert(Some(service), Strike { share, faults: faults.to_vec(), dice: Dice::new(seed) });
    }

    pub(super) fn clear(&mut self) {
        self.lines.clear();
        self.strikes.clear();
    }

    /// What happens to the call that comes in now.
    pub(super) fn next(&mut self, operation: Operation, now: Timestamp) -> CallFault {
        self.calls += 1;
        if self.bucket.as_mut().is_some_and(|bucket| !bucket.take(now)) {
            return CallFault::Throttle;
        }
        if let Some(fault) = self.lines.get_mut(&operation).and_then(VecDeque::pop_front) {
            return fault;
        }
        let strikes = [Some(operation.service()), None].into_iter().filter_map(|of| self.strikes.get(&of));
        strikes.filter_map(|strike| strike.on(self.calls)).next().unwrap_or(CallFault::Pass)
    }
}

/// A share of the calls, and what happens to them.
#[derive(Debug)]
struct Strike {
    share: f64,
    faults: Vec<CallFault>,
    dice: Dice,
}

impl Strike {
    /// What happens to the call of this number, if it is one of that share.
    fn on(&self, call: u64) -> Option<CallFault> {
        if self.faults.is_empty() || self.dice.share(Purpose::Strike, call, 0) >= self.share {
            return None;
        }
        let which = self.dice.stream(Purpose::Strike, call, 1).random_range(0..self.faults.len());
        self.faults.get(which).cloned()
    }
}

/// The account's limit.
#[derive(Debug)]
struct Bucket {
    per_second: f64,
    burst: f64,
    tokens: f64,
    filled: Timestamp,
}

impl Bucket {
    fn take(&mut self, now: Timestamp) -> bool {
        let flowed = now.since(self.filled).as_secs_f64() * self.per_second;
        self.tokens = (self.tokens + flowed).min(self.burst);
        self.filled = now;
        let there = self.tokens >= 1.0;
        if there {
            self.tokens -= 1.0;
        }
        there
    }
}
