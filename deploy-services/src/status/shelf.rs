//! The rollouts that somebody looks at, each followed through the journal and kept for the next look.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use mpac_deploy_core::driver::{DriverError, recall};
use mpac_deploy_core::ids::RolloutId;
use mpac_deploy_core::machine::ApprovalGate;
use mpac_deploy_core::port::{History, JournalError};
use tokio::sync::{Mutex, Semaphore};

use super::answer::Problem;
use super::film::Film;
use super::view::{Brief, View};

/// Rollouts that are followed at once; one that was let go is read anew.
const FILMS: usize = 16;

/// Rollouts whose few words are kept.
const BRIEFS: usize = 2000;

/// Streams of events at once; fewer than a server's connections, so that commands come through.
const WATCHERS: usize = 64;

/// How long a look at the journal may take; a page that waits shows nothing.
const PATIENCE: Duration = Duration::from_secs(5);

/// The answer about one rollout, as JSON, and after how many records it is so.
#[derive(Clone)]
pub(super) struct Shown {
    pub(super) records: u64,
    pub(super) json: Arc<str>,
}

pub(super) struct Shelf {
    pub(super) journal: Arc<dyn History>,
    films: Mutex<VecDeque<(Film, Shown)>>,
    /// By rollout, and after how many records.
    briefs: Mutex<BTreeMap<RolloutId, (u64, Brief)>>,
    /// Places for those who watch events.
    pub(super) watchers: Arc<Semaphore>,
}

impl Shelf {
    pub(super) fn new(journal: Arc<dyn History>) -> Self {
        Self {
            journal,
            films: Mutex::default(),
            briefs: Mutex::default(),
            watchers: Arc::new(Semaphore::new(WATCHERS)),
        }
    }

    /// One rollout as it stands.
    pub(super) async fn look(&self, id: &RolloutId) -> Result<Shown, Problem> {
        let look = async {
            // One look at a time: whoever comes second finds the work done.
            let mut films = self.films.lock().await;
            let place = films.iter().position(|(film, _)| film.rollout.id() == id);
            let (film, earlier) = match place.and_then(|place| films.remove(place)) {
                Some((film, shown)) => (self.go_on(film).await?, Some(shown)),
                None => (self.open(id).await?, None),
            };
            let shown = match earlier {
                Some(shown) if shown.records == film.records => shown,
                Some(_) | None => {
                    let json = serde_json::to_string(&View::of(&film)).map_err(Problem::broken)?;
                    Shown { records: film.records, json: json.into() }
                }
            };
            films.push_front((film, shown.clone()));
            films.truncate(FILMS);
            Ok(shown)
        };
        in_time(look).await
    }

    /// The step of this name that waits for a person's approval some time or other.
    pub(super) async fn approval_gate(&self, id: &RolloutId, name: &str) -> Result<ApprovalGate, Problem> {
        let look = async {
            let films = self.films.lock().await;
            let film = films.iter().find(|(film, _)| film.rollout.id() == id);
            let (film, _) = film.ok_or_else(|| Problem::NoRollout(id.clone()))?;
            let plan = film.rollout.plan();
            plan.approval_gate(name).ok_or_else(|| {
                let known: Vec<&str> = plan.approval_gates().map(|gate| plan.gate_name(gate)).collect();
                let known = if known.is_empty() { "none".into() } else { known.join(", ") };
                Problem::NoGate { asked: name.into(), known }
            })
        };
        in_time(look).await
    }

    async fn open(&self, id: &RolloutId) -> Result<Film, Problem> {
        let records = self.journal.load(id, 0).await?;
        if records.is_empty() {
            return Err(Problem::NoRollout(id.clone()));
        }
        Film::of(&records).map_err(Problem::broken)
    }

    async fn go_on(&self, film: Film) -> Result<Film, Problem> {
        let records = self.journal.load(film.rollout.id(), film.records).await?;
        film.go_on(&records).map_err(Problem::broken)
    }

    /// The newest rollouts, the newest first.
    pub(super) async fn list(&self, limit: usize) -> Result<Vec<Brief>, Problem> {
        let list = async {
            let summaries = self.journal.rollouts().await?;
            let mut briefs = self.briefs.lock().await;
            let mut list = Vec::new();
            for summary in summaries.iter().rev().take(limit) {
                if let Some((_, brief)) =
                    briefs.get(&summary.id).filter(|(records, _)| *records == summary.records)
                {
                    list.push(brief.clone());
                    continue;
                }
                let recalled = match recall(self.journal.as_ref(), &summary.id).await {
                    Ok(recalled) => recalled,
                    Err(DriverError::Journal(error @ JournalError::Unavailable(_))) => {
                        return Err(error.into());
                    }
                    // One rollout that this version cannot read does not take the others from the list.
                    Err(error) => {
                        tracing::warn!(rollout = %summary.id, %error, "a rollout cannot be shown");
                        continue;
                    }
                };
                let brief = Brief::of(summary, &recalled.rollout);
                if briefs.len() >= BRIEFS {
                    briefs.pop_first();
                }
                briefs.insert(summary.id.clone(), (summary.records, brief.clone()));
                list.push(brief);
            }
            Ok(list)
        };
        in_time(list).await
    }
}

/// In time, or the journal is as good as away.
pub(super) async fn in_time<T>(look: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
    let late = |_| Err(Problem::Away("the journal does not answer in time".into()));
    tokio::time::timeout(PATIENCE, look).await.unwrap_or_else(late)
}
