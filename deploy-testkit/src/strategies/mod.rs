//! proptest strategies: random input that is rich in what matters.
//!
//! ```
//! use mpac_deploy_testkit::reference::backtest;
//! use mpac_deploy_testkit::strategies::recordings;
//! use proptest::prelude::*;
//!
//! proptest!(ProptestConfig::with_cases(8), |(recording in recordings())| {
//!     let decisions = backtest(&recording).decisions;
//!     prop_assert!(decisions.iter().all(|decision| decision.evidence_end <= recording.end().end()));
//! });
//! ```

mod recordings;

pub use recordings::recordings;
