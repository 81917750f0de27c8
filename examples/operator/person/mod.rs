//! What a person does beside a rollout that another process runs: look at it, and tell it something. Both go through the journal.

mod command;
mod history;
#[cfg(feature = "live")]
mod screen;
mod standing;
mod status;
mod store;
mod watch;

pub(crate) use command::{
    AbortOptions, ApproveOptions, PromoteOptions, TellOptions, abort, approve, pause, promote, resume,
};
pub(crate) use history::{HistoryOptions, history};
pub(crate) use status::{StatusOptions, status};
pub(crate) use watch::{WatchOptions, watch};
