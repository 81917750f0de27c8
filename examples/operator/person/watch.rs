//! `watch`: `status` that goes on until the rollout is over. On a whole terminal it is drawn anew as it changes, elsewhere each decision is a
//! line.

use std::time::Duration;

use clap::Args;
use mpac_deploy_core::decision::Decision;
use mpac_deploy_core::driver::Recalled;
use mpac_deploy_core::machine::{Outcome, Rollout};

#[cfg(feature = "live")]
use super::screen;
use super::standing::{Standing, told_lately};
use super::store::{Store, Which, unread, unreplayed};
use crate::reply::{Failure, Reply, Status};
use crate::{runtime, say_line, words};

/// How often the journal is looked into: a look is one small query.
const LOOK_EVERY: Duration = Duration::from_millis(500);

#[derive(Args, Debug)]
pub(crate) struct WatchOptions {
    #[command(flatten)]
    which: Which,
    /// JSON Lines: each decision as it is taken.
    #[arg(long)]
    json: bool,
}

pub(crate) fn watch(options: &WatchOptions) -> Result<Reply, Failure> {
    runtime::start()?.block_on(async {
        let store = options.which.open().await?;
        let recalled = options.which.find(&store).await?;
        #[cfg(feature = "live")]
        if !options.json
            && recalled.rollout.outcome().is_none()
            && let Some(terminal) = screen::open()
        {
            let told = told_lately(&store, &recalled).await?;
            return screen::watch(terminal, &store, recalled, told).await;
        }
        in_lines(&store, recalled, options.json).await
    })
}

async fn in_lines(store: &Store, mut recalled: Recalled, json: bool) -> Result<Reply, Failure> {
    let mut latest = told_lately(store, &recalled).await?.pop();
    while recalled.rollout.outcome().is_none() {
        let (after, told) = follow(store, recalled).await?;
        recalled = after;
        for decision in told {
            say_line(&match json {
                true => serde_json::to_string(&decision)
                    .map_err(|error| Failure::World(format!("a decision cannot be written: {error}")))?,
                false => words::decision_line(&decision),
            });
            latest = Some(decision);
        }
    }
    let text = if json { String::new() } else { Standing::new(&recalled.rollout, latest).for_people() };
    Ok(Reply { status: status(&recalled.rollout), text })
}

/// 0 where the release is out, 1 where it is not.
pub(super) fn status(rollout: &Rollout) -> Status {
    match rollout.outcome() {
        Some(Outcome::Completed) => Status::Done,
        Some(Outcome::RolledBack { .. } | Outcome::Abandoned { .. }) | None => Status::Found,
    }
}

/// The rollout a moment later, and what was decided meanwhile.
pub(super) async fn follow(store: &Store, recalled: Recalled) -> Result<(Recalled, Vec<Decision>), Failure> {
    tokio::time::sleep(LOOK_EVERY).await;
    let (id, seen) = (recalled.rollout.id().clone(), recalled.records);
    let after = recalled.catch_up(store.journal.as_ref()).await.map_err(|error| unreplayed(&error))?;
    if after.records == seen {
        return Ok((after, Vec::new()));
    }
    let records = store.journal.load(&id, seen).await.map_err(|error| unread(&error))?;
    // What came in between the two looks is told by the next one.
    let new = usize::try_from(after.records - seen).unwrap_or(usize::MAX);
    let told = records.into_iter().take(new).flat_map(|record| record.decisions).collect();
    Ok((after, told))
}
