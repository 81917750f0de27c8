//! A batch of changes: all of it, or none.

use super::wire::{Change, ChangeAction};
use super::zone::{Zone, canonical, key_of};
use super::{RecordSet, Refusal};

/// Applies a batch to a zone, or refuses it as a whole.
pub(super) fn apply(zone: &mut Zone, changes: &[Change]) -> Result<(), Refusal> {
    if changes.is_empty() {
        return Err(Refusal::new(400, "InvalidInput", "Invalid Request: the batch holds no change"));
    }
    for (number, change) in (1..).zip(changes) {
        check_input(number, &change.record)?;
    }
    let mut changed = zone.clone();
    let wrong: Vec<String> =
        changes.iter().filter_map(|change| change_one(&mut changed, change).err()).collect();
    let wrong = if wrong.is_empty() { mixed(&changed, changes) } else { wrong };
    if !wrong.is_empty() {
        return Err(Refusal::new(400, "InvalidChangeBatch", format!("[{}]", wrong.join(", "))));
    }
    *zone = changed;
    Ok(())
}

/// What the API refuses before it looks at the zone.
fn check_input(number: u32, record: &RecordSet) -> Result<(), Refusal> {
    let invalid = |message: String| Err(Refusal::new(400, "InvalidInput", message));
    if let Some(weight) = record.weight.filter(|weight| !(0..=255).contains(weight)) {
        let bound = if weight < 0 { "greater than or equal to 0" } else { "less than or equal to 255" };
        return invalid(format!(
            "1 validation error detected: Value '{weight}' at 'changeBatch.changes.{number}.member.resourceRecordSet.weight' failed to satisfy constraint: Member must have value {bound}"
        ));
    }
    let label = label(record);
    let policies = [
        record.weight.is_some(),
        record.region.is_some(),
        record.failover.is_some(),
        record.multi_value_answer.is_some(),
    ];
    match (policies.iter().filter(|set| **set).count(), &record.set_identifier) {
        (0, None) | (1, Some(_)) => {}
        (0, Some(_)) => {
            return invalid(format!(
                "Invalid request: Missing field 'Weight', 'Region', 'Failover' or 'MultiValueAnswer' in Change with {label}"
            ));
        }
        (1, None) => {
            return invalid(format!("Invalid request: Missing field 'SetIdentifier' in Change with {label}"));
        }
        _ => {
            return invalid(format!(
                "Invalid request: Expected exactly one routing policy in Change with {label}"
            ));
        }
    }
    let has_values = record.ttl.is_some()
        && record.resource_records.as_ref().is_some_and(|values| !values.records.is_empty());
    if record.alias_target.is_some() == (has_values || record.ttl.is_some()) {
        return invalid(format!(
            "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], in Change with {label}"
        ));
    }
    Ok(())
}

fn change_one(zone: &mut Zone, change: &Change) -> Result<(), String> {
    let record = RecordSet { name: canonical(&change.record.name), ..change.record.clone() };
    let within = record.name == zone.domain || record.name.ends_with(&format!(".{}", zone.domain));
    if !within {
        return Err(format!(
            "RRSet with DNS name {} is not permitted in zone {} ({})",
            record.name, zone.domain, zone.id
        ));
    }
    let key = key_of(&record);
    let label = label(&record);
    match (change.action, zone.records.get(&key)) {
        (ChangeAction::Create, Some(_)) => {
            return Err(format!("Tried to create resource record set {label} but it already exists"));
        }
        (ChangeAction::Delete, None) => {
            return Err(format!("Tried to delete resource record set {label} but it was not found"));
        }
        (ChangeAction::Delete, Some(found)) if *found != record => {
            return Err(format!(
                "Tried to delete resource record set {label} but the values provided do not match the current values"
            ));
        }
        (ChangeAction::Delete, Some(_)) => {
            zone.records.remove(&key);
        }
        (ChangeAction::Create | ChangeAction::Upsert, _) => {
            zone.records.insert(key, record);
        }
    }
    Ok(())
}

/// Records of one name and type are routed in one way, and a simple one is alone.
fn mixed(zone: &Zone, changes: &[Change]) -> Vec<String> {
    let conflicts = |change: &&Change| {
        let name = canonical(&change.record.name);
        let rivals = zone.records().filter(|other| other.name == name && other.kind == change.record.kind);
        let ways: Vec<_> = rivals.map(way).collect();
        ways.iter().any(|other| *other != way(&change.record))
    };
    let written = changes.iter().filter(|change| change.action != ChangeAction::Delete);
    let message = |change: &Change| {
        format!(
            "RRSet with DNS name {}, type {}, SetIdentifier {} cannot be created because a record with another routing policy exists with the same name and type",
            canonical(&change.record.name),
            change.record.kind,
            change.record.set_identifier.as_deref().unwrap_or("null")
        )
    };
    written.filter(conflicts).map(message).collect()
}

/// How a record is routed.
const fn way(record: &RecordSet) -> [bool; 4] {
    [
        record.weight.is_some(),
        record.region.is_some(),
        record.failover.is_some(),
        record.multi_value_answer.is_some(),
    ]
}

fn label(record: &RecordSet) -> String {
    let set =
        record.set_identifier.as_ref().map(|set| format!(", set identifier='{set}'")).unwrap_or_default();
    format!("[name='{}', type='{}'{set}]", canonical(&record.name), record.kind)
}
