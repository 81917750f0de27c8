//! The three calls, each one attempt.

use aws_config::SdkConfig;
use aws_sdk_route53::Client;
use aws_sdk_route53::config::retry::RetryConfig;
use aws_sdk_route53::config::{Builder, Region};
use aws_sdk_route53::error::BuildError;
use aws_sdk_route53::types::{Change, ChangeAction, ChangeBatch, ChangeStatus, ResourceRecordSet};

use super::pair::{Pair, canonical};
use super::{Route53Config, Route53Error};
use crate::client::DEFAULT_REGION;
use crate::quota::Pace;
use crate::{CallError, Quota};

const LIST: &str = "ListResourceRecordSets";
const CHANGE: &str = "ChangeResourceRecordSets";
const GET_CHANGE: &str = "GetChange";

/// Blue, green, and enough to see that there is a third.
const PAGE: i32 = 10;

/// The zone.
#[derive(Debug)]
pub(super) struct Calls {
    client: Client,
    pub(super) quota: Quota,
    zone: String,
}

/// What is done with which records, in order.
pub(super) type Changes = Vec<(ChangeAction, ResourceRecordSet)>;

/// Changes that are made together or not at all.
#[derive(Clone)]
pub(super) struct Batch {
    changes: Changes,
    comment: String,
}

impl Batch {
    /// The records become these.
    pub(super) fn upsert(pair: &Pair, comment: String) -> Self {
        let changes = pair.records().map(|record| (ChangeAction::Upsert, record.clone()));
        Self { changes: changes.collect(), comment }
    }

    /// The records, as they are, take their own places.
    pub(super) fn replace_by_itself(pair: &Pair, comment: String) -> Self {
        let changes = pair.records().flat_map(|record| {
            [ChangeAction::Delete, ChangeAction::Create].map(|action| (action, record.clone()))
        });
        Self { changes: changes.collect(), comment }
    }

    /// The same batch with other changes ahead of its own.
    pub(super) fn after(mut self, mut first: Changes) -> Self {
        first.append(&mut self.changes);
        Self { changes: first, ..self }
    }

    fn build(self) -> Result<ChangeBatch, BuildError> {
        let changes = self
            .changes
            .into_iter()
            .map(|(action, record)| Change::builder().action(action).resource_record_set(record).build());
        let changes = changes.collect::<Result<Vec<_>, _>>()?;
        ChangeBatch::builder().comment(self.comment).set_changes(Some(changes)).build()
    }
}

impl Calls {
    pub(super) fn new(sdk: &SdkConfig, quota: Quota, config: &Route53Config) -> Self {
        let mut builder = Builder::from(sdk).retry_config(RetryConfig::disabled());
        if sdk.region().is_none() {
            builder = builder.region(Region::from_static(DEFAULT_REGION));
        }
        Self { client: Client::from_conf(builder.build()), quota, zone: config.hosted_zone_id.clone() }
    }

    /// Every record of the name.
    pub(super) async fn records(
        &self,
        name: &str,
        pace: Pace,
    ) -> Result<Vec<ResourceRecordSet>, Route53Error> {
        let name = canonical(name);
        let first = self.client.list_resource_record_sets().hosted_zone_id(&self.zone).max_items(PAGE);
        let mut page = first.clone().start_record_name(&name);
        let mut records = Vec::new();
        loop {
            self.quota.turn(pace).await;
            let answer = page.send().await.map_err(|error| Route53Error::of(LIST, error))?;
            let on_page = answer.resource_record_sets.len();
            records.extend(
                answer.resource_record_sets.into_iter().take_while(|record| canonical(&record.name) == name),
            );
            let goes_on = answer.is_truncated
                && on_page > 0
                && answer.next_record_name.as_deref().map(canonical).as_deref() == Some(name.as_str());
            if !goes_on {
                return Ok(records);
            }
            page = first
                .clone()
                .set_start_record_name(answer.next_record_name)
                .set_start_record_type(answer.next_record_type)
                .set_start_record_identifier(answer.next_record_identifier);
        }
    }

    /// Makes a change and gives its id. Its turn has been taken.
    pub(super) async fn change(&self, batch: Batch) -> Result<String, Route53Error> {
        let batch = batch.build().map_err(invalid)?;
        let call = self.client.change_resource_record_sets().hosted_zone_id(&self.zone).change_batch(batch);
        let answer = call.send().await.map_err(|error| Route53Error::of(CHANGE, error))?;
        answer.change_info.map(|info| info.id).ok_or_else(|| {
            CallError::NoAnswer { call: CHANGE, message: "the answer names no change".into() }.into()
        })
    }

    pub(super) async fn is_in_sync(&self, change: &str) -> Result<bool, Route53Error> {
        self.quota.turn(Pace::Queue).await;
        let answer = self
            .client
            .get_change()
            .id(change)
            .send()
            .await
            .map_err(|error| Route53Error::of(GET_CHANGE, error))?;
        Ok(answer.change_info.is_some_and(|info| info.status == ChangeStatus::Insync))
    }
}

/// A change that cannot even be written down.
pub(super) fn invalid(error: BuildError) -> CallError {
    CallError::invalid(CHANGE, error.to_string())
}
