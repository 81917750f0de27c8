//! A request and the status of its answer.

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::Uri;
use hyper::body::Bytes;
use hyper::header::USER_AGENT;

use super::{AskError, Found};
use crate::http::{self, READ_BYTES, causes, quoted};

pub(super) type Client = http::Client<Empty<Bytes>>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) uri: Uri,
    pub(super) expected: u16,
}

impl Request {
    pub(super) fn get(url: &str) -> Result<Self, AskError> {
        let uri = http::url(url).ok_or_else(|| AskError::Url { url: url.into() })?;
        Ok(Self { uri, expected: 200 })
    }
}

pub(super) fn client() -> Result<Client, AskError> {
    http::client().map_err(|error| AskError::Certificates(error.to_string()))
}

pub(super) async fn ask(client: &Client, request: &Request) -> Found {
    let uri = &request.uri;
    let built = hyper::Request::get(uri.clone()).header(USER_AGENT, "mpac-deploy").body(Empty::new());
    let built = match built {
        Ok(built) => built,
        Err(error) => return Found::Never(format!("GET {uri}: {error}")),
    };
    let answer = match client.request(built).await {
        Ok(answer) => answer,
        Err(error) => return Found::Nobody(format!("GET {uri}: {}", causes(&error))),
    };
    let status = answer.status();
    if status.as_u16() == request.expected {
        return Found::Yes;
    }
    // An answer that is too long or breaks off says no more than its status.
    let body = Limited::new(answer.into_body(), READ_BYTES).collect().await;
    let body = body.map(|body| quoted(&body.to_bytes())).unwrap_or_default();
    Found::No(format!("GET {uri} answered {status} where {} was expected{body}", request.expected))
}
