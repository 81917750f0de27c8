//! `infra template`, `infra check`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use console::style;
use mpac_deploy_aws::balancer::{Balancer as LoadBalancer, balancers};
use mpac_deploy_aws::client::{ClientOptions, SdkConfig, sdk_config};
use mpac_deploy_aws::infra::{self, Archive, Balancer, DEFAULT_TABLE, Description, Fleet, Options, Report};
use mpac_deploy_aws::{
    CallError, Finding, Quota, Route53Config, Route53Error, Route53Traffic, Severity, ZoneError,
};
use mpac_deploy_core::ids::RecordName;
use serde_json::{Value, json};

use crate::policy_file::{read, unusable};
use crate::reply::{Failure, Reply, Status};
use crate::words;

#[derive(Debug, Subcommand)]
pub(crate) enum InfraCommand {
    /// Print both records, the journal's table and a least-privilege policy as a template.
    Template(Box<TemplateOptions>),
    /// Say what in a template or a live zone would hurt a rollout: 0 nothing, 1 something, 2 it cannot be read.
    Check(CheckOptions),
}

/// What is printed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Printed {
    /// A CloudFormation template, YAML.
    Cloudformation,
    /// A Terraform module.
    Terraform,
    /// The stack policy that keeps CloudFormation from setting the weights back.
    StackPolicy,
}

#[derive(Args, Debug)]
pub(crate) struct TemplateOptions {
    /// The language.
    #[arg(long, value_enum)]
    format: Printed,
    /// The name of both records; the stack policy is the same for all.
    #[arg(long, value_name = "NAME", required_if_eq_any = [("format", "cloudformation"), ("format", "terraform")])]
    record: Option<String>,
    /// The hosted zone's id; without it, it is a parameter.
    #[arg(long, value_name = "ID")]
    zone: Option<String>,
    /// Blue's load balancer: its DNSName and its CanonicalHostedZoneID; without it, they are parameters.
    #[arg(long, value_name = "DNS,ZONE", value_parser = balancer)]
    blue: Option<Balancer>,
    /// Green's load balancer, likewise.
    #[arg(long, value_name = "DNS,ZONE", value_parser = balancer)]
    green: Option<Balancer>,
    /// The name is asked for IPv6 too: a second pair, of type AAAA.
    #[arg(long)]
    ipv6: bool,
    /// The TXT record that holds the fencing token.
    #[arg(long, value_name = "NAME")]
    fence_record: Option<String>,
    #[command(flatten)]
    sets: Sets,
    /// The journal's table.
    #[arg(long, value_name = "NAME", default_value = DEFAULT_TABLE)]
    journal_table: String,
    /// The journal is not in DynamoDB: no table.
    #[arg(long, conflicts_with = "journal_table")]
    no_journal_table: bool,
    /// The ECS cluster of both environments.
    #[arg(long, value_name = "NAME", requires = "service")]
    cluster: Option<String>,
    /// An ECS service of either side; once for each.
    #[arg(long, value_name = "NAME", requires = "cluster")]
    service: Vec<String>,
    /// A family of task definitions; once for each. The services' names if left out.
    #[arg(long, value_name = "NAME", requires = "cluster")]
    family: Vec<String>,
    /// A role that tasks run with or are started with; once for each.
    #[arg(long, value_name = "ARN", requires = "cluster")]
    pass_role: Vec<String>,
    /// Autoscaling of the services is suspended when they are retired.
    #[arg(long, requires = "cluster")]
    suspend_scaling: bool,
    /// A rule of a listener whose weights are moved; once for each.
    #[arg(long, value_name = "ARN")]
    listener_rule: Vec<String>,
    /// A topic of SNS that is told of decisions; once for each.
    #[arg(long, value_name = "ARN")]
    topic: Vec<String>,
    /// Where archives of retired environments go.
    #[arg(long, value_name = "BUCKET[/PREFIX]")]
    archive: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Sets {
    /// Blue's set identifier.
    #[arg(long, value_name = "NAME", default_value = "blue-environment")]
    blue_set: String,
    /// Green's set identifier.
    #[arg(long, value_name = "NAME", default_value = "green-environment")]
    green_set: String,
}

/// The language of a template.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Language {
    /// CloudFormation, YAML or JSON.
    Cloudformation,
    /// Terraform's own language.
    Terraform,
}

#[derive(Args, Debug)]
pub(crate) struct CheckOptions {
    /// A template: Terraform if its name ends in `.tf`, else CloudFormation; `-` reads standard input.
    #[arg(required_unless_present = "zone")]
    file: Option<PathBuf>,
    /// The template's language, whatever its name says.
    #[arg(long, value_enum, requires = "file")]
    format: Option<Language>,
    /// A hosted zone to read in place of a file.
    #[arg(long, value_name = "ID", conflicts_with = "file", requires = "record")]
    zone: Option<String>,
    /// The name of the pair; every name with weighted records in a file, if left out.
    #[arg(long, value_name = "NAME")]
    record: Option<String>,
    #[command(flatten)]
    sets: Sets,
    /// The journal's table; one with the keys `pk` and `sk` is taken for it too.
    #[arg(long, value_name = "NAME", default_value = DEFAULT_TABLE)]
    journal_table: String,
    /// In place of AWS's own address.
    #[arg(long, value_name = "URL", requires = "zone")]
    endpoint_url: Option<String>,
    /// One JSON document on standard output: `{"source", "records", "tables", "statements", "findings": [{"id", "severity", "line",
    /// "subject", "problem", "fix"}]}`.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: &InfraCommand) -> Result<Reply, Failure> {
    match command {
        InfraCommand::Template(options) => template(options),
        InfraCommand::Check(options) => check(options),
    }
}

fn template(options: &TemplateOptions) -> Result<Reply, Failure> {
    let made = match options.format {
        Printed::StackPolicy => Ok(infra::stack_policy().to_owned()),
        Printed::Cloudformation => infra::cloudformation(&description(options)),
        Printed::Terraform => infra::terraform(&description(options)),
    };
    made.map(Reply::done).map_err(|error| Failure::Input(error.to_string()))
}

fn description(options: &TemplateOptions) -> Description {
    let mut all = Description::new(options.record.clone().unwrap_or_default());
    all.hosted_zone_id.clone_from(&options.zone);
    all.ipv6 = options.ipv6;
    all.blue.set.clone_from(&options.sets.blue_set);
    all.blue.balancer.clone_from(&options.blue);
    all.green.set.clone_from(&options.sets.green_set);
    all.green.balancer.clone_from(&options.green);
    all.fence_record.clone_from(&options.fence_record);
    all.journal_table = (!options.no_journal_table).then(|| options.journal_table.clone());
    let families = if options.family.is_empty() { &options.service } else { &options.family };
    all.fleet = options.cluster.clone().map(|cluster| Fleet {
        cluster,
        services: options.service.clone(),
        families: families.clone(),
        roles: options.pass_role.clone(),
        suspends_scaling: options.suspend_scaling,
    });
    all.listener_rules.clone_from(&options.listener_rule);
    all.topics.clone_from(&options.topic);
    all.archive = options.archive.as_deref().map(|text| {
        let (bucket, prefix) = text.split_once('/').unwrap_or((text, ""));
        Archive { bucket: bucket.into(), prefix: prefix.into() }
    });
    all
}

fn balancer(text: &str) -> Result<Balancer, String> {
    match text.split_once(',') {
        Some((dns_name, zone_id)) if !dns_name.is_empty() && !zone_id.is_empty() => {
            Ok(Balancer { dns_name: dns_name.into(), zone_id: zone_id.into() })
        }
        Some(_) | None => Err("its DNSName and its CanonicalHostedZoneID, with a comma between".into()),
    }
}

fn check(options: &CheckOptions) -> Result<Reply, Failure> {
    let (source, report) = match (&options.file, &options.zone) {
        (Some(file), _) => (file.display().to_string(), check_file(file, options)?),
        (None, zone) => {
            let zone = zone.clone().unwrap_or_default();
            (zone.clone(), check_zone(zone, options)?)
        }
    };
    let status = if report.findings.is_empty() { Status::Done } else { Status::Found };
    if options.json {
        return Reply::json(status, &as_json(&source, &report));
    }
    Ok(Reply { status, text: for_people(&source, &report) })
}

fn check_file(file: &Path, options: &CheckOptions) -> Result<Report, Failure> {
    let text = read(file, "template")?;
    let format = match options.format {
        Some(Language::Cloudformation) => infra::Format::CloudFormation,
        Some(Language::Terraform) => infra::Format::Terraform,
        None if file.extension().is_some_and(|end| end.eq_ignore_ascii_case("tf")) => {
            infra::Format::Terraform
        }
        None => infra::Format::CloudFormation,
    };
    let mut wanted = Options::default();
    wanted.record.clone_from(&options.record);
    wanted.blue_set.clone_from(&options.sets.blue_set);
    wanted.green_set.clone_from(&options.sets.green_set);
    wanted.journal_table.clone_from(&options.journal_table);
    infra::check(&text, format, &wanted).map_err(|error| unusable(file, &error))
}

fn check_zone(zone: String, options: &CheckOptions) -> Result<Report, Failure> {
    let mut client = ClientOptions::default();
    client.endpoint_url.clone_from(&options.endpoint_url);
    let record = RecordName::from(options.record.as_deref().unwrap_or_default());
    let config = Route53Config::new(zone, record)
        .with_sets(options.sets.blue_set.clone(), options.sets.green_set.clone());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::World(format!("no runtime for calls: {error}")))?;
    runtime.block_on(async {
        let sdk = sdk_config(&client).await;
        let traffic = Route53Traffic::new(&sdk, &Quota::route53(), config);
        infra::check_zone(&traffic, &balancers_of(&traffic, &sdk).await).await.map_err(|error| {
            if matches!(error, Route53Error::Zone(ZoneError::NoSuchHostedZone { .. })) {
                return Failure::Input(error.to_string());
            }
            Failure::World(error.to_string())
        })
    })
}

/// The load balancers that the pair's records lead to; none where there is no pair.
async fn balancers_of(traffic: &Route53Traffic, sdk: &SdkConfig) -> Result<Vec<LoadBalancer>, CallError> {
    let Ok(records) = traffic.pair_records().await else { return Ok(Vec::new()) };
    let names: Vec<&str> = records.iter().map(|record| record.target.as_str()).collect();
    balancers(sdk, &Quota::load_balancing(), &names).await
}

fn as_json(source: &str, report: &Report) -> Value {
    let finding = |finding: &Finding| {
        json!({
            "id": finding.id,
            "severity": finding.severity.as_str(),
            "line": finding.line,
            "subject": finding.place,
            "problem": finding.problem,
            "fix": finding.fix,
        })
    };
    json!({
        "source": source,
        "records": report.records,
        "tables": report.tables,
        "statements": report.statements,
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
    })
}

fn for_people(source: &str, report: &Report) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        let line = finding.line.map_or_else(String::new, |line| format!(":{line}"));
        let subject = &finding.place;
        let subject = if subject.is_empty() { String::new() } else { format!(" {subject}") };
        let severity = match finding.severity {
            Severity::Error => style("error").red(),
            Severity::Warning | _ => style("warning").yellow(),
        };
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "{source}{line}:{subject}: {severity} {}", style(finding.id).bold());
        for part in [&finding.problem, finding.fix] {
            for line in words::for_terminal(part, INDENT) {
                let _ = writeln!(text, "{:INDENT$}{line}", "");
            }
        }
    }
    let count = |number: usize, one: &str| format!("{number} {one}{}", if number == 1 { "" } else { "s" });
    let _ = writeln!(
        text,
        "{source}: {}, {}, {} of a controller's policy: {}",
        count(report.records, "record"),
        count(report.tables, "journal table"),
        count(report.statements, "statement"),
        if report.findings.is_empty() {
            "nothing that would hurt".into()
        } else {
            count(report.findings.len(), "finding")
        }
    );
    text
}

/// The room before what a finding says.
const INDENT: usize = 4;
