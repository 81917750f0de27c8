//! One suite per port: what every adapter must do, whatever stands behind it.
//!
//! A suite takes a factory that makes a fresh fixture for every case, so that no case sees what another one left, and
//! the first failure hides no other. It reports; it does not panic.
//!
//! ```
//! use std::sync::Arc;
//! use mpac_deploy_core::ids::RecordName;
//! use mpac_deploy_core::effect::ObservedWeights;
//! use mpac_deploy_core::port::Traffic;
//! use mpac_deploy_testkit::conformance::{self, TrafficFixture};
//! use mpac_deploy_testkit::fakes::FakeTraffic;
//!
//! struct InMemory(FakeTraffic);
//!
//! #[async_trait::async_trait]
//! impl TrafficFixture for InMemory {
//!     fn traffic(&self) -> &dyn Traffic { &self.0 }
//!     fn record(&self) -> RecordName { RecordName::from("api.example.com") }
//!     async fn let_sync(&self) { self.0.set_in_sync(true) }
//!     async fn set_by_hand(&self, weights: ObservedWeights) { self.0.set_by_hand(weights) }
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let report = conformance::traffic(|| async { InMemory(FakeTraffic::default()) }).await;
//! assert!(report.is_ok(), "{report}");
//! # });
//! ```

mod checks;
mod clock;
mod flags;
mod fleet;
mod inbox;
mod journal;
mod lease;
mod metrics;
mod notify;
mod probes;
mod schema;
mod traffic;

use std::fmt;

use mpac_deploy_core::ids::{EffectId, FencingToken, RolloutId};

pub use checks::{ChecksFixture, checks};
pub use clock::{ClockFixture, clock};
pub use flags::{FlagsFixture, flags};
pub use fleet::{FleetFixture, fleet};
pub use inbox::{InboxFixture, inbox};
pub use journal::{JournalFixture, journal};
pub use metrics::{Facts, MetricsFixture, metrics};
pub use notify::{NotifyFixture, notify};
pub use probes::{ProbesFixture, probes};
pub use schema::{SchemaFixture, schema};
pub use traffic::{TrafficFixture, traffic};

/// How an adapter fared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The port.
    pub port: &'static str,
    /// Every case, in the order in which it ran.
    pub cases: Vec<Case>,
}

/// A case and how it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// What the contract asks for, in a few words.
    pub name: &'static str,
    /// What was found instead, if it is not so.
    pub result: Result<(), String>,
}

impl Report {
    const fn new(port: &'static str) -> Self {
        Self { port, cases: Vec::new() }
    }

    fn add(&mut self, name: &'static str, result: Checked) {
        self.cases.push(Case { name, result });
    }

    /// Whether the adapter keeps the whole contract.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.cases.iter().all(|case| case.result.is_ok())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failed = self.cases.iter().filter(|case| case.result.is_err()).count();
        writeln!(f, "{}: {} of {} cases failed", self.port, failed, self.cases.len())?;
        for case in &self.cases {
            match &case.result {
                Ok(()) => writeln!(f, "  ok      {}", case.name)?,
                Err(what) => writeln!(f, "  FAILED  {}: {what}", case.name)?,
            }
        }
        Ok(())
    }
}

/// What a case found.
type Checked = Result<(), String>;

fn ensure(holds: bool, found: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(found()) }
}

fn equal<T: PartialEq + fmt::Debug>(what: &str, found: &T, expected: &T) -> Checked {
    ensure(found == expected, || format!("{what} is {found:?} instead of {expected:?}"))
}

/// What a call answered, where it must not fail.
fn done<T, E: fmt::Display>(what: &str, result: Result<T, E>) -> Result<T, String> {
    result.map_err(|error| format!("could not {what}: {error}"))
}

fn effect(number: u64) -> EffectId {
    EffectId { rollout: RolloutId::from("conformance"), number }
}

const fn fence(token: u64) -> FencingToken {
    FencingToken(token)
}
