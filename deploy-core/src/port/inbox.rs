use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::PortError;
use crate::ids::{CommandId, RolloutId};
use crate::machine::Command;

/// What became of a posted command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// It was obeyed, and stands in the journal.
    Obeyed,
    /// It was not: it came too late, or needs force.
    Rejected {
        /// Why, in the machine's words.
        why: String,
    },
}

/// The commands that people post for a rollout which another process drives.
///
/// Contract:
/// 1. `post` with an id that was posted before changes nothing and succeeds, whatever became of the command.
/// 2. `waiting` gives the commands without a reply, in the order in which they were posted.
/// 3. `reply` is kept; a second one for the same command changes nothing and succeeds.
/// 4. `reply_to` gives the reply, to whoever asks and as often as it is asked for.
/// 5. What was posted survives the death of every process.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Inbox: Send + Sync {
    /// Posts a command.
    ///
    /// # Errors
    /// [`PortError`] when it may not have been posted: post it again under the same id.
    async fn post(&self, rollout: &RolloutId, id: &CommandId, command: &Command) -> Result<(), PortError>;

    /// The commands that wait for a reply.
    ///
    /// # Errors
    /// [`PortError`] when they cannot be read.
    async fn waiting(&self, rollout: &RolloutId) -> Result<Vec<(CommandId, Command)>, PortError>;

    /// Replies to a command.
    ///
    /// # Errors
    /// [`PortError::NotFound`] when no such command was posted.
    async fn reply(&self, rollout: &RolloutId, id: &CommandId, reply: &Reply) -> Result<(), PortError>;

    /// The reply to a command, once there is one.
    ///
    /// # Errors
    /// [`PortError::NotFound`] when no such command was posted.
    async fn reply_to(&self, rollout: &RolloutId, id: &CommandId) -> Result<Option<Reply>, PortError>;
}
