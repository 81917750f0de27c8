//! The triggers of the preset (semantics 3.1 to 3.6 and 4).

use mpac_deploy_core::metric::Metric;

use super::Seen;
use super::evidence::Subject;
use crate::recording::Recording;

/// The metrics of the trigger `critical-service`; each is skipped, and can be blind, by itself.
const CRITICAL_SERVICES: [Metric; 2] = [Metric::PostgresUp, Metric::RedisUp];

const ERROR_RATE_LIMIT: f64 = 0.01;
const LATENCY_LIMIT_MS: f64 = 2000.0;
const CONSECUTIVE: usize = 5;
const HTTP_5XX_LIMIT: f64 = 10.0;

/// What the triggers look at, in their order, without what is skipped: for each of these a period can be blind.
pub(super) fn watched(recording: &Recording) -> Vec<Subject> {
    subjects()
        .into_iter()
        .map(|(_, subject)| subject)
        .filter(|subject| !subject.is_skipped(recording))
        .collect()
}

/// The ids of what is skipped.
pub(super) fn skipped(recording: &Recording) -> Vec<&'static str> {
    subjects().into_iter().filter(|(_, subject)| subject.is_skipped(recording)).map(|(id, _)| id).collect()
}

fn subjects() -> Vec<(&'static str, Subject)> {
    vec![
        ("error-rate", Subject::ErrorRate),
        ("latency-p95", Subject::Metric(Metric::LatencyP95)),
        ("postgres_up", Subject::Metric(Metric::PostgresUp)),
        ("redis_up", Subject::Metric(Metric::RedisUp)),
        ("http-5xx", Subject::Metric(Metric::Http5xx)),
    ]
}

/// The first trigger that fires at the present period.
pub(super) fn fired(seen: Seen<'_>) -> Option<&'static str> {
    let latency = Subject::Metric(Metric::LatencyP95);
    if fires_consecutively(seen, &Subject::ErrorRate, ERROR_RATE_LIMIT) {
        Some("error-rate")
    } else if fires_consecutively(seen, &latency, LATENCY_LIMIT_MS) {
        Some("latency-p95")
    } else if CRITICAL_SERVICES.into_iter().any(|up| present_value(seen, up) == Some(0.0)) {
        Some("critical-service")
    } else if present_value(seen, Metric::Http5xx).is_some_and(|count| count > HTTP_5XX_LIMIT) {
        Some("http-5xx")
    } else {
        None
    }
}

fn present_value(seen: Seen<'_>, metric: Metric) -> Option<f64> {
    Subject::Metric(metric).evidence(seen.recording, seen.present()).value()
}

/// "Fires at a period with a `Value` that breaches when the n latest `Value`s all breach. Periods without a `Value`
/// neither extend nor reset the run, but n or more of them in a row end it."
fn fires_consecutively(seen: Seen<'_>, subject: &Subject, limit: f64) -> bool {
    if subject.evidence(seen.recording, seen.present()).value().is_none() {
        return false;
    }
    let (mut run, mut gap) = (0, 0);
    for period in seen.periods.iter().rev() {
        match subject.evidence(seen.recording, *period).value() {
            Some(value) if value > limit => (run, gap) = (run + 1, 0),
            Some(_) => return false,
            None => gap += 1,
        }
        if run == CONSECUTIVE {
            return true;
        }
        if gap == CONSECUTIVE {
            return false;
        }
    }
    false
}
