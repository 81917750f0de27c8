//! Items of the table, from and to the types of this crate.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use mpac_deploy_core::ids::{FencingToken, RolloutId};
use mpac_deploy_core::port::{JournalError, Lease};

pub(super) type Item = HashMap<String, AttributeValue>;

/// Names of attributes.
pub(super) mod name {
    pub(in super::super) const HOLDER: &str = "holder";
    pub(in super::super) const FENCE: &str = "fence";
    /// Counts the holder's signs of life.
    pub(in super::super) const BEAT: &str = "beat";
    pub(in super::super) const TTL: &str = "ttl_ms";
    pub(in super::super) const ROLLOUT: &str = "rollout";
    pub(in super::super) const VERSION: &str = "version";
    /// The number of the first record of `RECORDS`.
    pub(in super::super) const FIRST: &str = "first";
    pub(in super::super) const RECORDS: &str = "records";
    pub(in super::super) const COUNT: &str = "count";
    pub(in super::super) const RECORD: &str = "record";
    pub(in super::super) const SERVICE: &str = "service";
    pub(in super::super) const BEGAN: &str = "began";
    pub(in super::super) const RELEASE: &str = "release";
    /// The name of the parts in which the tail stands, since it is too large for the head.
    pub(in super::super) const PARTS: &str = "parts";
    /// A command's place in the order in which they were posted, and the latest one.
    pub(in super::super) const PLACE: &str = "place";
    pub(in super::super) const ID: &str = "id";
    pub(in super::super) const COMMAND: &str = "command";
    pub(in super::super) const REPLY: &str = "reply";
    pub(in super::super) const FORMAT: &str = "format";
    pub(in super::super) const STATE: &str = "state";
    /// Whether the rollout's first record is known to be stored.
    pub(in super::super) const STORED: &str = "stored";
}

/// The lease on a record name, and the end of the rollout that it was last used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// `None` once it was given up.
    pub(super) holder: Option<String>,
    pub(super) fence: u64,
    pub(super) beat: u64,
    pub(super) ttl: Duration,
    pub(super) rollout: Option<RolloutId>,
    /// How many records the rollout has.
    pub(super) version: u64,
    /// The number of the first record of the tail.
    pub(super) first: u64,
    /// The latest records, which stand nowhere else yet.
    pub(super) tail: Vec<String>,
    /// The name of the parts in which they stand, if not in the head itself.
    pub(super) parts: Option<String>,
}

impl Head {
    /// The head as it stands in its item; without the tail, if that stands in parts.
    pub(super) fn of(item: &Item) -> Result<Self, JournalError> {
        let optional = |name| item.contains_key(name).then(|| text(item, name)).transpose();
        let head = Self {
            holder: optional(name::HOLDER)?,
            fence: number(item, name::FENCE)?,
            beat: number(item, name::BEAT)?,
            ttl: Duration::from_millis(number(item, name::TTL)?),
            rollout: optional(name::ROLLOUT)?.map(RolloutId::new),
            version: number(item, name::VERSION)?,
            first: number(item, name::FIRST)?,
            tail: texts(item)?,
            parts: optional(name::PARTS)?,
        };
        if head.parts.is_none() { head.whole() } else { Ok(head) }
    }

    /// The head, if its tail ends where the rollout does.
    pub(super) fn whole(self) -> Result<Self, JournalError> {
        if self.first + self.tail.len() as u64 == self.version + 1 {
            return Ok(self);
        }
        Err(JournalError::Damaged(format!(
            "of a rollout of {} records, {} are there from number {} on",
            self.version,
            self.tail.len(),
            self.first
        )))
    }

    /// Refuses whoever is not the latest holder.
    pub(super) fn check_held_by(&self, lease: &Lease) -> Result<(), JournalError> {
        if self.fence == lease.fence.0 && self.holder.as_ref() == Some(&lease.holder) {
            return Ok(());
        }
        Err(JournalError::LeaseLost)
    }

    pub(super) const fn token(&self) -> FencingToken {
        FencingToken(self.fence)
    }
}

/// Records that stand in an item of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Batch {
    pub(super) first: u64,
    pub(super) texts: Vec<String>,
}

impl Batch {
    pub(super) fn of(item: &Item) -> Result<Self, JournalError> {
        Ok(Self { first: number(item, name::FIRST)?, texts: texts(item)? })
    }

    /// The number of the last record.
    pub(super) const fn last(&self) -> u64 {
        (self.first + self.texts.len() as u64).saturating_sub(1)
    }
}

pub(super) fn text(item: &Item, name: &str) -> Result<String, JournalError> {
    let value = item.get(name).and_then(|value| value.as_s().ok());
    value.cloned().ok_or_else(|| missing(name))
}

pub(super) fn flag(item: &Item, name: &str) -> bool {
    item.get(name).and_then(|value| value.as_bool().ok()).copied().unwrap_or(false)
}

pub(super) fn number(item: &Item, name: &str) -> Result<u64, JournalError> {
    let digits = item.get(name).and_then(|value| value.as_n().ok());
    digits.and_then(|digits| digits.parse().ok()).ok_or_else(|| missing(name))
}

fn texts(item: &Item) -> Result<Vec<String>, JournalError> {
    let list = item.get(name::RECORDS).and_then(|value| value.as_l().ok());
    let list = list.ok_or_else(|| missing(name::RECORDS))?;
    let text = |value: &AttributeValue| value.as_s().ok().cloned().ok_or_else(|| missing(name::RECORDS));
    list.iter().map(text).collect()
}

fn missing(name: &str) -> JournalError {
    JournalError::Damaged(format!("an item has no attribute `{name}`, or one of another type"))
}

pub(super) fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub(super) fn n(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

pub(super) fn list(texts: &[String]) -> AttributeValue {
    AttributeValue::L(texts.iter().map(s).collect())
}
