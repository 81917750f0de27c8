//! The state after some number of records.

use alloc::string::String;

use serde::{Deserialize, Serialize};

#[cfg(feature = "json")]
use crate::machine::{Frozen, Rollout};

/// What this build writes into [`Snapshot::format`], and the only thing that it restores. The state is no interface: another version of
/// the library may keep it in another shape, or come to another one by the same records; so it makes its own from them. The
/// number after the slash counts the shapes within a version of the library.
pub const SNAPSHOT_FORMAT: &str = concat!(env!("CARGO_PKG_VERSION"), "/3");

/// The state of a rollout after the first of its records, so that a replay need not begin at the first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// After how many records.
    pub records: u64,
    /// Who can read the state: [`SNAPSHOT_FORMAT`] of the build that wrote it.
    pub format: String,
    /// The state, as text that nobody else need understand.
    pub state: String,
}

#[cfg(feature = "json")]
impl Snapshot {
    /// The state after so many records. `None` if it would not come back as it is: a number that is not finite has no JSON.
    #[must_use]
    pub fn take(rollout: &Rollout, records: u64) -> Option<Self> {
        let state = serde_json::to_string(&Frozen::from(rollout.clone())).ok()?;
        let snapshot = Self { records, format: SNAPSHOT_FORMAT.into(), state };
        (snapshot.restore().as_ref() == Some(rollout)).then_some(snapshot)
    }

    /// The state. `None` if another build wrote it or it cannot be read: then the records say what it is.
    #[must_use]
    pub fn restore(&self) -> Option<Rollout> {
        if self.format != SNAPSHOT_FORMAT {
            return None;
        }
        serde_json::from_str::<Frozen>(&self.state).ok()?.thaw().ok()
    }
}
