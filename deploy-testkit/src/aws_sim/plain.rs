//! What is answered to whoever is no AWS client, as plain HTTP: the checks and the critical services of the world, and the calls so far.

use std::collections::BTreeMap;

use mpac_deploy_core::effect::CheckResult;
use mpac_deploy_core::metric::Metric;

use super::wire::{Answer, Call};
use super::{Bound, Shared};

const CHECKS: &str = "/world/checks/";
const PROBES: &str = "/world/probes/";
const CALLS: &str = "/world/calls";

/// The answer to a request that is not signed, if it is one of ours: `GET /world/checks/smoke`, `GET /world/probes/redis_up`,
/// `GET /world/calls`.
pub(super) fn answer(shared: &Shared, call: &Call) -> Option<Answer> {
    let bound = shared.bound.as_ref().filter(|_| call.signed_for.is_none())?;
    if let Some(check) = call.path.strip_prefix(CHECKS) {
        return Some(checked(bound, check));
    }
    if call.path == CALLS {
        return Some(counted(shared));
    }
    let service = call.path.strip_prefix(PROBES)?;
    let is_up = bound.world.answers(&Metric::from(service));
    Some(if is_up { said(200, "ok") } else { said(503, "it does not answer") })
}

fn checked(bound: &Bound, check: &str) -> Answer {
    match bound.world.finds(check) {
        Some(CheckResult::Passed) => said(200, "ok"),
        Some(CheckResult::Failed { detail }) => said(500, &detail),
        None => said(404, "there is no such check"),
    }
}

/// How often each call was made, by its name.
fn counted(shared: &Shared) -> Answer {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for operation in shared.account.get().calls.iter().filter_map(|call| call.operation) {
        *counts.entry(operation.name()).or_default() += 1;
    }
    let body = serde_json::to_vec(&counts).unwrap_or_default();
    Answer { content_type: "application/json", body, ..said(200, "") }
}

fn said(status: u16, text: &str) -> Answer {
    let body = format!("{text}\n").into_bytes();
    Answer { status, code: None, content_type: "text/plain", headers: Vec::new(), body }
}
