//! What Route 53 does with the pair's records that the weights do not say.
//!
//! With `EvaluateTargetHealth` an alias is as healthy as its load balancer, and a balancer is healthy only while each of its target
//! groups has a healthy target; an empty group has none
//! ([AliasTarget](https://docs.aws.amazon.com/Route53/latest/APIReference/API_AliasTarget.html)). Records of weight 0 are considered
//! when every other one is unhealthy, and if all are, all count as healthy
//! ([how Route 53 chooses](https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-how-route-53-chooses-records.html)).

use mpac_deploy_core::metric::Side;

use super::pair::canonical;
use crate::balancer::Balancer;
use crate::finding::{Finding, Severity};

/// Whoever looks into the balancers and finds none of this name knows nothing of it.
const UNKNOWN: &str = "its health is not known";

/// One of the pair's records as far as the traps go.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PairRecord {
    /// Name, type and set identifier.
    pub label: String,
    /// Its type.
    pub kind: String,
    /// Whose it is.
    pub side: Side,
    /// Its weight.
    pub weight: u8,
    /// The DNS name of the load balancer that it is an alias to.
    pub target: String,
    /// Whether the record is as healthy as the balancer.
    pub evaluates_health: bool,
}

/// The traps that these records stand in, as far as the balancers are known.
#[must_use]
pub fn traps(records: &[PairRecord], balancers: &[Balancer]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for blue in records.iter().filter(|record| record.side == Side::Blue) {
        let other = records.iter().find(|other| other.side == Side::Green && other.kind == blue.kind);
        let Some(green) = other else { continue };
        if bare(&blue.target) == bare(&green.target) {
            findings.push(shared(blue, green, balancers));
            continue;
        }
        findings.extend([(blue, green), (green, blue)].into_iter().filter_map(|(record, other)| {
            if record.weight > 0 {
                serves(record, balancers)
            } else {
                answers_at_zero(record, other, balancers)
            }
        }));
        findings.extend([blue, green].into_iter().filter_map(|record| waits_at_zero(record, balancers)));
    }
    findings
}

/// One balancer behind both.
fn shared(blue: &PairRecord, green: &PairRecord, balancers: &[Balancer]) -> Finding {
    let ailment = ailment_of(green, balancers).map(|ailment| format!(", and {ailment}")).unwrap_or_default();
    Finding {
        id: "shared-balancer",
        severity: Severity::Error,
        line: None,
        place: blue.label.clone(),
        problem: format!(
            "blue and green are aliases to one load balancer, {}{ailment}: the weights move nothing, and an empty target group of either side makes the name unhealthy for both",
            blue.target
        ),
        fix: "give each side a balancer of its own, or move the weights of a listener rule's target groups instead of records",
    }
}

/// A record that clients are sent to, and whose balancer is unhealthy.
fn serves(record: &PairRecord, balancers: &[Balancer]) -> Option<Finding> {
    let ailment = ailment_of(record, balancers)?;
    Some(Finding {
        id: "unhealthy-alias",
        severity: Severity::Error,
        line: None,
        place: record.label.clone(),
        problem: format!(
            "{} has the weight {} and counts as unhealthy, since {ailment}: Route 53 answers with the other side, whatever its weight is",
            record.side, record.weight
        ),
        fix: "register targets, or take a group that is not used off the balancer",
    })
}

/// A record at weight 0 that stands in for the other one.
fn answers_at_zero(record: &PairRecord, other: &PairRecord, balancers: &[Balancer]) -> Option<Finding> {
    if !other.evaluates_health || ailment_of(record, balancers).is_some() {
        return None;
    }
    let place = record.label.clone();
    let (side, serving) = (record.side, other.side);
    if let Some(ailment) = ailment_of(other, balancers) {
        return Some(Finding {
            id: "zero-weight-answers",
            severity: Severity::Error,
            line: None,
            place,
            problem: format!(
                "{side} has the weight 0 and serves everybody, since {serving} counts as unhealthy: {ailment}"
            ),
            fix: "heal the side that has the weight, or move the weights to where the clients are",
        });
    }
    let health = match balancer_of(record, balancers) {
        Some(_) => "is healthy",
        None => UNKNOWN,
    };
    Some(Finding {
        id: "zero-weight-answers",
        severity: Severity::Warning,
        line: None,
        place,
        problem: format!(
            "{side} has the weight 0 and {health}: whenever {serving} has nobody healthy, Route 53 answers with {side}"
        ),
        fix: "stop its tasks where it must not serve, and watch the health of the other side, not the weights",
    })
}

/// A record at weight 0 that will not answer when it gets a weight.
fn waits_at_zero(record: &PairRecord, balancers: &[Balancer]) -> Option<Finding> {
    let ailment = ailment_of(record, balancers).filter(|_| record.weight == 0)?;
    Some(Finding {
        id: "empty-target-group",
        severity: Severity::Warning,
        line: None,
        place: record.label.clone(),
        problem: format!(
            "{} counts as unhealthy, since {ailment}: until that ends Route 53 gives it nobody, whatever its weight becomes",
            record.side
        ),
        fix: "the groups of the rollout's services are filled when green is provisioned; take any other off the balancer",
    })
}

/// What makes the record unhealthy in the eyes of Route 53, if it looks and the balancer is known.
fn ailment_of(record: &PairRecord, balancers: &[Balancer]) -> Option<String> {
    balancer_of(record, balancers).filter(|_| record.evaluates_health)?.ailment()
}

fn balancer_of<'a>(record: &PairRecord, balancers: &'a [Balancer]) -> Option<&'a Balancer> {
    balancers.iter().find(|balancer| bare(&balancer.dns_name) == bare(&record.target))
}

/// `dualstack.` is the same balancer, asked for IPv6 too.
fn bare(dns_name: &str) -> String {
    canonical(dns_name).trim_start_matches("dualstack.").to_owned()
}
