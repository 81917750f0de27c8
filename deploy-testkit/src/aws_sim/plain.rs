//! What the simulated world answers to whoever is no AWS client: its checks and its critical services, as plain HTTP.

use mpac_deploy_core::effect::CheckResult;
use mpac_deploy_core::metric::Metric;

use super::wire::{Answer, Call};
use super::{Bound, Shared};

const CHECKS: &str = "/world/checks/";
const PROBES: &str = "/world/probes/";

/// The answer to a request that is not signed, if it is one of ours: `GET /world/checks/smoke`, `GET /world/probes/redis_up`.
pub(super) fn answer(shared: &Shared, call: &Call) -> Option<Answer> {
    let bound = shared.bound.as_ref().filter(|_| call.signed_for.is_none())?;
    if let Some(check) = call.path.strip_prefix(CHECKS) {
        return Some(checked(bound, check));
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

fn said(status: u16, text: &str) -> Answer {
    let body = format!("{text}\n").into_bytes();
    Answer { status, code: None, content_type: "text/plain", headers: Vec::new(), body }
}
