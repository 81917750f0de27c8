//! The calls on the table, each one attempt; every read is a consistent one.

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{Builder, Region};
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};

use super::DynamoConfig;
use super::change::Change;
use super::item::{Item, s};
use super::keys::Key;
use super::table::{self, PARTITION_KEY, SORT_KEY};
use crate::CallError;
use crate::client::DEFAULT_REGION;

const GET: &str = "GetItem";
const UPDATE: &str = "UpdateItem";
const DELETE: &str = "DeleteItem";
const QUERY: &str = "Query";

/// The table.
#[derive(Debug)]
pub(super) struct Calls {
    client: Client,
    table: String,
}

/// What became of a conditional write.
#[derive(Debug)]
pub(super) enum Written {
    /// The item after it.
    Done(Item),
    /// The condition does not hold; the item as it is, if the service says so.
    Refused(Option<Item>),
}

/// Which items of a partition, by their sort keys.
#[derive(Clone, Debug)]
pub(super) enum Sort {
    All,
    Prefix(String),
    Between(String, String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Ascending,
    Descending,
}

impl Calls {
    pub(super) fn new(sdk: &SdkConfig, config: &DynamoConfig) -> Self {
        let timeouts = sdk.timeout_config().map(TimeoutConfig::to_builder).unwrap_or_default();
        let timeouts = timeouts.operation_attempt_timeout(config.attempt_timeout).build();
        let mut builder = Builder::from(sdk).retry_config(RetryConfig::disabled()).timeout_config(timeouts);
        if sdk.region().is_none() {
            builder = builder.region(Region::from_static(DEFAULT_REGION));
        }
        Self { client: Client::from_conf(builder.build()), table: config.table.clone() }
    }

    pub(super) async fn create_table(&self) -> Result<(), CallError> {
        table::create(&self.client, &self.table).await
    }

    pub(super) async fn get(&self, key: &Key) -> Result<Option<Item>, CallError> {
        let call = self.client.get_item().table_name(&self.table).consistent_read(true);
        let call = call.key(PARTITION_KEY, s(&key.partition)).key(SORT_KEY, s(&key.sort));
        let answer = call.send().await.map_err(|error| CallError::of(GET, error))?;
        Ok(answer.item)
    }

    /// Changes an item, or makes it.
    pub(super) async fn update(&self, key: &Key, change: Change) -> Result<Written, CallError> {
        let call = self.update_call(key, change).return_values(ReturnValue::AllNew);
        let call = call.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match call.send().await {
            Ok(answer) => Ok(Written::Done(answer.attributes.unwrap_or_default())),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    Ok(Written::Refused(failed.item().cloned()))
                }
                Some(_) | None => Err(CallError::of(UPDATE, error)),
            },
        }
    }

    /// Changes an item, or makes it, and only says whether the condition held.
    pub(super) async fn write(&self, key: &Key, change: Change) -> Result<bool, CallError> {
        match self.update_call(key, change).send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
                Some(_) | None => Err(CallError::of(UPDATE, error)),
            },
        }
    }

    fn update_call(&self, key: &Key, change: Change) -> UpdateItemFluentBuilder {
        let call = change.on(self.client.update_item().table_name(&self.table));
        call.key(PARTITION_KEY, s(&key.partition)).key(SORT_KEY, s(&key.sort))
    }

    pub(super) async fn delete(&self, key: &Key) -> Result<(), CallError> {
        let call = self.client.delete_item().table_name(&self.table);
        let call = call.key(PARTITION_KEY, s(&key.partition)).key(SORT_KEY, s(&key.sort));
        call.send().await.map(drop).map_err(|error| CallError::of(DELETE, error))
    }

    /// The items of a partition in their order, page by page; of many, only the first ones.
    pub(super) async fn query(
        &self,
        partition: &str,
        sort: &Sort,
        order: Order,
        at_most: Option<usize>,
    ) -> Result<Vec<Item>, CallError> {
        let limit = at_most.map(|at_most| i32::try_from(at_most).unwrap_or(i32::MAX));
        let first = sort.on(self.client.query().table_name(&self.table).consistent_read(true), partition);
        let first = first.scan_index_forward(order == Order::Ascending).set_limit(limit);
        let (mut page, mut items) = (first.clone(), Vec::new());
        loop {
            let answer = page.send().await.map_err(|error| CallError::of(QUERY, error))?;
            items.extend(answer.items.unwrap_or_default());
            if answer.last_evaluated_key.is_none() || at_most.is_some_and(|at_most| items.len() >= at_most) {
                return Ok(items);
            }
            page = first.clone().set_exclusive_start_key(answer.last_evaluated_key);
        }
    }
}

impl Sort {
    fn on(&self, call: QueryFluentBuilder, partition: &str) -> QueryFluentBuilder {
        let call = call
            .expression_attribute_names("#pk", PARTITION_KEY)
            .expression_attribute_values(":pk", s(partition));
        match self {
            Self::All => call.key_condition_expression("#pk = :pk"),
            Self::Prefix(prefix) => call
                .key_condition_expression("#pk = :pk AND begins_with(#sk, :prefix)")
                .expression_attribute_names("#sk", SORT_KEY)
                .expression_attribute_values(":prefix", s(prefix)),
            Self::Between(low, high) => call
                .key_condition_expression("#pk = :pk AND #sk BETWEEN :low AND :high")
                .expression_attribute_names("#sk", SORT_KEY)
                .expression_attribute_values(":low", s(low))
                .expression_attribute_values(":high", s(high)),
        }
    }
}
