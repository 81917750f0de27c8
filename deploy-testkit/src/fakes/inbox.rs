//! An inbox in memory.

use async_trait::async_trait;
use mpac_deploy_core::ids::{CommandId, RolloutId};
use mpac_deploy_core::machine::Command;
use mpac_deploy_core::port::{Inbox, PortError, Reply};

use super::lock::Lock;

/// An inbox in memory that keeps the whole contract.
#[derive(Debug, Default)]
pub struct MemoryInbox(Lock<State>);

#[derive(Debug, Default)]
struct State {
    posted: Vec<Posted>,
    unavailable: Option<String>,
}

#[derive(Debug)]
struct Posted {
    rollout: RolloutId,
    id: CommandId,
    command: Command,
    reply: Option<Reply>,
}

impl MemoryInbox {
    /// Makes every call fail as unavailable, with this reason; `None` ends that.
    pub fn set_unavailable(&self, why: Option<&str>) {
        self.0.get().unavailable = why.map(Into::into);
    }

    fn with<T>(&self, act: impl FnOnce(&mut Vec<Posted>) -> Result<T, PortError>) -> Result<T, PortError> {
        let mut state = self.0.get();
        match &state.unavailable {
            Some(why) => Err(PortError::Unavailable(why.clone())),
            None => act(&mut state.posted),
        }
    }
}

fn find<'a>(
    posted: &'a mut [Posted],
    rollout: &RolloutId,
    id: &CommandId,
) -> Result<&'a mut Posted, PortError> {
    posted
        .iter_mut()
        .find(|posted| posted.rollout == *rollout && posted.id == *id)
        .ok_or_else(|| PortError::NotFound(format!("no command {id} was posted for {rollout}")))
}

#[async_trait]
impl Inbox for MemoryInbox {
    async fn post(&self, rollout: &RolloutId, id: &CommandId, command: &Command) -> Result<(), PortError> {
        self.with(|posted| {
            if find(posted, rollout, id).is_err() {
                let (rollout, id, command) = (rollout.clone(), id.clone(), command.clone());
                posted.push(Posted { rollout, id, command, reply: None });
            }
            Ok(())
        })
    }

    async fn waiting(&self, rollout: &RolloutId) -> Result<Vec<(CommandId, Command)>, PortError> {
        self.with(|posted| {
            let waiting = posted.iter().filter(|posted| posted.rollout == *rollout && posted.reply.is_none());
            Ok(waiting.map(|posted| (posted.id.clone(), posted.command.clone())).collect())
        })
    }

    async fn reply(&self, rollout: &RolloutId, id: &CommandId, reply: &Reply) -> Result<(), PortError> {
        self.with(|posted| {
            find(posted, rollout, id)?.reply.get_or_insert_with(|| reply.clone());
            Ok(())
        })
    }

    async fn reply_to(&self, rollout: &RolloutId, id: &CommandId) -> Result<Option<Reply>, PortError> {
        self.with(|posted| Ok(find(posted, rollout, id)?.reply.clone()))
    }
}
