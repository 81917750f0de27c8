//! Requests and answers as the API writes them. A parameter that is not known here is refused by its name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::value::{AttributeValue, Item};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct CreateTable {
    pub(super) table_name: String,
    pub(super) attribute_definitions: Vec<AttributeDefinition>,
    pub(super) key_schema: Vec<KeySchemaElement>,
    pub(super) billing_mode: Option<String>,
    #[serde(default)]
    pub(super) deletion_protection_enabled: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct AttributeDefinition {
    pub(super) attribute_name: String,
    pub(super) attribute_type: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct KeySchemaElement {
    pub(super) attribute_name: String,
    pub(super) key_type: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct DescribeTable {
    pub(super) table_name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct UpdateContinuousBackups {
    pub(super) table_name: String,
    pub(super) point_in_time_recovery_specification: RecoverySpecification,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct RecoverySpecification {
    pub(super) point_in_time_recovery_enabled: bool,
}

/// The parameters of the calls on items; each takes those that it needs.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct ItemCall {
    pub(super) table_name: String,
    #[serde(default)]
    pub(super) key: Item,
    #[serde(default)]
    pub(super) item: Item,
    #[serde(default)]
    pub(super) consistent_read: bool,
    pub(super) key_condition_expression: Option<String>,
    pub(super) filter_expression: Option<String>,
    pub(super) projection_expression: Option<String>,
    pub(super) condition_expression: Option<String>,
    pub(super) update_expression: Option<String>,
    #[serde(default)]
    pub(super) expression_attribute_names: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) expression_attribute_values: BTreeMap<String, AttributeValue>,
    pub(super) limit: Option<usize>,
    pub(super) exclusive_start_key: Option<Item>,
    pub(super) scan_index_forward: Option<bool>,
    #[serde(default)]
    pub(super) return_values: ReturnValues,
    #[serde(default)]
    pub(super) return_values_on_condition_check_failure: ReturnOnFailure,
    #[serde(default)]
    pub(super) return_consumed_capacity: ReturnCapacity,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum ReturnValues {
    #[default]
    None,
    AllOld,
    AllNew,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum ReturnOnFailure {
    #[default]
    None,
    AllOld,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum ReturnCapacity {
    #[default]
    None,
    Total,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ItemAnswer {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) item: Option<Item>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) attributes: Option<Item>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) consumed_capacity: Option<ConsumedCapacity>,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct QueryAnswer {
    pub(super) items: Vec<Item>,
    pub(super) count: usize,
    pub(super) scanned_count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_evaluated_key: Option<Item>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) consumed_capacity: Option<ConsumedCapacity>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ConsumedCapacity {
    pub(super) table_name: String,
    pub(super) capacity_units: f64,
}

/// The body of a refusal whose condition did not hold, with the item that it did not hold for.
#[derive(Debug, Serialize)]
pub(super) struct ConditionFailed<'a> {
    #[serde(rename = "__type")]
    pub(super) code: &'a str,
    pub(super) message: &'a str,
    #[serde(rename = "Item", skip_serializing_if = "Option::is_none")]
    pub(super) item: Option<&'a Item>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TableDescription {
    pub(super) table_name: String,
    pub(super) table_status: &'static str,
    pub(super) table_arn: String,
    pub(super) creation_date_time: f64,
    pub(super) attribute_definitions: Vec<AttributeDefinition>,
    pub(super) key_schema: Vec<KeySchemaElement>,
    pub(super) item_count: usize,
    pub(super) table_size_bytes: usize,
    pub(super) deletion_protection_enabled: bool,
    pub(super) billing_mode_summary: BillingModeSummary,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BillingModeSummary {
    pub(super) billing_mode: &'static str,
}
