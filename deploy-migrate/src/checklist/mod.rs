//! The pre-deployment checklist of the strategy ("Migration Validation"): what the files, and a rehearsal if there was one, can answer is
//! answered; the rest is confirmed by a person, by name.
//!
//! ```
//! use mpac_deploy_migrate::checklist::{Checklist, Evidence, Item, Standing};
//! use mpac_deploy_migrate::discover::Discovered;
//! use mpac_deploy_migrate::{Analyzer, Config, Migration};
//!
//! let mut found = Discovered::default();
//! found.migrations.push(Migration::new("7.sql", "ALTER TABLE payments ADD COLUMN note text;"));
//! let report = Analyzer::new(Config::default()).analyze(&found.migrations);
//! let mut list = Checklist::of(&Evidence::new(&found, &report));
//! assert_eq!(list.standing(Item::Types), Standing::Passed);
//! assert_eq!(list.standing(Item::Staging), Standing::NeedsPerson);
//! list.confirm(Item::Staging, "Ada Lovelace");
//! assert_eq!(list.standing(Item::Staging), Standing::Confirmed);
//! assert!(!list.is_complete(), "five more are a person's");
//! ```

mod columns;
mod judge;
mod rehearsed;

use std::time::Duration;

use serde::Serialize;

use crate::discover::Discovered;
use crate::migration::Migration;
use crate::report::Report;

pub use rehearsed::{OtherFiles, Rehearsed};

/// A migration takes less in production (strategy, pre-deployment checklist).
pub const LONGEST: Duration = Duration::from_secs(5 * 60);

/// An item of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Item {
    /// Tested on a developer's machine.
    Local,
    /// Tested in staging, with as much data as in production.
    Staging,
    /// The way back is tested.
    Rollback,
    /// Both versions of the code are tested on the changed schema.
    BothVersions,
    /// No column is dropped that is in use.
    Drops,
    /// No type is changed in place.
    Types,
    /// New columns have the indexes that they need.
    Indexes,
    /// How long it takes in production is known, and short.
    Time,
}

impl Item {
    /// All of them, in the strategy's order.
    pub const ALL: [Self; 8] = [
        Self::Local,
        Self::Staging,
        Self::Rollback,
        Self::BothVersions,
        Self::Drops,
        Self::Types,
        Self::Indexes,
        Self::Time,
    ];

    /// The name under which it is confirmed.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Staging => "staging",
            Self::Rollback => "rollback",
            Self::BothVersions => "both-versions",
            Self::Drops => "drops",
            Self::Types => "types",
            Self::Indexes => "indexes",
            Self::Time => "time",
        }
    }

    /// The strategy's words.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Local => "Migration tested in local development environment",
            Self::Staging => "Migration tested in staging with production-like data volume",
            Self::Rollback => "Rollback migration tested and verified",
            Self::BothVersions => "Both old and new code tested with migration applied",
            Self::Drops => "No DROP statements for columns still in use",
            Self::Types => "No ALTER TYPE without dual-column approach",
            Self::Indexes => "Indexes added for new columns",
            Self::Time => "Migration time estimated (< 5 minutes for production)",
        }
    }

    /// The item of this name.
    #[must_use]
    pub fn by_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|item| item.id() == id)
    }
}

/// How an item stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It is so: the files or the rehearsal show it.
    Passed,
    /// It is not so, and nobody can confirm it away.
    Failed,
    /// Nobody but a person can know.
    NeedsPerson,
    /// A person has said that it is so.
    Confirmed,
}

/// An item, how it stands, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Entry {
    /// Which one.
    pub item: Item,
    /// The strategy's words.
    pub sentence: &'static str,
    /// How it stands.
    pub standing: Standing,
    /// What shows it, or what a person has to look at: one line each, with the place in the files where there is one.
    pub why: Vec<String>,
    /// Who has confirmed it; where it failed the name is kept and counts for nothing.
    pub by: Option<String>,
}

/// What the list is made of.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    found: &'a Discovered,
    report: &'a Report,
    before_green: bool,
    rehearsed: Option<&'a Rehearsed>,
}

impl<'a> Evidence<'a> {
    /// The migrations of a release, those before it as history, and what the analyzer says of them.
    #[must_use]
    pub const fn new(found: &'a Discovered, report: &'a Report) -> Self {
        Self { found, report, before_green: false, rehearsed: None }
    }

    /// They are meant for the expand phase, when old code runs: whatever they drop is in use.
    #[must_use]
    pub const fn before_green(mut self) -> Self {
        self.before_green = true;
        self
    }

    /// They have been rehearsed.
    ///
    /// # Errors
    /// [`OtherFiles`]: a file has changed since, or others were rehearsed.
    pub fn rehearsed(mut self, rehearsed: &'a Rehearsed) -> Result<Self, OtherFiles> {
        rehearsed.is_of(&self.found.sources)?;
        self.rehearsed = Some(rehearsed);
        Ok(self)
    }

    fn new_migrations(&self) -> impl Iterator<Item = &'a Migration> {
        self.found.migrations.iter().filter(|migration| !migration.is_history())
    }
}

/// The list, with an entry for each [`Item`] in the strategy's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checklist {
    entries: Vec<Entry>,
}

impl Checklist {
    /// The list as the evidence has it; nothing is confirmed yet.
    #[must_use]
    pub fn of(evidence: &Evidence<'_>) -> Self {
        let entry = |item: Item| {
            let (standing, why) = judge::judge(item, evidence);
            Entry { item, sentence: item.sentence(), standing, why, by: None }
        };
        Self { entries: Item::ALL.map(entry).to_vec() }
    }

    /// A person says that an item is so. It changes only what needs a person: what passed needs nobody, and what failed stays failed.
    pub fn confirm(&mut self, item: Item, by: &str) {
        for entry in self.entries.iter_mut().filter(|entry| entry.item == item) {
            match entry.standing {
                Standing::NeedsPerson | Standing::Confirmed => entry.standing = Standing::Confirmed,
                Standing::Passed | Standing::Failed => {}
            }
            entry.by = Some(by.to_owned());
        }
    }

    /// The entries, in the strategy's order.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// How an item stands.
    #[must_use]
    pub fn standing(&self, item: Item) -> Standing {
        let entry = self.entries.iter().find(|entry| entry.item == item);
        entry.map_or(Standing::NeedsPerson, |entry| entry.standing)
    }

    /// Whether every item has passed or is confirmed.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.entries.iter().all(|entry| matches!(entry.standing, Standing::Passed | Standing::Confirmed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentences_are_the_strategys_and_an_item_is_found_by_its_name() {
        for item in Item::ALL {
            assert_eq!(Item::by_id(item.id()), Some(item));
            assert_eq!(serde_json::to_value(item).unwrap(), item.id());
        }
        assert_eq!(Item::by_id("no-such-item"), None);
    }
}
