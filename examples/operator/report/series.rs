//! The charts of a story, as data.

use mpac_deploy_core::metric::{Metric, Side, Signal};
use mpac_deploy_core::time::Timestamp;

use super::story::{Minute, Sample, Story};
use crate::limits::{self, Limit};

/// So many points are as many as a screen can show.
const MAX_POINTS: usize = 500;

/// A chart of both sides against the limits of the policy.
#[derive(Clone, Debug)]
pub(super) struct Chart {
    /// For links and tests.
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) unit: &'static str,
    pub(super) blue: Vec<Segment>,
    pub(super) green: Vec<Segment>,
    pub(super) limits: Vec<Limit>,
}

/// A line without a gap.
pub(super) type Segment = Vec<(Timestamp, f64)>;

impl Chart {
    /// The largest value of both sides.
    pub(super) fn max(&self) -> f64 {
        let points = self.blue.iter().chain(&self.green).flatten();
        points.map(|(_, value)| *value).fold(0.0, f64::max)
    }
}

/// The charts of everything that the story has values of.
pub(super) fn charts(story: &Story) -> Vec<Chart> {
    let errors = Signal::Rate { part: Metric::Errors, whole: Metric::Requests };
    let p95 = Signal::Metric(Metric::LatencyP95);
    let memory = Signal::Metric(Metric::MemoryUtilization);
    let chart = |id, title, unit, signal: Option<Signal>, value: fn(&Sample) -> Option<f64>| Chart {
        id,
        title,
        unit,
        blue: segments(&story.minutes, Side::Blue, value),
        green: segments(&story.minutes, Side::Green, value),
        limits: signal.map_or_else(Vec::new, |signal| limits::on(&story.policy, &signal)),
    };
    let all = [
        chart("error-rate", "Error rate", "%", Some(errors), error_rate),
        chart("latency", "Latency, 95th percentile", "ms", Some(p95), |sample| sample.latency_p95),
        chart("memory", "Memory", "%", Some(memory), |sample| sample.memory.map(|share| share * 100.0)),
        chart("requests", "Requests per minute", "", None, |sample| sample.requests),
    ];
    all.into_iter().filter(|chart| !chart.blue.is_empty() || !chart.green.is_empty()).collect()
}

fn error_rate(sample: &Sample) -> Option<f64> {
    let requests = sample.requests.filter(|requests| *requests > 0.0)?;
    Some(100.0 * sample.errors? / requests)
}

/// The lines of a side: one ends where a minute has no value. Of very long ones each point stands for several minutes and is
/// the highest of them, so that no peak is lost.
fn segments(minutes: &[Minute], side: Side, value: fn(&Sample) -> Option<f64>) -> Vec<Segment> {
    let per_point = minutes.len().div_ceil(MAX_POINTS).max(1);
    let mut segments: Vec<Segment> = Vec::new();
    let mut open = false;
    let mut before = None;
    for chunk in minutes.chunks(per_point) {
        let Some(first) = chunk.first() else { continue };
        let gap = before.is_some_and(|before| first.period > before);
        before = chunk.last().map(|last| last.period.next());
        let highest = chunk.iter().filter_map(|minute| value(minute.of(side))).reduce(f64::max);
        let point = highest.map(|highest| (first.period.start(), highest));
        match (point, segments.last_mut()) {
            (Some(point), Some(segment)) if open && !gap => segment.push(point),
            (Some(point), _) => segments.push(vec![point]),
            (None, _) => {}
        }
        open = point.is_some();
    }
    segments
}
