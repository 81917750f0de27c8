//! Answers of the API: JSON, or one error that says what to do.

use std::fmt;

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use mpac_deploy_core::ids::RolloutId;
use mpac_deploy_core::port::{JournalError, PortError};
use serde::Serialize;
use serde_json::json;

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Problem {
    NoRollout(RolloutId),
    NoCommand,
    /// No step of this name waits for a person by the rollout's policy.
    NoGate {
        asked: String,
        known: String,
    },
    /// The request is none that can be answered.
    Unfit(String),
    TooLong,
    TooSlow,
    NotJson,
    NoCommands,
    NoToken,
    Foreign(&'static str),
    WrongHost,
    /// Too many watch already.
    Crowded,
    /// Journal or inbox cannot be reached.
    Away(String),
    /// What the journal holds cannot be shown.
    Broken(String),
}

impl Problem {
    pub(super) fn broken(error: impl fmt::Display) -> Self {
        Self::Broken(error.to_string())
    }

    const fn status(&self) -> StatusCode {
        match self {
            Self::NoRollout(_) | Self::NoCommand | Self::NoGate { .. } => StatusCode::NOT_FOUND,
            Self::Unfit(_) => StatusCode::BAD_REQUEST,
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NoToken => StatusCode::UNAUTHORIZED,
            Self::NoCommands | Self::Foreign(_) => StatusCode::FORBIDDEN,
            Self::WrongHost => StatusCode::MISDIRECTED_REQUEST,
            Self::Crowded | Self::Away(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Broken(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRollout(id) => write!(f, "there is no rollout `{id}` in this journal"),
            Self::NoCommand => f.write_str("there is no such command for this rollout"),
            Self::NoGate { asked, known } => {
                write!(f, "no step `{asked}` waits for a person by this policy; those that do: {known}")
            }
            Self::Unfit(why) | Self::Away(why) | Self::Broken(why) => f.write_str(why),
            Self::TooLong => f.write_str("the body is longer than 16 KiB"),
            Self::TooSlow => f.write_str("the body did not arrive in time"),
            Self::NotJson => f.write_str("send the command as JSON, with `content-type: application/json`"),
            Self::NoCommands => f.write_str("this page is read only: it was mounted without commands"),
            Self::NoToken => f.write_str("send the page's token: `authorization: Bearer TOKEN`"),
            Self::Foreign(why) => f.write_str(why),
            Self::WrongHost => f.write_str("this page is not served under this host name"),
            Self::Crowded => f.write_str("too many watch already: try again later"),
        }
    }
}

impl From<JournalError> for Problem {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::Unavailable(_) => Self::Away(error.to_string()),
            JournalError::Held { .. }
            | JournalError::LeaseLost
            | JournalError::Conflict { .. }
            | JournalError::Damaged(_)
            | JournalError::Newer(_)
            | _ => Self::Broken(error.to_string()),
        }
    }
}

impl From<PortError> for Problem {
    fn from(error: PortError) -> Self {
        match error {
            PortError::NotFound(_) => Self::NoCommand,
            PortError::Unavailable(_) | PortError::Refused(_) | _ => {
                Self::Away(format!("the inbox cannot be used: {error}"))
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut answer = (self.status(), Json(json!({ "error": self.to_string() }))).into_response();
        if matches!(self, Self::NoToken) {
            let scheme = axum::http::HeaderValue::from_static("Bearer");
            answer.headers_mut().insert(axum::http::header::WWW_AUTHENTICATE, scheme);
        }
        answer
    }
}

pub(super) type Answered = Result<Response, Problem>;

pub(super) fn json(of: &impl Serialize) -> Answered {
    serde_json::to_string(of).map(json_text).map_err(Problem::broken)
}

pub(super) fn json_text(text: impl Into<String>) -> Response {
    ([(CONTENT_TYPE, "application/json")], text.into()).into_response()
}
