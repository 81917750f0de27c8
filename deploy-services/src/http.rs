//! The HTTP client that checks and notices share.

use std::error::Error;

use hyper::Uri;
use hyper::body::Body;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

pub(crate) type Client<B> = legacy::Client<HttpsConnector<HttpConnector>, B>;

/// How much of an answer is repeated.
const QUOTED_CHARS: usize = 200;

/// How much of an answer is read to say what was wrong.
pub(crate) const READ_BYTES: usize = 64 * 1024;

/// A client that speaks HTTP, and HTTPS by the certificates of the machine.
pub(crate) fn client<B>() -> std::io::Result<Client<B>>
where
    B: Body + Send,
    B::Data: Send,
{
    let connector = HttpsConnectorBuilder::new()
        .with_provider_and_native_roots(rustls::crypto::ring::default_provider())?
        .https_or_http()
        .enable_http1()
        .build();
    Ok(legacy::Client::builder(TokioExecutor::new()).build(connector))
}

/// The URL, if it is one of http or https with a host.
pub(crate) fn url(text: &str) -> Option<Uri> {
    let uri: Uri = text.parse().ok()?;
    let speaks = matches!(uri.scheme_str(), Some("http" | "https"));
    (speaks && uri.host().is_some_and(|host| !host.is_empty())).then_some(uri)
}

/// The start of an answer's body, after a colon; nothing of an empty one.
pub(crate) fn quoted(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let start: String = text.trim().chars().take(QUOTED_CHARS).collect();
    if start.is_empty() { start } else { format!(": {start}") }
}

/// hyper's errors say what failed, and their sources why.
pub(crate) fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
