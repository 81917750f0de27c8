//! Requests and answers, and the protocols that they are written in.

use std::borrow::Cow;

use hyper::Method;
use hyper::body::Bytes;
use serde::Serialize;

/// What every answer says of itself.
pub(super) const REQUEST_ID: &str = "00000000-0000-4000-8000-000000000000";

/// How Smithy RPC v2 CBOR names itself.
const RPC_V2_CBOR: &str = "rpc-v2-cbor";

/// A request that has been read.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: String,
    /// The value of `X-Amz-Target`.
    pub(super) target: Option<String>,
    /// The value of `Smithy-Protocol`.
    pub(super) smithy_protocol: Option<String>,
    /// The value of `If-None-Match`.
    pub(super) if_none_match: Option<String>,
    /// The name of the service that the request was signed for; `None` if it is not signed.
    pub(super) signed_for: Option<String>,
    pub(super) body: Bytes,
}

impl Call {
    /// A parameter of a form in the body, decoded (protocol `query`).
    pub(super) fn form(&self, key: &str) -> Option<String> {
        parameter(std::str::from_utf8(&self.body).unwrap_or_default(), key)
    }
}

/// An answer or a refusal, before it is sent.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// AWS's code, if it is a refusal.
    pub(super) code: Option<String>,
    pub(super) content_type: &'static str,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

/// A refusal, before it is an answer.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: Cow<'static, str>,
    pub(super) message: String,
    /// What is sent in place of the protocol's own body.
    pub(super) body: Option<Vec<u8>>,
}

impl Refusal {
    pub(super) fn new(status: u16, code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into(), body: None }
    }

    /// The same refusal with a body that says more.
    pub(super) fn with_body(mut self, body: Vec<u8>) -> Self {
        self.body = Some(body);
        self
    }
}

/// How requests and answers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// Paths and XML.
    RestXml,
    /// Paths and bytes.
    S3,
    /// JSON, of this content type; the call is named by `X-Amz-Target`.
    Json(&'static str),
    /// Forms and XML; the call is named by `Action`.
    Query,
    /// Smithy RPC v2 CBOR; the call is named by the path.
    Cbor,
}

impl Protocol {
    /// The name of the call, but for REST, where it is in method and path.
    pub(super) fn call_name(self, call: &Call) -> Option<String> {
        match self {
            Self::RestXml | Self::S3 => None,
            Self::Json(_) => call.target.as_deref()?.rsplit('.').next().map(str::to_owned),
            Self::Query => call.form("Action"),
            Self::Cbor => {
                // The header is required, and one of the JSON protocols makes the request malformed.
                let is_cbor = call.smithy_protocol.as_deref() == Some(RPC_V2_CBOR) && call.target.is_none();
                let (service, name) = call.path.split_once("/operation/").filter(|_| is_cbor)?;
                service.contains("/service/").then(|| name.to_owned())
            }
        }
    }

    /// A good answer with this body.
    pub(super) fn answer(self, body: Vec<u8>) -> Answer {
        let headers = match self {
            Self::Cbor => vec![("smithy-protocol", RPC_V2_CBOR.to_owned())],
            Self::RestXml | Self::S3 | Self::Json(_) | Self::Query => Vec::new(),
        };
        Answer { status: 200, code: None, content_type: self.content_type(), headers, body }
    }

    /// A refusal as this protocol writes it. Text can always be written; without a body the client still has the status.
    pub(super) fn refuse(self, refusal: &Refusal) -> Answer {
        let (code, message) = (refusal.code.as_ref(), refusal.message.as_str());
        let body = refusal.body.clone().unwrap_or_else(|| match self {
            Self::RestXml | Self::Query => {
                let error = XmlErrorBody { kind: "Sender", code, message };
                let document = XmlError { error, request_id: REQUEST_ID };
                quick_xml::se::to_string(&document).map(String::into_bytes).unwrap_or_default()
            }
            Self::S3 => {
                let error = XmlErrorBody { kind: "Sender", code, message };
                let document = quick_xml::se::to_string_with_root("Error", &error);
                document.map(String::into_bytes).unwrap_or_default()
            }
            Self::Json(_) => serde_json::to_vec(&Error { code, message }).unwrap_or_default(),
            Self::Cbor => {
                let mut bytes = Vec::new();
                let written = ciborium::into_writer(&Error { code, message }, &mut bytes);
                if written.is_ok() { bytes } else { Vec::new() }
            }
        });
        let mut answer = self.answer(body);
        if self == Self::Cbor {
            // Where a service once spoke `query`, clients go by the code that it had there.
            let fault = if refusal.status < 500 { "Sender" } else { "Receiver" };
            answer.headers.push(("x-amzn-query-error", format!("{code};{fault}")));
        }
        Answer { status: refusal.status, code: Some(code.to_owned()), ..answer }
    }

    const fn content_type(self) -> &'static str {
        match self {
            Self::RestXml | Self::Query => "text/xml",
            Self::S3 => "application/xml",
            Self::Json(content_type) => content_type,
            Self::Cbor => "application/cbor",
        }
    }
}

/// How JSON and CBOR say what went wrong.
#[derive(Debug, Serialize)]
struct Error<'a> {
    #[serde(rename = "__type")]
    code: &'a str,
    message: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename = "ErrorResponse", rename_all = "PascalCase")]
struct XmlError<'a> {
    error: XmlErrorBody<'a>,
    request_id: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct XmlErrorBody<'a> {
    #[serde(rename = "Type")]
    kind: &'a str,
    code: &'a str,
    message: &'a str,
}

/// A parameter of a query or a form, decoded.
pub(super) fn parameter(query: &str, key: &str) -> Option<String> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.into_iter().find(|(name, _)| decoded(name) == key).map(|(_, value)| decoded(value))
}

pub(super) fn decoded(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = tail.get(..2).filter(|_| *first == b'%').and_then(hex);
        bytes.push(escaped.unwrap_or(if *first == b'+' { b' ' } else { *first }));
        rest = if escaped.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digits: &[u8]) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_decoded() {
        let query = "name=%5C052.example.com&type=A&identifier=blue%2Fgreen%&Names.member.1=a+b";
        assert_eq!(parameter(query, "name").as_deref(), Some("\\052.example.com"));
        assert_eq!(parameter(query, "identifier").as_deref(), Some("blue/green%"));
        assert_eq!(parameter(query, "Names.member.1").as_deref(), Some("a b"));
        assert_eq!(parameter(query, "maxitems"), None);
    }

    #[test]
    fn a_refusal_carries_its_code_in_every_protocol() {
        let refusal = Refusal::new(400, "Throttling", "Rate exceeded");
        for protocol in [
            Protocol::RestXml,
            Protocol::S3,
            Protocol::Json("application/json"),
            Protocol::Query,
            Protocol::Cbor,
        ] {
            let answer = protocol.refuse(&refusal);
            assert_eq!((answer.status, answer.code.as_deref()), (400, Some("Throttling")));
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            assert!(text.contains("Throttling") && text.contains("Rate exceeded"), "{protocol:?}: {text}");
        }
    }
}
