//! Calls on one item. Each is atomic: the account is locked for as long as it takes.

use super::expression::{self, Placeholders};
use super::table::{Capacity, Key, Table, invalid};
use super::value::{Item, size_of};
use super::wire::{
    ConditionFailed, ConsumedCapacity, ItemAnswer, ItemCall, ReturnCapacity, ReturnOnFailure, ReturnValues,
};
use super::{body, on_table, project};
use crate::aws_sim::Shared;
use crate::aws_sim::wire::{Call, Refusal};

pub(in super::super) fn get_item(shared: &Shared, call: &Call) -> Result<Vec<u8>, Refusal> {
    on_table(shared, call, |table, request| {
        let placeholders =
            Placeholders::new(&request.expression_attribute_names, &request.expression_attribute_values);
        let names = request.projection_expression.as_deref();
        let names =
            names.map(|text| expression::projection(text, &placeholders)).transpose().map_err(invalid)?;
        placeholders.all_used().map_err(invalid)?;
        let item = table.items.get(&table.key(&request.key)?);
        let units = Capacity::of_read(item.map_or(0, size_of), request.consistent_read);
        let item = item.map(|item| project(item, names.as_deref()));
        table.used.read += units;
        body(&ItemAnswer { item, consumed_capacity: consumed(request, units), ..ItemAnswer::default() })
    })
}

pub(in super::super) fn put_item(shared: &Shared, call: &Call) -> Result<Vec<u8>, Refusal> {
    on_table(shared, call, |table, request| {
        let key = table.key_of(&request.item)?;
        check(table, request, &key, &Placeholders::of(request))?;
        let before = table.items.get(&key).cloned();
        let item = request.item.clone();
        let units = Capacity::of_write(before.as_ref().map_or(0, size_of), size_of(&item));
        let attributes = match request.return_values {
            ReturnValues::None => None,
            ReturnValues::AllOld => before,
            ReturnValues::AllNew => return Err(invalid("Return values set to invalid value")),
        };
        table.put(key, item, "Item size has exceeded the maximum allowed size")?;
        written(request, attributes, units)
    })
}

pub(in super::super) fn update_item(shared: &Shared, call: &Call) -> Result<Vec<u8>, Refusal> {
    on_table(shared, call, |table, request| {
        let key = table.key(&request.key)?;
        let placeholders = Placeholders::of(request);
        let update = request.update_expression.as_deref();
        let update =
            update.map(|text| expression::update(text, &placeholders)).transpose().map_err(invalid)?;
        check(table, request, &key, &placeholders)?;
        let update = update.unwrap_or_default();
        let mut names: Vec<&String> = update.names().collect();
        if let Some(name) = names.iter().find(|name| table.keys.contains(name)) {
            return Err(invalid(format!(
                "One or more parameter values were invalid: Cannot update attribute {name}. This attribute is part of the key"
            )));
        }
        names.sort();
        if names.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(invalid(
                "Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of these paths",
            ));
        }
        let before = table.items.get(&key).cloned();
        let mut after = update.apply(before.as_ref().unwrap_or(&Item::new())).map_err(invalid)?;
        after.extend(table.key_item(&key));
        let units = Capacity::of_write(before.as_ref().map_or(0, size_of), size_of(&after));
        let attributes = match request.return_values {
            ReturnValues::None => None,
            ReturnValues::AllOld => before,
            ReturnValues::AllNew => Some(after.clone()),
        };
        table.put(key, after, "Item size to update has exceeded the maximum allowed size")?;
        written(request, attributes, units)
    })
}

pub(in super::super) fn delete_item(shared: &Shared, call: &Call) -> Result<Vec<u8>, Refusal> {
    on_table(shared, call, |table, request| {
        let key = table.key(&request.key)?;
        check(table, request, &key, &Placeholders::of(request))?;
        let before = table.items.get(&key).cloned();
        let units = Capacity::of_write(before.as_ref().map_or(0, size_of), 0);
        table.remove(&key);
        written(request, before.filter(|_| request.return_values == ReturnValues::AllOld), units)
    })
}

impl<'a> Placeholders<'a> {
    pub(super) fn of(request: &'a ItemCall) -> Self {
        Self::new(&request.expression_attribute_names, &request.expression_attribute_values)
    }
}

/// Refuses a write whose condition does not hold. By here, every expression of the request has been read.
fn check(
    table: &mut Table,
    request: &ItemCall,
    key: &Key,
    placeholders: &Placeholders<'_>,
) -> Result<(), Refusal> {
    let condition = request.condition_expression.as_deref();
    let condition =
        condition.map(|text| expression::condition("ConditionExpression", text, placeholders)).transpose();
    let condition = condition.map_err(invalid)?;
    placeholders.all_used().map_err(invalid)?;
    let found = table.items.get(key);
    let nothing = Item::new();
    if condition.is_none_or(|condition| condition.holds(found.unwrap_or(&nothing))) {
        return Ok(());
    }
    let (code, message) = ("ConditionalCheckFailedException", "The conditional request failed");
    let item = found.filter(|_| request.return_values_on_condition_check_failure == ReturnOnFailure::AllOld);
    let body = body(&ConditionFailed { code, message, item })?;
    table.note_write(key, 0);
    Err(Refusal::new(400, code, message).with_body(body))
}

fn written(request: &ItemCall, attributes: Option<Item>, units: f64) -> Result<Vec<u8>, Refusal> {
    body(&ItemAnswer { attributes, consumed_capacity: consumed(request, units), ..ItemAnswer::default() })
}

pub(super) fn consumed(request: &ItemCall, capacity_units: f64) -> Option<ConsumedCapacity> {
    (request.return_consumed_capacity == ReturnCapacity::Total)
        .then(|| ConsumedCapacity { table_name: request.table_name.clone(), capacity_units })
}
