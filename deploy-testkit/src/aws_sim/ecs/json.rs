//! Requests and answers as JSON.

use mpac_deploy_core::time::Timestamp;
use serde_json::{Map, Value};

use super::super::wire::{Call, Refusal};
use super::invalid;

/// The members of a request or of an object in it.
pub(in crate::aws_sim) struct Given(pub(in crate::aws_sim) Map<String, Value>);

impl Given {
    pub(in crate::aws_sim) fn of(call: &Call) -> Result<Self, Refusal> {
        let body = if call.body.is_empty() { b"{}".as_slice() } else { &call.body };
        match serde_json::from_slice(body) {
            Ok(Value::Object(members)) => Ok(Self(members)),
            Ok(_) | Err(_) => {
                Err(Refusal::new(400, "SerializationException", "The request is no JSON object"))
            }
        }
    }

    pub(in crate::aws_sim) fn text(&self, name: &str) -> Option<&str> {
        text(&self.0, name)
    }

    /// A text that the call cannot do without.
    pub(in crate::aws_sim) fn needed(&self, name: &str) -> Result<&str, Refusal> {
        self.text(name)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| invalid(format!("{name} can not be blank.")))
    }

    pub(in crate::aws_sim) fn count(&self, name: &str) -> Result<Option<u32>, Refusal> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(number) => number
                .as_u64()
                .and_then(|number| u32::try_from(number).ok())
                .map(Some)
                .ok_or_else(|| invalid(format!("{name} must be a whole number of at least 0"))),
        }
    }

    /// The texts of a list.
    pub(in crate::aws_sim) fn texts(&self, name: &str) -> Vec<&str> {
        list(&self.0, name).iter().filter_map(Value::as_str).collect()
    }

    pub(in crate::aws_sim) fn is(&self, name: &str) -> bool {
        flag(&self.0, name)
    }

    pub(in crate::aws_sim) fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| !value.is_null())
    }
}

pub(in crate::aws_sim) fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    members.get(name).and_then(Value::as_str)
}

pub(in crate::aws_sim) fn list<'a>(members: &'a Map<String, Value>, name: &str) -> &'a [Value] {
    members.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

pub(in crate::aws_sim) fn flag(members: &Map<String, Value>, name: &str) -> bool {
    members.get(name).and_then(Value::as_bool).unwrap_or(false)
}

/// A moment as seconds since 1970, with its milliseconds.
pub(in crate::aws_sim) fn time(at: Timestamp) -> Value {
    #[allow(clippy::cast_precision_loss, reason = "milliseconds since 1970 are far below 2^53")]
    let millis = at.as_millis() as f64;
    Value::from(millis / 1000.0)
}

pub(in crate::aws_sim) fn answer(value: &Value) -> Result<Vec<u8>, Refusal> {
    serde_json::to_vec(value).map_err(|error| Refusal::new(500, "ServerException", error.to_string()))
}
