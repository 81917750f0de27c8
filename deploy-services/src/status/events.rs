//! A rollout as it goes on, as server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures::stream::{Stream, unfold};
use mpac_deploy_core::ids::RolloutId;
use tokio::sync::OwnedSemaphorePermit;

use super::StatusPage;
use super::answer::Problem;

/// How often a line says that nothing has changed, so that proxies keep the connection.
const ALIVE_EVERY: Duration = Duration::from_secs(15);

/// How soon a browser comes back after the connection was lost.
const RETRY_AFTER: Duration = Duration::from_secs(2);

struct Watch {
    status: StatusPage,
    id: RolloutId,
    /// Records that were shown; none at the beginning.
    shown: u64,
    _place: OwnedSemaphorePermit,
}

pub(super) async fn events(
    State(status): State<StatusPage>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let place = Arc::clone(&status.shelf.watchers).try_acquire_owned().map_err(|_| Problem::Crowded)?;
    let id = RolloutId::new(id);
    // Who asks for what is not there gets an error and no stream.
    status.shelf.look(&id).await?;
    let watch = Watch { status, id, shown: 0, _place: place };
    Ok(Sse::new(stream(watch)).keep_alive(KeepAlive::new().interval(ALIVE_EVERY)).into_response())
}

/// Looks only when the client has taken what came before, so a slow one costs nothing.
fn stream(watch: Watch) -> impl Stream<Item = Result<Event, Infallible>> {
    unfold(watch, |mut watch| async move {
        loop {
            match watch.status.shelf.look(&watch.id).await {
                Ok(shown) if shown.records != watch.shown => {
                    watch.shown = shown.records;
                    let event = Event::default().event("rollout").id(shown.records.to_string());
                    return Some((Ok(event.retry(RETRY_AFTER).data(&*shown.json)), watch));
                }
                Ok(_) => {}
                Err(problem) => tracing::debug!(rollout = %watch.id, %problem, "nothing to show"),
            }
            tokio::time::sleep(watch.status.look_every).await;
        }
    })
}
