//! How often a call is made again.

use std::future::Future;
use std::time::Duration;

use mpac_deploy_core::port::JournalError;

use crate::CallError;

/// Attempts at one step: a call that was throttled or cut off once is no reason to stop a rollout for the seconds that the driver waits
/// before it tries again.
const ATTEMPTS: u32 = 4;

/// The pause before the second attempt; it doubles. All of them take 0.35 s, well within the two seconds that the driver gives the journal.
const PAUSE: Duration = Duration::from_millis(50);

/// The attempts at one step that are left.
#[derive(Debug, Default)]
pub(super) struct Patience {
    made: u32,
}

impl Patience {
    /// An attempt failed: waits for the time of the next one.
    pub(super) async fn after(&mut self, error: CallError) -> Result<(), JournalError> {
        let passing = match &error {
            CallError::Throttled { .. } | CallError::NoAnswer { .. } | CallError::Expired { .. } => true,
            CallError::AccessDenied { .. } | CallError::Refused { .. } => false,
        };
        if !passing {
            return Err(unavailable(&error));
        }
        self.spend(|| error.to_string()).await
    }

    /// An attempt had no lasting result.
    pub(super) async fn spend(&mut self, why: impl FnOnce() -> String) -> Result<(), JournalError> {
        self.made += 1;
        if self.made >= ATTEMPTS {
            return Err(JournalError::Unavailable(why()));
        }
        tokio::time::sleep(PAUSE * 2_u32.pow(self.made - 1)).await;
        Ok(())
    }
}

/// Makes a call that can be repeated without harm until it is answered.
pub(super) async fn patiently<T, Made>(call: impl Fn() -> Made) -> Result<T, JournalError>
where
    Made: Future<Output = Result<T, CallError>>,
{
    let mut patience = Patience::default();
    loop {
        match call().await {
            Ok(answer) => return Ok(answer),
            Err(error) => patience.after(error).await?,
        }
    }
}

fn unavailable(error: &CallError) -> JournalError {
    JournalError::Unavailable(error.to_string())
}
