//! The records of the pair, as they are, and every way in which they can be something else.

use aws_sdk_route53::types::{ResourceRecordSet, RrType};
use mpac_deploy_core::effect::ObservedWeights;
use mpac_deploy_core::metric::Side;
use mpac_deploy_core::units::Weights;

use super::{PairRecord, RecordError, Route53Config};

/// Blue's and green's records, whole.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pair {
    /// The records of type A, and after them those of type AAAA if the name has any.
    types: Vec<OfType>,
}

/// Both records of one type.
#[derive(Clone, Debug, PartialEq)]
struct OfType {
    blue: ResourceRecordSet,
    green: ResourceRecordSet,
    weights: ObservedWeights,
}

impl Pair {
    /// Finds the pair among the records of the name.
    pub(super) fn of(config: &Route53Config, records: &[ResourceRecordSet]) -> Result<Self, RecordError> {
        let rivals: Vec<&ResourceRecordSet> =
            records.iter().filter(|record| answers_clients(record)).collect();
        let name = config.record.as_str();
        let is_simple =
            |record: &&ResourceRecordSet| record.r#type == RrType::A && record.set_identifier.is_none();
        if rivals.iter().any(is_simple) {
            return Err(RecordError::NotWeighted { name: name.into(), set: "-".into(), routing: "simple" });
        }
        let (blue, green) = (config.blue_set.as_str(), config.green_set.as_str());
        let sides =
            |kind: &RrType| rivals.iter().any(|record| is(record, kind, blue) || is(record, kind, green));
        let kinds = [RrType::A, RrType::Aaaa].into_iter().filter(|kind| *kind == RrType::A || sides(kind));
        let types: Vec<OfType> =
            kinds.clone().map(|kind| OfType::of(config, &kind, &rivals)).collect::<Result<_, _>>()?;
        let kinds: Vec<RrType> = kinds.collect();
        let is_third = |record: &&&ResourceRecordSet| {
            !kinds.iter().any(|kind| is(record, kind, blue) || is(record, kind, green))
        };
        if let Some(third) = rivals.iter().find(is_third) {
            return Err(RecordError::Third { name: name.into(), third: label(third) });
        }
        Ok(Self { types })
    }

    /// The weights, which both types have in common.
    pub(super) fn weights(&self, name: &str) -> Result<ObservedWeights, RecordError> {
        match self.types.as_slice() {
            [ipv4, ipv6] if ipv4.weights != ipv6.weights => {
                Err(RecordError::Split { name: name.into(), ipv4: ipv4.weights, ipv6: ipv6.weights })
            }
            _ => Ok(self.ipv4()),
        }
    }

    /// The weights of the records of type A.
    pub(super) fn ipv4(&self) -> ObservedWeights {
        self.types.first().map_or(ObservedWeights { blue: 0, green: 0 }, |ipv4| ipv4.weights)
    }

    /// Every record of the pair.
    pub(super) fn records(&self) -> impl Iterator<Item = &ResourceRecordSet> {
        self.types.iter().flat_map(|of_type| [&of_type.blue, &of_type.green])
    }

    /// The records as far as the traps go.
    pub(super) fn described(&self) -> Vec<PairRecord> {
        let sides = |of_type: &OfType| {
            [
                described(Side::Blue, &of_type.blue, of_type.weights.blue),
                described(Side::Green, &of_type.green, of_type.weights.green),
            ]
        };
        self.types.iter().flat_map(sides).flatten().collect()
    }

    /// The same records with other weights; everything else stays as it was read.
    pub(super) fn with(&self, weights: Weights) -> Self {
        let mut pair = self.clone();
        for of_type in &mut pair.types {
            of_type.blue.weight = Some(i64::from(weights.blue()));
            of_type.green.weight = Some(i64::from(weights.green()));
            of_type.weights = weights.into();
        }
        pair
    }
}

impl OfType {
    fn of(config: &Route53Config, kind: &RrType, rivals: &[&ResourceRecordSet]) -> Result<Self, RecordError> {
        let name = config.record.as_str();
        let blue = find(name, kind, &config.blue_set, rivals)?;
        let green = find(name, kind, &config.green_set, rivals)?;
        let weights = ObservedWeights {
            blue: weight(name, &config.blue_set, blue)?,
            green: weight(name, &config.green_set, green)?,
        };
        Ok(Self { blue: blue.clone(), green: green.clone(), weights })
    }
}

/// Only an alias is part of a pair.
fn described(side: Side, record: &ResourceRecordSet, weight: u8) -> Option<PairRecord> {
    let alias = record.alias_target.as_ref()?;
    Some(PairRecord {
        label: format!("{} {}", record.name, label(record)),
        kind: record.r#type.as_str().into(),
        side,
        weight,
        target: alias.dns_name.clone(),
        evaluates_health: alias.evaluate_target_health,
    })
}

/// Whether clients that look for the service get this record's answer. An AAAA record is one: clients with IPv6 prefer it.
fn answers_clients(record: &ResourceRecordSet) -> bool {
    matches!(record.r#type, RrType::A | RrType::Aaaa | RrType::Cname)
}

fn is(record: &ResourceRecordSet, kind: &RrType, set: &str) -> bool {
    record.r#type == *kind && record.set_identifier.as_deref() == Some(set)
}

fn label(record: &ResourceRecordSet) -> String {
    format!("{} `{}`", record.r#type.as_str(), record.set_identifier.as_deref().unwrap_or("-"))
}

fn find<'a>(
    name: &str,
    kind: &RrType,
    set: &str,
    records: &[&'a ResourceRecordSet],
) -> Result<&'a ResourceRecordSet, RecordError> {
    let Some(record) = records.iter().find(|record| is(record, kind, set)) else {
        let there: Vec<String> = records.iter().map(|record| label(record)).collect();
        let found = if there.is_empty() { "nothing".into() } else { there.join(", ") };
        let kind = kind.as_str().into();
        return Err(RecordError::Missing { name: name.into(), kind, set: set.into(), found });
    };
    let (name, set) = (name.to_owned(), set.to_owned());
    if let Some(policy) = record.traffic_policy_instance_id.clone() {
        return Err(RecordError::TrafficPolicy { name, set, policy });
    }
    if record.weight.is_none() {
        return Err(RecordError::NotWeighted { name, set, routing: routing(record).unwrap_or("unknown") });
    }
    if record.alias_target.is_none() {
        return Err(RecordError::NotAlias { name, set });
    }
    if let Some(check) = record.health_check_id.clone() {
        return Err(RecordError::HealthCheck { name, set, check });
    }
    Ok(record)
}

/// Routing by something else than weights, if there is any.
pub(crate) const fn routing(record: &ResourceRecordSet) -> Option<&'static str> {
    if record.region.is_some() {
        Some("latency")
    } else if record.failover.is_some() {
        Some("failover")
    } else if record.geo_location.is_some() {
        Some("geolocation")
    } else if record.geo_proximity_location.is_some() {
        Some("geoproximity")
    } else if record.cidr_routing_config.is_some() {
        Some("IP-based")
    } else if record.multi_value_answer.is_some() {
        Some("multivalue")
    } else {
        None
    }
}

fn weight(name: &str, set: &str, record: &ResourceRecordSet) -> Result<u8, RecordError> {
    let weight = record.weight.unwrap_or_default();
    u8::try_from(weight).map_err(|_| RecordError::Weight { name: name.into(), set: set.into(), weight })
}

/// A name as Route 53 writes it: lower case, with the last dot, and `*` escaped.
pub(super) fn canonical(name: &str) -> String {
    let lower = name.trim_end_matches('.').to_ascii_lowercase().replace('*', "\\052");
    format!("{lower}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_compared_as_route_53_writes_it() {
        assert_eq!(canonical("API.Example.com"), "api.example.com.");
        assert_eq!(canonical("*.example.com."), "\\052.example.com.");
    }
}
