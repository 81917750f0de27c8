//! Time that goes backwards is clamped to the latest time seen (semantics 1.4).

use super::Invariant;
use crate::trace::Trace;

pub(super) const INVARIANT: Invariant =
    Invariant { name: "time never goes back", cites: "semantics 1.4", check };

fn check(trace: &Trace) -> Result<(), String> {
    for (at, pair) in trace.steps.windows(2).enumerate() {
        if let [before, after] = pair
            && after.after.now() < before.after.now()
        {
            return Err(format!("step {} is at {}, after {}", at + 1, after.after.now(), before.after.now()));
        }
    }
    Ok(())
}
