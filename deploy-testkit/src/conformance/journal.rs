//! The suite of the journal port: what is stored. Leases are in their own file.

use std::future::Future;
use std::time::Duration;

use async_trait::async_trait;
use mpac_deploy_core::decision::{Decision, DecisionKind};
use mpac_deploy_core::effect::{Answer, Failure, ObservedWeights, Retry};
use mpac_deploy_core::ids::{RecordName, RolloutId};
use mpac_deploy_core::journal::{Record, Snapshot};
use mpac_deploy_core::machine::{Event, Rollout};
use mpac_deploy_core::policy::mpac;
use mpac_deploy_core::port::{Journal, JournalError, Lease};

use super::{Checked, Report, done, effect, ensure, equal, lease};
use crate::scenario::release;
use crate::world::epoch;

/// An empty journal.
#[async_trait]
pub trait JournalFixture: Send + Sync {
    /// The adapter.
    fn journal(&self) -> &dyn Journal;

    /// Lets time pass for the leases: virtual time, or real time.
    async fn pass(&self, duration: Duration);
}

/// Holds a journal to its contract.
pub async fn journal<F, Fixture, Made>(factory: F) -> Report
where
    F: Fn() -> Made,
    Made: Future<Output = Fixture>,
    Fixture: JournalFixture,
{
    let mut report = Report::new("journal");
    report.add("an unknown rollout has no records", knows_none(&factory().await).await);
    report.add("what was appended is loaded as it is, in order", loads(&factory().await).await);
    report.add("records are loaded from where one left off", loads_rest(&factory().await).await);
    report.add("rollouts are kept apart, and listed", keeps_apart(&factory().await).await);
    report.add("an append beyond the end conflicts and stores nothing", has_no_gaps(&factory().await).await);
    report
        .add("an append of other records conflicts and stores nothing", has_one_past(&factory().await).await);
    report
        .add("an append can be made again after its answer was lost", appends_again(&factory().await).await);
    report
        .add("an append made again with more records stores the rest", appends_rest(&factory().await).await);
    report.add("an append that is partly other records stores nothing", is_atomic(&factory().await).await);
    report.add("a snapshot is given as it was kept, and takes no record away", keeps(&factory().await).await);
    report.add(
        "a snapshot of more records takes its place, one of fewer does not",
        keeps_latest(&factory().await).await,
    );
    lease::cases(&mut report, &factory).await;
    report
}

/// How long the leases of these cases hold.
pub(super) const TTL: Duration = Duration::from_millis(900);

pub(super) fn rollout() -> RolloutId {
    RolloutId::from("conformance")
}

pub(super) async fn acquire(
    fixture: &dyn JournalFixture,
    record: &str,
    holder: &str,
) -> Result<Lease, JournalError> {
    fixture.journal().acquire(&RecordName::from(record), holder, TTL).await
}

pub(super) async fn lease(fixture: &dyn JournalFixture) -> Result<Lease, String> {
    done("acquire the lease", acquire(fixture, "api.example.com", "first").await)
}

pub(super) async fn append(
    fixture: &dyn JournalFixture,
    lease: &Lease,
    expected: u64,
    records: &[Record],
) -> Result<(), JournalError> {
    fixture.journal().append(lease, &rollout(), expected, records).await
}

pub(super) async fn holds(fixture: &dyn JournalFixture, expected: &[Record]) -> Checked {
    let found = done("load the records", fixture.journal().load(&rollout(), 0).await)?;
    ensure(found == expected, || {
        let numbers = |records: &[Record]| records.iter().map(|record| record.number).collect::<Vec<_>>();
        format!("it holds the records {:?} instead of {:?}", numbers(&found), numbers(expected))
    })
}

/// Records of every shape: a beginning, outcomes, a failure, a tick; with decisions and without.
pub(super) fn records() -> Result<Vec<Record>, String> {
    let plan = done("compile the preset", mpac().compile(release()))?;
    let (begun, effects) = Rollout::begin(rollout(), plan, epoch());
    let outcome = |number, result| Event::Outcome { effect: effect(number), result };
    let weights = Answer::Weights(ObservedWeights { blue: 100, green: 0 });
    let failure = Failure { message: "\u{1f525} it \"failed\"\n".into(), retry: Retry::Worthwhile };
    let events =
        [outcome(1, Ok(weights)), outcome(2, Err(failure)), Event::Tick, outcome(2, Ok(Answer::Done))];
    let happened = events.into_iter().zip(2..).map(|(event, number)| {
        let at = epoch().after(Duration::from_millis(number * 250));
        let retry = Decision::plain(DecisionKind::Retry, None, at, "again in 2 s");
        let decisions = if number == 3 { vec![retry] } else { Vec::new() };
        Record::happened(number, at, event, decisions)
    });
    Ok(std::iter::once(Record::begun(&begun, effects.decisions)).chain(happened).collect())
}

fn conflicts(result: &Result<(), JournalError>) -> Checked {
    ensure(matches!(result, Err(JournalError::Conflict { .. })), || format!("it answers {result:?}"))
}

async fn knows_none(fixture: &dyn JournalFixture) -> Checked {
    holds(fixture, &[]).await?;
    equal("the list", &done("list", fixture.journal().list().await)?, &Vec::new())
}

async fn loads(fixture: &dyn JournalFixture) -> Checked {
    let (lease, records) = (lease(fixture).await?, records()?);
    done("append one", append(fixture, &lease, 0, &records[..1]).await)?;
    done("append the rest", append(fixture, &lease, 1, &records[1..]).await)?;
    holds(fixture, &records).await
}

async fn loads_rest(fixture: &dyn JournalFixture) -> Checked {
    let (lease, records) = (lease(fixture).await?, records()?);
    done("append", append(fixture, &lease, 0, &records).await)?;
    for after in [1, records.len() - 1, records.len(), records.len() + 5] {
        let rest = done("load the rest", fixture.journal().load(&rollout(), after as u64).await)?;
        ensure(rest == records.get(after..).unwrap_or_default(), || {
            format!("{} of {} records come after {after}", rest.len(), records.len())
        })?;
    }
    Ok(())
}

/// The text of a snapshot is nobody's business but the core's.
pub(super) fn snapshot(records: u64) -> Snapshot {
    let state = format!("{{\"after\": {records}, \"why\": \"\u{1f525} it \\\"failed\\\"\"}}");
    Snapshot { records, format: "conformance/1".into(), state }
}

async fn is_kept(fixture: &dyn JournalFixture, expected: Option<Snapshot>) -> Checked {
    equal("the snapshot", &done("read it", fixture.journal().snapshot(&rollout()).await)?, &expected)
}

async fn keeps(fixture: &dyn JournalFixture) -> Checked {
    let (lease, records) = (lease(fixture).await?, records()?);
    is_kept(fixture, None).await?;
    done("append", append(fixture, &lease, 0, &records).await)?;
    is_kept(fixture, None).await?;
    done("keep a snapshot", fixture.journal().keep(&lease, &rollout(), &snapshot(3)).await)?;
    is_kept(fixture, Some(snapshot(3))).await?;
    let other = done("read another's", fixture.journal().snapshot(&RolloutId::from("another")).await)?;
    equal("another rollout's", &other, &None)?;
    holds(fixture, &records).await
}

async fn keeps_latest(fixture: &dyn JournalFixture) -> Checked {
    let (lease, records) = (lease(fixture).await?, records()?);
    done("append", append(fixture, &lease, 0, &records).await)?;
    for (kept, expected) in [(2, 2), (4, 4), (3, 4)] {
        done("keep a snapshot", fixture.journal().keep(&lease, &rollout(), &snapshot(kept)).await)?;
        is_kept(fixture, Some(snapshot(expected))).await?;
    }
    Ok(())
}

async fn keeps_apart(fixture: &dyn JournalFixture) -> Checked {
    let (lease, records) = (lease(fixture).await?, records()?);
    let other = RolloutId::from("another");
    done("append", append(fixture, &lease, 0, &records).await)?;
    done("append to another", fixture.journal().append(&lease, &other, 0, &records[..2]).await)?;
    holds(fixture, &records).await?;
    let found = done("load the other", fixture.journal().load(&other, 0).await)?;
    equal("the length of the other", &found.len(), &2)?;
    let mut list = done("list", fixture.journal().list().await)?;
    list.sort();
    equal("the list", &list, &vec![other, rollout()])
}

async fn has_no_gaps(fixture: &dyn JournalFixture) -> Checked {
    let (lease, records) = (lease(fixture).await?, records()?);
    done("append one", append(fixture, &lease, 0, &records[..1]).await)?;
    conflicts(&append(fixture, &lease, 2, &records[2..]).await)?;
    holds(fixture, &records[..1]).await
}

async fn has_one_past(fixture: &dyn JournalFixture) -> Checked {
    let (lease, records) = (lease(fixture).await?, records()?);
    done("append two", append(fixture, &lease, 0, &records[..2]).await)?;
    let mut other = records[1].clone();
    other.at = epoch();
    conflicts(&append(fixture, &lease, 1, &[other]).await)?;
    holds(fixture, &records[..2]).await
}

async fn appends_again(fixture: &dyn JournalFixture) -> Checked {
    let (lease, records) = (lease(fixture).await?, records()?);
    done("append", append(fixture, &lease, 0, &records[..3]).await)?;
    done("append again", append(fixture, &lease, 0, &records[..3]).await)?;
    holds(fixture, &records[..3]).await
}

async fn appends_rest(fixture: &dyn JournalFixture) -> Checked {
    let (lease, records) = (lease(fixture).await?, records()?);
    done("append one", append(fixture, &lease, 0, &records[..1]).await)?;
    done("append two more", append(fixture, &lease, 1, &records[1..3]).await)?;
    done("append them again and the rest", append(fixture, &lease, 1, &records[1..]).await)?;
    holds(fixture, &records).await
}

async fn is_atomic(fixture: &dyn JournalFixture) -> Checked {
    let (lease, records) = (lease(fixture).await?, records()?);
    done("append three", append(fixture, &lease, 0, &records[..3]).await)?;
    let mut mixed = records[1..].to_vec();
    mixed[1].at = epoch();
    conflicts(&append(fixture, &lease, 1, &mixed).await)?;
    holds(fixture, &records[..3]).await
}
