//! DynamoDB, as its JSON API answers: tables of text keys, single items, conditions and queries. There are no transactions, no scans and no indexes.

mod admin;
mod expression;
mod items;
mod query;
mod reserved;
mod table;
mod value;
mod wire;

use std::collections::BTreeMap;

use mpac_deploy_core::port::Clock;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(super) use admin::{create_table, describe_table, update_continuous_backups};
pub(super) use items::{delete_item, get_item, put_item, update_item};
pub(super) use query::query;
pub use table::Capacity;
pub(super) use table::Table;
pub use value::{AttributeValue, Item};

use super::wire::{Call, Refusal};
use super::{AwsSim, Shared};
use table::invalid;
use wire::ItemCall;

/// The tables of the account by their names.
pub(super) type Tables = BTreeMap<String, Table>;

impl AwsSim {
    /// Makes a table with the keys `pk` and `sk`, as if it had always been there.
    pub fn add_table(&self, name: &str) {
        let now = self.shared.clock.now();
        let table = Table::new(vec!["pk".into(), "sk".into()], now, now);
        self.shared.account.get().tables.insert(name.into(), table);
    }

    /// Every item of a table, in the order of its keys.
    #[must_use]
    pub fn items(&self, table: &str) -> Vec<Item> {
        let account = self.shared.account.get();
        account.tables.get(table).map(|table| table.items.values().cloned().collect()).unwrap_or_default()
    }

    /// Puts an item into a table past the API and its rules; without such a table, or such a key in the item, nothing happens.
    pub fn put_item(&self, table: &str, item: Item) {
        if let Some(table) = self.shared.account.get().tables.get_mut(table)
            && let Ok(key) = table.key_of(&item)
        {
            table.items.insert(key, item);
        }
    }

    /// Takes an item out of a table past the API; its key is what counts.
    pub fn remove_item(&self, table: &str, item: &Item) {
        if let Some(table) = self.shared.account.get().tables.get_mut(table)
            && let Ok(key) = table.key_of(item)
        {
            table.items.remove(&key);
        }
    }

    /// The capacity that the calls on a table have used so far.
    #[must_use]
    pub fn used_capacity(&self, table: &str) -> Capacity {
        self.shared.account.get().tables.get(table).map(|table| table.used).unwrap_or_default()
    }

    /// Whether a table can be brought back to any moment of the last 35 days.
    #[must_use]
    pub fn has_point_in_time_recovery(&self, table: &str) -> bool {
        self.shared.account.get().tables.get(table).is_some_and(|table| table.recovery)
    }
}

fn no_such_table() -> Refusal {
    Refusal::new(400, "ResourceNotFoundException", "Requested resource not found")
}

fn parse<T: DeserializeOwned>(call: &Call) -> Result<T, Refusal> {
    serde_json::from_slice(&call.body)
        .map_err(|error| invalid(format!("The simulated DynamoDB does not take this request: {error}")))
}

fn body(answer: &impl Serialize) -> Result<Vec<u8>, Refusal> {
    serde_json::to_vec(answer).map_err(|error| Refusal::new(500, "InternalServerError", error.to_string()))
}

/// One call on the items of a table.
fn on_table(
    shared: &Shared,
    call: &Call,
    act: impl FnOnce(&mut Table, &ItemCall) -> Result<Vec<u8>, Refusal>,
) -> Result<Vec<u8>, Refusal> {
    let request: ItemCall = parse(call)?;
    let now = shared.clock.now();
    let mut account = shared.account.get();
    let table = account.tables.get_mut(&request.table_name).filter(|table| table.active_at <= now);
    act(table.ok_or_else(no_such_table)?, &request)
}

/// The attributes that were asked for.
fn project(item: &Item, names: Option<&[String]>) -> Item {
    let wanted = |name: &String| names.is_none_or(|names| names.contains(name));
    item.iter().filter(|(name, _)| wanted(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}
