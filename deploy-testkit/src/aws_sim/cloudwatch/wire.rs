//! The CBOR of the API.

use ciborium::Value;
use mpac_deploy_core::time::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::aws_sim::wire::Refusal;

/// The tag of a time in seconds since the Unix epoch.
const EPOCH_TAG: u64 = 1;

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetRequest {
    #[serde(default)]
    pub(super) metric_data_queries: Vec<Query>,
    pub(super) start_time: Value,
    pub(super) end_time: Value,
    pub(super) next_token: Option<String>,
    pub(super) scan_by: Option<String>,
    pub(super) max_datapoints: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Query {
    pub(super) id: Option<String>,
    pub(super) metric_stat: Option<MetricStat>,
    pub(super) expression: Option<String>,
    pub(super) label: Option<String>,
    pub(super) return_data: Option<bool>,
    pub(super) account_id: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct MetricStat {
    pub(super) metric: Metric,
    pub(super) period: i64,
    pub(super) stat: String,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Metric {
    pub(super) namespace: Option<String>,
    pub(super) metric_name: Option<String>,
    #[serde(default)]
    pub(super) dimensions: Vec<Dimension>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Dimension {
    pub(super) name: String,
    pub(super) value: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PutRequest {
    pub(super) namespace: String,
    #[serde(default)]
    pub(super) metric_data: Vec<Datum>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Datum {
    pub(super) metric_name: String,
    #[serde(default)]
    pub(super) dimensions: Vec<Dimension>,
    pub(super) timestamp: Option<Value>,
    pub(super) value: Option<f64>,
    #[serde(default)]
    pub(super) values: Vec<f64>,
    #[serde(default)]
    pub(super) counts: Vec<f64>,
    pub(super) statistic_values: Option<Value>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetResponse {
    pub(super) metric_data_results: Vec<QueryResult>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_token: Option<String>,
    pub(super) messages: Vec<Message>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct QueryResult {
    pub(super) id: String,
    pub(super) label: String,
    pub(super) timestamps: Vec<Value>,
    pub(super) values: Vec<f64>,
    pub(super) status_code: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) messages: Vec<Message>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Message {
    pub(super) code: &'static str,
    pub(super) value: String,
}

/// The body of a request.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    ciborium::from_reader(body).map_err(|error| {
        Refusal::new(400, "SerializationException", format!("Could not parse CBOR: {error}"))
    })
}

/// An answer. Floats are written as short as they can be without loss, which every receiver has to read.
pub(super) fn document(answer: &impl Serialize) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    ciborium::into_writer(answer, &mut bytes)
        .map_err(|error| Refusal::new(500, "InternalServiceFault", error.to_string()))?;
    Ok(bytes)
}

/// A time as it is written.
pub(super) fn timestamp(seconds: i64) -> Value {
    Value::Tag(EPOCH_TAG, Box::new(Value::Integer(seconds.into())))
}

/// A time as it was written: tagged, in seconds.
pub(super) fn time(name: &str, value: &Value) -> Result<Timestamp, Refusal> {
    let tagged = value.as_tag().filter(|(tag, _)| *tag == EPOCH_TAG).map(|(_, inner)| inner);
    let whole = || tagged.and_then(Value::as_integer).and_then(|seconds| i64::try_from(seconds).ok());
    let broken = || tagged.and_then(Value::as_float).filter(|seconds| seconds.is_finite());
    let time = whole().map(Timestamp::from_secs).or_else(|| broken().map(in_millis));
    time.ok_or_else(|| {
        Refusal::new(400, "SerializationException", format!("{name} is no timestamp: CBOR tag 1 is expected"))
    })
}

#[allow(clippy::cast_possible_truncation, reason = "a cast to an integer saturates, as the timestamp does")]
fn in_millis(seconds: f64) -> Timestamp {
    Timestamp::from_millis(libm::round(seconds * 1000.0) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written down by hand from RFC 8949 and the page on Smithy RPC v2 CBOR.
    #[test]
    fn an_answer_is_written_as_the_protocol_has_it() {
        let result = QueryResult {
            id: "q0".into(),
            label: "x".into(),
            timestamps: vec![timestamp(1_769_590_800)],
            values: vec![0.1],
            status_code: "Complete",
            messages: Vec::new(),
        };
        let answer =
            GetResponse { metric_data_results: vec![result], next_token: None, messages: Vec::new() };
        let mut expected = vec![0xa2, 0x71];
        expected.extend(b"MetricDataResults");
        expected.extend([0x81, 0xa5, 0x62]);
        expected.extend(b"Id\x62q0\x65Label\x61x");
        expected.push(0x6a);
        expected.extend(b"Timestamps");
        expected.extend([0x81, 0xc1, 0x1a]);
        expected.extend(1_769_590_800_u32.to_be_bytes());
        expected.extend(b"\x66Values");
        expected.extend([0x81, 0xfb]);
        expected.extend(0.1_f64.to_be_bytes());
        expected.extend(b"\x6aStatusCode\x68Complete\x68Messages\x80");
        assert_eq!(document(&answer).unwrap(), expected);
    }

    #[test]
    fn a_time_is_tagged_whole_or_broken() {
        let tagged = |value| Value::Tag(EPOCH_TAG, Box::new(value));
        let whole = time("StartTime", &timestamp(60)).unwrap();
        assert_eq!(whole, Timestamp::from_secs(60));
        let broken = time("StartTime", &tagged(Value::Float(60.5))).unwrap();
        assert_eq!(broken, Timestamp::from_millis(60_500));
        assert!(time("StartTime", &Value::Integer(60.into())).is_err());
        assert!(time("StartTime", &tagged(Value::Text("now".into()))).is_err());
    }
}
