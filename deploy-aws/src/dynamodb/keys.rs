//! Where what stands in the table.
//!
//! | partition key | sort key | what |
//! |---|---|---|
//! | `record#NAME` | `head` | the lease on a record name, and the end of the rollout that it was last used for |
//! | `rollout#ID` | `about` | the record name that the rollout belongs to |
//! | `rollout#ID` | `records#FIRST` | records from this number on |
//! | `rollout#ID` | `snapshot` | the latest snapshot |
//! | `rollout#ID` | `part#FENCE.ATTEMPT#FIRST` | a part of a tail that is too large for the head |
//! | `inbox#ID` | `counter` | how many commands were posted for the rollout |
//! | `inbox#ID` | `command#COMMAND` | a posted command, its place in the order, and the reply |
//! | `rollouts` | `SERVICE#MILLISECONDS#ID` | one line of the history |

use mpac_deploy_core::ids::{CommandId, RecordName, RolloutId};
use mpac_deploy_core::time::Timestamp;

/// Partition key and sort key of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) partition: String,
    pub(super) sort: String,
}

/// The partition of the history.
pub(super) const HISTORY: &str = "rollouts";

/// What the sort key of every batch of records begins with.
pub(super) const RECORDS: &str = "records#";

/// What the sort key of every command begins with.
pub(super) const COMMANDS: &str = "command#";

impl Key {
    pub(super) fn head(record: &RecordName) -> Self {
        Self { partition: format!("record#{record}"), sort: "head".into() }
    }

    pub(super) fn about(rollout: &RolloutId) -> Self {
        Self { partition: partition_of(rollout), sort: "about".into() }
    }

    /// Records from this number on; the order of the keys is that of the numbers.
    pub(super) fn batch(rollout: &RolloutId, first: u64) -> Self {
        Self { partition: partition_of(rollout), sort: format!("{RECORDS}{first:020}") }
    }

    pub(super) fn snapshot(rollout: &RolloutId) -> Self {
        Self { partition: partition_of(rollout), sort: "snapshot".into() }
    }

    /// A part of a tail.
    pub(super) fn part(rollout: &RolloutId, parts: &str, first: u64) -> Self {
        Self { partition: partition_of(rollout), sort: format!("{}{first:020}", parts_prefix(parts)) }
    }

    pub(super) fn counter(rollout: &RolloutId) -> Self {
        Self { partition: format!("inbox#{rollout}"), sort: "counter".into() }
    }

    pub(super) fn command(rollout: &RolloutId, id: &CommandId) -> Self {
        Self { partition: format!("inbox#{rollout}"), sort: format!("{COMMANDS}{id}") }
    }

    pub(super) fn history(service: &str, began: Timestamp, rollout: &RolloutId) -> Self {
        Self { partition: HISTORY.into(), sort: format!("{}#{rollout}", moment(service, began)) }
    }
}

/// What the sort key of every part with this name begins with.
pub(super) fn parts_prefix(parts: &str) -> String {
    format!("part#{parts}#")
}

pub(super) fn partition_of(rollout: &RolloutId) -> String {
    format!("rollout#{rollout}")
}

/// The sort keys of a service's rollouts that began between these moments, the later one included.
pub(super) fn span(service: &str, from: Timestamp, until: Timestamp) -> (String, String) {
    // `$` is the character after `#`.
    (moment(service, from), format!("{}$", moment(service, until)))
}

fn moment(service: &str, at: Timestamp) -> String {
    // A `#` in a name must not look like the end of it.
    let service = service.replace('%', "%25").replace('#', "%23");
    format!("{service}#{:015}", at.as_millis().max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_in_the_order_of_their_numbers() {
        let rollout = RolloutId::from("r1");
        let sorts = [1, 9, 10, 2100, u64::MAX].map(|first| Key::batch(&rollout, first).sort);
        assert!(sorts.is_sorted(), "{sorts:?}");
    }

    #[test]
    fn a_span_holds_the_rollouts_of_one_service_between_two_moments() {
        let at = Timestamp::from_secs;
        let (low, high) = span("svc", at(100), at(200));
        let within = |service, seconds| {
            let sort = Key::history(service, at(seconds), &RolloutId::from("r")).sort;
            low <= sort && sort <= high
        };
        assert!(within("svc", 100) && within("svc", 200));
        assert!(!within("svc", 99) && !within("svc", 201) && !within("svc#a", 150) && !within("svd", 150));
    }
}
