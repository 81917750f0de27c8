//! The suite of the journal port: who may write.

use std::future::Future;

use mpac_deploy_core::port::{JournalError, Lease};

use super::journal::{JournalFixture, TTL, acquire, append, holds, lease, records, rollout, snapshot};
use super::{Checked, Report, done, ensure};

pub(super) async fn cases<F, Fixture, Made>(report: &mut Report, factory: &F)
where
    F: Fn() -> Made,
    Made: Future<Output = Fixture>,
    Fixture: JournalFixture,
{
    report.add("a lease that is held is not given to another", is_held(&factory().await).await);
    report.add("a lease that ran out is given, with a larger token", runs_out(&factory().await).await);
    report.add("a lease that was given up is given at once", is_given_up(&factory().await).await);
    report.add("a holder that comes back gets a larger token", comes_back(&factory().await).await);
    report.add("a lease that is renewed does not run out", is_renewed(&factory().await).await);
    report.add("a holder that was overtaken cannot write", cannot_write(&factory().await).await);
    report.add("a holder that was overtaken cannot renew or give up", cannot_renew(&factory().await).await);
    report
        .add("a lease that was given up cannot be written with", cannot_write_after(&factory().await).await);
    report.add("leases of other records are other leases", are_apart(&factory().await).await);
}

const RECORD: &str = "api.example.com";

async fn second(fixture: &dyn JournalFixture) -> Result<Lease, JournalError> {
    acquire(fixture, RECORD, "second").await
}

async fn is_refused(fixture: &dyn JournalFixture) -> Checked {
    let result = second(fixture).await;
    let by_first = matches!(&result, Err(JournalError::Held { by, .. }) if by == "first");
    ensure(by_first, || format!("it answers {result:?}"))
}

fn is_larger(later: &Lease, earlier: &Lease) -> Checked {
    ensure(later.fence > earlier.fence, || format!("token {} follows {}", later.fence, earlier.fence))
}

fn is_lost(result: &Result<(), JournalError>) -> Checked {
    ensure(matches!(result, Err(JournalError::LeaseLost)), || format!("it answers {result:?}"))
}

async fn is_held(fixture: &dyn JournalFixture) -> Checked {
    lease(fixture).await?;
    is_refused(fixture).await
}

async fn runs_out(fixture: &dyn JournalFixture) -> Checked {
    let first = lease(fixture).await?;
    fixture.pass(2 * TTL).await;
    is_larger(&done("acquire what ran out", second(fixture).await)?, &first)
}

async fn is_given_up(fixture: &dyn JournalFixture) -> Checked {
    let first = lease(fixture).await?;
    done("give it up", fixture.journal().release(&first).await)?;
    is_larger(&done("acquire what was given up", second(fixture).await)?, &first)
}

async fn comes_back(fixture: &dyn JournalFixture) -> Checked {
    let first = lease(fixture).await?;
    is_larger(&lease(fixture).await?, &first)?;
    is_lost(&append(fixture, &first, 0, &records()?).await)
}

async fn is_renewed(fixture: &dyn JournalFixture) -> Checked {
    let first = lease(fixture).await?;
    for _ in 0..3 {
        fixture.pass(TTL * 2 / 3).await;
        done("renew it", fixture.journal().renew(&first, TTL).await)?;
    }
    is_refused(fixture).await
}

async fn overtaken(fixture: &dyn JournalFixture) -> Result<(Lease, Lease), String> {
    let first = lease(fixture).await?;
    fixture.pass(2 * TTL).await;
    let later = done("acquire what ran out", second(fixture).await)?;
    Ok((first, later))
}

async fn cannot_write(fixture: &dyn JournalFixture) -> Checked {
    let ((first, later), records) = (overtaken(fixture).await?, records()?);
    is_lost(&append(fixture, &first, 0, &records).await)?;
    is_lost(&fixture.journal().keep(&first, &rollout(), &snapshot(1)).await)?;
    holds(fixture, &[]).await?;
    done("append as the later holder", append(fixture, &later, 0, &records).await)?;
    holds(fixture, &records).await
}

async fn cannot_renew(fixture: &dyn JournalFixture) -> Checked {
    let (first, later) = overtaken(fixture).await?;
    is_lost(&fixture.journal().renew(&first, TTL).await)?;
    is_lost(&fixture.journal().release(&first).await)?;
    done("renew as the later holder", fixture.journal().renew(&later, TTL).await)
}

async fn cannot_write_after(fixture: &dyn JournalFixture) -> Checked {
    let first = lease(fixture).await?;
    done("give it up", fixture.journal().release(&first).await)?;
    is_lost(&append(fixture, &first, 0, &records()?).await)?;
    holds(fixture, &[]).await
}

async fn are_apart(fixture: &dyn JournalFixture) -> Checked {
    let first = lease(fixture).await?;
    done("acquire another", acquire(fixture, "www.example.com", "second").await)?;
    done("renew the first", fixture.journal().renew(&first, TTL).await)
}
