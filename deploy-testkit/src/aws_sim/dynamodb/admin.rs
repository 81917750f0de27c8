//! Calls on tables.

use serde_json::json;

use mpac_deploy_core::port::Clock;
use mpac_deploy_core::time::Timestamp;

use super::table::{Table, invalid};
use super::value::size_of;
use super::wire::{
    AttributeDefinition, BillingModeSummary, CreateTable, DescribeTable, KeySchemaElement, TableDescription,
    UpdateContinuousBackups,
};
use super::{body, no_such_table, parse};
use crate::aws_sim::Shared;
use crate::aws_sim::wire::{Call, Refusal};

pub(in super::super) fn create_table(shared: &Shared, call: &Call) -> Result<Vec<u8>, Refusal> {
    let request: CreateTable = parse(call)?;
    if request.billing_mode.as_deref() != Some("PAY_PER_REQUEST") {
        return Err(invalid("The simulated DynamoDB has tables with the BillingMode PAY_PER_REQUEST only"));
    }
    let keys = keys(&request)?;
    let now = shared.clock.now();
    let mut account = shared.account.get();
    if account.tables.contains_key(&request.table_name) {
        let message = format!("Table already exists: {}", request.table_name);
        return Err(Refusal::new(400, "ResourceInUseException", message));
    }
    let mut table = Table::new(keys, now, now.after(shared.settings.table_creating));
    table.protected = request.deletion_protection_enabled;
    let description = describe(&request.table_name, &table, now);
    account.tables.insert(request.table_name, table);
    body(&json!({ "TableDescription": description }))
}

pub(in super::super) fn describe_table(shared: &Shared, call: &Call) -> Result<Vec<u8>, Refusal> {
    let request: DescribeTable = parse(call)?;
    let account = shared.account.get();
    let table = account.tables.get(&request.table_name);
    let table = table.ok_or_else(|| {
        let message = format!("Requested resource not found: Table: {} not found", request.table_name);
        Refusal::new(400, "ResourceNotFoundException", message)
    })?;
    body(&json!({ "Table": describe(&request.table_name, table, shared.clock.now()) }))
}

pub(in super::super) fn update_continuous_backups(shared: &Shared, call: &Call) -> Result<Vec<u8>, Refusal> {
    let request: UpdateContinuousBackups = parse(call)?;
    let mut account = shared.account.get();
    let table = account.tables.get_mut(&request.table_name).ok_or_else(no_such_table)?;
    table.recovery = request.point_in_time_recovery_specification.point_in_time_recovery_enabled;
    let recovery = if table.recovery { "ENABLED" } else { "DISABLED" };
    body(&json!({ "ContinuousBackupsDescription": {
        "ContinuousBackupsStatus": "ENABLED",
        "PointInTimeRecoveryDescription": { "PointInTimeRecoveryStatus": recovery },
    }}))
}

/// The names of the keys, in their order.
fn keys(request: &CreateTable) -> Result<Vec<String>, Refusal> {
    let kinds = ["HASH", "RANGE"];
    let in_order = !request.key_schema.is_empty()
        && request.key_schema.len() <= kinds.len()
        && request.key_schema.iter().zip(kinds).all(|(key, kind)| key.key_type == kind);
    if !in_order {
        return Err(invalid("Invalid KeySchema: one HASH key first, and at most one RANGE key after it"));
    }
    let defined = |key: &KeySchemaElement| {
        request.attribute_definitions.iter().find(|defined| defined.attribute_name == key.attribute_name)
    };
    if request.attribute_definitions.len() != request.key_schema.len()
        || !request.key_schema.iter().all(|key| defined(key).is_some())
    {
        return Err(invalid(
            "One or more parameter values were invalid: AttributeDefinitions and KeySchema do not name the same attributes",
        ));
    }
    if request.attribute_definitions.iter().any(|defined| defined.attribute_type != "S") {
        return Err(invalid("The simulated DynamoDB has keys of the type S only"));
    }
    Ok(request.key_schema.iter().map(|key| key.attribute_name.clone()).collect())
}

fn describe(name: &str, table: &Table, now: Timestamp) -> TableDescription {
    let names = || table.keys.iter().cloned();
    let definition = |attribute_name| AttributeDefinition { attribute_name, attribute_type: "S".into() };
    let key = |(attribute_name, kind): (String, &str)| KeySchemaElement {
        attribute_name,
        key_type: kind.to_owned(),
    };
    #[allow(clippy::cast_precision_loss, reason = "milliseconds of our time have far fewer than 53 bits")]
    let created = table.created.as_millis() as f64 / 1000.0;
    TableDescription {
        table_name: name.into(),
        table_status: if table.active_at <= now { "ACTIVE" } else { "CREATING" },
        table_arn: format!("arn:aws:dynamodb:eu-central-1:123456789012:table/{name}"),
        creation_date_time: created,
        attribute_definitions: names().map(definition).collect(),
        key_schema: names().zip(["HASH", "RANGE"]).map(key).collect(),
        item_count: table.items.len(),
        table_size_bytes: table.items.values().map(size_of).sum(),
        deletion_protection_enabled: table.protected,
        billing_mode_summary: BillingModeSummary { billing_mode: "PAY_PER_REQUEST" },
    }
}
