//! The table: what it is made of, which calls are made on it, and how it is made.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, PointInTimeRecoverySpecification,
    ScalarAttributeType, TableStatus,
};

use crate::CallError;

/// The partition key, a text.
pub const PARTITION_KEY: &str = "pk";

/// The sort key, a text.
pub const SORT_KEY: &str = "sk";

/// The table's name, unless another one is given.
pub const DEFAULT_TABLE: &str = "mpac-deploy";

/// The permissions that a running journal needs, all of them on the table alone. It has no index.
pub const ACTIONS: [&str; 4] =
    ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"];

/// The permissions that [`DynamoJournal::create_table`](super::DynamoJournal::create_table) needs.
pub const CREATE_ACTIONS: [&str; 3] =
    ["dynamodb:CreateTable", "dynamodb:DescribeTable", "dynamodb:UpdateContinuousBackups"];

const CREATE: &str = "CreateTable";
const DESCRIBE: &str = "DescribeTable";
const PROTECT: &str = "UpdateContinuousBackups";

/// How often a table that is being made is looked at, and for how long. AWS takes some seconds.
const LOOK: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(60);

/// Makes the table, which cannot be deleted by one call, unless there is one, and waits until it can be used.
pub(super) async fn create(client: &Client, table: &str) -> Result<(), CallError> {
    let key = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
    let text = |name: &str| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build()
    };
    let mut call = client.create_table().table_name(table).billing_mode(BillingMode::PayPerRequest);
    call = call.deletion_protection_enabled(true);
    for (name, kind) in [(PARTITION_KEY, KeyType::Hash), (SORT_KEY, KeyType::Range)] {
        let invalid =
            |error: aws_sdk_dynamodb::error::BuildError| CallError::invalid(CREATE, error.to_string());
        call = call
            .key_schema(key(name, kind).map_err(invalid)?)
            .attribute_definitions(text(name).map_err(invalid)?);
    }
    if let Err(error) = call.send().await {
        let exists = error.as_service_error().is_some_and(|refusal| refusal.is_resource_in_use_exception());
        if !exists {
            return Err(CallError::of(CREATE, error));
        }
    }
    wait_until_active(client, table).await?;
    keep_backups(client, table).await
}

async fn wait_until_active(client: &Client, table: &str) -> Result<(), CallError> {
    let until = tokio::time::Instant::now() + PATIENCE;
    loop {
        match client.describe_table().table_name(table).send().await {
            Ok(answer) => {
                let described = answer.table();
                check_keys(described.map(|table| table.key_schema()).unwrap_or_default())?;
                if described.and_then(|table| table.table_status()) == Some(&TableStatus::Active) {
                    return Ok(());
                }
            }
            // A table that was made this moment need not be known everywhere yet.
            Err(error) if error.code() == Some("ResourceNotFoundException") => {}
            Err(error) => return Err(CallError::of(DESCRIBE, error)),
        }
        if tokio::time::Instant::now() >= until {
            let message = format!("the table {table} is not active after {} s", PATIENCE.as_secs());
            return Err(CallError::NoAnswer { call: DESCRIBE, message });
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// A table of the same name that is somebody else's is found out here, not by the first record.
fn check_keys(keys: &[KeySchemaElement]) -> Result<(), CallError> {
    let found: Vec<(&str, &KeyType)> =
        keys.iter().map(|key| (key.attribute_name(), key.key_type())).collect();
    if found == [(PARTITION_KEY, &KeyType::Hash), (SORT_KEY, &KeyType::Range)] {
        return Ok(());
    }
    Err(CallError::invalid(
        CREATE,
        format!(
            "there is a table of this name with other keys than {PARTITION_KEY} and {SORT_KEY}: it is no journal, choose another name"
        ),
    ))
}

/// The table can be brought back to any moment of the last 35 days.
async fn keep_backups(client: &Client, table: &str) -> Result<(), CallError> {
    let recovery = PointInTimeRecoverySpecification::builder().point_in_time_recovery_enabled(true).build();
    let recovery = recovery.map_err(|error| CallError::invalid(PROTECT, error.to_string()))?;
    let call = client.update_continuous_backups().table_name(table);
    match call.point_in_time_recovery_specification(recovery).send().await {
        // What speaks DynamoDB's protocol without being it knows no backups.
        Err(error) if error.code() == Some("UnknownOperationException") => {
            tracing::warn!(table, "point-in-time recovery is not known there: the table has no backups");
            Ok(())
        }
        Err(error) => Err(CallError::of(PROTECT, error)),
        Ok(_) => Ok(()),
    }
}
