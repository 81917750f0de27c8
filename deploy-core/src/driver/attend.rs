//! What people post from other processes, brought to a running driver.

use alloc::string::ToString;
use alloc::sync::Arc;
use core::time::Duration;

use super::command::{CommandError, DriverHandle};
use crate::ids::{CommandId, RolloutId};
use crate::machine::{Command, Rejected};
use crate::port::{Clock, Inbox, PortError, Reply};

/// How often the inbox is looked into: an abort must not wait, and a look is one small query.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Brings the commands that people post to the rollout of this handle, and their replies back, until its driver stops. Run it beside
/// [`Driver::run`](super::Driver::run); whatever it meets with cannot slow or stop the rollout.
///
/// A command is obeyed once, also when this process dies between obeying and replying: its id is in the journal. It is replied to only
/// once it stands there; before that, whoever goes on after this process finds it waiting.
pub async fn attend(handle: DriverHandle, inbox: Arc<dyn Inbox>, clock: Arc<dyn Clock>) {
    let rollout = handle.status().id().clone();
    loop {
        // Looked at before the inbox: what is posted after the last look finds the rollout over in the journal.
        let is_over = handle.status().outcome().is_some() && handle.is_stored();
        if let Err(error) = look(&handle, &rollout, inbox.as_ref()).await {
            tracing::warn!(%rollout, %error, "inbox not read");
        }
        if is_over || handle.has_stopped() {
            return;
        }
        clock.sleep_until(clock.now().after(LOOK_EVERY)).await;
    }
}

async fn look(handle: &DriverHandle, rollout: &RolloutId, inbox: &dyn Inbox) -> Result<(), PortError> {
    for (id, command) in inbox.waiting(rollout).await? {
        if let Some(reply) = obey(handle, id.clone(), command).await {
            inbox.reply(rollout, &id, &reply).await?;
        }
    }
    Ok(())
}

/// `None` if there is nobody to obey, or it does not stand in the journal yet: then the command waits for the next look or the next
/// driver, unless the rollout is over.
async fn obey(handle: &DriverHandle, id: CommandId, command: Command) -> Option<Reply> {
    let obeyed = || handle.is_stored().then_some(Reply::Obeyed);
    match handle.posted(id.clone(), command).await {
        Ok(()) | Err(CommandError::Rejected(Rejected::AlreadyObeyed(_))) => obeyed(),
        Err(CommandError::Rejected(why)) => Some(Reply::Rejected { why: why.to_string() }),
        Err(CommandError::Stopped) if handle.status().has_obeyed(&id) => obeyed(),
        Err(CommandError::Stopped) => {
            let over = handle.status().outcome()?.to_string();
            Some(Reply::Rejected { why: Rejected::Finished(over).to_string() })
        }
    }
}
