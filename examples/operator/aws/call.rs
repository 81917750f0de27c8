//! A call to AWS that failed, by what a person can do about it.

use std::time::Duration;

use mpac_deploy_aws::CallError;
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
    /// So the adapters say that the credentials do not allow a call.
    pub(super) fn is_denial(text: &str) -> bool {
        text.contains(": not allowed: ")
    }
}

impl From<CallError> for Unread {
    fn from(error: CallError) -> Self {
        PortError::from(error).into()
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
