//! The XML of the API.

use mpac_deploy_core::time::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::aws_sim::wire::Refusal;

const NAMESPACE: &str = "https://route53.amazonaws.com/doc/2013-04-01/";

/// A record as the API knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[allow(missing_docs, reason = "each field is the element of its name")]
pub struct RecordSet {
    pub name: String,
    #[serde(rename = "Type")]
    pub kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_identifier: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failover: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multi_value_answer: Option<bool>,
    #[serde(rename = "TTL", skip_serializing_if = "Option::is_none")]
    pub ttl: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_records: Option<ResourceRecords>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias_target: Option<AliasTarget>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traffic_policy_instance_id: Option<String>,
}

/// Where an alias points.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[allow(missing_docs, reason = "each field is the element of its name")]
pub struct AliasTarget {
    pub hosted_zone_id: String,
    #[serde(rename = "DNSName")]
    pub dns_name: String,
    pub evaluate_target_health: bool,
}

/// The values of a record that is not an alias.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each field is the element of its name")]
pub struct ResourceRecords {
    #[serde(rename = "ResourceRecord", default)]
    pub records: Vec<ResourceRecord>,
}

/// A value of a record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "each field is the element of its name")]
pub struct ResourceRecord {
    pub value: String,
}

impl RecordSet {
    /// A weighted alias of type A, to a load balancer of its own that is named after the set.
    #[must_use]
    pub fn weighted_alias(name: &str, set: &str, weight: i64) -> Self {
        Self {
            name: name.into(),
            kind: "A".into(),
            set_identifier: Some(set.into()),
            weight: Some(weight),
            alias_target: Some(AliasTarget {
                hosted_zone_id: "Z35SXDOTRQ7X7K".into(),
                dns_name: format!("dualstack.{set}.us-east-1.elb.amazonaws.com."),
                evaluate_target_health: true,
            }),
            ..Self::default()
        }
    }
}

/// What a change does with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "each variant is the action of its name")]
pub enum ChangeAction {
    Create,
    Delete,
    Upsert,
}

/// How far a change has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum ChangeStatus {
    /// Not on every name server.
    #[serde(rename = "PENDING")]
    Pending,
    /// On every name server.
    #[serde(rename = "INSYNC")]
    InSync,
}

/// A batch that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedChange {
    /// The id, without `/change/`.
    pub id: String,
    /// The hosted zone.
    pub zone: String,
    /// When.
    pub at: Timestamp,
    /// What the batch says of itself.
    pub comment: Option<String>,
    /// What was done, in order.
    pub changes: Vec<(ChangeAction, RecordSet)>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ChangeRequest {
    #[serde(rename = "ChangeBatch")]
    pub(super) batch: ChangeBatch,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ChangeBatch {
    pub(super) comment: Option<String>,
    pub(super) changes: Changes,
}

#[derive(Debug, Deserialize)]
pub(super) struct Changes {
    #[serde(rename = "Change", default)]
    pub(super) changes: Vec<Change>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Change {
    pub(super) action: ChangeAction,
    #[serde(rename = "ResourceRecordSet")]
    pub(super) record: RecordSet,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ChangeInfo {
    id: String,
    status: ChangeStatus,
    submitted_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
}

impl ChangeInfo {
    pub(super) fn new(change: &AcceptedChange, status: ChangeStatus) -> Self {
        Self {
            id: format!("/change/{}", change.id),
            status,
            submitted_at: change.at,
            comment: change.comment.clone(),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename = "ChangeResourceRecordSetsResponse")]
pub(super) struct ChangeResponse {
    #[serde(rename = "ChangeInfo")]
    pub(super) info: ChangeInfo,
}

#[derive(Debug, Serialize)]
#[serde(rename = "GetChangeResponse")]
pub(super) struct GetChangeResponse {
    #[serde(rename = "ChangeInfo")]
    pub(super) info: ChangeInfo,
}

#[derive(Debug, Serialize)]
#[serde(rename = "ListResourceRecordSetsResponse", rename_all = "PascalCase")]
pub(super) struct ListResponse {
    resource_record_sets: RecordSets,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_record_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_record_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_record_identifier: Option<String>,
    max_items: usize,
}

#[derive(Debug, Serialize)]
struct RecordSets {
    #[serde(rename = "ResourceRecordSet")]
    records: Vec<RecordSet>,
}

impl ListResponse {
    /// A page, and the record with which the next one begins.
    pub(super) fn new(records: Vec<RecordSet>, max_items: usize, next: Option<RecordSet>) -> Self {
        let is_truncated = next.is_some();
        let (name, kind, set) = match next {
            Some(next) => (Some(next.name), Some(next.kind), next.set_identifier),
            None => (None, None, None),
        };
        Self {
            resource_record_sets: RecordSets { records },
            is_truncated,
            next_record_name: name,
            next_record_type: kind,
            next_record_identifier: set,
            max_items,
        }
    }
}

/// An answer as a document.
pub(super) fn document(answer: &impl Serialize) -> Result<Vec<u8>, Refusal> {
    let xml = quick_xml::se::to_string(answer)
        .map_err(|error| Refusal::new(500, "InternalFailure", error.to_string()))?;
    // The namespace belongs to the root, which ends with the first `>`.
    let root = xml.replacen('>', &format!(" xmlns=\"{NAMESPACE}\">"), 1);
    Ok(format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{root}").into_bytes())
}

/// The body of a request.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    quick_xml::de::from_reader(body)
        .map_err(|error| Refusal::new(400, "MalformedInput", format!("Could not parse XML: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let record = RecordSet::weighted_alias("api.example.com.", "blue & green", 5);
        let xml = quick_xml::se::to_string_with_root("ResourceRecordSet", &record).unwrap();
        assert_eq!(quick_xml::de::from_str::<RecordSet>(&xml).unwrap(), record);
    }
}
