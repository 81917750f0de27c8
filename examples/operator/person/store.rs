//! The journal that a person means, and the rollout in it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use mpac_deploy_core::driver::{DriverError, Recalled, recall};
use mpac_deploy_core::ids::RolloutId;
use mpac_deploy_core::port::{History, Inbox, JournalError, PortError};
use mpac_deploy_services::sqlite::SqliteJournal;

use crate::reply::Failure;

/// How many ids an error names before it only counts.
const NAMED: usize = 5;

/// Which rollout, and in which journal.
#[derive(Args, Debug)]
pub(crate) struct Which {
    /// Which rollout. If left out: the one that is not over, or the latest if all are.
    #[arg(value_name = "ROLLOUT")]
    rollout: Option<String>,
    /// The journal, a SQLite file.
    #[arg(long, value_name = "FILE.db")]
    #[cfg_attr(feature = "aws", arg(required_unless_present = "config", conflicts_with = "config"))]
    #[cfg_attr(not(feature = "aws"), arg(required = true))]
    journal: Option<PathBuf>,
    /// The configuration of `run`: the journal is the one that it names.
    #[cfg(feature = "aws")]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// In place of AWS's own addresses.
    #[cfg(feature = "aws")]
    #[arg(long, value_name = "URL", requires = "config")]
    endpoint_url: Option<String>,
}

/// A journal that other processes write.
pub(super) struct Store {
    pub(super) journal: Arc<dyn History>,
    pub(super) inbox: Arc<dyn Inbox>,
}

impl Which {
    pub(super) async fn open(&self) -> Result<Store, Failure> {
        match &self.journal {
            Some(file) => sqlite(file).await,
            None => self.configured().await,
        }
    }

    #[cfg(feature = "aws")]
    async fn configured(&self) -> Result<Store, Failure> {
        let config = self.config.clone().unwrap_or_default();
        let kept = crate::aws::journal_of(config.clone(), self.endpoint_url.clone()).await?;
        let kept = kept.ok_or_else(|| {
            Failure::Input(format!("{}: its journal is not there yet: `run` makes it", config.display()))
        })?;
        Ok(Store { journal: kept.journal, inbox: kept.inbox })
    }

    #[cfg(not(feature = "aws"))]
    #[allow(clippy::unused_async, reason = "with the feature `aws` it asks")]
    async fn configured(&self) -> Result<Store, Failure> {
        Err(Failure::Input("say which journal: `--journal FILE.db`".into()))
    }

    /// The rollout that is meant, as its journal has it.
    pub(super) async fn find(&self, store: &Store) -> Result<Recalled, Failure> {
        let mut all = store.journal.rollouts().await.map_err(|error| unread(&error))?;
        if let Some(asked) = &self.rollout {
            if all.iter().any(|summary| summary.id.as_str() == asked) {
                return store.recall(&RolloutId::from(asked.as_str())).await;
            }
            let known = named(all.iter().rev().map(|summary| summary.id.as_str()));
            return Err(Failure::Input(format!("the journal holds no rollout {asked}; it holds {known}")));
        }
        all.sort_by_key(|summary| std::cmp::Reverse(summary.begun));
        let (mut latest, mut running) = (None, Vec::new());
        for summary in &all {
            let recalled = store.recall(&summary.id).await?;
            if recalled.rollout.outcome().is_none() {
                running.push(recalled);
            } else if latest.is_none() {
                latest = Some(recalled);
            }
        }
        if running.len() > 1 {
            let ids = named(running.iter().map(|recalled| recalled.rollout.id().as_str()));
            return Err(Failure::Input(format!("several rollouts are not over, name one: {ids}")));
        }
        running.pop().or(latest).ok_or_else(|| Failure::Input("the journal holds no rollout yet".into()))
    }
}

impl Store {
    pub(super) async fn recall(&self, id: &RolloutId) -> Result<Recalled, Failure> {
        recall(self.journal.as_ref(), id).await.map_err(|error| unreplayed(&error))
    }
}

/// A file that is not there is a wrong name, not a new journal.
async fn sqlite(file: &Path) -> Result<Store, Failure> {
    if !file.exists() {
        return Err(Failure::Input(format!("{}: there is no journal of this name", file.display())));
    }
    let journal = SqliteJournal::open(file).await.map_err(|error| Failure::Input(error.to_string()))?;
    let journal = Arc::new(journal);
    Ok(Store { inbox: Arc::clone(&journal) as _, journal })
}

fn named<'a>(ids: impl Iterator<Item = &'a str>) -> String {
    let ids: Vec<&str> = ids.collect();
    match ids.len() {
        0 => "none".into(),
        count if count <= NAMED => ids.join(", "),
        count => format!("{} and {} more", ids.get(..NAMED).unwrap_or_default().join(", "), count - NAMED),
    }
}

pub(super) fn unread(error: &JournalError) -> Failure {
    Failure::World(error.to_string())
}

pub(super) fn unreplayed(error: &DriverError) -> Failure {
    Failure::World(error.to_string())
}

pub(super) fn unposted(error: &PortError) -> Failure {
    Failure::World(error.to_string())
}
