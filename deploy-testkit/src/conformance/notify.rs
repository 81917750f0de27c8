//! The suite of the notify port.

use std::future::Future;

use async_trait::async_trait;
use mpac_deploy_core::decision::{Decision, DecisionKind};
use mpac_deploy_core::ids::RolloutId;
use mpac_deploy_core::port::Notify;

use super::{Checked, Report, done, ensure, equal};
use crate::world::epoch;

/// A notifier whose notices can be counted.
#[async_trait]
pub trait NotifyFixture: Send + Sync {
    /// The adapter.
    fn notify(&self) -> &dyn Notify;

    /// How many notices have reached people.
    async fn told(&self) -> usize;

    /// Makes it impossible to tell anybody.
    async fn break_it(&self);
}

/// Holds a notify adapter to its contract.
pub async fn notify<F, Fixture, Made>(factory: F) -> Report
where
    F: Fn() -> Made,
    Made: Future<Output = Fixture>,
    Fixture: NotifyFixture,
{
    let mut report = Report::new("notify");
    report.add("each decision is told once", tells_once(&factory().await).await);
    report.add("several decisions can be told at once", tells_many(&factory().await).await);
    report.add("a long reason in any script can be told", tells_long(&factory().await).await);
    report.add("it is an error when nobody was told", says_so(&factory().await).await);
    report
}

fn decision(kind: DecisionKind, reason: String) -> Decision {
    Decision::plain(kind, Some("canary"), epoch(), reason)
}

async fn tell(fixture: &dyn NotifyFixture, decision: &Decision) -> Checked {
    let told = fixture.notify().notify(&RolloutId::from("conformance"), decision).await;
    done("tell of the decision", told)
}

async fn tells_once(fixture: &dyn NotifyFixture) -> Checked {
    for kind in [DecisionKind::Start, DecisionKind::Alert, DecisionKind::Hold, DecisionKind::Rollback] {
        tell(fixture, &decision(kind, "for the record".into())).await?;
    }
    equal("the number of notices", &fixture.told().await, &4)
}

async fn tells_many(fixture: &dyn NotifyFixture) -> Checked {
    let (one, other) =
        (decision(DecisionKind::Alert, "one".into()), decision(DecisionKind::Alert, "other".into()));
    let (first, second) = tokio::join!(tell(fixture, &one), tell(fixture, &other));
    first.and(second)?;
    equal("the number of notices", &fixture.told().await, &2)
}

async fn tells_long(fixture: &dyn NotifyFixture) -> Checked {
    let reason = "p95 は 2000 ms を超えた; \"quoted\" <tag> & a new line\n".repeat(50);
    tell(fixture, &decision(DecisionKind::Rollback, reason)).await?;
    equal("the number of notices", &fixture.told().await, &1)
}

async fn says_so(fixture: &dyn NotifyFixture) -> Checked {
    fixture.break_it().await;
    let result = tell(fixture, &decision(DecisionKind::Hold, "blue is sick".into())).await;
    ensure(result.is_err(), || "it succeeds".into())
}
