//! The socket: one request, its fault, its answer.

use std::io;
use std::sync::Arc;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::fault::{CallFault, CallRecord};
use super::operation::{Operation, Service};
use super::wire::{Answer, Call, Protocol, Refusal};
use super::{Shared, dispatch, iam, plain, route53, s3};

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
    if let Some(answer) = plain::answer(shared, &call) {
        return Ok(response(answer));
    }
    let service = call.signed_for.as_deref().and_then(Service::signed_for);
    let operation = service.and_then(|service| operation(service, &call));
    let fault = operation.map_or(CallFault::Pass, |operation| shared.fault(operation));
    if fault == CallFault::CutBefore {
        note(shared, operation, None);
        return Err(cut());
    }
    let answer = match (service, operation) {
        (Some(service), Some(operation)) => answer(shared, service, operation, &fault, &call),
        (service, _) => unknown(service, &call),
    };
    let sent = (fault != CallFault::CutAfter).then_some(&answer);
    note(shared, operation, sent);
    if let CallFault::Delay(delay) = fault {
        tokio::time::sleep(delay).await;
    }
    if fault == CallFault::CutAfter { Err(cut()) } else { Ok(response(answer)) }
}

async fn read(request: Request<Incoming>) -> io::Result<Call> {
    let (head, body) = request.into_parts();
    let signed_for = header(&head.headers, AUTHORIZATION.as_str()).as_deref().and_then(service_of);
    let target = header(&head.headers, "x-amz-target");
    let smithy_protocol = header(&head.headers, "smithy-protocol");
    let if_none_match = header(&head.headers, "if-none-match");
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    Ok(Call {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        target,
        smithy_protocol,
        if_none_match,
        signed_for,
        body,
    })
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// The service in the scope of a signature: `AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, ...`.
fn service_of(signature: &str) -> Option<String> {
    let scope = signature.strip_prefix("AWS4-HMAC-SHA256 Credential=")?.split(',').next()?;
    scope.rsplit('/').nth(1).map(str::to_owned)
}

fn operation(service: Service, call: &Call) -> Option<Operation> {
    match service {
        Service::Route53 => route53::operation(call),
        Service::S3 => s3::operation(call),
        Service::Ecs
        | Service::ElasticLoadBalancing
        | Service::ApplicationAutoScaling
        | Service::CloudWatch
        | Service::DynamoDb
        | Service::Sts
        | Service::Iam
        | Service::Sns => Operation::named(service, &service.protocol().call_name(call)?),
    }
}

/// The answer that a fault gives in place of the API's, or the API's.
fn answer(shared: &Shared, service: Service, operation: Operation, fault: &CallFault, call: &Call) -> Answer {
    let protocol = service.protocol();
    let result = match fault {
        CallFault::Throttle => Err(Refusal::new(400, service.throttles_with(), "Rate exceeded")),
        CallFault::ServerError => {
            Err(Refusal::new(500, service.fails_with(), "An internal error has occurred"))
        }
        CallFault::Refuse { status, code, message } => Err(Refusal::new(*status, code.clone(), message)),
        CallFault::Pass | CallFault::Delay(_) | CallFault::CutBefore | CallFault::CutAfter => {
            iam::allow(shared, operation).and_then(|()| dispatch::answer(shared, operation, call))
        }
    };
    match result {
        Ok(body) => protocol.answer(body),
        Err(refusal) => protocol.refuse(&refusal),
    }
}

fn unknown(service: Option<Service>, call: &Call) -> Answer {
    let protocol = service.map_or(Protocol::RestXml, Service::protocol);
    protocol.refuse(&if call.signed_for.is_some() {
        Refusal::new(404, "UnknownOperationException", "The simulated AWS does not know this call")
    } else {
        Refusal::new(403, "MissingAuthenticationToken", "Missing Authentication Token")
    })
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
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

fn cut() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "cut by the fault script")
}
