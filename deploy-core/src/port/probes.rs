use alloc::boxed::Box;
use alloc::vec::Vec;

use async_trait::async_trait;

use crate::metric::Metric;

/// Probes of critical services: does the database answer?
///
/// Contract: one answer for each service, in their order; `false` for whatever is not a sound answer, an unknown
/// service included. There is no error: a probe that cannot be made is a service that cannot be reached.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Probes: Send + Sync {
    /// Probes all services at once.
    async fn probe(&self, services: &[Metric]) -> Vec<bool>;
}
