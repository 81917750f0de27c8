//! Plain fakes of every port: in memory, without a world behind them, each set by the test that uses it.
//!
//! ```
//! use mpac_deploy_core::metric::{Metric, Side};
//! use mpac_deploy_testkit::fakes::Fakes;
//! use mpac_deploy_testkit::scenario::release;
//! use mpac_deploy_testkit::world::epoch;
//!
//! let fakes = Fakes::new(epoch(), &release());
//! fakes.metrics.set_always(Side::Green, Metric::Requests, 6000.0);
//! let ports = fakes.ports(); // for `Driver::start`
//! # drop(ports);
//! ```

mod clock;
mod failures;
mod flags;
mod fleet;
mod inbox;
mod journal;
pub(crate) mod lock;
mod metrics;
mod notify;
mod schema;
mod services;
mod traffic;

use std::sync::Arc;

use mpac_deploy_core::driver::Ports;
use mpac_deploy_core::plan::Release;
use mpac_deploy_core::time::Timestamp;

pub use clock::FakeClock;
pub use flags::FakeFlags;
pub use fleet::FakeFleet;
pub use inbox::MemoryInbox;
pub use journal::MemoryJournal;
pub use metrics::FakeMetrics;
pub use notify::FakeNotify;
pub use schema::{FakeSchema, SchemaChange};
pub use services::{FakeChecks, FakeProbes};
pub use traffic::{FakeChange, FakeTraffic};

/// A fake of every port.
#[derive(Clone)]
#[allow(missing_docs, reason = "each field is the fake of the port of its name")]
pub struct Fakes {
    pub traffic: Arc<FakeTraffic>,
    pub fleet: Arc<FakeFleet>,
    pub metrics: Arc<FakeMetrics>,
    pub checks: Arc<FakeChecks>,
    pub probes: Arc<FakeProbes>,
    pub schema: Arc<FakeSchema>,
    pub flags: Arc<FakeFlags>,
    pub journal: Arc<MemoryJournal>,
    pub notify: Arc<FakeNotify>,
    pub clock: Arc<FakeClock>,
}

impl Fakes {
    /// Fakes at a time, in which the release's checks pass and its services are up.
    #[must_use]
    pub fn new(now: Timestamp, release: &Release) -> Self {
        let clock = Arc::new(FakeClock::new(now));
        Self {
            traffic: Arc::default(),
            fleet: Arc::default(),
            metrics: Arc::default(),
            checks: Arc::new(FakeChecks::passing(&release.checks)),
            probes: Arc::new(FakeProbes::up(&release.probes)),
            schema: Arc::new(FakeSchema::before(&release.migrations)),
            flags: Arc::new(FakeFlags::on(&release.flags)),
            journal: Arc::new(MemoryJournal::new(Arc::clone(&clock) as _)),
            notify: Arc::default(),
            clock,
        }
    }

    /// The fakes as ports.
    #[must_use]
    pub fn ports(&self) -> Ports {
        Ports {
            traffic: Arc::clone(&self.traffic) as _,
            fleet: Arc::clone(&self.fleet) as _,
            metrics: Arc::clone(&self.metrics) as _,
            checks: Arc::clone(&self.checks) as _,
            probes: Arc::clone(&self.probes) as _,
            schema: Arc::clone(&self.schema) as _,
            flags: Arc::clone(&self.flags) as _,
            journal: Arc::clone(&self.journal) as _,
            notify: Arc::clone(&self.notify) as _,
            clock: Arc::clone(&self.clock) as _,
        }
    }
}
