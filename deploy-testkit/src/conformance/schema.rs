//! The suite of the schema port.

use std::future::Future;

use async_trait::async_trait;
use mpac_deploy_core::ids::ServiceName;
use mpac_deploy_core::migration::Step;
use mpac_deploy_core::port::{PortError, Schema};

use super::{Checked, Report, done, effect, ensure, equal, fence};

/// A database of its own, at the version before a step that adds at least one column and can be undone.
#[async_trait]
pub trait SchemaFixture: Send + Sync {
    /// The adapter.
    fn schema(&self) -> &dyn Schema;

    /// The step.
    fn step(&self) -> Step;

    /// Somebody brings the schema to a version that the step knows nothing of.
    async fn bring_elsewhere(&self);

    /// Somebody writes to a column that the step has added; gives it as `table.column`.
    async fn write(&self) -> String;
}

/// Holds a schema adapter to its contract.
pub async fn schema<F, Fixture, Made>(factory: F) -> Report
where
    F: Fn() -> Made,
    Made: Future<Output = Fixture>,
    Fixture: SchemaFixture,
{
    let mut report = Report::new("schema");
    report.add("a step is applied, to its version and no further", applies(&factory().await).await);
    report.add("a step that is applied already changes nothing", applies_once(&factory().await).await);
    report.add("a step is undone", undoes(&factory().await).await);
    report.add("a step that is not applied is undone by nothing", undoes_nothing(&factory().await).await);
    report.add("at another version a step is refused", is_elsewhere(&factory().await).await);
    report.add("a new column without data is not written to", is_unwritten(&factory().await).await);
    report.add("a new column with data is written to", is_written(&factory().await).await);
    report.add("a fencing token below one that was seen is refused", refuses_old(&factory().await).await);
    report.add("an unknown service has no schema", is_unknown(&factory().await).await);
    report
}

/// What the tool printed.
type Lines = Vec<String>;

async fn apply(fixture: &dyn SchemaFixture, id: u64, token: u64) -> Result<Lines, PortError> {
    fixture.schema().apply(&effect(id), fence(token), &fixture.step()).await
}

async fn undo(fixture: &dyn SchemaFixture, id: u64, token: u64) -> Result<Lines, PortError> {
    fixture.schema().undo(&effect(id), fence(token), &fixture.step()).await
}

async fn is_at_first(fixture: &dyn SchemaFixture) -> Checked {
    let step = fixture.step();
    let found = done("read the version", fixture.schema().version(&step.service).await)?;
    equal("the version", &found, &step.from)
}

async fn is_at_last(fixture: &dyn SchemaFixture) -> Checked {
    let step = fixture.step();
    let found = done("read the version", fixture.schema().version(&step.service).await)?;
    equal("the version", &found, &step.to)
}

async fn applies(fixture: &dyn SchemaFixture) -> Checked {
    is_at_first(fixture).await?;
    let lines = done("apply the step", apply(fixture, 1, 1).await)?;
    ensure(!lines.is_empty(), || "it says nothing of what the tool printed".to_owned())?;
    is_at_last(fixture).await
}

async fn applies_once(fixture: &dyn SchemaFixture) -> Checked {
    done("apply the step", apply(fixture, 1, 1).await)?;
    let again = done("apply it again", apply(fixture, 1, 1).await)?;
    equal("what the tool printed the second time", &again, &Vec::new())?;
    done("apply it as another effect", apply(fixture, 2, 1).await)?;
    is_at_last(fixture).await
}

async fn undoes(fixture: &dyn SchemaFixture) -> Checked {
    done("apply the step", apply(fixture, 1, 1).await)?;
    done("undo it", undo(fixture, 2, 1).await)?;
    is_at_first(fixture).await?;
    done("apply it anew", apply(fixture, 3, 1).await)?;
    is_at_last(fixture).await
}

async fn undoes_nothing(fixture: &dyn SchemaFixture) -> Checked {
    done("undo what was not applied", undo(fixture, 1, 1).await)?;
    is_at_first(fixture).await
}

fn is_refused(result: &Result<Lines, PortError>) -> Checked {
    ensure(matches!(result, Err(PortError::Refused(_))), || format!("it answers {result:?}"))
}

async fn is_elsewhere(fixture: &dyn SchemaFixture) -> Checked {
    fixture.bring_elsewhere().await;
    is_refused(&apply(fixture, 1, 1).await)?;
    is_refused(&undo(fixture, 2, 1).await)
}

async fn written(fixture: &dyn SchemaFixture) -> Result<Vec<String>, String> {
    done("look for data", fixture.schema().written(&fixture.step()).await)
}

async fn is_unwritten(fixture: &dyn SchemaFixture) -> Checked {
    done("apply the step", apply(fixture, 1, 1).await)?;
    equal("what was written to", &written(fixture).await?, &Vec::new())
}

async fn is_written(fixture: &dyn SchemaFixture) -> Checked {
    done("apply the step", apply(fixture, 1, 1).await)?;
    let column = fixture.write().await;
    equal("what was written to", &written(fixture).await?, &vec![column])
}

async fn refuses_old(fixture: &dyn SchemaFixture) -> Checked {
    done("apply the step", apply(fixture, 1, 7).await)?;
    is_refused(&undo(fixture, 2, 6).await)?;
    is_at_last(fixture).await
}

async fn is_unknown(fixture: &dyn SchemaFixture) -> Checked {
    let found = fixture.schema().version(&ServiceName::from("svc-unheard-of")).await;
    ensure(matches!(found, Err(PortError::NotFound(_))), || format!("it answers {found:?}"))
}
