//! The fakes and the simulated world keep the contracts of the ports that they stand for.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

mod fakes;
mod world;

/// Fails with the whole report.
macro_rules! keeps_contract {
    ($suite:expr) => {{
        let report = $suite.await;
        assert!(report.is_ok(), "{report}");
        assert!(!report.cases.is_empty(), "the suite has no case");
    }};
}
pub(crate) use keeps_contract;
