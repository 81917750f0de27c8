//! The suite of the fleet port.

use std::future::Future;

use async_trait::async_trait;
use mpac_deploy_core::effect::Health;
use mpac_deploy_core::metric::Side;
use mpac_deploy_core::plan::Release;
use mpac_deploy_core::port::{Fleet, PortError};

use super::{Checked, Report, done, effect, ensure, fence};

/// Environments of its own: blue runs and is healthy, green does not run.
#[async_trait]
pub trait FleetFixture: Send + Sync {
    /// The adapter.
    fn fleet(&self) -> &dyn Fleet;

    /// A release whose revisions start.
    fn release(&self) -> Release;

    /// Lets what was started or stopped come to its end.
    async fn let_settle(&self);

    /// Makes a part of what runs on a side unhealthy.
    async fn break_side(&self, side: Side);
}

/// Holds a fleet adapter to its contract.
pub async fn fleet<F, Fixture, Made>(factory: F) -> Report
where
    F: Fn() -> Made,
    Made: Future<Output = Fixture>,
    Fixture: FleetFixture,
{
    let mut report = Report::new("fleet");
    report.add("blue is healthy, and green is not before it was started", begins(&factory().await).await);
    report.add("green becomes healthy once it was started", provisions(&factory().await).await);
    report.add("a side of which a part is unhealthy is not healthy", sees_sickness(&factory().await).await);
    report.add("blue is not healthy once it was retired", retires(&factory().await).await);
    report.add("blue becomes healthy once it was revived", revives(&factory().await).await);
    report.add("a blue that runs is left as it is by a revival", leaves_alone(&factory().await).await);
    report.add("an id that was used before changes nothing and succeeds", acts_once(&factory().await).await);
    report.add("green is not healthy once it was stopped", stops_green(&factory().await).await);
    report.add("a fencing token below one that was seen is refused", refuses_old(&factory().await).await);
    report
}

async fn health(fixture: &dyn FleetFixture, side: Side) -> Result<Health, String> {
    done("read the health", fixture.fleet().health(&fixture.release(), side).await)
}

async fn is_healthy(fixture: &dyn FleetFixture, side: Side, expected: bool) -> Checked {
    let found = health(fixture, side).await?;
    ensure((found == Health::Healthy) == expected, || format!("{side} is {found:?}"))
}

async fn provision(fixture: &dyn FleetFixture, id: u64, token: u64) -> Result<(), PortError> {
    fixture.fleet().provision(&effect(id), fence(token), &fixture.release()).await
}

async fn retire(fixture: &dyn FleetFixture, id: u64) -> Checked {
    let retired = fixture.fleet().retire(&effect(id), fence(1), &fixture.release()).await;
    fixture.let_settle().await;
    done("retire blue", retired).map(drop)
}

async fn revive(fixture: &dyn FleetFixture, id: u64) -> Result<(), PortError> {
    let revived = fixture.fleet().revive(&effect(id), fence(1), &fixture.release()).await;
    fixture.let_settle().await;
    revived
}

async fn begins(fixture: &dyn FleetFixture) -> Checked {
    is_healthy(fixture, Side::Blue, true).await?;
    is_healthy(fixture, Side::Green, false).await
}

async fn provisions(fixture: &dyn FleetFixture) -> Checked {
    done("start green", provision(fixture, 1, 1).await)?;
    fixture.let_settle().await;
    is_healthy(fixture, Side::Green, true).await?;
    is_healthy(fixture, Side::Blue, true).await
}

async fn sees_sickness(fixture: &dyn FleetFixture) -> Checked {
    fixture.break_side(Side::Blue).await;
    is_healthy(fixture, Side::Blue, false).await
}

async fn retires(fixture: &dyn FleetFixture) -> Checked {
    done("start green", provision(fixture, 1, 1).await)?;
    fixture.let_settle().await;
    retire(fixture, 2).await?;
    is_healthy(fixture, Side::Blue, false).await?;
    is_healthy(fixture, Side::Green, true).await
}

async fn stops_green(fixture: &dyn FleetFixture) -> Checked {
    done("start green", provision(fixture, 1, 1).await)?;
    fixture.let_settle().await;
    let stopped = fixture.fleet().stop_green(&effect(2), fence(1), &fixture.release()).await;
    fixture.let_settle().await;
    done("stop green", stopped)?;
    is_healthy(fixture, Side::Green, false).await?;
    is_healthy(fixture, Side::Blue, true).await
}

async fn revives(fixture: &dyn FleetFixture) -> Checked {
    retire(fixture, 1).await?;
    done("revive blue", revive(fixture, 2).await)?;
    is_healthy(fixture, Side::Blue, true).await
}

async fn leaves_alone(fixture: &dyn FleetFixture) -> Checked {
    done("revive a blue that runs", revive(fixture, 1).await)?;
    is_healthy(fixture, Side::Blue, true).await
}

async fn acts_once(fixture: &dyn FleetFixture) -> Checked {
    done("start green", provision(fixture, 1, 1).await)?;
    done("start green again", provision(fixture, 1, 1).await)?;
    retire(fixture, 2).await?;
    done("revive blue", revive(fixture, 3).await)?;
    retire(fixture, 2).await?;
    is_healthy(fixture, Side::Blue, true).await
}

async fn refuses_old(fixture: &dyn FleetFixture) -> Checked {
    done("start green", provision(fixture, 1, 7).await)?;
    let result = fixture.fleet().retire(&effect(2), fence(6), &fixture.release()).await;
    ensure(matches!(result, Err(PortError::Refused(_))), || format!("it answers {result:?}"))?;
    fixture.let_settle().await;
    is_healthy(fixture, Side::Blue, true).await
}
