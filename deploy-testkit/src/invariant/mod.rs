//! What must hold in every rollout, whatever happens to it. One file each, each citing its source.
//!
//! ```
//! use mpac_deploy_core::policy::mpac;
//! use mpac_deploy_testkit::{invariant, script, strategies};
//! use proptest::prelude::*;
//!
//! proptest!(|(script in strategies::scripts())| {
//!     let trace = script::run(&mpac(), &script)?;
//!     invariant::check_all(&trace)?;
//! });
//! ```

mod approved_before;
mod blue_is_kept;
mod decisions_are_repeatable;
mod facts_before_bake;
mod fired_means_back;
mod gates_before_weight;
mod journal_is_the_state;
mod never_both_zero;
mod no_way_forward_after_rollback;
mod promotion_rests_on_evidence;
mod rolled_back_is_verified;
mod schema_fits_what_runs;
mod snapshot_goes_on;
mod time_never_goes_back;

use crate::trace::Trace;

/// Something that must hold in every rollout.
#[derive(Clone, Copy, Debug)]
pub struct Invariant {
    /// What holds, in a few words.
    pub name: &'static str,
    /// Where it is laid down.
    pub cites: &'static str,
    check: fn(&Trace) -> Result<(), String>,
}

/// An invariant that does not hold: a bug.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{invariant}` ({cites}) does not hold: {what}")]
pub struct Violation {
    /// Which invariant.
    pub invariant: &'static str,
    /// Where it is laid down.
    pub cites: &'static str,
    /// What was found, and at which step.
    pub what: String,
}

/// Every invariant.
pub const ALL: [Invariant; 14] = [
    never_both_zero::INVARIANT,
    gates_before_weight::INVARIANT,
    approved_before::INVARIANT,
    facts_before_bake::INVARIANT,
    promotion_rests_on_evidence::INVARIANT,
    fired_means_back::INVARIANT,
    no_way_forward_after_rollback::INVARIANT,
    rolled_back_is_verified::INVARIANT,
    blue_is_kept::INVARIANT,
    schema_fits_what_runs::INVARIANT,
    journal_is_the_state::INVARIANT,
    snapshot_goes_on::INVARIANT,
    decisions_are_repeatable::INVARIANT,
    time_never_goes_back::INVARIANT,
];

impl Invariant {
    /// Checks a rollout.
    ///
    /// # Errors
    /// [`Violation`] when it does not hold.
    pub fn check(&self, trace: &Trace) -> Result<(), Violation> {
        (self.check)(trace).map_err(|what| Violation { invariant: self.name, cites: self.cites, what })
    }
}

/// Checks a rollout against every invariant.
///
/// # Errors
/// [`Violation`] for the first that does not hold.
pub fn check_all(trace: &Trace) -> Result<(), Violation> {
    ALL.iter().try_for_each(|invariant| invariant.check(trace))
}
