//! A request and the status of its answer.

use std::error::Error;

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::Uri;
use hyper::body::Bytes;
use hyper::header::USER_AGENT;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::{AskError, Found};

pub(super) type Client = legacy::Client<HttpsConnector<HttpConnector>, Empty<Bytes>>;

/// How much of an answer is read to say what was wrong.
const READ_BYTES: usize = 64 * 1024;
/// How much of it is repeated.
const QUOTED_CHARS: usize = 200;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) uri: Uri,
    pub(super) expected: u16,
}

impl Request {
    pub(super) fn get(url: &str) -> Result<Self, AskError> {
        let unfit = || AskError::Url { url: url.into() };
        let uri: Uri = url.parse().map_err(|_| unfit())?;
        let speaks = matches!(uri.scheme_str(), Some("http" | "https"));
        if speaks && uri.host().is_some_and(|host| !host.is_empty()) {
            Ok(Self { uri, expected: 200 })
        } else {
            Err(unfit())
        }
    }
}

pub(super) fn client() -> Result<Client, AskError> {
    let connector = HttpsConnectorBuilder::new()
        .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
        .map_err(|error| AskError::Certificates(error.to_string()))?
        .https_or_http()
        .enable_http1()
        .build();
    Ok(legacy::Client::builder(TokioExecutor::new()).build(connector))
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

fn quoted(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let start: String = text.trim().chars().take(QUOTED_CHARS).collect();
    if start.is_empty() { start } else { format!(": {start}") }
}

/// hyper's errors say what failed, and their sources why.
fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
