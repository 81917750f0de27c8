//! The routes.

use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Query, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use mpac_deploy_core::ids::RolloutId;
use serde::Deserialize;
use serde_json::json;

use super::access::host_name;
use super::answer::{Answered, Problem, json, json_text};
use super::command::Because;
use super::{StatusPage, command, events, history, page};

/// Rollouts in a list unless another number is asked for.
const LISTED: usize = 50;

/// Rollouts in a list at most: each may have to be read from the journal.
const LISTED_AT_MOST: usize = 200;

/// How long the handlers of requests may take, with room for a command's reply; events go on.
pub(super) const HANDLED_WITHIN: Duration = Duration::from_secs(20);

pub(super) fn router(status: StatusPage) -> Router {
    Router::new()
        .route("/", get(page::page))
        .route("/api", get(about))
        .route("/api/rollouts", get(list))
        .route("/api/rollouts/{id}", get(one))
        .route("/api/rollouts/{id}/history", get(history::history))
        .route("/api/rollouts/{id}/events", get(events::events))
        .route("/api/rollouts/{id}/commands", post(command::post))
        .route("/api/rollouts/{id}/commands/{command}", get(command::reply))
        .fallback(|| async {
            (StatusCode::NOT_FOUND, axum::Json(json!({ "error": "there is nothing here" })))
        })
        .layer(from_fn_with_state(status.clone(), guard))
        .with_state(status)
}

async fn about(State(status): State<StatusPage>) -> Answered {
    let choice =
        |because: Because| json!({ "because": because.as_str(), "way_back": because.issue().way_back() });
    let reasons: Vec<_> = Because::choices().map(choice).collect();
    json(&json!({ "commands": status.commands.as_str(), "reasons": reasons }))
}

#[derive(Deserialize)]
struct Limit {
    limit: Option<usize>,
}

async fn list(State(status): State<StatusPage>, limit: Query<Limit>) -> Answered {
    let limit = limit.limit.unwrap_or(LISTED).min(LISTED_AT_MOST);
    json(&json!({ "rollouts": status.shelf.list(limit).await? }))
}

async fn one(State(status): State<StatusPage>, Path(id): Path<String>) -> Answered {
    let shown = status.shelf.look(&RolloutId::new(id)).await?;
    Ok(json_text(&*shown.json))
}

/// Under the right name only, and nothing that a browser could take for something else.
async fn guard(State(status): State<StatusPage>, request: Request, next: Next) -> Response {
    let is_known = |name: String| status.hosts.contains(&name);
    let is_ours = status.hosts.is_empty() || host_name(request.headers()).is_some_and(is_known);
    let mut response = if is_ours {
        let late = |_| Problem::Away("it took too long".into()).into_response();
        tokio::time::timeout(HANDLED_WITHIN, next.run(request)).await.unwrap_or_else(late)
    } else {
        Problem::WrongHost.into_response()
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// What every answer carries unless it says otherwise: an answer of the API is no document.
const HEADERS: [(HeaderName, &str); 6] = [
    (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; sandbox"),
    (CACHE_CONTROL, "no-store"),
    (REFERRER_POLICY, "no-referrer"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];
