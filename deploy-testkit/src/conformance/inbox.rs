//! The suite of the inbox port.

use std::future::Future;

use async_trait::async_trait;
use mpac_deploy_core::ids::{CommandId, RolloutId};
use mpac_deploy_core::machine::{Command, CommandKind};
use mpac_deploy_core::port::{Inbox, PortError, Reply};

use super::{Checked, Report, done, ensure, equal};

/// An empty inbox.
#[async_trait]
pub trait InboxFixture: Send + Sync {
    /// The adapter.
    fn inbox(&self) -> &dyn Inbox;
}

/// Holds an inbox adapter to its contract.
pub async fn inbox<F, Fixture, Made>(factory: F) -> Report
where
    F: Fn() -> Made,
    Made: Future<Output = Fixture>,
    Fixture: InboxFixture,
{
    let mut report = Report::new("inbox");
    report.add("what was posted waits, in its order", waits(&factory().await).await);
    report.add("a command that is posted again is one command", is_one(&factory().await).await);
    report.add("what was replied to waits no more", is_replied(&factory().await).await);
    report.add("the first reply stays", keeps_first(&factory().await).await);
    report.add("a command that is posted again keeps its reply", keeps_reply(&factory().await).await);
    report.add("rollouts have inboxes of their own", are_apart(&factory().await).await);
    report.add("nobody replies to what was not posted", is_unknown(&factory().await).await);
    report
}

fn rollout() -> RolloutId {
    RolloutId::from("conformance")
}

fn command(why: &str) -> Command {
    Command { kind: CommandKind::Promote { force: true }, by: "a person".into(), why: why.into() }
}

fn rejected() -> Reply {
    Reply::Rejected { why: "too late: the rollout is over".into() }
}

async fn post(fixture: &dyn InboxFixture, id: &str, why: &str) -> Checked {
    done("post a command", fixture.inbox().post(&rollout(), &CommandId::from(id), &command(why)).await)
}

async fn reply(fixture: &dyn InboxFixture, id: &str, reply: &Reply) -> Checked {
    done("reply", fixture.inbox().reply(&rollout(), &CommandId::from(id), reply).await)
}

async fn reply_to(fixture: &dyn InboxFixture, id: &str) -> Result<Option<Reply>, String> {
    done("read the reply", fixture.inbox().reply_to(&rollout(), &CommandId::from(id)).await)
}

async fn waiting(fixture: &dyn InboxFixture) -> Result<Vec<(String, String)>, String> {
    let waiting = done("read what waits", fixture.inbox().waiting(&rollout()).await)?;
    Ok(waiting.into_iter().map(|(id, command)| (id.to_string(), command.why)).collect())
}

async fn wait(fixture: &dyn InboxFixture, expected: &[(&str, &str)]) -> Checked {
    let expected: Vec<_> = expected.iter().map(|(id, why)| ((*id).to_string(), (*why).to_string())).collect();
    equal("what waits", &waiting(fixture).await?, &expected)
}

async fn waits(fixture: &dyn InboxFixture) -> Checked {
    wait(fixture, &[]).await?;
    // Not in the order of the ids.
    for (id, why) in [("c", "first"), ("a", "second"), ("b", "third")] {
        post(fixture, id, why).await?;
    }
    wait(fixture, &[("c", "first"), ("a", "second"), ("b", "third")]).await?;
    let read = done("read what waits", fixture.inbox().waiting(&rollout()).await)?;
    equal("the command", &read.first().map(|(_, command)| command.clone()), &Some(command("first")))
}

async fn is_one(fixture: &dyn InboxFixture) -> Checked {
    post(fixture, "a", "first").await?;
    post(fixture, "a", "again").await?;
    wait(fixture, &[("a", "first")]).await
}

async fn is_replied(fixture: &dyn InboxFixture) -> Checked {
    post(fixture, "a", "first").await?;
    post(fixture, "b", "second").await?;
    equal("the reply", &reply_to(fixture, "a").await?, &None)?;
    reply(fixture, "a", &rejected()).await?;
    wait(fixture, &[("b", "second")]).await?;
    equal("the reply", &reply_to(fixture, "a").await?, &Some(rejected()))?;
    equal("the other reply", &reply_to(fixture, "b").await?, &None)
}

async fn keeps_first(fixture: &dyn InboxFixture) -> Checked {
    post(fixture, "a", "first").await?;
    reply(fixture, "a", &Reply::Obeyed).await?;
    reply(fixture, "a", &rejected()).await?;
    equal("the reply", &reply_to(fixture, "a").await?, &Some(Reply::Obeyed))
}

async fn keeps_reply(fixture: &dyn InboxFixture) -> Checked {
    post(fixture, "a", "first").await?;
    reply(fixture, "a", &Reply::Obeyed).await?;
    post(fixture, "a", "first").await?;
    wait(fixture, &[]).await?;
    equal("the reply", &reply_to(fixture, "a").await?, &Some(Reply::Obeyed))
}

async fn are_apart(fixture: &dyn InboxFixture) -> Checked {
    post(fixture, "a", "first").await?;
    let other = fixture.inbox().waiting(&RolloutId::from("another")).await;
    equal("the other inbox", &done("read what waits", other)?, &Vec::new())
}

async fn is_unknown(fixture: &dyn InboxFixture) -> Checked {
    let id = CommandId::from("never posted");
    let asked = fixture.inbox().reply_to(&rollout(), &id).await;
    ensure(matches!(asked, Err(PortError::NotFound(_))), || format!("it answers {asked:?}"))?;
    let replied = fixture.inbox().reply(&rollout(), &id, &Reply::Obeyed).await;
    ensure(matches!(replied, Err(PortError::NotFound(_))), || format!("it answers {replied:?}"))
}
