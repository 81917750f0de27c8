//! The suite of the flags port.

use std::future::Future;

use async_trait::async_trait;
use mpac_deploy_core::ids::FlagName;
use mpac_deploy_core::port::{Flags, PortError};

use super::{Checked, Report, done, effect, ensure, equal, fence};

/// A flag service of its own, with two flags that are on.
#[async_trait]
pub trait FlagsFixture: Send + Sync {
    /// The adapter.
    fn flags(&self) -> &dyn Flags;

    /// The two flags.
    fn names(&self) -> [FlagName; 2];
}

/// Holds a flags adapter to its contract.
pub async fn flags<F, Fixture, Made>(factory: F) -> Report
where
    F: Fn() -> Made,
    Made: Future<Output = Fixture>,
    Fixture: FlagsFixture,
{
    let mut report = Report::new("flags");
    report.add("a flag is switched off, and no other", switches_off(&factory().await).await);
    report.add("a flag that is off stays off", stays_off(&factory().await).await);
    report.add("an unknown flag is not found", is_unknown(&factory().await).await);
    report
}

async fn is_on(fixture: &dyn FlagsFixture, flag: &FlagName, expected: bool) -> Checked {
    let found = done("read the flag", fixture.flags().is_on(flag).await)?;
    equal(&format!("`{flag}`"), &found, &expected)
}

async fn switches_off(fixture: &dyn FlagsFixture) -> Checked {
    let [first, second] = fixture.names();
    is_on(fixture, &first, true).await?;
    done("switch it off", fixture.flags().switch_off(&effect(1), fence(1), &first).await)?;
    is_on(fixture, &first, false).await?;
    is_on(fixture, &second, true).await
}

async fn stays_off(fixture: &dyn FlagsFixture) -> Checked {
    let [first, _] = fixture.names();
    for number in [1, 1, 2] {
        done("switch it off", fixture.flags().switch_off(&effect(number), fence(1), &first).await)?;
        is_on(fixture, &first, false).await?;
    }
    Ok(())
}

async fn is_unknown(fixture: &dyn FlagsFixture) -> Checked {
    let flag = FlagName::from("never-heard-of");
    let read = fixture.flags().is_on(&flag).await;
    ensure(matches!(read, Err(PortError::NotFound(_))), || format!("it answers {read:?}"))?;
    let switched = fixture.flags().switch_off(&effect(1), fence(1), &flag).await;
    ensure(matches!(switched, Err(PortError::NotFound(_))), || format!("it answers {switched:?}"))
}
