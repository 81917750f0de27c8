//! Tags of services and task definitions.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::Shared;
use super::super::wire::{Call, Refusal};
use super::json::{Given, answer, list, text};
use super::service::key_of_arn;
use super::{client_error, invalid};

/// How many tags a resource may have.
const MAX_TAGS: usize = 50;
/// The longest key, in characters.
const MAX_KEY: usize = 128;
/// The longest value, in characters.
const MAX_VALUE: usize = 256;

pub(super) type Tags = BTreeMap<String, String>;

/// The tags of a request; a list that is there must not be empty.
pub(super) fn read(given: &Given) -> Result<Tags, Refusal> {
    let tags = list(&given.0, "tags");
    if given.has("tags") && tags.is_empty() {
        return Err(client_error("Tags can not be empty."));
    }
    if tags.len() > MAX_TAGS {
        return Err(invalid("The maximum number of tags has been exceeded."));
    }
    tags.iter().map(read_one).collect()
}

fn read_one(tag: &Value) -> Result<(String, String), Refusal> {
    let members = tag.as_object().ok_or_else(|| invalid("A tag must be an object"))?;
    let key = text(members, "key").unwrap_or_default();
    let value = text(members, "value").unwrap_or_default();
    let fits =
        |text: &str| text.chars().all(|letter| letter.is_alphanumeric() || " +-=._:/@".contains(letter));
    if key.is_empty() || key.chars().count() > MAX_KEY || key.starts_with("aws:") || !fits(key) {
        return Err(invalid(format!("The tag key '{key}' is not valid.")));
    }
    if value.chars().count() > MAX_VALUE || !fits(value) {
        return Err(invalid(format!("The tag value '{value}' is not valid.")));
    }
    Ok((key.into(), value.into()))
}

pub(super) fn written(tags: &Tags) -> Value {
    tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
}

pub(in crate::aws_sim) fn tag_resource(shared: &Shared, call: &Call) -> Result<Vec<u8>, Refusal> {
    let given = Given::of(call)?;
    let arn = given.needed("resourceArn")?;
    let new = read(&given)?;
    let mut guard = shared.account.get();
    let ecs = &mut guard.ecs;
    let not_found = || invalid("The specified resource could not be found. Please check the resource ARN.");
    let tags = if arn.contains(":service/") {
        let key = key_of_arn(arn).ok_or_else(not_found)?;
        ecs.services.get_mut(&key).filter(|service| service.is_active()).map(|service| &mut service.tags)
    } else {
        ecs.definition_mut(arn).map(|definition| &mut definition.tags)
    };
    let tags = tags.ok_or_else(not_found)?;
    let mut all = tags.clone();
    all.extend(new);
    if all.len() > MAX_TAGS {
        return Err(invalid("The maximum number of tags has been exceeded."));
    }
    *tags = all;
    answer(&json!({}))
}
