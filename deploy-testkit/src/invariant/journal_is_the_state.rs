//! Replaying the journal gives the same state, at every prefix (architecture: state = fold(events)), also after the records went
//! through their text form.

use mpac_deploy_core::journal::{Record, replay};

use super::Invariant;
use crate::trace::Trace;

pub(super) const INVARIANT: Invariant = Invariant {
    name: "replaying the journal gives the same state at every prefix",
    cites: "semantics 5.5, architecture",
    check,
};

/// Replaying each prefix anew takes quadratic time, so whole replays are made at so many places, spread evenly; in
/// between, the trace itself is the fold.
const WHOLE_REPLAYS: usize = 12;

fn check(trace: &Trace) -> Result<(), String> {
    let records = through_text(&trace.records)?;
    let stride = (records.len() / WHOLE_REPLAYS).max(1);
    let ends = (1..=records.len()).filter(|end| end % stride == 0 || *end == records.len());
    for end in ends {
        let prefix = records.get(..end).unwrap_or_default();
        let state = replay(prefix).map_err(|error| format!("the first {end} records: {error}"))?;
        if trace.steps.get(end - 1).map(|step| &step.after) != Some(&state) {
            return Err(format!("the first {end} records give another state"));
        }
    }
    Ok(())
}

fn through_text(records: &[Record]) -> Result<Vec<Record>, String> {
    let text = serde_json::to_string(records).map_err(|error| error.to_string())?;
    let read: Vec<Record> = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    if read == records { Ok(read) } else { Err("the records change on their way through text".into()) }
}
