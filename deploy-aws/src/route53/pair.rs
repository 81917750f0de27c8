//! The two records, as they are, and every way in which they can be something else.

use aws_sdk_route53::types::{ResourceRecordSet, RrType};
use mpac_deploy_core::effect::ObservedWeights;
use mpac_deploy_core::units::Weights;

use super::{RecordError, Route53Config};

/// Both records, whole.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub(super) blue: ResourceRecordSet,
    pub(super) green: ResourceRecordSet,
    pub(super) weights: ObservedWeights,
}

impl Pair {
    /// Finds the two among the records of the name.
    pub(super) fn of(config: &Route53Config, records: &[ResourceRecordSet]) -> Result<Self, RecordError> {
        let rivals: Vec<&ResourceRecordSet> =
            records.iter().filter(|record| answers_clients(record)).collect();
        let name = config.record.as_str();
        if rivals.iter().any(|record| record.r#type == RrType::A && record.set_identifier.is_none()) {
            return Err(RecordError::NotWeighted { name: name.into(), set: "-".into(), routing: "simple" });
        }
        let blue = find(name, &config.blue_set, &rivals)?;
        let green = find(name, &config.green_set, &rivals)?;
        let third =
            rivals.iter().find(|record| !is(record, &config.blue_set) && !is(record, &config.green_set));
        if let Some(third) = third {
            return Err(RecordError::Third { name: name.into(), third: label(third) });
        }
        let weights = ObservedWeights {
            blue: weight(name, &config.blue_set, blue)?,
            green: weight(name, &config.green_set, green)?,
        };
        Ok(Self { blue: blue.clone(), green: green.clone(), weights })
    }

    /// The same records with other weights; everything else stays as it was read.
    pub(super) fn with(&self, weights: Weights) -> Self {
        let mut pair = self.clone();
        pair.blue.weight = Some(i64::from(weights.blue()));
        pair.green.weight = Some(i64::from(weights.green()));
        pair.weights = weights.into();
        pair
    }
}

/// Whether clients that look for the service get this record's answer. An AAAA record is one: clients with IPv6 prefer it.
fn answers_clients(record: &ResourceRecordSet) -> bool {
    matches!(record.r#type, RrType::A | RrType::Aaaa | RrType::Cname)
}

fn is(record: &ResourceRecordSet, set: &str) -> bool {
    record.r#type == RrType::A && record.set_identifier.as_deref() == Some(set)
}

fn label(record: &ResourceRecordSet) -> String {
    format!("{} `{}`", record.r#type.as_str(), record.set_identifier.as_deref().unwrap_or("-"))
}

fn find<'a>(
    name: &str,
    set: &str,
    records: &[&'a ResourceRecordSet],
) -> Result<&'a ResourceRecordSet, RecordError> {
    let Some(record) = records.iter().find(|record| is(record, set)) else {
        let there: Vec<String> = records.iter().map(|record| label(record)).collect();
        let found = if there.is_empty() { "nothing".into() } else { there.join(", ") };
        return Err(RecordError::Missing { name: name.into(), set: set.into(), found });
    };
    let (name, set) = (name.to_owned(), set.to_owned());
    if let Some(policy) = record.traffic_policy_instance_id.clone() {
        return Err(RecordError::TrafficPolicy { name, set, policy });
    }
    if record.weight.is_none() {
        return Err(RecordError::NotWeighted { name, set, routing: routing(record) });
    }
    if record.alias_target.is_none() {
        return Err(RecordError::NotAlias { name, set });
    }
    if let Some(check) = record.health_check_id.clone() {
        return Err(RecordError::HealthCheck { name, set, check });
    }
    Ok(record)
}

const fn routing(record: &ResourceRecordSet) -> &'static str {
    if record.region.is_some() {
        "latency"
    } else if record.failover.is_some() {
        "failover"
    } else if record.geo_location.is_some() {
        "geolocation"
    } else if record.geo_proximity_location.is_some() {
        "geoproximity"
    } else if record.cidr_routing_config.is_some() {
        "IP-based"
    } else if record.multi_value_answer.is_some() {
        "multivalue"
    } else {
        "unknown"
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
