//! Why a call failed: the same for every service of AWS.

use std::error::Error;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use mpac_deploy_core::port::PortError;

/// Why a call failed. As a [`PortError`] it keeps its meaning and its text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The limit of the account is used up; nothing was done.
    #[error("{call}: throttled: {message}")]
    Throttled {
        /// The call.
        call: &'static str,
        /// What AWS says.
        message: String,
    },
    /// Not reached, timed out, cut off, or an error of the server: whether it was done is unknown.
    #[error("{call}: no answer, the outcome is unknown: {message}")]
    NoAnswer {
        /// The call.
        call: &'static str,
        /// What happened.
        message: String,
    },
    /// The credentials or the signature have expired; the next attempt has new ones.
    #[error("{call}: expired: {message}")]
    Expired {
        /// The call.
        call: &'static str,
        /// What AWS says.
        message: String,
    },
    /// The credentials do not allow it.
    #[error("{call}: not allowed: {message}")]
    AccessDenied {
        /// The call.
        call: &'static str,
        /// What AWS says.
        message: String,
    },
    /// Refused for another reason.
    #[error("{call}: refused with {code}: {message}")]
    Refused {
        /// The call.
        call: &'static str,
        /// AWS's code.
        code: String,
        /// What AWS says.
        message: String,
    },
}

impl CallError {
    /// Whether nothing can have been done.
    #[must_use]
    pub const fn did_nothing(&self) -> bool {
        !matches!(self, Self::NoAnswer { .. })
    }

    /// The meaning of an SDK's error: also for calls that no adapter makes, so that they fail in the same words.
    #[must_use]
    pub fn of<E>(call: &'static str, error: SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let status = error.raw_response().map_or(0, |response| response.status().as_u16());
        match &error {
            SdkError::ServiceError(refusal) => {
                let told = refusal.err();
                let message = told.message().map_or_else(|| chain(told), str::to_owned);
                Self::of_code(call, status, told.code().unwrap_or("no code"), message)
            }
            SdkError::ConstructionFailure(_) => Self::invalid(call, chain(&error)),
            SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) | _ => {
                Self::NoAnswer { call, message: chain(&error) }
            }
        }
    }

    /// A request that cannot even be written down.
    pub(crate) fn invalid(call: &'static str, message: impl Into<String>) -> Self {
        Self::Refused { call, code: "an invalid request".into(), message: message.into() }
    }

    fn of_code(call: &'static str, status: u16, code: &str, message: String) -> Self {
        match code {
            "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "TooManyRequestsException"
            | "RequestLimitExceeded"
            | "ProvisionedThroughputExceededException"
            | "SlowDown" => Self::Throttled { call, message },
            "AccessDenied" | "AccessDeniedException" => Self::AccessDenied { call, message },
            "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => Self::Expired { call, message },
            _ if status >= 500 => Self::NoAnswer { call, message: format!("{code} ({status}): {message}") },
            _ => Self::Refused { call, code: code.into(), message },
        }
    }
}

/// An error and its causes, each in its own words. The SDK's own display adds what its types look like inside, which tells nobody more.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in std::iter::successors(Some(error), |&error| error.source()) {
        let text = cause.to_string();
        // Some repeat their cause.
        if !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
    }
    parts.join(": ")
}

impl From<CallError> for PortError {
    fn from(error: CallError) -> Self {
        let text = error.to_string();
        match error {
            CallError::Throttled { .. } | CallError::NoAnswer { .. } | CallError::Expired { .. } => {
                Self::Unavailable(text)
            }
            CallError::AccessDenied { .. } | CallError::Refused { .. } => Self::Refused(text),
        }
    }
}
