//! The simulated DynamoDB answers as DynamoDB does, to a client of its own.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeValue, ReturnConsumedCapacity, ReturnValue, ReturnValuesOnConditionCheckFailure,
};
use mpac_deploy_aws::{DynamoConfig, DynamoJournal};
use mpac_deploy_testkit::aws_sim::{AwsSim, Settings};

use crate::rig::{TABLE, rig, sdk_at};

fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.into())
}

fn n(number: u32) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

async fn table() -> (AwsSim, Client) {
    let rig = rig().await;
    let client = Client::new(&sdk_at(&rig.aws.endpoint_url()).await);
    (rig.aws, client)
}

fn update(client: &Client, sort: &str) -> UpdateItemFluentBuilder {
    client.update_item().table_name(TABLE).key("pk", s("p")).key("sk", s(sort))
}

fn code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> (Option<&str>, &str) {
    (error.code(), error.message().unwrap_or_default())
}

async fn put(client: &Client, sort: &str, size: usize) -> Result<(), String> {
    let call = client.put_item().table_name(TABLE).item("pk", s("p")).item("sk", s(sort));
    let done = call.item("text", s(&"x".repeat(size))).send().await;
    done.map(drop).map_err(|error| code(&error).1.to_owned())
}

#[tokio::test]
async fn a_write_whose_condition_does_not_hold_changes_nothing_and_shows_the_item() {
    let (_aws, client) = table().await;
    update(&client, "a")
        .update_expression("SET fence = :new")
        .expression_attribute_values(":new", n(2))
        .send()
        .await
        .unwrap();
    let refused = update(&client, "a")
        .update_expression("SET fence = fence + :one")
        .condition_expression("fence < :one OR attribute_not_exists(pk)")
        .expression_attribute_values(":one", n(1))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&refused), (Some("ConditionalCheckFailedException"), "The conditional request failed"));
    let failed = refused.as_service_error().unwrap();
    let aws_sdk_dynamodb::operation::update_item::UpdateItemError::ConditionalCheckFailedException(failed) =
        failed
    else {
        panic!("{failed:?}")
    };
    assert_eq!(failed.item().unwrap()["fence"], n(2));
    let found = client.get_item().table_name(TABLE).key("pk", s("p")).key("sk", s("a")).send().await.unwrap();
    assert_eq!(found.item.unwrap()["fence"], n(2));
}

#[tokio::test]
async fn the_item_is_returned_as_asked() {
    let (_aws, client) = table().await;
    let call = |values: ReturnValue| {
        update(&client, "a")
            .update_expression("SET #n = if_not_exists(#n, :zero) + :one")
            .expression_attribute_names("#n", "count")
            .expression_attribute_values(":zero", n(0))
            .expression_attribute_values(":one", n(1))
            .return_values(values)
            .send()
    };
    assert_eq!(call(ReturnValue::AllNew).await.unwrap().attributes.unwrap()["count"], n(1));
    assert_eq!(call(ReturnValue::AllOld).await.unwrap().attributes.unwrap()["count"], n(1));
    assert_eq!(call(ReturnValue::None).await.unwrap().attributes, None);
    let deleted = client.delete_item().table_name(TABLE).key("pk", s("p")).key("sk", s("a"));
    let deleted = deleted.return_values(ReturnValue::AllOld).send().await.unwrap();
    assert_eq!(deleted.attributes.unwrap()["count"], n(3));
}

#[tokio::test]
async fn what_is_not_valid_is_refused() {
    let (_aws, client) = table().await;
    let set = |expression: &str| {
        update(&client, "a").update_expression(expression).expression_attribute_values(":v", n(1))
    };
    for (call, part) in [
        (set("SET sk = :v"), "part of the key"),
        (set("SET a = :v, a = :v"), "overlap"),
        (set("SET count = :v"), "reserved keyword: count"),
        (
            set("SET a = :v").expression_attribute_values(":unused", n(1)),
            "unused in expressions: keys: {:unused}",
        ),
        (set("SET a = a + :v"), "does not exist in the item"),
        (set("ADD a :v"), "Syntax error"),
        (set("SET a = :v").key("more", n(1)), "does not match the schema"),
        (set("SET a = :v").key("sk", n(1)), "Type mismatch"),
        (set("SET a = :v").key("sk", s("")), "empty string value"),
    ] {
        let refused = call.send().await.unwrap_err();
        let (code, message) = code(&refused);
        assert!(code == Some("ValidationException") && message.contains(part), "{part}: {code:?} {message}");
    }
    let nowhere =
        client.get_item().table_name("nowhere").key("pk", s("p")).key("sk", s("a")).send().await.unwrap_err();
    assert_eq!(code(&nowhere).0, Some("ResourceNotFoundException"));
}

#[tokio::test]
async fn an_item_has_at_most_400_kb() {
    let (_aws, client) = table().await;
    let names = "pk".len() + "p".len() + "sk".len() + "a".len() + "text".len();
    assert_eq!(put(&client, "a", 400 * 1024 - names).await, Ok(()));
    let error = put(&client, "a", 400 * 1024 - names + 1).await.unwrap_err();
    assert!(error.contains("Item size has exceeded"), "{error}");
    let grown =
        update(&client, "a").update_expression("SET more = :v").expression_attribute_values(":v", s("x"));
    assert!(code(&grown.send().await.unwrap_err()).1.contains("Item size to update has exceeded"));
}

#[tokio::test]
async fn a_query_gives_pages_of_a_megabyte_or_of_a_limit_in_both_directions() {
    let (_aws, client) = table().await;
    for number in 0..9 {
        put(&client, &format!("item-{number}"), 300 * 1024).await.unwrap();
    }
    let query = |forward: bool| {
        client
            .query()
            .table_name(TABLE)
            .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
            .expression_attribute_values(":pk", s("p"))
            .expression_attribute_values(":prefix", s("item-"))
            .scan_index_forward(forward)
    };
    for forward in [true, false] {
        for (limit, sizes) in [(None, vec![4, 4, 1]), (Some(3), vec![3, 3, 3, 0])] {
            let (mut sorts, mut pages, mut start) = (Vec::new(), Vec::new(), None);
            loop {
                let page = query(forward)
                    .set_limit(limit)
                    .set_exclusive_start_key(start.clone())
                    .send()
                    .await
                    .unwrap();
                let items = page.items.unwrap_or_default();
                pages.push(items.len());
                sorts.extend(items.into_iter().map(|item| item["sk"].as_s().unwrap().clone()));
                start = page.last_evaluated_key;
                if start.is_none() {
                    break;
                }
            }
            let mut expected: Vec<String> = (0..9).map(|number| format!("item-{number}")).collect();
            if !forward {
                expected.reverse();
            }
            assert_eq!((sorts, pages), (expected, sizes), "forward {forward}, limit {limit:?}");
        }
    }
}

#[tokio::test]
async fn a_query_reads_one_partition_by_its_sort_key() {
    let (aws, client) = table().await;
    for (partition, sort) in [("p", "a"), ("p", "b"), ("p", "c"), ("q", "b")] {
        let call = client.put_item().table_name(TABLE).item("pk", s(partition)).item("sk", s(sort));
        call.item("size", n(1)).send().await.unwrap();
    }
    let query = |condition: &str| {
        client
            .query()
            .table_name(TABLE)
            .key_condition_expression(condition)
            .expression_attribute_values(":p", s("p"))
    };
    let between = query("pk = :p AND sk BETWEEN :low AND :high")
        .expression_attribute_values(":low", s("b"))
        .expression_attribute_values(":high", s("c"))
        .projection_expression("sk")
        .return_consumed_capacity(ReturnConsumedCapacity::Total)
        .consistent_read(true)
        .send()
        .await
        .unwrap();
    let found: Vec<HashMap<_, _>> = between.items.unwrap();
    assert_eq!(
        found,
        [HashMap::from([("sk".to_owned(), s("b"))]), HashMap::from([("sk".to_owned(), s("c"))])]
    );
    assert_eq!(between.consumed_capacity.unwrap().capacity_units, Some(1.0));
    let filtered =
        query("sk >= :p AND pk = :p").filter_expression("attribute_exists(nothing)").send().await.unwrap();
    assert_eq!((filtered.count, filtered.scanned_count), (0, 0));
    for wrong in ["pk > :p", "sk = :p", "pk = :p AND sk <> :p", "pk = :p OR pk = :p"] {
        let refused = query(wrong).send().await.unwrap_err();
        assert_eq!(code(&refused).0, Some("ValidationException"), "{wrong}");
    }
    assert!(aws.used_capacity(TABLE).write >= 4.0);
}

#[tokio::test]
async fn a_table_is_made_and_used_once_it_is_active() {
    let aws =
        AwsSim::start(Settings::default().with_table_creating(Duration::from_millis(700))).await.unwrap();
    let sdk = sdk_at(&aws.endpoint_url()).await;
    let journal = DynamoJournal::new(&sdk, DynamoConfig::new(TABLE));
    let early = Client::new(&sdk);
    let (made, ()) = tokio::join!(journal.create_table(), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(put(&early, "a", 1).await, Err("Requested resource not found".to_owned()));
    });
    made.unwrap();
    assert!(aws.has_point_in_time_recovery(TABLE));
    assert_eq!(put(&early, "a", 1).await, Ok(()));
    // A second time there is nothing to do.
    journal.create_table().await.unwrap();
    assert_eq!(aws.items(TABLE).len(), 1);
}

#[tokio::test]
async fn a_table_that_is_no_journal_is_not_taken_for_one() {
    use aws_sdk_dynamodb::types::{
        AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
    };
    let aws = AwsSim::start(Settings::default().with_table_creating(Duration::ZERO)).await.unwrap();
    let sdk = sdk_at(&aws.endpoint_url()).await;
    let key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash).build().unwrap();
    let text = AttributeDefinition::builder()
        .attribute_name("id")
        .attribute_type(ScalarAttributeType::S)
        .build()
        .unwrap();
    let create = Client::new(&sdk).create_table().table_name(TABLE).billing_mode(BillingMode::PayPerRequest);
    create.key_schema(key).attribute_definitions(text).send().await.unwrap();
    let error =
        DynamoJournal::new(&sdk, DynamoConfig::new(TABLE)).create_table().await.unwrap_err().to_string();
    assert!(error.contains("is no journal"), "{error}");
}
