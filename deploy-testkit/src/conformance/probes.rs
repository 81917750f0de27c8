//! The suite of the probes port.

use std::future::Future;

use async_trait::async_trait;
use mpac_deploy_core::metric::Metric;
use mpac_deploy_core::port::Probes;

use super::{Checked, Report, equal};

/// Services of which it is known whether they answer.
#[async_trait]
pub trait ProbesFixture: Send + Sync {
    /// The adapter.
    fn probes(&self) -> &dyn Probes;

    /// A service that answers.
    fn up(&self) -> Metric;

    /// A service that does not answer.
    fn down(&self) -> Metric;

    /// A service that the adapter does not know.
    fn unknown(&self) -> Metric;
}

/// Holds a probes adapter to its contract.
pub async fn probes<F, Fixture, Made>(factory: F) -> Report
where
    F: Fn() -> Made,
    Made: Future<Output = Fixture>,
    Fixture: ProbesFixture,
{
    let mut report = Report::new("probes");
    report.add("a service that answers is up, one that does not is down", tells(&factory().await).await);
    report.add("there is one answer for each service, in their order", keeps_order(&factory().await).await);
    report.add("a service that it does not know is down", knows_none(&factory().await).await);
    report.add("no services, no answers", answers_none(&factory().await).await);
    report
}

async fn tells(fixture: &dyn ProbesFixture) -> Checked {
    let answers = fixture.probes().probe(&[fixture.up(), fixture.down()]).await;
    equal("the answer", &answers, &vec![true, false])
}

async fn keeps_order(fixture: &dyn ProbesFixture) -> Checked {
    let services = [fixture.down(), fixture.up(), fixture.up(), fixture.down()];
    let answers = fixture.probes().probe(&services).await;
    equal("the answer", &answers, &vec![false, true, true, false])
}

async fn knows_none(fixture: &dyn ProbesFixture) -> Checked {
    let answers = fixture.probes().probe(&[fixture.unknown(), fixture.up()]).await;
    equal("the answer", &answers, &vec![false, true])
}

async fn answers_none(fixture: &dyn ProbesFixture) -> Checked {
    equal("the answer", &fixture.probes().probe(&[]).await, &Vec::new())
}
