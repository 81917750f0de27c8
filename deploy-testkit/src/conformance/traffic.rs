//! The suite of the traffic port.

use std::future::Future;

use async_trait::async_trait;
use mpac_deploy_core::effect::{Direction, ObservedWeights};
use mpac_deploy_core::ids::RecordName;
use mpac_deploy_core::port::{PortError, Traffic};
use mpac_deploy_core::units::Weights;

use super::{Checked, Report, done, effect, ensure, equal, fence};

/// A record of its own, with blue 100 / green 0.
#[async_trait]
pub trait TrafficFixture: Send + Sync {
    /// The adapter.
    fn traffic(&self) -> &dyn Traffic;

    /// The record.
    fn record(&self) -> RecordName;

    /// Lets every change that was made reach every name server.
    async fn let_sync(&self);

    /// Sets the weights past the adapter, as somebody else would.
    async fn set_by_hand(&self, weights: ObservedWeights);
}

/// Holds a traffic adapter to its contract.
pub async fn traffic<F, Fixture, Made>(factory: F) -> Report
where
    F: Fn() -> Made,
    Made: Future<Output = Fixture>,
    Fixture: TrafficFixture,
{
    let mut report = Report::new("traffic");
    report.add("read gives the weights as they are", reads(&factory().await).await);
    report.add("set changes both weights", sets(&factory().await).await);
    report.add("every weight from 0 to 255 can be set", sets_extremes(&factory().await).await);
    report.add("an id that was set before changes nothing and succeeds", sets_once(&factory().await).await);
    report.add("a fencing token below one that was seen is refused", refuses_old(&factory().await).await);
    report.add("the same and a larger fencing token are taken", takes_newer(&factory().await).await);
    report.add("read sees what somebody else has set", sees_others(&factory().await).await);
    report.add("confirm knows no change that was not made", knows_no_other(&factory().await).await);
    report.add("confirm answers true once in sync, and stays true", stays_in_sync(&factory().await).await);
    report.add("a change back need not wait for one forward", goes_back(&factory().await).await);
    report
}

fn weights(blue: u8, green: u8) -> Result<Weights, String> {
    done("make the weights", Weights::new(blue, green))
}

const fn observed(blue: u8, green: u8) -> ObservedWeights {
    ObservedWeights { blue, green }
}

async fn set(fixture: &dyn TrafficFixture, id: u64, token: u64, blue: u8, green: u8) -> Checked {
    let (weights, record) = (weights(blue, green)?, fixture.record());
    let set = fixture.traffic().set(&effect(id), fence(token), &record, weights, Direction::Forward).await;
    done("set the weights", set)
}

async fn shows(fixture: &dyn TrafficFixture, expected: ObservedWeights) -> Checked {
    let found = done("read the weights", fixture.traffic().read(&fixture.record()).await)?;
    equal("the record", &found, &expected)
}

async fn reads(fixture: &dyn TrafficFixture) -> Checked {
    shows(fixture, observed(100, 0)).await
}

async fn sets(fixture: &dyn TrafficFixture) -> Checked {
    set(fixture, 1, 1, 95, 5).await?;
    shows(fixture, observed(95, 5)).await
}

async fn sets_extremes(fixture: &dyn TrafficFixture) -> Checked {
    for (id, (blue, green)) in (1..).zip([(0, 255), (255, 0), (1, 255), (0, 1)]) {
        set(fixture, id, 1, blue, green).await?;
        shows(fixture, observed(blue, green)).await?;
    }
    Ok(())
}

async fn sets_once(fixture: &dyn TrafficFixture) -> Checked {
    set(fixture, 1, 1, 95, 5).await?;
    set(fixture, 2, 1, 50, 50).await?;
    set(fixture, 1, 1, 95, 5).await?;
    shows(fixture, observed(50, 50)).await?;
    fixture.set_by_hand(observed(70, 30)).await;
    set(fixture, 2, 1, 50, 50).await?;
    shows(fixture, observed(70, 30)).await
}

async fn refuses_old(fixture: &dyn TrafficFixture) -> Checked {
    set(fixture, 1, 7, 95, 5).await?;
    let (older, record) = (weights(0, 100)?, fixture.record());
    let result = fixture.traffic().set(&effect(2), fence(6), &record, older, Direction::Forward).await;
    ensure(matches!(result, Err(PortError::Refused(_))), || format!("it answers {result:?}"))?;
    shows(fixture, observed(95, 5)).await
}

async fn takes_newer(fixture: &dyn TrafficFixture) -> Checked {
    set(fixture, 1, 7, 95, 5).await?;
    set(fixture, 2, 7, 50, 50).await?;
    set(fixture, 3, 8, 0, 100).await?;
    shows(fixture, observed(0, 100)).await
}

async fn sees_others(fixture: &dyn TrafficFixture) -> Checked {
    set(fixture, 1, 1, 95, 5).await?;
    shows(fixture, observed(95, 5)).await?;
    fixture.set_by_hand(observed(80, 20)).await;
    shows(fixture, observed(80, 20)).await
}

async fn knows_no_other(fixture: &dyn TrafficFixture) -> Checked {
    set(fixture, 1, 1, 95, 5).await?;
    let result = fixture.traffic().confirm(&effect(2)).await;
    ensure(matches!(result, Err(PortError::NotFound(_))), || format!("it answers {result:?}"))
}

async fn stays_in_sync(fixture: &dyn TrafficFixture) -> Checked {
    set(fixture, 1, 1, 95, 5).await?;
    fixture.let_sync().await;
    let first = done("confirm the change", fixture.traffic().confirm(&effect(1)).await)?;
    set(fixture, 2, 1, 50, 50).await?;
    let later = done("confirm it again", fixture.traffic().confirm(&effect(1)).await)?;
    equal("in sync, and still so after the next change", &(first, later), &(true, true))
}

async fn goes_back(fixture: &dyn TrafficFixture) -> Checked {
    set(fixture, 1, 1, 50, 50).await?;
    let (id, record) = (effect(2), fixture.record());
    let back = fixture.traffic().set(&id, fence(1), &record, Weights::ALL_BLUE, Direction::Back).await;
    done("set the weights back", back)?;
    shows(fixture, observed(100, 0)).await?;
    fixture.let_sync().await;
    let in_sync = done("confirm the change back", fixture.traffic().confirm(&id).await)?;
    ensure(in_sync, || "it is not in sync".into())
}
