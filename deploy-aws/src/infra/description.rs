//! What the infrastructure is for: the little that a template needs to know.

use super::InfraError;

/// The name of the journal's table unless another is given.
pub const DEFAULT_TABLE: &str = "mpac-deploy";

/// A blue-green pair and what its controllers need.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Description {
    /// The name of both records.
    pub record: String,
    /// The hosted zone's id; without it, it is asked for when the template is deployed.
    pub hosted_zone_id: Option<String>,
    /// Whether the name is asked for IPv6 too: a second pair of type AAAA then, which moves along.
    pub ipv6: bool,
    /// Blue's records.
    pub blue: Side,
    /// Green's records.
    pub green: Side,
    /// The name of the TXT record that holds the fencing token, if there is one.
    pub fence_record: Option<String>,
    /// The journal's table, if the journal is in DynamoDB.
    pub journal_table: Option<String>,
    /// The environments, if they are ECS services.
    pub fleet: Option<Fleet>,
    /// The ARNs of the listener's rules, if weights are moved there too.
    pub listener_rules: Vec<String>,
    /// Where archives go, if they go to S3.
    pub archive: Option<Archive>,
    /// The ARNs of the topics that are told of decisions.
    pub topics: Vec<String>,
}

/// One side's records.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Side {
    /// The set identifier.
    pub set: String,
    /// The load balancer; without it, it is asked for when the template is deployed.
    pub balancer: Option<Balancer>,
}

/// A load balancer as an alias names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balancer {
    /// Its `DNSName`.
    pub dns_name: String,
    /// Its `CanonicalHostedZoneID`, which is not the zone of the record.
    pub zone_id: String,
}

/// The ECS services of both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fleet {
    /// The cluster's name.
    pub cluster: String,
    /// The services' names.
    pub services: Vec<String>,
    /// The families of their task definitions.
    pub families: Vec<String>,
    /// The ARNs of the roles that their tasks run with and are started with.
    pub roles: Vec<String>,
    /// Whether their autoscaling is suspended when they are retired.
    pub suspends_scaling: bool,
}

/// A type of records that answer clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RecordType {
    A,
    Aaaa,
}

impl RecordType {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
        }
    }

    /// One of these for the name of a resource.
    pub(super) const fn pick(self, a: &'static str, aaaa: &'static str) -> &'static str {
        match self {
            Self::A => a,
            Self::Aaaa => aaaa,
        }
    }
}

/// A folder of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    /// The bucket's name.
    pub bucket: String,
    /// What the keys begin with; empty for the whole bucket.
    pub prefix: String,
}

impl Description {
    /// The strategy's pair of records of this name, and a journal in DynamoDB.
    #[must_use]
    pub fn new(record: impl Into<String>) -> Self {
        let side = |set: &str| Side { set: set.into(), balancer: None };
        Self {
            record: record.into(),
            hosted_zone_id: None,
            ipv6: false,
            blue: side("blue-environment"),
            green: side("green-environment"),
            fence_record: None,
            journal_table: Some(DEFAULT_TABLE.into()),
            fleet: None,
            listener_rules: Vec::new(),
            archive: None,
            topics: Vec::new(),
        }
    }

    /// The types of the records.
    pub(super) const fn types(&self) -> &'static [RecordType] {
        if self.ipv6 { &[RecordType::A, RecordType::Aaaa] } else { &[RecordType::A] }
    }

    /// Refuses what no template could be right for.
    pub(super) fn check(&self) -> Result<(), InfraError> {
        name("the record", &self.record)?;
        if let Some(fence) = &self.fence_record {
            name("the fence record", fence)?;
        }
        if self.blue.set == self.green.set {
            return Err(InfraError::SameSet(self.blue.set.clone()));
        }
        if let (Some(blue), Some(green)) = (&self.blue.balancer, &self.green.balancer)
            && super::same_name(&blue.dns_name, &green.dns_name)
        {
            return Err(InfraError::SharedBalancer(blue.dns_name.clone()));
        }
        let fleet = self.fleet.iter().flat_map(|fleet| {
            let named = [("a cluster", &fleet.cluster)].into_iter();
            named
                .chain(fleet.services.iter().map(|service| ("a service", service)))
                .chain(fleet.families.iter().map(|family| ("a family", family)))
        });
        let archive = self.archive.iter().map(|archive| ("a bucket", &archive.bucket));
        let folders = self.archive.iter().flat_map(|archive| archive.prefix.split('/'));
        folders.filter(|folder| !folder.is_empty()).try_for_each(|folder| word("a prefix", folder))?;
        let table = self.journal_table.iter().map(|table| ("a table", table));
        fleet.chain(archive).chain(table).try_for_each(|(what, text)| word(what, text))?;
        let roles = self.fleet.iter().flat_map(|fleet| &fleet.roles).map(|arn| ("a role", arn));
        let rules = self.listener_rules.iter().map(|arn| ("a listener's rule", arn));
        let topics = self.topics.iter().map(|arn| ("a topic", arn));
        roles.chain(rules).chain(topics).try_for_each(|(what, arn)| is_arn(what, arn))
    }
}

/// A name as it can stand in a zone: the characters of host names, `_` and a leading `*`.
fn name(what: &'static str, text: &str) -> Result<(), InfraError> {
    let bare = text.strip_suffix('.').unwrap_or(text);
    let bare = bare.strip_prefix("*.").unwrap_or(bare);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    };
    if bare.contains('.') && bare.len() <= 253 && bare.split('.').all(label) {
        return Ok(());
    }
    Err(InfraError::Name { what, given: text.into() })
}

/// A word with which nothing else can be meant: no wildcard of IAM, no variable of a template.
fn word(what: &'static str, text: &str) -> Result<(), InfraError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !text.is_empty() && text.chars().all(fits) {
        return Ok(());
    }
    Err(InfraError::Name { what, given: text.into() })
}

fn is_arn(what: &'static str, text: &str) -> Result<(), InfraError> {
    let whole = text.starts_with("arn:") && text.split(':').count() >= 6;
    if whole && text.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '*' | '?' | '$' | '"' | '\\')) {
        return Ok(());
    }
    Err(InfraError::Arn { what, given: text.into() })
}
