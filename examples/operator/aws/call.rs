//! A call to AWS that failed, by what a person can do about it.

use std::error::Error;
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::display::DisplayErrorContext;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use mpac_deploy_core::port::PortError;

use super::Account;
use crate::reply::Failure;

/// Why something was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// The credentials do not allow it.
    Denied(String),
    /// It is not there, or not as it has to be.
    Unfit(String),
    /// No answer.
    Unreached(String),
}

impl Unread {
    /// The meaning of an SDK's error.
    pub(super) fn of<E>(call: &str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let Some(refusal) = error.as_service_error() else {
            return Self::Unreached(format!("{call}: no answer: {}", DisplayErrorContext(error)));
        };
        let (code, message) =
            (refusal.code().unwrap_or("no code"), refusal.message().unwrap_or("no message"));
        let text = format!("{call}: {code}: {message}");
        let status = error.raw_response().map_or(0, |response| response.status().as_u16());
        match code {
            "AccessDenied" | "AccessDeniedException" => Self::Denied(text),
            _ if status >= 500 || code.contains("Throttl") => Self::Unreached(text),
            _ => Self::Unfit(text),
        }
    }

    /// So the adapters say that the credentials do not allow a call.
    pub(super) fn is_denial(text: &str) -> bool {
        text.contains(": not allowed: ")
    }
}

/// How often a reading is tried before nobody seems to be there, and the pause after the first time, which doubles: three seconds in all.
/// Half of all calls may be throttled, and one reading in sixty is not made.
const ATTEMPTS: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(100);

impl Account {
    /// Reads, and reads again where there was no answer.
    pub(super) async fn patiently<T>(&self, read: impl AsyncFn() -> Result<T, Unread>) -> Result<T, Unread> {
        let mut pause = FIRST_PAUSE;
        for _ in 1..ATTEMPTS {
            match read().await {
                Err(Unread::Unreached(_)) => {}
                answered => return answered,
            }
            tokio::time::sleep(self.lasting(pause)).await;
            pause *= 2;
        }
        read().await
    }
}

impl From<PortError> for Unread {
    fn from(error: PortError) -> Self {
        match error {
            PortError::Refused(text) if Self::is_denial(&text) => Self::Denied(text),
            PortError::Refused(text) | PortError::NotFound(text) => Self::Unfit(text),
            error @ (PortError::Unavailable(_) | _) => Self::Unreached(error.to_string()),
        }
    }
}

impl From<Unread> for Failure {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Denied(text) | Unread::Unreached(text) => Self::World(text),
            Unread::Unfit(text) => Self::Found(text),
        }
    }
}
