//! Metrics from CloudWatch.
//!
//! What is asked of which metric, what it costs and what can go wrong is in the book's chapter on metrics from AWS.

mod call;
mod catalog;
mod config;
mod formula;
mod gather;
mod pack;
mod query;

use std::collections::{BTreeSet, HashMap};

use async_trait::async_trait;
use mpac_deploy_core::analysis::{Gap, Reading};
use mpac_deploy_core::plan::Series;
use mpac_deploy_core::port::{Metrics, PortError};
use mpac_deploy_core::time::Period;

pub use catalog::CloudWatchConfigError;
pub use config::{BalancerSource, CloudWatchConfig, LowSamples, ServiceSource, SideSources, Source};
pub use gather::{CloudWatch, DEFAULT_WINDOW};
pub use query::{InvalidStatistic, Statistic};

use catalog::Catalog;
use query::{Outcome, Query};

/// The metrics of one pair of environments.
///
/// Besides the contract of [`Metrics`]:
/// - All adapters that share a [`CloudWatch`] share its calls. One whose caller goes away, or whose query is refused, takes nothing from
///   the others.
/// - A metric without a source is `SourceError`: [`CloudWatchConfig::metrics`] says which have one.
#[derive(Clone, Debug)]
pub struct CloudWatchMetrics {
    cloudwatch: CloudWatch,
    catalog: Catalog,
}

impl CloudWatchMetrics {
    /// An adapter for one pair of environments.
    ///
    /// # Errors
    /// What is wrong with the sources.
    pub fn new(cloudwatch: &CloudWatch, config: &CloudWatchConfig) -> Result<Self, CloudWatchConfigError> {
        Ok(Self { cloudwatch: cloudwatch.clone(), catalog: Catalog::of(config)? })
    }

    fn reading(&self, series: &Series, outcomes: &HashMap<Query, Outcome>) -> Reading {
        match self.catalog.formula(series.side, &series.metric) {
            Some(formula) => formula.reading(|query| outcomes.get(query).copied().unwrap_or(Outcome::Failed)),
            None => {
                tracing::warn!(side = %series.side, metric = %series.metric, "no source shows this metric");
                Reading::Gap(Gap::SourceError)
            }
        }
    }
}

#[async_trait]
impl Metrics for CloudWatchMetrics {
    async fn fetch(&self, series: &[Series], period: Period) -> Result<Vec<Reading>, PortError> {
        let formulas = series.iter().filter_map(|series| self.catalog.formula(series.side, &series.metric));
        let queries: BTreeSet<&Query> = formulas.flat_map(|formula| formula.queries()).collect();
        let outcomes = self.cloudwatch.ask(queries.into_iter().cloned().collect(), period).await?;
        Ok(series.iter().map(|series| self.reading(series, &outcomes)).collect())
    }
}
