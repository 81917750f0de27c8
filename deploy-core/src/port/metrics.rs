use alloc::boxed::Box;
use alloc::vec::Vec;

use async_trait::async_trait;

use super::PortError;
use crate::analysis::Reading;
use crate::plan::Series;
use crate::time::Period;

/// The source of metrics: many series, one call.
///
/// Contract:
/// 1. The answer has one reading for each series, in their order.
/// 2. Absent is absent: a value that was not published is [`Reading::ABSENT`], never 0.
/// 3. A series that failed by itself is `SourceError`; an error of the whole call is for a source that did not answer.
/// 4. A count is the sum over the period, a latency the percentile over it, neither a mean of means.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Metrics: Send + Sync {
    /// Fetches the series' values in a period.
    ///
    /// # Errors
    /// [`PortError`] when the source did not answer.
    async fn fetch(&self, series: &[Series], period: Period) -> Result<Vec<Reading>, PortError>;
}
