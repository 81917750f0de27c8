//! `status`.

use clap::Args;

use super::standing::Standing;
use super::store::Which;
use crate::reply::{Failure, Reply, Status};
use crate::runtime;

#[derive(Args, Debug)]
pub(crate) struct StatusOptions {
    #[command(flatten)]
    which: Which,
    /// One JSON document on standard output: `{"rollout", "service", "record", "from", "revision", "at", "outcome", "stage",
    /// "weights", "doing", "paused", "awaits_approval", "bake", "next", "next_at", "rules": [{"id", "kind", "holds", "used", "reason"}], "latest"}`.
    #[arg(long)]
    json: bool,
}

pub(crate) fn status(options: &StatusOptions) -> Result<Reply, Failure> {
    runtime::start()?.block_on(async {
        let store = options.which.open().await?;
        let recalled = options.which.find(&store).await?;
        let standing = Standing::of(&store, &recalled).await?;
        if options.json {
            return Reply::json(Status::Done, &standing);
        }
        Ok(Reply::done(standing.for_people()))
    })
}
