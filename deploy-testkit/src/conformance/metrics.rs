//! The suite of the metrics port.

use std::future::Future;

use async_trait::async_trait;
use mpac_deploy_core::analysis::{Gap, Reading};
use mpac_deploy_core::metric::{Metric, Side};
use mpac_deploy_core::plan::Series;
use mpac_deploy_core::policy::mpac;
use mpac_deploy_core::port::Metrics;
use mpac_deploy_core::time::Period;

use super::{Checked, Report, done, ensure, equal};
use crate::scenario::release;

/// What is known of a settled period. Metrics that the preset `mpac` does not need are passed over.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The period.
    pub period: Period,
    /// Numbers that were published for it, at least two.
    pub published: Vec<(Side, Metric, f64)>,
    /// Metrics that were not published for it, at least one.
    pub absent: Vec<(Side, Metric)>,
    /// Metrics that fail by themselves, if the source can do that.
    pub failing: Vec<(Side, Metric)>,
    /// A period for which nothing was published yet.
    pub unpublished: Period,
}

/// A source with a settled period of which all is known.
#[async_trait]
pub trait MetricsFixture: Send + Sync {
    /// The adapter.
    fn metrics(&self) -> &dyn Metrics;

    /// What is known.
    fn facts(&self) -> Facts;
}

/// Holds a metrics adapter to its contract.
pub async fn metrics<F, Fixture, Made>(factory: F) -> Report
where
    F: Fn() -> Made,
    Made: Future<Output = Fixture>,
    Fixture: MetricsFixture,
{
    let mut report = Report::new("metrics");
    report.add("there is one reading for each series, in their order", keeps_order(&factory().await).await);
    report.add("what was published is read as it is", reads_published(&factory().await).await);
    report.add("what was not published is absent, never 0", reads_absent(&factory().await).await);
    report.add("a series that fails by itself is a source error", reads_failing(&factory().await).await);
    report.add("a period that was not published has no numbers", reads_unpublished(&factory().await).await);
    report.add("no series, no readings", reads_none(&factory().await).await);
    report
}

/// The series that the preset needs, with services as metrics.
fn all_series() -> Result<Vec<Series>, String> {
    let mut release = release();
    release.metrics.append(&mut release.probes);
    Ok(done("compile the preset", mpac().compile(release))?.series().to_vec())
}

fn find<'a>(all: &'a [Series], side: Side, metric: &Metric) -> Option<&'a Series> {
    all.iter().find(|series| series.side == side && series.metric == *metric)
}

async fn fetch(
    fixture: &dyn MetricsFixture,
    series: &[Series],
    period: Period,
) -> Result<Vec<Reading>, String> {
    done("fetch the series", fixture.metrics().fetch(series, period).await)
}

async fn keeps_order(fixture: &dyn MetricsFixture) -> Checked {
    let (facts, all) = (fixture.facts(), all_series()?);
    let forward = fetch(fixture, &all, facts.period).await?;
    equal("the number of readings", &forward.len(), &all.len())?;
    let turned: Vec<Series> = all.iter().rev().cloned().collect();
    let mut backward = fetch(fixture, &turned, facts.period).await?;
    backward.reverse();
    equal("the same question the other way round", &backward, &forward)
}

async fn reads_published(fixture: &dyn MetricsFixture) -> Checked {
    let (facts, all) = (fixture.facts(), all_series()?);
    let known = facts.published.iter().filter_map(|(side, metric, number)| {
        Some((find(&all, *side, metric)?.clone(), Reading::from_number(*number)))
    });
    let (series, expected): (Vec<_>, Vec<_>) = known.unzip();
    ensure(series.len() >= 2, || "the fixture knows of fewer than two numbers".into())?;
    equal("what was published", &fetch(fixture, &series, facts.period).await?, &expected)
}

async fn reads(fixture: &dyn MetricsFixture, which: &[(Side, Metric)], expected: Reading) -> Checked {
    let (facts, all) = (fixture.facts(), all_series()?);
    let known = which.iter().filter_map(|(side, metric)| find(&all, *side, metric).cloned());
    let series: Vec<Series> = known.collect();
    let readings = fetch(fixture, &series, facts.period).await?;
    equal("the readings", &readings, &vec![expected; series.len()])
}

async fn reads_absent(fixture: &dyn MetricsFixture) -> Checked {
    let absent = fixture.facts().absent;
    ensure(!absent.is_empty(), || "the fixture knows of nothing absent".into())?;
    reads(fixture, &absent, Reading::ABSENT).await
}

async fn reads_failing(fixture: &dyn MetricsFixture) -> Checked {
    reads(fixture, &fixture.facts().failing, Reading::Gap(Gap::SourceError)).await
}

async fn reads_unpublished(fixture: &dyn MetricsFixture) -> Checked {
    let (facts, all) = (fixture.facts(), all_series()?);
    let readings = fetch(fixture, &all, facts.unpublished).await?;
    let number = readings.iter().position(|reading| matches!(reading, Reading::Number(_)));
    ensure(number.is_none(), || format!("it reads {readings:?}"))
}

async fn reads_none(fixture: &dyn MetricsFixture) -> Checked {
    equal("the answer", &fetch(fixture, &[], fixture.facts().period).await?, &Vec::new())
}
