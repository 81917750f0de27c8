//! Query: the items of one partition, in the order of the sort key, page by page.

use std::ops::Bound;

use super::expression::{self, Comparator, Condition, Operand, Placeholders};
use super::items::consumed;
use super::table::{Capacity, Table, invalid};
use super::value::{AttributeValue, Item, size_of};
use super::wire::{ItemCall, QueryAnswer};
use super::{body, on_table, project};
use crate::aws_sim::Shared;
use crate::aws_sim::wire::{Call, Refusal};

/// What a page reads at most: 1 MB.
const PAGE: usize = 1024 * 1024;

pub(in super::super) fn query(shared: &Shared, call: &Call) -> Result<Vec<u8>, Refusal> {
    on_table(shared, call, |table, request| {
        let plan = Plan::of(table, request)?;
        let page = plan.page(table, request)?;
        table.used.read += page.units;
        body(&QueryAnswer {
            count: page.items.len(),
            items: page.items,
            scanned_count: page.scanned,
            last_evaluated_key: page.last,
            consumed_capacity: consumed(request, page.units),
        })
    })
}

/// A query that has been read.
struct Plan {
    partition: String,
    /// What the sort key has to be.
    sort: Option<Condition>,
    filter: Option<Condition>,
    names: Option<Vec<String>>,
}

struct Page {
    items: Vec<Item>,
    scanned: usize,
    last: Option<Item>,
    units: f64,
}

impl Plan {
    fn of(table: &Table, request: &ItemCall) -> Result<Self, Refusal> {
        let placeholders = Placeholders::of(request);
        let text = request.key_condition_expression.as_deref().ok_or_else(|| {
            invalid("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
        })?;
        let read = |what, text| expression::condition(what, text, &placeholders).map_err(invalid);
        let condition = read("KeyConditionExpression", text)?;
        let filter = request.filter_expression.as_deref();
        let filter = filter.map(|text| read("FilterExpression", text)).transpose()?;
        let names = request.projection_expression.as_deref();
        let names =
            names.map(|text| expression::projection(text, &placeholders)).transpose().map_err(invalid)?;
        placeholders.all_used().map_err(invalid)?;
        let (partition, sort) = split(table, condition)?;
        Ok(Self { partition, sort, filter, names })
    }

    fn page(&self, table: &Table, request: &ItemCall) -> Result<Page, Refusal> {
        if request.limit == Some(0) {
            return Err(invalid("Limit must be greater than or equal to 1"));
        }
        let start = request.exclusive_start_key.as_ref().map(|key| table.key(key)).transpose()?;
        if start.as_ref().is_some_and(|(partition, _)| *partition != self.partition) {
            return Err(invalid(
                "The provided starting key is outside query boundaries based on provided conditions",
            ));
        }
        let forward = request.scan_index_forward.unwrap_or(true);
        let first = (self.partition.clone(), String::new());
        let (mut from, mut to) = (Bound::Included(first), Bound::Unbounded);
        if let Some(start) = start {
            if forward { from = Bound::Excluded(start) } else { to = Bound::Excluded(start) }
        }
        let in_partition =
            table.items.range((from, to)).filter(|((partition, _), _)| *partition == self.partition);
        let matching =
            in_partition.filter(|(_, item)| self.sort.as_ref().is_none_or(|sort| sort.holds(item)));
        let mut page = Page { items: Vec::new(), scanned: 0, last: None, units: 0.0 };
        let mut bytes = 0;
        let mut add = |page: &mut Page, key, item: &Item| {
            bytes += size_of(item);
            page.scanned += 1;
            if self.filter.as_ref().is_none_or(|filter| filter.holds(item)) {
                page.items.push(project(item, self.names.as_deref()));
            }
            page.units = Capacity::of_read(bytes, request.consistent_read);
            let full = request.limit.is_some_and(|limit| page.scanned >= limit) || bytes >= PAGE;
            page.last = full.then(|| table.key_item(key));
            full
        };
        if forward {
            let _: Option<_> = matching.into_iter().find(|(key, item)| add(&mut page, key, item));
        } else {
            let _: Option<_> = matching.rev().find(|(key, item)| add(&mut page, key, item));
        }
        if page.scanned == 0 {
            page.units = Capacity::of_read(0, request.consistent_read);
        }
        Ok(page)
    }
}

/// The partition that a key condition names, and what it says of the sort key.
fn split(table: &Table, condition: Condition) -> Result<(String, Option<Condition>), Refusal> {
    let (partition, sort) = if let Condition::And(left, right) = condition {
        if names(&left) == table.keys.first() { (*left, Some(*right)) } else { (*right, Some(*left)) }
    } else {
        (condition, None)
    };
    let unsupported = || invalid("Query key condition not supported");
    let Condition::Compare(Operand::Path(name), Comparator::Equal, Operand::Value(AttributeValue::S(key))) =
        partition
    else {
        return Err(unsupported());
    };
    if Some(&name) != table.keys.first() {
        return Err(invalid(format!(
            "Query condition missed key schema element: {}",
            table.keys.first().map_or("", String::as_str)
        )));
    }
    match &sort {
        Some(Condition::Compare(_, Comparator::NotEqual, _)) => Err(unsupported()),
        Some(condition) if names(condition).is_none() || names(condition) != table.keys.get(1) => {
            Err(unsupported())
        }
        Some(_) | None => Ok((key, sort)),
    }
}

/// The attribute that a simple condition is about.
const fn names(condition: &Condition) -> Option<&String> {
    match condition {
        Condition::Compare(Operand::Path(name), _, Operand::Value(_))
        | Condition::Between(Operand::Path(name), Operand::Value(_), Operand::Value(_))
        | Condition::BeginsWith(Operand::Path(name), Operand::Value(_)) => Some(name),
        Condition::Compare(..)
        | Condition::Between(..)
        | Condition::BeginsWith(..)
        | Condition::Exists(_)
        | Condition::And(..)
        | Condition::Or(..)
        | Condition::Not(_) => None,
    }
}
