//! Route 53, as its REST-XML API answers.

mod change;
mod wire;
mod zone;

use mpac_deploy_core::port::{Clock, SystemClock};
use tokio::time::Instant;

pub use wire::{
    AcceptedChange, AliasTarget, ChangeAction, ChangeStatus, RecordSet, ResourceRecord, ResourceRecords,
};
pub(super) use zone::{Zone, canonical};

use super::Shared;
use super::fault::Operation;
use super::server::{Answer, Call};
use wire::{ChangeInfo, ChangeRequest, ChangeResponse, GetChangeResponse, ListResponse};

const PREFIX: &str = "/2013-04-01/";

/// How many records AWS lists on a page at most.
const PAGE: usize = 300;

/// A refusal, before it is an answer.
#[derive(Debug)]
struct Refusal {
    status: u16,
    code: &'static str,
    message: String,
}

impl Refusal {
    fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    fn no_such_zone(id: &str) -> Self {
        Self::new(404, "NoSuchHostedZone", format!("No hosted zone found with ID: {id}"))
    }
}

/// Which call it is, if it is one of ours.
pub(super) fn operation(call: &Call) -> Option<Operation> {
    let path = call.path.strip_prefix(PREFIX)?.trim_end_matches('/');
    let parts: Vec<&str> = path.split('/').collect();
    match (call.method.as_str(), parts.as_slice()) {
        ("GET", ["hostedzone", _, "rrset"]) => Some(Operation::ListResourceRecordSets),
        ("POST", ["hostedzone", _, "rrset"]) => Some(Operation::ChangeResourceRecordSets),
        ("GET", ["change", _]) => Some(Operation::GetChange),
        _ => None,
    }
}

pub(super) fn answer(shared: &Shared, operation: Operation, call: &Call) -> Answer {
    let id = call.path.strip_prefix(PREFIX).and_then(|path| path.split('/').nth(1)).unwrap_or_default();
    let result = match operation {
        Operation::ListResourceRecordSets => list(shared, id, &call.query),
        Operation::ChangeResourceRecordSets => change_records(shared, id, &call.body),
        Operation::GetChange => get_change(shared, id),
    };
    match result {
        Ok(body) => Answer { status: 200, code: None, body },
        Err(Refusal { status, code, message }) => refusal(status, code, &message),
    }
}

/// A refusal as AWS writes it.
pub(super) fn refusal(status: u16, code: &str, message: &str) -> Answer {
    Answer { status, code: Some(code.into()), body: wire::error(code, message) }
}

fn list(shared: &Shared, id: &str, query: &str) -> Result<String, Refusal> {
    let asked = |key| wire::parameter(query, key);
    let limit = match asked("maxitems") {
        None => PAGE,
        Some(text) => {
            text.parse().ok().filter(|limit| *limit > 0).map(|limit: usize| limit.min(PAGE)).ok_or_else(
                || Refusal::new(400, "InvalidInput", format!("Invalid value for maxitems: {text}")),
            )?
        }
    };
    let (name, kind, set) = (asked("name"), asked("type"), asked("identifier"));
    if (kind.is_some() && name.is_none()) || (set.is_some() && kind.is_none()) {
        let message = "The type needs a name, and the identifier a type";
        return Err(Refusal::new(400, "InvalidInput", message));
    }
    let from = zone::key(name.as_deref(), kind.as_deref(), set.as_deref());
    let account = shared.account.get();
    let zone = account.zones.get(id).ok_or_else(|| Refusal::no_such_zone(id))?;
    let mut found: Vec<RecordSet> = zone.records_from(&from).take(limit + 1).cloned().collect();
    let next = (found.len() > limit).then(|| found.pop()).flatten();
    wire::document(&ListResponse::new(found, limit, next))
}

fn change_records(shared: &Shared, id: &str, body: &[u8]) -> Result<String, Refusal> {
    let request: ChangeRequest = wire::parse(body)?;
    let now = Instant::now();
    let mut guard = shared.account.get();
    let account = &mut *guard;
    let zone = account.zones.get_mut(id).ok_or_else(|| Refusal::no_such_zone(id))?;
    if zone.busy_until.is_some_and(|until| now < until) {
        let message = "The request was rejected because Route 53 was still processing a prior request.";
        return Err(Refusal::new(400, "PriorRequestNotComplete", message));
    }
    let changes = request.batch.changes.changes;
    change::apply(zone, &changes)?;
    zone.busy_until = Some(now + shared.settings.zone_busy);
    let accepted = AcceptedChange {
        id: format!("C{:020}", account.changes.len() + 1),
        zone: id.into(),
        at: SystemClock.now(),
        comment: request.batch.comment,
        changes: changes.into_iter().map(|change| (change.action, change.record)).collect(),
    };
    account.in_sync_at.push(now + shared.settings.pending);
    account.changes.push(accepted.clone());
    wire::document(&ChangeResponse { info: ChangeInfo::new(&accepted, status(account.in_sync_at.last())) })
}

fn get_change(shared: &Shared, id: &str) -> Result<String, Refusal> {
    let account = shared.account.get();
    let place = account.changes.iter().position(|change| change.id == id);
    let place = place
        .ok_or_else(|| Refusal::new(404, "NoSuchChange", format!("Could not find resource with ID: {id}")))?;
    let change = account.changes.get(place);
    let change = change.ok_or_else(|| Refusal::new(500, "InternalFailure", "a change was lost"))?;
    wire::document(&GetChangeResponse {
        info: ChangeInfo::new(change, status(account.in_sync_at.get(place))),
    })
}

fn status(in_sync_at: Option<&Instant>) -> ChangeStatus {
    if in_sync_at.is_some_and(|at| *at <= Instant::now()) {
        ChangeStatus::InSync
    } else {
        ChangeStatus::Pending
    }
}
