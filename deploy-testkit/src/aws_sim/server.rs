//! The socket: one request, its fault, its answer.

use std::io;
use std::sync::Arc;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::fault::{CallFault, CallRecord, Operation};
use super::{Shared, route53};

/// An answer or a refusal, before it is sent.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) code: Option<String>,
    pub(super) body: String,
}

/// A request that has been read.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) body: Bytes,
    signed: bool,
}

/// Accepts connections until it is dropped.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        // An accept that fails is one client's loss.
        if let Ok((stream, _)) = listener.accept().await {
            connections.spawn(connection(stream, Arc::clone(&shared)));
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move { respond(&shared, request).await }
    });
    // A connection ends with an error whenever a script has cut it.
    drop(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
}

async fn respond(shared: &Shared, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
    let call = read(request).await?;
    let operation = route53::operation(&call);
    let fault = operation.map_or(CallFault::Pass, |operation| shared.account.get().script.next(operation));
    if fault == CallFault::CutBefore {
        note(shared, operation, None);
        return Err(cut());
    }
    let answer = struck(&fault).unwrap_or_else(|| answer(shared, operation, &call));
    let sent = (fault != CallFault::CutAfter).then_some(&answer);
    note(shared, operation, sent);
    if let CallFault::Delay(delay) = fault {
        tokio::time::sleep(delay).await;
    }
    if fault == CallFault::CutAfter { Err(cut()) } else { Ok(response(answer)) }
}

async fn read(request: Request<Incoming>) -> io::Result<Call> {
    let (head, body) = request.into_parts();
    let signature = head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let signed = signature.starts_with("AWS4-HMAC-SHA256 Credential=");
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    Ok(Call {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        body,
        signed,
    })
}

/// The answer that a fault gives in place of the API's.
fn struck(fault: &CallFault) -> Option<Answer> {
    match fault {
        CallFault::Throttle => Some(route53::refusal(400, "Throttling", "Rate exceeded")),
        CallFault::ServerError => {
            Some(route53::refusal(500, "InternalFailure", "An internal error has occurred"))
        }
        CallFault::Refuse { status, code, message } => Some(route53::refusal(*status, code, message)),
        CallFault::Pass | CallFault::Delay(_) | CallFault::CutBefore | CallFault::CutAfter => None,
    }
}

fn answer(shared: &Shared, operation: Option<Operation>, call: &Call) -> Answer {
    if !call.signed {
        return route53::refusal(403, "MissingAuthenticationToken", "Missing Authentication Token");
    }
    match operation {
        Some(operation) => route53::answer(shared, operation, call),
        None => {
            route53::refusal(404, "UnknownOperationException", "The simulated AWS does not know this call")
        }
    }
}

fn note(shared: &Shared, operation: Option<Operation>, sent: Option<&Answer>) {
    shared.account.get().calls.push(CallRecord {
        operation,
        status: sent.map(|answer| answer.status),
        code: sent.and_then(|answer| answer.code.clone()),
    });
}

fn response(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(answer.body)));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static("text/xml"));
    response
}

fn cut() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "cut by the fault script")
}
