//! A table and its items.

use std::collections::BTreeMap;

use mpac_deploy_core::time::Timestamp;

use super::value::{AttributeValue, Item, size_of};
use crate::aws_sim::wire::Refusal;

/// What an item may take, names included: 400 KB.
pub(super) const ITEM_LIMIT: usize = 400 * 1024;

/// The longest partition key and the longest sort key, in bytes.
const KEY_LIMITS: [usize; 2] = [2048, 1024];

/// A table of text keys.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// Partition key, and sort key if there is one.
    pub(super) keys: Vec<String>,
    pub(super) created: Timestamp,
    pub(super) active_at: Timestamp,
    pub(super) recovery: bool,
    pub(super) protected: bool,
    pub(super) items: BTreeMap<Key, Item>,
    pub(super) used: Capacity,
}

/// Partition key, and sort key or nothing.
pub(super) type Key = (String, String);

/// Capacity units that the calls on a table have used.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Capacity {
    /// Read request units: one for 4 KB read consistently, half of one if not.
    pub read: f64,
    /// Write request units: one for 1 KB.
    pub write: f64,
}

impl Capacity {
    /// An item was read, or several were in one query.
    pub(super) fn of_read(bytes: usize, consistent: bool) -> f64 {
        let units = f64::from(u32::try_from(bytes.div_ceil(4096).max(1)).unwrap_or(u32::MAX));
        if consistent { units } else { units / 2.0 }
    }

    /// An item was written, or was not since its condition did not hold: the larger one of before and after counts.
    pub(super) fn of_write(before: usize, after: usize) -> f64 {
        f64::from(u32::try_from(before.max(after).div_ceil(1024).max(1)).unwrap_or(u32::MAX))
    }
}

pub(super) fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "ValidationException", message)
}

impl Table {
    pub(super) fn new(keys: Vec<String>, created: Timestamp, active_at: Timestamp) -> Self {
        let (items, used) = (BTreeMap::new(), Capacity::default());
        Self { keys, created, active_at, recovery: false, protected: false, items, used }
    }

    /// The key of a whole item.
    pub(super) fn key_of(&self, item: &Item) -> Result<Key, Refusal> {
        let mut parts = self.keys.iter().zip(KEY_LIMITS).map(|(name, limit)| match item.get(name) {
            None => Err(invalid(format!(
                "One or more parameter values were invalid: Missing the key {name} in the item"
            ))),
            Some(AttributeValue::S(text)) if text.is_empty() => Err(invalid(format!(
                "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: {name}"
            ))),
            Some(AttributeValue::S(text)) if text.len() > limit => Err(invalid(format!(
                "One or more parameter values were invalid: Size of {name} has exceeded the maximum size limit of {limit} bytes"
            ))),
            Some(AttributeValue::S(text)) => Ok(text.clone()),
            Some(other) => Err(invalid(format!(
                "One or more parameter values were invalid: Type mismatch for key {name} expected: S actual: {}",
                other.kind()
            ))),
        });
        let partition = parts.next().transpose()?.unwrap_or_default();
        Ok((partition, parts.next().transpose()?.unwrap_or_default()))
    }

    /// The key of a request, which must be nothing but the key.
    pub(super) fn key(&self, key: &Item) -> Result<Key, Refusal> {
        if key.len() != self.keys.len() || !self.keys.iter().all(|name| key.contains_key(name)) {
            return Err(invalid("The provided key element does not match the schema"));
        }
        self.key_of(key)
    }

    /// The key of an item, as an answer names it.
    pub(super) fn key_item(&self, key: &Key) -> Item {
        let parts = [&key.0, &key.1].map(|part| AttributeValue::S(part.clone()));
        self.keys.iter().cloned().zip(parts).collect()
    }

    /// Puts an item in the place of its key.
    pub(super) fn put(&mut self, key: Key, item: Item, too_large: &str) -> Result<(), Refusal> {
        let after = size_of(&item);
        if after > ITEM_LIMIT {
            return Err(invalid(too_large));
        }
        self.note_write(&key, after);
        self.items.insert(key, item);
        Ok(())
    }

    pub(super) fn remove(&mut self, key: &Key) {
        self.note_write(key, 0);
        self.items.remove(key);
    }

    /// A write of an item of this size; without effect on the items.
    pub(super) fn note_write(&mut self, key: &Key, after: usize) -> f64 {
        let units = Capacity::of_write(self.items.get(key).map_or(0, size_of), after);
        self.used.write += units;
        units
    }
}
