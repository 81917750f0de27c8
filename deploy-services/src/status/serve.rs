//! A server with the limits that a router cannot set.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// How long the headers of a request may take; on a connection that is kept, also the time to the next request.
const HEADERS_WITHIN: Duration = Duration::from_secs(10);

/// How long a connection lives at most. A browser that watches comes back by itself, one that does not read any more is let go.
const LIFE: Duration = Duration::from_secs(10 * 60);

/// Connections at once; the next one waits.
const CONNECTIONS: usize = 128;

/// The longest head of a request.
const HEAD_BYTES: usize = 16 * 1024;

/// The pause after a connection could not be accepted, as when there are too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves a router on a listener until the future is dropped, with limits for slow clients: ten seconds for a request's head of at most 16 KiB, ten minutes for a
/// connection, 128 connections. Bind it to a loopback address unless something in front of it says who may come.
pub async fn serve(listener: TcpListener, router: Router) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        // Never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "connection not accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let router = router.clone();
        connections.spawn(async move {
            let _place = place;
            // A client that was too slow or went away is no matter of ours.
            drop(tokio::time::timeout(LIFE, connection(stream, router)).await);
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn connection(stream: TcpStream, router: Router) -> Result<(), hyper::Error> {
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .await
}
