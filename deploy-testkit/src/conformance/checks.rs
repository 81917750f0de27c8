//! The suite of the checks port.

use std::future::Future;

use async_trait::async_trait;
use mpac_deploy_core::effect::CheckResult;
use mpac_deploy_core::ids::CheckName;
use mpac_deploy_core::plan::Release;
use mpac_deploy_core::port::{Checks, PortError};

use super::{Checked, Report, done, effect, ensure, equal};

/// Two checks of which it is known how they end.
#[async_trait]
pub trait ChecksFixture: Send + Sync {
    /// The adapter.
    fn checks(&self) -> &dyn Checks;

    /// The release that is checked.
    fn release(&self) -> Release;

    /// A check that passes.
    fn passing(&self) -> CheckName;

    /// A check that runs and finds something.
    fn failing(&self) -> CheckName;

    /// A name that no check has.
    fn unknown(&self) -> CheckName;
}

/// Holds a checks adapter to its contract.
pub async fn checks<F, Fixture, Made>(factory: F) -> Report
where
    F: Fn() -> Made,
    Made: Future<Output = Fixture>,
    Fixture: ChecksFixture,
{
    let mut report = Report::new("checks");
    report.add("a check that finds nothing passes", passes(&factory().await).await);
    report.add("a check that finds something fails and says what", fails(&factory().await).await);
    report.add("a check that does not exist is not found", finds_none(&factory().await).await);
    report.add("a check may run twice under one id", runs_twice(&factory().await).await);
    report
}

async fn run(fixture: &dyn ChecksFixture, check: &CheckName) -> Result<CheckResult, PortError> {
    fixture.checks().run(&effect(1), &fixture.release(), check).await
}

async fn passes(fixture: &dyn ChecksFixture) -> Checked {
    let result = done("run the check", run(fixture, &fixture.passing()).await)?;
    equal("the result", &result, &CheckResult::Passed)
}

async fn fails(fixture: &dyn ChecksFixture) -> Checked {
    let result = done("run the check", run(fixture, &fixture.failing()).await)?;
    let says = matches!(&result, CheckResult::Failed { detail } if !detail.trim().is_empty());
    ensure(says, || format!("the result is {result:?}"))
}

async fn finds_none(fixture: &dyn ChecksFixture) -> Checked {
    let result = run(fixture, &fixture.unknown()).await;
    ensure(matches!(result, Err(PortError::NotFound(_))), || format!("it answers {result:?}"))
}

async fn runs_twice(fixture: &dyn ChecksFixture) -> Checked {
    for check in [fixture.passing(), fixture.failing()] {
        let first = done("run the check", run(fixture, &check).await)?;
        let second = done("run it again", run(fixture, &check).await)?;
        equal("the second result", &second, &first)?;
    }
    Ok(())
}
