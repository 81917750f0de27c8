//! What the semantics page and `decisions.md` say, one fact each.

mod blindness;
mod evidence;
mod gates;
mod notices;
mod stages;
mod triggers;

use std::ops::Range;

use mpac_deploy_core::metric::{Metric, Side};
use mpac_deploy_core::time::Timestamp;

use super::{ReferenceOutcome, backtest};
use crate::recording::Draft;

use Side::{Blue, Green};

/// The replay of a draft.
fn replay(draft: Draft) -> ReferenceOutcome {
    backtest(&draft.build().unwrap())
}

/// Every decision and notice as kind, stage, rule and the minutes from the replay's start to the end of its evidence.
fn decisions(draft: Draft) -> Vec<String> {
    let recording = draft.build().unwrap();
    let minutes = |end: Timestamp| end.since(recording.start().start()).as_secs() / 60;
    let outcome = backtest(&recording);
    let written = outcome.decisions.iter().map(|decision| {
        let rule = decision.rule.as_deref().map(|rule| format!(" {rule}")).unwrap_or_default();
        format!("{} {}{rule} {}", decision.kind, decision.stage, minutes(decision.evidence_end))
    });
    written.collect()
}

/// The same without the notices.
fn verdicts(draft: Draft) -> Vec<String> {
    let notice = |text: &String| ["alert", "hold"].iter().any(|kind| text.starts_with(kind));
    decisions(draft).into_iter().filter(|text| !notice(text)).collect()
}

/// The last verdict.
fn last(draft: Draft) -> String {
    verdicts(draft).pop().unwrap_or_else(|| "nothing".to_owned())
}

/// Changes of one of green's metrics in some minutes: what most facts are about.
trait OnGreen {
    fn green(self, minutes: Range<i64>, metric: Metric, value: f64) -> Self;
    fn absent(self, minutes: Range<i64>, metric: Metric) -> Self;
}

impl OnGreen for Draft {
    fn green(self, minutes: Range<i64>, metric: Metric, value: f64) -> Self {
        self.set(minutes, Green, metric, value)
    }

    fn absent(self, minutes: Range<i64>, metric: Metric) -> Self {
        self.remove(minutes, Green, &metric)
    }
}
