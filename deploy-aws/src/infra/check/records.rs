//! The rules for records.

use std::collections::BTreeMap;

use super::facts::{Facts, Record, Setting, Source};
use super::{Options, Place, Rule, normalized, same_name};
use crate::Finding;

/// How many records were looked at, and what is wrong with them.
pub(super) fn judge(facts: &Facts, options: &Options) -> (usize, Vec<Finding>) {
    let mut names: BTreeMap<String, Vec<&Record>> = BTreeMap::new();
    for record in facts.records.iter().filter(|record| answers_clients(record)) {
        names.entry(normalized(&record.name)).or_default().push(record);
    }
    if let Some(asked) = &options.record {
        names.entry(normalized(asked)).or_default();
    }
    names.retain(|name, records| match &options.record {
        Some(asked) => *name == normalized(asked),
        None => records.iter().any(|record| record.weight != Setting::Absent),
    });
    let count = names.values().map(Vec::len).sum();
    let findings = names.iter().flat_map(|(name, records)| of_name(name, records, facts.source, options));
    (count, findings.collect())
}

/// An AAAA record answers too: clients with IPv6 prefer it. The type of a template may be unknown.
fn answers_clients(record: &Record) -> bool {
    !matches!(
        record.kind.as_str(),
        "TXT" | "MX" | "NS" | "SOA" | "SRV" | "CAA" | "PTR" | "SPF" | "DS" | "NAPTR" | "TLSA" | "SSHFP"
    )
}

fn of_name(name: &str, records: &[&Record], source: Source, options: &Options) -> Vec<Finding> {
    let sides = [&options.blue_set, &options.green_set];
    let has_side = |record: &&Record| sides.iter().any(|set| record.set.as_ref() == Some(*set));
    let ipv6 = records.iter().any(|record| is_ipv6(record) && has_side(record));
    let mut findings = Vec::new();
    let mut pairs: Vec<Vec<&Record>> = Vec::new();
    for of_type in [false, true].into_iter().take(if ipv6 { 2 } else { 1 }) {
        let records: Vec<&Record> = records.iter().copied().filter(|one| is_ipv6(one) == of_type).collect();
        let side = |set| records.iter().find(|record| record.set.as_ref() == Some(set)).copied();
        let found = sides.map(side);
        for (set, _) in sides.into_iter().zip(found).filter(|(_, found)| found.is_none()) {
            findings.push(missing(name, set, &records));
        }
        if let [Some(blue), Some(green)] = found {
            findings.extend(of_pair(blue, green));
        }
        pairs.push(found.into_iter().flatten().collect());
    }
    let of_pairs: Vec<&Record> = pairs.iter().flatten().copied().collect();
    findings.extend(of_pairs.iter().flat_map(|record| of_record(record, source)));
    // With no side there, every record is one that should have been a side.
    let others = records.iter().filter(|one| !of_pairs.iter().any(|record| std::ptr::eq(*record, **one)));
    findings.extend(others.filter(|_| !of_pairs.is_empty()).map(|record| third(name, record)));
    if let [ipv4, ipv6] = pairs.as_slice() {
        findings.extend(ipv4.iter().zip(ipv6).filter_map(|(one, other)| split(one, other)));
    }
    findings
}

/// The type of a template's record may be unknown: it counts as A then.
fn is_ipv6(record: &Record) -> bool {
    record.kind == "AAAA"
}

fn third(name: &str, record: &Record) -> Finding {
    let set = record.set.as_deref().unwrap_or("-");
    let problem = format!(
        "`{name}` has a record besides blue and green ({} `{set}`): it answers a share of the clients, whatever the weights are",
        record.kind
    );
    Rule::ThirdRecord.broken(&record.place, problem)
}

/// One side's records of type A and AAAA.
fn split(ipv4: &Record, ipv6: &Record) -> Option<Finding> {
    let (Some(one), Some(other)) = (ipv4.weight.known(), ipv6.weight.known()) else { return None };
    let problem = format!(
        "the weight is {other} on type AAAA and {one} on type A: which side a client gets depends on its network, and no rollout begins"
    );
    (ipv4.set == ipv6.set && one != other).then(|| Rule::TypesDiffer.broken(&ipv6.place, problem))
}

fn missing(name: &str, set: &str, records: &[&Record]) -> Finding {
    let there: Vec<&str> = records.iter().map(|record| record.set.as_deref().unwrap_or("-")).collect();
    let there = if there.is_empty() { "nothing".into() } else { format!("`{}`", there.join("`, `")) };
    let place = records
        .first()
        .map_or_else(|| Place { line: None, subject: name.into() }, |record| record.place.clone());
    let problem = format!(
        "`{name}` has no record with the set identifier `{set}` (there is: {there}): no rollout can move its weight"
    );
    Rule::SideMissing.broken(&place, problem)
}

fn of_record(record: &Record, source: Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut add = |rule: Rule, problem: String| findings.push(rule.broken(&record.place, problem));
    match record.other_routing {
        Some(routing) => {
            add(Rule::NotWeighted, format!("the record is routed by {routing}: there is no weight to move"))
        }
        None if record.weight == Setting::Absent => {
            add(Rule::NotWeighted, "the record has no weight to move".into());
        }
        None => of_weight(record, source, &mut add),
    }
    match &record.alias {
        None => add(
            Rule::NotAlias,
            "the record is no alias: whoever has its answer keeps it for its own TTL, while the rollout waits 60 s".into(),
        ),
        Some(alias) => {
            if matches!(alias.evaluate_health, Setting::Absent | Setting::Fixed(false) | Setting::Variable(Some(false))) {
                add(
                    Rule::TargetHealthOff,
                    "EvaluateTargetHealth is off: a side whose load balancer has nobody healthy keeps its share of the clients".into(),
                );
            }
            if let Some(resource) = &alias.follows {
                add(
                    Rule::RecordFollowsResource,
                    format!("the alias is read from `{resource}` of the same template: an update that replaces it rewrites the record with the template's weight, in the middle of a rollout"),
                );
            }
        }
    }
    if record.health_check {
        add(
            Rule::HealthCheck,
            "the record has a health check, which moves traffic by itself, past the weights".into(),
        );
    }
    if source != Source::Zone && !record.kept {
        add(Rule::NotKept, "the record goes with its stack: a stack that is deleted, or a property that replaces it, takes the name away from the clients".into());
    }
    if record.overwrites {
        add(
            Rule::RecordOverwritten,
            "`allow_overwrite` lets an apply put its initial weight over a record that a rollout is moving"
                .into(),
        );
    }
    findings
}

fn of_weight(record: &Record, source: Source, add: &mut impl FnMut(Rule, String)) {
    if let Some(weight) = record.weight.known()
        && (weight.fract() != 0.0 || !(0.0..=255.0).contains(&weight))
    {
        add(Rule::WeightOutOfRange, format!("the weight {weight} is not a whole number from 0 to 255"));
    }
    match source {
        Source::CloudFormation => {
            if let Setting::Fixed(weight) = record.weight {
                add(
                    Rule::WeightHardCoded,
                    format!(
                        "the weight {weight} stands in the template: an update that touches the record sets it back to that, whatever a rollout has set"
                    ),
                );
            }
        }
        Source::Terraform => {
            if !record.weight_ignored {
                add(
                    Rule::WeightNotIgnored,
                    "every apply sets the weight back to the one in the file, whatever a rollout has set"
                        .into(),
                );
            }
        }
        Source::Zone => {}
    }
}

fn of_pair(blue: &Record, green: &Record) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let (Some(one), Some(other)) = (&blue.alias, &green.alias)
        && same_name(&one.target, &other.target)
    {
        let problem = format!(
            "blue and green are aliases to the same load balancer ({}): the weights move nothing, and an empty target group of one side makes it unhealthy for both",
            one.target
        );
        findings.push(Rule::SharedBalancer.broken(&green.place, problem));
    }
    if blue.weight.known() == Some(0.0) && green.weight.known() == Some(0.0) {
        let problem = "both weights are 0: that is an equal split between blue and green, not off".into();
        findings.push(Rule::BothZero.broken(&green.place, problem));
    }
    findings
}
