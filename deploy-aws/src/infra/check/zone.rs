//! A live zone's records as facts.

use aws_sdk_route53::types::ResourceRecordSet;

use super::Place;
use super::facts::{Alias, Facts, Record, Setting, Source};
use crate::route53::routing;

pub(super) fn facts(records: &[ResourceRecordSet]) -> Facts {
    Facts {
        source: Source::Zone,
        records: records.iter().map(record).collect(),
        tables: Vec::new(),
        statements: Vec::new(),
    }
}

fn record(record: &ResourceRecordSet) -> Record {
    let kind = record.r#type.as_str().to_owned();
    let set = record.set_identifier.clone();
    let subject = format!("{} {kind} {}", record.name, set.as_deref().unwrap_or("-"));
    let weighted = record.weight.is_some();
    Record {
        place: Place { line: None, subject },
        name: record.name.clone(),
        kind,
        set,
        // What is beyond this is out of range all the same.
        weight: record.weight.map_or(Setting::Absent, |weight| {
            Setting::Fixed(f64::from(i32::try_from(weight).unwrap_or(i32::MAX)))
        }),
        other_routing: (!weighted).then(|| routing(record)).flatten(),
        alias: record.alias_target.as_ref().map(|alias| Alias {
            target: alias.dns_name.clone(),
            follows: None,
            evaluate_health: Setting::Fixed(alias.evaluate_target_health),
        }),
        health_check: record.health_check_id.is_some(),
        kept: true,
        weight_ignored: true,
        overwrites: false,
    }
}
