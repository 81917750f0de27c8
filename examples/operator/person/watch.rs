//! `watch`: `status` that goes on until the rollout is over.

use std::time::Duration;

use clap::Args;
use console::Term;
use mpac_deploy_core::driver::Recalled;
use mpac_deploy_core::machine::Outcome;

use super::standing::Standing;
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
        let mut recalled = options.which.find(&store).await?;
        let mut screen = Screen::new(options.json);
        loop {
            let standing = Standing::of(&store, &recalled).await?;
            screen.show(&standing.for_people());
            if let Some(outcome) = recalled.rollout.outcome() {
                let status = if *outcome == Outcome::Completed { Status::Done } else { Status::Found };
                return Ok(Reply { status, text: screen.last_word(&standing) });
            }
            tokio::time::sleep(LOOK_EVERY).await;
            recalled = follow(&store, recalled, &mut screen).await?;
        }
    })
}

/// What was recorded since.
async fn follow(store: &Store, recalled: Recalled, screen: &mut Screen) -> Result<Recalled, Failure> {
    let (id, seen) = (recalled.rollout.id().clone(), recalled.records);
    let after = recalled.catch_up(store.journal.as_ref()).await.map_err(|error| unreplayed(&error))?;
    if after.records > seen {
        let records = store.journal.load(&id, seen).await.map_err(|error| unread(&error))?;
        // What came in between the two looks is told by the next one.
        let new = usize::try_from(after.records - seen).unwrap_or(usize::MAX);
        for decision in records.iter().take(new).flat_map(|record| &record.decisions) {
            screen.tell(&match screen.json {
                true => serde_json::to_string(decision)
                    .map_err(|error| Failure::World(format!("a decision cannot be written: {error}")))?,
                false => words::decision_line(decision),
            });
        }
    }
    Ok(after)
}

/// Lines that stay, and on a terminal the screen below them, drawn anew at every look.
struct Screen {
    json: bool,
    term: Option<Term>,
    drawn: usize,
}

impl Screen {
    fn new(json: bool) -> Self {
        let term = Some(Term::stdout()).filter(|term| !json && term.features().is_attended());
        Self { json, term, drawn: 0 }
    }

    /// Whoever closed standard output sees no more, and the exit status says the rest.
    fn tell(&mut self, line: &str) {
        self.clear();
        match &self.term {
            Some(term) => term.write_line(&fitting(term, line)).unwrap_or_default(),
            None => say_line(line),
        }
    }

    fn show(&mut self, text: &str) {
        self.clear();
        let Some(term) = &self.term else { return };
        // A screen that is higher than the terminal could not be drawn anew.
        let height = usize::from(term.size().0).saturating_sub(1);
        for line in text.lines().take(height) {
            term.write_line(&fitting(term, line)).unwrap_or_default();
            self.drawn += 1;
        }
    }

    fn clear(&mut self) {
        if let Some(term) = &self.term {
            term.clear_last_lines(self.drawn).unwrap_or_default();
        }
        self.drawn = 0;
    }

    /// Without a terminal the screen is shown once, at the end.
    fn last_word(&self, standing: &Standing) -> String {
        if self.term.is_some() || self.json { String::new() } else { standing.for_people() }
    }
}

/// A line that the terminal wraps would confuse the count of those that are drawn anew.
fn fitting(term: &Term, line: &str) -> String {
    let width = usize::from(term.size().1).saturating_sub(1);
    console::truncate_str(line, width, "…").into_owned()
}
