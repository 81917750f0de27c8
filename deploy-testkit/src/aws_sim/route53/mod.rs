//! Route 53, as its REST-XML API answers.

mod change;
mod wire;
mod zone;

use mpac_deploy_core::port::Clock;
use mpac_deploy_core::time::Timestamp;

pub use wire::{
    AcceptedChange, AliasTarget, ChangeAction, ChangeStatus, RecordSet, ResourceRecord, ResourceRecords,
};
pub(super) use zone::{Zone, canonical};

use super::Shared;
use super::operation::Operation;
use super::wire::{Call, Refusal, parameter};
use wire::{ChangeInfo, ChangeRequest, ChangeResponse, GetChangeResponse, ListResponse};

const PREFIX: &str = "/2013-04-01/";

/// How many records AWS lists on a page at most.
const PAGE: usize = 300;

fn no_such_zone(id: &str) -> Refusal {
    Refusal::new(404, "NoSuchHostedZone", format!("No hosted zone found with ID: {id}"))
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

/// The zone or the change that the path names.
fn id(call: &Call) -> &str {
    call.path.strip_prefix(PREFIX).and_then(|path| path.split('/').nth(1)).unwrap_or_default()
}

pub(super) fn list(shared: &Shared, call: &Call) -> Result<Vec<u8>, Refusal> {
    let (id, asked) = (id(call), |key| parameter(&call.query, key));
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
    let zone = account.zones.get(id).ok_or_else(|| no_such_zone(id))?;
    let mut found: Vec<RecordSet> = zone.records_from(&from).take(limit + 1).cloned().collect();
    let next = (found.len() > limit).then(|| found.pop()).flatten();
    wire::document(&ListResponse::new(found, limit, next))
}

pub(super) fn change(shared: &Shared, call: &Call) -> Result<Vec<u8>, Refusal> {
    let request: ChangeRequest = wire::parse(&call.body)?;
    let id = id(call);
    let now = shared.clock.now();
    let mut guard = shared.account.get();
    let account = &mut *guard;
    let zone = account.zones.get_mut(id).ok_or_else(|| no_such_zone(id))?;
    if zone.busy_until.is_some_and(|until| now < until) {
        let message = "The request was rejected because Route 53 was still processing a prior request.";
        return Err(Refusal::new(400, "PriorRequestNotComplete", message));
    }
    let changes = request.batch.changes.changes;
    change::apply(zone, &changes)?;
    if let Some(bound) = &shared.bound {
        bound.records_changed(id, zone.records());
    }
    zone.busy_until = Some(now.after(shared.settings.zone_busy));
    let accepted = AcceptedChange {
        id: format!("C{:020}", account.changes.len() + 1),
        zone: id.into(),
        at: now,
        comment: request.batch.comment,
        changes: changes.into_iter().map(|change| (change.action, change.record)).collect(),
    };
    account.in_sync_at.push(now.after(shared.settings.pending));
    account.changes.push(accepted.clone());
    wire::document(&ChangeResponse {
        info: ChangeInfo::new(&accepted, status(account.in_sync_at.last(), now)),
    })
}

pub(super) fn get_change(shared: &Shared, call: &Call) -> Result<Vec<u8>, Refusal> {
    let id = id(call);
    let account = shared.account.get();
    let place = account.changes.iter().position(|change| change.id == id);
    let place = place
        .ok_or_else(|| Refusal::new(404, "NoSuchChange", format!("Could not find resource with ID: {id}")))?;
    let change = account.changes.get(place);
    let change = change.ok_or_else(|| Refusal::new(500, "InternalFailure", "a change was lost"))?;
    wire::document(&GetChangeResponse {
        info: ChangeInfo::new(change, status(account.in_sync_at.get(place), shared.clock.now())),
    })
}

fn status(in_sync_at: Option<&Timestamp>, now: Timestamp) -> ChangeStatus {
    if in_sync_at.is_some_and(|at| *at <= now) { ChangeStatus::InSync } else { ChangeStatus::Pending }
}
