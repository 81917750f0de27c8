//! `proptest` strategies, for the tests here and for those of embedders: random recordings, policies, metric weather and
//! event sequences.
//!
//! Test your own rollback rule in ten lines:
//!
//! ```
//! use mpac_deploy_core::metric::{Metric, Side, Signal};
//! use mpac_deploy_core::policy::{Quantity, mpac, period};
//! use mpac_deploy_testkit::{backtest::backtest, strategies::recordings};
//! use proptest::prelude::*;
//!
//! let mut policy = mpac();
//! policy.triggers[0].rule = period(Signal::Metric(Metric::DbConnectionErrors).above(Quantity::Number(50.0)));
//! proptest!(ProptestConfig::with_cases(32), |(recording in recordings())| {
//!     for decision in backtest(&policy, &recording)?.decisions {
//!         let last = recording.periods().filter(|p| Some(p.period().end()) == decision.evidence_end).last();
//!         let errors = last.and_then(|period| period.value(Side::Green, &Metric::DbConnectionErrors));
//!         prop_assert!(decision.kind.as_str() != "promote" || !errors.is_some_and(|count| count > 50.0));
//!     }
//! });
//! ```

use proptest::test_runner::{Config, FileFailurePersistence};

mod policies;
mod recordings;
mod scripts;

pub use policies::{policies, policies_with_approvals};
pub use recordings::recordings;
pub use scripts::{acts, scripts, weathers};

/// The configuration of a property test: so many cases, and a seed that ever failed is kept beside the test's file
/// (`file!()`), for integration tests too.
#[must_use]
pub fn config(cases: u32, source_file: &'static str) -> Config {
    let kept = FileFailurePersistence::WithSource("proptest-regressions");
    Config { cases, failure_persistence: Some(Box::new(kept)), ..Config::with_source_file(source_file) }
}
