//! What `run` and `plan` act on: one file that names an account's part in a rollout.

mod ask;
mod check;
mod migrations;
mod read;
mod template;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mpac_deploy_aws::cloudwatch;
use mpac_deploy_core::decision::Severity;
use mpac_deploy_core::ids::{CheckName, RecordName};
use mpac_deploy_core::metric::{Metric, Side};
use mpac_deploy_core::plan::Environments;
use mpac_deploy_core::policy::{Policy, Span, mpac};
use serde::{Deserialize, Deserializer, de};

pub(crate) use ask::Ask;
pub(crate) use migrations::{Migration, Tool};
pub(crate) use template::{Image, Text, Words};

use crate::cli::Preset;
use crate::policy_file;
use crate::reply::Failure;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// What is rolled out, for people and in the ids of rollouts.
    pub(crate) service: String,
    #[serde(default)]
    pub(crate) policy: PolicySource,
    #[serde(default)]
    pub(crate) aws: Aws,
    pub(crate) ecs: Ecs,
    #[serde(default)]
    pub(crate) environments: BTreeMap<Colour, Environment>,
    pub(crate) traffic: Traffic,
    #[serde(default)]
    pub(crate) metrics: Metrics,
    /// In the order in which they run.
    #[serde(default)]
    pub(crate) checks: Vec<Ask<CheckName>>,
    #[serde(default)]
    pub(crate) probes: Vec<Ask<Metric>>,
    /// In the order in which they are applied.
    #[serde(default)]
    pub(crate) migrations: Vec<Migration>,
    pub(crate) journal: Journal,
    #[serde(default)]
    pub(crate) notify: Notify,
    #[serde(default)]
    pub(crate) lease: Lease,
    /// Where the file is: what it names is relative to that.
    #[serde(skip)]
    pub(crate) folder: PathBuf,
}

/// The rules of the rollout.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PolicySource {
    Preset(Preset),
    File(PathBuf),
}

impl Default for PolicySource {
    fn default() -> Self {
        Self::Preset(Preset::Mpac)
    }
}

/// In place of what the standard environment of AWS says.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Aws {
    pub(crate) region: Option<String>,
    pub(crate) endpoint_url: Option<String>,
}

/// What an environment consists of.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ecs {
    pub(crate) cluster: String,
    pub(crate) services: Vec<Service>,
    /// Where the archive of a retired environment is kept besides the journal.
    pub(crate) archive: Option<Archive>,
    /// Whether a service that scales by itself may be kept from it when its environment is retired. Otherwise it is not retired.
    #[serde(default)]
    pub(crate) suspend_scaling: bool,
}

/// A bucket of S3.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Archive {
    pub(crate) bucket: String,
    /// What the objects' names begin with.
    #[serde(default)]
    pub(crate) prefix: String,
}

/// A service that runs in both environments.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Service {
    /// Its name without the environment's.
    pub(crate) name: String,
    /// The container that gets the new image.
    pub(crate) container: String,
    pub(crate) image: Image,
    /// The ECS service of an environment; `NAME-{environment}` if not said.
    pub(crate) service: Option<Text>,
    /// Its target group by name; the ECS service's name if not said.
    pub(crate) target_group: Option<Text>,
    /// Whether a load balancer sends it requests. One that takes its work from elsewhere has no target group.
    #[serde(default = "yes")]
    pub(crate) balanced: bool,
}

const fn yes() -> bool {
    true
}

/// Blue and green are environments here, and take turns: which of them plays which side of a rollout is found out when it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Colour {
    Blue,
    Green,
}

/// What is said of one environment alone.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Environment {
    /// The set identifier of its record; `COLOUR-environment` if not said.
    pub(crate) record_set: Option<String>,
}

/// What moves the requests from one environment to the other.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Traffic {
    Route53(Route53),
    ListenerRule(ListenerRule),
}

/// Two weighted alias records.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Route53 {
    pub(crate) hosted_zone_id: String,
    pub(crate) record: RecordName,
    pub(crate) fence_record: Option<String>,
}

/// Two weighted target groups of one listener rule.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListenerRule {
    /// Its ARN.
    pub(crate) rule: String,
    /// The name that clients use: one rollout at a time for each.
    pub(crate) record: RecordName,
    /// The service whose target groups it weighs; the only one if not said.
    pub(crate) service: Option<String>,
}

/// Metrics that load balancer and ECS do not show, or that are shown by something else.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Metrics {
    pub(crate) application: Option<Application>,
    pub(crate) custom: BTreeMap<Metric, CustomMetric>,
    /// Whether a percentile is evidence that rests on fewer values than it takes to be stable.
    pub(crate) few_values_count: bool,
}

impl Default for Metrics {
    fn default() -> Self {
        Self { application: None, custom: BTreeMap::new(), few_values_count: true }
    }
}

/// What an application publishes under the names that the metrics have in a policy.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Application {
    pub(crate) namespace: Text,
    #[serde(default)]
    pub(crate) dimensions: BTreeMap<String, Text>,
    pub(crate) names: Vec<Metric>,
}

/// A metric of CloudWatch.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CustomMetric {
    pub(crate) namespace: Text,
    pub(crate) name: Text,
    pub(crate) statistic: Statistic,
    #[serde(default)]
    pub(crate) dimensions: BTreeMap<String, Text>,
    /// What a value is multiplied by.
    #[serde(default = "as_it_is")]
    pub(crate) scale: f64,
}

const fn as_it_is() -> f64 {
    1.0
}

/// `Sum`, `Average`, `p95` and so on.
#[derive(Clone, Debug)]
pub(crate) struct Statistic(pub(crate) cloudwatch::Statistic);

impl<'de> Deserialize<'de> for Statistic {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map(Self).map_err(de::Error::custom)
    }
}

/// Where the rollout is written down.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Journal {
    Dynamodb(Table),
    Sqlite(File),
    Memory,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    pub(crate) table: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    pub(crate) file: PathBuf,
}

/// Who is told of decisions.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Notify {
    /// Whether each is a line on standard error.
    pub(crate) stderr: bool,
    pub(crate) webhooks: Vec<Webhook>,
    pub(crate) topics: Vec<Topic>,
}

impl Default for Notify {
    fn default() -> Self {
        Self { stderr: true, webhooks: Vec::new(), topics: Vec::new() }
    }
}

/// A signed request for each decision. Its address is often as good as a password, so neither stands in the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Webhook {
    /// The variable that holds the URL.
    pub(crate) url_env: String,
    /// The variable that holds the secret.
    pub(crate) secret_env: String,
    #[serde(default = "everything")]
    pub(crate) at_least: Severity,
}

/// A topic of SNS.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Topic {
    pub(crate) arn: String,
    #[serde(default = "everything")]
    pub(crate) at_least: Severity,
}

const fn everything() -> Severity {
    Severity::Info
}

/// The right to act on the record.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lease {
    /// How long it holds without a sign of life.
    pub(crate) ttl: Span,
    /// A name that tells this controller from every other; host and process if not said.
    pub(crate) holder: Option<String>,
}

impl Default for Lease {
    /// 30 s, as the driver has it.
    fn default() -> Self {
        Self { ttl: Span::seconds(30), holder: None }
    }
}

impl Colour {
    pub(crate) const ALL: [Self; 2] = [Self::Blue, Self::Green];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Blue => "blue",
            Self::Green => "green",
        }
    }

    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Blue => Self::Green,
            Self::Green => Self::Blue,
        }
    }
}

/// Which environment plays which side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Roles {
    /// The one that is to be replaced.
    pub(crate) serving: Colour,
}

impl Roles {
    pub(crate) const fn of(self, side: Side) -> Colour {
        match side {
            Side::Blue => self.serving,
            Side::Green => self.serving.other(),
        }
    }

    /// As a release remembers it.
    pub(crate) fn environments(self) -> Environments {
        let name = |side| self.of(side).name().to_owned();
        Environments { blue: name(Side::Blue), green: name(Side::Green) }
    }

    /// From what a release remembers.
    pub(crate) fn remembered(environments: Option<&Environments>) -> Option<Self> {
        let Some(environments) = environments else { return Some(Self { serving: Colour::Blue }) };
        Colour::ALL
            .map(|serving| Self { serving })
            .into_iter()
            .find(|roles| roles.environments() == *environments)
    }
}

impl Config {
    /// Reads the file and checks what can be checked without AWS.
    pub(crate) fn load(path: &Path) -> Result<Self, Failure> {
        let text = policy_file::read(path, "configuration")?;
        let mut config = read::config(&text).map_err(|error| policy_file::unusable(path, &error))?;
        config.folder = path.parent().map(Path::to_owned).unwrap_or_default();
        config.check().map_err(|error| policy_file::unusable(path, &error))?;
        Ok(config)
    }

    pub(crate) fn policy(&self) -> Result<Policy, Failure> {
        match &self.policy {
            PolicySource::Preset(Preset::Mpac) => Ok(mpac()),
            PolicySource::File(file) => policy_file::load(&self.beside(file)),
        }
    }

    /// A file that the configuration names.
    pub(crate) fn beside(&self, file: &Path) -> PathBuf {
        self.folder.join(file)
    }

    /// What the rollout is told apart from others by: one at a time for each.
    pub(crate) fn record(&self) -> RecordName {
        match &self.traffic {
            Traffic::Route53(route53) => route53.record.clone(),
            Traffic::ListenerRule(rule) => rule.record.clone(),
        }
    }

    /// The set identifier of an environment's record.
    pub(crate) fn record_set(&self, colour: Colour) -> String {
        let said = self.environments.get(&colour).and_then(|environment| environment.record_set.clone());
        said.unwrap_or_else(|| format!("{}-environment", colour.name()))
    }

    /// The ECS service of an environment.
    pub(crate) fn ecs_service(service: &Service, colour: Colour) -> String {
        let said = service.service.as_ref().map(|text| text.fill(Words::of(colour)));
        said.unwrap_or_else(|| format!("{}-{}", service.name, colour.name()))
    }

    /// The target group of a service of an environment, if it has one.
    pub(crate) fn target_group(service: &Service, colour: Colour) -> Option<String> {
        let said = service.target_group.as_ref().map(|text| text.fill(Words::of(colour)));
        service.balanced.then(|| said.unwrap_or_else(|| Self::ecs_service(service, colour)))
    }
}
