//! What in a template or a zone would hurt a rollout.

mod cloudformation;
mod facts;
mod grants;
mod hcl_node;
mod node;
mod records;
mod rule;
mod statement;
mod terraform;
#[cfg(feature = "route53")]
mod zone;

pub use rule::Rule;

use super::{DEFAULT_TABLE, InfraError, normalized, same_name};
use crate::Finding;
#[cfg(feature = "route53")]
use crate::{CallError, Route53Error, Route53Traffic, Severity, balancer::Balancer, route53::traps};
use facts::{Facts, Table};

/// The language of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// CloudFormation, YAML or JSON.
    CloudFormation,
    /// Terraform's own language.
    Terraform,
}

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// The name of the pair; every name that has a weighted record, if `None`.
    pub record: Option<String>,
    /// Blue's set identifier.
    pub blue_set: String,
    /// Green's set identifier.
    pub green_set: String,
    /// The name of the journal's table; a table with the keys `pk` and `sk` is taken for one too.
    pub journal_table: String,
}

impl Default for Options {
    /// The strategy's set identifiers, of whatever name.
    fn default() -> Self {
        Self {
            record: None,
            blue_set: "blue-environment".into(),
            green_set: "green-environment".into(),
            journal_table: DEFAULT_TABLE.into(),
        }
    }
}

/// What was looked at, and what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// How many records were looked at.
    pub records: usize,
    /// How many journal tables.
    pub tables: usize,
    /// How many statements of policies allow a call of a controller.
    pub statements: usize,
    /// What would hurt, in the order of the document.
    pub findings: Vec<Finding>,
}

/// A place in a template or a zone.
#[derive(Clone, Debug, Default)]
struct Place {
    /// The line, from 1; none in a zone.
    line: Option<usize>,
    /// The resource, such as `BlueRecord` or `aws_route53_record.blue`.
    subject: String,
}

/// Says what in a template would hurt a rollout.
///
/// # Errors
/// [`InfraError::Unreadable`] if it is no template of that language.
pub fn check(text: &str, format: Format, options: &Options) -> Result<Report, InfraError> {
    let text = text.trim_start_matches('\u{feff}');
    let facts = match format {
        Format::CloudFormation => cloudformation::read(text)?,
        Format::Terraform => terraform::read(text)?,
    };
    Ok(judge(&facts, options))
}

/// Says what in a live zone would hurt a rollout: every record of the adapter's name is read. With the balancers behind them
/// ([`balancers`](crate::balancer::balancers)) come the [traps](crate::route53::traps) that clients are in now, such as a failed blue that green answers for at weight 0.
///
/// # Errors
/// [`Route53Error`] if the records cannot be read.
#[cfg(feature = "route53")]
pub async fn check_zone(
    traffic: &Route53Traffic,
    balancers: &Result<Vec<Balancer>, CallError>,
) -> Result<Report, Route53Error> {
    let config = traffic.config();
    let options = Options {
        record: Some(config.record.to_string()),
        blue_set: config.blue_set.clone(),
        green_set: config.green_set.clone(),
        ..Options::default()
    };
    let mut report = judge(&zone::facts(&traffic.record_sets().await?), &options);
    let records = match traffic.pair_records().await {
        Ok(records) => records,
        // A pair that is not as it should be has its findings already.
        Err(Route53Error::Record(_)) => Vec::new(),
        Err(error) => return Err(error),
    };
    // An idle side is empty or answers in need, between all rollouts: a warning of that would be there always.
    let hurts = |trap: &Finding| trap.severity == Severity::Error && trap.id != Rule::SharedBalancer.id();
    match balancers {
        Ok(balancers) => report.findings.extend(traps(&records, balancers).into_iter().filter(hurts)),
        Err(error) => report.findings.push(Rule::BalancersUnread.broken(
            &Place::default(),
            format!(
                "the load balancers could not be read, so nobody knows whether their records answer: {error}"
            ),
        )),
    }
    Ok(report)
}

fn judge(facts: &Facts, options: &Options) -> Report {
    let tables: Vec<&Table> = facts.tables.iter().filter(|table| is_journal(table, options)).collect();
    let granted = grants::granted(facts);
    let (records, mut findings) = records::judge(facts, options);
    findings.extend(tables.iter().flat_map(|table| of_table(table)));
    findings.extend(granted.iter().flat_map(|grant| grants::judge(grant)));
    if records == 0 && tables.is_empty() && granted.is_empty() && findings.is_empty() {
        findings.push(Rule::NothingToCheck.broken(
            &Place::default(),
            "there is no weighted record, journal table or policy of a controller here".into(),
        ));
    }
    findings.sort_by_key(|finding| finding.line);
    Report { records, tables: tables.len(), statements: granted.len(), findings }
}

impl Rule {
    fn broken(self, place: &Place, problem: String) -> Finding {
        let Place { line, subject } = place.clone();
        Finding { id: self.id(), severity: self.severity(), line, place: subject, problem, fix: self.fix() }
    }
}

fn is_journal(table: &Table, options: &Options) -> bool {
    table.name.as_deref().is_some_and(|name| same_name(name, &options.journal_table))
        || (table.keys.iter().any(|key| key == "pk") && table.keys.iter().any(|key| key == "sk"))
}

fn of_table(table: &Table) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut add = |rule: Rule, problem: &str| findings.push(rule.broken(&table.place, problem.into()));
    if !table.deletion_protection {
        add(
            Rule::TableUnprotected,
            "the journal's table can be deleted by one call, and with it every rollout's state and lease",
        );
    }
    if !table.point_in_time_recovery {
        add(
            Rule::TableNoRecovery,
            "the journal's table has no point-in-time recovery: a write that went wrong cannot be taken back",
        );
    }
    if !table.kept {
        add(
            Rule::NotKept,
            "the journal's table goes with its stack: a stack that is deleted or a property that replaces it takes the history along",
        );
    }
    findings
}
