//! The simulated world behind the simulated AWS.

use std::sync::Arc;

use mpac_deploy_core::effect::ObservedWeights;
use mpac_deploy_core::metric::Side;

use super::route53::{RecordSet, canonical};
use crate::world::World;

/// A simulated world whose traffic, tasks and numbers the services show: changes of the records move its traffic, and what is done to
/// the services starts and stops its tasks.
///
/// A resource belongs to blue or to green by its name: the one that it holds as a word, as in `svc-portal-green`.
#[derive(Clone, Debug)]
pub struct Bound {
    pub(super) world: Arc<World>,
    zone: String,
    record: String,
}

impl Bound {
    /// This world, with the pair of records of this name in this zone as its traffic.
    #[must_use]
    pub fn new(world: Arc<World>, zone: &str, record: &str) -> Self {
        Self { world, zone: zone.into(), record: canonical(record) }
    }

    /// The side that a resource of this name belongs to.
    pub(super) fn side_of(name: &str) -> Option<Side> {
        let words = || name.split(|letter: char| !letter.is_ascii_alphanumeric());
        [Side::Blue, Side::Green].into_iter().find(|side| words().any(|word| word == side.to_string()))
    }

    /// The records of a zone have changed.
    pub(super) fn records_changed<'a>(&self, zone: &str, records: impl Iterator<Item = &'a RecordSet>) {
        if zone != self.zone {
            return;
        }
        let mut weights = ObservedWeights { blue: 0, green: 0 };
        for record in records.filter(|record| record.name == self.record) {
            let weight = record.weight.and_then(|weight| u8::try_from(weight).ok());
            match (record.set_identifier.as_deref().and_then(Self::side_of), weight) {
                (Some(Side::Blue), Some(weight)) => weights.blue = weight,
                (Some(Side::Green), Some(weight)) => weights.green = weight,
                _ => {}
            }
        }
        self.world.take_weights(weights);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_side_is_a_word_of_the_name() {
        assert_eq!(Bound::side_of("svc-portal-green"), Some(Side::Green));
        assert_eq!(Bound::side_of("targetgroup/blue/0123"), Some(Side::Blue));
        assert_eq!(Bound::side_of("bluebird"), None);
    }
}
