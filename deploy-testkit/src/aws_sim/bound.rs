//! The simulated world behind the simulated AWS.

use std::sync::Arc;

use mpac_deploy_core::effect::ObservedWeights;
use mpac_deploy_core::metric::Side;

use super::elbv2::ListenerRule;
use super::route53::{RecordSet, canonical};
use crate::world::World;

/// A simulated world whose traffic, tasks and numbers the services show: changes of the records, or of a listener's rule, move its
/// traffic, and what is done to the services starts and stops its tasks.
///
/// A resource belongs to blue or to green by its name: the one that it holds as a word, as in `svc-portal-green`.
#[derive(Clone, Debug)]
pub struct Bound {
    pub(super) world: Arc<World>,
    traffic: Divider,
}

/// What shares the traffic out.
#[derive(Clone, Debug)]
enum Divider {
    Records { zone: String, name: String },
    Rule(String),
}

impl Bound {
    /// This world, with the pair of records of this name in this zone as its traffic.
    #[must_use]
    pub fn new(world: Arc<World>, zone: &str, record: &str) -> Self {
        Self { world, traffic: Divider::Records { zone: zone.into(), name: canonical(record) } }
    }

    /// This world, with the target groups of the listener's rule of this ARN as its traffic. The clients of the world follow a rule as
    /// slowly as they follow a record.
    #[must_use]
    pub fn by_rule(world: Arc<World>, rule_arn: &str) -> Self {
        Self { world, traffic: Divider::Rule(rule_arn.into()) }
    }

    /// The side that a resource of this name belongs to.
    pub(super) fn side_of(name: &str) -> Option<Side> {
        let words = || name.split(|letter: char| !letter.is_ascii_alphanumeric());
        [Side::Blue, Side::Green].into_iter().find(|side| words().any(|word| word == side.to_string()))
    }

    /// The records of a zone have changed.
    pub(super) fn records_changed<'a>(&self, changed: &str, records: impl Iterator<Item = &'a RecordSet>) {
        let Divider::Records { zone, name } = &self.traffic else { return };
        if zone == changed {
            let weights = records.filter(|record| record.name == *name).filter_map(|record| {
                Some((record.set_identifier.as_deref().and_then(Self::side_of)?, record.weight?))
            });
            self.take(weights);
        }
    }

    /// A rule has changed.
    pub(super) fn rule_changed(&self, changed: &str, rule: &ListenerRule) {
        let Divider::Rule(arn) = &self.traffic else { return };
        if let Some(forward) = rule.forward().filter(|_| arn == changed) {
            let weights = forward
                .groups
                .iter()
                .filter_map(|group| Some((Self::side_of(&group.target_group_arn)?, i64::from(group.weight))));
            self.take(weights);
        }
    }

    /// Weights above those of the world are not for it: they stay as they were.
    fn take(&self, given: impl Iterator<Item = (Side, i64)>) {
        let mut weights = ObservedWeights { blue: 0, green: 0 };
        for (side, weight) in given {
            let Ok(weight) = u8::try_from(weight) else { return };
            match side {
                Side::Blue => weights.blue = weight,
                Side::Green => weights.green = weight,
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
