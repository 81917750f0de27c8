//! What is stored of a rollout: versioned records of events; the state is their fold.
//!
//! A snapshot is that state after some number of them. It is a cache: the records stay, all of them, and a snapshot that cannot be
//! used costs only the time of the full replay.

mod snapshot;
mod text;

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

pub use snapshot::{SNAPSHOT_FORMAT, Snapshot};
pub use text::RecordError;

use crate::decision::Decision;
use crate::effect::{Answer, Archive};
use crate::ids::RolloutId;
use crate::machine::{Event, Rejected, Rollout};
use crate::plan::Release;
use crate::policy::{Policy, PolicyError};
use crate::time::Timestamp;

/// The version of the records that this library writes, and the latest that it reads.
pub const RECORD_VERSION: u16 = 1;

/// One entry of a rollout's journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The version of the format.
    pub version: u16,
    /// Counts the records of the rollout from 1, without a gap.
    pub number: u64,
    /// When it happened, as the machine saw it.
    pub at: Timestamp,
    /// What happened.
    pub entry: Entry,
    /// What was decided then, for people; a replay decides it again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<Decision>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Entry {
    /// The rollout began; always the first record and never another.
    Begun {
        /// Its id.
        id: RolloutId,
        /// The policy as it was then.
        policy: Box<Policy>,
        /// The release.
        release: Box<Release>,
    },
    /// An event was handled.
    Happened(Event),
}

/// A journal that cannot be replayed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// There is no record.
    #[error("the journal holds no record of the rollout")]
    Empty,
    /// The first record does not begin a rollout, or a later one does.
    #[error("record {number} is not in its place: the first record begins the rollout, and only the first")]
    NotBegun {
        /// The record.
        number: u64,
    },
    /// A record is missing or stands twice.
    #[error("record {found} follows where record {expected} should: the journal has a gap or a repetition")]
    Gap {
        /// The number that should follow.
        expected: u64,
        /// The number that does.
        found: u64,
    },
    /// A newer library wrote the record.
    #[error(
        "record {number} has version {version}, and this library reads up to {RECORD_VERSION}: update it"
    )]
    TooNew {
        /// The record.
        number: u64,
        /// Its version.
        version: u16,
    },
    /// The recorded policy is refused.
    #[error("the recorded policy is refused: {0}")]
    Policy(#[from] PolicyError),
    /// The machine rejects a recorded event.
    #[error("record {number} holds an event that the machine rejects: {why}")]
    Rejected {
        /// The record.
        number: u64,
        /// Why.
        why: Rejected,
    },
}

impl Record {
    /// The first record of a rollout.
    #[must_use]
    pub fn begun(rollout: &Rollout, decisions: Vec<Decision>) -> Self {
        let entry = Entry::Begun {
            id: rollout.id().clone(),
            policy: Box::new(rollout.plan().policy().clone()),
            release: Box::new(rollout.plan().release().clone()),
        };
        Self { version: RECORD_VERSION, number: 1, at: rollout.now(), entry, decisions }
    }

    /// The record of an event that was handled at a time.
    #[must_use]
    pub const fn happened(number: u64, at: Timestamp, event: Event, decisions: Vec<Decision>) -> Self {
        Self { version: RECORD_VERSION, number, at, entry: Entry::Happened(event), decisions }
    }
}

/// The state after these records, the first of which begins the rollout.
///
/// # Errors
/// [`ReplayError`] when a record is missing, out of order, of a later version or rejected; nothing is guessed.
pub fn replay(records: &[Record]) -> Result<Rollout, ReplayError> {
    let (first, rest) = records.split_first().ok_or(ReplayError::Empty)?;
    check(first, 1)?;
    let Entry::Begun { id, policy, release } = &first.entry else {
        return Err(ReplayError::NotBegun { number: first.number });
    };
    let plan = policy.compile(release.as_ref().clone())?;
    let (rollout, _) = Rollout::begin(id.clone(), plan, first.at);
    replay_from(rollout, 1, rest)
}

/// The state after more records: `rollout` is the state after the first `stored` of them.
///
/// # Errors
/// As [`replay`].
pub fn replay_from(mut rollout: Rollout, stored: u64, records: &[Record]) -> Result<Rollout, ReplayError> {
    for (record, expected) in records.iter().zip(stored + 1..) {
        check(record, expected)?;
        let Entry::Happened(event) = &record.entry else {
            return Err(ReplayError::NotBegun { number: record.number });
        };
        rollout
            .handle(record.at, event.clone())
            .map_err(|why| ReplayError::Rejected { number: record.number, why })?;
    }
    Ok(rollout)
}

/// The archive of blue that a rollout has left, if it has retired blue and the platform had something to archive.
#[must_use]
pub fn archive(records: &[Record]) -> Option<&Archive> {
    records.iter().rev().find_map(|record| match &record.entry {
        Entry::Happened(Event::Outcome { result: Ok(Answer::Retired(archive)), .. }) => Some(archive),
        Entry::Happened(_) | Entry::Begun { .. } => None,
    })
}

const fn check(record: &Record, expected: u64) -> Result<(), ReplayError> {
    if record.version > RECORD_VERSION {
        Err(ReplayError::TooNew { number: record.number, version: record.version })
    } else if record.number != expected {
        Err(ReplayError::Gap { expected, found: record.number })
    } else {
        Ok(())
    }
}

/// A rollout's id that says what it is of: the service, the new revision, and when it began.
#[must_use]
pub fn rollout_id(release: &Release, at: Timestamp) -> RolloutId {
    let fits = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
    let word = |text: &str| text.chars().map(fits).collect::<String>();
    let time: String = at.to_string().chars().filter(char::is_ascii_alphanumeric).collect();
    RolloutId::new(alloc::format!("{}-{}-{time}", word(&release.service), word(release.green.as_str())))
}
