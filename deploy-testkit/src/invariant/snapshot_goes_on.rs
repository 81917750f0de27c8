//! A snapshot and the records after it give what all records give.

use mpac_deploy_core::journal::{Snapshot, replay_from};

use super::Invariant;
use crate::trace::Trace;

pub(super) const INVARIANT: Invariant = Invariant {
    name: "a snapshot and the records after it give the same state",
    cites: "architecture: state = fold(events)",
    check,
};

/// Taking a snapshot is the dearest step of a driver, so it is done at so many places, spread evenly.
const SNAPSHOTS: usize = 4;

fn check(trace: &Trace) -> Result<(), String> {
    let Some(last) = trace.last() else { return Ok(()) };
    let stride = (trace.steps.len() / SNAPSHOTS).max(1);
    for (at, step) in trace.steps.iter().enumerate().step_by(stride) {
        let records = at as u64 + 1;
        // A state that cannot be written down is replayed.
        let Some(snapshot) = Snapshot::take(&step.after, records) else { continue };
        let restored = snapshot.restore().ok_or_else(|| format!("the snapshot after {records} is lost"))?;
        let tail = trace.records.get(at + 1..).unwrap_or_default();
        let state = replay_from(restored, records, tail)
            .map_err(|error| format!("with a snapshot after {records} records: {error}"))?;
        if &state != last {
            return Err(format!("with a snapshot after {records} records the end is another state"));
        }
    }
    Ok(())
}
