//! Alerts, blindness and loss of traffic (semantics 3.1, 3.7, 3.8; decisions 1 to 3).

use mpac_deploy_core::metric::{Metric, Side};
use mpac_deploy_core::time::Period;

use super::evidence::{self, Subject};
use super::{Kind, Seen, trigger};
use crate::recording::Recording;

/// The rule id of blindness.
const BLIND: &str = "blind";
/// While this many latest periods are all blind, promotion is held.
const BLIND_HOLDS: usize = 3;
/// When this many of the latest [`BLIND_OF`] periods are blind, the rollout rolls back.
const BLIND_ROLLS_BACK: usize = 10;
const BLIND_OF: usize = 15;

/// The rule id of loss of traffic.
const NO_TRAFFIC: &str = "no-traffic";
/// This many periods without requests raise the alert.
const NO_TRAFFIC_ALERTS: usize = 3;
/// This many roll back.
const NO_TRAFFIC_ROLLS_BACK: usize = 10;

/// The id of an alert, what it looks at, and what makes it hold.
type Alert = (&'static str, Subject, fn(f64) -> bool);

/// The alerts of the preset, in their order.
fn alerts() -> Vec<Alert> {
    vec![
        ("error-rate", Subject::ErrorRate, |rate| rate > 0.005),
        ("latency-p95", Subject::Metric(Metric::LatencyP95), |millis| millis > 1000.0),
        ("success-rate", Subject::SuccessRate, |rate| rate < 0.995),
        ("db-connection-errors", Subject::Metric(Metric::DbConnectionErrors), |count| count > 10.0),
        ("memory", Subject::Metric(Metric::MemoryUtilization), |share| share > 0.85),
    ]
}

/// The ids of the alerts that green has no metric for.
pub(super) fn skipped_alerts(recording: &Recording) -> Vec<&'static str> {
    alerts().into_iter().filter(|(_, subject, _)| subject.is_skipped(recording)).map(|(id, ..)| id).collect()
}

/// What begins or ceases to hold at the present period: alerts as listed, then `blind`, then `no-traffic`.
pub(super) fn notices(seen: Seen<'_>) -> Vec<(Kind, &'static str)> {
    let mut notices = Vec::new();
    for (id, subject, breaches) in alerts() {
        notices.extend(change(seen, |seen| is_alerting(seen, &subject, breaches)).map(|kind| (kind, id)));
    }
    if let Some(kind) = change(seen, is_held) {
        if kind == Kind::Alert {
            notices.push((Kind::Hold, BLIND));
        }
        notices.push((kind, BLIND));
    }
    let alerting = |seen: Seen<'_>| no_traffic_streak(seen) >= NO_TRAFFIC_ALERTS;
    notices.extend(change(seen, alerting).map(|kind| (kind, NO_TRAFFIC)));
    notices
}

/// A state that is worked out from what is seen, compared with the same at the end of the period before.
fn change(seen: Seen<'_>, holds: impl Fn(Seen<'_>) -> bool) -> Option<Kind> {
    match (seen.before().is_some_and(&holds), holds(seen)) {
        (false, true) => Some(Kind::Alert),
        (true, false) => Some(Kind::AlertCleared),
        (true, true) | (false, false) => None,
    }
}

/// An alert is what its latest `Value` makes it: a gap neither raises nor clears it.
fn is_alerting(seen: Seen<'_>, subject: &Subject, breaches: fn(f64) -> bool) -> bool {
    let mut values =
        seen.periods.iter().rev().filter_map(|period| subject.evidence(seen.recording, *period).value());
    values.next().is_some_and(breaches)
}

/// The rule, `blind` or else `no-traffic`, that rolls back at the present period.
pub(super) fn rolls_back(seen: Seen<'_>) -> Option<&'static str> {
    if trigger::watched(seen.recording).iter().any(|subject| {
        let blind = latest(seen, BLIND_OF)
            .iter()
            .filter(|period| subject.evidence(seen.recording, **period).is_blind());
        blind.count() >= BLIND_ROLLS_BACK
    }) {
        Some(BLIND)
    } else if no_traffic_streak(seen) >= NO_TRAFFIC_ROLLS_BACK {
        Some(NO_TRAFFIC)
    } else {
        None
    }
}

/// Whether the latest 3 periods are all blind for one of what is watched: then promotion is held.
pub(super) fn is_held(seen: Seen<'_>) -> bool {
    let latest = latest(seen, BLIND_HOLDS);
    latest.len() == BLIND_HOLDS
        && trigger::watched(seen.recording)
            .iter()
            .any(|subject| latest.iter().all(|period| subject.evidence(seen.recording, *period).is_blind()))
}

fn latest(seen: Seen<'_>, count: usize) -> &[Period] {
    let first = seen.periods.len().saturating_sub(count);
    seen.periods.get(first..).unwrap_or_default()
}

/// How many periods of `requests` = 0 came in a row since the last one above 0; none before the first one above 0.
fn no_traffic_streak(seen: Seen<'_>) -> usize {
    let requests = |period| evidence::of(seen.recording, Side::Green, &Metric::Requests, period).value();
    let values: Vec<f64> = seen.periods.iter().filter_map(|period| requests(*period)).collect();
    match values.iter().rposition(|count| *count > 0.0) {
        Some(last_traffic) => values.len() - last_traffic - 1,
        None => 0,
    }
}
