//! Calls over a real socket in virtual time: while one is under way, the clock stands still.
//!
//! tokio moves a paused clock on when nothing is left to do, and waiting for a socket is nothing to it. A blocking task that runs holds
//! the clock, so each exchange has one beside it, from its first byte to the last of the answer.

use std::sync::mpsc;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt as _;

/// A client whose exchanges take no time.
#[derive(Debug)]
pub(crate) struct Pinned(pub(crate) SharedHttpClient);

#[derive(Debug)]
struct Connector(SharedHttpConnector);

impl HttpClient for Pinned {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector(self.0.http_connector(settings, components)))
    }
}

impl HttpConnector for Connector {
    /// An exchange that has begun goes on by itself: who stands still in the middle of one must not hold the clock for everybody else.
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let inner = self.0.clone();
        let exchange = tokio::spawn(async move {
            let _pin = Pin::new();
            let mut answer = inner.call(request).await?;
            let body = std::mem::replace(answer.body_mut(), SdkBody::taken());
            let body = body.collect().await.map_err(ConnectorError::io)?;
            *answer.body_mut() = SdkBody::from(body.to_bytes());
            Ok(answer)
        });
        HttpConnectorFuture::new(async { exchange.await.map_err(|error| ConnectorError::io(error.into()))? })
    }
}

/// Holds the clock until it is dropped.
struct Pin {
    _hold: mpsc::Sender<()>,
}

impl Pin {
    fn new() -> Self {
        let (hold, released) = mpsc::channel();
        tokio::task::spawn_blocking(move || released.recv());
        Self { _hold: hold }
    }
}
