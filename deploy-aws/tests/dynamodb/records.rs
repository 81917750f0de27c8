//! Records such as a rollout writes them.

use std::time::Duration;

use mpac_deploy_core::effect::{Failure, Retry};
use mpac_deploy_core::ids::{EffectId, RecordName, RolloutId};
use mpac_deploy_core::journal::Record;
use mpac_deploy_core::machine::{Event, Rollout};
use mpac_deploy_core::plan::Release;
use mpac_deploy_core::policy::mpac;
use mpac_deploy_core::time::Timestamp;
use mpac_deploy_testkit::scenario::release;
use mpac_deploy_testkit::world::epoch;

pub(crate) const NAME: &str = "api.mpac-cloud.com";
pub(crate) const TTL: Duration = Duration::from_millis(600);

pub(crate) fn record() -> RecordName {
    RecordName::from(NAME)
}

pub(crate) fn rollout() -> RolloutId {
    RolloutId::from("svc-portal-v2.1.0")
}

/// The first record of a rollout of a service.
pub(crate) fn begun(rollout: &RolloutId, service: &str, at: Timestamp) -> Record {
    let release = Release { service: service.into(), ..release() };
    let (begun, effects) = Rollout::begin(rollout.clone(), mpac().compile(release).unwrap(), at);
    Record::begun(&begun, effects.decisions)
}

/// A record that nothing but its number and its words tell from another.
pub(crate) fn happened(number: u64, words: &str) -> Record {
    let effect = EffectId { rollout: rollout(), number: 1 };
    let failure = Failure { message: words.into(), retry: Retry::Worthwhile };
    let event = Event::Outcome { effect, result: Err(failure) };
    Record::happened(number, epoch().after(Duration::from_secs(number)), event, Vec::new())
}

/// So many records from the first one on; each has about this many characters.
pub(crate) fn records(count: u64, characters: usize) -> Vec<Record> {
    let rest = (2..=count).map(|number| happened(number, &"x".repeat(characters)));
    std::iter::once(begun(&rollout(), "svc-portal", epoch())).chain(rest).collect()
}
