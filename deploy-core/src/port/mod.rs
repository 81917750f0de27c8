//! The ports: small async traits between the driver and the world. Each one's doc is its contract; the conformance suite of the
//! testkit holds the fakes and every real adapter to it.

mod checks;
mod clock;
mod flags;
mod fleet;
mod history;
mod inbox;
mod journal;
mod metrics;
mod notify;
mod probes;
mod schema;
mod traffic;

use alloc::string::String;

pub use checks::Checks;
pub use clock::{Clock, SystemClock};
pub use flags::{Flags, NoFlags};
pub use fleet::Fleet;
pub use history::{History, RolloutSummary};
pub use inbox::{Inbox, Reply};
pub use journal::{Journal, JournalError, Lease};
pub use metrics::Metrics;
pub use notify::Notify;
pub use probes::Probes;
pub use schema::{NoSchema, Schema};
pub use traffic::Traffic;

#[cfg(feature = "mock")]
pub use self::{
    checks::MockChecks, clock::MockClock, flags::MockFlags, fleet::MockFleet, inbox::MockInbox,
    journal::MockJournal, metrics::MockMetrics, notify::MockNotify, probes::MockProbes, schema::MockSchema,
    traffic::MockTraffic,
};

use crate::effect::{Failure, Retry};

/// An error of a port by its meaning, not by its origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PortError {
    /// Not reached, throttled, timed out, or the outcome is unknown: the same call with the same id may be made again.
    #[error("{0}")]
    Unavailable(String),
    /// What was asked for does not exist.
    #[error("not found: {0}")]
    NotFound(String),
    /// Refused for good: no permission, or invalid.
    #[error("refused: {0}")]
    Refused(String),
}

impl From<PortError> for Failure {
    fn from(error: PortError) -> Self {
        use alloc::string::ToString;
        let retry = match &error {
            PortError::Unavailable(_) => Retry::Worthwhile,
            PortError::NotFound(_) | PortError::Refused(_) => Retry::Useless,
        };
        Self { message: error.to_string(), retry }
    }
}
